"""What managers say of a call, on a real database."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.leads import ALLOWED, Action, Stage, stage
from bot.services.bells import Bells
from bot.services.calls import Calls, Press, Pressed, What
from storage.models import (
    CallStatus,
    CampaignEnd,
    EventKind,
    PostKind,
    QueueRow,
    RowStatus,
    Step,
)
from storage.storage import Storage
from tests.builders import MARIA, MONDAY_10, PHONE, PYOTR, new_row

PENDING, SENT, CANCELLED = RowStatus.PENDING, RowStatus.SENT, RowStatus.CANCELLED
CALLED = {"call_status": CallStatus.CALLED}
DONE = Pressed(What.DONE)
SOON = MONDAY_10 + timedelta(seconds=15)


async def go_out(world, row: QueueRow, status: RowStatus = SENT) -> None:
    """Let a message leave, with that outcome."""

    async def work(unit):
        await unit.queue.claim(row.id, "claim", world.clock.now())
        if status is SENT:
            await unit.queue.mark_sent(row.id, "claim", world.clock.now(), {"idMessage": "3EB0"})
        else:
            await unit.queue.mark_unknown(row.id, "claim", "нет ответа")

    await world.storage.run(work)


# --- where each press is taken, and where not ---------------------------------------------------

SETUPS: dict[Stage, dict[str, Any]] = {
    Stage.OPEN: {},
    Stage.ASKING: CALLED,
    Stage.NEEDS_PHONE: CALLED | {"phone": None, "step": Step.PHONE},
    Stage.NEEDS_COURSE: CALLED | {"course": None, "step": Step.COURSE},
    Stage.RUNNING: CALLED | {"step": Step.RUNNING},
    Stage.YES: CALLED | {"is_target": True},
    Stage.NO: CALLED | {"is_target": False},
    Stage.FIXING: CALLED | {"is_target": False, "step": Step.FIX},
    Stage.STOPPING: CALLED | {"is_target": True, "step": Step.STOP},
}
ARGS = {Action.NO_ANSWER: "0", Action.COURSE: "acting"}


async def arrange(world, where: Stage) -> None:
    """Lead 1 stands there, somebody has touched it, and a campaign runs where it can."""
    await world.add_lead()
    if where in (Stage.YES, Stage.STOPPING):
        await world.queue(new_row(scheduled_at=SOON))
    if where is not Stage.OPEN:
        await world.change(1, **SETUPS[where])
    await world.calls.comment(1, PYOTR, "звонил утром")
    assert where is stage(await world.lead())


@pytest.mark.parametrize("where", Stage)
async def test_illegal_presses_change_nothing(world, where: Stage) -> None:
    """A button that does not belong where the lead stands is too late, and changes nothing."""
    await arrange(world, where)
    before = await world.snapshot()
    illegal = [action for action in Action if action not in ALLOWED[where]]
    answers = [await world.press(action, arg=ARGS.get(action, "")) for action in illegal]

    assert [Pressed(What.LATE, name="Пётр")] * len(illegal) == answers
    assert before == await world.snapshot()


EFFECTS = {
    (Stage.OPEN, Action.TAKE): (What.DONE, Stage.OPEN, EventKind.TAKEN),
    (Stage.OPEN, Action.CALLED): (What.DONE, Stage.ASKING, EventKind.CALLED),
    (Stage.OPEN, Action.NO_ANSWER): (What.DONE, Stage.OPEN, EventKind.NO_ANSWER),
    (Stage.OPEN, Action.COMMENT): (What.ASK_COMMENT, Stage.OPEN, None),
    (Stage.ASKING, Action.YES): (What.STARTED, Stage.YES, EventKind.YES),
    (Stage.ASKING, Action.NO): (What.REFUSED, Stage.NO, EventKind.NO),
    (Stage.ASKING, Action.BACK): (What.DONE, Stage.OPEN, EventKind.BACK),
    (Stage.ASKING, Action.COMMENT): (What.ASK_COMMENT, Stage.ASKING, None),
    (Stage.NEEDS_PHONE, Action.BACK): (What.DONE, Stage.ASKING, None),
    (Stage.NEEDS_COURSE, Action.COURSE): (What.STARTED, Stage.YES, EventKind.YES),
    (Stage.NEEDS_COURSE, Action.BACK): (What.DONE, Stage.ASKING, None),
    (Stage.RUNNING, Action.GO_ON): (What.STARTED, Stage.YES, EventKind.YES),
    (Stage.RUNNING, Action.RESTART): (What.STARTED, Stage.YES, EventKind.YES),
    (Stage.RUNNING, Action.BACK): (What.DONE, Stage.ASKING, None),
    (Stage.YES, Action.UNDO): (What.TOO_LATE_TO_UNDO, Stage.YES, None),
    (Stage.YES, Action.STOP): (What.DONE, Stage.STOPPING, None),
    (Stage.YES, Action.FIX): (What.DONE, Stage.FIXING, None),
    (Stage.YES, Action.COMMENT): (What.ASK_COMMENT, Stage.YES, None),
    (Stage.NO, Action.FIX): (What.DONE, Stage.FIXING, None),
    (Stage.NO, Action.COMMENT): (What.ASK_COMMENT, Stage.NO, None),
    (Stage.FIXING, Action.YES): (What.STARTED, Stage.YES, EventKind.YES),
    (Stage.FIXING, Action.NO): (What.REFUSED, Stage.NO, EventKind.NO),
    (Stage.FIXING, Action.BACK): (What.DONE, Stage.NO, None),
    (Stage.STOPPING, Action.STOP_YES): (What.STOPPED, Stage.YES, EventKind.STOPPED),
    (Stage.STOPPING, Action.BACK): (What.DONE, Stage.YES, None),
}


def test_every_legal_press_is_in_the_table() -> None:
    """The table of effects forgets no button of any card."""
    legal = {(where, action) for where in Stage for action in ALLOWED[where]}

    assert legal == set(EFFECTS)


@pytest.mark.parametrize(
    ("where", "action"), EFFECTS, ids=[f"{where.value}-{action}" for where, action in EFFECTS]
)
async def test_legal_press(world, where: Stage, action: Action) -> None:
    """A button that belongs where the lead stands moves it, and says who did it."""
    what, there, event = EFFECTS[where, action]
    await arrange(world, where)
    answer = await world.press(action, arg=ARGS.get(action, ""))
    events = await world.notes()

    assert what is answer.what
    assert there is stage(await world.lead())
    assert (event is None) == (len(events) == 1)
    assert event is None or (event, "Мария") == events[-1][:2]


async def test_press_on_a_deleted_lead(world) -> None:
    """A card whose lead was deleted answers that it is gone."""
    answers = [
        await world.press(Action.TAKE),
        await world.calls.comment(1, MARIA, "есть тут кто?"),
        await world.calls.phone(1, MARIA, PHONE),
    ]

    assert [Pressed(What.GONE)] * 3 == answers


async def test_a_press_is_shown_first(world) -> None:
    """Whatever came of a press, its card is to be drawn before others, and the loops are woken."""
    await world.add_lead()
    await world.press(Action.UNDO)
    [card] = await world.posts(PostKind.CARD)

    assert card.urgent
    assert world.bells.posts.is_set()
    assert world.bells.queue.is_set()


# --- taking, calling ----------------------------------------------------------------------------


async def test_two_takers(world) -> None:
    """The second taker is told who was first; the first may press as often as she likes."""
    await world.add_lead()
    answers = [
        await world.press(Action.TAKE),
        await world.press(Action.TAKE, actor=PYOTR),
        await world.press(Action.TAKE),
    ]

    assert [DONE, Pressed(What.TAKEN_FIRST_BY, name="Мария"), DONE] == answers
    assert [EventKind.TAKEN] == await world.events()


async def test_taking_forbids_nothing(world) -> None:
    """Another manager may call a lead that somebody took."""
    await world.add_lead()
    await world.press(Action.TAKE)

    assert DONE == await world.press(Action.CALLED, actor=PYOTR)


async def test_no_answer_counts_what_its_card_showed(world) -> None:
    """A second press on the same card counts nothing; on the next card it counts."""
    await world.add_lead()
    answers = [await world.press(Action.NO_ANSWER, arg=arg) for arg in ("0", "0", "", "7", "1")]

    late = Pressed(What.LATE, name="Мария")
    assert [DONE, late, late, late, DONE] == answers
    assert [EventKind.NO_ANSWER] * 2 == await world.events()
    assert CallStatus.NO_ANSWER is (await world.lead()).call_status


@pytest.mark.parametrize(
    ("missed", "status"), [(0, CallStatus.NOT_CALLED), (1, CallStatus.NO_ANSWER)]
)
async def test_back_is_as_before_the_call(world, missed: int, status: CallStatus) -> None:
    """Back from the question leaves the lead as it was before «Позвонил»."""
    await world.add_lead()
    for number in range(missed):
        await world.press(Action.NO_ANSWER, arg=str(number))
    await world.press(Action.CALLED)
    called = (await world.lead()).call_status
    await world.press(Action.BACK)

    assert CallStatus.CALLED is called
    assert status is (await world.lead()).call_status


# --- yes ----------------------------------------------------------------------------------------


async def test_yes_starts_the_campaign(world) -> None:
    """A "yes" queues one row a template, at its local time, and says how many."""
    await world.add_called_lead()
    answer = await world.press(Action.YES)
    lead, rows = await world.lead(), await world.rows()

    assert Pressed(What.STARTED, number=4) == answer
    assert (True, True, MONDAY_10, None) == (
        lead.is_target,
        lead.campaign_active,
        lead.campaign_started_at,
        lead.campaign_end,
    )
    day = timedelta(days=1)
    assert [
        ("welcome", SOON),
        ("day1_acting", MONDAY_10 + day),
        ("day3", MONDAY_10 + 3 * day),
        ("day7", MONDAY_10 + 7 * day),
    ] == [(row.template, row.scheduled_at) for row in rows]
    assert {(PENDING, PHONE)} == {(row.status, row.phone) for row in rows}


async def test_two_managers_say_yes_at_once(world) -> None:
    """Of two presses at once one starts the campaign, the other is told by whom."""
    await world.add_called_lead()
    first, second = await asyncio.gather(
        world.press(Action.YES), world.press(Action.YES, actor=PYOTR)
    )

    assert Pressed(What.STARTED, number=4) == first
    assert Pressed(What.LATE, name="Мария") == second
    assert 4 == len(await world.rows())


async def test_yes_and_no_at_once(world) -> None:
    """Of a "yes" and a "no" at once the first counts."""
    await world.add_called_lead()
    first, second = await asyncio.gather(
        world.press(Action.NO), world.press(Action.YES, actor=PYOTR)
    )

    assert [What.REFUSED, What.LATE] == [first.what, second.what]
    assert [] == await world.rows()


async def test_yes_without_a_phone_asks_for_it(world) -> None:
    """Without a phone "yes" asks for one; a text that is none changes nothing."""
    await world.add_called_lead(phone=None, phone_raw="12-34")
    asked = await world.press(Action.YES)
    before = await world.snapshot()
    bad = await world.calls.phone(1, MARIA, "не знаю")
    after = await world.snapshot()
    good = await world.calls.phone(1, MARIA, "8 (900) 123-45-67")
    lead = await world.lead()

    assert [What.ASK_PHONE, What.BAD_PHONE, What.STARTED] == [asked.what, bad.what, good.what]
    assert before == after
    assert (PHONE, None, None) == (lead.phone, lead.phone_raw, lead.step)
    assert {PHONE} == {row.phone for row in await world.rows()}
    assert (EventKind.PHONE_SET, "Мария", "+79001234567") in await world.notes()


async def test_phone_that_nobody_asked_for(world) -> None:
    """A phone sent after the step was left is too late."""
    await world.add_called_lead(phone=None)
    await world.press(Action.YES)
    await world.press(Action.BACK)
    before = await world.snapshot()

    assert What.LATE is (await world.calls.phone(1, MARIA, PHONE)).what
    assert before == await world.snapshot()


async def test_leaving_the_question_for_the_phone(world) -> None:
    """Who leaves the question is back at the outcome; at any other stage nothing happens."""
    await world.add_called_lead(phone=None)
    await world.press(Action.YES)
    await world.calls.forget_phone_step(1, MARIA)
    asking = stage(await world.lead())
    await world.press(Action.NO)
    await world.press(Action.FIX)
    await world.calls.forget_phone_step(1, MARIA)

    assert [Stage.ASKING, Stage.FIXING] == [asking, stage(await world.lead())]


@pytest.mark.parametrize("course", [None, "vocal"], ids=["none", "not configured"])
async def test_yes_without_a_course_asks_for_it(world, course: str | None) -> None:
    """Without a course of ours "yes" asks which; the chosen one's templates are queued."""
    await world.add_called_lead(course=course)
    asked = await world.press(Action.YES)
    chosen = await world.press(Action.COURSE, arg="oratory")

    assert [What.ASK_COURSE, What.STARTED] == [asked.what, chosen.what]
    assert "oratory" == (await world.lead()).course
    assert "day1_oratory" == (await world.rows())[1].template
    assert (EventKind.COURSE_SET, "Мария", "Ораторское искусство") in await world.notes()


