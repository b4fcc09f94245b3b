"""Has somebody cut the write-ahead log of a database that was not closed?

SQLite reads a log up to the last whole commit and says nothing of what is missing behind it. But
the index beside it (`-shm`), which a killed process leaves there, knows how many frames were
committed: it is raised only after they have been synced, so it never runs ahead of the disk.

Layouts: https://www.sqlite.org/walformat.html and https://www.sqlite.org/fileformat2.html#walformat
"""

import struct
from pathlib import Path

from storage.place import beside

# iVersion, unused, iChange, isInit, bigEndCksum, szPage, mxFrame, nPage, cksum, salts, cksum
_INDEX_HEADER = struct.Struct("=IIIBBHII8s8s8s")
_BACKFILLED = struct.Struct("=I")  # frames already copied into the database
_LOG_HEADER_BYTES = 32
_SALTS = slice(16, 24)
_FRAME_HEADER_BYTES = 24


def is_cut_short(database: Path) -> bool:
    """Whether committed frames that are not in the database yet are missing from its log."""
    log, index = beside(database, "-wal"), beside(database, "-shm")
    if not log.is_file() or not index.is_file():
        return False
    with log.open("rb") as file:
        log_header = file.read(_LOG_HEADER_BYTES)
    with index.open("rb") as file:
        first, second = file.read(_INDEX_HEADER.size), file.read(_INDEX_HEADER.size)
        backfilled = file.read(_BACKFILLED.size)
    if len(backfilled) < _BACKFILLED.size or first != second:
        return False
    _, _, _, is_init, _, short_page, frames, _, _, salts, _ = _INDEX_HEADER.unpack(first)
    if not is_init or frames <= _BACKFILLED.unpack(backfilled)[0]:
        return False
    if salts != log_header[_SALTS]:
        return False  # the index of another log: it proves nothing
    page = (short_page & 0xFE00) + ((short_page & 1) << 16)
    whole: int = _LOG_HEADER_BYTES + frames * (_FRAME_HEADER_BYTES + page)
    return log.stat().st_size < whole
