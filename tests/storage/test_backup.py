"""Copies of a database that is being worked on, and how long they are kept."""

import itertools
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.backup import back_up, keep, kept, name_of
from storage.errors import StorageError, Unusable
from storage.inspect import look_into
from storage.place import beside
from storage.storage import Storage
from tests.builders import MONDAY_10, new_lead
from tests.storage.databases import LEADS, ask, change, content_of, leads_in, make_database
from tests.storage.faults import Deaths, Steps

MONDAY = date(2026, 11, 23)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A closed database in a directory of its own."""
    (tmp_path / "state").mkdir()
    return make_database(tmp_path / "state" / "progrev.db")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Where the copies go."""
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


# --- what a copy is -----------------------------------------------------------------------------


def test_a_copy_holds_what_the_database_held(database: Path, shelf: Path) -> None:
    """A copy has every lead and every message, and says when it was taken."""
    contents = back_up(database, shelf / "copy.db", MONDAY_10)

    assert (LEADS, LEADS) == (contents.leads, contents.pending)
    assert MONDAY_10 == contents.taken_at
    assert contents == look_into(shelf / "copy.db")


def test_a_copy_is_for_nobody_else_to_read(database: Path, shelf: Path) -> None:
    """A copy is readable and writable by its owner only, whatever the umask is."""
    back_up(database, shelf / "copy.db", MONDAY_10)

    assert 0o600 == stat.S_IMODE((shelf / "copy.db").stat().st_mode)


def test_only_the_copy_is_made(database: Path, shelf: Path) -> None:
    """Nothing lies beside the copy when it is done."""
    back_up(database, shelf / "copy.db", MONDAY_10)

    assert ["copy.db"] == [path.name for path in shelf.iterdir()]


def test_the_database_is_only_read(database: Path, shelf: Path) -> None:
    """A backup changes neither the database nor its log, though nobody has it open."""
    change(database, "PRAGMA journal_mode=WAL")
    before = content_of(database.parent)

    back_up(database, shelf / "copy.db", MONDAY_10)

    assert before == {n: c for n, c in content_of(database.parent).items() if c}


async def test_the_log_of_a_daemon_at_work_is_neither_written_nor_folded(
    storage: Storage, tmp_path: Path
) -> None:
    """A backup beside a daemon leaves the -wal as it is: there is one writer only."""
    await storage.run(lambda unit: unit.leads.add(new_lead(), MONDAY_10))
    log = beside(storage.path, "-wal")
    before = log.read_bytes()

    contents = back_up(storage.path, tmp_path / "copy.db", MONDAY_10)

    assert LEADS + 1 == contents.leads
    assert before == log.read_bytes()


def test_copies_made_while_somebody_writes_are_each_of_one_moment(
    database: Path, shelf: Path
) -> None:
    """Of a transaction that writes two rows, a copy holds both or none, however often one runs."""
    stop, written = threading.Event(), itertools.count()

    def write() -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as writer:
            writer.execute("PRAGMA journal_mode=WAL")
            while not stop.is_set():
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("INSERT INTO leads (name) VALUES ('Борис')")
                writer.execute("INSERT INTO memory VALUES (?, '{}', '')", (f"n{next(written)}",))
                writer.execute("COMMIT")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        copies = [shelf / f"{number}.db" for number in range(5)]
        for copy in copies:
            back_up(database, copy, MONDAY_10)
    finally:
        stop.set()
        thread.join()

    count = "SELECT (SELECT count(*) FROM leads), count(*) FROM memory WHERE name LIKE 'n%'"
    leads = [ask(copy, count) for copy in copies]
    notes = [ask(copy, "SELECT count(*) FROM memory WHERE name LIKE 'n%'") for copy in copies]
    assert [number - LEADS for number in leads] == notes
    assert sorted(set(notes)) == notes, "each copy is newer than the one before"


def test_a_newer_copy_takes_the_place_of_an_older_one(database: Path, shelf: Path) -> None:
    """Backing up to a file that is a copy already replaces it."""
    back_up(database, shelf / "copy.db", MONDAY_10)
    change(database, "INSERT INTO leads (name) VALUES ('Борис')")

    contents = back_up(database, shelf / "copy.db", MONDAY_10 + timedelta(days=1))

    assert LEADS + 1 == contents.leads == leads_in(shelf / "copy.db")


def test_rows_that_refer_to_nothing_are_counted(database: Path, shelf: Path) -> None:
    """A broken reference that somebody's SQL made does not cost the backup, and is told."""
    change(
        database,
        "PRAGMA foreign_keys=OFF",
        "INSERT INTO posts (kind, lead_id) VALUES ('unknown', 999)",
    )

    contents = back_up(database, shelf / "copy.db", MONDAY_10)

    assert 1 == contents.dangling


