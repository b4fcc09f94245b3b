"""Back from a copy: what stands there afterwards, what is kept, what is refused."""

import asyncio
import itertools
import os
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from storage.backup import back_up
from storage.errors import AlreadyRunning, StorageError, Unusable
from storage.held import BACKUP, HELD, Held
from storage.inspect import check_content, look_into
from storage.lock import Lock
from storage.place import beside, note_made
from storage.restore import restore
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10, new_lead
from tests.storage.databases import (
    LEADS,
    ask,
    change,
    content_of,
    leads_in,
    leave_unclosed,
    make_database,
)
from tests.storage.faults import Deaths, Steps

T = TypeVar("T")

LATER = MONDAY_10 + timedelta(hours=3)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A closed database in a directory of its own, which a daemon has worked on."""
    (tmp_path / "state").mkdir()
    database = make_database(tmp_path / "state" / "progrev.db")
    beside(database, ".lock").touch()
    note_made(database)
    return database


@pytest.fixture
def copy(database: Path, tmp_path: Path) -> Path:
    """A copy of Monday at 10:00; the database went on afterwards."""
    back_up(database, tmp_path / "copy.db", MONDAY_10)
    change(
        database,
        "INSERT INTO leads (name) VALUES ('Борис'), ('Вера')",
        "UPDATE whatsapp_queue SET status = 'cancelled' WHERE id = 1",
    )
    return tmp_path / "copy.db"


def start_and(database: Path, work: Callable[[Unit], Awaitable[T]]) -> T:
    """Open the database as a daemon does, and run one unit of work on it."""

    async def start() -> T:
        storage = Storage(f"sqlite:///{database}")
        try:
            await storage.open()
            return await storage.run(work)
        finally:
            await storage.close()

    return asyncio.run(start())


def state_of(folder: Path) -> dict[str, bytes]:
    """Every file but the lock, whose being there says nothing."""
    return {name: c for name, c in content_of(folder).items() if not name.endswith(".lock")}


# --- the drill ----------------------------------------------------------------------------------


def test_what_comes_back_is_what_the_copy_held(database: Path, copy: Path) -> None:
    """After a restore a daemon finds the data of the copy, and none of what came later."""
    restore(copy, database, LATER)

    assert LEADS == leads_in(database)
    assert "pending" == ask(database, "SELECT status FROM whatsapp_queue WHERE id = 1")
    assert LEADS == start_and(database, lambda unit: unit.queue.count_pending())


def test_a_restored_database_is_held(database: Path, copy: Path) -> None:
    """It remembers when the copy was taken, when it came back, and that nobody released it."""
    done = restore(copy, database, LATER)
    found = start_and(database, lambda unit: unit.memory.find(HELD))

    assert Held(taken_at=MONDAY_10, restored_at=LATER) == Held.read(found) == done.held
    assert done.held.is_on


def test_a_restored_database_does_not_take_itself_for_a_copy(database: Path, copy: Path) -> None:
    """The note of a copy is gone, so that a copy made by hand of it tells no wrong age."""
    restore(copy, database, LATER)

    assert 0 == ask(database, f"SELECT count(*) FROM memory WHERE name = '{BACKUP}'")


def test_the_providers_journal_is_read_as_on_the_first_day(database: Path, copy: Path) -> None:
    """What we sent after the copy is not taken for the work of a second program."""
    known = {"looked_at": MONDAY_10.isoformat(), "foreign": []}
    start_and(database, lambda unit: unit.memory.keep("second_sender", known))
    back_up(database, copy, MONDAY_10)

    restore(copy, database, LATER)

    assert start_and(database, lambda unit: unit.memory.find("second_sender")) is None


@pytest.mark.parametrize("table", ["leads", "whatsapp_queue"])
def test_a_copy_made_by_hand_counts_from_the_newest_that_it_knows(
    database: Path, tmp_path: Path, table: str
) -> None:
    """A file that does not say when it was taken was not taken before its last change."""
    by_hand = tmp_path / "by-hand.db"
    by_hand.write_bytes(database.read_bytes())
    change(
        by_hand,
        "UPDATE leads SET updated_at = '2026-11-22 09:00:00'",
        "UPDATE whatsapp_queue SET updated_at = '2026-11-21 09:00:00'",
        f"UPDATE {table} SET updated_at = '2026-11-23 07:00:00' WHERE id = 3",
    )

    assert MONDAY_10 == restore(by_hand, database, LATER).held.taken_at


def test_a_copy_that_knows_nothing_is_of_unknown_age(database: Path, tmp_path: Path) -> None:
    """An empty database made by hand tells no time at all, and is held all the same."""
    empty_one = make_database(tmp_path / "empty.db", leads=0)

    held = restore(empty_one, database, LATER).held

    assert (None, True) == (held.taken_at, held.is_on)


def test_a_copy_of_a_database_held_for_an_unknown_time_is_no_better(
    database: Path, tmp_path: Path
) -> None:
    """What nobody knew before the copy, nobody knows after it."""
    restore(make_database(tmp_path / "empty.db", leads=0), database, LATER)
    back_up(database, tmp_path / "newer.db", LATER)

    assert restore(tmp_path / "newer.db", database, LATER).held.taken_at is None


def test_a_copy_of_a_held_database_has_forgotten_as_much(database: Path, copy: Path) -> None:
    """A second restore holds again, and counts from the older of both copies."""
    restore(copy, database, LATER)
    newer = copy.with_name("newer.db")
    back_up(database, newer, LATER + timedelta(hours=1))

    held = restore(newer, database, LATER + timedelta(hours=2)).held

    assert (MONDAY_10, True) == (held.taken_at, held.is_on)


def test_a_copy_of_a_released_database_is_as_old_as_it_is(database: Path, copy: Path) -> None:
    """What was released once counts no more, and a second restore holds again."""
    released = restore(copy, database, LATER).held.released(LATER, "Мария")
    start_and(database, lambda unit: unit.memory.keep(HELD, released.to_json()))
    newer = copy.with_name("newer.db")
    back_up(database, newer, LATER + timedelta(hours=1))

    held = restore(newer, database, LATER + timedelta(hours=2)).held

    assert (LATER + timedelta(hours=1), True) == (held.taken_at, held.is_on)


def test_new_leads_get_no_number_that_an_old_card_names(database: Path, copy: Path) -> None:
    """A card of a lead that was lost still has buttons: its number is not given again."""
    lost = ask(database, "SELECT max(id) FROM leads")

    restore(copy, database, LATER)
    lead_id = start_and(database, lambda unit: unit.leads.add(new_lead(), LATER))

    assert lost + 1000 < lead_id


def test_numbers_are_skipped_though_the_old_database_cannot_be_read(
    database: Path, copy: Path
) -> None:
    """After a crash of the disk nobody knows the last number: a thousand are left out."""
    database.write_bytes(b"noise" * 1000)

    restore(copy, database, LATER)
    lead_id = start_and(database, lambda unit: unit.leads.add(new_lead(), LATER))

    assert LEADS + 1001 == lead_id


def test_the_restored_database_writes_a_log_again(database: Path, copy: Path) -> None:
    """A copy has no log; the daemon's first open turns it on."""
    restore(copy, database, LATER)
    before = ask(database, "PRAGMA journal_mode")
    start_and(database, lambda unit: unit.memory.find("anything"))

    assert ("delete", "wal") == (before, ask(database, "PRAGMA journal_mode"))


