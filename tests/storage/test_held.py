"""What a restored database remembers of itself."""

from datetime import timedelta
from typing import Any

import pytest

from storage.held import Held
from tests.builders import MONDAY_10

HELD = Held(taken_at=MONDAY_10, restored_at=MONDAY_10 + timedelta(hours=1))


@pytest.mark.parametrize(
    "held",
    [
        HELD,
        HELD.with_told([None, 101]),
        HELD.with_told([101]).released(MONDAY_10 + timedelta(days=1), "Мария"),
        Held(taken_at=None, restored_at=MONDAY_10),
    ],
    ids=["new", "told", "released", "unknown age"],
)
def test_what_is_kept_is_found_again(held: Held) -> None:
    """Through JSON and back, nothing changes."""
    assert held == Held.read(held.to_json())


def test_without_a_note_nothing_is_held() -> None:
    """An ordinary database has none."""
    assert Held.read(None) is None


@pytest.mark.parametrize(
    "value",
    [{}, [], "held", True, 1, {"released_at": "soon"}, {"told": 5, "restored_at": 7}],
    ids=str,
)
def test_what_nobody_can_read_holds(value: Any) -> None:
    """A spoiled note is no release."""
    held = Held.read(value)

    assert held is not None
    assert (True, None, 0) == (held.is_on, held.taken_at, held.number)


def test_nobody_is_told_twice() -> None:
    """Who was asked is kept once, in the order of asking."""
    assert (101, None, 102) == HELD.with_told([101, None]).with_told([102, 101]).told


def test_a_moment_without_a_zone_is_utc() -> None:
    """What people write into the database by hand is UTC, as everywhere in it."""
    held = Held.read({"taken_at": "2026-11-23 07:00:00"})

    assert held is not None
    assert MONDAY_10 == held.taken_at
