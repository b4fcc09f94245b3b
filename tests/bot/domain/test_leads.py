"""Where a lead stands, and what may be done with it there."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.leads import (
    ALLOWED,
    Action,
    Stage,
    last,
    missed_calls,
    outcome_before_yes,
    stage,
    taker,
    undo_until,
)
from storage.models import CallStatus, EventKind, RowStatus, Step
from tests.builders import MARIA, MONDAY_10, PYOTR, make_event, make_lead, make_row

CALLED, NO_ANSWER = CallStatus.CALLED, CallStatus.NO_ANSWER

STAGES = {
    "new": ({}, Stage.OPEN),
    "called in vain": ({"call_status": NO_ANSWER}, Stage.OPEN),
    "called": ({"call_status": CALLED}, Stage.ASKING),
    "yes": ({"call_status": CALLED, "is_target": True}, Stage.YES),
    "yes, not called": ({"is_target": True}, Stage.YES),
    "no": ({"call_status": CALLED, "is_target": False}, Stage.NO),
    "phone asked": ({"step": Step.PHONE}, Stage.NEEDS_PHONE),
    "course asked": ({"step": Step.COURSE}, Stage.NEEDS_COURSE),
    "campaign runs": ({"step": Step.RUNNING}, Stage.RUNNING),
    "phone asked after a no": ({"step": Step.PHONE, "is_target": False}, Stage.NEEDS_PHONE),
    "course asked after a no": ({"step": Step.COURSE, "is_target": False}, Stage.NEEDS_COURSE),
    "campaign runs, after a no": ({"step": Step.RUNNING, "is_target": False}, Stage.RUNNING),
    "fixing a yes": ({"step": Step.FIX, "is_target": True}, Stage.FIXING),
    "fixing a no": ({"step": Step.FIX, "is_target": False}, Stage.FIXING),
    "fixing nothing": ({"step": Step.FIX, "call_status": CALLED}, Stage.ASKING),
    "stopping": (
        {"step": Step.STOP, "is_target": True, "campaign_active": True},
        Stage.STOPPING,
    ),
    "stopping what has ended": ({"step": Step.STOP, "is_target": True}, Stage.YES),
    "stopping after a no by SQL": (
        {"step": Step.STOP, "is_target": False, "campaign_active": True},
        Stage.STOPPING,
    ),
    "stopping, the outcome taken back by SQL": (
        {"step": Step.STOP, "campaign_active": True},
        Stage.OPEN,
    ),
}


@pytest.mark.parametrize(("values", "expected"), STAGES.values(), ids=STAGES)
def test_stage(values: dict[str, Any], expected: Stage) -> None:
    """The stage follows from the lead's row alone."""
    assert expected is stage(make_lead(**values))


WHERE = {
    Action.TAKE: {Stage.OPEN},
    Action.CALLED: {Stage.OPEN},
    Action.NO_ANSWER: {Stage.OPEN},
    Action.YES: {Stage.ASKING, Stage.FIXING},
    Action.NO: {Stage.ASKING, Stage.FIXING},
    Action.COURSE: {Stage.NEEDS_COURSE},
    Action.GO_ON: {Stage.RUNNING},
    Action.RESTART: {Stage.RUNNING},
    Action.UNDO: {Stage.YES},
    Action.STOP: {Stage.YES},
    Action.STOP_YES: {Stage.STOPPING},
    Action.FIX: {Stage.YES, Stage.NO},
    Action.COMMENT: {Stage.OPEN, Stage.ASKING, Stage.YES, Stage.NO},
    Action.BACK: {
        Stage.ASKING,
        Stage.NEEDS_PHONE,
        Stage.NEEDS_COURSE,
        Stage.RUNNING,
        Stage.FIXING,
        Stage.STOPPING,
    },
}


@pytest.mark.parametrize("action", Action)
def test_allowed(action: Action) -> None:
    """An action is allowed at just these stages."""
    assert WHERE[action] == {where for where in Stage if action in ALLOWED[where]}


