"""Faults around the inbox and the alerts: each is told once, and nothing is lost or done twice."""

from datetime import timedelta

import pytest

from bot.demo.stage import Stage, until
from bot.demo.telegram_chats import Message
from bot.demo.telegram_journal import Call
from bot.demo.telegram_people import User
from tests.scenarios.acts import (
    CALLED,
    NO_ANSWER,
    NO_PAUSES,
    PATIENCE,
    TAKE,
    YES,
    Expected,
    card,
    card_shows,
    got,
    insert_lead,
    insert_row,
    killed,
    lead_arrives,
    press,
    row,
    row_is,
    say_yes,
    sql,
    statuses,
    texts,
)

PARKED = "Есть нажатия, которые не удалось обработать"


async def told(stage: Stage, words: str, user: User | None = None) -> Message:
    """Wait until the private chat of an admin, Maria, shows an alert with these words."""
    chat = (user or stage.maria).private
    return await stage.telegram.until(
        lambda: [m for m in chat.messages if words in m.text][-1], chat=chat, timeout_real=PATIENCE
    )


def alerts(stage: Stage, *words: str) -> list[int]:
    """How often Maria's private chat shows these words."""
    shown = [message.text for message in stage.maria.private.messages]
    return [sum(one in text for text in shown) for one in words]


def events(stage: Stage) -> list[str]:
    """Everything that happened to leads."""
    return [event["kind"] for event in sql(stage, "SELECT kind FROM lead_events ORDER BY id")]


@pytest.mark.parametrize("moment", ["before the answer", "after the answer"])
async def test_killed_while_a_press_is_handled(stage: Stage, moment: str) -> None:
    """The press, stored before Telegram forgot it, has its effect once after the restart."""
    await stage.start_daemon()
    await lead_arrives(stage)
    await card_shows(stage, 1, NO_ANSWER)

    async def kill(call: Call) -> None:
        if call.method == "answerCallbackQuery":
            stage.telegram.on_call = stage.telegram.on_done = None
            await killed(stage)

    if moment == "before the answer":
        stage.telegram.on_call = kill
    else:
        stage.telegram.on_done = kill
    stage.pyotr.presses(card(stage), NO_ANSWER)
    await until(lambda: stage.daemon.is_dead, "the kill")
    assert ["waiting"] == [u["state"] for u in sql(stage, "SELECT * FROM updates")]
    await stage.start_daemon()
    await card_shows(stage, 1, "📵 Не дозвонились 1 раз")
    await until(lambda: sql(stage, "SELECT * FROM updates")[0]["state"] == "done", "handled")

    assert ["no_answer"] == events(stage)


async def test_malformed_update_between_two_presses(stage: Stage, expected: Expected) -> None:
    """It is parked and told once; the presses around it count, and Telegram gives all three up."""
    expected.errors |= {"update_parked"}
    await stage.start_daemon()
    await lead_arrives(stage)
    await lead_arrives(stage, phone="79001234568")
    first, second = await card_shows(stage, 1, TAKE), await card_shows(stage, 2, TAKE)

    await stage.telegram.down()
    stage.pyotr.presses(first, TAKE)
    stage.telegram.inject_update({"callback_query": {"id": 7, "from": "nobody"}})
    stage.pyotr.presses(second, TAKE)
    await stage.telegram.up()
    for lead_id in (1, 2):
        await card_shows(stage, lead_id, "🙋 Взял(а): Пётр")
    await told(stage, PARKED)
    stage.clock.jump(45)
    await stage.telegram.until(lambda: not stage.telegram.pending_updates)

    states = [update["state"] for update in sql(stage, "SELECT * FROM updates ORDER BY id")]
    assert ["done", "parked", "done"] == states
    assert ["taken", "taken"] == events(stage)
    assert [1] == alerts(stage, PARKED)


