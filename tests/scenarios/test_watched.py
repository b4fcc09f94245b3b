"""Those who watch the daemon see numbers of everything, and nothing of anybody."""

import re

from bot.demo.stage import ADMIN_TOKEN, GREEN_TOKEN, LEADS_TOKEN, Stage, until
from bot.demo.telegram import TOKEN as TELEGRAM_TOKEN
from tests.scenarios.acts import PHONE, card_shows, lead_arrives, say_yes

LOOPS = {"dispatcher", "outbox", "poller", "inbox", "housekeeping", "watch"}


async def scrape(stage: Stage) -> str:
    """What a stranger on the machine is told."""
    status, text = await stage.ask("GET", "/metrics")
    assert 200 == status
    return str(text)


async def test_metrics_of_a_lead_on_its_way(stage: Stage) -> None:
    """A lead, its card, the presses and the welcome are counted, without a token, name or phone."""
    stage.settings = {"campaign.undo_seconds": 0}
    await stage.start_daemon()
    await lead_arrives(stage, name="Анна")
    await say_yes(stage, 1)
    await until(lambda: stage.green.delivered, "the welcome")
    await card_shows(stage, 1, "отправлено")
    text = await scrape(stage)

    for sample in (
        'progrev_leads_total{result="accepted"} 1.0',
        'progrev_sends_total{outcome="sent"} 1.0',
        'progrev_queue_rows{status="sent"} 1.0',
        'progrev_queue_rows{status="pending"} 3.0',
        'progrev_greenapi_seconds_count{method="sendMessage"} 1.0',
        "progrev_database_up 1.0",
        "progrev_held 0.0",
    ):
        assert sample in text.splitlines(), sample
    assert re.search(r'progrev_telegram_messages_total\{result="sent"\} [1-9]', text)
    assert re.search(r'progrev_telegram_messages_total\{result="edited"\} [1-9]', text)
    assert re.search(r'progrev_updates_total\{result="handled"\} [1-9]', text)
    secrets = [PHONE, PHONE[-7:], "Анна", "Мария", TELEGRAM_TOKEN, GREEN_TOKEN, LEADS_TOKEN]
    assert [] == [word for word in (*secrets, ADMIN_TOKEN) if word in text]


async def test_every_loop_shows_its_pulse(stage: Stage) -> None:
    """Each loop of the daemon but the one that watches them tells its age and its limit."""
    await stage.start_daemon()
    status, health = await stage.ask("GET", "/healthz")
    text = await scrape(stage)

    assert (200, "ok", []) == (status, health["status"], health["problems"])
    assert set(health["loops"]) == LOOPS
    assert set(re.findall(r'progrev_loop_age_seconds\{loop="(\w+)"\}', text)) == LOOPS
