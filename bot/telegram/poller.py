"""Takes updates from Telegram: on disk first, confirmed after.

aiogram's own polling confirms an update while its handler still runs (a `kill -9` then loses it),
and one update that does not parse stops it for ever. Here updates stay raw until they are stored,
and the offset is raised only by the next call: what was not stored comes again.
"""

from typing import Any

import structlog
from aiogram import Bot
from aiogram.methods.base import TelegramMethod

from bot.clock import Clock
from bot.services.bells import Bells
from storage.storage import Storage

_POLL_SECONDS = 25
_CALL_SECONDS = 40
_KINDS = ["message", "callback_query", "my_chat_member"]

_log = structlog.get_logger()


class _RawGetUpdates(TelegramMethod[list[dict[str, Any]]]):
    """`getUpdates` whose answer is left as it came."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None
    timeout: int
    allowed_updates: list[str]


class Poller:
    """One long poll after another."""

    def __init__(self, bot: Bot, storage: Storage, bells: Bells, clock: Clock) -> None:
        self._bot = bot
        self._storage = storage
        self._bells = bells
        self._clock = clock
        self._offset: int | None = None  # none yet: from the oldest that nobody confirmed

    async def poll(self) -> None:
        """Wait for updates and store them. Raises aiogram's and storage's errors."""
        method = _RawGetUpdates(offset=self._offset, timeout=_POLL_SECONDS, allowed_updates=_KINDS)
        raw = await self._bot(method, request_timeout=_CALL_SECONDS)
        updates = [(body["update_id"], _chat_of(body), body) for body in raw if _has_id(body)]
        if not updates:
            return
        now = self._clock.now()
        new = await self._storage.run(lambda unit: unit.inbox.add(updates, now))
        self._offset = max(update_id for update_id, _, _ in updates) + 1
        _log.debug("updates_stored", new=new, known=len(updates) - new)
        self._bells.inbox.set()


def _has_id(body: dict[str, Any]) -> bool:
    return isinstance(body.get("update_id"), int) and 0 < body["update_id"] < 2**62


def _chat_of(body: dict[str, Any]) -> int:
    """The chat in whose order an update belongs, as far as one can tell."""
    for kind in _KINDS:
        part = body.get(kind)
        if isinstance(part, dict):
            place = part.get("message", part) if kind == "callback_query" else part
            chat = place.get("chat") if isinstance(place, dict) else None
            chat_id = chat.get("id") if isinstance(chat, dict) else None
            if isinstance(chat_id, int) and abs(chat_id) < 2**62:
                return chat_id
    return 0
