"""The queue of updates behind `getUpdates`.

Answers which updates a poll gets: confirmation by offset, expiry, the sticky filter, the long poll
and who loses it. Knows neither chats nor HTTP. Rules as in the official server's source
(tdlib/telegram-bot-api, `Client::process_get_updates_query`), but for its short-poll throttle.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.demo.telegram_time import Bell, Clock, heard_by
from bot.demo.telegram_wire import ApiError, Json, Params, conflict

MESSAGE_LIFETIME = timedelta(hours=24)
CALLBACK_LIFETIME = timedelta(seconds=150)
LONGEST_POLL_SECONDS = 50
_FIRST_UPDATE_ID = 700_000_001
_ONLY_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

_OTHER_POLL = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
_WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active;"
    " use deleteWebhook to delete the webhook first"
)


@dataclass(frozen=True, slots=True)
class Poll:
    """One `getUpdates`; `allowed` is None when the client left it out."""

    offset: int
    limit: int
    timeout: timedelta
    allowed: frozenset[str] | None

    @classmethod
    def of(cls, params: Params) -> "Poll":
        """Read the parameters; what is out of range is clipped, as the server does."""
        limit = params.number("limit", 100)
        seconds = min(max(params.number("timeout"), 0), LONGEST_POLL_SECONDS)
        return cls(
            offset=params.number("offset"),
            limit=limit if 1 <= limit <= 100 else 100,
            timeout=timedelta(seconds=seconds),
            allowed=allowed_updates(params),
        )


def allowed_updates(params: Params) -> frozenset[str] | None:
    """The kinds a client asks for; None when it asks for nothing or unreadably."""
    try:
        raw: Any = params.json("allowed_updates")
    except ApiError:
        return None
    return frozenset(map(str, raw)) if isinstance(raw, list) else None


@dataclass(frozen=True, slots=True)
class _Waiting:
    update: Json
    expires_at: datetime


class UpdateQueue:
    """Updates of one bot, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: list[_Waiting] = []
        self._ids = itertools.count(_FIRST_UPDATE_ID)
        self._allowed: frozenset[str] = frozenset()  # empty: all but those on request
        self._bell = Bell()
        self._newest: object = None
        self._overthrown_by = _OTHER_POLL
        self._closed = False
        self.webhook_url = ""

    @property
    def pending(self) -> list[Json]:
        """What no poll has confirmed and what has not expired."""
        now = self._clock.now()
        self._queue = [item for item in self._queue if item.expires_at > now]
        return [item.update for item in self._queue]

    def add(self, kind: str, body: Json) -> None:
        """Queue an update of that kind, if the sticky filter of this moment lets it in."""
        if self._allowed and kind not in self._allowed:
            return
        if not self._allowed and kind in _ONLY_ON_REQUEST:
            return
        lifetime = CALLBACK_LIFETIME if kind == "callback_query" else MESSAGE_LIFETIME
        self._put({"update_id": next(self._ids), kind: body}, lifetime)

    def inject(self, update: Json) -> None:
        """Queue an update as it is, however malformed; an id is given when it has none."""
        self._put({"update_id": next(self._ids)} | update, MESSAGE_LIFETIME)

    def _put(self, update: Json, lifetime: timedelta) -> None:
        self._queue.append(_Waiting(update, self._clock.now() + lifetime))
        self._bell.ring()

    async def poll(self, ask: Poll, alive: Callable[[], bool]) -> list[Json]:
        """Answer one `getUpdates`; `alive` tells whether its client still listens."""
        if self.webhook_url:
            raise conflict(_WEBHOOK_ACTIVE)
        mine = self._overthrow(_OTHER_POLL)
        self.allow(ask.allowed)
        self._confirm(ask.offset)
        deadline = self._clock.now() + ask.timeout
        while not (ready := self.pending) and self._clock.now() < deadline:
            await heard_by(self._bell, self._clock, deadline)
            if self._closed or not alive():
                return []
            if self._newest is not mine:
                raise conflict(self._overthrown_by)
        return ready[: ask.limit]

    def set_webhook(self, url: str, *, drop_pending: bool) -> None:
        """Set the webhook, or remove it with an empty url; a waiting poll ends."""
        self.webhook_url = url
        if drop_pending:
            self._queue.clear()
        if url:
            self._overthrow("terminated by setWebhook request")

    def allow(self, kinds: frozenset[str] | None) -> None:
        """Set the sticky filter; None leaves it as it is, empty restores the default."""
        if kinds is not None:
            self._allowed = kinds

    @property
    def allowed(self) -> list[str]:
        """The sticky filter, empty for the default."""
        return sorted(self._allowed)

    def close(self) -> None:
        """Let the waiting poll go."""
        self._closed = True
        self._bell.ring()

    def _overthrow(self, reason: str) -> object:
        self._newest, self._overthrown_by = object(), reason
        self._bell.ring()
        return self._newest

    def _confirm(self, offset: int) -> None:
        if offset > 0:
            self._queue = [item for item in self._queue if item.update["update_id"] >= offset]
        elif offset < 0:
            self._queue = self._queue[offset:]
