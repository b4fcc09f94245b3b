"""Time and chance: the only module that reads the clock, sleeps, and draws random numbers.

Everything that waits, paces or schedules takes a `Clock`, so that a week can be played in seconds
(`bot.demo.clock`) and a test never waits for real.
"""

import asyncio
import random
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

# asyncio follows the monotonic clock, which stands still while a machine is suspended, and the
# wall clock may be set: no sleep is longer than this before the wall clock is read again.
_LONGEST_NAP_SECONDS = 30.0


class Clock(Protocol):
    """What the daemon may know of time and chance."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def running(self) -> float:
        """Seconds that have run since some moment: neither a jump nor a suspend counts."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the wall clock has reached `moment`.

        A jump forward counts; one back does not make it longer: the caller looks again, and what
        is due is decided by the wall clock then.
        """
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that raises `TimeoutError` after `seconds`; a jump does not count."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """A random number between `low` and `high`."""
        ...


async def sleep(clock: Clock, seconds: float) -> None:
    """Sleep for `seconds` on `clock`."""
    await clock.sleep_until(clock.now() + timedelta(seconds=seconds))


async def wait(clock: Clock, event: asyncio.Event, until: datetime) -> bool:
    """Wait for `event`, at most until `until`; say whether the event is set."""
    async with asyncio.TaskGroup() as group:
        naps = group.create_task(clock.sleep_until(until))
        rings = group.create_task(event.wait())
        await asyncio.wait({naps, rings}, return_when=asyncio.FIRST_COMPLETED)
        naps.cancel()
        rings.cancel()
    return event.is_set()


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def running(self) -> float:
        """Seconds on the machine's monotonic clock."""
        return time.monotonic()

    async def sleep_until(self, moment: datetime) -> None:
        """Sleep in short naps, so that suspends and clock changes are noticed."""
        end = self.running() + (moment - self.now()).total_seconds()
        while (left := min((moment - self.now()).total_seconds(), end - self.running())) > 0:
            await asyncio.sleep(min(left, _LONGEST_NAP_SECONDS))

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that raises `TimeoutError` after `seconds`."""
        return asyncio.timeout(seconds)

    def uniform(self, low: float, high: float) -> float:
        """A random number between `low` and `high`."""
        return random.uniform(low, high)
