"""A bot on the Telegram emulator, beside a real database."""

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from bot.services.bells import Bells


@pytest.fixture
def bells() -> Bells:
    """Bells that nobody has rung."""
    return Bells()


@pytest.fixture
async def telegram(clock: Conductor) -> AsyncIterator[TelegramEmulator]:
    """A Telegram with nobody in it yet."""
    async with TelegramEmulator(clock) as emulator:
        yield emulator


@pytest.fixture
async def bot(telegram: TelegramEmulator) -> AsyncIterator[Bot]:
    """A bot that talks to the emulator."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.url))
    bot = Bot(telegram.token, session=session)
    yield bot
    inner = await session.create_session()
    await inner.close()  # aiogram's own close sleeps a quarter of a second
