"""The world behind the emulated Bot API: users, chats, presses, and which updates they cause.

Knows neither HTTP nor the wording of methods. What the bot may see of a group (privacy mode) and
which service messages go with a change of membership is decided here.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.demo import telegram_json as api
from bot.demo.telegram_chats import ADMINS, INSIDE, Chat, Group, Message, Press, PrivateChat, Status
from bot.demo.telegram_html import utf16_length
from bot.demo.telegram_people import User
from bot.demo.telegram_time import Bell, Clock
from bot.demo.telegram_updates import UpdateQueue
from bot.demo.telegram_wire import Json

_COMMAND = re.compile(r"(?<!\S)/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{3,32}))?(?![\w@/])")


@dataclass(frozen=True, slots=True)
class Habits:
    """How this Telegram treats the bot."""

    privacy: bool = True  # BotFather's privacy mode
    flood_limits: bool = True  # 20 messages a minute to one group


class World:
    """Everything that exists in the emulated Telegram."""

    def __init__(self, clock: Clock, bot_id: int, username: str, habits: Habits) -> None:
        self.clock = clock
        self.habits = habits
        self.changes = Bell()
        self.updates = UpdateQueue(clock)
        self.message_ids = itertools.count(1)
        self.bot = User(bot_id, "Progrev", username, is_bot=True, _world=self)
        self.users: dict[int, User] = {bot_id: self.bot}
        self.chats: dict[int, Chat] = {}
        self._private: dict[User, PrivateChat] = {}
        self.presses: dict[str, Press] = {}
        self.commands: dict[tuple[str, str], list[Json]] = {}  # by scope and language
        self._user_ids = itertools.count(5_000_000_001)
        self._group_ids = itertools.count(4_000_001)
        self._press_ids = itertools.count(4_382_000_000_000_000_001)

    def add_user(self, first_name: str, username: str | None) -> User:
        """A new person, who has not met the bot yet."""
        user = User(next(self._user_ids), first_name, username, _world=self)
        self.users[user.id] = user
        self._private[user] = self.chats[user.id] = PrivateChat(self, user)
        return user

    def private_chat(self, user: User) -> PrivateChat:
        """The chat of a person with the bot."""
        return self._private[user]

    def add_group(
        self, title: str, members: Iterable[User], *, supergroup: bool, topics: Iterable[int]
    ) -> Group:
        """A group that has existed for long: nobody is told; the first member created it."""
        number = next(self._group_ids)
        chat_id = int(f"-100{number:010}") if supergroup else -number
        group = Group(self, chat_id, title, supergroup=supergroup, topics=topics)
        group.statuses = dict.fromkeys(members, "member")
        if group.statuses:
            group.statuses[next(iter(group.statuses))] = "creator"
        self.chats[chat_id] = group
        return group

    # --- what people do ---

    def post(self, sender: User, chat: Chat, **fields: Any) -> Message:
        """Show what a person wrote, and tell the bot if it may see it."""
        message = self._new_message(sender, chat, **fields)
        message = chat.keep(message)
        if isinstance(chat, PrivateChat):
            chat.opened = True
        if self._bot_sees(message):
            self.tell("message", api.message_json(message))
        return message

    def press(self, user: User, message: Message, data: str) -> Press:
        """Send callback data to the bot."""
        press = Press(str(next(self._press_ids)), user, message, data, self.clock.now())
        self.presses[press.id] = press
        if message.chat.has(self.bot):
            self.tell("callback_query", api.callback_json(press))
        return press

    def block(self, chat: PrivateChat, *, blocked: bool) -> None:
        """Block or unblock the bot."""
        if chat.blocked == blocked:
            return
        chat.blocked = blocked
        statuses: tuple[Status, Status] = ("member", "kicked") if blocked else ("kicked", "member")
        self._tell_of_member(chat, self.bot, chat.user, statuses)

    def change_status(self, group: Group, user: User, new: Status) -> None:
        """Let a membership change, with the updates and service messages that go with it."""
        old = group.status(user)
        if old == new:
            return
        group.statuses[user] = new
        by = _actor(group, user, new)
        self._tell_of_member(group, user, by, (old, new))
        if new == "member" and old not in INSIDE:
            self._serve(by, group, new_chat_members=[api.user_json(user)])
        elif new not in INSIDE:
            self._serve(by, group, left_chat_member=api.user_json(user))

    def migrate(self, group: Group) -> Group:
        """Make a supergroup of a basic group, as the server announces it in both."""
        successor = self.add_group(group.title, (), supergroup=True, topics=())
        successor.statuses = dict(group.statuses)
        sender = next(iter(group.statuses))
        self._serve(sender, group, migrate_to_chat_id=successor.id)
        self._serve(sender, successor, migrate_from_chat_id=group.id)
        group.migrated_to = successor.id
        return successor

    # --- what the bot does ---

    def bot_writes(self, chat: Chat, **fields: Any) -> Message:
        """Show what the bot wrote."""
        return chat.keep(self._new_message(self.bot, chat, **fields))

    def tell(self, kind: str, body: Json) -> None:
        """Queue an update for the bot."""
        self.updates.add(kind, body)
        self.changes.ring()

    def _new_message(self, sender: User, chat: Chat, **fields: Any) -> Message:
        if not sender.is_bot and "text" in fields:
            fields["entities"] = tuple(_commands(fields["text"]))
        return Message(
            id=chat.next_message_id(),
            chat=chat,
            sender=sender,
            sent_at=self.clock.now(),
            **fields,
        )

    def _serve(self, sender: User, group: Group, **service: Any) -> None:
        self.post(sender, group, service=service)

    def _tell_of_member(
        self, chat: Chat, user: User, by: User, statuses: tuple[Status, Status]
    ) -> None:
        body = api.member_updated_json(chat, user, by, statuses, self.clock.now())
        if user is self.bot:
            self.tell("my_chat_member", body)
        elif isinstance(chat, Group) and chat.status(self.bot) in ADMINS:
            self.tell("chat_member", body)
        self.changes.ring()

    def _bot_sees(self, message: Message) -> bool:
        """Privacy mode, as "Bots FAQ: What messages will my bot get?" has it."""
        chat = message.chat
        if not isinstance(chat, Group):
            return True
        if not chat.has(self.bot):
            return False
        if message.service or not self.habits.privacy or chat.status(self.bot) in ADMINS:
            return True
        answered = chat.find(message.reply_to)
        return bool(answered and answered.sender is self.bot) or self._is_for_bot(message.text)

    def _is_for_bot(self, text: str) -> bool:
        mine = (None, str(self.bot.username).lower())
        return any((found[2] and found[2].lower()) in mine for found in _COMMAND.finditer(text))


def _actor(group: Group, user: User, new: Status) -> User:
    """Who changes a membership: people come and go by themselves, the rest is an admin's doing."""
    if not user.is_bot and new in {"member", "left"}:
        return user
    admins = (admin for admin in group.administrators if not admin.is_bot and admin is not user)
    return next(admins, user)


def _commands(text: str) -> Iterable[Json]:
    """The `bot_command` entities that Telegram finds in what people type."""
    for found in _COMMAND.finditer(text):
        offset, length = utf16_length(text[: found.start()]), utf16_length(found[0])
        yield {"type": "bot_command", "offset": offset, "length": length}
