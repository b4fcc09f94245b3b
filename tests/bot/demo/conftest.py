"""The emulated Telegram with its people, and a real aiogram bot that talks to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from bot.demo.telegram_chats import Group
from bot.demo.telegram_people import User


def connect(telegram: TelegramEmulator, token: str | None = None) -> Bot:
    """A bot as production makes it, but for the address."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.url))
    return Bot(token or telegram.token, session=session)


async def disconnect(bot: Bot) -> None:
    """Without aiogram's own close, which sleeps 250 ms for TLS connections."""
    if bot.session._session is not None:
        await bot.session._session.close()


@pytest.fixture
def clock() -> Conductor:
    """A Monday morning at the pace of the machine; tests jump."""
    return Conductor(datetime(2025, 3, 3, 7, 0, tzinfo=UTC))


@pytest.fixture
async def telegram(clock: Conductor) -> AsyncIterator[TelegramEmulator]:
    """An emulator of its own for each test."""
    async with TelegramEmulator(clock) as emulator:
        yield emulator


@pytest.fixture
async def bot(telegram: TelegramEmulator) -> AsyncIterator[Bot]:
    """A bot with the right token."""
    client = connect(telegram)
    yield client
    await disconnect(client)


@dataclass(frozen=True)
class People:
    alice: User
    bob: User
    group: Group


@pytest.fixture
def people(telegram: TelegramEmulator) -> People:
    """Alice, who created the group, and Bob, who is a member of it."""
    alice, bob = telegram.add_user("Alice", "alice"), telegram.add_user("Bob")
    return People(alice, bob, telegram.add_group("Sales", [alice, bob]))
