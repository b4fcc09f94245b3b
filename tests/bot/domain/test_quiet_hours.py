"""The hours and days in which campaign messages may leave."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.quiet_hours import Window, local_moment
from tests.builders import MOSCOW

BERLIN = ZoneInfo("Europe/Berlin")  # forward on 29 March 2026, back on 25 October 2026
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour of summer time
NEW_YORK = ZoneInfo("America/New_York")

EVERY_DAY = frozenset(range(7))
MON_FRI = frozenset(range(5))


def utc(text: str) -> datetime:
    """A moment written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(hours: str, zone: ZoneInfo = MOSCOW, weekdays: frozenset[int] = EVERY_DAY) -> Window:
    """A window as the configuration writes it."""
    opens, closes = (int(h) * 60 + int(m) for h, m in (x.split(":") for x in hours.split("-")))
    return Window(zone, opens, closes, weekdays)


NINE_TO_NINE = window("09:00-21:00")  # in UTC: 06:00-18:00
WORKDAYS = window("09:00-21:00", weekdays=MON_FRI)
AROUND_THE_CLOCK = window("00:00-24:00")

# 23 November 2026 is a Monday; Moscow is three hours ahead of UTC.
IN_MOSCOW = {
    "inside": (NINE_TO_NINE, "2026-11-23 07:00:00", "2026-11-23 07:00:00"),
    "a second before it opens": (NINE_TO_NINE, "2026-11-23 05:59:59", "2026-11-23 06:00:00"),
    "as it opens": (NINE_TO_NINE, "2026-11-23 06:00:00", "2026-11-23 06:00:00"),
    "a second before it closes": (NINE_TO_NINE, "2026-11-23 17:59:59", "2026-11-23 17:59:59"),
    "as it closes": (NINE_TO_NINE, "2026-11-23 18:00:00", "2026-11-24 06:00:00"),
    "local midnight": (NINE_TO_NINE, "2026-11-23 21:00:00", "2026-11-24 06:00:00"),
    "night, local day already new": (NINE_TO_NINE, "2026-11-23 22:30:00", "2026-11-24 06:00:00"),
    "fractions of a second": (NINE_TO_NINE, "2026-11-23 07:00:00.5", "2026-11-23 07:00:00.5"),
    "always, at midnight": (AROUND_THE_CLOCK, "2026-11-23 21:00:00", "2026-11-23 21:00:00"),
    "always, before midnight": (AROUND_THE_CLOCK, "2026-11-23 20:59:59", "2026-11-23 20:59:59"),
    "Friday evening": (WORKDAYS, "2026-11-27 18:00:00", "2026-11-30 06:00:00"),
    "Friday before it closes": (WORKDAYS, "2026-11-27 17:59:59", "2026-11-27 17:59:59"),
    "Saturday": (WORKDAYS, "2026-11-28 09:00:00", "2026-11-30 06:00:00"),
    "Sunday night, Monday already": (WORKDAYS, "2026-11-29 21:30:00", "2026-11-30 06:00:00"),
    "workdays around the clock, Friday midnight": (
        window("00:00-24:00", weekdays=MON_FRI),
        "2026-11-27 21:00:00",
        "2026-11-29 21:00:00",
    ),
    "Mondays only, a week ahead": (
        window("09:00-21:00", weekdays=frozenset({0})),
        "2026-11-23 18:00:00",
        "2026-11-30 06:00:00",
    ),
    "New Year": (NINE_TO_NINE, "2026-12-31 18:00:00", "2027-01-01 06:00:00"),
}


@pytest.mark.parametrize(("hours", "moment", "expected"), IN_MOSCOW.values(), ids=IN_MOSCOW)
def test_next_open(hours: Window, moment: str, expected: str) -> None:
    """The next open moment is the moment itself inside the window, else the next opening."""
    assert utc(expected) == hours.next_open(utc(moment))


SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # Sundays; the change is at 01:00 UTC

