"""The only place that mentions a database by name.

SQLite facts: `BEGIN IMMEDIATE` waits for other writers while a deferred transaction may fail at
once when it starts to write; WAL with `synchronous=FULL` keeps every commit through a power loss;
SQLite 3.7.0 to 3.51.2 may, rarely, damage a WAL file that two connections write at one instant.
"""

import sqlite3
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, ColumnElement, Connection, event, text
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.elements import TextClause

from storage.lock import database_path

STRICT: dict[str, Any] = {"sqlite_strict": True}
# An old card's buttons name a lead by its id: that of a deleted lead is never given to another.
LASTING_IDS: dict[str, Any] = {"sqlite_autoincrement": True}
NOW: TextClause = text("(datetime('now'))")

_DRIVER = "sqlite+aiosqlite"
_OLDEST = (3, 37, 0)  # STRICT tables
_WAL_FIXED = (3, 51, 3)

_ON_CONNECT = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_size_limit=67108864",
)
_ON_CONNECT_READER = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA query_only=ON",
)


def partial(condition: ColumnElement[bool]) -> dict[str, Any]:
    """Arguments that make an index partial."""
    return {"sqlite_where": condition, "postgresql_where": condition}


def upsert(table: Any, values: dict[str, Any], key: str) -> Insert:
    """Insert a row, or replace the values of the row that has the same key."""
    statement = sqlite_insert(table).values(values)
    return statement.on_conflict_do_update(
        index_elements=[key], set_={name: value for name, value in values.items() if name != key}
    )


def version_problems(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> tuple[str, bool]:
    """What to know of this machine's SQLite, and whether it can be used at all."""
    name = ".".join(map(str, version))
    if version < _OLDEST:
        return f"SQLite {name} is too old: 3.37 or newer is needed", False
    if version < _WAL_FIXED:
        warning = (
            f"SQLite {name} can, rarely, damage a database that two programs write at the same "
            "instant (fixed in 3.51.3): keep your own SQL writers short and few"
        )
        return warning, True
    return "", True


def writing_engine(url: str) -> AsyncEngine:
    """The one connection that writes."""
    path = str(database_path(url))
    return _engine(URL.create(_DRIVER, database=path), _ON_CONNECT, "BEGIN IMMEDIATE")


def reading_engine(url: str) -> AsyncEngine:
    """A connection that cannot write, for long reads beside the writer."""
    file = "file:" + quote(str(database_path(url).resolve()))
    only_read = URL.create(_DRIVER, database=file, query={"mode": "ro", "uri": "true"})
    return _engine(only_read, _ON_CONNECT_READER, "BEGIN")


def _engine(url: URL, pragmas: tuple[str, ...], begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # errors must not carry clients' data
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions begin below, never by themselves
        # A text that is not UTF-8, put there by somebody's SQL, must not break a whole read.
        driver = connection.driver_connection
        driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
