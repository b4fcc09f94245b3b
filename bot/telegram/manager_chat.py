"""Which chat receives the cards: the configured one, or the one where an admin wrote /here.

What /here or a group's move to a new id stored counts until the configured value changes: then the
configuration has the last word again.
"""

from typing import Any

import structlog

from storage.storage import Storage, Unit

_NAME = "manager_chat"

_log = structlog.get_logger()


class ManagerChat:
    """The chat of the managers, and its topic if it has one; remembered in the database."""

    def __init__(self, storage: Storage, configured: int | None) -> None:
        self._storage = storage
        self._configured = configured
        self.id = configured
        self.thread_id: int | None = None

    async def load(self) -> None:
        """Recall what an earlier run stored."""
        kept: dict[str, Any] | None = await self._storage.run(lambda u: u.memory.find(_NAME))
        if kept and kept["configured"] == self._configured:
            self.id, self.thread_id = kept["chat_id"], kept.get("thread_id")

    async def bind(self, chat_id: int, thread_id: int | None = None) -> None:
        """From now on, cards go to this chat, and there to this topic."""

        async def work(unit: Unit) -> None:
            await self._keep(unit, chat_id, thread_id)

        await self._storage.run(work)
        self.id, self.thread_id = chat_id, thread_id
        _log.info("manager_chat_bound", chat_id=chat_id, thread_id=thread_id)

    async def move(self, old_id: int, new_id: int) -> None:
        """A group became a supergroup: its id is another, and its old messages are out of reach."""

        async def work(unit: Unit) -> None:
            await unit.posts.leave_chat(old_id)
            if old_id == self.id:
                await self._keep(unit, new_id, self.thread_id)

        await self._storage.run(work)
        if old_id == self.id:
            self.id = new_id
            _log.warning("manager_chat_moved", chat_id=new_id)

    async def _keep(self, unit: Unit, chat_id: int, thread_id: int | None) -> None:
        value = {"chat_id": chat_id, "thread_id": thread_id, "configured": self._configured}
        await unit.memory.keep(_NAME, value)
