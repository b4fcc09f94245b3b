"""A unit of work is all or nothing, whatever happens to its caller."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from storage import dialect
from storage.errors import Conflict, Unavailable
from storage.models import EventKind
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10, PHONE, new_lead, new_row
from tests.storage.sql import Sql


def adding_lead(**values: Any) -> Callable[[Unit], Any]:
    """Work that adds a lead."""
    return lambda unit: unit.leads.add(new_lead(**values), MONDAY_10)


# --- all or nothing -----------------------------------------------------------------------------


async def test_what_is_done_is_seen_by_everybody(storage: Storage, sql: Sql) -> None:
    """Once `run` returns, another program sees the change."""
    lead_id = await storage.run(adding_lead())

    assert "Анна" == sql.find_lead(lead_id)["name"]


async def test_result_of_the_work_comes_back(storage: Storage) -> None:
    """`run` returns what the work returned."""
    await storage.run(adding_lead())

    found = await storage.run(lambda unit: unit.leads.get(1))

    assert PHONE == found.phone


async def test_error_takes_everything_back(storage: Storage, sql: Sql) -> None:
    """An error of the work comes through as it is, and nothing of the unit stays."""

    async def work(unit: Unit) -> None:
        await unit.leads.add(new_lead(), MONDAY_10)
        raise LookupError("our own bug")

    with pytest.raises(LookupError, match="our own bug"):
        await storage.run(work)

    assert 0 == sql.value("SELECT count(*) FROM leads")


async def test_unit_after_an_error_works(storage: Storage) -> None:
    """A failed unit leaves the connection usable."""

    async def work(unit: Unit) -> None:
        await unit.leads.add(new_lead(), MONDAY_10)
        raise LookupError

    with pytest.raises(LookupError):
        await storage.run(work)

    assert 1 == await storage.run(adding_lead())


async def test_units_run_one_after_another(storage: Storage) -> None:
    """Twenty units that read, wait and write lose no count."""

    async def count(unit: Unit) -> None:
        before = await unit.memory.find("count") or 0
        await asyncio.sleep(0)
        await unit.memory.keep("count", before + 1)

    await asyncio.gather(*(storage.run(count) for _ in range(20)))

    assert 20 == await storage.run(lambda unit: unit.memory.find("count"))


# --- cancelled callers --------------------------------------------------------------------------


async def _three_rows(unit: Unit) -> None:
    lead_id = await unit.leads.add(new_lead(), MONDAY_10)
    await unit.events.add(lead_id, EventKind.TAKEN, MONDAY_10, None)
    await unit.queue.add([new_row(lead_id)], MONDAY_10)


async def _cancelled_after(storage: Storage, steps: int) -> bool:
    """Cancel the caller of a unit after so many steps of the event loop; say if it was in time."""
    caller = asyncio.create_task(storage.run(_three_rows))
    for _ in range(steps):
        await asyncio.sleep(0)
    caller.cancel()
    try:
        await caller
    except asyncio.CancelledError:
        return True
    return False


async def test_caller_may_be_cancelled_at_every_await(storage: Storage, sql: Sql) -> None:
    """Wherever a caller is cancelled, the unit is whole or not there, and the next one works.

    The steps grow a little faster than one by one, so that a slow disk does not make a slow test.
    """
    sql.run("PRAGMA busy_timeout = 0")
    steps = units = 0
    while await _cancelled_after(storage, steps):
        units += 1
        await storage.ping()  # the unit before has ended: they run one after another
        sql.run("BEGIN IMMEDIATE")  # at once: no transaction is open
        sql.run("ROLLBACK")
        steps += 1 + steps // 25
        counts = [
            sql.value(f"SELECT count(*) FROM {table}")
            for table in ("leads", "lead_events", "whatsapp_queue", "posts")
        ]
        assert [counts[0]] * 4 == counts

    assert units > 5


@pytest.mark.parametrize("checkpoint", range(5))
async def test_cancelled_inside_a_unit_it_is_committed(
    storage: Storage, sql: Sql, checkpoint: int
) -> None:
    """A unit whose caller is cancelled while it works goes on to its commit."""
    caller: asyncio.Task[None]

    async def work(unit: Unit) -> None:
        for number in range(5):
            if number == checkpoint:
                caller.cancel()
            await unit.leads.add(new_lead(), MONDAY_10)

    caller = asyncio.create_task(storage.run(work))
    with pytest.raises(asyncio.CancelledError):
        await caller
    await storage.ping()

    assert 5 == sql.value("SELECT count(*) FROM leads")


async def test_error_after_the_caller_is_gone_takes_everything_back(
    storage: Storage, sql: Sql
) -> None:
    """A unit that fails when nobody waits for it any more is rolled back; the loop hears of it."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: reported.append(what))

    async def work(unit: Unit) -> None:
        await unit.leads.add(new_lead(), MONDAY_10)
        caller.cancel()
        await unit.leads.add(new_lead(), MONDAY_10)
        raise LookupError

    caller = asyncio.create_task(storage.run(work))
    with pytest.raises(asyncio.CancelledError):
        await caller
    await storage.ping()

    told = [type(what["exception"]) for what in reported]
    assert (0, [LookupError]) == (sql.value("SELECT count(*) FROM leads"), told)


