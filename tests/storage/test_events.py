"""What happened to a lead, in order."""

from storage.models import EventKind, LeadEvent
from storage.storage import Storage, Unit
from tests.builders import MARIA, MONDAY_10, make_event
from tests.storage.sql import Sql


async def test_events_come_in_the_order_they_happened(storage: Storage, sql: Sql) -> None:
    """A lead's history is told oldest first, without another lead's."""
    sql.lead()
    sql.lead()

    async def work(unit: Unit) -> list[LeadEvent]:
        await unit.events.add(1, EventKind.TAKEN, MONDAY_10, MARIA)
        await unit.events.add(2, EventKind.TAKEN, MONDAY_10, MARIA)
        await unit.events.add(1, EventKind.CLIENT_COMMENT, MONDAY_10, None, "после семи")
        return list(await unit.events.of_lead(1))

    assert [
        make_event(EventKind.TAKEN, MARIA),
        make_event(EventKind.CLIENT_COMMENT, None, "после семи"),
    ] == await storage.run(work)


async def test_every_kind_can_be_kept(storage: Storage, sql: Sql) -> None:
    """Each word of the vocabulary is stored and read."""
    sql.lead()

    async def work(unit: Unit) -> list[EventKind]:
        for kind in EventKind:
            await unit.events.add(1, kind, MONDAY_10, None)
        return [event.kind for event in await unit.events.of_lead(1)]

    assert list(EventKind) == await storage.run(work)


async def test_lead_without_a_history(storage: Storage) -> None:
    """Nothing has happened to a new lead, nor to one that is gone."""
    assert [] == await storage.run(lambda unit: unit.events.of_lead(7))
