"""One daemon a database."""

import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import AlreadyRunning
from storage.lock import Lock, database_path
from storage.storage import Storage


async def test_second_storage_is_refused_at_once(storage: Storage) -> None:
    """A second daemon is told that one works already, and on which file."""
    second = Storage(f"sqlite:///{storage.path}")

    with pytest.raises(AlreadyRunning) as caught:
        await second.open()
    await second.close()

    words = f"another progrev already works on {storage.path}: stop it first"
    assert words == str(caught.value)


async def test_first_works_on_after_a_second_was_refused(storage: Storage) -> None:
    """Neither the refusal nor the second's end takes anything from the first."""
    second = Storage(f"sqlite:///{storage.path}")
    with pytest.raises(AlreadyRunning):
        await second.open()
    await second.close()

    await storage.ping()
    with pytest.raises(AlreadyRunning):
        Lock(storage.path).take()


async def test_close_gives_the_lock_up(database: Path) -> None:
    """After a clean end the next daemon may start."""
    first, second = (Storage(f"sqlite:///{database}") for _ in range(2))
    await first.open()
    await first.close()
    await second.open()
    pending = await second.run(lambda unit: unit.queue.count_pending())
    await second.close()

    assert 0 == pending


def test_lock_dies_with_its_process(tmp_path: Path) -> None:
    """A daemon that was killed holds nothing: its lock file may lie there."""
    database = tmp_path / "progrev.db"
    words = "import sys, os, pathlib; from storage.lock import Lock; "
    words += "Lock(pathlib.Path(sys.argv[1])).take(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", words, str(database)], check=False, timeout=30)

    assert (tmp_path / "progrev.db.lock").exists()
    lock = Lock(database)
    lock.take()
    lock.release()


def test_lock_may_be_taken_twice_by_its_holder(tmp_path: Path) -> None:
    """The command line takes the lock early; the storage takes the same one again."""
    lock = Lock(tmp_path / "progrev.db")
    lock.take()
    lock.take()
    with pytest.raises(AlreadyRunning):
        Lock(tmp_path / "progrev.db").take()
    lock.release()

    Lock(tmp_path / "progrev.db").take()


def test_lock_that_was_not_taken_is_released_quietly(tmp_path: Path) -> None:
    """An end before the start is no error."""
    lock = Lock(tmp_path / "progrev.db")

    lock.release()

    assert not (tmp_path / "progrev.db.lock").exists()


def test_lock_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Nobody else on the machine can hold the daemon up by locking the file."""
    lock = Lock(tmp_path / "progrev.db")
    lock.take()
    mode = (tmp_path / "progrev.db.lock").stat().st_mode & 0o777
    lock.release()

    assert 0o600 == mode


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///progrev.db", "progrev.db"),
        ("sqlite:////var/lib/progrev/progrev.db", "/var/lib/progrev/progrev.db"),
        ("sqlite:///data/progrev.db?timeout=5", "data/progrev.db"),
    ],
)
def test_path_of_a_url(url: str, path: str) -> None:
    """Three slashes are relative to the working directory, four are absolute."""
    assert Path(path) == database_path(url)
