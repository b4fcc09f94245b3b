"""Commands for everybody: /start, /help, /id; and /here, by which an admin binds a chat."""

from aiogram import Router
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from bot.services.bells import Bells
from bot.telegram.access import Access, NoAnswer
from bot.telegram.manager_chat import ManagerChat
from bot.views import replies


def setup() -> Router:
    """Route the basic commands."""
    router = Router(name="basics")
    router.message.register(start, CommandStart())
    router.message.register(show_help, Command("help"))
    router.message.register(show_ids, Command("id"))
    router.message.register(here, Command("here"))
    return router


async def start(message: Message, access: Access) -> None:
    """Say who we are."""
    await message.answer(replies.start(manager=await _is_manager(message, access)))


async def show_help(message: Message, access: Access) -> None:
    """Say what this person may do."""
    manager = await _is_manager(message, access)
    await message.answer(replies.help_text(admin=_is_admin(message, access), manager=manager))


async def show_ids(message: Message) -> None:
    """Tell the ids that the configuration asks for."""
    if message.from_user is not None:
        private = message.chat.type == "private"
        await message.answer(replies.ids(message.from_user.id, message.chat.id, private=private))


async def here(message: Message, access: Access, chat: ManagerChat, bells: Bells) -> None:
    """Let the cards come to this chat."""
    if not _is_admin(message, access):
        await message.answer(replies.NO_RIGHT_COMMAND)
        return
    await chat.bind(
        message.chat.id, message.message_thread_id if message.is_topic_message else None
    )
    bells.posts.set()
    await message.answer(replies.HERE)


def _is_admin(message: Message, access: Access) -> bool:
    return message.from_user is not None and access.is_admin(message.from_user.id)


async def _is_manager(message: Message, access: Access) -> bool:
    if message.from_user is None:
        return False
    try:
        return await access.is_manager(message.from_user.id)
    except NoAnswer:
        return False
