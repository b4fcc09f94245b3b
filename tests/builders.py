"""Valid records by default; a test overrides what matters to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.courses import Course, Courses
from bot.domain.delivery import Rules
from bot.domain.quiet_hours import Window
from storage.models import (
    Actor,
    CallStatus,
    DueRow,
    EventKind,
    Lead,
    LeadEvent,
    NewLead,
    NewRow,
    QueueRow,
    RowStatus,
)

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY_10 = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # 10:00 in Moscow
PHONE = "79001234567"

MARIA = Actor(101, "Мария")
PYOTR = Actor(102, "Пётр")

ACTING = Course("acting", "Актёрское мастерство", "Казбек Меретуков", ("театр",))
ORATORY = Course("oratory", "Ораторское искусство", "Ольга Штерц", ("речь",))
COURSES = Courses.of([ACTING, ORATORY])

WINDOW = Window(MOSCOW, 9 * 60, 21 * 60, frozenset(range(7)))
ALWAYS = Window(MOSCOW, 0, 24 * 60, frozenset(range(7)))
RULES = Rules(
    window=WINDOW,
    gap=timedelta(hours=20),
    max_late=timedelta(hours=72),
    give_up=timedelta(hours=48),
)

_LEAD = Lead(
    id=1,
    name="Анна",
    phone=PHONE,
    phone_raw=None,
    course="acting",
    email="",
    comment="",
    extra=(),
    source="сайт",
    problems=(),
    submission_id=None,
    call_status=CallStatus.NOT_CALLED,
    is_target=None,
    step=None,
    campaign_active=False,
    campaign_started_at=None,
    campaign_end=None,
    last_whatsapp_sent_at=None,
    created_at=MONDAY_10,
    updated_at=MONDAY_10,
)
_ROW = QueueRow(
    id=1,
    lead_id=1,
    phone=PHONE,
    template="day1_acting",
    text="Добрый день, Анна!",
    day=1,
    scheduled_at=MONDAY_10,
    status=RowStatus.PENDING,
    revived=False,
    attempts=0,
    attempted_at=None,
    first_failed_at=None,
    sent_at=None,
    error=None,
    created_at=MONDAY_10,
)


def make_lead(**values: Any) -> Lead:
    """A lead of Anna's, not called yet."""
    return replace(_LEAD, **values)


def make_row(**values: Any) -> QueueRow:
    """A pending message of day 1, due on Monday at 10:00 in Moscow."""
    return replace(_ROW, **values)


def make_due(row: QueueRow | None = None, **values: Any) -> DueRow:
    """A row that nothing holds back."""
    facts: dict[str, Any] = {
        "is_target": True,
        "campaign_active": True,
        "campaign_end": None,
        "template_active": True,
        "phone_unknown": False,
        "phone_sending": False,
        "last_sent_at": None,
        "recalled_at": None,
    }
    return DueRow(row=row or make_row(), **(facts | values))


def make_event(kind: EventKind, actor: Actor | None = MARIA, note: str = "") -> LeadEvent:
    """Something that happened to lead 1 on Monday at 10:00."""
    return LeadEvent(
        lead_id=1,
        kind=kind,
        actor_id=actor.id if actor else None,
        actor_name=actor.name if actor else "",
        note=note,
        created_at=MONDAY_10,
    )


def new_lead(**values: Any) -> NewLead:
    """A lead to be stored."""
    facts: dict[str, Any] = {
        "name": "Анна",
        "phone": PHONE,
        "phone_raw": None,
        "course": "acting",
        "email": "",
        "comment": "",
        "extra": (),
        "source": "сайт",
    }
    return NewLead(**(facts | values))


def new_row(lead_id: int = 1, **values: Any) -> NewRow:
    """A message to be queued."""
    facts: dict[str, Any] = {
        "lead_id": lead_id,
        "phone": PHONE,
        "template": "day1_acting",
        "text": "Добрый день, Анна!",
        "day": 1,
        "scheduled_at": MONDAY_10,
    }
    return NewRow(**(facts | values))
