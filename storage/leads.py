"""Leads: who asked, and how far it got."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import NotFound
from storage.models import Lead, NewLead
from storage.schema import leads

_later = leads.alias("later")


def came_during_campaign(later: Any, running: Any) -> ColumnElement[bool]:
    """The rule by which a new request of a client lets the campaign of an older one wait."""
    return and_(
        later.c.phone == running.c.phone,
        later.c.id > running.c.id,
        later.c.created_at >= running.c.campaign_started_at,
    )


class Leads:
    """The table `leads`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, lead: NewLead, at: datetime) -> int:
        """Write a new lead and return its id; its card is asked for by the table itself."""
        lead_id: int = await self._db.scalar(
            insert(leads)
            .values(
                name=lead.name,
                phone=lead.phone,
                phone_raw=lead.phone_raw,
                course=lead.course,
                email=lead.email,
                comment=lead.comment,
                extra=lead.extra,
                source=lead.source,
                problems=lead.problems,
                submission_id=lead.submission_id,
                created_at=at,
                updated_at=at,
            )
            .returning(leads.c.id)
        )
        return lead_id

    async def get(self, lead_id: int) -> Lead:
        """The lead, locked till the end of the transaction; raises `NotFound`."""
        found = await self._one(select(leads).where(leads.c.id == lead_id).with_for_update())
        if found is None:
            raise NotFound(f"there is no lead {lead_id}")
        return found

    async def find(self, lead_id: int) -> Lead | None:
        """The lead, or None."""
        return await self._one(select(leads).where(leads.c.id == lead_id))

    async def find_twin(self, phone: str, course: str | None, since: datetime) -> Lead | None:
        """The newest lead since then with the same phone, and the same course or one unknown."""
        same_course = or_(leads.c.course.is_(None), leads.c.course == course)
        return await self._one(
            select(leads)
            .where(leads.c.phone == phone, leads.c.created_at >= since)
            .where(same_course if course else leads.c.id.is_not(None))
            .order_by(leads.c.id.desc())
            .limit(1)
        )

    async def find_earlier(self, lead: Lead) -> Lead | None:
        """The client's request before this one; without a phone nobody knows who it is."""
        return await self._one(
            select(leads)
            .where(leads.c.phone == lead.phone, leads.c.id < lead.id)
            .where(leads.c.phone.is_not(None))
            .order_by(leads.c.id.desc())
            .limit(1)
        )

    async def find_active(self, phone: str | None) -> Lead | None:
        """The lead whose campaign is running on that phone."""
        return await self._one(
            select(leads)
            .where(leads.c.phone == phone, leads.c.whatsapp_campaign_active.is_(True))
            .where(leads.c.phone.is_not(None))
        )

    async def is_recall(self, running: Lead, lead: Lead) -> bool:
        """Whether `lead` asked again while the campaign of `running` was already running."""
        found = await self._db.scalar(
            select(_later.c.id)
            .join(leads, came_during_campaign(_later, leads))
            .where(leads.c.id == running.id, _later.c.id == lead.id)
        )
        return found is not None

    async def find_recall(self, running: Lead) -> int | None:
        """The newest request that came during this campaign and has no outcome yet."""
        newest: int | None = await self._db.scalar(
            select(func.max(_later.c.id))
            .join(leads, came_during_campaign(_later, leads))
            .where(leads.c.id == running.id, _later.c.is_target.is_(None))
        )
        return newest

    async def change(self, lead_id: int, **values: Any) -> None:
        """Set columns of a lead, named as in `Lead`."""
        if "campaign_active" in values:
            values["whatsapp_campaign_active"] = values.pop("campaign_active")
        await self._db.execute(update(leads).where(leads.c.id == lead_id).values(**values))

    async def of_phone(self, phone: str) -> Sequence[Lead]:
        """Every request of a client, oldest first."""
        rows = await self._db.execute(
            select(leads).where(leads.c.phone == phone).order_by(leads.c.id)
        )
        return [_lead(row) for row in rows]

    async def _one(self, statement: Select[Any]) -> Lead | None:
        row = (await self._db.execute(statement)).one_or_none()
        return None if row is None else _lead(row)


def _pair(item: Any) -> tuple[str, str]:
    """A label and a value; what somebody's SQL put there instead is shown as it is."""
    match item:
        case [label, value]:
            return str(label), str(value)
    return "", str(item)


def _lead(row: Row[Any]) -> Lead:
    return Lead(
        id=row.id,
        name=row.name,
        phone=row.phone,
        phone_raw=row.phone_raw,
        course=row.course,
        email=row.email,
        comment=row.comment,
        extra=tuple(map(_pair, row.extra)),
        source=row.source,
        problems=tuple(map(str, row.problems)),
        submission_id=row.submission_id,
        call_status=row.call_status,
        is_target=row.is_target,
        step=row.step,
        campaign_active=row.whatsapp_campaign_active,
        campaign_started_at=row.campaign_started_at,
        campaign_end=row.campaign_end,
        last_whatsapp_sent_at=row.last_whatsapp_sent_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
