"""The queue of WhatsApp messages: what is due, and each move of a row's status.

Every move names the status it starts from, so that a row changed meanwhile, by another part of the
daemon or by a person with SQL, is left as it is; the caller learns it from the returned False.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Integer,
    Row,
    Select,
    and_,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.leads import came_during_campaign
from storage.models import DueRow, NewRow, QueueRow, RowStatus
from storage.schema import leads, whatsapp_templates
from storage.schema import whatsapp_queue as queue
from storage.types import UtcDateTime

_other_lead = leads.alias("other_lead")
_other_row = queue.alias("other_row")

_last_sent_at = (
    select(func.max(_other_lead.c.last_whatsapp_sent_at))
    .where(or_(_other_lead.c.phone == queue.c.phone, _other_lead.c.id == queue.c.lead_id))
    .scalar_subquery()
)
_recalled_at = (
    select(func.max(_other_lead.c.created_at))
    .where(came_during_campaign(_other_lead, leads), _other_lead.c.is_target.is_(None))
    .correlate(leads)
    .scalar_subquery()
)


def _phone_has(status: RowStatus) -> Any:
    return exists().where(_other_row.c.phone == queue.c.phone, _other_row.c.status == status)


_due = (
    select(
        queue,
        leads.c.is_target,
        leads.c.whatsapp_campaign_active,
        leads.c.campaign_end,
        func.coalesce(whatsapp_templates.c.active, True).label("template_active"),
        _phone_has(RowStatus.UNKNOWN).label("phone_unknown"),
        _phone_has(RowStatus.SENDING).label("phone_sending"),
        _last_sent_at.label("last_sent_at"),
        _recalled_at.label("recalled_at"),
    )
    .join(leads, leads.c.id == queue.c.lead_id)
    .outerjoin(whatsapp_templates, whatsapp_templates.c.name == queue.c.message_template)
    .where(queue.c.status == RowStatus.PENDING)
)


class Queue:
    """The table `whatsapp_queue`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, rows: Iterable[NewRow], at: datetime) -> None:
        """Put messages into the queue."""
        for row in rows:
            await self._db.execute(
                insert(queue).values(
                    lead_id=row.lead_id,
                    phone=row.phone,
                    message_template=row.template,
                    message_text=row.text,
                    day=row.day,
                    scheduled_at=row.scheduled_at,
                    status=row.status,
                    error_message=row.error,
                    created_at=at,
                    updated_at=at,
                )
            )

    async def of_lead(self, lead_id: int) -> Sequence[QueueRow]:
        """All messages of a lead, in the order they leave."""
        rows = await self._db.execute(
            select(queue)
            .where(queue.c.lead_id == lead_id)
            .order_by(queue.c.scheduled_at, queue.c.id)
        )
        return [_row(row) for row in rows]

    async def find(self, row_id: int) -> QueueRow | None:
        """One message, or None."""
        row = (await self._db.execute(select(queue).where(queue.c.id == row_id))).one_or_none()
        return None if row is None else _row(row)

    async def due(
        self, now: datetime, limit: int, after: QueueRow | None = None
    ) -> Sequence[DueRow]:
        """Pending rows whose time has come, oldest first, from the one after `after`."""
        statement = _due.where(queue.c.scheduled_at <= now)
        if after is not None:
            place = tuple_(queue.c.scheduled_at, queue.c.id)
            there = tuple_(after.scheduled_at, after.id, types=[UtcDateTime, Integer])
            statement = statement.where(place > there)
        return await self._due_rows(
            statement.order_by(queue.c.scheduled_at, queue.c.id).limit(limit)
        )

    async def find_due(self, row_id: int, now: datetime) -> DueRow | None:
        """A row that is still pending and due, with the facts of this very moment."""
        statement = _due.where(queue.c.id == row_id, queue.c.scheduled_at <= now)
        return next(iter(await self._due_rows(statement)), None)

    async def next_welcome_at(self, now: datetime) -> datetime | None:
        """When the earliest day-0 row that is not due yet will be."""
        earliest: datetime | None = await self._db.scalar(
            select(func.min(queue.c.scheduled_at)).where(
                _waiting_welcome, queue.c.scheduled_at > now
            )
        )
        return earliest

    async def due_welcomes(self, now: datetime) -> Sequence[int]:
        """Ids of day-0 rows whose time has come, oldest first."""
        rows = await self._db.scalars(
            select(queue.c.id)
            .where(_waiting_welcome, queue.c.scheduled_at <= now)
            .order_by(queue.c.scheduled_at, queue.c.id)
        )
        return rows.all()

    async def count_pending(self) -> int:
        """How many rows wait."""
        counted = select(func.count()).select_from(queue)
        return await self._db.scalar(counted.where(queue.c.status == RowStatus.PENDING)) or 0

    async def templates_gone(self, lead_id: int) -> set[str]:
        """Names of templates that went, or may have gone, to a lead."""
        rows = await self._db.scalars(
            select(queue.c.message_template).where(
                queue.c.lead_id == lead_id,
                queue.c.status.in_([RowStatus.SENDING, RowStatus.SENT, RowStatus.UNKNOWN]),
                queue.c.message_template.is_not(None),
            )
        )
        return set(rows.all())

    async def has_unknown(self, phone: str) -> bool:
        """Whether the phone has a message whose fate is not known."""
        wanted = select(queue.c.id).where(
            queue.c.phone == phone, queue.c.status == RowStatus.UNKNOWN
        )
        return await self._db.scalar(wanted.limit(1)) is not None

    async def has_sending(self, phone: str) -> bool:
        """Whether a message is on its way to the phone just now."""
        wanted = select(queue.c.id).where(
            queue.c.phone == phone, queue.c.status == RowStatus.SENDING
        )
        return await self._db.scalar(wanted.limit(1)) is not None

    # --- moves of a waiting row -----------------------------------------------------------------

    async def move(self, row_id: int, to: datetime, why: str | None = None) -> bool:
        """Let a pending row wait until then; `why` replaces what it says of its waiting."""
        values: dict[str, Any] = {"scheduled_at": to, "revived": False}
        if why is not None:
            values["error_message"] = why
        return await self._change(row_id, RowStatus.PENDING, **values)

    async def cancel(self, row_id: int, why: str) -> bool:
        """Cancel a pending row."""
        return await self._change(
            row_id, RowStatus.PENDING, status=RowStatus.CANCELLED, error_message=why
        )

    async def park(self, row_id: int, why: str) -> bool:
        """Fail a pending row that cannot even be tried."""
        return await self._change(
            row_id, RowStatus.PENDING, status=RowStatus.FAILED, error_message=why
        )

    async def cancel_pending(self, lead_id: int, why: str) -> int:
        """Cancel all pending rows of a lead; say how many there were."""
        result = await self._db.execute(
            update(queue)
            .where(queue.c.lead_id == lead_id, queue.c.status == RowStatus.PENDING)
            .values(status=RowStatus.CANCELLED, error_message=why)
        )
        return result.rowcount

    async def restart_revived(self, now: datetime) -> None:
        """Let what a person put back, and whose time is past, be due just now."""
        await self._db.execute(
            update(queue)
            .where(
                queue.c.status == RowStatus.PENDING,
                queue.c.revived.is_(True),
                queue.c.scheduled_at <= now,
            )
            .values(scheduled_at=now, revived=False)
        )

    async def hasten(self, lead_id: int, now: datetime) -> None:
        """Let a lead's overdue rows count as due just now: what they waited for has come."""
        await self._db.execute(
            update(queue)
            .where(
                queue.c.lead_id == lead_id,
                queue.c.status == RowStatus.PENDING,
                queue.c.scheduled_at < now,
            )
            .values(scheduled_at=now, error_message=None)
        )

    # --- moves of a sending -----------------------------------------------------------------

    async def claim(self, row_id: int, claim: str, at: datetime) -> bool:
        """Take a pending row for sending; False if it is not pending any more."""
        return await self._change(
            row_id,
            RowStatus.PENDING,
            status=RowStatus.SENDING,
            claim=claim,
            attempted_at=at,
            attempts=queue.c.attempts + 1,
            revived=False,
        )

    async def mark_sent(self, row_id: int, claim: str, at: datetime, answer: Any) -> bool:
        """The service took it; its answer is kept."""
        return await self._settle(
            row_id, claim, status=RowStatus.SENT, sent_at=at, green_api_response=answer
        )

    async def mark_failed(self, row_id: int, claim: str, why: str) -> bool:
        """It will not be sent."""
        return await self._settle(row_id, claim, status=RowStatus.FAILED, error_message=why)

    async def mark_unknown(self, row_id: int, claim: str, why: str) -> bool:
        """It may have gone; only a person can say what next."""
        return await self._settle(row_id, claim, status=RowStatus.UNKNOWN, error_message=why)

    async def put_back(
        self, row: QueueRow, claim: str, to: datetime, why: str, first_failed_at: datetime | None
    ) -> bool:
        """It surely was not sent: pending again, and why it waits."""
        return await self._settle(
            row.id,
            claim,
            status=RowStatus.PENDING,
            scheduled_at=to,
            error_message=why,
            first_failed_at=first_failed_at,
        )

    async def give_back(self, row: QueueRow, claim: str, why: str) -> bool:
        """Not even tried: pending as `row` was before the claim, and why it waits."""
        return await self._settle(
            row.id,
            claim,
            status=RowStatus.PENDING,
            attempts=row.attempts,
            attempted_at=row.attempted_at,
            error_message=why,
        )

    async def take_abandoned(self, why: str) -> Sequence[QueueRow]:
        """Turn rows that a dead process left in `sending` into `unknown`, and return them."""
        rows = await self._db.execute(
            update(queue)
            .where(queue.c.status == RowStatus.SENDING)
            .values(status=RowStatus.UNKNOWN, claim=None, error_message=why)
            .returning(queue)
        )
        return [_row(row) for row in rows.all()]

    # --- a person's word ------------------------------------------------------------------------

    async def resend(self, row_id: int) -> bool:
        """Unknown becomes pending: a person wants it sent again."""
        return await self._change(row_id, RowStatus.UNKNOWN, status=RowStatus.PENDING)

    async def count_as_sent(self, row_id: int) -> bool:
        """Unknown becomes sent, at the time of its attempt."""
        return await self._change(row_id, RowStatus.UNKNOWN, status=RowStatus.SENT)

    async def _change(self, row_id: int, status_now: RowStatus, **values: Any) -> bool:
        result = await self._db.execute(
            update(queue).where(queue.c.id == row_id, queue.c.status == status_now).values(**values)
        )
        return result.rowcount == 1

    async def _settle(self, row_id: int, claim: str, **values: Any) -> bool:
        result = await self._db.execute(
            update(queue)
            .where(queue.c.id == row_id, queue.c.claim == claim)
            .values(claim=None, **values)
        )
        return result.rowcount == 1

    async def _due_rows(self, statement: Select[Any]) -> Sequence[DueRow]:
        return [
            DueRow(
                row=_row(row),
                is_target=row.is_target,
                campaign_active=row.whatsapp_campaign_active,
                campaign_end=row.campaign_end,
                template_active=bool(row.template_active),
                phone_unknown=row.phone_unknown,
                phone_sending=row.phone_sending,
                last_sent_at=row.last_sent_at,
                recalled_at=row.recalled_at,
            )
            for row in await self._db.execute(statement)
        ]


_waiting_welcome = and_(queue.c.status == RowStatus.PENDING, queue.c.day == 0)


def _row(row: Row[Any]) -> QueueRow:
    return QueueRow(
        id=row.id,
        lead_id=row.lead_id,
        phone=row.phone,
        template=row.message_template,
        text=row.message_text,
        day=row.day,
        scheduled_at=row.scheduled_at,
        status=row.status,
        revived=row.revived,
        attempts=row.attempts,
        attempted_at=row.attempted_at,
        first_failed_at=row.first_failed_at,
        sent_at=row.sent_at,
        error=row.error_message,
        created_at=row.created_at,
    )
