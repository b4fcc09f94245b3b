"""`progrev check`: is everything that the daemon needs there? One line each, with what to do.

It changes nothing and may run beside the daemon.
"""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramUnauthorizedError,
)

from bot.clock import SystemClock
from bot.settings import Settings
from bot.telegram.manager_chat import ManagerChat
from greenapi.client import GreenApi, open_session
from greenapi.errors import GreenApiError
from greenapi.models import Credentials
from storage.dialect import version_problems
from storage.errors import StorageError
from storage.lock import database_path
from storage.storage import Storage

_CALL_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    passed: bool
    text: str


async def run(settings: Settings) -> int:
    """Print the findings; 0 only if all passed."""
    passed = True
    async for finding in _findings(settings):
        passed = passed and finding.passed
        print(f"{'ok  ' if finding.passed else 'FAIL'}  {finding.subject}: {finding.text}")
    return 0 if passed else 1


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield Finding("configuration", passed=True, text="every key is understood")
    chat_id = settings.telegram.manager_chat_id
    async for finding in _storage(settings):
        yield finding
    if database_path(settings.storage.url).exists():
        chat_id = await _bound_chat(settings)
    async for finding in _telegram(settings, chat_id):
        yield finding
    async for finding in _greenapi(settings):
        yield finding


# --- database -----------------------------------------------------------------------------------


async def _storage(settings: Settings) -> AsyncIterator[Finding]:
    warning, usable = version_problems()
    yield Finding("SQLite", usable, warning or "this version has no known trouble")
    path = database_path(settings.storage.url).resolve()
    if path.exists():
        yield await _try("database", _read_database(settings, path))
    elif path.parent.is_dir():
        yield Finding("database", passed=True, text=f"{path} will be made at the first start")
    else:
        yield Finding("database", passed=False, text=f"make the directory {path.parent}")


async def _read_database(settings: Settings, path: Path) -> str:
    storage = Storage(settings.storage.url)
    try:
        pending = await storage.read(lambda unit: unit.queue.count_pending())
    finally:
        await storage.close()
    return f"{path} answers, {pending} messages wait"


async def _bound_chat(settings: Settings) -> int | None:
    storage = Storage(settings.storage.url)
    chat = ManagerChat(storage, settings.telegram.manager_chat_id)
    try:
        await chat.load()
    except StorageError:
        return settings.telegram.manager_chat_id
    finally:
        await storage.close()
    return chat.id


# --- Telegram -----------------------------------------------------------------------------------


async def _telegram(settings: Settings, chat_id: int | None) -> AsyncIterator[Finding]:
    telegram = settings.telegram
    session = AiohttpSession(
        api=TelegramAPIServer.from_base(telegram.api_url),
        proxy=telegram.proxy.get_secret_value() if telegram.proxy else None,
        timeout=_CALL_SECONDS,
    )
    bot = Bot(telegram.token.get_secret_value(), session=session)
    try:
        met = await _try("Telegram bot", _get_me(bot))
        yield met
        if not met.passed:
            return
        if chat_id is None:
            yield Finding(
                "managers' chat", passed=True, text="none yet: an admin writes /here in it"
            )
        else:
            yield await _try("managers' chat", _get_chat(bot, chat_id))
        for admin in telegram.admin_ids:
            yield await _try(f"admin {admin}", _reach(bot, admin))
    finally:
        await session.close()


async def _get_me(bot: Bot) -> str:
    me = await bot.get_me()
    return f"@{me.username} answers"


async def _get_chat(bot: Bot, chat_id: int) -> str:
    chat = await bot.get_chat(chat_id)
    member = await bot.get_chat_member(chat_id, bot.id)
    if member.status in ("left", "kicked"):
        raise _Advice("the bot is not in the chat: add it as a member")
    return f"«{chat.title or chat.full_name}», the bot is inside"


async def _reach(bot: Bot, admin: int) -> str:
    try:
        await bot.send_chat_action(admin, "typing")
    except (TelegramForbiddenError, TelegramBadRequest):
        raise _Advice(f"the admin must open @{(await bot.me()).username} and press Start") from None
    return "can be written to"


# --- GREEN-API ----------------------------------------------------------------------------------


async def _greenapi(settings: Settings) -> AsyncIterator[Finding]:
    green = settings.greenapi
    credentials = Credentials(green.url, green.instance, green.token.get_secret_value())
    async with open_session() as session:
        api = GreenApi(session, credentials, timeout=SystemClock().timeout)
        state = await _try("GREEN-API", _state(api))
        yield state
        if state.passed:
            yield await _try("WhatsApp number", _number(api))
            yield await _try("GREEN-API webhook", _webhook(api))


async def _state(api: GreenApi) -> str:
    state = await api.get_state_instance()
    if not state.authorized:
        raise _Advice(
            f"the instance is «{state.word}»: link WhatsApp by its QR code in the console"
        )
    return "the instance is authorized"


async def _number(api: GreenApi) -> str:
    settings = await api.get_wa_settings()
    return f"messages leave from +{settings.phone}" if settings.phone else "not told"


async def _webhook(api: GreenApi) -> str:
    settings = await api.get_settings()
    if settings.webhook_url:
        raise _Advice(
            "webhookUrl is set, so another program uses this instance: "
            "two senders on one instance double messages; clear it in the console"
        )
    return "none is set, nobody else takes this instance's notifications"


# --- one question -------------------------------------------------------------------------------


class _Advice(Exception):
    """It answered, and there is something to do."""


async def _try(subject: str, question: Awaitable[str]) -> Finding:
    try:
        return Finding(subject, passed=True, text=await question)
    except Exception as error:
        return Finding(subject, passed=False, text=_advice(error))


def _advice(error: Exception) -> str:
    """What to do about it, without the error's own text, which may hold an address or a token."""
    if isinstance(error, _Advice | StorageError | GreenApiError):
        return str(error)
    for kinds, advice in _TELEGRAM_ADVICE:
        if isinstance(error, kinds):
            return advice
    return f"did not work ({type(error).__name__})"


_Kinds = type[Exception] | tuple[type[Exception], ...]
_TELEGRAM_ADVICE: tuple[tuple[_Kinds, str], ...] = (
    (
        (TelegramUnauthorizedError, TelegramNotFound),
        "the token is refused: take it from @BotFather",
    ),
    (
        (TelegramBadRequest, TelegramForbiddenError),
        "not found: is the id right, is the bot inside?",
    ),
    (AiogramError, "Telegram does not answer: is there a way out to it, is telegram.proxy needed?"),
)
