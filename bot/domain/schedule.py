"""When the messages of a campaign are due, counted from the "yes"."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.domain.quiet_hours import Window


def plan(
    days: Sequence[int], now: datetime, *, undo: timedelta, gap: timedelta, window: Window
) -> list[datetime]:
    """One moment for each of `days`, which are in sending order.

    Day 0 is after `undo`, day N is N days later at the same local time. Each is moved into the
    window, and stands at least `gap` after the one before it.
    """
    moments: list[datetime] = []
    for day in days:
        moment = _whole_second(now + undo) if day == 0 else _days_later(now, day, window)
        if moments:
            moment = max(moment, moments[-1] + gap)
        moments.append(window.next_open(moment))
    return moments


def _days_later(now: datetime, days: int, window: Window) -> datetime:
    """The same local time `days` later, whatever the clocks did in between."""
    local = now.astimezone(window.zone).replace(microsecond=0, fold=0)
    later = local.replace(tzinfo=None) + timedelta(days=days)
    return later.replace(tzinfo=window.zone).astimezone(UTC)


def _whole_second(moment: datetime) -> datetime:
    """The database keeps whole seconds; an undo is not made shorter by that."""
    down = moment.replace(microsecond=0)
    return down if moment == down else down + timedelta(seconds=1)
