"""Can this file be opened as our database? Answered before it is opened, and without touching it.

Every refusal is an `Unusable` with a sentence for the operator's terminal that says what to do.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from storage.errors import Unusable
from storage.held import BACKUP, read_moment
from storage.place import beside, size_of
from storage.wal import is_cut_short

_MAGIC = b"SQLite format 3\0"
_OURS = {"alembic_version", "leads", "whatsapp_queue", "memory"}
_BUSY_SECONDS = 30.0
_RESTORE = "restore a whole copy: progrev restore FILE"
_GO_BACK = f"it was left as it is; {_RESTORE}"

_WORDS = {
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is damaged, or is not a database",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_FULL: "found the disk full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error",
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_BUSY: "is locked by another program",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is in a database of ours."""

    revision: str
    leads: int
    pending: int  # messages that wait
    dangling: int  # rows that refer to rows that are not there; somebody's SQL made them
    taken_at: datetime | None  # of a copy: when it was taken


def check_content(database: Path) -> None:
    """Raise `Unusable` if the file is damaged, not ours, or from the future.

    A file that is not there yet, or has no table of our names, is a new database. The caller holds
    the lock: nobody else may write meanwhile.
    """
    if size_of(database) == 0:
        _refuse_lost(database)
    elif size_of(beside(database, "-journal")) == 0:  # else SQLite first rolls back what was begun
        with _opened(database, database, live=False) as connection:
            _check_pages(connection, "quick_check", database)
            tables = _tables(connection)
            if "alembic_version" in tables:
                _check_ours(connection, database)
            elif taken := sorted(tables & _OURS):
                raise Unusable(
                    f"{database} is a database of another program, it was left as it is: "
                    f"table {taken[0]} already exists"
                )


def _refuse_lost(database: Path) -> None:
    what = "is empty" if database.exists() else "is not there"
    if size_of(beside(database, "-wal")):
        raise Unusable(
            f"{database} {what}, but its -wal is: put the file back where it was, "
            "or go back to a backup: progrev restore FILE"
        )
    if size_of(beside(database, ".lock")):
        raise Unusable(
            f"{database} {what}, though progrev has worked on it: go back to a backup with "
            f"progrev restore FILE, or, to begin with nothing, delete {beside(database, '.lock')}"
        )


def look_into(path: Path, *, named: Path | None = None, live: bool = False) -> Contents:
    """Check every page, index and reference of a database of ours, and say what is in it.

    `named` is the name for messages. `live` says that another process may be writing it.
    """
    name = named or path
    with _opened(path, name, live=live) as connection:
        _check_pages(connection, "integrity_check", name)
        return _contents(connection, name)


@contextmanager
def _opened(path: Path, name: Path, *, live: bool) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise Unusable(f"there is no file {name}")
    with plain_errors(name):
        if not live:  # closing a file that SQLite has open here as well would drop its locks
            _check_files(path, name)
        with closing(connect_reading(path, live=live)) as connection:
            yield connection


def _check_files(path: Path, name: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise Unusable(f"{name} was left as it is ({_RESTORE}): the file is not a database")
    if is_cut_short(path):
        raise Unusable(f"{name}-wal is cut short, the newest changes are lost: {_GO_BACK}")


def connect_reading(path: Path, *, live: bool) -> sqlite3.Connection:
    """A connection that never writes the database nor its log, and never checkpoints.

    A file that is at rest, without a log, is opened so that not even a `-shm` is made beside it.
    """
    at_rest = not live and size_of(beside(path, "-wal")) == 0
    uri = f"file:{quote(str(path.resolve()))}?mode=ro{'&immutable=1' if at_rest else ''}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


@contextmanager
def plain_errors(name: Path) -> Iterator[None]:
    """Say what SQLite or the system refused in words, as `Unusable`."""
    try:
        yield
    except sqlite3.Error as error:
        words = _WORDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "cannot be used")
        raise Unusable(f"{name} {words} ({error})") from None
    except OSError as error:
        raise Unusable(f"{error.filename or name}: {error.strerror}") from None


def _check_pages(connection: sqlite3.Connection, check: str, name: Path) -> None:
    # A value that somebody's SQL forced past a CHECK is not damage; not every SQLite thinks so.
    connection.execute("PRAGMA ignore_check_constraints=ON")
    problem = connection.execute(f"PRAGMA {check}(1)").fetchone()[0]
    if problem != "ok":
        first = str(problem).replace("*** in database main ***", "").split("\n")
        raise Unusable(f"{name} is damaged ({' '.join(first).strip()}): {_GO_BACK}")


def _check_ours(connection: sqlite3.Connection, name: Path) -> str:
    """The schema's revision, which this version knows."""
    if not _tables(connection) >= _OURS:
        raise Unusable(f"{name} is a database of another program: it was left as it is")
    revision = str(_value(connection, "SELECT version_num FROM alembic_version"))
    if revision not in _known_revisions():
        raise Unusable(
            f"{name}: the database has schema {revision}, which a newer version of progrev made: "
            "install that version, or restore a backup"
        )
    return revision


def _contents(connection: sqlite3.Connection, name: Path) -> Contents:
    revision = _check_ours(connection, name)
    count_pending = "SELECT count(*) FROM whatsapp_queue WHERE status = 'pending'"
    noted = _value(connection, "SELECT value ->> 'taken_at' FROM memory WHERE name = ?", BACKUP)
    return Contents(
        revision=revision,
        leads=_value(connection, "SELECT count(*) FROM leads"),
        pending=_value(connection, count_pending),
        dangling=len(connection.execute("PRAGMA foreign_key_check").fetchall()),
        taken_at=read_moment(noted),
    )


def _tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found if not name.startswith("sqlite_")}


def _value(connection: sqlite3.Connection, question: str, *values: str) -> Any:
    row = connection.execute(question, values).fetchone()
    return None if row is None else row[0]


@cache
def _known_revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory  # takes a second: only when there is a question

    scripts = ScriptDirectory(str(Path(__file__).with_name("migrations")))
    return frozenset(script.revision for script in scripts.walk_revisions())
