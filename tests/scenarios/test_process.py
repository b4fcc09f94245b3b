"""How the process begins and ends: signals, a second daemon, a configuration that is wrong."""

import signal
import time
from pathlib import Path

from bot.demo.stage import GREEN_TOKEN, LEADS_TOKEN, Daemon, Stage, until
from bot.demo.telegram import TOKEN as TELEGRAM_TOKEN
from greenapi.emulator import ACCEPT_THEN_HANG
from tests.scenarios.acts import (
    COUNT_AS_SENT,
    RESEND,
    Expected,
    buttons,
    card_shows,
    chat_says,
    lead_arrives,
    row,
    say_yes,
    statuses,
)


async def test_stops_within_ten_seconds_while_a_send_hangs(stage: Stage) -> None:
    """A send without an answer after 8 s becomes `unknown`, and the daemon exits with 0 in 10."""
    stage.settings = {"campaign.undo_seconds": 0}
    await stage.start_daemon()
    await lead_arrives(stage)
    stage.green.fail_next("sendMessage", ACCEPT_THEN_HANG)
    await say_yes(stage, 1)
    await until(lambda: stage.green.accepted, "the welcome hangs")
    stage.clock.run_at(1)

    began = stage.clock.now()
    stage.daemon.terminate(signal.SIGTERM)
    await stage.daemon.until_said("stopped")
    assert 8 <= (stage.clock.now() - began).total_seconds() < 10
    assert 0 == await stage.daemon.gone()
    assert ["unknown", "pending", "pending", "pending"] == statuses(stage)
    assert row(stage, 1)["error_message"].startswith("программа остановилась")

    await stage.start_daemon()
    stage.clock.run_at(20)
    question = await chat_says(stage, "Заявка №1, Анна: «Приветствие» — неясно, ушло ли.")
    assert [RESEND, COUNT_AS_SENT] == buttons(question)


async def test_run_as_people_do_and_a_second_one_refused(stage: Stage, expected: Expected) -> None:
    """`python -m bot run` works till SIGINT; a second one is refused at once, with exit code 1."""
    expected.plain_lines = True
    stage.clock.run_at(1)
    first = await stage.life_on_machine_time().start()
    second = await stage.life_on_machine_time().launch()
    began = time.monotonic()
    assert 1 == await second.gone()
    assert 5 > time.monotonic() - began
    assert 1 == len(second.output)
    assert second.output[0].startswith("progrev: another progrev already works on ")

    status, answer = await stage.post(
        "/leads", port=first.port, json={"name": "Анна", "phone": "79001234567"}
    )
    assert (200, "accepted") == (status, answer["status"])
    await card_shows(stage, 1, "Анна")
    status, health = await stage.ask("GET", "/healthz", port=first.port)
    assert (200, "ok") == (status, health["status"])
    first.terminate(signal.SIGINT)
    assert 0 == await first.gone()
    assert first.events("stopped")


BROKEN = """
[telegram]
token = "{telegram}"
chat = 5
[greenapi]
url = "not an address"
instance = "1101000001"
token = "{green}"
[webhook]
token = "short"
admin_token = "{leads}"
[campaign]
window = "21:00-09:00"
timezone = "Europe/Nowhere"
weekdays = ["monday"]
[dispatch]
batch_size = 0
"""
FAULTY = {
    "telegram.chat",
    "telegram.admin_ids",
    "greenapi.url",
    "webhook.token",
    "campaign.window",
    "campaign.timezone",
    "campaign.weekdays",
    "dispatch.batch_size",
    "PROGREV_LOG__COLOUR",
}


async def test_broken_configuration(tmp_path: Path) -> None:
    """One line a faulty key, no traceback, no secret, exit code 78."""
    config = tmp_path / "config.toml"
    config.write_text(
        BROKEN.format(telegram=TELEGRAM_TOKEN, green=GREEN_TOKEN, leads=LEADS_TOKEN), "utf-8"
    )

    daemon = Daemon("bot", ("run", "--config", str(config)), {"PROGREV_LOG__COLOUR": "red"})
    await daemon.launch()
    assert 78 == await daemon.gone()
    told = [line.strip().partition(":")[0] for line in daemon.output if line.startswith("  ")]
    assert sorted(FAULTY) == sorted(told)
    everything = "\n".join(daemon.output)

    assert "Traceback" not in everything
    for secret in (TELEGRAM_TOKEN, GREEN_TOKEN, LEADS_TOKEN, "short"):
        assert secret not in everything
    assert not (tmp_path / "progrev.db").exists()
