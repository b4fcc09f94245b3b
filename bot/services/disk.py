"""Is there room on the disk of the database?

A message whose record cannot be kept must not be sent, and a lead that cannot be kept must not be
thanked for: both stop while a last reserve is left, for the database has to write even to delete.
"""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import structlog

from bot.clock import Clock

LOW_BYTES = 500_000_000
FULL_BYTES = 50_000_000
_BETTER = 1.1  # it is better only this far above a limit: no alarm a minute at the very edge
_FRESH = timedelta(seconds=10)
_WHY = "на диске сервера кончилось место: освободите его"

_log = structlog.get_logger()


class Room(StrEnum):
    """How much room there is; the worse, the later in `_ORDER`."""

    OK = "ok"
    LOW = "low"  # people should do something
    FULL = "full"  # nothing is taken in, nothing is sent


def room_for(free: int, before: Room = Room.OK) -> Room:
    """What `free` bytes mean, after what they meant `before`."""
    if free < FULL_BYTES * (_BETTER if before is Room.FULL else 1):
        return Room.FULL
    if free < LOW_BYTES * (1 if before is Room.OK else _BETTER):
        return Room.LOW
    return Room.OK


def free_bytes(folder: Path) -> int:
    """What the system says is free to us on the disk of a directory. Raises `OSError`."""
    return shutil.disk_usage(folder).free


class Disk:
    """Asks the system at most every ten seconds."""

    def __init__(
        self, database: Path, clock: Clock, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self._folder = database.resolve().parent
        self._clock = clock
        self._ask = free
        self._asked_at: datetime | None = None
        self._room = Room.OK
        self.free: int | None = None  # bytes, when last asked; None if nobody could say

    def room(self) -> Room:
        """How much room there is. If the system cannot say, what it said last."""
        now = self._clock.now()
        if self._asked_at is None or not timedelta() <= now - self._asked_at < _FRESH:
            self._asked_at = now
            self._look()
        return self._room

    def stopped_because(self) -> str | None:
        """Why nothing may be taken in or sent, in Russian; None while there is room."""
        return _WHY if self.room() is Room.FULL else None

    def _look(self) -> None:
        try:
            self.free = self._ask(self._folder)
        except OSError as error:
            self.free = None
            _log.warning("disk_not_asked", error=error.strerror)
            return
        room = room_for(self.free, self._room)
        if room is not self._room:
            _log.warning("disk_room", room=room, free_mb=self.free // 1_000_000)
        self._room = room
