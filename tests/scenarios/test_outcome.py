"""What was said of a call is taken back, corrected, stopped, commented on."""

from bot.demo.stage import Stage, until
from tests.scenarios.acts import (
    BACK,
    COMMENT,
    FIX,
    NO,
    STOP,
    STOP_YES,
    UNDO,
    YES,
    answer_to,
    buttons,
    card_shows,
    chat_says,
    jump_past,
    lead,
    lead_arrives,
    press,
    restarted,
    rows,
    say_no,
    say_yes,
    sql,
    statuses,
    texts,
    welcomed,
)


async def test_undo_takes_the_yes_back_and_a_new_yes_starts_afresh(stage: Stage) -> None:
    """A "yes" taken back leaves only cancelled rows; the next one sends its welcome once."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)
    await say_yes(stage, lead_id)

    assert "Готово" == await press(stage, lead_id, UNDO)
    await card_shows(stage, lead_id, YES, BACK)
    assert ["cancelled"] * 4 == statuses(stage)
    assert (None, 0) == (lead(stage)["is_target"], lead(stage)["whatsapp_campaign_active"])
    await press(stage, lead_id, YES)
    with_undo = await card_shows(stage, lead_id, UNDO)
    old_data = with_undo.button(UNDO)["callback_data"]
    shown = await card_shows(stage, lead_id, "отправлено 1, ждёт 3")
    too_late = await answer_to(stage, stage.pyotr.forges(with_undo, old_data))

    assert UNDO not in buttons(shown)
    assert too_late.startswith("Отменить уже нельзя")
    counted = sql(stage, "SELECT status, count(*) FROM whatsapp_queue GROUP BY status")
    assert {"cancelled": 4, "sent": 1, "pending": 3} == dict(map(tuple, counted))
    assert 1 == len(stage.green.accepted)


async def test_undo_survives_a_restart(stage: Stage) -> None:
    """A daemon that died while undo lasted comes back, still offers it, and it still works."""
    stage.settings = {"campaign.undo_seconds": 600}
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)
    await say_yes(stage, lead_id)
    await card_shows(stage, lead_id, UNDO)

    await restarted(stage)
    assert "Готово" == await press(stage, lead_id, UNDO)
    await card_shows(stage, lead_id, YES)
    stage.clock.jump(2000)
    await stage.daemon.until_said("pass_done", times=2)

    assert ["cancelled"] * 4 == statuses(stage)
    assert [] == stage.green.accepted


async def test_corrected_outcome(stage: Stage) -> None:
    """ "No" made "yes" starts the campaign; "yes" made "no" cancels the rest and says what went."""
    await stage.start_daemon()
    first = await lead_arrives(stage)
    await say_no(stage, first)
    await press(stage, first, FIX)
    await press(stage, first, BACK)
    await card_shows(stage, first, "❌ Не заинтересован", FIX)
    await press(stage, first, FIX)
    assert "Рассылка начата: 4 сообщения." == await press(stage, first, YES)
    await card_shows(stage, first, "✅ Целевой", "отправлено 1, ждёт 3")

    await press(stage, first, FIX)
    told = await press(stage, first, NO)
    assert "Записано, больше ничего не уйдёт. Уже ушло: 1 сообщение." == told
    await card_shows(stage, first, "❌ Не заинтересован", "Рассылка отменена: отправлено 1")
    assert ["sent", "cancelled", "cancelled", "cancelled"] == statuses(stage)

    await press(stage, first, FIX)
    assert "Рассылка начата: 3 сообщения." == await press(stage, first, YES)
    await card_shows(stage, first, "отправлено 1, ждёт 3")
    pending = [row for row in rows(stage) if row["status"] == "pending"]
    assert ["day1_acting", "day3", "day7"] == [row["message_template"] for row in pending]
    jump_past(stage, pending[0]["id"])
    await card_shows(stage, first, "отправлено 2, ждёт 2")

    assert 2 == len(texts(stage))


async def test_stop_asks_once_and_cancels_the_rest(stage: Stage) -> None:
    """«Остановить рассылку» asks for a confirmation, then nothing more goes out."""
    await stage.start_daemon()
    lead_id = await welcomed(stage)

    await press(stage, lead_id, STOP)
    asked = await card_shows(stage, lead_id, "Остановить рассылку?")
    assert [STOP_YES, BACK] == buttons(asked)
    await press(stage, lead_id, BACK)
    await card_shows(stage, lead_id, FIX)
    assert ["sent", "pending", "pending", "pending"] == statuses(stage)
    await press(stage, lead_id, STOP)
    assert "Рассылка остановлена, отменено: 3 сообщения." == await press(stage, lead_id, STOP_YES)
    shown = await card_shows(stage, lead_id, "Рассылка остановлена: отправлено 1")
    stage.clock.jump(8 * 86400)
    await stage.daemon.until_said("pass_done", times=2)

    assert [FIX, COMMENT] == buttons(shown)
    assert ["sent", "cancelled", "cancelled", "cancelled"] == statuses(stage)
    assert 1 == len(stage.green.accepted)


async def test_comment_is_only_a_reply_of_the_one_who_was_asked(stage: Stage) -> None:
    """Chatter and other people's replies are left alone; /cancel leaves the step."""
    stage.group.promotes(stage.telegram.bot)  # so that it sees all that is said
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)
    await say_no(stage, lead_id)

    assert "Ответьте текстом на сообщение бота." == await press(stage, lead_id, COMMENT)
    prompt = await chat_says(stage, f"комментарием к заявке №{lead_id}")
    assert prompt.asks_for_reply
    stage.pyotr.says(stage.group, "Просто болтовня")
    stage.maria.replies(prompt, "Ответ не того человека")
    stage.pyotr.replies(await card_shows(stage, lead_id, COMMENT), "Ответ не на вопрос")
    stage.pyotr.replies(prompt, "Перезвонить <b>в мае</b>")
    await chat_says(stage, "Комментарий записан.", after=prompt.id)
    shown = await card_shows(stage, lead_id, "💬 Пётр: Перезвонить <b>в мае</b>")
    assert 1 == shown.text.count("💬")

    await press(stage, lead_id, COMMENT)
    second = await chat_says(stage, "комментарием к заявке", after=prompt.id)
    cancel = stage.pyotr.types_command(stage.group, "/cancel", addressed=True)
    await chat_says(stage, "Хорошо, больше не жду ответа.", after=cancel.id)
    stage.pyotr.replies(second, "Слишком поздно")
    await until(lambda: not stage.telegram.pending_updates, "all updates taken")
    stage.pyotr.types_command(stage.group, "/id", addressed=True)
    await chat_says(stage, "Ваш id", after=cancel.id)

    notes = sql(stage, "SELECT note FROM lead_events WHERE kind = 'comment'")
    assert ["Перезвонить <b>в мае</b>"] == [row["note"] for row in notes]