def test_files_are_for_nobody_else_to_read(database: Path, copy: Path) -> None:
    """Both the restored database and the one that is kept are 0600."""
    database.chmod(0o644)

    replaced = restore(copy, database, LATER).replaced

    assert replaced is not None
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (database, replaced)]
    assert [0o600, 0o600] == modes


def test_root_leaves_the_files_to_the_owner_of_the_database(database: Path, copy: Path) -> None:
    """A restore by root must not lock the daemon's own user out."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(database, 54321, 54321)
    beside(database, ".lock").unlink()

    restore(copy, database, LATER)

    assert {54321} == {path.stat().st_uid for path in database.parent.iterdir()}


def test_a_copy_may_come_to_a_machine_that_has_no_database(copy: Path, tmp_path: Path) -> None:
    """On a new machine there is nothing to keep aside."""
    (tmp_path / "new").mkdir()

    done = restore(copy, tmp_path / "new" / "progrev.db", LATER)

    assert (None, LEADS) == (done.replaced, leads_in(tmp_path / "new" / "progrev.db"))


def test_a_link_to_the_database_stays_a_link(database: Path, copy: Path, tmp_path: Path) -> None:
    """What is replaced is the file that the link leads to, together with its log."""
    leave_unclosed(database, leads=5)
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "progrev.db"
    link.symlink_to(database)

    done = restore(copy, link, LATER)

    assert link.is_symlink()
    assert LEADS == leads_in(database) == leads_in(link)
    assert done.replaced is not None
    assert (database.parent, LEADS + 7) == (done.replaced.parent, leads_in(done.replaced))


# --- what is kept -------------------------------------------------------------------------------


def test_the_replaced_database_is_kept_under_its_date(database: Path, copy: Path) -> None:
    """Nothing of the old database is deleted."""
    before = database.read_bytes()

    replaced = restore(copy, database, LATER).replaced

    assert database.with_name("progrev.replaced-2026-11-23T100000Z.db") == replaced
    assert replaced is not None
    assert before == replaced.read_bytes()


def test_the_log_of_the_replaced_database_goes_with_it(database: Path, copy: Path) -> None:
    """What stood only in the log is kept too, and is not read into the restored database."""
    leave_unclosed(database, leads=5)

    replaced = restore(copy, database, LATER).replaced

    assert replaced is not None
    assert LEADS + 2 + 5 == leads_in(replaced)
    assert LEADS == leads_in(database)
    assert not any(beside(database, end).exists() for end in ("-wal", "-shm"))


def test_two_restores_in_one_second_keep_both(database: Path, copy: Path) -> None:
    """A name that is taken is not taken again."""
    first, second = (restore(copy, database, LATER).replaced for _ in range(2))

    assert database.with_name("progrev.replaced-2026-11-23T100000Z-2.db") == second
    assert first is not None
    assert second is not None
    assert (LEADS + 2, LEADS) == (leads_in(first), leads_in(second))


def test_a_damaged_database_is_replaced_too(database: Path, copy: Path) -> None:
    """The very case that a restore is for."""
    database.write_bytes(b"noise" * 1000)

    replaced = restore(copy, database, LATER).replaced

    assert LEADS == leads_in(database)
    assert replaced is not None
    assert b"noise" * 1000 == replaced.read_bytes()


def test_the_copy_stays_as_it_is(database: Path, copy: Path) -> None:
    """A copy can be restored as often as needed."""
    before = copy.read_bytes()

    restore(copy, database, LATER)

    assert before == copy.read_bytes()
    assert {"copy.db", "state"} == {path.name for path in copy.parent.iterdir()}


# --- what is refused ----------------------------------------------------------------------------


def test_nothing_is_restored_under_a_running_daemon(database: Path, copy: Path) -> None:
    """While somebody holds the lock, nothing is touched."""
    lock = Lock(database)
    lock.take()
    before = content_of(database.parent)

    with pytest.raises(AlreadyRunning, match="stop it first"):
        restore(copy, database, LATER)

    assert before == content_of(database.parent)
    lock.release()


def cut(copy: Path) -> None:
    """Half of the pages."""
    os.truncate(copy, copy.stat().st_size // 2 // 4096 * 4096)


def write_text(copy: Path) -> None:
    """No database at all."""
    copy.write_text("not a database " * 100)


def empty(copy: Path) -> None:
    """A copy onto a full disk, by hand."""
    copy.write_bytes(b"")


def of_another_program(copy: Path) -> None:
    """A sound database of somebody else."""
    copy.unlink()
    change(copy, "CREATE TABLE contacts (id)")


def raise_schema(copy: Path) -> None:
    """As a newer version would make it."""
    change(copy, "UPDATE alembic_version SET version_num = '9999'")


def lose(copy: Path) -> None:
    """A slip of the keyboard."""
    copy.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(cut, "is damaged", id="truncated"),
        pytest.param(write_text, "is not a database", id="text"),
        pytest.param(empty, "is not a database", id="empty"),
        pytest.param(of_another_program, "of another program", id="another program"),
        pytest.param(raise_schema, "newer version", id="future schema"),
        pytest.param(lose, "there is no file", id="missing"),
    ],
)
def test_a_bad_copy_is_refused_untouched(
    database: Path, copy: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """The database and the bad copy both stay as they are."""
    spoil(copy)
    before = content_of(database.parent), content_of(copy.parent)

    with pytest.raises(Unusable, match=words):
        restore(copy, database, LATER)

    assert before == (content_of(database.parent), content_of(copy.parent))


def test_the_database_is_no_copy_of_itself(database: Path) -> None:
    """Restoring a database from itself would hold it for nothing."""
    with pytest.raises(Unusable, match="is the database itself"):
        restore(database, database, LATER)


def test_a_missing_directory_is_told(copy: Path, tmp_path: Path) -> None:
    """A wrong storage.url is named before anything is done."""
    with pytest.raises(Unusable, match="there is no directory"):
        restore(copy, tmp_path / "nowhere" / "progrev.db", LATER)


# --- every step may fail ------------------------------------------------------------------------


def test_a_failure_at_any_step_leaves_the_old_database(database: Path, copy: Path) -> None:
    """Whichever call fails, the database and its log are as they were; nothing is left over."""
    leave_unclosed(database, leads=5)
    before = state_of(database.parent)

    for number in itertools.count(1):
        steps = Steps(number)
        try:
            with steps.watched():
                restore(copy, database, LATER)
        except StorageError:
            assert before == state_of(database.parent), f"step {number}"
            continue
        assert LEADS == leads_in(database)
        if steps.done < number:
            break
        _set_back(database.parent, before)  # the old database could not be asked its numbers

    assert 30 < number


def test_a_death_at_any_step_starts_nothing_wrong(database: Path, copy: Path) -> None:
    """Killed anywhere, the old database is whole, or the new one is, or nothing starts at all.

    Then the restore can be done again, and nothing of the old database is lost.
    """
    leave_unclosed(database, leads=5)
    before = state_of(database.parent)
    ends: dict[str, int] = {"old": 0, "new": 0, "refused": 0}

    with Deaths.of("restore", copy, database) as killed:
        for _ in killed:
            ends[_what_starts(database)] += 1
            restore(copy, database, LATER + timedelta(hours=1))
            assert LEADS == leads_in(database)
            old = [content for name, content in state_of(database.parent).items() if "repl" in name]
            assert all(content in old for content in before.values())
            _set_back(database.parent, before)

    assert all(ends.values()), ends


def _set_back(folder: Path, before: dict[str, bytes]) -> None:
    for path in folder.iterdir():
        if not path.name.endswith(".lock"):
            path.unlink()
    for name, content in before.items():
        (folder / name).write_bytes(content)


def _what_starts(database: Path) -> str:
    try:
        check_content(database)
    except Unusable:
        return "refused"
    found = look_into(database).leads
    assert found in (LEADS, LEADS + 2 + 5)
    return "new" if found == LEADS else "old"


def test_a_database_without_numbers_can_be_replaced(copy: Path, tmp_path: Path) -> None:
    """A database of another program, put there by mistake, is kept aside like any other."""
    other = tmp_path / "state" / "other.db"
    change(other, "CREATE TABLE contacts (id)")

    restore(copy, other, LATER)

    assert LEADS == leads_in(other)


def test_a_held_note_that_nobody_can_read_holds(database: Path, copy: Path) -> None:
    """A value that somebody's SQL spoiled is no release."""
    restore(copy, database, LATER)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE memory SET value = '[1]' WHERE name = 'held'")
    connection.close()

    held = Held.read(start_and(database, lambda unit: unit.memory.find(HELD)))

    assert held is not None
    assert held.is_on