@pytest.mark.parametrize("arg", ["", "vocal", "Актёрское мастерство"])
async def test_forged_course(world, arg: str) -> None:
    """A course that is not configured is no choice."""
    await world.add_called_lead(course=None)
    await world.press(Action.YES)
    before = await world.snapshot()

    assert What.LATE is (await world.press(Action.COURSE, arg=arg)).what
    assert before == await world.snapshot()


async def test_yes_without_phone_and_course(world) -> None:
    """Both are asked for, one after the other."""
    await world.add_called_lead(phone=None, course=None)
    answers = [
        await world.press(Action.YES),
        await world.calls.phone(1, MARIA, PHONE),
        await world.press(Action.COURSE, arg="acting"),
    ]

    assert [What.ASK_PHONE, What.ASK_COURSE, What.STARTED] == [answer.what for answer in answers]


async def test_yes_with_nothing_to_send(world) -> None:
    """Without active templates "yes" is written down and says that nothing goes."""
    world.sql("UPDATE whatsapp_templates SET active = FALSE")
    await world.add_called_lead()
    answer = await world.press(Action.YES)
    lead = await world.lead()

    assert Pressed(What.NOTHING_TO_SEND) == answer
    assert (True, False, CampaignEnd.FINISHED) == (
        lead.is_target,
        lead.campaign_active,
        lead.campaign_end,
    )


