"""The database as the daemon sees it: one unit of work at a time, each all or nothing.

*Measured:* cancelling callers inside `async with engine.begin()` on aiosqlite left the file locked
(97 cancellations in 600 transactions; four times "database is locked" after 5 s). So a unit runs
as a task of its own that nobody's cancellation reaches, and always ends in commit or rollback. A
cancelled caller does not know which: whatever it does next must be safe to do again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as BusyTooLong
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage import dialect, migrate
from storage.alerts import Alerts
from storage.errors import Conflict, Unavailable, Unusable
from storage.events import Events
from storage.figures import Figures
from storage.fsm import FsmRows
from storage.inbox import Inbox
from storage.inspect import check_content
from storage.leads import Leads
from storage.lock import Lock, database_path
from storage.memory import Memory
from storage.own_sends import OwnSends
from storage.place import make_private, note_made
from storage.posts import Posts
from storage.queue import Queue
from storage.raw_requests import RawRequests
from storage.templates import Templates

T = TypeVar("T")


class Unit:
    """The repositories of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.leads = Leads(connection)
        self.events = Events(connection)
        self.raw_requests = RawRequests(connection)
        self.templates = Templates(connection)
        self.queue = Queue(connection)
        self.posts = Posts(connection)
        self.fsm = FsmRows(connection)
        self.memory = Memory(connection)
        self.figures = Figures(connection)
        self.inbox = Inbox(connection)
        self.alerts = Alerts(connection)
        self.own_sends = OwnSends(connection)


Work = Callable[[Unit], Awaitable[T]]


class Storage:
    """Opens the database, runs units of work on it, closes it."""

    def __init__(self, url: str, lock: Lock | None = None) -> None:
        """`lock` is one that the caller took early; it is released with the rest."""
        self._path = database_path(url)
        self._writer = dialect.writing_engine(url)
        self._reader = dialect.reading_engine(url)
        self._lock = lock or Lock(self._path)
        self._turn = asyncio.Lock()
        self._units: set[asyncio.Task[object]] = set()

    @property
    def path(self) -> Path:
        """The database file."""
        return self._path

    async def open(self) -> None:
        """Take the lock and bring the schema up to date.

        Raises `AlreadyRunning` when another daemon has this database, and `Unusable` when the file
        is not one this version can open; then the file is as it was.
        """
        self._lock.take()
        check_content(self._path)
        try:
            async with self._writer.begin() as connection:
                await connection.run_sync(migrate.upgrade)
        except SQLAlchemyError as error:
            raise Unusable(f"{self._path}: {_plain(error)}") from None
        make_private(self._path)
        note_made(self._path)

    async def close(self) -> None:
        """Let the units under way end, then close both connections and give up the lock."""
        while self._units:
            await asyncio.wait(self._units)
        await self._writer.dispose()
        await self._reader.dispose()
        self._lock.release()

    async def run(self, work: Work[T]) -> T:
        """Run `work(unit)` in one transaction that is committed unless it raises.

        Raises `Conflict` when a constraint refused, `Unavailable` when the database did not take
        it. Units run one after another; network calls have no place in them.
        """
        return await self._shielded(self._in_turn(work))

    async def read(self, work: Work[T]) -> T:
        """Run a long reading `work(unit)` beside the writer; it cannot change anything."""
        return await self._shielded(self._transaction(self._reader, work))

    async def ping(self) -> None:
        """Raise `Unavailable` unless the database answers a writer."""
        await self.run(lambda unit: unit.memory.find("ping"))

    async def _shielded(self, unit: "asyncio._CoroutineLike[T]") -> T:
        task = asyncio.create_task(unit)
        self._units.add(task)
        task.add_done_callback(self._units.discard)
        return await asyncio.shield(task)

    async def _in_turn(self, work: Work[T]) -> T:
        async with self._turn:
            return await self._transaction(self._writer, work)

    async def _transaction(self, engine: AsyncEngine, work: Work[T]) -> T:
        try:
            async with engine.begin() as connection:
                return await work(Unit(connection))
        except IntegrityError as error:
            raise Conflict(_plain(error)) from None
        except (DBAPIError, BusyTooLong) as error:
            raise Unavailable(_plain(error)) from None


def _plain(error: SQLAlchemyError) -> str:
    """The driver's own words, without the statement."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]