def test_a_value_forced_past_a_check_does_not_cost_the_backup(database: Path, shelf: Path) -> None:
    """What is not allowed in a table is not damage of the file."""
    change(
        database,
        "PRAGMA ignore_check_constraints=ON",
        "UPDATE leads SET phone = 'x' WHERE id = 1",
    )

    assert LEADS == back_up(database, shelf / "copy.db", MONDAY_10).leads


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["progrev.db", "progrev.db-wal", "progrev.db-shm"])
def test_the_database_itself_is_no_target(database: Path, name: str) -> None:
    """A backup never goes over the database or a file of its own."""
    before = content_of(database.parent)

    with pytest.raises(Unusable, match="belongs to a database that is worked on"):
        back_up(database, database.with_name(name), MONDAY_10)

    assert before == content_of(database.parent)


def test_a_database_at_work_elsewhere_is_no_target(database: Path, shelf: Path) -> None:
    """A backup never goes over a database that has a daemon of its own."""
    other = make_database(shelf / "other.db", leads=1)
    beside(other, ".lock").touch()

    with pytest.raises(Unusable, match="belongs to a database that is worked on"):
        back_up(database, other, MONDAY_10)

    assert 1 == leads_in(other)


def test_a_file_of_another_kind_is_no_target(database: Path, shelf: Path) -> None:
    """A slip of the keyboard does not cost a file that is no backup."""
    (shelf / "config.toml").write_text("[telegram]\n")

    with pytest.raises(Unusable, match="is there, and is no backup of ours"):
        back_up(database, shelf / "config.toml", MONDAY_10)

    assert "[telegram]\n" == (shelf / "config.toml").read_text()


def test_a_directory_is_no_target(database: Path, shelf: Path) -> None:
    """A directory in the place of the file is named in the refusal."""
    with pytest.raises(Unusable, match="is not a file"):
        back_up(database, shelf, MONDAY_10)


def test_a_missing_directory_is_told(database: Path, shelf: Path) -> None:
    """A backup makes no directories by a slip of the keyboard."""
    with pytest.raises(Unusable, match="there is no directory"):
        back_up(database, shelf / "elsewhere" / "copy.db", MONDAY_10)


def test_a_missing_database_is_told(tmp_path: Path) -> None:
    """A database that is not there is not made by a backup."""
    with pytest.raises(Unusable, match="there is no file"):
        back_up(tmp_path / "progrev.db", tmp_path / "copy.db", MONDAY_10)

    assert [] == list(tmp_path.iterdir())


def test_a_damaged_database_gives_no_copy(database: Path, shelf: Path) -> None:
    """An older copy is not replaced by one of a damaged database."""
    back_up(database, shelf / "copy.db", MONDAY_10)
    before = content_of(shelf)
    damage(database)

    with pytest.raises(Unusable, match="is damaged"):
        back_up(database, shelf / "copy.db", MONDAY_10)

    assert before == content_of(shelf)


