"""A checked copy of the database, made while the daemon works, and how long copies are kept.

The copy is made by `VACUUM INTO` through a connection that can only read: one consistent moment of
the database, without a second writer (see `storage.dialect`); the target is not synced by SQLite
(https://www.sqlite.org/lang_vacuum.html), so that is done here. Synchronous: it runs in a process
of its own.
"""

import re
from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path

from storage.copying import copy, note, writing
from storage.errors import StorageError, Unusable
from storage.held import BACKUP
from storage.inspect import Contents, look_into, plain_errors
from storage.part import open_part
from storage.place import beside

DAILY, WEEKLY = 7, 4

_NAME = re.compile(r"progrev-(\d{4}-\d\d-\d\d)\.db")
_LEFT = re.compile(r"\.progrev-(\d{4}-\d\d-\d\d)\.db\.part")


def back_up(database: Path, target: Path, now: datetime) -> Contents:
    """Copy the database to `target`, and say what is in the copy; the daemon may be running.

    `target` is a checked copy when this returns, and what it was before when it raises `Unusable`
    (a file cannot be used, or the disk is full) or `Unavailable` (another backup is under way).
    """
    _refuse_target(database, target)
    with plain_errors(target):
        look_into(database, live=True)
        with open_part(target) as part:
            copy(database, part.path, live=True)
            with writing(part.path) as connection:
                note(connection, BACKUP, {"taken_at": now.astimezone(UTC).isoformat()})
            contents = look_into(part.path, named=target)
            part.put()
    return contents


def _refuse_target(database: Path, target: Path) -> None:
    if not target.parent.is_dir():
        raise Unusable(f"there is no directory {target.parent}: make it")
    own = {beside(database, end) for end in ("", "-wal", "-shm", "-journal", ".lock")}
    if target.resolve() in own or any(beside(target, end).exists() for end in ("-wal", ".lock")):
        raise Unusable(f"{target} belongs to a database that is worked on: name another file")
    if not target.exists():
        return
    if not target.is_file():
        raise Unusable(f"{target} is not a file: name the file that the copy goes to")
    try:
        look_into(target)
    except StorageError:
        raise Unusable(f"{target} is there, and is no backup of ours: name another file") from None


# --- how long copies are kept -------------------------------------------------------------------


def name_of(day: date) -> str:
    """The name of a day's copy."""
    return f"progrev-{day.isoformat()}.db"


def kept(days: Collection[date]) -> frozenset[date]:
    """Of the days that have a copy, those whose copy stays.

    The newest seven; of the four newest weeks before those, the newest each. They are counted by
    copies, not by the calendar: a timer that stood still must not cost the last ones.
    """
    newest_first = sorted(set(days), reverse=True)
    daily = newest_first[:DAILY]
    covered = {_week(day) for day in daily}
    weekly = {_week(day): day for day in sorted(days) if _week(day) not in covered}
    return frozenset(daily) | frozenset(sorted(weekly.values())[-WEEKLY:])


def _week(day: date) -> tuple[int, int]:
    return day.isocalendar()[:2]


def keep(folder: Path, today: date) -> list[Path]:
    """Delete the dated copies that need not be kept, and return them.

    Copies dated later than `today` are left alone: a clock was wrong, then or now. So is every
    file of another name.
    """
    found = _dated(folder, _NAME, today)
    stays = kept(found)
    gone = [path for day, path in sorted(found.items()) if day not in stays]
    left = [path for day, path in _dated(folder, _LEFT, today).items() if day < today]
    for path in (*gone, *left):
        path.unlink(missing_ok=True)
    return gone


def _dated(folder: Path, pattern: re.Pattern[str], today: date) -> dict[date, Path]:
    dated: dict[date, Path] = {}
    for path in folder.iterdir():
        match = pattern.fullmatch(path.name)
        if match and path.is_file():
            try:
                day = date.fromisoformat(match[1])
            except ValueError:
                continue
            if day <= today:
                dated[day] = path
    return dated
