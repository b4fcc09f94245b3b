"""Makes the chats show what the database says: new posts, and edits of those that changed.

The work is found in the table `posts`, so nothing is lost when Telegram or this process is away. A
death between sending and recording may double a post; the newest one is then kept true.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramRetryAfter,
)
from aiogram.types import InlineKeyboardMarkup, ReplyParameters
from aiogram.utils.formatting import Text

from bot.clock import Clock
from bot.services.cards import PostStory, read_post
from bot.telegram.manager_chat import ManagerChat
from bot.telegram.pacer import Pacer
from bot.views import alerts, card, hold, notices
from storage.errors import StorageError
from storage.models import Post, PostKind
from storage.posts import Shown
from storage.storage import Storage

_LOOKED_AT = 500
_CALL_SECONDS = 15
_REST_SECONDS = 60.0  # after a refusal that only people can mend
_LONGEST_BACKOFF_SECONDS = 30.0
_LOOK_AGAIN = timedelta(seconds=5)  # people's own SQL rings no bell

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Drawn:
    text: Text
    keyboard: InlineKeyboardMarkup | None
    refresh_at: datetime | None
    reply_to: int | None

    @property
    def fingerprint(self) -> str:
        content, entities = self.text.render()
        markup = self.keyboard.model_dump_json(exclude_none=True) if self.keyboard else ""
        shown = [content, *(entity.model_dump_json(exclude_none=True) for entity in entities)]
        return sha256("\0".join([*shown, markup]).encode("utf-8", "replace")).hexdigest()


class Outbox:
    """One step at a time: the most pressing post that may go to its chat now."""

    def __init__(
        self,
        storage: Storage,
        bot: Bot,
        chat: ManagerChat,
        pacer: Pacer,
        look: card.Look,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._bot = bot
        self._chat = chat
        self._pacer = pacer
        self._look = look
        self._clock = clock
        self._failures: dict[int, int] = {}
        self.lost_chat = False  # the managers' chat refuses posts

    async def step(self) -> datetime:
        """Bring one post up to date; return when to look again."""
        now = self._clock.now()
        posts = await self._storage.run(lambda unit: unit.posts.waiting(now, _LOOKED_AT))
        moments: list[datetime] = []
        seen: set[int] = set()
        for post in posts:
            chat_id = self._target(post)
            if chat_id is None or chat_id in seen:
                continue  # no chat yet; or somebody else's turn there comes first
            seen.add(chat_id)
            answers = post.urgent and post.message_id is not None
            moment = self._pacer.next_call_at(chat_id, background=not answers)
            if moment <= self._clock.now():
                await self._bring_up(post, chat_id)
                return now
            moments.append(moment)
        refresh = await self._storage.run(lambda unit: unit.posts.next_refresh_at(now))
        return min([*moments, now + _LOOK_AGAIN, *([refresh] if refresh else [])])

    def _target(self, post: Post) -> int | None:
        return post.chat_id or post.recipient or self._chat.id

    async def _bring_up(self, post: Post, chat_id: int) -> None:
        now = self._clock.now()
        try:
            story = await self._storage.run(lambda unit: read_post(unit, post))
            drawn = self._draw(story, now)
        except StorageError:
            raise  # the database is away: the post is as it was
        except Exception:
            _log.exception("post_not_drawn", post_id=post.id, lead_id=post.lead_id)
            await self._record(post, chat_id, post.message_id, None)
            return
        if drawn is None:
            await self._storage.run(lambda unit: unit.posts.remove(post.id))
        elif post.message_id is not None and drawn.fingerprint == post.shown:
            await self._record(post, chat_id, post.message_id, drawn)
        else:
            await self._call(post, chat_id, drawn)

    async def _call(self, post: Post, chat_id: int, drawn: _Drawn) -> None:
        try:
            message_id = await self._show(post, chat_id, drawn)
        except AiogramError as error:
            await self._not_shown(post, chat_id, drawn, error)
            return
        self._failures.pop(chat_id, None)
        self.lost_chat = self.lost_chat and chat_id != self._chat.id
        await self._record(post, chat_id, message_id, drawn)
        if post.message_id is None:
            _log.info("post_sent", kind=post.kind, lead_id=post.lead_id, post_id=post.id)

    def _draw(self, story: PostStory, now: datetime) -> _Drawn | None:
        """What a post shows; None if what it told of was deleted."""
        if story.post.kind is PostKind.ALERT:
            return _Drawn(alerts.alert(story.post.payload or {}), None, None, None)
        if story.post.kind is PostKind.STALE:
            return _Drawn(notices.stale(story.post.number, self._look.late_hours), None, None, None)
        if story.post.kind is PostKind.HELD:
            text, markup = hold.draw(story.held, self._look.zone, self._look.late_hours)
            return _Drawn(text, markup, None, None)
        if story.story is None:
            return None
        if story.post.kind is PostKind.UNKNOWN:
            text, markup = notices.unknown(story)
            return _Drawn(text, markup, None, story.card.message_id if story.card else None)
        drawn = card.draw(story.story, self._look, now)
        return _Drawn(drawn.text, drawn.keyboard, drawn.refresh_at, None)

    async def _show(self, post: Post, chat_id: int, drawn: _Drawn) -> int:
        content = drawn.text.as_kwargs()
        if post.message_id is not None:
            await self._bot.edit_message_text(
                chat_id=chat_id,
                message_id=post.message_id,
                reply_markup=drawn.keyboard,
                request_timeout=_CALL_SECONDS,
                **content,
            )
            return post.message_id
        reply = None
        if drawn.reply_to is not None:
            reply = ReplyParameters(message_id=drawn.reply_to, allow_sending_without_reply=True)
        message = await self._bot.send_message(
            chat_id=chat_id,
            message_thread_id=self._chat.thread_id if chat_id == self._chat.id else None,
            reply_markup=drawn.keyboard,
            reply_parameters=reply,
            request_timeout=_CALL_SECONDS,
            **content,
        )
        return message.message_id

    async def _not_shown(
        self, post: Post, chat_id: int, drawn: _Drawn, error: AiogramError
    ) -> None:
        """Telegram did not show it: done already, lost, refused, or to be tried again."""
        if isinstance(error, TelegramRetryAfter):
            return  # the pacer holds the chat
        if isinstance(error, TelegramMigrateToChat):
            await self._chat.move(chat_id, error.migrate_to_chat_id)
            return
        text = str(getattr(error, "message", "")).lower()
        refused = isinstance(error, TelegramBadRequest)
        if refused and "message is not modified" in text:
            await self._record(post, chat_id, post.message_id, drawn)
            return
        if refused and "message thread not found" in text:
            await self._chat.bind(chat_id)  # the topic was deleted: the chat itself is left
            return
        if refused and ("message to edit not found" in text or "can't be edited" in text):
            await self._forget(post)
            return
        _log.warning("post_not_shown", post_id=post.id, error=type(error).__name__)
        if isinstance(error, TelegramForbiddenError) or "chat not found" in text:
            await self._no_way_in(post, chat_id)
        elif refused:
            await self._record(post, chat_id, post.message_id, None)
        else:
            failures = self._failures[chat_id] = self._failures.get(chat_id, 0) + 1
            self._pacer.hold(chat_id, min(2.0 ** (failures - 1), _LONGEST_BACKOFF_SECONDS))

    async def _no_way_in(self, post: Post, chat_id: int) -> None:
        """Only the managers' chat of today is waited for; a chat that was left is given up."""
        if post.recipient is not None:
            await self._storage.run(lambda unit: unit.posts.redirect(post))
        elif chat_id != self._chat.id:
            await self._record(post, None, None, None)
        else:
            self.lost_chat = True
            self._pacer.hold(chat_id, _REST_SECONDS)

    async def _forget(self, post: Post) -> None:
        """The message is gone from the chat: a fresh one takes its place."""
        shown = Shown(
            version=post.version - 1,
            chat_id=None,
            message_id=None,
            fingerprint=None,
            refresh_at=None,
        )
        await self._storage.run(lambda unit: unit.posts.record(post.id, shown))

    async def _record(
        self, post: Post, chat_id: int | None, message_id: int | None, drawn: _Drawn | None
    ) -> None:
        shown = Shown(
            version=post.version,
            chat_id=chat_id,
            message_id=message_id,
            fingerprint=drawn.fingerprint if drawn else None,
            refresh_at=drawn.refresh_at if drawn else None,
        )
        await self._storage.run(lambda unit: unit.posts.record(post.id, shown))
