"""Messages whose hour had not come, or had long passed."""

from datetime import datetime, timedelta
from itertools import pairwise

from bot.demo.stage import Stage
from tests.builders import MOSCOW
from tests.scenarios.acts import (
    UNDO,
    accepted,
    card_shows,
    dispatch,
    got,
    insert_lead,
    insert_row,
    killed,
    lead_arrives,
    local_times,
    rows,
    say_yes,
    statuses,
    texts,
    welcomed,
)

MONDAY = datetime(2026, 11, 23, tzinfo=MOSCOW)


def moscow(days: int, hour: int, minute: int = 0) -> datetime:
    """A local moment, so many days after the Monday on which every story begins."""
    return MONDAY + timedelta(days=days, hours=hour, minutes=minute)


async def test_yes_at_night_is_welcomed_in_the_morning(stage: Stage) -> None:
    """A "yes" at 22:00 in Moscow sends its welcome at 09:00, and the next a gap after it."""
    stage.clock.jump_to(moscow(0, 22))
    await stage.start_daemon()
    await lead_arrives(stage)
    await say_yes(stage, 1)
    await card_shows(stage, 1, "«Приветствие» уйдёт завтра в 09:00", UNDO)
    assert ["Tue 09:00", "Wed 09:00"] == local_times(stage)[:2]
    by_hand = insert_lead(stage, "79001112233")
    insert_row(stage, by_hand, "Написано ночью", stage.clock.now())
    assert 1 == (await dispatch(stage))[1]["postponed"]
    assert ["Tue 09:00"] == local_times(stage, by_hand)

    stage.clock.jump_to(moscow(1, 8, 58))
    await card_shows(stage, 1, "«Приветствие» уйдёт сегодня в 09:00")
    assert [] == accepted(stage)
    stage.clock.jump_to(moscow(1, 8, 59) + timedelta(seconds=55))
    await got(stage, 1)
    sent_at = stage.green.accepted[0].at

    assert moscow(1, 9) <= sent_at < moscow(1, 9, 5)


async def test_downtime(stage: Stage) -> None:
    """After two days away nobody gets two messages at once; after five what is stale is told."""
    await stage.start_daemon()
    await welcomed(stage)
    await killed(stage)
    stage.clock.jump_to(moscow(3, 10, 30))  # day 1 is two days late, day 3 has just come due
    await stage.start_daemon()
    await card_shows(stage, 1, "отправлено 2, ждёт 2")
    await dispatch(stage)
    await card_shows(stage, 1, "отправлено 2, ждёт 2", "завтра в 09:00")
    assert "Fri 09:00" == local_times(stage)[2]
    stage.clock.jump_to(moscow(4, 9, 1))
    await card_shows(stage, 1, "отправлено 3, ждёт 1")
    moments = [message.at for message in stage.green.accepted]
    assert all(later - earlier >= timedelta(hours=20) for earlier, later in pairwise(moments))

    await killed(stage)
    stage.clock.jump_to(moscow(12, 10, 30))  # day 7 is five days late
    await stage.start_daemon()
    await card_shows(stage, 1, "Рассылка закончена: отправлено 3")
    told = await stage.telegram.until(
        lambda: [m for m in stage.maria.private.messages if "устаревшее" in m.text]
    )

    assert told[0].text.startswith("⚠️ Отменено как устаревшее: 1 сообщение.")
    assert [*["sent"] * 3, "cancelled"] == statuses(stage)
    assert "устарело" == rows(stage)[3]["error_message"]
    assert 3 == len(texts(stage))
