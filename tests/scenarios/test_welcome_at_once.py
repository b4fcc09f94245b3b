"""The welcome waits for nobody."""

from datetime import timedelta

from bot.demo.stage import Stage, until
from greenapi.emulator import HANG
from tests.scenarios.acts import (
    CALLED,
    YES,
    accepted,
    answer_to,
    card,
    card_shows,
    insert_lead,
    insert_row,
    lead_arrives,
    press,
    say_yes,
    sql,
    statuses,
)

FAST = "79001234502"


async def test_within_two_seconds_whatever_else_happens(stage: Stage) -> None:
    """With no undo, "yes" is on its way in 2 s while a send hangs and a pass of twenty runs."""
    stage.settings = {"campaign.undo_seconds": 0, "dispatch.batch_size": 20}
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    await lead_arrives(stage)
    await lead_arrives(stage, phone=FAST)
    await press(stage, 2, CALLED)
    asked = await card_shows(stage, 2, YES)
    stage.clock.run_at(8)
    stage.green.fail_next("sendMessage", HANG)
    await say_yes(stage, 1)
    await until(lambda: statuses(stage, 1)[:1] == ["sending"], "a welcome hangs")
    for number in range(20):
        lead_id = insert_lead(stage, f"790065500{number:02}")
        insert_row(stage, lead_id, f"Текст {number}", stage.clock.now())
    stage.clock.jump(1800)
    await until(lambda: stage.green.accepted, "the pass has begun")

    stage.clock.run_at(1)
    pressed = stage.pyotr.presses(asked, YES)
    assert await answer_to(stage, pressed) == "Рассылка начата: 4 сообщения."
    await until(lambda: FAST in accepted(stage), "the welcome is accepted")
    taken = next(m for m in stage.green.accepted if m.chat_id.startswith(FAST))

    assert timedelta(seconds=2) > taken.at - pressed.pressed_at
    assert "sending" == statuses(stage, 1)[0]
    waiting = sql(
        stage, "SELECT count(*) FROM whatsapp_queue WHERE status = 'pending' AND day IS NULL"
    )
    assert 15 < waiting[0][0]
    assert card(stage, 2).id == asked.id
