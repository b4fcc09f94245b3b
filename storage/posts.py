"""What the chats should show, and what they show: the outbox for Telegram.

A post has work to do while its `version`, raised by every change it tells of, is ahead of the one
that was shown, or when its `refresh_at` has come. Nothing is lost by a death between sending and
recording: the work is simply found again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, case, delete, func, insert, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import Post, PostKind
from storage.schema import posts

_urgent = posts.c.urgent_version > posts.c.shown_version
_placed = posts.c.message_id.is_not(None)
# The edit that answers a press goes first, then what nobody has seen yet, then other edits.
# Two questions, each with an index of its own: asked as one, they would read every post.
_behind = select(posts.c.id).where(posts.c.version > posts.c.shown_version)
_changing = select(posts.c.id)
_rank = case((and_(_urgent, _placed), 0), (~_placed, 1), else_=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a chat shows of a post from now on."""

    version: int
    chat_id: int | None
    message_id: int | None
    fingerprint: str | None
    refresh_at: datetime | None


class Posts:
    """The table `posts`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(
        self,
        kind: PostKind,
        at: datetime,
        *,
        lead_id: int | None = None,
        queue_id: int | None = None,
        recipient: int | None = None,
        number: int = 0,
    ) -> None:
        """Ask for a post; cards are asked for by the table of leads itself."""
        await self._db.execute(
            insert(posts).values(
                kind=kind,
                lead_id=lead_id,
                queue_id=queue_id,
                recipient=recipient,
                number=number,
                created_at=at,
            )
        )

    async def add_told(
        self, kind: PostKind, payload: dict[str, Any], recipient: int | None, at: datetime
    ) -> None:
        """Ask for a post that tells what stands in it and nowhere else."""
        await self._db.execute(
            insert(posts).values(kind=kind, payload=payload, recipient=recipient, created_at=at)
        )

    async def waiting(self, now: datetime, limit: int) -> Sequence[Post]:
        """Posts with work to do, the most pressing first."""
        rows = await self._db.execute(
            select(posts, _urgent.label("urgent"))
            .where(posts.c.id.in_(union_all(_behind, _changing.where(posts.c.refresh_at <= now))))
            .order_by(_rank, posts.c.id)
            .limit(limit)
        )
        return [_post(row) for row in rows]

    async def find_card(self, lead_id: int | None) -> Post | None:
        """The card of a lead."""
        row = (
            await self._db.execute(
                select(posts, _urgent.label("urgent")).where(
                    posts.c.lead_id == lead_id, posts.c.kind == PostKind.CARD
                )
            )
        ).one_or_none()
        return None if row is None else _post(row)

    async def next_refresh_at(self, now: datetime) -> datetime | None:
        """When the next post changes by itself."""
        earliest: datetime | None = await self._db.scalar(
            select(func.min(posts.c.refresh_at)).where(posts.c.refresh_at > now)
        )
        return earliest

    async def urge(self, lead_id: int) -> None:
        """Let the lead's card be shown anew before all others: somebody has pressed it."""
        await self._db.execute(
            update(posts)
            .where(posts.c.lead_id == lead_id, posts.c.kind == PostKind.CARD)
            .values(version=posts.c.version + 1, urgent_version=posts.c.version + 1)
        )

    async def refresh(self, kind: PostKind) -> None:
        """Let every post of a kind be shown anew, before others: somebody has pressed one."""
        await self._db.execute(
            update(posts)
            .where(posts.c.kind == kind)
            .values(version=posts.c.version + 1, urgent_version=posts.c.version + 1)
        )

    async def record(self, post_id: int, shown: Shown) -> None:
        """Remember what the chat shows; a change that came meanwhile keeps its work."""
        await self._db.execute(
            update(posts)
            .where(posts.c.id == post_id)
            .values(
                shown_version=shown.version,
                chat_id=shown.chat_id,
                message_id=shown.message_id,
                shown=shown.fingerprint,
                refresh_at=shown.refresh_at,
            )
        )

    async def leave_chat(self, chat_id: int) -> None:
        """Nothing that was sent to that chat can be edited any more; what changes is sent anew."""
        await self._db.execute(
            update(posts)
            .where(posts.c.chat_id == chat_id)
            .values(chat_id=None, message_id=None, shown=None)
        )

    async def redirect(self, post: Post) -> None:
        """Nobody reads this private chat: let the managers' chat have it, once."""
        twin = select(posts.c.id).where(
            posts.c.kind == post.kind,
            posts.c.created_at == post.created_at,
            posts.c.id != post.id,
            or_(posts.c.recipient.is_(None), posts.c.message_id.is_not(None)),
        )
        if await self._db.scalar(twin.limit(1)) is not None:
            await self.remove(post.id)
            return
        await self._db.execute(update(posts).where(posts.c.id == post.id).values(recipient=None))

    async def remove(self, post_id: int) -> None:
        """Drop a post that tells of nothing any more."""
        await self._db.execute(delete(posts).where(posts.c.id == post_id))


def _post(row: Row[Any]) -> Post:
    return Post(
        id=row.id,
        kind=row.kind,
        lead_id=row.lead_id,
        queue_id=row.queue_id,
        recipient=row.recipient,
        number=row.number,
        payload=row.payload,
        chat_id=row.chat_id,
        message_id=row.message_id,
        shown=row.shown,
        version=row.version,
        urgent=row.urgent,
        created_at=row.created_at,
    )
