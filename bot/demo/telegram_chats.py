"""The chats of the emulated Telegram: what they show now and who is in them.

State and questions only; what people and the bot do to it is in `telegram_people`, `telegram_world`
and `telegram_methods`.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bot.demo.telegram_wire import Json

if TYPE_CHECKING:
    from bot.demo.telegram_people import User
    from bot.demo.telegram_world import World

Status = Literal["creator", "administrator", "member", "left", "kicked"]
INSIDE: tuple[Status, ...] = ("creator", "administrator", "member")
ADMINS: tuple[Status, ...] = ("creator", "administrator")


class Impossible(AssertionError):
    """What a person tried cannot be done in a Telegram client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it was at one moment; `chat.message(id)` tells how it is now."""

    id: int
    chat: Chat = field(repr=False)
    sender: User
    sent_at: datetime
    text: str = ""
    entities: tuple[Json, ...] = ()
    markup: Json | None = None
    reply_to: int | None = None
    edited_at: datetime | None = None
    thread_id: int | None = None  # of a topic
    anonymous: bool = False  # sent by an admin in the name of the group
    service: Json | None = None  # the fields that make it a service message

    @property
    def from_bot(self) -> bool:
        """Whether a bot wrote it."""
        return self.sender.is_bot

    @property
    def inline_rows(self) -> list[list[Json]]:
        """The inline keyboard, button by button."""
        rows: list[list[Json]] = (self.markup or {}).get("inline_keyboard", [])
        return rows

    @property
    def buttons(self) -> list[list[str]]:
        """The words on the inline keyboard, row by row."""
        return [[button["text"] for button in row] for row in self.inline_rows]

    @property
    def asks_for_reply(self) -> bool:
        """Whether it opens the reply field (`force_reply`)."""
        return bool((self.markup or {}).get("force_reply"))

    def button(self, text: str) -> Json:
        """The button with those words; `Impossible` names those that there are."""
        for button in itertools.chain(*self.inline_rows):
            if button["text"] == text:
                return button
        raise Impossible(f"message {self.id} has no button {text!r}, but {self.buttons}")


@dataclass(slots=True)
class Press:
    """A press on an inline button, and the bot's answer to it once there is one."""

    id: str
    user: User
    message: Message
    data: str
    pressed_at: datetime
    is_answered: bool = False
    answer: str | None = None  # what the client shows; None also when the bot said nothing
    alert: bool = False  # shown as a box that must be closed
    answered_at: datetime | None = None


class Chat(ABC):
    """What all chats have in common."""

    kind: str

    def __init__(self, world: World, chat_id: int) -> None:
        self.id = chat_id
        self._world = world
        self._shown: dict[int, Message] = {}

    @property
    @abstractmethod
    def title(self) -> str:
        """How the chat is headed."""

    @property
    def messages(self) -> list[Message]:
        """What the chat shows now, oldest first."""
        return list(self._shown.values())

    def message(self, message_id: int) -> Message:
        """The message as it is now; `KeyError` when it is not shown any more."""
        return self._shown[message_id]

    def find(self, message_id: int | None) -> Message | None:
        """The message as it is now, None when it is not shown."""
        return None if message_id is None else self._shown.get(message_id)

    def last_from(self, sender: User) -> Message:
        """The newest message of that sender; `LookupError` when there is none."""
        return [message for message in self.messages if message.sender is sender][-1]

    def keep(self, message: Message) -> Message:
        """Show a new message, or the new state of one."""
        self._shown[message.id] = message
        self._world.changes.ring()
        return message

    def drop(self, message_id: int) -> None:
        """Show a message no more."""
        del self._shown[message_id]
        self._world.changes.ring()

    def next_message_id(self) -> int:
        """Private chats and basic groups of a bot share one sequence of ids."""
        return next(self._world.message_ids)

    @abstractmethod
    def has(self, user: User) -> bool:
        """Whether that user may write and press here."""


class PrivateChat(Chat):
    """The chat of one user with the bot."""

    kind = "private"

    def __init__(self, world: World, user: User) -> None:
        super().__init__(world, user.id)
        self.user = user
        self.opened = False  # the user has written to the bot once
        self.blocked = False

    @property
    def title(self) -> str:
        """The user's name."""
        return self.user.first_name

    def has(self, user: User) -> bool:
        """The bot, and its user unless the bot is blocked."""
        return user.is_bot or (user is self.user and not self.blocked)


class Group(Chat):
    """A basic group or a supergroup."""

    def __init__(
        self, world: World, chat_id: int, title: str, *, supergroup: bool, topics: Iterable[int]
    ) -> None:
        super().__init__(world, chat_id)
        self.kind = "supergroup" if supergroup else "group"
        self._title = title
        self._own_ids = itertools.count(1)
        self.topics = frozenset(topics)
        self.statuses: dict[User, Status] = {}
        self.migrated_to: int | None = None
        self.bot_wrote_at: list[datetime] = []  # within the last minute, for the flood limit

    @property
    def title(self) -> str:
        """The group's name."""
        return self._title

    @property
    def members(self) -> list[User]:
        """Who is in the group now, the bot included."""
        return list(self._inside(INSIDE))

    @property
    def administrators(self) -> list[User]:
        """Creator and administrators."""
        return list(self._inside(ADMINS))

    def _inside(self, statuses: tuple[Status, ...]) -> Iterator[User]:
        return (user for user, status in self.statuses.items() if status in statuses)

    def status(self, user: User) -> Status:
        """What that user is here; "left" for whoever never was."""
        return self.statuses.get(user, "left")

    def has(self, user: User) -> bool:
        """Members only, and nobody once the group has become a supergroup."""
        return self.migrated_to is None and self.status(user) in INSIDE

    def next_message_id(self) -> int:
        """A supergroup counts its own messages, from 1."""
        return next(self._own_ids) if self.kind == "supergroup" else super().next_message_id()

    def joins(self, user: User) -> None:
        """A user, or the bot, comes in."""
        self._world.change_status(self, user, "member")

    def leaves(self, user: User) -> None:
        """A user goes."""
        self._world.change_status(self, user, "left")

    def kicks(self, user: User) -> None:
        """A user, or the bot, is thrown out."""
        self._world.change_status(self, user, "kicked")

    def promotes(self, user: User) -> None:
        """A member, or the bot, becomes an administrator."""
        self._world.change_status(self, user, "administrator")

    def migrates(self) -> Group:
        """Become a supergroup: the members move there, and this id is dead."""
        return self._world.migrate(self)