# --- a phone that has a campaign already --------------------------------------------------------


async def two_leads_of_one_phone(world) -> None:
    """Two requests of one client, and the campaign of the first begun after both came."""
    await world.add_called_lead()
    await world.add_called_lead()
    world.clock.jump(60)
    await world.press(Action.YES, 1)


async def test_yes_for_a_phone_with_a_campaign_asks(world) -> None:
    """A second campaign of one phone is not begun; the card asks what to do."""
    await two_leads_of_one_phone(world)
    answer = await world.press(Action.YES, 2)

    assert Pressed(What.ASK_RUNNING, number=1) == answer
    assert Stage.RUNNING is stage(await world.lead(2))
    assert [] == await world.rows(2)


async def test_going_on(world, jump) -> None:
    """Going on leaves the running campaign where it was, and what is overdue counts as due now."""
    await two_leads_of_one_phone(world)
    await world.press(Action.YES, 2)
    jump(days=2)
    answer = await world.press(Action.GO_ON, 2)
    lead = await world.lead(2)

    now = world.clock.now()
    assert Pressed(What.GOES_ON, number=1) == answer
    assert (True, False, None) == (lead.is_target, lead.campaign_active, lead.step)
    assert [now, now] == [row.scheduled_at for row in (await world.rows(1))[:2]]
    assert [PENDING] * 4 == await world.statuses(1)
    assert [] == await world.rows(2)


