"""A message that may have gone: never sent again by the machine, and the managers are asked."""

from bot.demo.stage import Stage
from greenapi.emulator import (
    ACCEPT_THEN_HANG,
    ACCEPT_THEN_RESET,
    GARBAGE,
    HTML,
    WITHOUT_ID,
    Fault,
    status,
)
from tests.scenarios.acts import (
    COUNT_AS_SENT,
    NO_PAUSES,
    RESEND,
    Expected,
    accepted,
    answer_to,
    buttons,
    card_shows,
    chat_says,
    dispatch,
    got,
    insert_row,
    jump_past,
    lead_arrives,
    press_on,
    row,
    row_is,
    rows,
    say_yes,
    statuses,
    texts,
    welcomed,
)

VERA = "79001234599"


async def test_reset_after_acceptance_blocks_the_phone(stage: Stage) -> None:
    """The welcome is asked about and blocks its phone; others go; a person's word frees it."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    await lead_arrives(stage)
    stage.green.fail_next("sendMessage", ACCEPT_THEN_RESET)
    await say_yes(stage, 1)
    question = await chat_says(stage, "Заявка №1, Анна: «Приветствие» — неясно, ушло ли.")
    await card_shows(stage, 1, "⚠️ «Приветствие» неясно, ушло ли: GREEN-API не ответил")
    await welcomed(stage, name="Вера", phone=VERA)

    by_hand = insert_row(stage, 1, "Ещё одно", stage.clock.now())
    assert 0 == (await dispatch(stage))[1]["sent"]
    assert "неясно, ушло ли прошлое сообщение" in row(stage, by_hand)["error_message"]
    assert (502, "failed") == await _test_message(stage)
    jump_past(stage, rows(stage)[2]["id"])
    await got(stage, 2, VERA)
    await dispatch(stage)
    assert ["unknown", "pending", "pending", "pending", "pending"] == statuses(stage)

    assert "Готово" == await press_on(stage, question, COUNT_AS_SENT)
    await row_is(stage, 1, "sent")
    await dispatch(stage)
    await got(stage, 2)
    assert ["79001234567", VERA, VERA, "79001234567"] == accepted(stage)
    assert row(stage, 1)["attempted_at"] == row(stage, 1)["sent_at"]


async def _test_message(stage: Stage) -> tuple[int, str]:
    code, answer = await dispatch(stage, json={"phone": "79001234567", "message": "Проверка"})
    return code, answer["status"]


UNCERTAIN = {
    "no answer in time": ACCEPT_THEN_HANG,
    "502": status(502, "<html>Bad Gateway</html>", accept=True),
    "500, not accepted": status(500),
    "cut JSON": GARBAGE,
    "no id": WITHOUT_ID,
    "a page": HTML,
}


async def test_every_doubtful_answer_is_asked_about(stage: Stage) -> None:
    """Time-out, 5xx and unreadable answers leave `unknown` rows, each told, none tried again."""
    stage.settings = {"campaign.undo_seconds": 0}
    await stage.start_daemon()
    for number, fault in enumerate(UNCERTAIN.values(), start=1):
        stage.green.fail_next("sendMessage", fault)
        await _say_yes_and_wait(stage, number, fault)
    for number in range(1, len(UNCERTAIN) + 1):
        question = await chat_says(stage, f"Заявка №{number}, ")
        assert [RESEND, COUNT_AS_SENT] == buttons(question)
        assert "unknown" == statuses(stage, number)[0]

    stage.clock.jump(7200)
    await stage.daemon.until_said("pass_done", times=2)
    assert len(UNCERTAIN) == sum(call.method == "sendMessage" for call in stage.green.calls)


async def _say_yes_and_wait(stage: Stage, number: int, fault: Fault) -> None:
    await lead_arrives(stage, name=f"Клиент {number}", phone=f"7900123450{number}")
    await say_yes(stage, number)
    await stage.daemon.until_said("message", times=number)


async def test_resend_sends_once_more_because_a_person_said_so(
    stage: Stage, expected: Expected
) -> None:
    """What had gone after all is doubled by a person's decision only, and by one press only."""
    expected.repeated_texts = 1
    stage.green.fail_next("sendMessage", ACCEPT_THEN_RESET)
    await stage.start_daemon()
    await lead_arrives(stage)
    await say_yes(stage, 1)
    question = await chat_says(stage, "неясно, ушло ли.")

    twice = [user.presses(question, RESEND) for user in (stage.maria, stage.pyotr)]
    answers = [await answer_to(stage, one) for one in twice]
    assert ["Готово", "Уже решено."] == sorted(answers)
    await card_shows(stage, 1, "отправлено 1, ждёт 3")
    settled = await chat_says(stage, "Заявка №1, Анна: «Приветствие» — отправлено.")

    assert [] == buttons(settled)
    assert 2 == len(texts(stage))
