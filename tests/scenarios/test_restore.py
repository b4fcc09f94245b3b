"""The restore drill: back from yesterday's copy, held until an admin has read how old it is."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from bot.demo.stage import Stage, until
from bot.demo.telegram_chats import Message
from storage.backup import back_up
from storage.errors import AlreadyRunning
from storage.restore import restore
from tests.builders import MOSCOW
from tests.scenarios.acts import (
    NO_PAUSES,
    answer_to,
    card_shows,
    dispatch,
    got,
    killed,
    lead_arrives,
    restarted,
    rows,
    statuses,
    texts,
    welcomed,
)
from tests.scenarios.conftest import Expected

GO_ON = "Продолжить"
ROOT = Path(__file__).parents[2]


async def question(stage: Stage) -> Message:
    """Wait for the newest question in the admin's private chat."""

    def look() -> Message:
        return [m for m in stage.maria.private.messages if "восстановлена из копии" in m.text][-1]

    return await stage.telegram.until(look, chat=stage.maria.private)


async def stopped(stage: Stage) -> None:
    """The daemon ends as the service manager asks it to."""
    stage.daemon.terminate()
    assert 0 == await stage.daemon.gone()


async def restored(stage: Stage, copy: Path) -> None:
    """Stop, go back to the copy, start again."""
    await stopped(stage)
    restore(copy, stage.database, stage.clock.now())
    await stage.start_daemon()


async def test_restore_of_yesterdays_backup(stage: Stage, expected: Expected) -> None:
    """What went out after the copy is forgotten; nothing goes again until an admin says so."""
    expected.repeated_texts = 1  # the admin goes on without looking at WhatsApp
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await welcomed(stage)
    copy = stage.folder / "copy.db"
    back_up(stage.database, copy, stage.clock.now())
    stage.clock.jump_to(datetime(2026, 11, 24, 12, tzinfo=MOSCOW))
    await got(stage, 2)
    await restored(stage, copy)

    asked = await question(stage)
    assert "Копия сделана 23.11.2026 в 10:0" in asked.text
    assert "пропало 26 часов" in asked.text
    status, answer = await dispatch(stage)
    assert (503, "held") == (status, answer["status"])
    assert "отправка ждёт кнопки «Продолжить»" in answer["reason"]
    status, answer = await dispatch(stage, json={"phone": "79000000009", "message": "проба"})
    assert (200, "sent") == (status, answer["status"])
    assert 1001 < await lead_arrives(stage, name="Борис", phone="79007654321")

    await restarted(stage)
    assert 503 == (await dispatch(stage))[0]
    assert 1 == len([m for m in stage.maria.private.messages if "из копии" in m.text])
    assert 2 == len(texts(stage))

    assert "Рассылка идёт дальше" == await answer_to(stage, stage.maria.presses(asked, GO_ON))
    await got(stage, 3)
    shown = await stage.telegram.until(
        lambda: [m for m in stage.maria.private.messages if "Отправка продолжена: Мария" in m.text],
        chat=stage.maria.private,
    )
    assert [asked.id] == [message.id for message in shown]

    await card_shows(stage, 1, "отправлено 2")
    await restarted(stage)
    await card_shows(stage, 1, "отправлено 2")
    assert 3 == len(texts(stage))


async def test_what_came_too_late_while_held_is_cancelled_by_the_release(stage: Stage) -> None:
    """A copy of last week sends nothing stale: the ordinary rule counts, after the release."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await welcomed(stage)
    copy = stage.folder / "copy.db"
    back_up(stage.database, copy, stage.clock.now())
    await stopped(stage)
    stage.clock.jump(timedelta(days=6).total_seconds())
    restore(copy, stage.database, stage.clock.now())
    await stage.start_daemon()
    asked = await question(stage)
    assert 503 == (await dispatch(stage))[0]
    assert ["sent", "pending", "pending", "pending"] == statuses(stage)

    await answer_to(stage, stage.maria.presses(asked, GO_ON))
    await until(lambda: rows(stage)[1]["status"] == "cancelled", "day 1 cancelled")

    assert ["sent", "cancelled"] == statuses(stage)[:2]
    assert 1 == len(texts(stage))


async def test_only_admins_release(stage: Stage) -> None:
    """With no admins the managers' chat is asked, and a manager's press changes nothing."""
    stage.settings = {**NO_PAUSES, "telegram.admin_ids": []}
    await stage.start_daemon()
    await welcomed(stage)
    back_up(stage.database, stage.folder / "copy.db", stage.clock.now())
    await restored(stage, stage.folder / "copy.db")
    asked = await stage.telegram.until(
        lambda: [m for m in stage.group.messages if "восстановлена из копии" in m.text][-1],
        chat=stage.group,
    )

    said = await answer_to(stage, stage.pyotr.presses(asked, GO_ON))

    assert "Продолжить отправку может только администратор." == said
    assert 503 == (await dispatch(stage))[0]


async def test_a_restore_beside_a_running_daemon_is_refused(stage: Stage) -> None:
    """The command line says to stop it first, and the daemon goes on with what it has."""
    await stage.start_daemon()
    await welcomed(stage)
    back_up(stage.database, stage.folder / "copy.db", stage.clock.now())
    await lead_arrives(stage, name="Борис", phone="79007654321")

    try:
        restore(stage.folder / "copy.db", stage.database, stage.clock.now())
        refused = False
    except AlreadyRunning:
        refused = True

    assert refused
    await card_shows(stage, 2, "Борис")


async def test_the_commands(stage: Stage) -> None:
    """`progrev backup` while the daemon works, `progrev restore` after it, as people type them."""
    await stage.start_daemon()
    await welcomed(stage)
    config, copy = str(stage.folder / "config.toml"), str(stage.folder / "copy.db")

    codes = [_progrev("backup", copy, "--config", config)]
    codes.append(_progrev("backup", "--into", str(stage.folder / "nightly"), "--config", config))
    codes.append(_progrev("restore", copy, "--config", config))
    await killed(stage)
    codes.append(_progrev("restore", copy, "--config", config))
    codes.append(_progrev("backup", "--config", config))
    await stage.start_daemon()

    assert [0, 0, 1, 0, 2] == codes
    assert 503 == (await dispatch(stage))[0]
    assert 1 == len(list((stage.folder / "nightly").glob("progrev-*.db")))


def _progrev(*words: str) -> int:
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode
