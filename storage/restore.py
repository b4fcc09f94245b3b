"""Back from a backup: the copy is checked, marked as held, and takes the database's place.

What it replaces is kept under another name, never deleted. A death at any step leaves the old
database whole, or no database at all beside a note that there was one, and then nothing starts
(`storage.inspect`) until the restore is done again. Synchronous: it runs in a process of its own.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.copying import copy, note, read_note, writing
from storage.errors import StorageError, Unusable
from storage.held import BACKUP, HELD, Held, read_moment
from storage.inspect import Contents, connect_reading, look_into, plain_errors
from storage.lock import Lock
from storage.part import Part, open_part, sync_directory
from storage.place import beside, check_place, make_private, note_made

# Cards and questions of the time that is lost still stand in the chat, and their buttons name leads
# and messages by number: none of those numbers may be given again.
_NUMBERED = ("leads", "whatsapp_queue")
_SKIPPED_NUMBERS = 1000
# Notes that would be wrong: it is no copy any more, and our own forgotten sends, found in the
# provider's journal since the last look, must not be taken for those of a second program.
_OUTDATED_NOTES = (BACKUP, "second_sender")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done."""

    contents: Contents
    held: Held
    replaced: Path | None  # where the database that was there is kept


def restore(source: Path, database: Path, now: datetime) -> Restored:
    """Let `database` be what `source` holds, with its automatic sending held.

    Raises `AlreadyRunning` while a daemon works on the database, `Unusable` when one of the files
    cannot be used; then the database is what it was.
    """
    check_place(database)
    lock = Lock(database)
    real = beside(database, "")
    owner = real if real.exists() else real.parent
    try:
        with plain_errors(database):
            lock.take()
            _give(beside(database, ".lock"), owner)
            done = _restore(source, real, owner, now)
            note_made(database)
            return done
    finally:
        lock.release()


def _restore(source: Path, database: Path, owner: Path, now: datetime) -> Restored:
    if source.resolve() == database:
        raise Unusable(f"{source} is the database itself: name the backup")
    contents = look_into(source)
    used = _numbers_used(database)
    with open_part(database) as part:
        copy(source, part.path, live=False)
        with writing(part.path) as connection:
            held = _hold(connection, contents.taken_at or _last_change(connection), now)
            _skip_numbers(connection, used)
        look_into(part.path, named=source)
        part.give_to_owner_of(owner)
        part.sync()
        replaced = _exchange(part, database, now)
    return Restored(contents=contents, held=held, replaced=replaced)


def _last_change(connection: sqlite3.Connection) -> datetime | None:
    """For a copy made by hand, which does not say when: the newest that it knows of.

    The time of the file would not do: it is that of its last journey from disk to disk.
    """
    newest = connection.execute(
        "SELECT max(at) FROM (SELECT max(updated_at) AS at FROM leads "
        "UNION ALL SELECT max(updated_at) FROM whatsapp_queue "
        "UNION ALL SELECT max(created_at) FROM lead_events)"
    )
    return read_moment(newest.fetchone()[0])


def _hold(connection: sqlite3.Connection, taken_at: datetime | None, now: datetime) -> Held:
    """Hold the copy. One of a database that was held itself has forgotten as much as that one."""
    before = Held.read(read_note(connection, HELD))
    if before is not None and before.is_on:
        both = [at for at in (taken_at, before.taken_at) if at is not None]
        taken_at = min(both) if len(both) == 2 else None
    held = Held(taken_at=taken_at, restored_at=now)
    note(connection, HELD, held.to_json())
    connection.executemany("DELETE FROM memory WHERE name = ?", [(n,) for n in _OUTDATED_NOTES])
    return held


def _numbers_used(database: Path) -> dict[str, int]:
    """The last numbers that the database to be replaced gave, as far as it can still be read."""
    try:
        with plain_errors(database), closing(connect_reading(database, live=False)) as connection:
            return dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    except StorageError:
        return {}


def _skip_numbers(connection: sqlite3.Connection, used: Mapping[str, int]) -> None:
    own = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    for table in _NUMBERED:
        last = max(own.get(table, 0), used.get(table, 0)) + _SKIPPED_NUMBERS
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


# --- one database for the other -----------------------------------------------------------------


def _exchange(part: Part, database: Path, now: datetime) -> Path | None:
    """Move the old database aside, with its log, and put the new one in its place."""
    aside = _free_name(database, now)
    moved: list[tuple[Path, Path]] = []
    try:
        # The database first: without it, nobody opens (and loses) the log that is still there.
        for end in ("", "-wal", "-journal"):
            if (old := beside(database, end)).exists():
                os.rename(old, beside(aside, end))  # noqa: PTH104 - tests make it fail
                moved.append((old, beside(aside, end)))
        make_private(aside)
        beside(database, "-shm").unlink(missing_ok=True)
        sync_directory(database.parent)
        part.put()
    except BaseException:
        for old, there in reversed(moved):
            there.replace(old)
        raise
    return aside if aside.exists() else None


def _free_name(database: Path, now: datetime) -> Path:
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    names = (
        database.with_name(f"{database.stem}.replaced-{stamp}{again}{database.suffix}")
        for again in ("", *(f"-{number}" for number in range(2, 1000)))
    )
    return next(name for name in names if not name.exists())


def _give(path: Path, like: Path) -> None:
    """Let a file that root made belong to the owner of another one."""
    if os.geteuid() == 0:
        status = like.stat()
        os.chown(path, status.st_uid, status.st_gid)
