"""The people of the emulated Telegram, and what they can do in their clients.

A person can do what a client can do and nothing else: `Impossible` is raised for the rest. The one
exception is `forges`, which stands for a modified client.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.demo.telegram_chats import Chat, Group, Impossible, Message, Press, PrivateChat

if TYPE_CHECKING:
    from bot.demo.telegram_world import World


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """A person, or the bot itself."""

    id: int
    first_name: str
    username: str | None = None
    is_bot: bool = False
    _world: World = field(kw_only=True, repr=False)

    @property
    def private(self) -> PrivateChat:
        """This person's chat with the bot."""
        return self._world.private_chat(self)

    def starts(self, payload: str = "") -> Message:
        """Press Start in the private chat; `payload` comes from a deep link."""
        return self.says(self.private, f"/start {payload}".strip())

    def says(
        self, chat: Chat, text: str, *, thread_id: int | None = None, anonymously: bool = False
    ) -> Message:
        """Write to the chat, in a topic or in the group's own name if asked to."""
        self._must_be_in(chat)
        if anonymously and not (isinstance(chat, Group) and self in chat.administrators):
            raise Impossible(f"{self.first_name} is no administrator of {chat.title}")
        return self._world.post(self, chat, text=text, thread_id=thread_id, anonymous=anonymously)

    def types_command(self, chat: Chat, command: str, *, addressed: bool = False) -> Message:
        """Type `/command and arguments`; `addressed` as from the menu: `/command@bot`."""
        name, _, arguments = command.removeprefix("/").partition(" ")
        mention = f"@{self._world.bot.username}" if addressed else ""
        return self.says(chat, f"/{name}{mention} {arguments}".strip())

    def replies(self, message: Message, text: str) -> Message:
        """Answer that very message."""
        self._must_be_in(message.chat)
        current = self._must_see(message)
        return self._world.post(
            self, message.chat, text=text, reply_to=message.id, thread_id=current.thread_id
        )

    def presses(self, message: Message, text: str) -> Press:
        """Press the button with those words, as the message shows it now."""
        self._must_be_in(message.chat)
        current = self._must_see(message)
        button = current.button(text)
        if "callback_data" not in button:
            raise Impossible(f"the button {text!r} tells the bot nothing: {button}")
        return self._world.press(self, current, button["callback_data"])

    def forges(self, message: Message, data: str) -> Press:
        """Send any callback data for that message, as a modified client can."""
        self._must_be_in(message.chat)
        return self._world.press(self, message.chat.find(message.id) or message, data)

    def deletes(self, message: Message) -> None:
        """Delete a message for everyone; the bot is not told."""
        self._must_see(message)
        message.chat.drop(message.id)

    def blocks(self) -> None:
        """Block the bot."""
        self._world.block(self.private, blocked=True)

    def unblocks(self) -> None:
        """Unblock the bot."""
        self._world.block(self.private, blocked=False)

    def _must_be_in(self, chat: Chat) -> None:
        if not chat.has(self):
            raise Impossible(f"{self.first_name} is not in {chat.title}")

    def _must_see(self, message: Message) -> Message:
        current = message.chat.find(message.id)
        if current is None:
            raise Impossible(f"message {message.id} is not in {message.chat.title} any more")
        return current
