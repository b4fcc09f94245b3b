"""The accelerated clock: its dial, its jumps, its followers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, timedelta

import pytest

from bot.clock import wait
from bot.demo.clock import Conductor, Dial, Follower, SharedClock
from tests.builders import MONDAY_10

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@asynccontextmanager
async def followed(conductor: Conductor) -> AsyncIterator[Follower]:
    """A follower that takes every turn of the dial."""
    async with conductor:
        follower = await Follower.connect(conductor.address)
        following = asyncio.create_task(follower.follow())
        yield follower
        following.cancel()
        follower._writer.close()


async def until(holds: Callable[[], object]) -> None:
    """Give the loopback at most a second to make a condition true."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.001)


async def hang(clock: SharedClock, seconds: float, *turns: Callable[[], None]) -> None:
    """A call that is never answered, while the clock is turned."""
    async with clock.timeout(seconds):
        for turn in turns:
            turn()
        await asyncio.Event().wait()


class TestDial:
    def test_rate(self) -> None:
        """Wall and running time pass at the dial's rate."""
        dial = Dial(wall=1000.0, running=50.0, mono=7.0, rate=60.0)

        assert Dial(wall=1120.0, running=170.0, mono=9.0, rate=60.0) == dial.at(9.0)

    def test_now(self) -> None:
        """A clock shows the dial's wall time, aware, in UTC."""
        clock = SharedClock(Dial(MONDAY_10.timestamp(), 0.0, time.monotonic(), 1e-6))

        assert MONDAY_10 == clock.now().replace(microsecond=0)
        assert UTC is clock.now().tzinfo


class TestSleep:
    async def test_fast(self) -> None:
        """At a thousand to one, ten seconds last ten milliseconds."""
        clock, start = Conductor(MONDAY_10, rate=1000.0), time.monotonic()
        await clock.sleep(10)

        assert clock.now() >= MONDAY_10 + timedelta(seconds=10)
        assert 0.009 < time.monotonic() - start < 0.5

    async def test_jump_wakes_those_it_passes(self) -> None:
        """A jump ends the sleeps that it passes, and no others."""
        clock = Conductor(MONDAY_10)
        passed = asyncio.create_task(clock.sleep_until(MONDAY_10 + HOUR))
        other = asyncio.create_task(clock.sleep_until(MONDAY_10 + DAY))
        await asyncio.sleep(0)
        clock.jump(2 * 3600)
        await asyncio.wait_for(passed, 1)

        assert not other.done()
        other.cancel()

    async def test_jump_wakes_waiters(self) -> None:
        """A jump ends a wait for an event too."""
        clock = Conductor(MONDAY_10)
        waiting = asyncio.create_task(wait(clock, asyncio.Event(), MONDAY_10 + HOUR))
        await asyncio.sleep(0.001)
        clock.jump_to(MONDAY_10 + HOUR)

        assert await asyncio.wait_for(waiting, 1) is False

    async def test_faster_meanwhile(self) -> None:
        """A sleep under way takes the new pace."""
        clock = Conductor(MONDAY_10)
        sleeping = asyncio.create_task(clock.sleep(600))
        await asyncio.sleep(0)
        clock.run_at(100_000)
        await asyncio.wait_for(sleeping, 1)

        assert clock.now() >= MONDAY_10 + timedelta(minutes=10)

    async def test_jump_back_makes_it_no_longer(self) -> None:
        """A clock that was set back delays no sleep: loops go on, and look at the time again."""
        clock = Conductor(MONDAY_10, rate=1000.0)
        sleeping = asyncio.create_task(clock.sleep_until(MONDAY_10 + timedelta(seconds=10)))
        await asyncio.sleep(0)
        clock.jump(-3600)
        await asyncio.wait_for(sleeping, 1)

        assert clock.now() < MONDAY_10


class TestJump:
    def test_jump_to(self) -> None:
        """The wall clock is set to the moment."""
        clock = Conductor(MONDAY_10)
        clock.jump_to(MONDAY_10 + DAY)

        assert abs(clock.now() - (MONDAY_10 + DAY)) < timedelta(seconds=1)

    def test_change_of_pace_is_no_jump(self) -> None:
        """Another rate changes the time to come and not the present."""
        clock = Conductor(MONDAY_10)
        clock.run_at(1e-6)

        assert abs(clock.now() - MONDAY_10) < timedelta(seconds=1)


def test_running_time() -> None:
    """Running time counts seconds at the dial's rate, and no jumps."""
    clock = Conductor(MONDAY_10, rate=1e-6)
    start = clock.running()
    clock.jump(3600)
    clock.jump(-7200)

    assert abs(clock.running() - start) < 1