async def test_token_revoked_and_back(stage: Stage) -> None:
    """Leads are stored meanwhile and WhatsApp goes on; once the token is back, all is told."""
    await stage.start_daemon()
    await stage.daemon.until_said("telegram_reached")
    token, stage.telegram.token = stage.telegram.token, "7000000001:revoked"
    stage.telegram.drop_connections()
    began = await stage.daemon.until_said("alert_began")
    assert "telegram_token" == began["trouble"]
    lead_id = await lead_arrives(stage)
    insert_row(stage, lead_id, "Без Telegram", stage.clock.now())
    stage.clock.jump(1800)
    await got(stage, 1)
    stage.telegram.token = token

    await card_shows(stage, lead_id, TAKE)
    await told(stage, "Telegram снова принимает токен")
    assert [1, 1] == alerts(stage, "Telegram не принимает токен бота", "Telegram снова принимает")


async def test_second_poller(stage: Stage) -> None:
    """Another program that polls with the token is told of, once, and told when it is gone."""
    await stage.start_daemon()
    await stage.daemon.until_said("telegram_reached")
    theirs = f"{stage.telegram.url}/bot{stage.telegram.token}/getUpdates"

    def over() -> bool:
        return alerts(stage, "ещё одна программа") == [1]

    while not over():
        async with stage._http.get(theirs) as answer:
            await answer.read()
    await told(stage, "Второй программы с этим токеном больше не видно")
    await lead_arrives(stage)
    await press(stage, 1, TAKE)

    assert [1, 1] == alerts(stage, "ещё одна программа", "Второй программы")


async def test_group_becomes_a_supergroup_in_a_dialog(stage: Stage) -> None:
    """The cards follow into the supergroup, afresh, and stay there after a restart."""
    await stage.start_daemon()
    await lead_arrives(stage)
    await press(stage, 1, CALLED)
    stage.group = stage.group.migrates()
    await stage.daemon.until_said("manager_chat_moved")
    await card_shows(stage, 1, YES)
    await killed(stage)
    await stage.start_daemon()
    await lead_arrives(stage, phone="79001234568")
    await card_shows(stage, 2, TAKE)
    await press(stage, 1, YES)
    await card_shows(stage, 1, "отправлено 1")

    assert ["called", "yes"] == events(stage)
    assert 1 == len(texts(stage))


async def test_instance_not_authorized(stage: Stage) -> None:
    """Two minutes of it are told to the admin in private, once; so is the end, once."""
    stage.settings = {**NO_PAUSES, "dispatch.interval_seconds": 120}
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    stage.green.state = "notAuthorized"
    row_id = insert_row(stage, insert_lead(stage, "79001234567"), "Привет", stage.clock.now())
    stage.clock.run_at(60)
    begun = stage.clock.now()
    shown = await told(stage, "WhatsApp не отправляет")
    assert shown.sent_at - begun >= timedelta(minutes=2)
    await stage.clock.sleep(120)
    assert ("pending", []) == (row(stage, row_id)["status"], stage.green.accepted)
    stage.green.state = "authorized"
    stage.clock.jump(61)  # what is known of the instance is old
    await told(stage, "WhatsApp снова отправляет")
    await row_is(stage, row_id, "sent")

    assert [1, 1] == alerts(stage, "WhatsApp не отправляет", "WhatsApp снова отправляет")


async def test_clock_jumps(stage: Stage) -> None:
    """Three hours on, three back and a day on: nothing leaves twice or early, all loops go on."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await lead_arrives(stage)
    await say_yes(stage, 1)
    await got(stage, 1)
    stage.clock.run_at(60)
    for hours, number in ((3, 1), (-3, 1), (24, 2), (-24, 2), (24, 2)):
        jumps = len(stage.daemon.events("clock_jumped"))
        stage.clock.jump(hours * 3600)
        await stage.daemon.until_said("clock_jumped", jumps + 1)
        stage.clock.jump(1801)
        await got(stage, number)
        await stage.clock.sleep(20)
        assert number == len(texts(stage))
    assert ["sent", "sent", "pending", "pending"] == statuses(stage)
    await lead_arrives(stage, phone="79001234568")
    await press(stage, 2, TAKE)
    status, health = await stage.ask("GET", "/healthz")
    assert (200, "ok") == (status, health["status"])
