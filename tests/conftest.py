"""Fixtures that every part of the suite may use."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from bot.demo.clock import Conductor
from storage.storage import Storage
from tests.builders import MONDAY_10


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Nobody reads what is logged in-process, and structlog's default draws every local value."""

    def drop(*_: object) -> structlog.types.EventDict:
        raise structlog.DropEvent

    structlog.configure(processors=[drop])


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the first start makes it; made once, then copied."""
    path = tmp_path_factory.mktemp("new") / "progrev.db"

    async def make() -> None:
        opened = Storage(f"sqlite:///{path}")
        await opened.open()
        await opened.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def storage(tmp_path: Path, new_database: Path) -> AsyncIterator[Storage]:
    """An open database of its own, with the default templates."""
    shutil.copy(new_database, tmp_path / "progrev.db")
    opened = Storage(f"sqlite:///{tmp_path / 'progrev.db'}")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Conductor:
    """A clock that starts on Monday at 10:00 in Moscow and runs a thousand times too fast.

    Jump it with `clock.jump(seconds)`; sleeps on it take a thousandth of their time.
    """
    return Conductor(MONDAY_10, rate=1000.0)