class TestTimeout:
    async def test_expires(self) -> None:
        """A block is ended by `TimeoutError` after so many seconds of running time."""
        clock, start = Conductor(MONDAY_10, rate=1000.0), time.monotonic()
        with pytest.raises(TimeoutError):
            await hang(clock, 10)

        assert 0.009 < time.monotonic() - start < 0.5

    async def test_ends_in_time(self) -> None:
        """A block that ends in time is left alone, and so is what comes after it."""
        clock = Conductor(MONDAY_10, rate=1000.0)
        async with clock.timeout(5):
            await clock.sleep(1)
        await clock.sleep(10)

        assert [asyncio.current_task()] == list(asyncio.all_tasks())

    async def test_jump_does_not_count(self) -> None:
        """A jump over the deadline leaves a call under way its running time."""
        clock = Conductor(MONDAY_10)
        async with clock.timeout(30):
            clock.jump(3600)
            await asyncio.sleep(0.005)

        assert clock.now() >= MONDAY_10 + HOUR

    async def test_expires_all_the_same_after_a_jump(self) -> None:
        """Running time goes on counting after a jump, forwards or back."""
        clock = Conductor(MONDAY_10, rate=1000.0)
        with pytest.raises(TimeoutError):
            await hang(clock, 10, lambda: clock.jump(3600), lambda: clock.jump(-7200))

    async def test_faster_meanwhile(self) -> None:
        """A block under way takes the new pace."""
        clock = Conductor(MONDAY_10)
        with pytest.raises(TimeoutError):
            await hang(clock, 60, lambda: clock.run_at(100_000))

    @pytest.mark.parametrize(
        "error", [ValueError("broken"), TimeoutError("own"), asyncio.CancelledError(), KeyError(1)]
    )
    async def test_exceptions_pass(self, error: BaseException) -> None:
        """What the block raises comes out as it is, and nothing of the clock is left."""
        clock = Conductor(MONDAY_10)
        with pytest.raises(type(error)) as caught:
            async with clock.timeout(60):
                raise error
        await asyncio.sleep(0)

        assert error is caught.value
        assert [asyncio.current_task()] == list(asyncio.all_tasks())

    async def test_cancellation_from_outside_stays_one(self) -> None:
        """A task cancelled inside a block is cancelled, not timed out."""
        clock = Conductor(MONDAY_10)

        async def work() -> None:
            async with clock.timeout(60):
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_inner_deadline_first(self) -> None:
        """Of two nested blocks the shorter one expires, and the outer one goes on."""
        clock = Conductor(MONDAY_10, rate=1000.0)
        async with clock.timeout(3600):
            with pytest.raises(TimeoutError):
                await hang(clock, 5)
            await clock.sleep(1)


class TestFollower:
    async def test_agrees(self) -> None:
        """A follower shows the conductor's time, to what passes between two looks."""
        conductor = Conductor(MONDAY_10, rate=10.0)
        async with followed(conductor) as follower:
            before, shown, after = conductor.now(), follower.now(), conductor.now()

        slack = timedelta(microseconds=5)
        assert before - slack <= shown <= after + slack

    async def test_follows_jumps_and_paces(self) -> None:
        """Each turn of the dial reaches the follower, and wakes those who sleep there."""
        conductor = Conductor(MONDAY_10)
        async with followed(conductor) as follower:
            sleeping = asyncio.create_task(follower.sleep_until(MONDAY_10 + DAY))
            await asyncio.sleep(0)
            conductor.jump(24 * 3600)
            await asyncio.wait_for(sleeping, 1)
            conductor.run_at(50.0)
            await until(lambda: follower._dial.rate == 50.0)
            before, shown, after = conductor.now(), follower.now(), conductor.now()

        slack = timedelta(microseconds=50)
        assert before - slack <= shown <= after + slack

    async def test_joins_late(self) -> None:
        """A follower that connects after a jump starts with it."""
        conductor = Conductor(MONDAY_10)
        conductor.jump_to(MONDAY_10 + DAY)
        async with followed(conductor) as follower:
            assert follower.now() >= MONDAY_10 + DAY

    async def test_leaves(self) -> None:
        """A follower that goes away is forgotten, and the conductor goes on turning."""
        conductor = Conductor(MONDAY_10)
        async with conductor:
            follower = await Follower.connect(conductor.address)
            follower._writer.close()
            await until(lambda: not conductor._followers)
            conductor.jump(1)

            assert not conductor._followers

    async def test_conductor_goes_away(self) -> None:
        """When the conductor ends, following ends and the clock goes on by itself."""
        async with Conductor(MONDAY_10) as conductor:
            follower = await Follower.connect(conductor.address)
            following = asyncio.create_task(follower.follow())
            await until(lambda: conductor._followers)
        await asyncio.wait_for(following, 1)
        follower._writer.close()

        assert follower.now() >= MONDAY_10


class TestChance:
    def test_same_seed(self) -> None:
        """The same seed draws the same numbers, another one others."""
        draws = [
            [Conductor(MONDAY_10, seed=seed).uniform(0, 1) for _ in range(3)] for seed in (1, 1, 2)
        ]

        assert draws[0] == draws[1] != draws[2]

    def test_bounds(self) -> None:
        """A drawn number lies between its bounds."""
        clock = Conductor(MONDAY_10)

        assert all(5 <= clock.uniform(5, 20) <= 20 for _ in range(100))
