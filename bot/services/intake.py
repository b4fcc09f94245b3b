"""A form post becomes a lead: raw first, whole, and once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.clock import Clock
from bot.domain import forms, lead_fields
from bot.domain.courses import Courses
from bot.domain.lead_fields import LeadRequest, Pair
from bot.services.bells import Bells
from bot.services.disk import Disk, Room
from storage.errors import Unavailable
from storage.models import EventKind, Lead, NewLead, RawRequest
from storage.storage import Storage, Unit

_REPEAT = timedelta(minutes=10)

# What repeats may add to one lead: whoever has the form's token can repeat for ever. What does not
# fit stands whole in the raw requests.
_MOST_EXTRA_CHARS = 20_000
_MOST_COMMENTS = 30


class Status(StrEnum):
    """What became of a form post; the words of the answer."""

    OK = "ok"  # the form builder only tried its connection
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNPARSED = "unparsed"  # kept, but without a usable phone


@dataclass(frozen=True, slots=True)
class FormPost:
    """A form post as it came over the wire."""

    body: bytes
    content_type: str
    sender: str
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a form post; `lead_id` is None for a connection test only."""

    status: Status
    lead_id: int | None = None
    problems: tuple[str, ...] = ()


class Intake:
    """Takes leads in. Nothing on the network happens here."""

    def __init__(
        self, storage: Storage, courses: Courses, bells: Bells, clock: Clock, disk: Disk
    ) -> None:
        self._storage = storage
        self._disk = disk
        self._courses = courses
        self._bells = bells
        self._clock = clock

    async def accept(self, post: FormPost) -> Receipt:
        """Store a form post; once this returns, the lead is on disk.

        Raises `storage.errors.Unavailable` when it could not be stored: the sender must try again.
        """
        if not post.body:
            return Receipt(Status.OK)
        form = forms.decode(post.body, post.content_type)
        request = lead_fields.read(form.pairs, self._courses, idempotency_key=post.idempotency_key)
        if request.is_test:
            return Receipt(Status.OK)
        if form.problem:
            request = replace(request, problems=(form.problem, *request.problems))
        now = self._clock.now()
        raw = RawRequest(
            body=post.body,
            content_type=post.content_type,
            sender=post.sender,
            submission_id=request.submission_id,
            received_at=now,
        )
        if self._disk.room() is Room.FULL:
            raise Unavailable("the disk is full: nothing more is taken in")
        receipt = await self._storage.run(lambda unit: _store(unit, request, raw, now))
        self._bells.posts.set()
        return receipt


async def _store(unit: Unit, request: LeadRequest, raw: RawRequest, now: datetime) -> Receipt:
    earlier = await _find_repeated(unit, request, raw, now)
    if earlier is not None:
        await unit.raw_requests.add(raw, earlier)
        await _merge(unit, await unit.leads.get(earlier), request, now)
        return Receipt(Status.DUPLICATE, earlier)
    taken = request.submission_id and await unit.raw_requests.find_by_submission(
        request.submission_id, None
    )
    if taken:  # a form that sends a constant for an id: this is another client
        request = replace(request, submission_id=None)
    lead_id = await unit.leads.add(_new_lead(request), now)
    await unit.raw_requests.add(raw, lead_id)
    if request.phone is None:
        return Receipt(Status.UNPARSED, lead_id, request.problems)
    return Receipt(Status.ACCEPTED, lead_id)


async def _find_repeated(
    unit: Unit, request: LeadRequest, raw: RawRequest, now: datetime
) -> int | None:
    """The lead this post repeats: by submission id, by its body, or by phone and course."""
    since = now - _REPEAT
    if request.submission_id:
        known = await unit.raw_requests.find_by_submission(request.submission_id, request.phone)
        if known is not None:
            return known
    same = await unit.raw_requests.find_by_body(raw.body, since)
    if same is not None or request.phone is None:
        return same
    twin = await unit.leads.find_twin(request.phone, request.course, since)
    return twin.id if twin else None


async def _merge(unit: Unit, lead: Lead, request: LeadRequest, now: datetime) -> None:
    """Fill what was empty; never overwrite; a new comment stands beside the old one."""
    filled: dict[str, object] = {}
    for field in ("name", "email", "comment"):
        if not getattr(lead, field) and getattr(request, field):
            filled[field] = getattr(request, field)
    if lead.phone is None and request.phone is not None:
        filled |= {"phone": request.phone, "phone_raw": None, "problems": request.problems}
    if lead.course is None and request.course is not None and lead.is_target is None:
        filled["course"] = request.course
    if more := _further(lead, request):
        filled["extra"] = lead.extra + more
    if filled:
        await unit.leads.change(lead.id, **filled)
    if request.comment and "comment" not in filled and request.comment != lead.comment:
        await _add_comment(unit, lead, request.comment, now)


def _further(lead: Lead, request: LeadRequest) -> tuple[Pair, ...]:
    """The fields that a repeat brings anew, as far as the lead has room for them."""
    known = {label for label, _ in lead.extra}
    room = _MOST_EXTRA_CHARS - sum(len(label) + len(value) for label, value in lead.extra)
    more: list[Pair] = []
    for label, value in request.extra:
        room -= 0 if label in known else len(label) + len(value)
        if room < 0:
            break
        if label not in known:
            more.append((label, value))
    return tuple(more)


async def _add_comment(unit: Unit, lead: Lead, comment: str, now: datetime) -> None:
    said = {event.note for event in await unit.events.of_lead(lead.id)}
    if comment not in said and len(said) < _MOST_COMMENTS:
        await unit.events.add(lead.id, EventKind.CLIENT_COMMENT, now, None, comment)


def _new_lead(request: LeadRequest) -> NewLead:
    return NewLead(
        name=request.name,
        phone=request.phone,
        phone_raw=request.phone_raw,
        course=request.course,
        email=request.email,
        comment=request.comment,
        extra=request.extra,
        source="сайт",
        problems=request.problems,
        submission_id=request.submission_id,
    )
