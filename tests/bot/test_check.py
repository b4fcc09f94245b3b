"""`progrev check` against both emulators."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import check
from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from bot.settings import Settings
from greenapi.emulator import GreenApiEmulator
from storage.storage import Storage
from tests.builders import MONDAY_10

TOKEN = "emulated0green0api0token"


@pytest.fixture
async def green() -> AsyncIterator[GreenApiEmulator]:
    """A GREEN-API whose rate limits pass quickly."""
    emulator = GreenApiEmulator(Conductor(MONDAY_10, 1000.0), instance="1101000001", token=TOKEN)
    async with emulator:
        yield emulator


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramEmulator]:
    """A Telegram with nobody in it yet."""
    async with TelegramEmulator(Conductor(MONDAY_10)) as emulator:
        yield emulator


@pytest.fixture
def settings(green: GreenApiEmulator, telegram: TelegramEmulator, tmp_path: Path) -> Settings:
    """A sound set-up: the admin has pressed Start, the bot is in the managers' chat."""
    admin = telegram.add_user("Мария")
    admin.starts()
    group = telegram.add_group("Заявки", [admin])
    sections: dict[str, Any] = {
        "telegram": {
            "token": telegram.token,
            "api_url": telegram.url,
            "manager_chat_id": group.id,
            "admin_ids": (admin.id,),
        },
        "greenapi": {"url": green.url, "instance": "1101000001", "token": TOKEN},
        "storage": {"url": f"sqlite:///{tmp_path / 'progrev.db'}"},
        "webhook": {"token": "a" * 16, "admin_token": "b" * 16},
    }
    return Settings(**sections)


async def failures(settings: Settings, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that did not pass; the exit code must say the same."""
    code = await check.run(settings)
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert (1 if failed else 0) == code
    return failed


async def test_sound(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """With everything in place, every line passes."""
    assert [] == await failures(settings, capsys)


async def test_existing_database(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A database that a daemon has open is read beside it."""
    running = Storage(settings.storage.url)
    await running.open()

    failed = await failures(settings, capsys)

    await running.close()
    assert [] == failed


async def test_broken_database(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no database is named, and left as it is."""
    path = Path(settings.storage.url.removeprefix("sqlite:///"))
    path.write_bytes(b"not a database, but long enough to be looked at" * 50)
    before = path.read_bytes()

    failed = await failures(settings, capsys)

    assert ["FAIL  database: file is not a database"] == failed
    assert before == path.read_bytes()


async def test_bot_token_refused(
    settings: Settings, telegram: TelegramEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A revoked bot token is told once, with where to take another."""
    telegram.token = "7000000002:another-emulated-token"

    assert ["FAIL  Telegram bot: the token is refused: take it from @BotFather"] == await failures(
        settings, capsys
    )


async def test_bot_not_inside(
    settings: Settings, telegram: TelegramEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A managers' chat without the bot is told."""
    outside = telegram.add_group("Другая", [telegram.add_user("Пётр")], bot_inside=False)
    section = settings.telegram.model_copy(update={"manager_chat_id": outside.id})

    failed = await failures(settings.model_copy(update={"telegram": section}), capsys)

    assert [True] == [line.startswith("FAIL  managers' chat: ") for line in failed]


async def test_admin_not_reachable(
    settings: Settings, telegram: TelegramEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """An admin who has not pressed Start is told to do so."""
    shy = telegram.add_user("Ольга")
    section = settings.telegram.model_copy(update={"admin_ids": (shy.id,)})

    failed = await failures(settings.model_copy(update={"telegram": section}), capsys)

    assert [f"FAIL  admin {shy.id}: the admin must open @progrev_bot and press Start"] == failed


async def test_not_authorized(
    settings: Settings, green: GreenApiEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """An instance without a phone says how to link one."""
    green.state = "notAuthorized"

    assert [
        "FAIL  GREEN-API: the instance is «notAuthorized»: link WhatsApp by its QR code in the"
        " console"
    ] == await failures(settings, capsys)


async def test_foreign_webhook(
    settings: Settings, green: GreenApiEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another program on the instance is a warning of doubled messages."""
    green.settings["webhookUrl"] = "https://example.com/hook"

    failed = await failures(settings, capsys)

    assert 1 == len(failed)
    assert "two senders on one instance double messages" in failed[0]


async def test_no_secret_is_printed(
    settings: Settings, green: GreenApiEmulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever fails, no token is printed."""
    await green.stop()

    await check.run(settings)
    printed = capsys.readouterr().out

    assert [] == [secret for secret in settings.secrets() if secret in printed]
