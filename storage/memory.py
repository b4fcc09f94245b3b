"""Small things the daemon remembers by name, as JSON."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.dialect import upsert
from storage.schema import memory


class Memory:
    """The table `memory`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def find(self, name: str) -> Any:
        """What is remembered under that name, or None."""
        return await self._db.scalar(select(memory.c.value).where(memory.c.name == name))

    async def keep(self, name: str, value: Any) -> None:
        """Remember a JSON value under that name."""
        await self._db.execute(upsert(memory, {"name": name, "value": value}, "name"))
