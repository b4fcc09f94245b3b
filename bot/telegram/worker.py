"""Handles stored updates: in order within a chat, chats beside each other, each once.

An update is done when its handler has returned. If the process dies before that, the update is
handled again; what it had changed was noted in the same transaction, so nothing changes twice.
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramRetryAfter,
)
from aiogram.types import Update
from pydantic import ValidationError

from bot.clock import Clock
from bot.services.bells import Bells
from bot.services.meters import Tally
from storage.models import StoredUpdate
from storage.storage import Storage

_LOOKED_AT = 200
_TRIES = 3
_FIRST_RETRY = timedelta(seconds=5)

_log = structlog.get_logger()


class Worker:
    """Feeds the dispatcher from the inbox."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        bot: Bot,
        storage: Storage,
        bells: Bells,
        clock: Clock,
        tally: Tally | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._bot = bot
        self._storage = storage
        self._bells = bells
        self._clock = clock
        self._tally = tally or Tally()
        self._busy: set[int] = set()  # chats whose updates are being handled

    async def start_lanes(self, lanes: asyncio.TaskGroup) -> datetime | None:
        """Start a task for every chat that has something to be handled and nobody at it.

        Returns when the earliest update that failed is to be tried again.
        """
        now = self._clock.now()
        retries: list[datetime] = []
        seen: set[int] = set()
        for update in await self._storage.run(lambda unit: unit.inbox.waiting(_LOOKED_AT)):
            if update.chat_id in self._busy or update.chat_id in seen:
                continue
            seen.add(update.chat_id)
            if update.retry_at is not None and update.retry_at > now:
                retries.append(update.retry_at)  # the chat's later updates wait for it
                continue
            self._busy.add(update.chat_id)
            lanes.create_task(self._handle_first(update))
        return min(retries, default=None)

    async def _handle_first(self, update: StoredUpdate) -> None:
        """Handle the first update of a chat; the next look finds the one after it."""
        try:
            await self._handle(update)
        except Exception:
            _log.exception("inbox_broke", update_id=update.update_id)
        finally:
            self._busy.discard(update.chat_id)
            self._bells.inbox.set()

    async def _handle(self, stored: StoredUpdate) -> None:
        try:
            update = Update.model_validate(stored.body, context={"bot": self._bot})
        except ValidationError as error:
            where = [".".join(map(str, problem["loc"])) for problem in error.errors()][:5]
            await self._park(stored, f"not understood: {', '.join(where)}")
            return
        try:
            await self._dispatcher.feed_update(self._bot, update)
        except (TelegramBadRequest, TelegramForbiddenError) as error:
            # An answer that Telegram refuses is refused again; what was to be done is done.
            _log.warning("answer_refused", update_id=stored.update_id, error=type(error).__name__)
        except Exception as error:
            await self._failed(stored, error)
            return
        await self._storage.run(lambda unit: unit.inbox.finish(stored.id))
        self._tally.add("handled")

    async def _failed(self, stored: StoredUpdate, error: Exception) -> None:
        _log.error("update_failed", update_id=stored.update_id, exc_info=error)
        why = type(error).__name__
        if isinstance(error, TelegramRetryAfter):
            delay = timedelta(seconds=error.retry_after)
        elif stored.attempts + 1 >= _TRIES:
            await self._park(stored, why)
            return
        else:
            delay = _FIRST_RETRY * 4**stored.attempts
        at = self._clock.now() + delay
        await self._storage.run(lambda unit: unit.inbox.try_later(stored.id, at, why))
        self._tally.add("failed")

    async def _park(self, stored: StoredUpdate, why: str) -> None:
        _log.error("update_parked", update_id=stored.update_id, why=why)
        await self._storage.run(lambda unit: unit.inbox.park(stored.id, why))
        self._tally.add("parked")
