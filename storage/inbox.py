"""Telegram's updates: stored before Telegram is told that we have them, handled once.

What an update changed is noted in the transaction of the change itself, so that an update which is
handled again after a death finds its effect and has no second one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import StoredUpdate, UpdateState
from storage.schema import updates

# After a week of silence Telegram goes on with a random id (https://core.telegram.org/bots/api
# #update); it keeps an update for a day. An equal id after two days is another update.
_SAME_ID_SAME_UPDATE = timedelta(days=2)


class Inbox:
    """The table `updates`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, bodies: Iterable[tuple[int, int, dict[str, Any]]], at: datetime) -> int:
        """Store updates, as (update id, chat id, body), that are not known; say how many."""
        new = 0
        for update_id, chat_id, body in bodies:
            if await self._is_known(update_id, at):
                continue
            await self._db.execute(
                insert(updates).values(
                    update_id=update_id, chat_id=chat_id, body=body, received_at=at
                )
            )
            new += 1
        return new

    async def waiting(self, limit: int) -> Sequence[StoredUpdate]:
        """Updates to be handled, in the order they came."""
        rows = await self._db.execute(
            select(updates)
            .where(updates.c.state == UpdateState.WAITING)
            .order_by(updates.c.id)
            .limit(limit)
        )
        return [
            StoredUpdate(
                id=row.id,
                update_id=row.update_id,
                chat_id=row.chat_id,
                body=row.body,
                attempts=row.attempts,
                retry_at=row.retry_at,
            )
            for row in rows
        ]

    async def finish(self, row_id: int) -> None:
        """The update has been handled."""
        await self._set(row_id, state=UpdateState.DONE)

    async def try_later(self, row_id: int, at: datetime, error: str) -> None:
        """Handling failed; try again then."""
        await self._set(row_id, attempts=updates.c.attempts + 1, retry_at=at, error=error)

    async def park(self, row_id: int, error: str) -> None:
        """Nobody can handle it: keep it for people to look at."""
        await self._set(row_id, state=UpdateState.PARKED, error=error)

    async def count_parked(self) -> int:
        """How many updates are parked."""
        counted = select(func.count()).select_from(updates)
        return await self._db.scalar(counted.where(updates.c.state == UpdateState.PARKED)) or 0

    async def find_effect(self, update_id: int) -> dict[str, Any] | None:
        """What this update has changed already."""
        found: dict[str, Any] | None = await self._db.scalar(
            select(updates.c.effect).where(updates.c.update_id == update_id)
        )
        return found

    async def note_effect(self, update_id: int, effect: dict[str, Any]) -> None:
        """Remember, in the transaction of the change, what this update has changed."""
        await self._db.execute(
            update(updates).where(updates.c.update_id == update_id).values(effect=effect)
        )

    async def forget(self, before: datetime) -> int:
        """Drop updates that came before then and do not wait; say how many."""
        result = await self._db.execute(
            delete(updates).where(
                updates.c.received_at < before, updates.c.state != UpdateState.WAITING
            )
        )
        return result.rowcount

    async def _is_known(self, update_id: int, now: datetime) -> bool:
        received: datetime | None = await self._db.scalar(
            select(updates.c.received_at).where(updates.c.update_id == update_id)
        )
        if received is None:
            return False
        if now - received < _SAME_ID_SAME_UPDATE:
            return True
        await self._db.execute(delete(updates).where(updates.c.update_id == update_id))
        return False

    async def _set(self, row_id: int, **values: Any) -> None:
        await self._db.execute(update(updates).where(updates.c.id == row_id).values(**values))
