"""A file that appears under its name whole, checked and synced, or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Unavailable
from storage.place import beside


class Part:
    """A file in the making, beside its place; empty at first, for nobody else to read."""

    def __init__(self, target: Path, path: Path, file: int) -> None:
        self._target = target
        self._file = file
        self.path = path
        self.is_put = False

    def sync(self) -> None:
        """Let what was written reach the disk."""
        os.fsync(self._file)

    def give_to_owner_of(self, like: Path) -> None:
        """Give the file to the owner of another one; only root can, and only root needs to."""
        if os.geteuid() == 0:
            status = like.stat()
            os.fchown(self._file, status.st_uid, status.st_gid)

    def put(self) -> None:
        """Put it in its place, at once and for good."""
        self.sync()
        os.replace(self.path, self._target)  # noqa: PTH105 - one call that tests can make fail
        self.is_put = True
        sync_directory(self._target.parent)


@contextmanager
def open_part(target: Path) -> Iterator[Part]:
    """A part for `target`; unless it was put in its place by the end, nothing is left of it.

    What a killed process left is used again. Raises `Unavailable` while another process writes it.
    """
    path = target.with_name(f".{target.name}.part")
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(file, path)
        try:
            os.fchmod(file, 0o600)
            os.ftruncate(file, 0)
            part = Part(target, path, file)
            yield part
        except BaseException:
            _sweep(path)
            raise
        if not part.is_put:
            _sweep(path)
    finally:
        os.close(file)


def _sweep(path: Path) -> None:
    for left in (path, beside(path, "-journal")):
        left.unlink(missing_ok=True)


def _take(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.fstat(file).st_ino == path.stat().st_ino  # else it has just been put in place
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise Unavailable(f"{path} is being written by another process: wait for it")


def sync_directory(folder: Path) -> None:
    """Let the names in a directory reach the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
