"""How much there is of what: numbers for those who watch the daemon, nobody's name or phone.

Each is one short read over an index, cheap enough for a look every few seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import RowStatus, UpdateState
from storage.schema import posts, updates
from storage.schema import whatsapp_queue as queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The numbers at one moment."""

    rows: Mapping[RowStatus, int]  # of the queue; every status is there
    oldest_due_at: datetime | None  # of the pending rows whose time has come
    posts_waiting: int  # cards and other posts that a chat does not show as they are now
    updates_parked: int  # of Telegram: nobody could handle them


class Figures:
    """Counts over the tables."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def read(self, now: datetime) -> Counts:
        """All numbers, of one and the same moment inside a transaction."""
        return Counts(
            rows=await self.rows_by_status(),
            oldest_due_at=await self.oldest_due_at(now),
            posts_waiting=await self.posts_waiting(),
            updates_parked=await self.updates_parked(),
        )

    async def rows_by_status(self) -> dict[RowStatus, int]:
        """How many messages of the queue stand where."""
        counted = await self._db.execute(
            select(queue.c.status, func.count().label("number")).group_by(queue.c.status)
        )
        return dict.fromkeys(RowStatus, 0) | {row.status: row.number for row in counted}

    async def oldest_due_at(self, now: datetime) -> datetime | None:
        """Since when the oldest pending row has been due; None when none is due."""
        oldest: datetime | None = await self._db.scalar(
            select(func.min(queue.c.scheduled_at)).where(
                queue.c.status == RowStatus.PENDING, queue.c.scheduled_at <= now
            )
        )
        return oldest

    async def posts_waiting(self) -> int:
        """How many posts have changed since they were shown, or were never shown."""
        waiting = select(func.count()).where(posts.c.version > posts.c.shown_version)
        return await self._db.scalar(waiting) or 0

    async def updates_parked(self) -> int:
        """How many updates of Telegram wait for a person to look at them."""
        parked = select(func.count()).where(updates.c.state == UpdateState.PARKED)
        return await self._db.scalar(parked) or 0
