"""Does anybody else send through our instance? The provider's journal is asked now and then.

Two programs on one instance know nothing of each other's pauses, stops and refusals, so that a
client may hear from both. What a person writes on the phone is no such thing and does not count;
nor does the past of an instance on the day that we first see it.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Self

import structlog

from bot.clock import Clock
from bot.redaction import mask_phone
from greenapi.client import GreenApi
from greenapi.errors import GreenApiError
from greenapi.models import OutgoingMessage
from storage.errors import StorageError
from storage.storage import Storage, Unit

_NAME = "second_sender"
_EVERY = timedelta(minutes=30)
_MARGIN = timedelta(minutes=5)  # asked for anew each time: the journal lags up to two minutes
_RIPE = timedelta(minutes=3)  # what is younger is looked at next time
_NEWS = timedelta(hours=24)
# The journal's times change when a client reads a message: an old one must not be news again.
_KEPT = timedelta(days=7)
_MOST = 300

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Foreign:
    """A message that somebody else sent; `to` is a masked phone, or None for a group."""

    id_message: str
    at: datetime
    to: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the journal has told so far."""

    looked_at: datetime | None = None
    foreign: tuple[_Foreign, ...] = ()  # in the order they were noticed

    @classmethod
    def read(cls, value: Any) -> Self:
        """From what is remembered; None reads as nothing."""
        if value is None:
            return cls()
        foreign = (_Foreign(i, datetime.fromisoformat(at), to) for i, at, to in value["foreign"])
        looked_at = value["looked_at"]
        return cls(looked_at and datetime.fromisoformat(looked_at), tuple(foreign))

    def written(self) -> dict[str, Any]:
        """To be remembered."""
        return {
            "looked_at": self.looked_at and self.looked_at.isoformat(),
            "foreign": [(each.id_message, each.at.isoformat(), each.to) for each in self.foreign],
        }

    def after(self, now: datetime, fresh: Iterable[_Foreign]) -> Self:
        """With what the journal has told just now."""
        kept = [each for each in self.foreign if now - each.at < _KEPT]
        return type(self)(now, (*kept, *fresh)[-_MOST:])


class SecondSender:
    """The condition that somebody else sends through the instance."""

    def __init__(
        self,
        green: GreenApi,
        storage: Storage,
        closed_because: Callable[[], Awaitable[str | None]],
        clock: Clock,
    ) -> None:
        """`closed_because()` says why the instance cannot be used now, None when it can."""
        self._green = green
        self._storage = storage
        self._closed_because = closed_because
        self._clock = clock
        self._known: _Known | None = None
        self._asked_at: datetime | None = None

    async def look(self) -> str | None:
        """Particulars, in Russian, while others' messages of the last 24 h are known of."""
        if self._known is None:
            self._known = _Known.read(await self._storage.run(lambda u: u.memory.find(_NAME)))
            self._asked_at = self._known.looked_at
        if self._is_due() and await self._closed_because() is None:
            self._known = await self._ask(self._known)
        return _particulars(self._known, self._clock.now())

    def _is_due(self) -> bool:
        """A clock that was set back must not put the question off."""
        if self._asked_at is None:
            return True
        return not timedelta() <= self._clock.now() - self._asked_at < _EVERY

    async def _ask(self, known: _Known) -> _Known:
        """What is known after asking; the same as before when there is no answer."""
        now = self._asked_at = self._clock.now()
        try:
            journal = await self._green.last_outgoing_messages(_minutes(known.looked_at, now))
            suspects = [message for message in journal if _is_suspect(message, now)]
            return await self._storage.run(lambda unit: _sort_out(unit, known, suspects, now))
        except (GreenApiError, StorageError) as error:
            _log.warning("journal_not_read", error=str(error))
            return known


def _minutes(looked_at: datetime | None, now: datetime) -> int:
    """How far back to ask: to the last look and a little further, at most a day."""
    gone = now - (looked_at or now)
    if gone < timedelta():  # the clock was set back: nobody knows how long ago it was
        gone = _NEWS
    return ceil(min(gone + _MARGIN, _NEWS) / timedelta(minutes=1))


def _is_suspect(message: OutgoingMessage, now: datetime) -> bool:
    """Whose a message to a hidden id is cannot be told, so nobody is blamed for it."""
    hidden = message.chat_id.endswith("@lid")
    return message.sent_by_api and not hidden and now - message.at >= _RIPE


async def _sort_out(
    unit: Unit, known: _Known, suspects: Sequence[OutgoingMessage], now: datetime
) -> _Known:
    ours = await unit.own_sends.among((m.phone, m.text) for m in suspects if m.phone)
    told = {each.id_message for each in known.foreign}
    fresh = [
        _Foreign(m.id_message, m.at, mask_phone(m.phone) if m.phone else None)
        for m in sorted(suspects, key=lambda message: message.at)
        if (m.phone, m.text) not in ours and m.id_message not in told
    ]
    if fresh:
        _log.warning("foreign_sends", number=len(fresh))
    after = known.after(now, fresh)
    await unit.memory.keep(_NAME, after.written())
    return after


def _particulars(known: _Known, now: datetime) -> str | None:
    news = [each for each in known.foreign if now - each.at < _NEWS]
    if not news:
        return None
    number = f"{len(news)}" if len(news) < _MOST else f"{_MOST} или больше"
    newest = max(news, key=lambda each: each.at)
    whither = f"на {newest.to}" if newest.to else "в группу"
    return f"сообщений за сутки — {number}, последнее {whither}"
