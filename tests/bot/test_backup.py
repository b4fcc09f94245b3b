"""`progrev backup` and `progrev restore`, as the operator sees them."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot import backup
from bot.demo.clock import Conductor
from bot.settings import Settings
from storage.backup import name_of
from storage.lock import Lock
from tests.builders import MONDAY_10
from tests.storage.databases import LEADS, change, leads_in, make_database


@pytest.fixture
def clock() -> Conductor:
    """Monday, 01:00 in Moscow, which is still Sunday in UTC."""
    return Conductor(MONDAY_10 - timedelta(hours=9), rate=1e-9)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A closed database."""
    (tmp_path / "state").mkdir()
    return make_database(tmp_path / "state" / "progrev.db")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A configuration that names the database, which need not be there."""
    return Settings(
        telegram={"token": "123456:emulated", "manager_chat_id": -100},
        greenapi={"url": "http://127.0.0.1:9", "instance": "1101000001", "token": "emulated0green"},
        storage={"url": f"sqlite:///{tmp_path / 'state' / 'progrev.db'}"},
        webhook={"token": "a" * 16, "admin_token": "b" * 16},
    )


# --- backup -------------------------------------------------------------------------------------


def test_a_backup_says_what_is_in_it(
    settings: Settings, database: Path, clock: Conductor, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line: where, of what, how much; exit 0."""
    copy = database.parent.parent / "copy.db"

    code = backup.make(settings, copy, clock)

    said = capsys.readouterr()
    assert (0, "") == (code, said.err)
    assert said.out.startswith(f"{copy}: a checked copy of {database}, ")
    assert f"{LEADS} leads, {LEADS} messages wait\n" in said.out
    assert 1 == said.out.count("\n")


def test_a_failed_backup_says_why(
    settings: Settings, clock: Conductor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on the error stream, exit 1, no traceback."""
    code = backup.make(settings, tmp_path / "copy.db", clock)

    said = capsys.readouterr()
    database = tmp_path / "state" / "progrev.db"
    assert (1, "", f"progrev backup: there is no file {database}\n") == (code, said.out, said.err)


def test_broken_references_are_told(
    settings: Settings, database: Path, clock: Conductor, capsys: pytest.CaptureFixture[str]
) -> None:
    """The copy is made, and the operator hears what to look for."""
    change(database, "INSERT INTO posts (kind, lead_id) VALUES ('unknown', 999)")

    code = backup.make(settings, database.parent / "copy.db", clock)

    assert 0 == code
    assert "warning: 1 rows refer to rows that are not there" in capsys.readouterr().out


def test_a_dated_backup_has_the_date_of_the_schools_zone(
    settings: Settings, database: Path, clock: Conductor, tmp_path: Path
) -> None:
    """The directory is made, for nobody else to read; the night belongs to the day that begins."""
    shelf = tmp_path / "copies"

    code = backup.make_dated(settings, shelf, clock)

    assert 0 == code
    assert [name_of(date(2026, 11, 23))] == [path.name for path in shelf.iterdir()]
    assert 0o40700 == shelf.stat().st_mode


def test_old_dated_backups_go(
    settings: Settings,
    database: Path,
    clock: Conductor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After ten nights, three copies are gone, and named; the week before keeps its newest."""
    shelf = tmp_path / "copies"
    for _ in range(10):
        backup.make_dated(settings, shelf, clock)
        clock.jump(timedelta(days=1).total_seconds())

    left = sorted(path.name for path in shelf.iterdir())
    assert [name_of(date(2026, 11, day)) for day in (26, 27, 28, 29, 30)] == left[:5]
    assert [name_of(date(2026, 12, day)) for day in (1, 2)] == left[5:]
    assert f"7 daily and 4 weekly copies are kept: {name_of(date(2026, 11, 25))}\n" in (
        capsys.readouterr().out
    )


def test_a_failed_backup_deletes_nothing(
    settings: Settings, tmp_path: Path, clock: Conductor
) -> None:
    """While no new copy can be made, every old one may be the last."""
    shelf = tmp_path / "copies"
    shelf.mkdir()
    names = {name_of(date(2026, 10, day)) for day in range(1, 20)}
    for name in names:
        (shelf / name).touch()

    code = backup.make_dated(settings, shelf, clock)

    assert 1 == code
    assert names == {path.name for path in shelf.iterdir()}


def test_a_place_that_is_no_directory_is_told(
    settings: Settings, database: Path, clock: Conductor, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in the place of the directory ends in a sentence."""
    code = backup.make_dated(settings, database, clock)

    assert (1, "progrev backup: ") == (code, capsys.readouterr().err[:16])


# --- restore ------------------------------------------------------------------------------------


def test_a_restore_says_what_was_done_and_what_comes_next(
    settings: Settings, database: Path, clock: Conductor, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the old database is kept, what is lost, and that sending waits for a press."""
    copy = database.parent.parent / "copy.db"
    backup.make(settings, copy, clock)
    change(database, "INSERT INTO leads (name) VALUES ('Борис')")
    clock.jump(3600)
    capsys.readouterr()

    code = backup.bring_back(settings, copy, clock)

    said = capsys.readouterr().out.splitlines()
    assert (0, LEADS) == (code, leads_in(database))
    assert f"{database}: restored from {copy}, " in said[0]
    assert said[1].startswith("the database that was there is kept: ")
    assert "leads, presses and sends after 2026-11-22 22:00 UTC are lost" == said[2]
    assert "until an admin presses «Продолжить» in Telegram" in said[3]


def test_a_restore_under_a_running_daemon_is_refused(
    settings: Settings, database: Path, clock: Conductor, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator is told to stop it first; exit 1."""
    copy = database.parent.parent / "copy.db"
    backup.make(settings, copy, clock)
    lock = Lock(database)
    lock.take()

    code = backup.bring_back(settings, copy, clock)

    lock.release()
    assert 1 == code
    assert "stop it first" in capsys.readouterr().err


def test_a_restore_on_a_new_machine_keeps_nothing_aside(
    settings: Settings,
    database: Path,
    clock: Conductor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where there was no database, no line tells of one."""
    copy = tmp_path / "copy.db"
    backup.make(settings, copy, clock)
    database.unlink()

    code = backup.bring_back(settings, copy, clock)

    assert 0 == code
    assert "is kept" not in capsys.readouterr().out
