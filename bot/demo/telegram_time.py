"""Waiting for something to happen in the emulated Telegram, without polling.

Knows the shared clock and asyncio, and nothing of chats or methods.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """The time that the emulator shares with the daemon (see `bot.demo.clock`)."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` on this clock."""
        ...


class Bell:
    """Wakes all who wait at this moment; whoever comes later waits for the next ring."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who is waiting."""
        self._event.set()
        self._event = asyncio.Event()

    def heard(self) -> Coroutine[Any, Any, object]:
        """To be awaited: returns at the next ring after this call, not after the await."""
        return self._event.wait()


async def heard_by(bell: Bell, clock: Clock, deadline: datetime) -> None:
    """Return at the next ring of `bell`, at `deadline` at the latest."""
    async with asyncio.TaskGroup() as group:
        nap = group.create_task(_sleep_until(clock, deadline))
        ring = group.create_task(bell.heard())
        await asyncio.wait({nap, ring}, return_when=asyncio.FIRST_COMPLETED)
        nap.cancel()
        ring.cancel()


async def _sleep_until(clock: Clock, deadline: datetime) -> None:
    # The clock may jump before this task gets its first turn: what is left is asked here.
    while (left := (deadline - clock.now()).total_seconds()) > 0:
        await clock.sleep(left)
