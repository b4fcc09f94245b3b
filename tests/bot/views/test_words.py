"""Words and formats that all screens share."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.views import words
from storage.models import RowStatus
from tests.builders import MONDAY_10, MOSCOW

BERLIN = ZoneInfo("Europe/Berlin")


def test_statuses_are_the_contracts() -> None:
    """Every status has the contract's word."""
    expected = {
        RowStatus.PENDING: "ждёт",
        RowStatus.SENDING: "отправляется",
        RowStatus.SENT: "отправлено",
        RowStatus.FAILED: "не отправлено",
        RowStatus.UNKNOWN: "неясно, ушло ли",
        RowStatus.CANCELLED: "отменено",
    }
    assert expected == words.STATUS


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("Анна", 4), ("👋", 2), ("👩‍👧", 5), ("\ud800", 1)]
)
def test_units(text: str, units: int) -> None:
    """A text is counted as Telegram counts it."""
    assert units == words.units(text)


CUT = {
    "short": ("Анна", 10, "Анна"),
    "just fits": ("Анна", 4, "Анна"),
    "one too long": ("Анна!", 4, "Анн…"),
    "spaces around": ("  Анна \n", 4, "Анна"),
    "space before the cut": ("Анна Иванова", 6, "Анна…"),
    "emoji that does not fit": ("Я👋👋", 4, "Я👋…"),
    "emoji never halved": ("👋👋👋", 4, "👋…"),
    "unseen does not count": ("А\u202eн\u200fн\x00а", 4, "Анна"),
    "lines are kept": ("Анна\nИванова", 20, "Анна\nИванова"),
    "tabs are kept": ("Анна\tИ.", 20, "Анна\tИ."),
    "carriage return": ("Анна\r\nИ.", 20, "Анна\nИ."),
    "nothing": (" \u200e ", 5, ""),
}


@pytest.mark.parametrize(("text", "longest", "expected"), CUT.values(), ids=CUT)
def test_cut(text: str, longest: int, expected: str) -> None:
    """A text for a screen has nothing unseen and is not longer than it may be."""
    assert expected == words.cut(text, longest)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(1, 20))
def test_cut_is_never_too_long(text: str, longest: int) -> None:
    """Whatever is cut fits, and is clean enough to be cut again."""
    cut = words.cut(text, longest)

    assert words.units(cut) <= longest
    assert cut == words.cut(cut, longest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Анна\nИванова", "Анна Иванова"),
        ("Анна \t\r\n  Иванова", "Анна Иванова"),
        ("Анна\u2028Иванова\u2029", "Анна Иванова"),
        ("Анна\u00a0Иванова", "Анна Иванова"),
        ("я" * 30, "я" * 19 + "…"),
    ],
    ids=["newline", "all kinds", "separators", "hard space", "long"],
)
def test_line(text: str, expected: str) -> None:
    """A line has no breaks and single spaces."""
    assert expected == words.line(text, 20)


def test_times() -> None:
    """Times are shown in the school's zone."""
    moment = datetime(2026, 11, 22, 22, 5, tzinfo=UTC)

    assert "01:05" == words.clock_time(moment, MOSCOW)
    assert "23.11 01:05" == words.day_and_time(moment, MOSCOW)


WHEN = {
    "today": (timedelta(minutes=5), "сегодня в 10:05"),
    "today, last minute": (timedelta(hours=13, minutes=59), "сегодня в 23:59"),
    "tomorrow, first minute": (timedelta(hours=14), "завтра в 00:00"),
    "tomorrow": (timedelta(hours=23), "завтра в 09:00"),
    "the day after": (timedelta(days=2), "в ср 25 ноября в 10:00"),
    "a week": (timedelta(days=7), "в пн 30 ноября в 10:00"),
    "next month": (timedelta(days=10), "в чт 3 декабря в 10:00"),
    "next year": (timedelta(days=40), "в сб 2 января в 10:00"),
}


@pytest.mark.parametrize(("ahead", "expected"), WHEN.values(), ids=WHEN)
def test_when(ahead: timedelta, expected: str) -> None:
    """A moment to come is told by its day and its local time."""
    assert expected == words.when(MONDAY_10 + ahead, MONDAY_10, MOSCOW)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-11-23 07:00", MOSCOW, "2026-11-23 21:00"),
        ("2026-11-23 20:59:59", MOSCOW, "2026-11-23 21:00"),
        ("2026-11-23 21:00", MOSCOW, "2026-11-24 21:00"),
        ("2026-03-29 00:30", BERLIN, "2026-03-29 22:00"),
        ("2026-10-25 00:30", BERLIN, "2026-10-25 23:00"),
        ("2026-10-25 01:30", BERLIN, "2026-10-25 23:00"),
    ],
    ids=["morning", "a second before", "at midnight", "short day", "long day", "second coming"],
)
def test_next_midnight(now: str, zone: ZoneInfo, expected: str) -> None:
    """The next local midnight comes right on days on which the clocks change too."""
    moment, midnight = (datetime.fromisoformat(t).replace(tzinfo=UTC) for t in (now, expected))

    assert midnight == words.next_midnight(moment, zone)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 сообщений"),
        (1, "1 сообщение"),
        (2, "2 сообщения"),
        (4, "4 сообщения"),
        (5, "5 сообщений"),
        (11, "11 сообщений"),
        (12, "12 сообщений"),
        (14, "14 сообщений"),
        (20, "20 сообщений"),
        (21, "21 сообщение"),
        (22, "22 сообщения"),
        (111, "111 сообщений"),
        (121, "121 сообщение"),
    ],
)
def test_messages(number: int, expected: str) -> None:
    """A number and its noun agree."""
    assert expected == words.messages(number)


def test_earliest() -> None:
    """The earliest of some moments is found; of none there is none."""
    later = MONDAY_10 + timedelta(hours=1)

    assert MONDAY_10 == words.earliest([None, later, MONDAY_10])
    assert words.earliest([None, None]) is None
