"""Every table on one page.

Checks of formats and triggers, which keep the contract for people's own SQL, stand in the first
migration: they are written in the database's own words.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from storage.dialect import LASTING_IDS, NOW, STRICT, partial
from storage.models import (
    CallStatus,
    CampaignEnd,
    EventKind,
    PostKind,
    RowStatus,
    Step,
    UpdateState,
)
from storage.types import Flag, JsonText, UtcDateTime, Word

metadata = MetaData()

leads = Table(
    "leads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("phone", Text),
    Column("phone_raw", Text),
    Column("course", Text),
    Column("email", Text, nullable=False, server_default=""),
    Column("comment", Text, nullable=False, server_default=""),
    Column("extra", JsonText, nullable=False, server_default="[]"),
    Column("source", Text, nullable=False, server_default=""),
    Column("problems", JsonText, nullable=False, server_default="[]"),
    Column("submission_id", Text),
    Column("call_status", Word(CallStatus), nullable=False, server_default="not_called"),
    Column("is_target", Flag),
    Column("step", Word(Step)),
    Column("whatsapp_campaign_active", Flag, nullable=False, server_default="0"),
    Column("campaign_started_at", UtcDateTime),
    Column("campaign_end", Word(CampaignEnd)),
    Column("last_whatsapp_sent_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
    Column("updated_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
    **LASTING_IDS,
)
Index("leads_phone", leads.c.phone, leads.c.created_at)
Index("leads_created", leads.c.created_at)
Index(
    "leads_one_active_per_phone",
    leads.c.phone,
    unique=True,
    **partial(leads.c.whatsapp_campaign_active.is_(True)),
)
Index(
    "leads_one_per_submission",
    leads.c.submission_id,
    unique=True,
    **partial(leads.c.submission_id.is_not(None)),
)

lead_events = Table(
    "lead_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("lead_id", ForeignKey("leads.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Word(EventKind), nullable=False),
    Column("actor_id", BigInteger().with_variant(Integer, "sqlite")),
    Column("actor_name", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
)
Index("lead_events_of_lead", lead_events.c.lead_id, lead_events.c.id)

raw_requests = Table(
    "raw_requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("lead_id", ForeignKey("leads.id", ondelete="CASCADE"), nullable=False),
    Column("body", LargeBinary),  # NULL once it is older than storage.raw_days
    Column("digest", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("submission_id", Text),
    Column("received_at", UtcDateTime, nullable=False),
    **STRICT,
)
Index("raw_requests_digest", raw_requests.c.digest, raw_requests.c.received_at)
Index("raw_requests_submission", raw_requests.c.submission_id)
Index("raw_requests_received", raw_requests.c.received_at)
Index("raw_requests_of_lead", raw_requests.c.lead_id)

whatsapp_templates = Table(
    "whatsapp_templates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False, server_default=""),
    Column("content", Text, nullable=False),
    Column("delay_days", Integer, nullable=False, server_default="0"),
    Column("course", Text),
    Column("active", Flag, nullable=False, server_default="1"),
    Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
    Column("updated_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
)

whatsapp_queue = Table(
    "whatsapp_queue",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("lead_id", ForeignKey("leads.id", ondelete="CASCADE"), nullable=False),
    Column("phone", Text),
    Column("message_template", Text),
    Column("message_text", Text, nullable=False),
    Column("day", Integer),
    Column("scheduled_at", UtcDateTime, nullable=False),
    Column("status", Word(RowStatus), nullable=False, server_default="pending"),
    Column("revived", Flag, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claim", Text),  # set by the daemon while it is sending, and by nobody else
    Column("attempted_at", UtcDateTime),
    Column("first_failed_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("error_message", Text),
    Column("green_api_response", JsonText),
    Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
    Column("updated_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
    **LASTING_IDS,
)
# A template's text goes to a lead at most once: while it waits, may have gone, or has gone.
_taken = whatsapp_queue.c.status.in_(
    [RowStatus.PENDING, RowStatus.SENDING, RowStatus.SENT, RowStatus.UNKNOWN]
)
Index("whatsapp_queue_due", whatsapp_queue.c.status, whatsapp_queue.c.scheduled_at)
Index("whatsapp_queue_of_lead", whatsapp_queue.c.lead_id, whatsapp_queue.c.status)
Index("whatsapp_queue_of_phone", whatsapp_queue.c.phone, whatsapp_queue.c.status)
Index(
    "whatsapp_queue_one_per_template",
    whatsapp_queue.c.lead_id,
    whatsapp_queue.c.message_template,
    unique=True,
    **partial(_taken & whatsapp_queue.c.message_template.is_not(None)),
)
Index(
    "whatsapp_queue_one_sending_per_phone",
    whatsapp_queue.c.phone,
    unique=True,
    **partial(whatsapp_queue.c.status == RowStatus.SENDING),
)

posts = Table(
    "posts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Word(PostKind), nullable=False),
    Column("lead_id", ForeignKey("leads.id", ondelete="CASCADE")),
    Column("queue_id", ForeignKey("whatsapp_queue.id", ondelete="CASCADE")),
    Column("recipient", BigInteger().with_variant(Integer, "sqlite")),
    Column("number", Integer, nullable=False, server_default="0"),
    Column("payload", JsonText),
    Column("chat_id", BigInteger().with_variant(Integer, "sqlite")),
    Column("message_id", Integer),
    Column("shown", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("shown_version", Integer, nullable=False, server_default="0"),
    Column("urgent_version", Integer, nullable=False, server_default="0"),
    Column("refresh_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
)
Index("posts_waiting", posts.c.id, **partial(posts.c.version > posts.c.shown_version))
Index("posts_refresh", posts.c.refresh_at, **partial(posts.c.refresh_at.is_not(None)))
Index("posts_of_lead", posts.c.lead_id)
Index("posts_of_row", posts.c.queue_id)
Index(
    "posts_one_card_per_lead",
    posts.c.lead_id,
    unique=True,
    **partial(posts.c.kind == PostKind.CARD),
)

fsm = Table(
    "fsm",
    metadata,
    Column("key", Text, primary_key=True),
    Column("state", Text),
    Column("data", JsonText, nullable=False, server_default="{}"),
    Column("updated_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
)

# Telegram's updates, stored before they are confirmed and kept till they had their one effect.
updates = Table(
    "updates",
    metadata,
    Column("id", Integer, primary_key=True),  # in the order they came
    Column("update_id", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column(
        "chat_id", BigInteger().with_variant(Integer, "sqlite"), nullable=False, server_default="0"
    ),
    Column("body", JsonText, nullable=False),
    Column("state", Word(UpdateState), nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retry_at", UtcDateTime),
    Column("effect", JsonText),
    Column("error", Text),
    Column("received_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
)
Index("updates_once", updates.c.update_id, unique=True)
Index("updates_received", updates.c.received_at)
Index("updates_waiting", updates.c.id, **partial(updates.c.state == UpdateState.WAITING))
Index("updates_parked", updates.c.id, **partial(updates.c.state == UpdateState.PARKED))

# What is wrong just now and was told.
alerts = Table(
    "alerts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("details", Text, nullable=False, server_default=""),
    Column("since", UtcDateTime, nullable=False),
    **STRICT,
)

# What the daemon remembers besides: the chat that /here named, and the like.
memory = Table(
    "memory",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JsonText, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False, server_default=NOW),
    **STRICT,
)