async def test_starting_anew(world) -> None:
    """Starting anew ends the other campaign and begins one for this request."""
    await two_leads_of_one_phone(world)
    await world.press(Action.YES, 2)
    answer = await world.press(Action.RESTART, 2)
    older = await world.lead(1)

    assert Pressed(What.STARTED, number=4) == answer
    assert (False, CampaignEnd.STOPPED) == (older.campaign_active, older.campaign_end)
    assert {"начата рассылка по новой заявке"} == {row.error for row in await world.rows(1)}
    assert [CANCELLED] * 4 == await world.statuses(1)
    assert [PENDING] * 4 == await world.statuses(2)


@pytest.mark.parametrize("action", [Action.GO_ON, Action.RESTART])
async def test_the_other_campaign_ended_meanwhile(world, action: Action) -> None:
    """If the other campaign is over when the question is answered, this one begins."""
    await two_leads_of_one_phone(world)
    await world.press(Action.YES, 2)
    await world.press(Action.STOP, 1)
    await world.press(Action.STOP_YES, 1)

    assert Pressed(What.STARTED, number=4) == await world.press(action, 2)


async def recalled_client(world, jump) -> None:
    """A client whose campaign runs, and who asks again a day later and is called."""
    await world.add_called_lead()
    await world.press(Action.YES, 1)
    jump(days=1)
    await world.add_called_lead()