async def test_waiting_caller_may_be_cancelled(storage: Storage, sql: Sql) -> None:
    """A caller cancelled while its unit waits for its turn hinders nobody."""
    gate = asyncio.Event()

    async def slow(unit: Unit) -> None:
        await unit.leads.add(new_lead(), MONDAY_10)
        await gate.wait()

    first = asyncio.create_task(storage.run(slow))
    second = asyncio.create_task(storage.run(adding_lead()))
    await asyncio.sleep(0)
    second.cancel()
    gate.set()
    await first
    await storage.ping()

    assert 2 == sql.value("SELECT count(*) FROM leads")


# --- errors -------------------------------------------------------------------------------------


async def test_refused_by_a_constraint_is_a_conflict(storage: Storage) -> None:
    """A constraint's refusal is `Conflict`, in the database's words and without anybody's data."""
    lead_id = await storage.run(adding_lead())
    await storage.run(lambda unit: unit.queue.add([new_row(lead_id)], MONDAY_10))

    with pytest.raises(Conflict) as caught:
        await storage.run(lambda unit: unit.queue.add([new_row(lead_id)], MONDAY_10))

    words = "UNIQUE constraint failed: whatsapp_queue.lead_id, whatsapp_queue.message_template"
    assert words == str(caught.value)


async def test_refused_by_a_trigger_is_a_conflict(storage: Storage, sql: Sql) -> None:
    """A trigger's refusal is `Conflict` too, with the reason it gives."""
    with pytest.raises(Conflict, match=r"^there is no lead of that id$"):
        await storage.run(lambda unit: unit.queue.add([new_row(77)], MONDAY_10))


