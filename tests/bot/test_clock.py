"""Time and chance of the machine, and waiting on any clock."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SystemClock, sleep, wait
from bot.demo.clock import Conductor
from tests.builders import MONDAY_10

MINUTE = timedelta(minutes=1)
MOMENT = timedelta(milliseconds=20)  # of real time


def alone() -> bool:
    """Whether nothing that was started is left."""
    return [asyncio.current_task()] == list(asyncio.all_tasks())


async def spin(turns: int = 5) -> None:
    """Let the others run."""
    for _ in range(turns):
        await asyncio.sleep(0)


class TestWait:
    async def test_bell_rung_before(self, clock: Conductor) -> None:
        """An event that is set already is not waited for."""
        bell = asyncio.Event()
        bell.set()

        assert await wait(clock, bell, clock.now() + MINUTE)
        assert clock.now() - MONDAY_10 < MINUTE

    async def test_bell_rung_meanwhile(self) -> None:
        """An event that is set meanwhile ends the wait at once."""
        bell, clock = asyncio.Event(), Conductor(MONDAY_10)
        waiting = asyncio.create_task(wait(clock, bell, clock.now() + MINUTE))
        await spin()
        bell.set()

        assert await waiting
        assert alone()

    async def test_time_is_up(self, clock: Conductor) -> None:
        """Without the event the wait ends when its moment has come, and says so."""
        until = clock.now() + timedelta(seconds=5)

        assert not await wait(clock, asyncio.Event(), until)
        assert clock.now() >= until
        assert alone()

    async def test_moment_that_is_past(self, clock: Conductor) -> None:
        """A moment in the past is not waited for."""
        assert not await wait(clock, asyncio.Event(), clock.now() - MINUTE)

    async def test_bell_and_time_together(self, clock: Conductor) -> None:
        """An event that is set counts though the time is up."""
        bell = asyncio.Event()
        bell.set()

        assert await wait(clock, bell, clock.now() - MINUTE)

    async def test_cancelled(self) -> None:
        """A cancelled wait leaves nothing behind."""
        clock = Conductor(MONDAY_10)
        waiting = asyncio.create_task(wait(clock, asyncio.Event(), clock.now() + MINUTE))
        await spin()
        waiting.cancel()

        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert alone()


async def test_sleep(clock: Conductor) -> None:
    """A sleep of some seconds lasts so many seconds of its clock."""
    start = clock.now()
    await sleep(clock, 10)

    assert timedelta(seconds=10) <= clock.now() - start < timedelta(seconds=60)


class TestSystemClock:
    def test_now(self) -> None:
        """The moment is the machine's, aware, in UTC."""
        before = datetime.now(UTC)
        moment = SystemClock().now()

        assert before <= moment <= datetime.now(UTC)
        assert UTC is moment.tzinfo

    async def test_sleep_until(self) -> None:
        """A sleep ends when its moment has come, not before."""
        clock = SystemClock()
        until = clock.now() + MOMENT
        await clock.sleep_until(until)

        assert until <= clock.now()

    async def test_past_moments_are_not_slept_for(self) -> None:
        """A moment in the past does not even yield to others."""
        clock = SystemClock()
        start = time.monotonic()
        await clock.sleep_until(clock.now() - MINUTE)

        assert time.monotonic() - start < 0.05

    async def test_naps_are_short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A long sleep reads the clock anew every half minute, so that a jump ends it."""
        naps: list[float] = []
        moments = iter([*[MONDAY_10] * 3, MONDAY_10 + timedelta(days=1)])

        async def nap(seconds: float) -> None:
            naps.append(seconds)

        monkeypatch.setattr("bot.clock.asyncio.sleep", nap)
        clock = SystemClock()
        monkeypatch.setattr(clock, "now", lambda: next(moments))
        await clock.sleep_until(MONDAY_10 + timedelta(hours=20))

        assert [30.0, 30.0] == naps

    async def test_timeout(self) -> None:
        """A block that takes too long is ended by `TimeoutError`."""
        with pytest.raises(TimeoutError):
            async with SystemClock().timeout(MOMENT.total_seconds()):
                await asyncio.Event().wait()

    async def test_timeout_in_time(self) -> None:
        """A block that ends in time is left alone."""
        reached = []
        async with SystemClock().timeout(MINUTE.total_seconds()):
            reached.append(await asyncio.sleep(0, "the end"))

        assert ["the end"] == reached

    def test_uniform(self) -> None:
        """A drawn number lies between its bounds, and differs from draw to draw."""
        drawn = {SystemClock().uniform(5, 20) for _ in range(20)}

        assert all(5 <= number <= 20 for number in drawn)
        assert len(drawn) > 1
