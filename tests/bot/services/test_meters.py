"""Counts and times of the daemon's own work."""

import asyncio

import pytest

from bot.domain.delivery import Accepted, InstanceDown, NotSent, Outcome, Refused, Uncertain
from bot.services.meters import Durations, Stopwatch, Tally, counted


def test_tally_knows_its_kinds_before_they_happen() -> None:
    """Named kinds count zero from the start; each count is of one kind."""
    tally = Tally("sent", "failed")
    tally.add("sent")
    tally.add("sent")
    tally.add("odd")

    assert {"sent": 2, "failed": 0, "odd": 1} == tally.counts


def test_durations_are_cumulated() -> None:
    """Each class counts all that lasted at most its bound; the last one counts everything."""
    durations = Durations()
    for seconds in (0.05, 0.1, 0.11, 90.0, 91.0):
        durations.add(seconds)

    assert [2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5] == durations.cumulated
    assert pytest.approx(181.26) == durations.total


def test_stopwatch_times_calls_that_fail_too() -> None:
    """Every block is timed under its name, also one that raises."""
    moments = iter([10.0, 10.5, 20.0, 22.0, 30.0, 33.0])
    watch = Stopwatch(lambda: next(moments))
    with watch.time("sendMessage"):
        pass
    with pytest.raises(TimeoutError), watch.time("sendMessage"):
        raise TimeoutError
    with watch.time("getStateInstance"):
        pass

    assert {"sendMessage": 2.5, "getStateInstance": 3.0} == {
        name: durations.total for name, durations in watch.taken.items()
    }
    assert [2, 1] == [durations.cumulated[-1] for durations in watch.taken.values()]


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Accepted("3EB0", {}), "sent"),
        (Refused("x"), "failed"),
        (Uncertain("x"), "unknown"),
        (NotSent("x"), "not_sent"),
        (InstanceDown("x"), "not_sent"),
    ],
    ids=["accepted", "refused", "uncertain", "not sent", "instance down"],
)
async def test_outcomes_of_sends_are_counted(outcome: Outcome, kind: str) -> None:
    """A send is passed on as it is, and counted by what is certain of it."""
    tally, asked = Tally(), []

    async def send(phone: str, text: str) -> Outcome:
        asked.append((phone, text))
        return outcome

    assert outcome is await counted(send, tally)("79001234567", "Добрый день")
    assert [("79001234567", "Добрый день")] == asked
    assert {kind: 1} == tally.counts


async def test_send_that_breaks_off_is_unknown() -> None:
    """A cancelled send may have gone: it counts as unknown, and the cancellation goes on."""
    tally = Tally()

    async def send(phone: str, text: str) -> Outcome:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await counted(send, tally)("79001234567", "Добрый день")
    assert {"unknown": 1} == tally.counts