@pytest.fixture
async def impatient(database: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A storage that does not wait for other writers: a test has no five seconds."""
    pragmas = ("PRAGMA busy_timeout=1", *dialect._ON_CONNECT[1:])
    monkeypatch.setattr(dialect, "_ON_CONNECT", pragmas)
    opened = Storage(f"sqlite:///{database}")
    await opened.open()
    yield opened
    await opened.close()


async def test_locked_file_is_unavailable(impatient: Storage, sql: Sql) -> None:
    """A writer that does not let go makes a unit `Unavailable`, without statement or data."""
    sql.run("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable) as caught:
        await impatient.run(adding_lead())

    assert "database is locked" == str(caught.value)


async def test_unit_after_the_lock_works(impatient: Storage, sql: Sql) -> None:
    """When the other writer is done, the next unit works."""
    sql.run("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        await impatient.run(adding_lead())
    sql.run("ROLLBACK")

    assert 1 == await impatient.run(adding_lead())


async def test_ping_tells_of_a_locked_file(impatient: Storage, sql: Sql) -> None:
    """`ping` asks for the writer's turn, so it knows when there is none."""
    sql.run("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable):
        await impatient.ping()


async def test_ping_is_quiet_when_all_is_well(storage: Storage) -> None:
    """`ping` leaves the database as it was."""
    await storage.ping()

    assert None is await storage.run(lambda unit: unit.memory.find("ping"))


async def test_broken_file_is_unavailable(storage: Storage, sql: Sql) -> None:
    """Damage that shows while running is `Unavailable`, not a crash of another kind."""
    sql.run("DROP TABLE memory")

    with pytest.raises(Unavailable, match=r"^no such table: memory$"):
        await storage.ping()


# --- reads --------------------------------------------------------------------------------------


async def test_read_cannot_write(storage: Storage, sql: Sql) -> None:
    """A read that tries to write is refused, and changes nothing."""
    with pytest.raises(Unavailable, match="readonly"):
        await storage.read(adding_lead())

    assert 0 == sql.value("SELECT count(*) FROM leads")


async def test_read_runs_beside_a_writer(storage: Storage) -> None:
    """While a unit is under way, a read sees what was before it, without waiting for it."""
    await storage.run(adding_lead())
    seen: list[int] = []

    async def work(unit: Unit) -> None:
        await unit.leads.add(new_lead(), MONDAY_10)
        seen.append(len(await storage.read(lambda reader: reader.leads.of_phone(PHONE))))

    await storage.run(work)

    assert [1] == seen


async def test_read_sees_what_was_committed(storage: Storage) -> None:
    """A read that begins after a commit knows of it."""
    await storage.read(lambda unit: unit.queue.count_pending())
    await storage.run(adding_lead())

    assert 1 == len(await storage.read(lambda unit: unit.leads.of_phone(PHONE)))


@pytest.mark.parametrize("folder", ["с пробелом", "a#b", "a%41b", "a&b=c", "100%"])
async def test_both_connections_open_the_same_file(tmp_path: Path, folder: str) -> None:
    """Whatever signs stand in the path, reads see what units wrote."""
    (tmp_path / folder).mkdir()
    storage = Storage(f"sqlite:///{tmp_path / folder / 'progrev.db'}")
    await storage.open()
    await storage.run(adding_lead())
    found = await storage.read(lambda unit: unit.leads.of_phone(PHONE))
    await storage.close()

    assert (1, True) == (len(found), (tmp_path / folder / "progrev.db").exists())


async def test_text_that_is_not_utf8_breaks_no_read(storage: Storage, sql: Sql) -> None:
    """A name that somebody's script wrote in cp1251 is read with marks in place of its letters."""
    sql.run(
        "INSERT INTO leads (name, phone) VALUES (CAST(X'C0EDEDE0' AS TEXT), ?)",
        PHONE,
    )

    found = await storage.run(lambda unit: unit.leads.of_phone(PHONE))

    assert ["\ufffd" * 4] == [lead.name for lead in found]


# --- opening and closing ------------------------------------------------------------------------


async def test_close_waits_for_running_units(database: Path, sql: Sql) -> None:
    """A unit under way is committed before the database is closed, though its caller is gone."""
    storage = Storage(f"sqlite:///{database}")
    await storage.open()
    gate, started = asyncio.Event(), asyncio.Event()

    async def slow(unit: Unit) -> None:
        started.set()
        await gate.wait()
        await unit.leads.add(new_lead(), MONDAY_10)

    caller = asyncio.create_task(storage.run(slow))
    await started.wait()
    caller.cancel()
    closing = asyncio.create_task(storage.close())
    await asyncio.sleep(0)
    waited = not closing.done()
    gate.set()
    await closing

    assert (True, 1) == (waited, sql.value("SELECT count(*) FROM leads"))


async def test_daemon_writes_whole_seconds(storage: Storage, sql: Sql) -> None:
    """Moments of the daemon stand in the tables in the same form as a person's."""
    at = datetime.fromisoformat("2026-11-23T10:00:00.999999+03:00")
    await storage.run(lambda unit: unit.leads.add(new_lead(), at))

    lead = sql.find_lead(1)
    assert ["2026-11-23 07:00:00"] * 2 == [lead["created_at"], lead["updated_at"]]


async def test_writer_keeps_commits_through_a_power_loss(storage: Storage) -> None:
    """The writing connection has the settings that durability rests on."""
    async with storage._writer.connect() as connection:
        found = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert ["wal", 2, 1, 5000] == found


def test_sqlite_of_this_machine_is_the_one_in_use() -> None:
    """The version that is judged is the version that runs."""
    judged = dialect.version_problems()

    assert judged == dialect.version_problems(sqlite3.sqlite_version_info)
