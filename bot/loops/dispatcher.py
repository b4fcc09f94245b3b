"""When to look at the queue: every interval, when a welcome is due, and soon after a refusal."""

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock, wait
from bot.services.bells import Bells
from bot.services.dispatch import Busy, Dispatch, Held
from bot.services.gate import FRESH
from bot.services.pulse import Beat

# The wall clock is read again at least this often; people's own SQL rings no bell.
_LONGEST_NAP = timedelta(seconds=30)

_log = structlog.get_logger()


class DispatchLoop:
    """Starts passes and welcomes; never waits for one before it looks at the other."""

    def __init__(
        self, dispatch: Dispatch, bells: Bells, clock: Clock, beat: Beat, *, interval: timedelta
    ) -> None:
        self._dispatch = dispatch
        self._bells = bells
        self._clock = clock
        self._interval = interval
        self._beat = beat
        self._last_pass: datetime | None = None

    async def run(self) -> None:
        """Run until the daemon stops, and until what was being sent has an outcome."""
        async with asyncio.TaskGroup() as sends:
            while not self._bells.stopping.is_set():
                self._beat()
                self._bells.queue.clear()
                sends.create_task(self._welcomes())
                if self._pass_is_due():
                    self._last_pass = self._clock.now()
                    sends.create_task(self._pass())
                await wait(self._clock, self._bells.queue, await self._next_look())

    def _pass_is_due(self) -> bool:
        """One that is under way comes first; a clock that was set back holds none back."""
        if self._dispatch.is_passing:
            return False
        if self._last_pass is None:
            return True
        interval = min(FRESH, self._interval) if self._dispatch.held else self._interval
        return not timedelta() <= self._clock.now() - self._last_pass < interval

    async def _next_look(self) -> datetime:
        now = self._clock.now()
        soon = now + min(_LONGEST_NAP, self._interval)
        try:
            welcome = await self._dispatch.next_welcome_at(now)
        except Exception:
            _log.exception("queue_not_read")
            return soon
        return soon if welcome is None else min(soon, welcome)

    async def _pass(self) -> None:
        try:
            await self._dispatch.run_pass()
        except (Busy, Held):
            return  # told where it was decided; the next one comes soon enough
        except Exception:
            _log.exception("pass_broke")

    async def _welcomes(self) -> None:
        try:
            await self._dispatch.send_welcomes()
        except Exception:
            _log.exception("welcomes_broke")
