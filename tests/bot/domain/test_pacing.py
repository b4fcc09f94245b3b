"""When the next call to a Telegram chat may be made."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.pacing import next_call_at
from tests.builders import MONDAY_10

TELEGRAMS_MINUTE = timedelta(seconds=60)


def after(seconds: float) -> datetime:
    """A moment of this Monday."""
    return MONDAY_10 + timedelta(seconds=seconds)


def calls_every(seconds: float, number: int) -> list[datetime]:
    """So many calls, the last of them just now."""
    return [after(-seconds * back) for back in reversed(range(number))]


def seconds_till(
    calls: Sequence[datetime], *, group: bool = True, background: bool = False
) -> float:
    """How long the next call waits."""
    moment = next_call_at(calls, MONDAY_10, group=group, background=background)
    return (moment - MONDAY_10).total_seconds()


WAITS = {
    "first call": ([], True, True, 0),
    "a second after another": ([after(-0.1)], True, False, 1.0),
    "long after another": ([after(-2)], True, False, 0),
    "private chat": ([after(0)], False, False, 1.1),
    "private chat, many calls": (calls_every(1.1, 40), False, True, 1.1),
    "a group's 19 calls": (calls_every(1.1, 19), True, False, 1.1),
    "a group's 20 calls": (calls_every(1.1, 20), True, False, 61 - 19 * 1.1),
    "a group's 20 calls, spread": (calls_every(3, 20), True, False, 61 - 19 * 3),
    "background, 7 calls": (calls_every(1.1, 7), True, True, 1.1),
    "background, 8 calls": (calls_every(1.1, 8), True, True, 61 / 18),
    "background, 17 calls": (calls_every(1.1, 17), True, True, 61 / 18),
    "background, 18 calls": (calls_every(1.1, 18), True, True, 61 - 17 * 1.1),
    "people, 18 calls": (calls_every(1.1, 18), True, False, 1.1),
    "a minute old": ([after(-61)], True, False, 0),
    "a clock set back": ([after(5), after(6)], True, True, 0),
}


@pytest.mark.parametrize(("calls", "group", "background", "waits"), WAITS.values(), ids=WAITS)
def test_next_call(calls: list[datetime], group: bool, background: bool, waits: float) -> None:
    """A call waits a second after the one before, and for a place in the group's minute."""
    seconds = seconds_till(calls, group=group, background=background)

    assert pytest.approx(waits, abs=1e-5) == seconds


def simulate(wishes: Sequence[tuple[bool, float]], *, group: bool = True) -> list[datetime]:
    """When calls leave, each (background?, seconds it comes after the one before) in its turn."""
    calls: list[datetime] = []
    now = MONDAY_10
    for background, pause in wishes:
        now += timedelta(seconds=pause)
        while (moment := next_call_at(calls, now, group=group, background=background)) > now:
            now = moment
        calls.append(now)
    return calls


_wishes = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.0, 0.0, 0.3, 2.0, 20.0])), max_size=120
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(_wishes)
def test_never_more_than_twenty_a_minute(wishes: list[tuple[bool, float]]) -> None:
    """Whatever mix is asked of a group, no 60 seconds hold more than twenty calls."""
    calls = simulate(wishes)

    assert all(
        later - first > TELEGRAMS_MINUTE for first, later in zip(calls, calls[20:], strict=False)
    )
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in pairwise(calls))


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(st.sampled_from([0.0, 0.3, 2.0, 20.0]), max_size=120))
def test_background_leaves_room(pauses: list[float]) -> None:
    """After any stream of background calls a person's answer finds a place within seconds."""
    calls = simulate([(True, pause) for pause in pauses])
    now = calls[-1] if calls else MONDAY_10
    answer = next_call_at(calls, now, group=True, background=False)

    assert answer - now <= timedelta(seconds=1.1)


def test_two_answers_find_room_in_a_burst() -> None:
    """Amid a burst of cards two answers in a row leave at once, and the cards go on afterwards."""
    calls = simulate([*([(True, 0.0)] * 18), *([(False, 0.0)] * 2)])

    assert timedelta(seconds=2.2) == calls[-1] - calls[-3]


def test_burst_of_cards() -> None:
    """A hundred cards go at the pace of the kept room: eighteen a minute, the first at once."""
    calls = simulate([(True, 0.0)] * 100)

    assert timedelta(seconds=7 * 1.1) == calls[7] - calls[0]
    assert 300 < (calls[-1] - calls[0]).total_seconds() < 345


def test_private_chats_know_no_minute() -> None:
    """A private chat takes a call a second for as long as one likes."""
    calls = simulate([(True, 0.0)] * 60, group=False)

    assert timedelta(seconds=59 * 1.1) == calls[-1] - calls[0]
