"""What managers say of a call: every press and answer about a lead, each one transaction.

The truth is the lead's row. A press is looked at where the lead stands at that moment, so a double
press, an old button and a forged one find nothing to do, and of two managers one comes first.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from bot.clock import Clock
from bot.domain import phones
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
from bot.services.bells import Bells
from bot.services.campaigns import Campaigns
from storage.errors import NotFound
from storage.models import Actor, CallStatus, CampaignEnd, EventKind, Lead, RowStatus, Step
from storage.storage import Storage, Unit


class What(Enum):
    """What came of a press; `bot.views.replies` has the words."""

    DONE = auto()
    TAKEN_FIRST_BY = auto()  # `name`: somebody else took the lead before
    LATE = auto()  # the lead does not stand there any more; `name` moved it last
    GONE = auto()  # there is no such lead
    ASK_PHONE = auto()  # `lead`: a text is to be asked for
    ASK_COMMENT = auto()
    BAD_PHONE = auto()
    ASK_COURSE = auto()
    ASK_RUNNING = auto()  # `number`: the lead whose campaign runs on this phone
    STARTED = auto()  # `number` messages wait
    NOTHING_TO_SEND = auto()
    GOES_ON = auto()  # the campaign of lead `number` goes on where it was
    REFUSED = auto()
    REFUSED_AFTER = auto()  # `number` messages had gone before the "no"
    TOO_LATE_TO_UNDO = auto()
    STOPPED = auto()  # `number` messages were cancelled
    COMMENTED = auto()


@dataclass(frozen=True, slots=True)
class Pressed:
    """The outcome of a press."""

    what: What
    name: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Press:
    """Who does what with which lead; `arg` is what the button carries besides.

    An update that is handled again, after a death, has its first outcome and no second effect.
    """

    lead_id: int
    action: Action
    actor: Actor
    arg: str = ""
    update_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Scene:
    """A press, and everything it is judged by."""

    unit: Unit
    lead: Lead
    press: Press
    now: datetime

    async def note(self, kind: EventKind, text: str = "") -> None:
        await self.unit.events.add(self.lead.id, kind, self.now, self.press.actor, text)

    async def change(self, **values: object) -> None:
        await self.unit.leads.change(self.lead.id, **values)


class Calls:
    """The use cases of a lead's card."""

    def __init__(self, storage: Storage, campaigns: Campaigns, bells: Bells, clock: Clock) -> None:
        self._storage = storage
        self._campaigns = campaigns
        self._bells = bells
        self._clock = clock
        self._acts: dict[Action, Callable[[_Scene], Awaitable[Pressed]]] = {
            Action.TAKE: _take,
            Action.CALLED: _called,
            Action.NO_ANSWER: _no_answer,
            Action.YES: self._yes,
            Action.NO: self._no,
            Action.BACK: _back,
            Action.COURSE: self._course,
            Action.GO_ON: self._go_on,
            Action.RESTART: self._restart,
            Action.UNDO: self._undo,
            Action.STOP: _stop,
            Action.STOP_YES: self._stop_yes,
            Action.FIX: _fix,
            Action.COMMENT: _ask_comment,
        }

    async def press(self, press: Press) -> Pressed:
        """Do what a button says, if the lead stands where that button belongs."""
        return await self._on_lead(press, self._judge)

    async def phone(
        self, lead_id: int, actor: Actor, text: str, update_id: int | None = None
    ) -> Pressed:
        """Take the phone that "yes" asked for, and go on with the "yes"."""

        async def work(scene: _Scene) -> Pressed:
            if stage(scene.lead) is not Stage.NEEDS_PHONE:
                return await _late(scene)
            phone = phones.parse(text)
            if phone is None:
                return Pressed(What.BAD_PHONE)
            await scene.change(phone=phone, phone_raw=None, step=None)
            await scene.note(EventKind.PHONE_SET, f"+{phone}")
            return await self._yes(_moved(scene, phone=phone, step=None))

        press = Press(lead_id, Action.YES, actor, update_id=update_id)
        return await self._on_lead(press, work)

    async def comment(
        self, lead_id: int, actor: Actor, text: str, update_id: int | None = None
    ) -> Pressed:
        """Write a manager's comment on the lead."""

        async def work(scene: _Scene) -> Pressed:
            await scene.note(EventKind.COMMENT, text.strip())
            return Pressed(What.COMMENTED)

        press = Press(lead_id, Action.COMMENT, actor, update_id=update_id)
        return await self._on_lead(press, work)

    async def forget_phone_step(self, lead_id: int, actor: Actor) -> None:
        """Somebody left the question for the phone: the card asks for the outcome again."""

        async def work(scene: _Scene) -> Pressed:
            if stage(scene.lead) is Stage.NEEDS_PHONE:
                await scene.change(step=None)
            return Pressed(What.DONE)

        await self._on_lead(Press(lead_id, Action.BACK, actor), work)

    async def _on_lead(self, press: Press, act: Callable[[_Scene], Awaitable[Pressed]]) -> Pressed:
        async def work(unit: Unit) -> Pressed:
            if (known := await _known_effect(unit, press)) is not None:
                return known
            lead = await unit.leads.get(press.lead_id)
            result = await act(_Scene(unit, lead, press, self._clock.now()))
            await unit.posts.urge(press.lead_id)
            await _note_effect(unit, press, result)
            return result

        try:
            result = await self._storage.run(work)
        except NotFound:
            return Pressed(What.GONE)
        self._bells.ring()
        return result

    async def _judge(self, scene: _Scene) -> Pressed:
        if scene.press.action not in ALLOWED[stage(scene.lead)]:
            return await _late(scene)
        return await self._acts[scene.press.action](scene)

    # --- the outcome --------------------------------------------------------------------------

    async def _yes(self, scene: _Scene) -> Pressed:
        lead = scene.lead
        if lead.phone is None:
            await scene.change(step=Step.PHONE)
            return Pressed(What.ASK_PHONE)
        if self._campaigns.courses.get(lead.course) is None:
            await scene.change(step=Step.COURSE)
            return Pressed(What.ASK_COURSE)
        running = await scene.unit.leads.find_active(lead.phone)
        if running is None:
            return await self._start(scene)
        if running.id == lead.id and lead.is_target is not True:
            return await self._start(scene)  # a message put there by SQL is no campaign of ours
        if running.id == lead.id or await scene.unit.leads.is_recall(running, lead):
            return await self._let_go_on(scene, running)
        await scene.change(step=Step.RUNNING)
        return Pressed(What.ASK_RUNNING, number=running.id)

    async def _start(self, scene: _Scene) -> Pressed:
        await scene.change(is_target=True, step=None)
        await scene.note(EventKind.YES)
        waiting = await self._campaigns.start(scene.unit, scene.lead, scene.now)
        return Pressed(What.STARTED if waiting else What.NOTHING_TO_SEND, number=waiting)

    async def _let_go_on(self, scene: _Scene, running: Lead) -> Pressed:
        await scene.change(is_target=True, step=None)
        await scene.note(EventKind.YES)
        await scene.unit.queue.hasten(running.id, scene.now)
        return Pressed(What.GOES_ON, number=running.id)

    async def _no(self, scene: _Scene) -> Pressed:
        unit, lead = scene.unit, scene.lead
        told = [lead.id]
        running = await unit.leads.find_active(lead.phone)
        if running is not None and await unit.leads.is_recall(running, lead):
            await self._campaigns.end(unit, running, CampaignEnd.REFUSED, "клиент отказался")
            told.append(running.id)
        await self._campaigns.end(unit, lead, CampaignEnd.REFUSED, "клиент отказался")
        await scene.change(is_target=False, step=None)
        await scene.note(EventKind.NO)
        rows = [row for lead_id in told for row in await unit.queue.of_lead(lead_id)]
        sent = sum(row.status is RowStatus.SENT for row in rows)
        return Pressed(What.REFUSED_AFTER if sent else What.REFUSED, number=sent)

    async def _course(self, scene: _Scene) -> Pressed:
        course = self._campaigns.courses.get(scene.press.arg)
        if course is None:
            return await _late(scene)
        await scene.change(course=course.key, step=None)
        await scene.note(EventKind.COURSE_SET, course.title)
        return await self._yes(_moved(scene, course=course.key, step=None))

    async def _go_on(self, scene: _Scene) -> Pressed:
        running = await scene.unit.leads.find_active(scene.lead.phone)
        return await (self._let_go_on(scene, running) if running else self._start(scene))

    async def _restart(self, scene: _Scene) -> Pressed:
        running = await scene.unit.leads.find_active(scene.lead.phone)
        if running is not None:
            await self._campaigns.end(
                scene.unit, running, CampaignEnd.STOPPED, "начата рассылка по новой заявке"
            )
        return await self._start(scene)

    # --- taking back and stopping -------------------------------------------------------------

    async def _undo(self, scene: _Scene) -> Pressed:
        until = undo_until(scene.lead, await scene.unit.queue.of_lead(scene.lead.id))
        if until is None or until <= scene.now:
            return Pressed(What.TOO_LATE_TO_UNDO)
        await self._campaigns.end(scene.unit, scene.lead, CampaignEnd.UNDONE, "решение отменено")
        before = outcome_before_yes(await scene.unit.events.of_lead(scene.lead.id))
        await scene.change(is_target=before, step=None)
        await scene.note(EventKind.UNDONE)
        return Pressed(What.DONE)

    async def _stop_yes(self, scene: _Scene) -> Pressed:
        cancelled = await self._campaigns.end(
            scene.unit, scene.lead, CampaignEnd.STOPPED, "рассылку остановил менеджер"
        )
        await scene.change(step=None)
        await scene.note(EventKind.STOPPED)
        return Pressed(What.STOPPED, number=cancelled)


