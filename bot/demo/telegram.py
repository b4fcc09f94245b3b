"""An emulator of the Telegram Bot API, for scenario tests and the demo.

A bot reaches it with `TelegramAPIServer.from_base(telegram.url)`. It has three faces: a world to
look at (`group.messages`, `telegram.journal`), people who act (`alice.presses(card, "…")`), and
faults to order (`telegram.fail_next("sendMessage", faults.hang())`). It knows nothing of aiogram,
so that a misunderstanding cannot hide on both sides.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from bot.clock import SystemClock
from bot.demo.telegram_chats import Chat, Group, Press
from bot.demo.telegram_journal import WRITES
from bot.demo.telegram_methods import get_my_commands
from bot.demo.telegram_people import User
from bot.demo.telegram_render import render
from bot.demo.telegram_server import BotApiServer
from bot.demo.telegram_time import Clock
from bot.demo.telegram_wire import Json, Params
from bot.demo.telegram_world import Habits, World

Answer = TypeVar("Answer")

TOKEN = "7000000001:emulated-bot-token"


class TelegramEmulator(BotApiServer):
    """A Bot API server with one bot, and the people and groups around it."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = TOKEN,
        username: str = "progrev_bot",
        privacy: bool = True,
        flood_limits: bool = True,
    ) -> None:
        bot_id = int(token.partition(":")[0])
        habits = Habits(privacy=privacy, flood_limits=flood_limits)
        super().__init__(World(clock, bot_id, username, habits), token)

    @property
    def bot(self) -> User:
        """The bot, as a member of groups."""
        return self._world.bot

    @property
    def presses(self) -> list[Press]:
        """All presses on buttons, oldest first."""
        return list(self._world.presses.values())

    @property
    def pending_updates(self) -> list[Json]:
        """What no `getUpdates` has confirmed yet."""
        return self._world.updates.pending

    def add_user(self, first_name: str, username: str | None = None) -> User:
        """A person who has not pressed Start yet."""
        return self._world.add_user(first_name, username)

    def add_group(
        self,
        title: str,
        members: Iterable[User] = (),
        *,
        supergroup: bool = False,
        bot_inside: bool = True,
        topics: Iterable[int] = (),
    ) -> Group:
        """A group with these members; the first of them created it. Topics make it a forum."""
        inside = [*members, *([self.bot] if bot_inside else [])]
        topics = frozenset(topics)
        return self._world.add_group(
            title, inside, supergroup=supergroup or bool(topics), topics=topics
        )

    def inject_update(self, update: Json) -> None:
        """Queue an update as it is, however malformed; without `update_id` it gets the next."""
        self._world.updates.inject(update)

    def menu(self, scope: Json | None = None, language: str = "") -> dict[str, str]:
        """The commands set for exactly that scope and language, with their descriptions."""
        asked = Params({"scope": scope, "language_code": language})
        return {
            item["command"]: item["description"] for item in get_my_commands(self._world, asked)
        }

    def most_per_minute(self, chat_id: int, methods: Iterable[str] = WRITES) -> int:
        """The most calls of these methods to that chat in any 60 seconds of the clock."""
        return self.journal.most_per_minute(chat_id, methods)

    def render(self, chat: Chat | None = None) -> str:
        """One chat as readable text, or all that are not empty."""
        chats = [chat] if chat else [one for one in self._world.chats.values() if one.messages]
        return "\n\n".join(render(one, self.presses) for one in chats) or "(no messages)"

    async def until(
        self, predicate: Callable[[], Answer], *, timeout_real: float = 10, chat: Chat | None = None
    ) -> Answer:
        """Wait until `predicate` is true, and return what it returned.

        It is asked again after each change in this Telegram; a `LookupError` (no such message yet)
        means no. After `timeout_real` real seconds: `AssertionError` with the chat as it is shown.
        """
        try:
            async with SystemClock().timeout(timeout_real):
                while True:
                    if answer := _ask(predicate):
                        return answer
                    await self._world.changes.heard()
        except TimeoutError:
            shown = self.render(chat)
        raise AssertionError(f"not so within {timeout_real} s; Telegram shows\n{shown}")

    async def answered(self, press: Press, *, timeout_real: float = 10) -> str | None:
        """Wait for the bot's answer to a press; None when it only stopped the spinner."""
        await self.until(
            lambda: press.is_answered, timeout_real=timeout_real, chat=press.message.chat
        )
        return press.answer


def _ask(predicate: Callable[[], Answer]) -> Answer | None:
    try:
        return predicate()
    except LookupError:
        return None
