"""Leads, queue, templates and what goes with them.

Formats are checked by the tables themselves, because people write to them with plain SQL.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NOW = sa.text("(datetime('now'))")


def _moment(name: str) -> sa.CheckConstraint:
    """`YYYY-MM-DD HH:MM:SS` and nothing else; anything else would sort wrongly.

    Only with a modifier does `datetime` notice that there is no 30 February, nor an hour 24; no
    program can compute with years at the ends of the calendar.
    """
    return sa.CheckConstraint(
        f"{name} IS NULL OR "
        f"({name} IS datetime({name}, '+0 seconds') AND {name} BETWEEN '1970' AND '9000')",
        name=f"{name}_is_a_moment",
    )


def _one_of(name: str, *words: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=f"{name}_is_known")


def _flag(name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_true_or_false")


def _json(name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{name} IS NULL OR json_valid({name})", name=f"{name}_is_json")


def _list(name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"json_valid({name}) AND json_type({name}) = 'array'", name=f"{name}_is_a_list"
    )


def _digits(name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"{name} IS NULL OR ({name} NOT GLOB '*[^0-9]*' AND length({name}) BETWEEN 7 AND 15)",
        name=f"{name}_is_digits",
    )


def _stamps() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("created_at", sa.Text, nullable=False, server_default=_NOW),
        sa.Column("updated_at", sa.Text, nullable=False, server_default=_NOW),
    )


def _lead_id(*, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(
        "lead_id",
        sa.Integer,
        sa.ForeignKey("leads.id", ondelete="CASCADE"),
        nullable=nullable,
    )


def upgrade() -> None:
    _leads()
    _lead_events()
    _raw_requests()
    _templates()
    _queue()
    _posts()
    _keyed("fsm", sa.Column("key", sa.Text, primary_key=True), sa.Column("state", sa.Text), "data")
    _keyed("memory", sa.Column("name", sa.Text, primary_key=True), None, "value")


def _leads() -> None:
    op.create_table(
        "leads",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("phone", sa.Text),
        sa.Column("phone_raw", sa.Text),
        sa.Column("course", sa.Text),
        sa.Column("email", sa.Text, nullable=False, server_default=""),
        sa.Column("comment", sa.Text, nullable=False, server_default=""),
        sa.Column("extra", sa.Text, nullable=False, server_default="[]"),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("problems", sa.Text, nullable=False, server_default="[]"),
        sa.Column("submission_id", sa.Text),
        sa.Column("call_status", sa.Text, nullable=False, server_default="not_called"),
        sa.Column("is_target", sa.Integer),
        sa.Column("step", sa.Text),
        sa.Column("whatsapp_campaign_active", sa.Integer, nullable=False, server_default="0"),
        sa.Column("campaign_started_at", sa.Text),
        sa.Column("campaign_end", sa.Text),
        sa.Column("last_whatsapp_sent_at", sa.Text),
        *_stamps(),
        _digits("phone"),
        _list("extra"),
        _list("problems"),
        _one_of("call_status", "not_called", "called", "no_answer"),
        _flag("is_target"),
        _one_of("step", "phone", "course", "running", "stop", "fix"),
        _flag("whatsapp_campaign_active"),
        _one_of("campaign_end", "finished", "stopped", "refused", "undone"),
        *map(_moment, ("campaign_started_at", "last_whatsapp_sent_at", "created_at", "updated_at")),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    _leads_indexes()


def _leads_indexes() -> None:
    op.create_index("leads_phone", "leads", ["phone", "created_at"])
    op.create_index("leads_created", "leads", ["created_at"])
    op.create_index(
        "leads_one_active_per_phone",
        "leads",
        ["phone"],
        unique=True,
        sqlite_where=sa.text("whatsapp_campaign_active IS 1"),
    )
    op.create_index(
        "leads_one_per_submission",
        "leads",
        ["submission_id"],
        unique=True,
        sqlite_where=sa.text("submission_id IS NOT NULL"),
    )


def _lead_events() -> None:
    op.create_table(
        "lead_events",
        sa.Column("id", sa.Integer, primary_key=True),
        _lead_id(),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Integer),
        sa.Column("actor_name", sa.Text, nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.Text, nullable=False, server_default=_NOW),
        _moment("created_at"),
        sqlite_strict=True,
    )
    op.create_index("lead_events_of_lead", "lead_events", ["lead_id", "id"])


def _raw_requests() -> None:
    op.create_table(
        "raw_requests",
        sa.Column("id", sa.Integer, primary_key=True),
        _lead_id(),
        sa.Column("body", sa.LargeBinary),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("submission_id", sa.Text),
        sa.Column("received_at", sa.Text, nullable=False),
        _moment("received_at"),
        sqlite_strict=True,
    )
    op.create_index("raw_requests_digest", "raw_requests", ["digest", "received_at"])
    op.create_index("raw_requests_submission", "raw_requests", ["submission_id"])
    op.create_index("raw_requests_received", "raw_requests", ["received_at"])
    op.create_index("raw_requests_of_lead", "raw_requests", ["lead_id"])


def _templates() -> None:
    op.create_table(
        "whatsapp_templates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("delay_days", sa.Integer, nullable=False, server_default="0"),
        sa.Column("course", sa.Text),
        sa.Column("active", sa.Integer, nullable=False, server_default="1"),
        *_stamps(),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name="name_has_a_sane_length"),
        sa.CheckConstraint("trim(content) <> ''", name="content_is_not_empty"),
        sa.CheckConstraint("delay_days BETWEEN 0 AND 365", name="delay_days_is_sane"),
        _flag("active"),
        *map(_moment, ("created_at", "updated_at")),
        sqlite_strict=True,
    )


def _queue() -> None:
    op.create_table(
        "whatsapp_queue",
        sa.Column("id", sa.Integer, primary_key=True),
        _lead_id(),
        sa.Column("phone", sa.Text),
        sa.Column("message_template", sa.Text),
        sa.Column("message_text", sa.Text, nullable=False),
        sa.Column("day", sa.Integer),
        sa.Column("scheduled_at", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="pending"),
        sa.Column("revived", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("claim", sa.Text),
        sa.Column("attempted_at", sa.Text),
        sa.Column("first_failed_at", sa.Text),
        sa.Column("sent_at", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("green_api_response", sa.Text),
        *_stamps(),
        _digits("phone"),
        _one_of("status", "pending", "sending", "sent", "failed", "unknown", "cancelled"),
        _flag("revived"),
        _json("green_api_response"),
        *map(_moment, ("scheduled_at", "attempted_at", "first_failed_at", "sent_at")),
        *map(_moment, ("created_at", "updated_at")),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    _queue_indexes()


def _queue_indexes() -> None:
    op.create_index("whatsapp_queue_due", "whatsapp_queue", ["status", "scheduled_at"])
    op.create_index("whatsapp_queue_of_lead", "whatsapp_queue", ["lead_id", "status"])
    op.create_index("whatsapp_queue_of_phone", "whatsapp_queue", ["phone", "status"])
    op.create_index(
        "whatsapp_queue_one_per_template",
        "whatsapp_queue",
        ["lead_id", "message_template"],
        unique=True,
        sqlite_where=sa.text(
            "status IN ('pending', 'sending', 'sent', 'unknown') AND message_template IS NOT NULL"
        ),
    )
    op.create_index(
        "whatsapp_queue_one_sending_per_phone",
        "whatsapp_queue",
        ["phone"],
        unique=True,
        sqlite_where=sa.text("status = 'sending'"),
    )


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        _lead_id(nullable=True),
        sa.Column("queue_id", sa.Integer, sa.ForeignKey("whatsapp_queue.id", ondelete="CASCADE")),
        sa.Column("recipient", sa.Integer),
        sa.Column("number", sa.Integer, nullable=False, server_default="0"),
        sa.Column("chat_id", sa.Integer),
        sa.Column("message_id", sa.Integer),
        sa.Column("shown", sa.Text),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("shown_version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("urgent_version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("refresh_at", sa.Text),
        sa.Column("created_at", sa.Text, nullable=False, server_default=_NOW),
        *map(_moment, ("refresh_at", "created_at")),
        sqlite_strict=True,
    )
    op.create_index(
        "posts_waiting", "posts", ["id"], sqlite_where=sa.text("version > shown_version")
    )
    op.create_index(
        "posts_refresh", "posts", ["refresh_at"], sqlite_where=sa.text("refresh_at IS NOT NULL")
    )
    op.create_index("posts_of_lead", "posts", ["lead_id"])
    op.create_index("posts_of_row", "posts", ["queue_id"])
    op.create_index(
        "posts_one_card_per_lead",
        "posts",
        ["lead_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'card'"),
    )


def _keyed(table: str, key: sa.Column[str], more: sa.Column[str] | None, value: str) -> None:
    default = "{}" if more is not None else None
    op.create_table(
        table,
        key,
        *([more] if more is not None else []),
        sa.Column(value, sa.Text, nullable=False, server_default=default),
        sa.Column("updated_at", sa.Text, nullable=False, server_default=_NOW),
        _json(value),
        sqlite_strict=True,
    )