async def _known_effect(unit: Unit, press: Press) -> Pressed | None:
    if press.update_id is None:
        return None
    effect = await unit.inbox.find_effect(press.update_id)
    if effect is None:
        return None
    return Pressed(What[effect["what"]], effect["name"], effect["number"])


async def _note_effect(unit: Unit, press: Press, result: Pressed) -> None:
    if press.update_id is not None:
        effect = {"what": result.what.name, "name": result.name, "number": result.number}
        await unit.inbox.note_effect(press.update_id, effect)


def _moved(scene: _Scene, **values: object) -> _Scene:
    """The scene after the lead was changed."""
    return replace(scene, lead=replace(scene.lead, **values))  # type: ignore[arg-type]


async def _late(scene: _Scene) -> Pressed:
    event = last(await scene.unit.events.of_lead(scene.lead.id), *EventKind)
    return Pressed(What.LATE, name=event.actor_name if event else "")


async def _take(scene: _Scene) -> Pressed:
    first = taker(await scene.unit.events.of_lead(scene.lead.id))
    if first is not None and first.actor_id != scene.press.actor.id:
        return Pressed(What.TAKEN_FIRST_BY, name=first.actor_name)
    if first is None:
        await scene.note(EventKind.TAKEN)
    return Pressed(What.DONE)


