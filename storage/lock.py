"""One daemon a database: a second one would send everything twice.

Imports nothing heavy, so that a second daemon is refused before it has loaded anything else.
"""

import fcntl
import os
from pathlib import Path

from storage.errors import AlreadyRunning, Unusable


def database_path(url: str) -> Path:
    """The file behind a database URL such as `sqlite:///progrev.db`."""
    return Path(url.partition(":///")[2].partition("?")[0])


class Lock:
    """An advisory lock on `<database>.lock`; the system drops it when the process dies."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Take the lock, if it is not ours already, or raise `AlreadyRunning` at once.

        Raises `Unusable` where no file can be made.
        """
        if self._file is not None:
            return
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unusable(f"{self._path} cannot be made: {error.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise AlreadyRunning(
                f"another progrev already works on {self._path.with_suffix('')}: stop it first"
            ) from None
        self._file = file

    def release(self) -> None:
        """Give the lock up, if it was taken."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
