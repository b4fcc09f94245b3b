"""What is refused before it is opened: with what words, and without touching it."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.errors import StorageError, Unusable
from storage.inspect import check_content, look_into
from storage.lock import Lock
from storage.place import beside, check_place, note_made
from storage.storage import Storage
from storage.wal import is_cut_short
from tests.storage.databases import (
    LEADS,
    change,
    content_of,
    leads_in,
    leave_unclosed,
    make_database,
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A closed database of ours."""
    return make_database(tmp_path / "progrev.db")


# --- what may be opened -------------------------------------------------------------------------


def test_a_database_of_ours_may_be_opened(database: Path) -> None:
    """A sound database passes, and is left as it is, with nothing beside it."""
    before = content_of(database.parent)

    check_place(database)
    check_content(database)

    assert before == content_of(database.parent)
    assert [database] == list(database.parent.iterdir())


def test_a_place_for_a_new_database_is_fine(tmp_path: Path) -> None:
    """Nothing is there yet: the first start will make it."""
    check_place(tmp_path / "progrev.db")
    check_content(tmp_path / "progrev.db")

    assert [] == list(tmp_path.iterdir())


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    """A file made by `touch` is as good as none."""
    (tmp_path / "progrev.db").touch()

    check_content(tmp_path / "progrev.db")


def test_a_start_that_died_before_its_first_table_can_be_repeated(tmp_path: Path) -> None:
    """SQLite's own header without any table is a new database too."""
    change(tmp_path / "progrev.db", "PRAGMA journal_mode=WAL")
    assert (tmp_path / "progrev.db").stat().st_size

    check_content(tmp_path / "progrev.db")


def test_a_killed_daemon_leaves_a_database_that_may_be_opened(database: Path) -> None:
    """A log that was not folded in is read, not refused, and left as it is."""
    leave_unclosed(database, leads=5)
    before = content_of(database.parent)

    check_content(database)

    assert before == content_of(database.parent)
    assert LEADS + 5 == leads_in(database)


def test_a_half_written_frame_at_the_end_of_a_log_is_no_damage(database: Path) -> None:
    """A death in the middle of a write leaves a frame that was never committed."""
    leave_unclosed(database)
    with beside(database, "-wal").open("ab") as log:
        log.write(b"\x01" * 1000)

    check_content(database)


