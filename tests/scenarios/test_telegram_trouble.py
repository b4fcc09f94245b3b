"""Telegram that is away, slow, or says no: leads are taken, and the chat becomes true again."""

import asyncio
from datetime import timedelta

from bot.demo import telegram_faults as faults
from bot.demo.stage import Stage, until
from bot.demo.telegram_journal import Call
from tests.scenarios.acts import (
    CALLED,
    TAKE,
    YES,
    card,
    card_shows,
    cards,
    got,
    insert_row,
    lead_arrives,
    press,
    sql,
    welcomed,
)

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def _sent(stage: Stage) -> list[Call]:
    return stage.telegram.journal.of("sendMessage", chat_id=stage.group.id)


async def test_down_at_start(stage: Stage) -> None:
    """Without Telegram the daemon starts and takes leads; their cards come in order later."""
    await stage.telegram.down()
    await stage.start_daemon()

    taken = [await lead_arrives(stage, phone=f"7900900000{n}") for n in range(5)]
    insert_row(stage, taken[0], "Без Telegram", stage.clock.now())
    status, health = await stage.ask("GET", "/healthz")
    assert (200, "ok") == (status, health["status"])
    await stage.clock.sleep(40)
    stage.clock.jump(1800)
    await got(stage, 1, "79009000000")
    assert [] == stage.group.messages
    await stage.telegram.up()
    await card_shows(stage, taken[-1], TAKE)
    await press(stage, taken[-1], CALLED)

    titles = [message.text.split(" ·")[0] for message in stage.group.messages]
    assert [f"Заявка №{lead_id}" for lead_id in taken] == titles


async def test_refused_and_broken_cards_come_later(stage: Stage) -> None:
    """429, 502 and resets cost a card time and nothing else; a lost answer may double it."""
    await stage.start_daemon()
    stage.telegram.fail_next("sendMessage", faults.too_many_requests(30))
    posted_at = stage.clock.now()
    await lead_arrives(stage, phone="79009100001")
    shown = await card_shows(stage, 1, TAKE)
    assert timedelta(seconds=30) <= shown.sent_at - posted_at < timedelta(seconds=120)
    assert 2 == len(_sent(stage))

    for number, fault in enumerate((faults.bad_gateway(), faults.reset_before()), start=2):
        stage.telegram.fail_next("sendMessage", fault)
        await lead_arrives(stage, phone=f"7900910000{number}")
        await card_shows(stage, number, TAKE)
    assert [1, 1, 1] == [len(cards(stage, number)) for number in (1, 2, 3)]
    for number, fault in enumerate((faults.reset_after(), faults.cut_body()), start=4):
        stage.telegram.fail_next("sendMessage", fault)
        await lead_arrives(stage, phone=f"7900910000{number}")
        await stage.telegram.until(lambda n=number: len(cards(stage, n)) == 2)

    await press(stage, 4, TAKE)
    await card_shows(stage, 4, "🙋 Взял(а): Пётр")
    assert "Взял" not in cards(stage, 4)[0].text


async def test_edits_that_fail(stage: Stage) -> None:
    """An edit is repeated until it is done; "not modified" is done; a lost card comes afresh."""
    await stage.start_daemon()
    await lead_arrives(stage)
    await card_shows(stage, 1, TAKE)
    for fault in (faults.bad_gateway(), faults.too_many_requests(10), faults.reset_before()):
        stage.telegram.fail_next("editMessageText", fault)
    await press(stage, 1, TAKE)
    await card_shows(stage, 1, "🙋 Взял(а): Пётр")
    assert 4 == len(stage.telegram.journal.of("editMessageText"))

    stage.telegram.fail_next("editMessageText", faults.bad_request(NOT_MODIFIED))
    sql(stage, "UPDATE leads SET name = 'Алла' WHERE id = 1")
    await until(lambda: len(stage.telegram.journal.of("editMessageText")) == 5, "the edit")
    await stage.clock.sleep(60)
    assert 5 == len(stage.telegram.journal.of("editMessageText"))

    gone = card(stage)
    stage.maria.deletes(gone)
    sql(stage, "UPDATE leads SET name = 'Белла' WHERE id = 1")
    fresh = await card_shows(stage, 1, "👤 Белла", "🙋 Взял(а): Пётр")
    assert fresh.id > gone.id
    await press(stage, 1, CALLED)
    await card_shows(stage, 1, YES)
    assert 1 == len(cards(stage, 1))


async def test_hanging_card_holds_nothing_else(stage: Stage) -> None:
    """While a card hangs, leads are taken and messages leave; at its time-out it comes anew."""
    await stage.start_daemon()
    await welcomed(stage)
    stage.clock.run_at(3)  # aiogram's time-out is real: 15 s must not be minutes for the watchdog
    stage.telegram.fail_next("sendMessage", faults.hang())
    sent = len(_sent(stage))
    await lead_arrives(stage, phone="79009200002")
    await until(lambda: len(_sent(stage)) > sent, "the card hangs")

    assert 3 == await asyncio.wait_for(lead_arrives(stage, phone="79009200003"), 5)
    stage.clock.jump(86400)
    await got(stage, 2)
    assert [] == cards(stage, 2)
    await stage.telegram.until(lambda: card(stage, 3), timeout_real=20)

    assert [1, 1] == [len(cards(stage, number)) for number in (2, 3)]
    assert card(stage, 2).id < card(stage, 3).id
