"""`kill -9` at every step: no lead is lost, no message is doubled, people are asked."""

from bot.demo import telegram_faults as faults
from bot.demo.stage import Stage, until
from greenapi.emulator import ACCEPT_THEN_HANG, HANG, Call
from tests.scenarios.acts import (
    CALLED,
    COUNT_AS_SENT,
    RESEND,
    TAKE,
    YES,
    answer_to,
    buttons,
    card,
    card_shows,
    cards,
    chat_says,
    database,
    got,
    jump_past,
    killed,
    lead,
    lead_arrives,
    press,
    press_on,
    restarted,
    row_is,
    rows,
    say_yes,
    sql,
    statuses,
    texts,
)

ANNA, BORIS, VERA = "79001234501", "79001234502", "79001234503"


async def test_before_the_claim(stage: Stage) -> None:
    """Killed while it asks for the instance's state, it sends the welcome once after a restart."""
    stage.settings = {"campaign.undo_seconds": 120}
    await stage.start_daemon()
    await lead_arrives(stage)
    await say_yes(stage, 1)
    await card_shows(stage, 1, "ждёт 4")

    async def kill(call: Call) -> None:
        if call.method == "getStateInstance":
            await killed(stage)

    stage.green.on_request = kill
    jump_past(stage, 1)
    await stage.daemon.gone()
    assert "pending" == statuses(stage)[0]
    stage.green.on_request = lambda _: None
    await stage.start_daemon()
    await card_shows(stage, 1, "отправлено 1, ждёт 3")

    assert 1 == len(stage.green.accepted)


async def test_around_the_send(stage: Stage) -> None:
    """Killed after the claim, after acceptance, and before the record: all three are asked about.

    One button sends once more, the other takes it for sent; each works once, and the rest goes on.
    """
    stage.settings = {"campaign.undo_seconds": 0}
    await stage.start_daemon()
    stage.clock.run_at(10)
    for name, phone in (("Анна", ANNA), ("Борис", BORIS), ("Вера", VERA)):
        await lead_arrives(stage, name=name, phone=phone)
    await _three_sends_end_half_way(stage)
    await stage.start_daemon()
    stage.clock.run_at(20)

    questions = {n: await chat_says(stage, f"Заявка №{n}, ") for n in (1, 2, 3)}
    for lead_id, question in questions.items():
        assert "«Приветствие» — неясно, ушло ли." in question.text
        assert [RESEND, COUNT_AS_SENT] == buttons(question)
        assert card(stage, lead_id).id == question.reply_to
        await card_shows(stage, lead_id, "⚠️ «Приветствие» неясно, ушло ли")
    assert [BORIS, VERA] == [m.chat_id[:11] for m in stage.green.accepted]

    for lead_id, button in ((1, RESEND), (2, COUNT_AS_SENT), (3, COUNT_AS_SENT)):
        twice = [user.presses(questions[lead_id], button) for user in (stage.maria, stage.pyotr)]
        answers = [await answer_to(stage, one) for one in twice]
        assert ["Готово", "Уже решено."] == sorted(answers)
        settled = await chat_says(stage, f"Заявка №{lead_id}, ")
        await stage.telegram.until(lambda s=settled: not buttons(stage.group.message(s.id)))
        await card_shows(stage, lead_id, "отправлено 1, ждёт 3")
    stage.clock.jump(86400)
    for phone in (ANNA, BORIS, VERA):
        assert 2 == len(await got(stage, 2, phone))


async def _three_sends_end_half_way(stage: Stage) -> None:
    stage.green.fail_next("sendMessage", HANG)
    await say_yes(stage, 1)
    await until(lambda: stage.green.in_flight == 1, "Anna's welcome hangs before acceptance")
    stage.green.fail_next("sendMessage", ACCEPT_THEN_HANG)
    await say_yes(stage, 2)
    await until(lambda: len(stage.green.accepted) == 1, "Boris's welcome hangs after acceptance")
    with database(stage) as other:
        stage.green.on_accepted = lambda _: other.execute("BEGIN IMMEDIATE") and None
        await say_yes(stage, 3)
        await until(lambda: _send_answers(stage)[2:] == [200], "Vera's welcome is answered")
        await stage.clock.sleep(5)
        await killed(stage)
        stage.green.on_accepted = lambda _: None
        other.execute("ROLLBACK")
    assert ["sending"] * 3 == [statuses(stage, lead_id)[0] for lead_id in (1, 2, 3)]