async def test_yes_of_a_recall_lets_the_campaign_go_on(world, jump) -> None:
    """A new "yes" of the client lets the campaign go on where it was, without asking."""
    await recalled_client(world, jump)
    answer = await world.press(Action.YES, 2)

    assert Pressed(What.GOES_ON, number=1) == answer
    assert [PENDING] * 4 == await world.statuses(1)
    assert [] == await world.rows(2)


async def test_no_of_a_recall_cancels_the_rest(world, jump) -> None:
    """A new "no" of the client ends the campaign that runs."""
    await recalled_client(world, jump)
    await go_out(world, (await world.rows(1))[0])
    await world.press(Action.NO, 2)
    older = await world.lead(1)

    assert [SENT, CANCELLED, CANCELLED, CANCELLED] == await world.statuses(1)
    assert (False, CampaignEnd.REFUSED) == (older.campaign_active, older.campaign_end)
    assert {None, "клиент отказался"} == {row.error for row in await world.rows(1)}


async def test_no_to_an_older_request_ends_no_other_campaign(world) -> None:
    """A "no" to a request that came before the campaign is no word about that campaign."""
    await two_leads_of_one_phone(world)
    await world.press(Action.NO, 2)

    assert [PENDING] * 4 == await world.statuses(1)


async def test_fixing_a_recall(world, jump) -> None:
    """A corrected "no" of a new request ends the campaign that its "yes" had let go on."""
    await recalled_client(world, jump)
    for action in (Action.YES, Action.FIX, Action.NO):
        await world.press(action, 2)

    assert [CANCELLED] * 4 == await world.statuses(1)


# --- undo ---------------------------------------------------------------------------------------


async def test_undo_in_time(world, jump) -> None:
    """Until the welcome is due a "yes" is taken back as if it had never been pressed."""
    await world.add_called_lead()
    await world.press(Action.YES)
    jump(seconds=14)
    answer = await world.press(Action.UNDO)
    lead = await world.lead()

    assert DONE == answer
    assert Stage.ASKING is stage(lead)
    assert (None, False, CampaignEnd.UNDONE) == (
        lead.is_target,
        lead.campaign_active,
        lead.campaign_end,
    )
    assert {(CANCELLED, "решение отменено")} == {
        (row.status, row.error) for row in await world.rows()
    }


async def test_undo_too_late(world, jump) -> None:
    """Once the welcome is due the "yes" stands, whether or not it has gone."""
    await world.add_called_lead()
    await world.press(Action.YES)
    jump(seconds=15)
    before = await world.snapshot()

    assert Pressed(What.TOO_LATE_TO_UNDO) == await world.press(Action.UNDO)
    assert before == await world.snapshot()


async def test_undo_after_a_restart(world, storage, clock) -> None:
    """A daemon that was started anew takes a "yes" back all the same."""
    await world.add_called_lead()
    await world.press(Action.YES)
    await storage.close()
    again = Storage(f"sqlite:///{storage.path}")
    await again.open()
    calls = Calls(again, world.campaigns, Bells(), clock)
    answer = await calls.press(Press(1, Action.UNDO, PYOTR))
    rows = await again.run(lambda unit: unit.queue.of_lead(1))
    await again.close()

    assert DONE == answer
    assert {CANCELLED} == {row.status for row in rows}


async def test_undo_twice(world) -> None:
    """A second press takes nothing back."""
    await world.add_called_lead()
    await world.press(Action.YES)
    answers = [await world.press(Action.UNDO), await world.press(Action.UNDO)]

    assert [DONE, Pressed(What.LATE, name="Мария")] == answers
    assert 1 == (await world.events()).count(EventKind.UNDONE)


async def test_yes_after_an_undo(world, jump) -> None:
    """After an undo a new "yes" begins the whole campaign from its own moment."""
    await world.add_called_lead()
    await world.press(Action.YES)
    await world.press(Action.UNDO)
    jump(hours=1)
    answer = await world.press(Action.YES)
    waiting = [row for row in await world.rows() if row.status is PENDING]

    assert Pressed(What.STARTED, number=4) == answer
    assert SOON + timedelta(hours=1) == waiting[0].scheduled_at


