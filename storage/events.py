"""What happened to leads, in order; nothing here is ever changed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import Actor, EventKind, LeadEvent
from storage.schema import lead_events


class Events:
    """The table `lead_events`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(
        self, lead_id: int, kind: EventKind, at: datetime, actor: Actor | None, note: str = ""
    ) -> None:
        """Write down that something happened; no actor means the machine or the client."""
        await self._db.execute(
            insert(lead_events).values(
                lead_id=lead_id,
                kind=kind,
                actor_id=actor.id if actor else None,
                actor_name=actor.name if actor else "",
                note=note,
                created_at=at,
            )
        )

    async def of_lead(self, lead_id: int) -> Sequence[LeadEvent]:
        """Everything that happened to a lead, oldest first."""
        rows = await self._db.execute(
            select(lead_events).where(lead_events.c.lead_id == lead_id).order_by(lead_events.c.id)
        )
        return [
            LeadEvent(
                lead_id=row.lead_id,
                kind=row.kind,
                actor_id=row.actor_id,
                actor_name=row.actor_name,
                note=row.note,
                created_at=row.created_at,
            )
            for row in rows
        ]
