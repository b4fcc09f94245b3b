"""When a campaign message may leave: local hours and weekdays, in the school's zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS_LOOKED_AT = 15  # two weeks: the spring gap may swallow a short window on its only weekday


def local_moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """`minutes` after midnight of a local day, in UTC.

    A time that the clocks skip in spring is read as the same distance after the gap; of a time
    that comes twice in autumn the first is meant.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return naive.replace(tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Local hours `[opens, closes)`, in minutes after midnight, on some weekdays (Monday is 0)."""

    zone: ZoneInfo
    opens: int
    closes: int
    weekdays: frozenset[int]

    def next_open(self, moment: datetime) -> datetime:
        """The first moment not before `moment` in which messages may leave."""
        today = moment.astimezone(self.zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(_DAYS_LOOKED_AT)):
            if day.weekday() in self.weekdays:
                opens = max(moment, local_moment(day, self.opens, self.zone))
                if opens < local_moment(day, self.closes, self.zone):
                    return opens
        raise ValueError("a window needs at least one weekday")
