"""The journal of calls: what the bot asked of Telegram, when, and what it got.

Knows no chats and no HTTP; tests read rates from it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.demo.telegram_wire import Json, Params

WRITES = ("sendMessage", "editMessageText", "editMessageReplyMarkup")


@dataclass(slots=True)
class Call:
    """One API call; its outcome is filled in when it has one."""

    method: str  # as the documentation spells it; as the client did for an unknown one
    params: Json
    chat_id: int | None
    at: datetime
    ok: bool | None = None  # None while it runs
    error: str | None = None  # the server's description
    fault: str | None = None  # the fault that was ordered for it
    result: object = field(default=None, repr=False)  # what it answered

    @classmethod
    def of(cls, method: str, params: Params, at: datetime) -> "Call":
        """The entry of a call that has just arrived."""
        chat_id = params.number("chat_id") if params.has("chat_id") else None
        return cls(method, params.values, chat_id, at)


class Journal:
    """All calls in the order of their arrival."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def __iter__(self) -> Iterator[Call]:
        """All calls, oldest first."""
        return iter(self._calls)

    def __len__(self) -> int:
        """How many calls there were."""
        return len(self._calls)

    def __getitem__(self, index: int) -> Call:
        """The call of that number."""
        return self._calls[index]

    def add(self, call: Call) -> Call:
        """Write down a call that has arrived."""
        self._calls.append(call)
        return call

    def of(self, *methods: str, chat_id: int | None = None) -> list[Call]:
        """The calls of these methods, in any chat or in one."""
        return [
            call
            for call in self._calls
            if call.method in methods and chat_id in (None, call.chat_id)
        ]

    def most_per_minute(self, chat_id: int, methods: Iterable[str] = WRITES) -> int:
        """The most calls of these methods in any 60 seconds of the clock; refused ones count."""
        times = sorted(call.at for call in self.of(*methods, chat_id=chat_id))
        most = first = 0
        for last, moment in enumerate(times):
            while moment - times[first] >= timedelta(minutes=1):
                first += 1
            most = max(most, last - first + 1)
        return most
