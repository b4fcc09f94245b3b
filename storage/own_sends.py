"""Which messages are ours: those that the queue tried to send, and admins' test messages.

Texts are compared without regard to blanks, line ends and unprintable signs: whoever reports a
message may have cleaned it. Of a test message only a digest is kept.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.memory import Memory
from storage.models import RowStatus
from storage.schema import whatsapp_queue as queue

_NAME = "test_sends"
_MOST_TESTS = 100
_CHUNK = 500  # phones in one question; SQLite's limit is 32,766 parameters

# A row that was tried and is pending or cancelled by now may have gone all the same: a person
# had the last word on an unknown one.
_may_have_gone = or_(
    queue.c.status.in_([RowStatus.SENDING, RowStatus.SENT, RowStatus.UNKNOWN, RowStatus.FAILED]),
    queue.c.attempted_at.is_not(None),
)


class OwnSends:
    """What of `whatsapp_queue` and `memory` tells our messages from others'."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection
        self._memory = Memory(connection)

    async def among(self, sends: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of the given (phone, text) that we sent, or may have sent."""
        wanted = set(sends)
        ours = {test["digest"] for test in await self._tests()}
        phones = iter(sorted({phone for phone, _ in wanted}))
        while chunk := list(islice(phones, _CHUNK)):
            ours |= await self._queued(chunk)
        return {send for send in wanted if _digest(*send) in ours}

    async def remember_test(self, phone: str, text: str, at: datetime) -> None:
        """Remember a test message, before it is sent; the hundred newest are kept."""
        digest = _digest(phone, text)
        others = [test for test in await self._tests() if test["digest"] != digest]
        newest = {"digest": digest, "at": at.isoformat(timespec="seconds")}
        await self._memory.keep(_NAME, [*others, newest][-_MOST_TESTS:])

    async def _tests(self) -> Sequence[dict[str, str]]:
        return await self._memory.find(_NAME) or []

    async def _queued(self, phones: Sequence[str]) -> set[str]:
        rows = await self._db.execute(_tried(phones))
        return {_digest(row.phone, row.message_text) for row in rows}


def _tried(phones: Sequence[str]) -> Select[tuple[str, str]]:
    columns = select(queue.c.phone, queue.c.message_text)
    return columns.where(queue.c.phone.in_(phones), _may_have_gone)


def _digest(phone: str, text: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    whole = f"{phone}\0{' '.join(plain.split())}"
    return hashlib.sha256(whole.encode()).hexdigest()
