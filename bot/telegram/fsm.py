"""aiogram's dialog storage on our own database.

It holds only which prompt of ours waits for a text, and for which lead; the truth about a lead is
the lead's row.
"""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from storage.storage import Storage


class SqlStorage(BaseStorage):
    """State and data by key, each change one transaction."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        """Replace the state; None clears it."""
        name = state.state if isinstance(state, State) else state
        await self._storage.run(lambda unit: unit.fsm.keep_state(_flat(key), name))

    async def get_state(self, key: StorageKey) -> str | None:
        """The state, or None."""
        return await self._storage.run(lambda unit: unit.fsm.state(_flat(key)))

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        """Replace the data."""
        await self._storage.run(lambda unit: unit.fsm.keep_data(_flat(key), data))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """A copy of the data."""
        return await self._storage.run(lambda unit: unit.fsm.data(_flat(key)))

    async def close(self) -> None:
        """The database belongs to the application: nothing to close here."""


def _flat(key: StorageKey) -> str:
    parts = (key.bot_id, key.chat_id, key.user_id, key.thread_id, key.destiny)
    return ":".join("" if part is None else str(part) for part in parts)
