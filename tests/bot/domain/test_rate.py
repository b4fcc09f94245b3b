"""The cap on how often somebody may come."""

from datetime import datetime, timedelta

from bot.domain.rate import Cap
from tests.builders import MONDAY_10

HOUR = timedelta(hours=1)


def later(**gap: float) -> datetime:
    """An instant after Monday at 10:00."""
    return MONDAY_10 + timedelta(**gap)


def cap_with(times: int) -> Cap:
    """A cap of three an hour, after Alice came so many times on Monday at 10:00."""
    cap = Cap(3, HOUR)
    for _ in range(times):
        cap.count("alice", MONDAY_10)
    return cap


def test_up_to_the_cap_nobody_waits() -> None:
    """Who came less often than allowed may come again at once."""
    assert cap_with(2).wait("alice", MONDAY_10) is None


def test_at_the_cap_one_waits_for_the_end_of_the_period() -> None:
    """Who came as often as allowed waits until an hour after the first time, in whole seconds."""
    cap = cap_with(3)

    assert 3600 == cap.wait("alice", MONDAY_10)
    assert 1801 == cap.wait("alice", later(seconds=1799.5))
    assert 1 == cap.wait("alice", later(seconds=3599.99))


def test_after_the_wait_one_is_welcome() -> None:
    """Whoever waits as long as told is let in, and the count begins anew."""
    cap = cap_with(3)
    back = later(seconds=3600)

    assert cap.wait("alice", back) is None
    cap.count("alice", back)
    assert cap.wait("alice", back) is None


def test_asking_counts_nothing() -> None:
    """Refused visits do not make the wait longer."""
    cap = cap_with(3)
    for minute in range(60):
        cap.wait("alice", later(minutes=minute))

    assert cap.wait("alice", later(hours=1)) is None


def test_others_are_not_concerned() -> None:
    """Each key has a count of its own."""
    assert cap_with(3).wait("bob", MONDAY_10) is None


def test_clock_set_back_frees() -> None:
    """A period that began in the future counts as over: nobody waits for a wrong clock."""
    assert cap_with(3).wait("alice", later(days=-1)) is None


def test_memory_is_bounded() -> None:
    """Of too many keys the one that was not counted for longest is forgotten."""
    cap = Cap(1, HOUR, keys=2)
    for key in ("alice", "bob", "alice", "charlie"):
        cap.count(key, MONDAY_10)

    assert cap.wait("bob", MONDAY_10) is None
    assert cap.wait("alice", MONDAY_10) is not None
    assert cap.wait("charlie", MONDAY_10) is not None