async def _called(scene: _Scene) -> Pressed:
    await scene.change(call_status=CallStatus.CALLED)
    await scene.note(EventKind.CALLED)
    return Pressed(What.DONE)


async def _no_answer(scene: _Scene) -> Pressed:
    """The button carries how many attempts its card showed, so a second press counts nothing."""
    missed = missed_calls(await scene.unit.events.of_lead(scene.lead.id))
    if scene.press.arg != str(missed):
        return await _late(scene)
    await scene.change(call_status=CallStatus.NO_ANSWER)
    await scene.note(EventKind.NO_ANSWER)
    return Pressed(What.DONE)


async def _back(scene: _Scene) -> Pressed:
    if stage(scene.lead) is not Stage.ASKING:
        await scene.change(step=None)
        return Pressed(What.DONE)
    missed = missed_calls(await scene.unit.events.of_lead(scene.lead.id))
    await scene.change(call_status=CallStatus.NO_ANSWER if missed else CallStatus.NOT_CALLED)
    await scene.note(EventKind.BACK)
    return Pressed(What.DONE)


async def _stop(scene: _Scene) -> Pressed:
    if not scene.lead.campaign_active:
        return await _late(scene)
    await scene.change(step=Step.STOP)
    return Pressed(What.DONE)


async def _fix(scene: _Scene) -> Pressed:
    await scene.change(step=Step.FIX)
    return Pressed(What.DONE)


async def _ask_comment(_scene: _Scene) -> Pressed:
    return Pressed(What.ASK_COMMENT)
