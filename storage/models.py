"""The vocabulary of the daemon: what a lead, a message in the queue, a template and a post are.

Plain frozen records without SQL; rules in `bot.domain` know these and nothing else of storage.
Every instant is aware and in UTC; every phone is digits without `+`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class CallStatus(StrEnum):
    """How far the call to a client got."""

    NOT_CALLED = "not_called"
    CALLED = "called"
    NO_ANSWER = "no_answer"


class RowStatus(StrEnum):
    """Where a message of the queue stands; a row is live while pending or sending."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


LIVE = (RowStatus.PENDING, RowStatus.SENDING)


class CampaignEnd(StrEnum):
    """Why a lead's campaign is not running; the first is an end by itself."""

    FINISHED = "finished"  # its last row became final
    STOPPED = "stopped"  # a person stopped it, in the chat or by SQL
    REFUSED = "refused"  # the outcome became "no"
    UNDONE = "undone"  # the "yes" was taken back


class Step(StrEnum):
    """What a card is asking besides the ordinary buttons."""

    PHONE = "phone"  # "yes" was said, but the phone was not understood
    COURSE = "course"  # "yes" was said, but which course?
    RUNNING = "running"  # "yes" was said, but the phone has a campaign already
    STOP = "stop"  # stop the campaign, really?
    FIX = "fix"  # the outcome is being corrected


class EventKind(StrEnum):
    """What happened to a lead, in the order it happened."""

    TAKEN = "taken"
    CALLED = "called"
    NO_ANSWER = "no_answer"
    BACK = "back"
    YES = "yes"
    NO = "no"
    UNDONE = "undone"
    STOPPED = "stopped"
    COMMENT = "comment"  # by a manager
    CLIENT_COMMENT = "client_comment"  # came with a repeated request
    PHONE_SET = "phone_set"
    COURSE_SET = "course_set"
    RESEND = "resend"  # an unknown row is to be sent again
    COUNTED_SENT = "counted_sent"  # an unknown row is taken for sent


class PostKind(StrEnum):
    """A message of ours in a Telegram chat that storage keeps true."""

    CARD = "card"  # one a lead
    UNKNOWN = "unknown"  # asks what became of one row
    STALE = "stale"  # tells admins how many rows were cancelled for lateness
    ALERT = "alert"  # tells admins that something is wrong, or over
    HELD = "held"  # asks an admin whether a restored database may send


class UpdateState(StrEnum):
    """How far an update of Telegram's got."""

    WAITING = "waiting"
    DONE = "done"
    PARKED = "parked"  # our own code cannot handle it


@dataclass(frozen=True, slots=True)
class Actor:
    """Who pressed or wrote; the name is what the chat shows."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLead:
    """A lead as it came; see `Lead` for the fields."""

    name: str
    phone: str | None
    phone_raw: str | None
    course: str | None
    email: str
    comment: str
    extra: tuple[tuple[str, str], ...]
    source: str
    problems: tuple[str, ...] = ()
    submission_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A request of a client, and what became of it."""

    id: int
    name: str
    phone: str | None
    phone_raw: str | None  # what stood for the phone when it was not understood
    course: str | None  # key of a course
    email: str
    comment: str
    extra: tuple[tuple[str, str], ...]  # every other field of the form, as label and value
    source: str  # where it came from, in words
    problems: tuple[str, ...]  # what was not understood, in Russian
    submission_id: str | None  # the form builder's own id, scoped by form
    call_status: CallStatus
    is_target: bool | None  # None until answered
    step: Step | None
    campaign_active: bool
    campaign_started_at: datetime | None
    campaign_end: CampaignEnd | None
    last_whatsapp_sent_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadEvent:
    """One thing that happened to a lead; `actor_name` is empty for the machine."""

    lead_id: int
    kind: EventKind
    actor_id: int | None
    actor_name: str
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A form post as it was received."""

    body: bytes
    content_type: str
    sender: str  # the address it came from
    submission_id: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text of the campaign; `course` None means every course."""

    id: int
    name: str
    title: str
    content: str
    delay_days: int
    course: str | None
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A message to put into the queue."""

    lead_id: int
    phone: str | None
    template: str | None
    text: str
    day: int | None
    scheduled_at: datetime
    status: RowStatus = RowStatus.PENDING
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One message to one client."""

    id: int
    lead_id: int
    phone: str | None  # the one that counts, whatever the lead's is
    template: str | None  # name of the template it was made from
    text: str
    day: int | None  # the template's day; 0 = a welcome, which waits for no batch
    scheduled_at: datetime
    status: RowStatus
    revived: bool  # a person put it back to pending: due at once, lateness counts anew
    attempts: int
    attempted_at: datetime | None  # last claim
    first_failed_at: datetime | None  # first time it surely was not sent
    sent_at: datetime | None
    error: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """A row that is due, with all that decides whether it may leave now."""

    row: QueueRow
    is_target: bool | None
    campaign_active: bool
    campaign_end: CampaignEnd | None
    template_active: bool  # True also for a row without a template
    phone_unknown: bool  # the phone has a row whose fate is not known
    phone_sending: bool  # something is on its way to the phone
    last_sent_at: datetime | None  # last campaign message to the phone, by any lead
    recalled_at: datetime | None  # newest undecided request of the client since the start


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message in a Telegram chat that follows what the database says."""

    id: int
    kind: PostKind
    lead_id: int | None
    queue_id: int | None
    recipient: int | None  # a user's private chat; None = the manager chat
    number: int  # what a STALE post counts
    payload: dict[str, Any] | None  # what an ALERT post tells
    chat_id: int | None  # where it was sent
    message_id: int | None
    shown: str | None  # fingerprint of what the message shows
    version: int
    urgent: bool  # answers a press
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpdate:
    """An update as Telegram sent it."""

    id: int
    update_id: int
    chat_id: int  # 0 for updates of no chat
    body: dict[str, Any]
    attempts: int
    retry_at: datetime | None  # handling failed: not before then


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong, since when, and particulars for people."""

    name: str
    details: str
    since: datetime
