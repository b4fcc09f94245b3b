"""Words and formats that all screens share."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from storage.models import RowStatus

STATUS = {
    RowStatus.PENDING: "ждёт",
    RowStatus.SENDING: "отправляется",
    RowStatus.SENT: "отправлено",
    RowStatus.FAILED: "не отправлено",
    RowStatus.UNKNOWN: "неясно, ушло ли",
    RowStatus.CANCELLED: "отменено",
}

LONGEST_TEXT = 4096  # UTF-16 units; https://core.telegram.org/bots/api#sendmessage

# Control characters and marks that turn the direction of text: a name must not rewrite a card.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")


def units(text: str) -> int:
    """The length of a text as Telegram counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le", "replace")) // 2


def cut(text: str, longest: int) -> str:
    """A text for a screen: nothing unseen, at most `longest` UTF-16 units."""
    clean = _UNSEEN.sub("", text).strip()
    if units(clean) <= longest:
        return clean
    kept = clean.encode("utf-16-le", "replace")[: (longest - 1) * 2]
    return kept.decode("utf-16-le", "ignore").rstrip() + "…"


def line(text: str, longest: int) -> str:
    """As `cut`, on one line."""
    return " ".join(cut(text, longest).split())


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """`10:05` in the school's zone."""
    return moment.astimezone(zone).strftime("%H:%M")


def day_and_time(moment: datetime, zone: ZoneInfo) -> str:
    """`22.11 10:05` in the school's zone."""
    return moment.astimezone(zone).strftime("%d.%m %H:%M")


def when(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`сегодня в 10:05`, `завтра в 09:00`, `в пн 30 ноября в 09:00`."""
    day, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    return f"{_day(day, today)} в {clock_time(moment, zone)}"


def next_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """When «завтра» becomes «сегодня»."""
    local = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (local + timedelta(days=1)).astimezone(now.tzinfo)


def plural(number: int, one: str, few: str, many: str) -> str:
    """`1 сообщение`, `2 сообщения`, `5 сообщений`."""
    tail = number % 100
    if 11 <= tail <= 14 or number % 10 == 0 or number % 10 >= 5:
        return f"{number} {many}"
    return f"{number} {one if number % 10 == 1 else few}"


def messages(number: int) -> str:
    """`5 сообщений`."""
    return plural(number, "сообщение", "сообщения", "сообщений")


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The earliest of some moments, or None."""
    return min((moment for moment in moments if moment is not None), default=None)


def _day(day: date, today: date) -> str:
    if day == today:
        return "сегодня"
    if day == today + timedelta(days=1):
        return "завтра"
    into = "во" if day.weekday() == 1 else "в"
    return f"{into} {_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
