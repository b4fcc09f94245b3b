"""May anything be sent through the WhatsApp instance now?

GREEN-API takes messages even while no phone is linked, keeps them for a day and then lets them out
in a burst (https://green-api.com/en/docs/api/recommendations/instance-status-tracking/). So nothing
is handed over unless the instance said `authorized` within the last minute.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.services import whatsapp
from greenapi.client import GreenApi
from greenapi.errors import GreenApiError

FRESH = timedelta(seconds=60)

_log = structlog.get_logger()


class Gate:
    """Remembers, for a minute, whether the instance can send, and why not."""

    def __init__(self, green: GreenApi, clock: Clock) -> None:
        self._green = green
        self._clock = clock
        self._asking = asyncio.Lock()  # one question at a time: a call a second is the limit
        self._asked_at: datetime | None = None
        self.why: str | None = None  # as far as is known; asks nobody

    async def closed_because(self) -> str | None:
        """Why nothing may be sent now, in Russian; None when the way is open."""
        async with self._asking:
            if not self._is_fresh():
                await self._ask()
            return self.why

    def close(self, why: str) -> None:
        """The instance has just refused a message: let a minute pass before asking again."""
        self._note(why)
        self._asked_at = self._clock.now()

    def _is_fresh(self) -> bool:
        if self._asked_at is None:
            return False
        return timedelta() <= self._clock.now() - self._asked_at < FRESH

    async def _ask(self) -> None:
        try:
            state = await self._green.get_state_instance()
        except GreenApiError as error:
            self._note(whatsapp.trouble_words(error))
        else:
            self._note(None if state.authorized else whatsapp.state_words(state))
        self._asked_at = self._clock.now()

    def _note(self, why: str | None) -> None:
        if why != self.why:
            _log.info("instance_usable" if why is None else "instance_unusable", why=why)
        self.why = why
