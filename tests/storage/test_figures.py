"""Numbers for those who watch: counts by status, the oldest due row, waiting posts."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import dialect
from storage.figures import Counts, Figures
from storage.models import PostKind, RowStatus
from storage.posts import Shown
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10, new_lead, new_row

HOUR = timedelta(hours=1)


@pytest.fixture
async def connection(storage: Storage) -> AsyncIterator[AsyncConnection]:
    """A connection that only reads, beside the writer."""
    engine = dialect.reading_engine(f"sqlite:///{storage.path}")
    async with engine.connect() as opened:
        yield opened
    await engine.dispose()


@pytest.fixture
async def lead_id(storage: Storage) -> int:
    """A lead, whose card nobody has seen yet."""
    return await storage.run(lambda unit: unit.leads.add(new_lead(), MONDAY_10))


async def add_rows(storage: Storage, *rows: dict[str, object]) -> None:
    """Queue messages, each with a phone and a template of its own."""

    async def work(unit: Unit) -> None:
        await unit.queue.add(
            [
                new_row(template=f"t{n}", phone=f"7900000000{n}", **row)
                for n, row in enumerate(rows)
            ],
            MONDAY_10,
        )

    await storage.run(work)


async def test_empty_database(connection: AsyncConnection) -> None:
    """With nothing in the tables every status counts zero, and nothing is due or waits."""
    assert Counts(
        rows=dict.fromkeys(RowStatus, 0), oldest_due_at=None, posts_waiting=0, updates_parked=0
    ) == await Figures(connection).read(MONDAY_10)


async def test_rows_by_status(storage: Storage, connection: AsyncConnection, lead_id: int) -> None:
    """Every message is counted where it stands."""
    statuses = [RowStatus.PENDING, RowStatus.PENDING, RowStatus.FAILED, RowStatus.SENT]
    await add_rows(storage, *({"status": status} for status in statuses))

    assert {
        RowStatus.PENDING: 2,
        RowStatus.SENDING: 0,
        RowStatus.SENT: 1,
        RowStatus.FAILED: 1,
        RowStatus.UNKNOWN: 0,
        RowStatus.CANCELLED: 0,
    } == await Figures(connection).rows_by_status()


async def test_oldest_due(storage: Storage, connection: AsyncConnection, lead_id: int) -> None:
    """Of the pending rows that are due the oldest counts; what is final or to come does not."""
    await add_rows(
        storage,
        {"scheduled_at": MONDAY_10 - 3 * HOUR, "status": RowStatus.FAILED},
        {"scheduled_at": MONDAY_10 - HOUR},
        {"scheduled_at": MONDAY_10 - 2 * HOUR},
        {"scheduled_at": MONDAY_10 + HOUR},
    )

    assert MONDAY_10 - 2 * HOUR == await Figures(connection).oldest_due_at(MONDAY_10)


async def test_nothing_due(storage: Storage, connection: AsyncConnection, lead_id: int) -> None:
    """A row whose time is to come is not due; in its very second it is."""
    await add_rows(storage, {"scheduled_at": MONDAY_10 + HOUR})

    assert await Figures(connection).oldest_due_at(MONDAY_10) is None
    assert MONDAY_10 + HOUR == await Figures(connection).oldest_due_at(MONDAY_10 + HOUR)


async def test_posts_waiting(storage: Storage, connection: AsyncConnection, lead_id: int) -> None:
    """A post that the chat shows as it is now does not wait; a new one does."""

    async def work(unit: Unit) -> None:
        card = await unit.posts.find_card(lead_id)
        assert card is not None
        shown = Shown(
            version=card.version, chat_id=-1, message_id=7, fingerprint="f", refresh_at=None
        )
        await unit.posts.record(card.id, shown)
        await unit.posts.add(PostKind.STALE, MONDAY_10, number=3)

    before = await Figures(connection).posts_waiting()
    await connection.rollback()
    await storage.run(work)

    assert 1 == before
    assert 1 == await Figures(connection).posts_waiting()


async def test_updates_parked(storage: Storage, connection: AsyncConnection) -> None:
    """Only updates that nobody could handle are counted, not those that wait or are done."""

    async def work(unit: Unit) -> None:
        await unit.inbox.add([(n, 1, {"update_id": n}) for n in range(1, 6)], MONDAY_10)
        waiting = await unit.inbox.waiting(5)
        await unit.inbox.finish(waiting[0].id)
        await unit.inbox.park(waiting[1].id, "not understood")
        await unit.inbox.park(waiting[2].id, "not understood")

    await storage.run(work)

    assert 2 == await Figures(connection).updates_parked()


async def test_every_number_is_read_from_an_index(connection: AsyncConnection) -> None:
    """No query of theirs goes through a whole table."""
    asked: list[tuple[str, object]] = []

    def note(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(connection.engine.sync_engine, "before_cursor_execute", note)
    await Figures(connection).read(MONDAY_10)
    event.remove(connection.engine.sync_engine, "before_cursor_execute", note)
    plans = []
    for statement, parameters in asked:
        rows = await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
        plans.append(" / ".join(row[3] for row in rows))

    assert 4 == len(plans)
    assert [] == [plan for plan in plans if not re.search(r"USING (COVERING )?INDEX", plan)], plans
