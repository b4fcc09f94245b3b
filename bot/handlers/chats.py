"""What happens to chats themselves: groups that move, the bot that is put out or let in."""

import structlog
from aiogram import F, Router
from aiogram.types import ChatMemberUpdated, Message

from bot.services.bells import Bells
from bot.telegram.manager_chat import ManagerChat
from bot.telegram.pacer import Pacer

_log = structlog.get_logger()


def setup() -> Router:
    """Route service messages and changes of the bot's own membership."""
    router = Router(name="chats")
    router.message.register(moved, F.migrate_to_chat_id)
    router.message.register(arrived, F.migrate_from_chat_id)
    router.my_chat_member.register(membership)
    return router


async def moved(message: Message, chat: ManagerChat, bells: Bells) -> None:
    """The old group says where it went."""
    if message.migrate_to_chat_id is not None:
        await chat.move(message.chat.id, message.migrate_to_chat_id)
        bells.posts.set()


async def arrived(message: Message, chat: ManagerChat, bells: Bells) -> None:
    """The new supergroup says where it came from."""
    if message.migrate_from_chat_id is not None:
        await chat.move(message.migrate_from_chat_id, message.chat.id)
        bells.posts.set()


async def membership(change: ChatMemberUpdated, pacer: Pacer, bells: Bells) -> None:
    """The bot was let in or put out; a chat that it is in again need not wait any longer."""
    status = change.new_chat_member.status
    _log.info("bot_membership", chat_id=change.chat.id, status=status)
    if status in ("member", "administrator"):
        pacer.release(change.chat.id)
        bells.posts.set()
