"""Who may do what."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import ChatMemberRestricted

from bot.clock import Clock
from bot.telegram.manager_chat import ManagerChat

_KEPT = timedelta(minutes=5)
_ASK_SECONDS = 10
_INSIDE = frozenset({"creator", "administrator", "member"})

_log = structlog.get_logger()


class NoAnswer(Exception):
    """Telegram did not say whether the person is in the managers' chat."""


@dataclass(frozen=True, slots=True)
class _Known:
    inside: bool
    at: datetime


class Access:
    """Rights by user id: from the configuration, or by being in the managers' chat."""

    def __init__(
        self,
        admins: Collection[int],
        managers: Collection[int],
        chat: ManagerChat,
        bot: Bot,
        clock: Clock,
    ) -> None:
        self._admins = frozenset(admins)
        self._managers = frozenset(managers)
        self._chat = chat
        self._bot = bot
        self._clock = clock
        self._known: dict[tuple[int, int], _Known] = {}

    def is_admin(self, user_id: int) -> bool:
        """Whether the configuration names the user as an admin."""
        return user_id in self._admins

    async def is_manager(self, user_id: int) -> bool:
        """Whether the user may press buttons of cards; raises `NoAnswer`."""
        if user_id in self._admins or user_id in self._managers:
            return True
        if self._managers or self._chat.id is None:
            return False
        return await self._is_inside(self._chat.id, user_id)

    async def _is_inside(self, chat_id: int, user_id: int) -> bool:
        known = self._known.get((chat_id, user_id))
        now = self._clock.now()
        if known is None or not timedelta() <= now - known.at < _KEPT:
            known = _Known(await self._ask(chat_id, user_id), now)
            self._known[chat_id, user_id] = known
        return known.inside

    async def _ask(self, chat_id: int, user_id: int) -> bool:
        try:
            member = await self._bot.get_chat_member(chat_id, user_id, request_timeout=_ASK_SECONDS)
        except (TelegramBadRequest, TelegramForbiddenError) as error:
            # "user not found", "chat not found": Telegram did answer, and the answer is no.
            _log.warning("member_refused", error=type(error).__name__)
            return False
        except AiogramError as error:
            _log.warning("member_unknown", error=type(error).__name__)
            raise NoAnswer from None
        if isinstance(member, ChatMemberRestricted):
            return member.is_member
        return member.status in _INSIDE
