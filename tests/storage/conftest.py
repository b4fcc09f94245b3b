"""A database that is migrated once and copied for every test."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.storage import Storage
from tests.storage.sql import Sql


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed database with the schema of this version."""
    path = tmp_path_factory.mktemp("migrated") / "progrev.db"

    async def make() -> None:
        storage = Storage(f"sqlite:///{path}")
        await storage.open()
        await storage.close()

    asyncio.run(make())
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """A migrated database of the test's own."""
    return Path(shutil.copy(migrated, tmp_path / "progrev.db"))


@pytest.fixture
def sql(database: Path) -> Iterator[Sql]:
    """A person's connection to the test's database."""
    person = Sql(database)
    yield person
    person.connection.close()


@pytest.fixture
async def storage(database: Path) -> AsyncIterator[Storage]:
    """The daemon's storage, open on the test's database."""
    opened = Storage(f"sqlite:///{database}")
    await opened.open()
    yield opened
    await opened.close()
