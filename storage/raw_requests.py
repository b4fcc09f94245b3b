"""Form posts as they were received, and whether one came before."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import RawRequest
from storage.schema import leads
from storage.schema import raw_requests as requests


def digest(body: bytes) -> str:
    """What tells an identical body."""
    return sha256(body).hexdigest()


class RawRequests:
    """The table `raw_requests`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, request: RawRequest, lead_id: int) -> None:
        """Keep a request beside the lead it made or repeated."""
        await self._db.execute(
            insert(requests).values(
                lead_id=lead_id,
                body=request.body,
                digest=digest(request.body),
                content_type=request.content_type,
                sender=request.sender,
                submission_id=request.submission_id,
                received_at=request.received_at,
            )
        )

    async def find_by_submission(self, submission_id: str, phone: str | None) -> int | None:
        """The lead that a form builder's submission id made, whenever that was.

        Another client's phone under the same id is another client: some forms send a constant.
        """
        statement = (
            select(requests.c.lead_id)
            .join(leads, leads.c.id == requests.c.lead_id)
            .where(requests.c.submission_id == submission_id)
            .order_by(requests.c.id)
            .limit(1)
        )
        if phone is not None:
            statement = statement.where(or_(leads.c.phone.is_(None), leads.c.phone == phone))
        return await self._db.scalar(statement)

    async def find_by_body(self, body: bytes, since: datetime) -> int | None:
        """The lead that an identical body made since then."""
        return await self._db.scalar(
            select(requests.c.lead_id)
            .where(requests.c.digest == digest(body), requests.c.received_at >= since)
            .order_by(requests.c.id)
            .limit(1)
        )

    async def forget_bodies(self, before: datetime) -> int:
        """Drop the bodies received before then; say how many."""
        result = await self._db.execute(
            update(requests)
            .where(requests.c.received_at < before, requests.c.body.is_not(None))
            .values(body=None)
        )
        return result.rowcount
