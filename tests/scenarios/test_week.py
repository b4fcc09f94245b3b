"""The main way: a lead, a card, a call; "yes", "no", or nobody answers."""

from datetime import timedelta
from itertools import pairwise

from bot.demo.stage import MONDAY_10_MOSCOW, Stage
from tests.scenarios.acts import (
    BACK,
    CALLED,
    COMMENT,
    FIX,
    NO,
    NO_ANSWER,
    PHONE,
    STOP,
    TAKE,
    UNDO,
    YES,
    card_shows,
    cards,
    got,
    jump_past,
    lead,
    lead_arrives,
    local_times,
    press,
    rows,
    say_no,
    say_yes,
    statuses,
    texts,
)

TILDA = "Name=%D0%90%D0%BD%D0%BD%D0%B0&Phone=%2B7+(900)+123-45-67&course=acting&tranid=1101000:1"


async def test_week_from_form_to_last_message(stage: Stage) -> None:
    """A lead that said yes gets its four messages on days 0, 1, 3 and 7, and the card follows."""
    await stage.start_daemon()
    await stage.daemon.until_said("telegram_reached")
    stage.clock.jump_to(MONDAY_10_MOSCOW)

    lead_id = await _tilda_posts(stage)
    await press(stage, lead_id, TAKE)
    await card_shows(stage, lead_id, "🙋 Взял(а): Пётр")
    await press(stage, lead_id, CALLED)
    asked = await card_shows(stage, lead_id, "Клиент целевой и ему интересно?", YES)
    assert [YES, NO, BACK] == [text for (text,) in asked.buttons]
    said_yes_at = stage.clock.now()
    assert "Рассылка начата: 4 сообщения." == await press(stage, lead_id, YES)
    shown = await card_shows(stage, lead_id, UNDO)
    assert [UNDO, STOP, FIX, COMMENT] == [text for (text,) in shown.buttons]

    await got(stage, 1)
    waited = stage.green.delivered[0].at - said_yes_at
    assert timedelta(seconds=15) <= waited < timedelta(seconds=60)
    shown = await card_shows(stage, lead_id, "отправлено 1, ждёт 3", "уйдёт завтра в 10:0")
    assert [STOP, FIX, COMMENT] == [text for (text,) in shown.buttons]
    assert ["Mon 10:0", "Tue 10:0", "Thu 10:0", "Mon 10:0"] == [
        time[:-1] for time in local_times(stage)
    ]
    await _week_passes(stage, lead_id)

    assert ["sent"] * 4 == statuses(stage)
    assert ["welcome", "day1_acting", "day3", "day7"] == [
        row["message_template"] for row in rows(stage)
    ]
    assert "Казбек Меретуков" in texts(stage)[1]
    assert all("Анна" in text for text in texts(stage))
    assert 0 == lead(stage)["whatsapp_campaign_active"]
    assert 1 == len(cards(stage, lead_id))
    assert [1, 2, 4] == _days_between(stage)


async def _tilda_posts(stage: Stage) -> int:
    """A form posted by Tilda shows as a card within a second."""
    stage.clock.run_at(1)
    posted_at = stage.clock.now()
    status, answer = await stage.post(
        "/leads", data=TILDA, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (200, "accepted") == (status, answer["status"])
    shown = await card_shows(stage, answer["lead_id"], TAKE, CALLED, NO_ANSWER)
    stage.clock.run_at(20)
    assert timedelta(seconds=1) > shown.sent_at - posted_at
    expected = ["👤 Анна", "📞 +79001234567", "🎓 Актёрское мастерство", "🌐 сайт"]
    assert expected == shown.text.splitlines()[1:]
    return int(answer["lead_id"])


async def _week_passes(stage: Stage, lead_id: int) -> None:
    for number, row in enumerate(rows(stage)[1:], start=2):
        jump_past(stage, row["id"])
        await got(stage, number)
        await card_shows(stage, lead_id, f"отправлено {number}")
    shown = await card_shows(stage, lead_id, "Рассылка закончена: отправлено 4")
    assert STOP not in str(shown.buttons)


def _days_between(stage: Stage) -> list[int]:
    moments = [message.at for message in stage.green.phone(PHONE)]
    return [round((later - earlier) / timedelta(days=1)) for earlier, later in pairwise(moments)]


async def test_no_sends_nothing(stage: Stage) -> None:
    """After a "no" nothing is queued and the client hears nothing, ever."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)

    assert "Записано, рассылки не будет." == await say_no(stage, lead_id)
    shown = await card_shows(stage, lead_id, "❌ Не заинтересован: Пётр", FIX)
    passes = len(stage.daemon.events("pass_done"))
    stage.clock.jump(8 * 86400)
    await stage.daemon.until_said("pass_done", times=passes + 1)

    assert [FIX, COMMENT] == [text for (text,) in shown.buttons]
    assert (0, "called") == (lead(stage)["is_target"], lead(stage)["call_status"])
    assert [] == rows(stage)
    assert [] == stage.green.accepted


async def test_no_answer_counts_attempts_and_leaves_the_card_open(stage: Stage) -> None:
    """Each «Не дозвонился» counts one attempt, and the card goes on asking for a call."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage)

    await press(stage, lead_id, NO_ANSWER)
    await card_shows(stage, lead_id, "📵 Не дозвонились 1 раз,", CALLED)
    await press(stage, lead_id, NO_ANSWER, stage.maria)
    shown = await card_shows(stage, lead_id, "📵 Не дозвонились 2 раза, последний: Мария")
    assert [TAKE, CALLED, NO_ANSWER] == [text for (text,) in shown.buttons]
    assert "no_answer" == lead(stage)["call_status"]
    await press(stage, lead_id, CALLED)
    await press(stage, lead_id, BACK)
    await card_shows(stage, lead_id, "2 раза", NO_ANSWER)
    assert "no_answer" == lead(stage)["call_status"]
    await say_yes(stage, lead_id)

    assert 1 == len(await got(stage, 1))
