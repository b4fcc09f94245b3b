"""The files of a database and their place: may we write them, and may nobody else read them?"""

import os
import pwd
import stat
from pathlib import Path

from storage.errors import Unusable

_MADE = b"A database was made beside this file. Without it, nothing starts in its place.\n"


def beside(database: Path, suffix: str) -> Path:
    """A file that belongs to a database: its `-wal`, `-shm`, `-journal` or `.lock`, or itself.

    SQLite keeps its own beside the real file, whatever link leads there; the lock lies where the
    configuration says.
    """
    place = database if suffix == ".lock" else database.resolve()
    return place.with_name(place.name + suffix)


def size_of(path: Path) -> int:
    """Bytes in a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def check_place(database: Path) -> None:
    """Raise `Unusable` unless we may write in the directory and to every file of the database."""
    folder = database.resolve().parent
    if not folder.is_dir():
        raise Unusable(f"storage.url: there is no directory {folder}: make it")
    _need_access(folder, os.R_OK | os.W_OK | os.X_OK)
    for path in _files(database):
        _need_access(path, os.R_OK | os.W_OK)
    if database.exists() and not database.is_file():
        raise Unusable(f"storage.url: {database} is not a file")


def _need_access(path: Path, ways: int) -> None:
    if not os.access(path, ways, effective_ids=os.access in os.supports_effective_ids):
        status = path.stat()
        raise Unusable(
            f"{path} cannot be read and written by {_user(os.geteuid())} (it belongs to "
            f"{_user(status.st_uid)}, mode {stat.S_IMODE(status.st_mode):04o}): "
            "run progrev as its owner, or give it away with chown"
        )


def _files(database: Path) -> list[Path]:
    """The files of a database that are there."""
    files = (beside(database, end) for end in ("", "-wal", "-shm", ".lock"))
    return [file for file in files if file.exists()]


def _user(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"


def make_private(database: Path) -> None:
    """Let nobody but the owner read the database; SQLite gives its other files the same mode."""
    for path in _files(database):
        if os.geteuid() in (0, path.stat().st_uid):
            path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def note_made(database: Path) -> None:
    """Remember, in the lock file, that there is a database: its loss is noticed from now on."""
    lock = beside(database, ".lock")
    if size_of(lock) == 0:
        lock.write_bytes(_MADE)
