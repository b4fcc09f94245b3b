"""What nobody else answered: dead buttons, commands of another day."""

from aiogram import F, Router
from aiogram.types import CallbackQuery, Message

from bot.handlers.presses import answer
from bot.views import replies

# Commands of the contract that this version does not have: answered in groups too.
_LATER = (
    *("templates", "queue", "stats", "sent", "failed", "unknown", "retry", "lead", "leads"),
    *("stop", "dispatch", "test", "status", "qr", "export"),
)


def setup() -> Router:
    """Route the rest."""
    router = Router(name="last")
    router.callback_query.register(old_button)
    router.message.register(unknown_command, F.text.startswith("/"))
    return router


async def old_button(query: CallbackQuery) -> None:
    """Answer a button of a form we do not know (any more)."""
    await answer(query, replies.OLD_BUTTON, alert=True)


async def unknown_command(message: Message) -> None:
    """Answer a command we do not have, where it was meant for us."""
    command = (message.text or "").split()[0].lstrip("/").partition("@")[0].lower()
    if message.chat.type == "private" or command in _LATER:
        await message.answer(replies.UNKNOWN_COMMAND)
