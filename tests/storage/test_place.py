"""The files of a database and their place."""

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import Unusable
from storage.place import beside, check_place, make_private
from storage.storage import Storage

STRANGER = 65534


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file that stands for a database."""
    (tmp_path / "progrev.db").touch()
    return tmp_path / "progrev.db"


@contextlib.contextmanager
def somebody_else() -> Iterator[None]:
    """A user who owns nothing; only root can play one."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    os.seteuid(STRANGER)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_to_all(tmp_path: Path) -> Iterator[Path]:
    """A directory that everybody may enter and write to."""
    parents = [p for p in tmp_path.parents if p.stat().st_uid == os.geteuid()]
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in parents}
    for path in parents:
        path.chmod(before[path] | 0o011)
    tmp_path.chmod(0o777)
    yield tmp_path
    for path, mode in before.items():
        path.chmod(mode)


# --- the place ----------------------------------------------------------------------------------


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    """The directory of the database is named when it is not there."""
    with pytest.raises(Unusable, match=f"there is no directory {tmp_path / 'state'}"):
        check_place(tmp_path / "state" / "progrev.db")


def test_a_directory_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    """A database URL that ends in a directory is refused."""
    with pytest.raises(Unusable, match="is not a file"):
        check_place(tmp_path)


def test_a_directory_that_cannot_be_written_is_told(open_to_all: Path) -> None:
    """A database could be read there, but its log could not be made."""
    open_to_all.chmod(0o755)

    with somebody_else(), pytest.raises(Unusable, match=r"belongs to user root, mode 0755"):
        check_place(open_to_all / "progrev.db")


@pytest.mark.parametrize("end", ["", "-wal", "-shm", ".lock"])
def test_a_file_of_somebody_else_is_told(open_to_all: Path, end: str) -> None:
    """Each file of the database has to be ours to write, or the refusal names its owner."""
    path = beside(open_to_all / "progrev.db", end)
    path.touch(mode=0o600)

    with somebody_else(), pytest.raises(Unusable, match=rf"{path.name} .*user root, mode 0600"):
        check_place(open_to_all / "progrev.db")


def test_a_file_of_somebody_else_that_we_may_write_is_fine(open_to_all: Path) -> None:
    """What counts is whether it can be written, as with a group of their own."""
    database = open_to_all / "progrev.db"
    database.touch()
    database.chmod(0o666)

    with somebody_else():
        check_place(database)


def test_a_user_without_a_name_is_told_by_number(open_to_all: Path) -> None:
    """In a container, users often have numbers only."""
    database = open_to_all / "progrev.db"
    database.touch(mode=0o600)
    if os.geteuid() == 0:
        os.chown(database, 54321, 54321)

    with somebody_else(), pytest.raises(Unusable, match="belongs to user 54321"):
        check_place(database)


# --- for nobody else to read --------------------------------------------------------------------


def test_a_wide_open_database_is_closed_to_others(database: Path) -> None:
    """Every file of a database becomes 0600."""
    for end in ("-wal", "-shm", ".lock"):
        beside(database, end).touch()
    for path in database.parent.iterdir():
        path.chmod(0o644)

    make_private(database)

    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}


def test_an_open_database_has_no_file_that_others_can_read(tmp_path: Path) -> None:
    """Whatever the umask, the daemon's files are 0600, its log and its index too."""
    modes: dict[str, int] = {}

    async def work() -> None:
        storage = Storage(f"sqlite:///{tmp_path / 'progrev.db'}")
        await storage.open()
        modes.update({p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()})
        await storage.close()

    before = os.umask(0o022)
    try:
        asyncio.run(work())
    finally:
        os.umask(before)

    files = ["progrev.db", "progrev.db-shm", "progrev.db-wal", "progrev.db.lock"]
    assert dict.fromkeys(files, 0o600) == modes
