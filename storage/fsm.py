"""Dialog steps in Telegram, by the key the bot makes for them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialect import upsert
from storage.schema import fsm


class FsmRows:
    """The table `fsm`: a state and data that do not depend on each other."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def state(self, key: str) -> str | None:
        """The state kept under a key."""
        return await self._db.scalar(select(fsm.c.state).where(fsm.c.key == key))

    async def data(self, key: str) -> dict[str, Any]:
        """A copy of the data kept under a key; empty when there is none."""
        return await self._db.scalar(select(fsm.c.data).where(fsm.c.key == key)) or {}

    async def keep_state(self, key: str, state: str | None) -> None:
        """Replace the state and leave the data."""
        await self._db.execute(upsert(fsm, {"key": key, "state": state}, "key"))
        await self._tidy(key)

    async def keep_data(self, key: str, data: Mapping[str, Any]) -> None:
        """Replace the data and leave the state."""
        await self._db.execute(upsert(fsm, {"key": key, "data": dict(data)}, "key"))
        await self._tidy(key)

    async def _tidy(self, key: str) -> None:
        await self._db.execute(
            delete(fsm).where(fsm.c.key == key, fsm.c.state.is_(None), fsm.c.data == {})
        )
