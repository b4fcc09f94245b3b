"""When the messages of a campaign are due."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.quiet_hours import Window
from bot.domain.schedule import plan
from tests.builders import ALWAYS, MONDAY_10, WINDOW

BERLIN = Window(ZoneInfo("Europe/Berlin"), 9 * 60, 21 * 60, frozenset(range(7)))
BERLIN_ALWAYS = Window(ZoneInfo("Europe/Berlin"), 0, 24 * 60, frozenset(range(7)))
MON_FRI = Window(WINDOW.zone, 9 * 60, 21 * 60, frozenset(range(5)))

UNDO = timedelta(seconds=15)
GAP = timedelta(hours=20)


def utc(text: str) -> datetime:
    """A moment written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


PLANS = {
    "the week": (
        WINDOW,
        "2026-11-23 07:00",
        {
            0: "2026-11-23 07:00:15",
            1: "2026-11-24 07:00",
            3: "2026-11-26 07:00",
            7: "2026-11-30 07:00",
        },
    ),
    "late evening moves all to the morning": (
        WINDOW,
        "2026-11-23 20:30",
        {0: "2026-11-24 06:00", 1: "2026-11-25 06:00", 3: "2026-11-27 06:00"},
    ),
    "undo crosses the closing": (
        WINDOW,
        "2026-11-23 17:59:50",
        {0: "2026-11-24 06:00", 1: "2026-11-25 06:00"},
    ),
    "weekend in between": (
        MON_FRI,
        "2026-11-27 07:00",
        {0: "2026-11-27 07:00:15", 1: "2026-11-30 06:00", 3: "2026-12-01 06:00"},
    ),
    "Friday evening": (MON_FRI, "2026-11-27 18:00", {0: "2026-11-30 06:00"}),
    "spring: the same local time": (
        BERLIN,
        "2026-03-27 09:00",
        {1: "2026-03-28 09:00", 3: "2026-03-30 08:00", 7: "2026-04-03 08:00"},
    ),
    "autumn: the same local time": (
        BERLIN,
        "2026-10-23 08:00",
        {1: "2026-10-24 08:00", 3: "2026-10-26 09:00", 7: "2026-10-30 09:00"},
    ),
    "a local time that spring skips": (
        BERLIN_ALWAYS,
        "2026-03-28 01:30",
        {1: "2026-03-29 01:30", 3: "2026-03-31 00:30"},
    ),
    "a local time that comes twice": (BERLIN_ALWAYS, "2026-10-24 00:30", {1: "2026-10-25 00:30"}),
    "said in the second coming": (BERLIN_ALWAYS, "2026-10-25 01:30", {1: "2026-10-26 01:30"}),
}


@pytest.mark.parametrize(("window", "now", "expected"), PLANS.values(), ids=PLANS)
def test_plan(window: Window, now: str, expected: dict[int, str]) -> None:
    """Day 0 is after the undo, day N at the same local time N days later, each in the window."""
    moments = plan(list(expected), utc(now), undo=UNDO, gap=GAP, window=window)

    assert [utc(moment) for moment in expected.values()] == moments


def test_same_day_stands_in_order_and_apart() -> None:
    """Three messages of one day go a gap apart, and push the next day's behind them."""
    moments = plan([0, 0, 0, 1], MONDAY_10, undo=UNDO, gap=timedelta(hours=30), window=ALWAYS)

    hours = [(moment - moments[0]) / timedelta(hours=1) for moment in moments]
    assert [0, 30, 60, 90] == hours


def test_gap_is_kept_behind_a_moved_message() -> None:
    """A message moved to the morning moves the next one too if that would come too soon."""
    moments = plan(
        [0, 1], utc("2026-11-23 17:00"), undo=UNDO, gap=timedelta(hours=30), window=WINDOW
    )

    assert [utc("2026-11-23 17:00:15"), utc("2026-11-25 06:00")] == moments


@pytest.mark.parametrize(
    ("now", "undo", "expected"),
    [
        ("07:00:00.000001", 15, "07:00:16"),
        ("07:00:00.999999", 15, "07:00:16"),
        ("07:00:00", 15, "07:00:15"),
        ("07:00:00.5", 0, "07:00:01"),
        ("07:00:00", 0, "07:00:00"),
    ],
)
def test_undo_is_rounded_up(now: str, undo: int, expected: str) -> None:
    """The database's whole seconds never make an undo shorter."""
    start = utc(f"2026-11-23 {now}")
    moments = plan([0], start, undo=timedelta(seconds=undo), gap=GAP, window=ALWAYS)

    assert [utc(f"2026-11-23 {expected}")] == moments


def test_later_days_are_whole_seconds() -> None:
    """Day N has no fraction that the database would drop."""
    [moment] = plan([2], utc("2026-11-23 07:00:00.7"), undo=UNDO, gap=GAP, window=WINDOW)

    assert utc("2026-11-25 07:00") == moment


def test_nothing_is_planned_for_no_templates() -> None:
    """No days, no moments."""
    assert [] == plan([], MONDAY_10, undo=UNDO, gap=GAP, window=WINDOW)


@st.composite
def _windows(draw: st.DrawFn) -> Window:
    opens = draw(st.integers(0, 24 * 60 - 1))
    closes = draw(st.integers(opens + 1, 24 * 60))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return Window(ZoneInfo("Europe/Berlin"), opens, closes, days)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.lists(st.integers(0, 10), max_size=6).map(sorted),
    st.timedeltas(timedelta(), timedelta(days=365)).map(lambda after: utc("2026-01-01") + after),
    st.timedeltas(timedelta(), timedelta(minutes=10)),
    st.timedeltas(timedelta(), timedelta(days=2)),
    _windows(),
)
def test_plan_is_ordered_and_allowed(
    days: list[int], now: datetime, undo: timedelta, gap: timedelta, window: Window
) -> None:
    """Whatever is asked, messages stand in order, a gap apart, in the window, after the undo."""
    moments = plan(days, now, undo=undo, gap=gap, window=window)

    assert len(days) == len(moments)
    assert all(later - earlier >= gap for earlier, later in pairwise(moments))
    assert all(moment == window.next_open(moment) for moment in moments)
    assert all(m >= now + undo for m, day in zip(moments, days, strict=True) if day == 0)
