"""The command menus that Telegram shows."""

from collections.abc import Sequence

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand, BotCommandScopeChat

_COMMANDS = (
    BotCommand(command="help", description="что я умею"),
    BotCommand(command="id", description="ваш номер и номер этого чата"),
    BotCommand(command="cancel", description="перестать ждать вашего ответа"),
)
_ADMIN_COMMANDS = (
    *_COMMANDS,
    BotCommand(command="here", description="присылать карточки в этот чат"),
)

_log = structlog.get_logger()


async def publish(bot: Bot, admins: Sequence[int]) -> None:
    """Fill the menus; a chat the bot does not know (yet) is no reason to fail."""
    try:
        await bot.set_my_commands(list(_COMMANDS))
    except AiogramError as error:
        _log.warning("commands_not_set", error=type(error).__name__)
    for admin in admins:
        scope = BotCommandScopeChat(chat_id=admin)
        try:
            await bot.set_my_commands(list(_ADMIN_COMMANDS), scope=scope)
        except AiogramError as error:
            _log.info("admin_commands_not_set", error=type(error).__name__)
