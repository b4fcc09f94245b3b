"""Heartbeats: who is late, in running time."""

import pytest

from bot.services.pulse import LoopPulse, Pulse


class Stopwatch:
    """Running time that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def stopwatch() -> Stopwatch:
    """Running time; it stands still until it is moved."""
    return Stopwatch()


def test_loop_counts_from_its_naming(stopwatch: Stopwatch) -> None:
    """A loop that has not beaten yet is as old as its naming, not as the machine."""
    pulse = Pulse(stopwatch)
    pulse.watch("outbox", within=60)
    stopwatch.seconds += 60

    assert (LoopPulse("outbox", 60, 60),) == pulse.loops()
    assert () == pulse.late()


def test_loop_is_late_past_its_limit(stopwatch: Stopwatch) -> None:
    """Only the loop whose own limit is over is late."""
    pulse = Pulse(stopwatch)
    pulse.watch("outbox", within=60)
    pulse.watch("housekeeping", within=3600)
    stopwatch.seconds += 60.5

    assert (LoopPulse("outbox", 60.5, 60),) == pulse.late()


def test_beat_makes_young_again(stopwatch: Stopwatch) -> None:
    """A loop that beats is new, and the others keep their age."""
    pulse = Pulse(stopwatch)
    beat = pulse.watch("outbox", within=60)
    pulse.watch("dispatcher", within=60)
    stopwatch.seconds += 100
    beat()

    assert ["dispatcher"] == [loop.name for loop in pulse.late()]
    assert [0, 100] == [loop.age for loop in pulse.loops()]


def test_two_loops_of_one_name(stopwatch: Stopwatch) -> None:
    """One loop cannot hide behind the beats of another."""
    pulse = Pulse(stopwatch)
    pulse.watch("outbox", within=60)

    with pytest.raises(ValueError, match="outbox"):
        pulse.watch("outbox", within=60)
