"""Keeps calls to Telegram chats within its limits, and holds a chat when Telegram says so."""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import AiogramError, TelegramNetworkError, TelegramRetryAfter
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from bot.clock import Clock
from bot.domain.pacing import next_call_at
from bot.services.meters import Tally

_KEPT = 40  # calls remembered a chat: more than a minute holds


class Pacer(BaseRequestMiddleware):
    """A request middleware of the session: every message and edit of the bot passes here."""

    def __init__(self, clock: Clock, tally: Tally | None = None) -> None:
        self._clock = clock
        self._tally = tally or Tally()
        self._calls: dict[int, deque[datetime]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._held: dict[int, float] = {}  # until when, in running time

    def next_call_at(self, chat_id: int, *, background: bool) -> datetime:
        """When a call to the chat may be made; `background` leaves room for answers."""
        now = self._clock.now()
        moment = next_call_at(self._calls[chat_id], now, group=chat_id < 0, background=background)
        held = timedelta(seconds=self._held.get(chat_id, 0.0) - self._clock.running())
        return max(moment, now + held)

    def hold(self, chat_id: int, seconds: float) -> None:
        """Let the chat rest."""
        self._held[chat_id] = self._clock.running() + seconds

    def release(self, chat_id: int) -> None:
        """Let the chat be called again at once."""
        self._held.pop(chat_id, None)

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Wait for a place, make the call, and remember what Telegram said of the pace."""
        chat_id = _paced_chat(method)
        if chat_id is None:
            return await make_request(bot, method)
        while (moment := self.next_call_at(chat_id, background=False)) > self._clock.now():
            await self._clock.sleep_until(moment)
        self._calls[chat_id].append(self._clock.now())
        try:
            response = await make_request(bot, method)
        except TelegramRetryAfter as error:
            self._tally.add("held")
            self.hold(chat_id, error.retry_after + 0.5)
            raise
        except TelegramNetworkError:
            self._tally.add("unreachable")
            raise
        except AiogramError:
            self._tally.add("refused")
            raise
        self._tally.add("edited" if type(method).__name__.startswith("Edit") else "sent")
        return response


def _paced_chat(method: TelegramMethod[Any]) -> int | None:
    """The chat whose limits a call counts against; answers to presses and reads have none."""
    if type(method).__name__.startswith(("Send", "EditMessage")):
        chat_id = getattr(method, "chat_id", None)
        return chat_id if isinstance(chat_id, int) else None
    return None
