"""A durable inbox for Telegram's updates, and alerts that are told once.

A post may now carry data of its own, which an alert needs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NOW = sa.text("(datetime('now'))")


def _moment(name: str) -> sa.CheckConstraint:
    """As in revision 0001; a revision stands for itself."""
    return sa.CheckConstraint(
        f"{name} IS NULL OR "
        f"({name} IS datetime({name}, '+0 seconds') AND {name} BETWEEN '1970' AND '9000')",
        name=f"{name}_is_a_moment",
    )


def upgrade() -> None:
    op.create_table(
        "updates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("update_id", sa.Integer, nullable=False),
        sa.Column("chat_id", sa.Integer, nullable=False, server_default="0"),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retry_at", sa.Text),
        sa.Column("effect", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("received_at", sa.Text, nullable=False, server_default=_NOW),
        sa.CheckConstraint("state IN ('waiting', 'done', 'parked')", name="state_is_known"),
        _moment("received_at"),
        _moment("retry_at"),
        sqlite_strict=True,
    )
    op.create_index("updates_once", "updates", ["update_id"], unique=True)
    op.create_index("updates_received", "updates", ["received_at"])
    op.create_index("updates_waiting", "updates", ["id"], sqlite_where=sa.text("state = 'waiting'"))
    op.create_index("updates_parked", "updates", ["id"], sqlite_where=sa.text("state = 'parked'"))
    op.create_table(
        "alerts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("details", sa.Text, nullable=False, server_default=""),
        sa.Column("since", sa.Text, nullable=False),
        _moment("since"),
        sqlite_strict=True,
    )
    op.add_column("posts", sa.Column("payload", sa.Text))