def damage(database: Path) -> None:
    """Overwrite a page in the middle."""
    content = bytearray(database.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    database.write_bytes(bytes(content))


# --- every step may fail ------------------------------------------------------------------------


@pytest.mark.parametrize("older", [False, True], ids=["new target", "older copy"])
def test_a_failure_at_any_step_leaves_no_half_file(
    database: Path, shelf: Path, older: bool
) -> None:
    """Whichever call fails, the target is as it was, or a whole copy; nothing else is left."""
    target = shelf / "copy.db"
    if older:
        back_up(database, target, MONDAY_10)
    change(database, "INSERT INTO leads (name) VALUES ('Борис')")
    before = content_of(shelf)

    for number in itertools.count(1):
        steps = Steps(number)
        try:
            with steps.watched():
                back_up(database, target, MONDAY_10)
        except StorageError:
            assert content_of(shelf) == before or set(content_of(shelf)) == {target.name}
            assert content_of(shelf) == before or LEADS + 1 == leads_in(target)
        else:
            break
        for path in shelf.iterdir():
            path.unlink()
        for name, content in before.items():
            (shelf / name).write_bytes(content)

    assert 20 < number
    assert LEADS + 1 == leads_in(target)


def test_a_death_at_any_step_leaves_no_half_file(database: Path, shelf: Path) -> None:
    """Killed anywhere, a backup leaves the older copy or the whole new one under the name."""
    target = shelf / "copy.db"
    back_up(database, target, MONDAY_10)
    change(database, "INSERT INTO leads (name) VALUES ('Борис')")
    older = target.read_bytes()
    deaths = 0

    with Deaths.of("backup", database, target) as killed:
        for _ in killed:
            deaths += 1
            assert leads_in(target) in ([LEADS] if target.read_bytes() == older else [LEADS + 1])
            assert {path.name for path in shelf.iterdir()} <= {"copy.db", ".copy.db.part"}
            target.write_bytes(older)

    assert 20 < deaths
    assert LEADS + 1 == leads_in(target)
    assert ["copy.db"] == [path.name for path in shelf.iterdir()]


def test_a_copy_is_on_the_disk_before_it_gets_its_name(database: Path, shelf: Path) -> None:
    """A power loss leaves no name without its content: file, name, directory, in this order."""
    steps = Steps(at=0)
    with steps.watched():
        back_up(database, shelf / "copy.db", MONDAY_10)

    assert ["fsync", "replace", "open", "fsync"] == steps.names[-4:]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a quarter of a megabyte."""
    mounted = tmp_path / "small"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mounted)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted here")
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


def test_a_full_disk_leaves_the_older_copy(database: Path, small_disk: Path) -> None:
    """A disk that has room for one copy only keeps the one that is there, and says why."""
    back_up(database, small_disk / "copy.db", MONDAY_10)
    before = content_of(small_disk)
    (small_disk / "ballast").write_bytes(bytes(16_000))
    before = content_of(small_disk)

    with pytest.raises(Unusable, match="disk full"):
        back_up(database, small_disk / "copy.db", MONDAY_10)

    assert before == content_of(small_disk)


# --- how long copies are kept -------------------------------------------------------------------


def days(*numbers: int) -> frozenset[date]:
    """Days before Monday, 23 November 2026."""
    return frozenset(MONDAY - timedelta(days=number) for number in numbers)


@pytest.mark.parametrize(
    ("copied", "stays"),
    [
        pytest.param([], [], id="none"),
        pytest.param([0], [0], id="the first one"),
        pytest.param(range(7), range(7), id="a week"),
        pytest.param(range(8), range(7), id="its eighth day"),
        pytest.param(range(9), [*range(7), 8], id="the newest of the week before"),
        pytest.param(range(12), [*range(7), 8], id="older ones of that week go"),
        pytest.param(range(100), [*range(7), 8, 15, 22, 29], id="a long time"),
        pytest.param([0, 100, 101, 102], [0, 100, 101, 102], id="a timer that stood still"),
        pytest.param(range(50, 57), range(50, 57), id="a timer that stands still"),
        pytest.param(range(0, 100, 7), range(0, 77, 7), id="a weekly timer: eleven weeks"),
    ],
)
def test_seven_daily_and_four_weekly_copies_stay(copied: list[int], stays: list[int]) -> None:
    """The newest seven stay, and of the four weeks before those the newest each."""
    assert days(*stays) == kept(days(*copied))


@given(st.sets(st.dates(date(2026, 1, 1), date(2027, 6, 1))))
def test_at_most_eleven_copies_stay_and_the_newest_always(copied: set[date]) -> None:
    """Whatever the gaps, at most eleven stay, the newest among them, and a second look agrees."""
    stays = kept(copied)

    assert stays <= copied
    assert len(stays) <= 11
    assert not copied or max(copied) in stays
    assert stays == kept(stays)


def test_a_year_of_nights_always_goes_back_four_weeks() -> None:
    """Pruned every night, the copies reach back four to five weeks."""
    stays: frozenset[date] = frozenset()
    for night in range(365):
        today = MONDAY + timedelta(days=night)
        stays = kept(stays | {today})
        if night > 60:
            assert 11 == len(stays)
            assert 28 <= (today - min(stays)).days <= 35


def test_only_dated_copies_are_deleted(shelf: Path) -> None:
    """Files of other names, and copies from the future, are nobody's to delete."""
    names = [name_of(MONDAY - timedelta(days=number)) for number in range(20)]
    others = ["progrev.db", "progrev-2026-13-01.db", "notes.txt", name_of(date(2027, 1, 1))]
    for name in (*names, *others):
        (shelf / name).touch()

    gone = keep(shelf, MONDAY)

    stays = {name_of(day) for day in days(*range(7), 8, 15)}
    assert stays | set(others) == {path.name for path in shelf.iterdir()}
    assert sorted(set(names) - stays) == [path.name for path in gone]


def test_what_killed_backups_left_is_swept(shelf: Path) -> None:
    """The half file of an earlier night goes, that of a backup of today may be under way."""
    for day in (date(2026, 11, 22), MONDAY):
        (shelf / f".{name_of(day)}.part").touch()

    keep(shelf, MONDAY)

    assert [f".{name_of(MONDAY)}.part"] == [path.name for path in shelf.iterdir()]


def test_the_name_of_a_copy_is_its_day() -> None:
    """Names sort by day."""
    assert "progrev-2026-11-23.db" == name_of(datetime(2026, 11, 23, 3, 30, tzinfo=UTC).date())