def test_an_interrupted_rollback_is_left_to_sqlite(database: Path) -> None:
    """With a journal beside it, the file is in the middle of a change: SQLite takes it back."""
    beside(database, "-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
    database.write_bytes(b"SQLite format 3\0 in the middle")

    check_content(database)


def test_an_older_schema_may_be_opened(database: Path) -> None:
    """A schema that this version knows is brought up to date later, not refused."""
    change(database, "UPDATE alembic_version SET version_num = '0001'")

    check_content(database)


# --- what is refused ----------------------------------------------------------------------------


def overwrite_page(database: Path) -> None:
    """Noise in a page that belongs to a table."""
    content = bytearray(database.read_bytes())
    content[8 * 4096 : 9 * 4096] = b"\xa5" * 4096
    database.write_bytes(bytes(content))


def cut_file(database: Path) -> None:
    """Half of the pages."""
    os.truncate(database, database.stat().st_size // 2 // 4096 * 4096)


def cut_to_pieces(database: Path) -> None:
    """Not even a page."""
    os.truncate(database, 1000)


def write_text(database: Path) -> None:
    """No database at all."""
    database.write_text("dear diary, this is not a database at all " * 10)


def write_of_another_program(database: Path) -> None:
    """A sound database of somebody else, with a name that we need."""
    database.unlink()
    change(database, "CREATE TABLE leads (tel)", "INSERT INTO leads VALUES (1)")


def write_of_another_alembic_program(database: Path) -> None:
    """One that has revisions like ours."""
    database.unlink()
    change(
        database,
        "CREATE TABLE contacts (id)",
        "CREATE TABLE alembic_version (version_num)",
        "INSERT INTO alembic_version VALUES ('0001')",
    )


def raise_schema(database: Path) -> None:
    """As a newer version would leave it."""
    change(database, "UPDATE alembic_version SET version_num = '9999'")


def cut_log(database: Path) -> None:
    """Half of a log that was not folded in."""
    leave_unclosed(database, leads=5)
    log = beside(database, "-wal")
    os.truncate(log, log.stat().st_size // 2)


def lose_database_beside_its_log(database: Path) -> None:
    """A log alone."""
    leave_unclosed(database, leads=5)
    database.unlink()


def empty_database_beside_its_log(database: Path) -> None:
    """A log beside an empty file."""
    leave_unclosed(database, leads=5)
    os.truncate(database, 0)


def lose_database(database: Path) -> None:
    """Deleted after a first start."""
    beside(database, ".lock").touch()
    note_made(database)
    database.unlink()


def empty_database(database: Path) -> None:
    """Emptied after a first start."""
    beside(database, ".lock").touch()
    note_made(database)
    os.truncate(database, 0)


REFUSED = [
    pytest.param(overwrite_page, "is damaged", id="corrupted page"),
    pytest.param(cut_file, "is damaged", id="truncated"),
    pytest.param(cut_to_pieces, "is damaged", id="truncated within its first page"),
    pytest.param(write_text, "is not a database", id="text"),
    pytest.param(write_of_another_program, "table leads already exists", id="another program"),
    pytest.param(write_of_another_alembic_program, "of another program", id="another, migrated"),
    pytest.param(
        raise_schema, "schema 9999, which a newer version of progrev made", id="future schema"
    ),
    pytest.param(cut_log, "-wal is cut short", id="truncated -wal"),
    pytest.param(lose_database_beside_its_log, "is not there, but its -wal is", id="-wal alone"),
    pytest.param(empty_database_beside_its_log, "is empty, but its -wal is", id="emptied, -wal"),
    pytest.param(lose_database, "is not there, though progrev has worked", id="missing"),
    pytest.param(empty_database, "is empty, though progrev has worked", id="emptied"),
]


@pytest.mark.parametrize(("spoil", "words"), REFUSED)
def test_what_cannot_be_opened_is_refused_untouched(
    database: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """The refusal says what is wrong, and not a byte of any file is changed."""
    spoil(database)
    before = content_of(database.parent)

    with pytest.raises(Unusable, match=words):
        check_content(database)

    assert before == content_of(database.parent)


@pytest.mark.parametrize(("spoil", "words"), REFUSED)
def test_a_daemon_refuses_and_leaves_the_files_as_they_are(
    database: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """Opening the storage ends in the same words, and changes nothing but the lock file."""
    spoil(database)
    beside(database, ".lock").touch()
    before = content_of(database.parent)

    async def start() -> None:
        storage = Storage(f"sqlite:///{database}")
        try:
            await storage.open()
        finally:
            await storage.close()

    with pytest.raises(Unusable, match=words):
        asyncio.run(start())

    assert before == content_of(database.parent)


def test_an_index_that_disagrees_with_its_table_is_found_by_the_thorough_look(
    database: Path,
) -> None:
    """A backup is not made of a database whose index lost a row, though it can be read."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX leads_phone ON leads (name)' "
            "WHERE name = 'leads_phone'"
        )

    with pytest.raises(Unusable, match="is damaged"):
        look_into(database)


# --- the loss of a database ---------------------------------------------------------------------


def test_a_database_that_was_made_is_missed(tmp_path: Path) -> None:
    """After a first start, an empty place is no place for a new database."""
    database = tmp_path / "progrev.db"

    async def start() -> None:
        storage = Storage(f"sqlite:///{database}")
        try:
            await storage.open()
        finally:
            await storage.close()

    asyncio.run(start())
    database.unlink()

    with pytest.raises(Unusable, match=r"delete .*progrev\.db\.lock"):
        asyncio.run(start())

    assert not database.exists()


def test_a_log_is_looked_for_where_a_link_leads(database: Path, tmp_path: Path) -> None:
    """SQLite keeps the log beside the real file, and so a cut is found through a link too."""
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "progrev.db"
    link.symlink_to(database)
    cut_log(database)

    with pytest.raises(Unusable, match="-wal is cut short"):
        check_content(link)


def test_a_start_that_died_early_is_not_missed(tmp_path: Path) -> None:
    """A lock alone, taken before there was a database, is no sign of a loss."""
    lock = Lock(tmp_path / "progrev.db")
    lock.take()
    lock.release()

    check_content(tmp_path / "progrev.db")


# --- logs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["-wal", "-shm"])
def test_without_log_or_index_nothing_is_known_to_be_cut(database: Path, missing: str) -> None:
    """What a copy made by hand leaves out proves nothing."""
    leave_unclosed(database)
    beside(database, missing).unlink()

    assert not is_cut_short(database)


def test_the_index_of_another_log_proves_nothing(database: Path) -> None:
    """After a power loss the index on the disk may be of an earlier log than the one it has."""
    leave_unclosed(database, leads=5)
    log = beside(database, "-wal")
    content = bytearray(log.read_bytes())
    content[16:24] = b"\0" * 8
    log.write_bytes(content[: len(content) // 2])

    assert not is_cut_short(database)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 136, b"\1" * 50], ids=["empty", "blank", "cut index"]
)
def test_an_unreadable_index_proves_nothing(database: Path, content: bytes) -> None:
    """SQLite makes a new index of what the log says."""
    leave_unclosed(database)
    beside(database, "-shm").write_bytes(content)

    assert not is_cut_short(database)


def test_an_index_that_was_being_written_proves_nothing(database: Path) -> None:
    """A death between its two copies of the header leaves them different."""
    leave_unclosed(database, leads=5)
    index, log = beside(database, "-shm"), beside(database, "-wal")
    content = bytearray(index.read_bytes())
    content[48 + 8] ^= 1
    index.write_bytes(content)
    os.truncate(log, log.stat().st_size // 2)

    assert not is_cut_short(database)


def test_a_log_that_was_folded_in_may_be_short(database: Path) -> None:
    """Frames that stand in the database already are not missed."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO leads (name) VALUES ('Борис')")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        index = beside(database, "-shm").read_bytes()
        log = beside(database, "-wal").read_bytes()
    beside(database, "-shm").write_bytes(index)
    beside(database, "-wal").write_bytes(log[: len(log) // 2])

    assert not is_cut_short(database)


def test_only_known_errors_of_ours_leave_the_module(database: Path) -> None:
    """Whatever bytes stand in a file, the answer is a yes or a sentence, never a traceback."""
    whole = database.read_bytes()
    for place in range(0, 4096, 64):
        content = bytearray(whole)
        content[place : place + 16] = bytes(range(240, 256))
        database.write_bytes(bytes(content))
        with contextlib.suppress(StorageError):
            check_content(database)

    assert len(whole) == database.stat().st_size
