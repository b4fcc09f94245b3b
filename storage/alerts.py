"""What is wrong just now: told once when it begins and once when it is over."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import Alert
from storage.schema import alerts


class Alerts:
    """The table `alerts`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def all(self) -> Sequence[Alert]:
        """Everything that is wrong just now."""
        rows = await self._db.execute(select(alerts).order_by(alerts.c.since, alerts.c.name))
        return [Alert(row.name, row.details, row.since) for row in rows]

    async def begin(self, alert: Alert) -> None:
        """Remember that it was told."""
        await self._db.execute(
            insert(alerts).values(name=alert.name, details=alert.details, since=alert.since)
        )

    async def end(self, name: str) -> None:
        """It is over."""
        await self._db.execute(delete(alerts).where(alerts.c.name == name))
