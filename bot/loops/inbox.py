"""Polls Telegram and handles what came, for as long as the daemon runs."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramConflictError, TelegramUnauthorizedError

from bot.clock import Clock, wait
from bot.services.bells import Bells
from bot.services.pulse import Beat
from bot.telegram import menu
from bot.telegram.poller import Poller
from bot.telegram.worker import Worker

_LONGEST_BACKOFF_SECONDS = 30.0
_FRESH_SESSION_AFTER = 3  # failed polls: names are looked up anew, connections made anew
_LOOK_AGAIN = timedelta(seconds=30)

_log = structlog.get_logger()


class PollLoop:
    """Polls, and keeps trying whatever Telegram answers; leads do not wait for it."""

    def __init__(
        self,
        poller: Poller,
        bot: Bot,
        admins: Sequence[int],
        bells: Bells,
        clock: Clock,
        beat: Beat,
    ) -> None:
        self._poller = poller
        self._bot = bot
        self._admins = admins
        self._bells = bells
        self._clock = clock
        self._beat = beat
        self._failures = 0
        self._met = False
        self.trouble: str | None = None  # "token", "second" or "away", for the alerts

    async def run(self) -> None:
        """Run until the daemon stops."""
        async with asyncio.TaskGroup() as group:
            polling = group.create_task(self._poll_on())
            await self._bells.stopping.wait()
            polling.cancel()

    async def _poll_on(self) -> None:
        while True:
            self._beat()
            try:
                await self._meet_telegram()
                await self._poller.poll()
            except Exception as error:
                await self._rest_after(error)
            else:
                if self._failures or self.trouble:
                    _log.info("telegram_reached")
                self._failures, self.trouble = 0, None

    async def _meet_telegram(self) -> None:
        """Once; a webhook left behind by an older bot would keep every update from us."""
        if not self._met:
            await self._bot.me()
            await self._bot.delete_webhook(drop_pending_updates=False)
            self._met = True
            _log.info("telegram_reached")
            await menu.publish(self._bot, self._admins)

    async def _rest_after(self, error: Exception) -> None:
        self._failures += 1
        self.trouble = _trouble(error)
        _log.warning("poll_failed", error=type(error).__name__, trouble=self.trouble)
        if self._failures % _FRESH_SESSION_AFTER == 0:
            await self._bot.session.close()
        rest = min(2.0 ** (self._failures - 1), _LONGEST_BACKOFF_SECONDS)
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=rest))


def _trouble(error: Exception) -> str:
    if isinstance(error, TelegramUnauthorizedError):
        return "token"
    if isinstance(error, TelegramConflictError):
        return "second"
    return "away" if isinstance(error, AiogramError) else "own"


async def handle_updates(worker: Worker, bells: Bells, clock: Clock, beat: Beat) -> None:
    """Handle stored updates until the daemon stops, and finish those under way."""
    async with asyncio.TaskGroup() as lanes:
        while not bells.stopping.is_set():
            beat()
            bells.inbox.clear()
            again_at = clock.now() + _LOOK_AGAIN
            try:
                retry_at = await worker.start_lanes(lanes)
            except Exception:
                _log.exception("inbox_not_read")
            else:
                again_at = min(again_at, retry_at or again_at)
            await wait(clock, bells.inbox, again_at)
