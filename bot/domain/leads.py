"""Where a lead stands, what may be done with it there, and until when a "yes" can be taken back.

The buttons of a card and the refusal of a press that came too late both follow from this table.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, StrEnum

from storage.models import CallStatus, EventKind, Lead, LeadEvent, QueueRow, RowStatus, Step


class Stage(Enum):
    """What a lead's card is about just now."""

    OPEN = "open"  # nobody has reached the client yet
    ASKING = "asking"  # called: is the client a target?
    NEEDS_PHONE = "needs_phone"
    NEEDS_COURSE = "needs_course"
    RUNNING = "running"  # "yes", but the phone has a campaign of another request
    YES = "yes"
    NO = "no"
    FIXING = "fixing"  # the outcome is asked for again
    STOPPING = "stopping"  # stop the campaign, really?


class Action(StrEnum):
    """What a person may do with a lead; the value travels in a button, so it is short."""

    TAKE = "take"
    CALLED = "called"
    NO_ANSWER = "noans"
    YES = "yes"
    NO = "no"
    BACK = "back"
    COURSE = "course"
    GO_ON = "goon"
    RESTART = "restart"
    UNDO = "undo"
    STOP = "stop"
    STOP_YES = "stopyes"
    FIX = "fix"
    COMMENT = "comment"


_BY_STEP = {
    Step.PHONE: Stage.NEEDS_PHONE,
    Step.COURSE: Stage.NEEDS_COURSE,
    Step.RUNNING: Stage.RUNNING,
}

ALLOWED: dict[Stage, frozenset[Action]] = {
    Stage.OPEN: frozenset({Action.TAKE, Action.CALLED, Action.NO_ANSWER, Action.COMMENT}),
    Stage.ASKING: frozenset({Action.YES, Action.NO, Action.BACK, Action.COMMENT}),
    Stage.NEEDS_PHONE: frozenset({Action.BACK}),
    Stage.NEEDS_COURSE: frozenset({Action.COURSE, Action.BACK}),
    Stage.RUNNING: frozenset({Action.GO_ON, Action.RESTART, Action.BACK}),
    Stage.YES: frozenset({Action.UNDO, Action.STOP, Action.FIX, Action.COMMENT}),
    Stage.NO: frozenset({Action.FIX, Action.COMMENT}),
    Stage.FIXING: frozenset({Action.YES, Action.NO, Action.BACK}),
    Stage.STOPPING: frozenset({Action.STOP_YES, Action.BACK}),
}


def stage(lead: Lead) -> Stage:
    """Where the lead stands."""
    if lead.step in _BY_STEP:
        return _BY_STEP[lead.step]
    if lead.is_target is not None:
        if lead.step is Step.FIX:
            return Stage.FIXING
        if lead.step is Step.STOP and lead.campaign_active:
            return Stage.STOPPING
        return Stage.YES if lead.is_target else Stage.NO
    return Stage.ASKING if lead.call_status is CallStatus.CALLED else Stage.OPEN


def undo_until(lead: Lead, rows: Iterable[QueueRow]) -> datetime | None:
    """Until when the "yes" can be taken back: its welcome still waits, and nothing has gone."""
    if not lead.campaign_active or lead.campaign_started_at is None:
        return None
    ours = [row for row in rows if row.created_at >= lead.campaign_started_at]
    gone = {RowStatus.SENDING, RowStatus.SENT, RowStatus.UNKNOWN}
    if any(row.status in gone for row in ours):
        return None
    waiting = (r.scheduled_at for r in ours if r.day == 0 and r.status is RowStatus.PENDING)
    return min(waiting, default=None)


def outcome_before_yes(events: Iterable[LeadEvent]) -> bool | None:
    """What the outcome was before the last "yes": whether it had been "no", or None."""
    outcome, before = None, None
    for event in events:
        match event.kind:
            case EventKind.YES:
                before, outcome = (before if outcome else outcome), True
            case EventKind.NO:
                outcome = False
            case EventKind.UNDONE:
                outcome = before
    return before


def missed_calls(events: Iterable[LeadEvent]) -> int:
    """How often the client was called in vain."""
    return sum(event.kind is EventKind.NO_ANSWER for event in events)


def taker(events: Iterable[LeadEvent]) -> LeadEvent | None:
    """Who took the lead first."""
    return next((event for event in events if event.kind is EventKind.TAKEN), None)


def last(events: Iterable[LeadEvent], *kinds: EventKind) -> LeadEvent | None:
    """The newest event of those kinds."""
    found = None
    for event in events:
        if event.kind in kinds:
            found = event
    return found
