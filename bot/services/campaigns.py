"""Beginning and ending a lead's campaign, inside the transaction of the decision about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import schedule, templates
from bot.domain.courses import Courses
from bot.domain.delivery import Rules
from storage.models import CampaignEnd, Lead, NewRow, RowStatus, Template
from storage.storage import Unit


@dataclass(frozen=True, slots=True)
class Campaigns:
    """What a campaign is made of: courses, sending rules, and how long a "yes" can be undone."""

    courses: Courses
    rules: Rules
    undo: timedelta

    async def start(self, unit: Unit, lead: Lead, now: datetime) -> int:
        """Queue every active template of the lead's course that has not gone yet.

        A text that cannot be made becomes a failed row that says why; the others go on. Returns
        how many messages wait; with none the campaign is over at once.
        """
        gone = await unit.queue.templates_gone(lead.id)
        wanted = [t for t in await unit.templates.for_course(lead.course) if t.name not in gone]
        rows = self._rows(lead, wanted, now)
        waiting = sum(row.status is RowStatus.PENDING for row in rows)
        active = waiting > 0 or lead.campaign_active
        await unit.leads.change(
            lead.id,
            campaign_active=active,
            campaign_started_at=now,
            campaign_end=None if active else CampaignEnd.FINISHED,
        )
        await unit.queue.add(rows, now)
        return waiting

    async def end(self, unit: Unit, lead: Lead, why: CampaignEnd, words: str) -> int:
        """End the lead's campaign by a person's will; returns how many messages were cancelled."""
        await unit.leads.change(lead.id, campaign_active=False, campaign_end=why)
        return await unit.queue.cancel_pending(lead.id, words)

    def _rows(self, lead: Lead, wanted: Sequence[Template], now: datetime) -> list[NewRow]:
        moments = schedule.plan(
            [template.delay_days for template in wanted],
            now,
            undo=self.undo,
            gap=self.rules.gap,
            window=self.rules.window,
        )
        return [self._row(lead, t, at) for t, at in zip(wanted, moments, strict=True)]

    def _row(self, lead: Lead, template: Template, at: datetime) -> NewRow:
        text, error = template.content, None
        try:
            text = templates.render(template.content, self._values(lead))
        except templates.RenderError as problem:
            error = str(problem)
        return NewRow(
            lead_id=lead.id,
            phone=lead.phone,
            template=template.name,
            text=text,
            day=template.delay_days,
            scheduled_at=at,
            status=RowStatus.FAILED if error else RowStatus.PENDING,
            error=error,
        )

    def _values(self, lead: Lead) -> dict[str, str]:
        course = self.courses.get(lead.course)
        return {
            "name": lead.name,
            "phone": f"+{lead.phone}" if lead.phone else "",
            "course": course.title if course else "",
            "instructor_name": course.instructor_name if course else "",
        }