DUE = MONDAY_10 + timedelta(seconds=15)
WELCOME = {"day": 0, "scheduled_at": DUE}
RUNNING = {"campaign_active": True, "campaign_started_at": MONDAY_10}
BEFORE = MONDAY_10 - timedelta(days=1)

UNDO = {
    "welcome waits": (RUNNING, [WELCOME, {"day": 1}], DUE),
    "of two welcomes the first": (
        RUNNING,
        [WELCOME, {"day": 0, "scheduled_at": DUE + timedelta(hours=20)}],
        DUE,
    ),
    "no welcome": (RUNNING, [{"day": 1}], None),
    "no rows": (RUNNING, [], None),
    "welcome failed": (RUNNING, [WELCOME | {"status": RowStatus.FAILED}], None),
    "welcome cancelled": (RUNNING, [WELCOME | {"status": RowStatus.CANCELLED}], None),
    "welcome on its way": (RUNNING, [WELCOME | {"status": RowStatus.SENDING}], None),
    "welcome gone": (RUNNING, [WELCOME | {"status": RowStatus.SENT}], None),
    "welcome perhaps gone": (RUNNING, [WELCOME | {"status": RowStatus.UNKNOWN}], None),
    "another has gone": (RUNNING, [WELCOME, {"day": 1, "status": RowStatus.SENT}], None),
    "gone in an older campaign": (
        RUNNING,
        [WELCOME, {"day": 0, "status": RowStatus.SENT, "created_at": BEFORE}],
        DUE,
    ),
    "welcome of an older campaign": (RUNNING, [WELCOME | {"created_at": BEFORE}], None),
    "not running": ({"campaign_started_at": MONDAY_10}, [WELCOME], None),
    "started by SQL": ({"campaign_active": True}, [WELCOME], None),
}


@pytest.mark.parametrize(("lead", "rows", "expected"), UNDO.values(), ids=UNDO)
def test_undo_until(
    lead: dict[str, Any], rows: list[dict[str, Any]], expected: datetime | None
) -> None:
    """A "yes" can be taken back until its welcome is due, while nothing of it has gone."""
    assert expected == undo_until(make_lead(**lead), [make_row(**row) for row in rows])


YES, NO, UNDONE = EventKind.YES, EventKind.NO, EventKind.UNDONE

BEFORE_YES = {
    "nothing": ([], None),
    "first yes": ([YES], None),
    "no, then yes": ([NO, YES], False),
    "yes confirmed": ([NO, YES, YES], False),
    "undone, then yes": ([YES, UNDONE, YES], None),
    "no, undone back to it, then yes": ([NO, YES, UNDONE, YES], False),
    "yes, no, yes": ([YES, NO, YES], False),
}


@pytest.mark.parametrize(("kinds", "expected"), BEFORE_YES.values(), ids=BEFORE_YES)
def test_outcome_before_yes(kinds: list[EventKind], expected: bool | None) -> None:
    """A "yes" that corrected a "no" is known, whatever else happened in between."""
    events = [make_event(kind) for known in kinds for kind in (EventKind.COMMENT, known)]

    assert expected is outcome_before_yes(events)


HISTORY = [
    make_event(EventKind.TAKEN, PYOTR),
    make_event(EventKind.NO_ANSWER),
    make_event(EventKind.TAKEN, MARIA),
    make_event(EventKind.NO_ANSWER, PYOTR),
    make_event(EventKind.CALLED),
]


def test_what_is_read_out_of_the_events() -> None:
    """Attempts are counted, the first taker has taken it, the last event of some kinds is found."""
    assert 2 == missed_calls(HISTORY)
    assert HISTORY[0] == taker(HISTORY)
    assert HISTORY[3] == last(HISTORY, EventKind.NO_ANSWER, EventKind.TAKEN)


def test_what_is_read_out_of_no_events() -> None:
    """Nothing happened: nobody called, took or did anything."""
    assert (0, None, None) == (missed_calls([]), taker([]), last(HISTORY, EventKind.YES))