ON_CHANGED_CLOCKS = {
    "day before spring": ("09:00-21:00", "2026-03-28 20:00", "2026-03-29 07:00"),
    "before that, in winter time": ("09:00-21:00", "2026-03-27 20:00", "2026-03-28 08:00"),
    "day before autumn": ("09:00-21:00", "2026-10-24 19:00", "2026-10-25 08:00"),
    "opens inside the gap": ("02:30-21:00", f"{SPRING} 00:00", f"{SPRING} 01:30"),
    "closes inside the gap, before": ("01:00-02:30", f"{SPRING} 01:29", f"{SPRING} 01:29"),
    "closes inside the gap, after": ("01:00-02:30", f"{SPRING} 01:30", "2026-03-29 23:00"),
    "wholly inside the gap": ("02:10-02:20", f"{SPRING} 00:00", f"{SPRING} 01:10"),
    "turned over by the gap": ("02:30-03:15", f"{SPRING} 00:00", "2026-03-30 00:30"),
    "opens in the hour that comes twice": ("02:30-21:00", f"{AUTUMN} 00:00", f"{AUTUMN} 00:30"),
    "closes in the hour that comes twice": ("01:00-02:30", f"{AUTUMN} 00:29", f"{AUTUMN} 00:29"),
    "closed by its first coming": ("01:00-02:30", f"{AUTUMN} 00:30", "2026-10-26 00:00"),
    "the second coming is open": ("02:30-21:00", f"{AUTUMN} 01:10", f"{AUTUMN} 01:10"),
    "always, in autumn": ("00:00-24:00", f"{AUTUMN} 01:30", f"{AUTUMN} 01:30"),
    "closes at the end of a long day": ("09:00-24:00", f"{AUTUMN} 22:59", f"{AUTUMN} 22:59"),
    "closed by the next day": ("09:00-24:00", f"{AUTUMN} 23:00", "2026-10-26 08:00"),
}


@pytest.mark.parametrize(
    ("hours", "moment", "expected"), ON_CHANGED_CLOCKS.values(), ids=ON_CHANGED_CLOCKS
)
def test_next_open_when_clocks_change(hours: str, moment: str, expected: str) -> None:
    """A window keeps its local hours on the days on which Berlin's clocks change."""
    assert utc(expected) == window(hours, BERLIN).next_open(utc(moment))


def test_a_window_that_a_sunday_loses_opens_the_sunday_after() -> None:
    """A weekly window that the gap turned over is looked for a week later."""
    sundays = window("02:30-03:15", BERLIN, frozenset({6}))

    assert utc("2026-04-05 00:30") == sundays.next_open(utc("2026-03-23 12:00"))


def test_a_window_without_days_is_refused() -> None:
    """Without a weekday there is no answer."""
    with pytest.raises(ValueError, match="weekday"):
        window("09:00-21:00", weekdays=frozenset()).next_open(utc("2026-11-23 07:00"))


@pytest.mark.parametrize(
    ("day", "minutes", "expected"),
    [
        (date(2026, 3, 29), 2 * 60 + 30, "2026-03-29 01:30"),
        (date(2026, 10, 25), 2 * 60 + 30, "2026-10-25 00:30"),
        (date(2026, 3, 29), 24 * 60, "2026-03-29 22:00"),
        (date(2026, 10, 25), 24 * 60, "2026-10-25 23:00"),
    ],
    ids=["skipped", "comes twice", "end of a short day", "end of a long day"],
)
def test_local_moment(day: date, minutes: int, expected: str) -> None:
    """A skipped time is read after the gap, a doubled one is its first coming."""
    assert utc(expected) == local_moment(day, minutes, BERLIN)


@st.composite
def _windows(draw: st.DrawFn) -> Window:
    opens = draw(st.integers(0, 24 * 60 - 1))
    return Window(
        zone=draw(st.sampled_from([MOSCOW, BERLIN, NEW_YORK, LORD_HOWE])),
        opens=opens,
        closes=draw(st.integers(opens + 1, 24 * 60)),
        weekdays=draw(st.frozensets(st.integers(0, 6), min_size=1)),
    )


_changes = [utc("2026-03-29 01:00"), utc("2026-10-25 01:00"), utc("2026-04-04 15:00")]
_moments = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(_changes),
    st.integers(-180, 180) | st.integers(-9 * 365 * 1440, 9 * 365 * 1440),
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(_windows(), _moments)
def test_the_answer_is_a_moment_in_which_messages_may_leave(
    hours: Window, moment: datetime
) -> None:
    """The answer is never in the past, and asked again at that moment it is the same."""
    opens = hours.next_open(moment)

    assert opens >= moment
    assert opens == hours.next_open(opens)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(_windows(), _moments)
def test_the_answer_is_inside_the_window(hours: Window, moment: datetime) -> None:
    """Away from changes of the clock, the local time and weekday of the answer are the window's."""
    local = hours.next_open(moment).astimezone(hours.zone)
    minutes = local.hour * 60 + local.minute
    changed = (local - timedelta(days=1)).utcoffset() != (local + timedelta(days=1)).utcoffset()

    assert local.weekday() in hours.weekdays
    assert changed or hours.opens <= minutes < hours.closes


@settings(deadline=None, derandomize=True, max_examples=300)
@given(_windows(), _moments, st.timedeltas(timedelta(), timedelta(days=3)))
def test_nothing_earlier_is_open(hours: Window, moment: datetime, earlier: timedelta) -> None:
    """No moment between the asked one and the answer is open."""
    opens = hours.next_open(moment)
    between = min(moment + earlier, opens)

    assert opens == hours.next_open(between)