async def test_undo_of_a_corrected_outcome(world) -> None:
    """A "yes" that corrected a "no" is taken back to that "no", again and again."""
    await world.add_called_lead()
    stages = []
    for action in (Action.NO, *[Action.FIX, Action.YES, Action.UNDO] * 2):
        await world.press(action)
        stages.append(stage(await world.lead()))

    assert [Stage.NO, *[Stage.FIXING, Stage.YES, Stage.NO] * 2] == stages


# --- correcting and stopping --------------------------------------------------------------------


@pytest.mark.parametrize("status", [SENT, RowStatus.UNKNOWN], ids=["sent", "unknown"])
async def test_second_yes_repeats_nothing(world, status: RowStatus) -> None:
    """A second "yes" makes no row for a template that has gone, or may have."""
    await world.add_called_lead()
    await world.press(Action.YES)
    await go_out(world, (await world.rows())[0], status)
    for action in (Action.FIX, Action.NO, Action.FIX):
        await world.press(action)
    answer = await world.press(Action.YES)
    templates = [row.template for row in await world.rows()]

    assert Pressed(What.STARTED, number=3) == answer
    assert 1 == templates.count("welcome")
    assert 2 == templates.count("day3")


async def test_correcting_no_to_yes(world) -> None:
    """A "no" corrected to "yes" begins the campaign."""
    await world.add_called_lead()
    answers = [await world.press(action) for action in (Action.NO, Action.FIX, Action.YES)]

    assert [What.REFUSED, What.DONE, What.STARTED] == [answer.what for answer in answers]
    assert (await world.lead()).campaign_active


async def test_correcting_yes_to_no(world) -> None:
    """A "yes" corrected to "no" cancels what waits and says what had gone."""
    await world.add_called_lead()
    await world.press(Action.YES)
    await go_out(world, (await world.rows())[0])
    await world.press(Action.FIX)
    answer = await world.press(Action.NO)
    lead = await world.lead()

    assert Pressed(What.REFUSED_AFTER, number=1) == answer
    assert [SENT, CANCELLED, CANCELLED, CANCELLED] == await world.statuses()
    assert (False, CampaignEnd.REFUSED) == (lead.is_target, lead.campaign_end)


async def test_correcting_yes_to_yes(world) -> None:
    """A "yes" confirmed changes nothing of the campaign."""
    await world.add_called_lead()
    await world.press(Action.YES)
    before = await world.rows()
    await world.press(Action.FIX)
    answer = await world.press(Action.YES)

    assert Pressed(What.GOES_ON, number=1) == answer
    assert before == await world.rows()


async def test_stopping(world) -> None:
    """Stopping asks once, then cancels the rest and says how many."""
    await world.add_called_lead()
    await world.press(Action.YES)
    await go_out(world, (await world.rows())[0])
    asked = await world.press(Action.STOP)
    waiting = await world.statuses()
    stopped = await world.press(Action.STOP_YES)
    lead = await world.lead()

    assert [DONE, Pressed(What.STOPPED, number=3)] == [asked, stopped]
    assert [SENT, PENDING, PENDING, PENDING] == waiting
    assert [SENT, CANCELLED, CANCELLED, CANCELLED] == await world.statuses()
    assert (True, False, CampaignEnd.STOPPED) == (
        lead.is_target,
        lead.campaign_active,
        lead.campaign_end,
    )


async def test_stopping_what_is_over(world) -> None:
    """An old button of a campaign that is over stops nothing."""
    await world.add_called_lead()
    await world.press(Action.YES)
    await world.press(Action.STOP)
    await world.press(Action.STOP_YES)
    before = await world.snapshot()
    answers = [await world.press(Action.STOP), await world.press(Action.STOP_YES)]

    assert [Pressed(What.LATE, name="Мария")] * 2 == answers
    assert before == await world.snapshot()


# --- comments -----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", Stage)
async def test_comment(world, where: Stage) -> None:
    """A comment is taken wherever the lead stands, and moves nothing."""
    await arrange(world, where)
    lead = await world.lead()
    answer = await world.calls.comment(1, MARIA, "  просит вечер\n")

    assert Pressed(What.COMMENTED) == answer
    assert lead == await world.lead()
    assert (EventKind.COMMENT, "Мария", "просит вечер") == (await world.notes())[-1]