def _send_answers(stage: Stage) -> list[int | None]:
    return [call.status for call in stage.green.calls if call.method == "sendMessage"]


async def test_after_telegram_showed_a_card_and_right_after_a_lead(stage: Stage) -> None:
    """A card that was shown but not recorded may come twice; both work once, the newest is true."""
    await stage.start_daemon()
    await stage.daemon.until_said("telegram_reached")
    stage.telegram.fail_next("sendMessage", faults.hang(acts=True))
    first = await lead_arrives(stage)
    shown = await card_shows(stage, first, TAKE)
    later = [await lead_arrives(stage, phone=f"7900555000{n}") for n in range(3)]
    await restarted(stage)

    for lead_id in later:
        await card_shows(stage, lead_id, TAKE)
    assert [2, 1, 1, 1] == [len(cards(stage, lead_id)) for lead_id in (first, *later)]
    older, newest = cards(stage, first)
    assert shown.id == older.id
    assert "Готово" == await press_on(stage, older, CALLED)
    await stage.telegram.until(lambda: YES in buttons(stage.group.message(newest.id)))
    late = await press_on(stage, older, CALLED, stage.maria)
    assert late.startswith("Это уже сделано или изменилось.")
    await press_on(stage, newest, YES)
    await card_shows(stage, first, "отправлено 1")

    events = [event["kind"] for event in sql(stage, "SELECT kind FROM lead_events ORDER BY id")]
    assert ["called", "yes"] == events
    assert 1 == len(texts(stage))


async def test_before_telegram_showed_the_card(stage: Stage) -> None:
    """Killed while the card is on its way, the daemon shows it after the restart, once."""
    await stage.start_daemon()
    await stage.daemon.until_said("telegram_reached")
    stage.telegram.fail_next("sendMessage", faults.hang())
    await lead_arrives(stage)
    await until(lambda: stage.telegram.journal.of("sendMessage"), "the card is on its way")
    await restarted(stage)
    await card_shows(stage, 1, TAKE)

    assert 1 == len(cards(stage, 1))


async def test_while_presses_are_handled(stage: Stage) -> None:
    """A "yes" counts once, whether death came after it was on disk or before."""
    await stage.start_daemon()
    for lead_id, phone in ((1, ANNA), (2, BORIS)):
        await lead_arrives(stage, phone=phone)
        await press(stage, lead_id, CALLED)
        await card_shows(stage, lead_id, YES)
    stage.telegram.fail_next("answerCallbackQuery", faults.hang())
    stage.pyotr.presses(card(stage, 1), YES)
    await until(lambda: lead(stage, 1)["is_target"], "the first yes is on disk")
    with database(stage) as other:
        other.execute("BEGIN IMMEDIATE")
        stage.maria.presses(card(stage, 2), YES)
        await stage.clock.sleep(10)
        await killed(stage)
        other.execute("ROLLBACK")
    await stage.start_daemon()

    await card_shows(stage, 1, "отправлено 1, ждёт 3")
    await stage.clock.sleep(20)
    if lead(stage, 2)["is_target"] is None:  # the press died with the process: press again
        await press(stage, 2, YES)
    await card_shows(stage, 2, "отправлено 1, ждёт 3")
    for lead_id in (1, 2):
        assert ["sent", "pending", "pending", "pending"] == statuses(stage, lead_id)
    yes = sql(stage, "SELECT lead_id FROM lead_events WHERE kind = 'yes' ORDER BY lead_id")
    assert [1, 2] == [event["lead_id"] for event in yes]
    await row_is(stage, rows(stage, 2)[0]["id"], "sent")
    assert [1, 1] == [len(texts(stage, phone)) for phone in (ANNA, BORIS)]
