"""Many hands on one card: two managers at once, double presses, strangers, forged buttons."""

from bot.demo import telegram_faults as faults
from bot.demo.stage import Stage
from tests.scenarios.acts import (
    BACK,
    CALLED,
    FIX,
    NO,
    NO_ANSWER,
    PHONE,
    STOP,
    STOP_YES,
    TAKE,
    UNDO,
    YES,
    answer_to,
    card_shows,
    lead,
    lead_arrives,
    press,
    press_on,
    say_yes,
    sql,
    statuses,
)

LATE = "Это уже сделано или изменилось."


async def both_press(stage: Stage, lead_id: int, button: str) -> list[str]:
    """Both managers press the same button before either is answered; their answers, sorted."""
    shown = await card_shows(stage, lead_id, button)
    pressed = [user.presses(shown, button) for user in (stage.maria, stage.pyotr)]
    return sorted([await answer_to(stage, one) for one in pressed])


async def test_two_managers_at_once_on_every_button(stage: Stage) -> None:
    """Of two presses at one moment one counts, and the other manager is told."""
    stage.settings = {"campaign.undo_seconds": 600}
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)

    taken = await both_press(stage, lead_id, TAKE)
    assert taken in (
        ["Готово", "Первым взял(а): Мария."],
        ["Готово", "Первым взял(а): Пётр."],
    )
    for button, won in (
        (NO_ANSWER, "Готово"),
        (CALLED, "Готово"),
        (BACK, "Готово"),
        (CALLED, "Готово"),
        (NO, "Записано, рассылки не будет."),
        (FIX, "Готово"),
        (YES, "Рассылка начата: 4 сообщения."),
        (UNDO, "Готово"),  # the "no" of before stands again
        (FIX, "Готово"),
        (YES, "Рассылка начата: 4 сообщения."),
        (STOP, "Готово"),
        (STOP_YES, "Рассылка остановлена, отменено: 4 сообщения."),
    ):
        answers = await both_press(stage, lead_id, button)
        lost = [answer for answer in answers if answer.startswith(LATE)]
        assert (1, [won]) == (len(lost), [answer for answer in answers if answer not in lost])
        assert "Последнее действие: " in lost[0]

    counted = sql(stage, "SELECT kind, count(*) FROM lead_events GROUP BY kind")
    once = ["taken", "no_answer", "back", "no", "undone", "stopped"]
    assert dict.fromkeys(once, 1) | {"called": 2, "yes": 2} == dict(map(tuple, counted))
    assert ["cancelled"] * 8 == statuses(stage)
    assert [] == stage.green.accepted


async def test_double_presses_count_once(stage: Stage) -> None:
    """A finger that presses twice before the card changes does everything once."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)

    for button in (NO_ANSWER, CALLED, YES):
        shown = await card_shows(stage, lead_id, button)
        twice = [stage.pyotr.presses(shown, button) for _ in range(2)]
        answers = [await answer_to(stage, one) for one in twice]
        assert 1 == sum(answer.startswith(LATE) for answer in answers)
    await card_shows(stage, lead_id, "отправлено 1")

    assert ["sent", "pending", "pending", "pending"] == statuses(stage)
    events = sql(stage, "SELECT kind FROM lead_events ORDER BY id")
    assert ["no_answer", "called", "yes"] == [event["kind"] for event in events]


async def test_old_and_forged_buttons_do_nothing(stage: Stage) -> None:
    """A button from another time, or never made by the bot, is answered and changes nothing."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)
    fresh = await card_shows(stage, lead_id, TAKE)
    old = [button["callback_data"] for (button,) in fresh.inline_rows]
    await say_yes(stage, lead_id)
    await card_shows(stage, lead_id, "отправлено 1")
    before = _everything(stage)

    answers = [await answer_to(stage, stage.pyotr.forges(fresh, data)) for data in old]
    assert all(answer.startswith(LATE) for answer in answers)
    for data, told in (
        (f"l:{lead_id}:yes:", LATE),
        (f"l:{lead_id}:stopyes:", LATE),
        (f"l:{lead_id}:course:acting", LATE),
        ("l:999:yes:", "Этой заявки больше нет."),
        ("l:0:yes:", "Кнопка устарела"),
        (f"l:{lead_id}:erase:", "Кнопка устарела"),
        ("l:99999999999999999999:yes:", "Кнопка устарела"),
        ("q:1:resend", "Уже решено."),
        ("q:999:sent", "Уже решено."),
        ("'; DROP TABLE leads; --", "Кнопка устарела"),
        ("ф" * 32, "Кнопка устарела"),
    ):
        answer = await answer_to(stage, stage.pyotr.forges(fresh, data))
        assert answer.startswith(told), data

    assert before == _everything(stage)


async def test_who_may_press(stage: Stage) -> None:
    """Members of the managers' chat may; strangers may not; no answer of Telegram means no."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)
    shown = await card_shows(stage, lead_id, CALLED)
    stage.stranger.starts()
    reply = await stage.telegram.until(lambda: stage.stranger.private.last_from(stage.telegram.bot))
    assert "отвечаю только её сотрудникам" in reply.text
    data = shown.button(CALLED)["callback_data"]

    forged = stage.stranger.forges(reply, data)
    assert "Эти кнопки — для менеджеров школы." == await answer_to(stage, forged)
    assert forged.alert
    assert "not_called" == lead(stage)["call_status"]
    stage.telegram.fail_next("getChatMember", faults.bad_gateway())
    assert "Telegram не ответил, нажмите ещё раз." == await press_on(stage, shown, CALLED)
    assert "not_called" == lead(stage)["call_status"]
    assert "Готово" == await press_on(stage, shown, CALLED)

    assert "called" == lead(stage)["call_status"]


async def test_configured_managers_only(stage: Stage) -> None:
    """With `manager_ids` set, a member of the chat who is not among them is refused."""
    stage.group.joins(stage.stranger)
    stage.settings = {"telegram.manager_ids": [stage.pyotr.id]}
    await stage.start_daemon()
    lead_id = await lead_arrives(stage, phone=PHONE)

    refused = await press(stage, lead_id, CALLED, stage.stranger)
    assert "Эти кнопки — для менеджеров школы." == refused
    assert "not_called" == lead(stage)["call_status"]
    await press(stage, lead_id, CALLED, stage.pyotr)

    assert "called" == lead(stage)["call_status"]


def _everything(stage: Stage) -> list[tuple[object, ...]]:
    found = []
    for table in ("leads", "whatsapp_queue", "lead_events"):
        found += [tuple(row) for row in sql(stage, f"SELECT * FROM {table}")]
    return found
