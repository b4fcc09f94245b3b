"""Which messages are due, in what order, and with which facts."""

from datetime import timedelta
from typing import Any

import pytest

from storage.models import CampaignEnd, DueRow, QueueRow
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10
from tests.storage.sql import OTHER_PHONE, PHONE, Sql

STATUSES = ["pending", "sending", "sent", "failed", "unknown", "cancelled"]
PAST, NOW, FUTURE = "2026-11-23 06:59:59", "2026-11-23 07:00:00", "2026-11-23 07:00:01"


async def _due(storage: Storage) -> DueRow:
    found = await storage.run(lambda unit: unit.queue.due(MONDAY_10, 10))
    return found[0]


async def _ids(storage: Storage, limit: int = 10) -> list[int]:
    found = await storage.run(lambda unit: unit.queue.due(MONDAY_10, limit))
    return [due.row.id for due in found]


def _message(sql: Sql, lead_id: int, scheduled_at: str, **columns: Any) -> int:
    row_id = sql.message(lead_id, **columns)
    sql.change("whatsapp_queue", row_id, scheduled_at=scheduled_at)
    return row_id


# --- which, and in what order -------------------------------------------------------------------


async def test_due_rows_come_oldest_first(storage: Storage, sql: Sql) -> None:
    """What waits longest comes first; of one moment, what was queued first."""
    lead_id = sql.lead()
    rows = [_message(sql, lead_id, at) for at in (NOW, PAST, FUTURE, NOW, PAST)]

    assert [rows[1], rows[4], rows[0], rows[3]] == await _ids(storage)


async def test_no_more_come_than_asked(storage: Storage, sql: Sql) -> None:
    """A limit cuts the newest off."""
    lead_id = sql.lead()
    rows = [_message(sql, lead_id, at) for at in (NOW, PAST, PAST)]

    assert rows[1:] == await _ids(storage, limit=2)


@pytest.mark.parametrize("status", STATUSES)
async def test_only_pending_rows_are_due(storage: Storage, sql: Sql, status: str) -> None:
    """Nothing else waits."""
    row_id = sql.message(sql.lead(), status)

    assert ([row_id] if status == "pending" else []) == await _ids(storage)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10])
async def test_pages_together_are_the_whole(storage: Storage, sql: Sql, size: int) -> None:
    """Page after page, every due row is seen once, also where many are due at one moment."""
    lead_id = sql.lead()
    moments = [NOW, PAST, NOW, NOW, PAST, NOW, "2026-11-20 07:00:00", FUTURE]
    for at in moments:
        _message(sql, lead_id, at)
    whole = await _ids(storage)

    async def pages(unit: Unit) -> list[int]:
        seen: list[int] = []
        after: QueueRow | None = None
        while page := await unit.queue.due(MONDAY_10, size, after):
            seen += [due.row.id for due in page]
            after = page[-1].row
        return seen

    seen = await storage.run(pages)

    assert (7, whole) == (len(seen), seen)


async def test_find_due_reads_the_facts_of_this_moment(storage: Storage, sql: Sql) -> None:
    """A row is found again only while it is pending and due."""
    lead_id = sql.lead()
    due = _message(sql, lead_id, NOW)
    others = [_message(sql, lead_id, FUTURE), sql.message(lead_id, "cancelled"), 77]

    found = [
        await storage.run(lambda unit, i=row_id: unit.queue.find_due(i, MONDAY_10))
        for row_id in (due, *others)
    ]
    assert [due, None, None, None] == [each and each.row.id for each in found]


async def test_row_of_a_lead_that_is_gone_is_not_due(storage: Storage, sql: Sql) -> None:
    """What a person deletes leaves nothing to send."""
    sql.message(sql.lead())
    sql.run("DELETE FROM leads")

    assert [] == await _ids(storage)


# --- welcomes -----------------------------------------------------------------------------------


async def test_due_welcomes_are_of_day_0(storage: Storage, sql: Sql) -> None:
    """A welcome that is due leaves at once, oldest first; other days wait for their pass."""
    lead_id = sql.lead()
    newer, older = (_message(sql, lead_id, at, day=0) for at in (NOW, PAST))
    _message(sql, lead_id, FUTURE, day=0)
    _message(sql, lead_id, PAST, day=1)
    _message(sql, lead_id, PAST)
    sql.message(lead_id, "cancelled", day=0)

    assert [older, newer] == await storage.run(lambda unit: unit.queue.due_welcomes(MONDAY_10))


async def test_next_welcome_is_the_earliest_to_come(storage: Storage, sql: Sql) -> None:
    """The loop wakes for the next day-0 row that waits, and for nothing else."""
    lead_id = sql.lead()
    nothing = await storage.run(lambda unit: unit.queue.next_welcome_at(MONDAY_10))
    for at in (NOW, "2026-11-23 09:00:00", "2026-11-23 08:00:00"):
        _message(sql, lead_id, at, day=0)
    _message(sql, lead_id, "2026-11-23 07:30:00", day=1)
    cancelled = _message(sql, lead_id, "2026-11-23 07:30:00", day=0)
    sql.change("whatsapp_queue", cancelled, status="cancelled")

    found = await storage.run(lambda unit: unit.queue.next_welcome_at(MONDAY_10))
    assert (None, MONDAY_10 + timedelta(hours=1)) == (nothing, found)


# --- facts of the lead and the template ---------------------------------------------------------


async def test_due_row_that_nothing_holds(storage: Storage, sql: Sql) -> None:
    """A message of a running campaign comes with nothing against it."""
    lead_id = sql.lead(is_target=1)
    sql.message(lead_id, message_template="day3")

    due = await _due(storage)

    assert DueRow(
        row=due.row,
        is_target=True,
        campaign_active=True,
        campaign_end=None,
        template_active=True,
        phone_unknown=False,
        phone_sending=False,
        last_sent_at=None,
        recalled_at=None,
    ) == (due)


@pytest.mark.parametrize(("stored", "read"), [(0, False), (1, True), (None, None)])
async def test_due_row_knows_the_answer(
    storage: Storage, sql: Sql, stored: int | None, read: bool | None
) -> None:
    """Whether the client is a target is read at the moment of sending."""
    lead_id = sql.lead()
    sql.message(lead_id)
    sql.change("leads", lead_id, is_target=stored)

    assert read == (await _due(storage)).is_target


async def test_due_row_knows_that_the_campaign_is_stopped(storage: Storage, sql: Sql) -> None:
    """A raw FALSE is seen at the moment of sending."""
    sql.message(sql.lead())
    sql.run("UPDATE leads SET whatsapp_campaign_active = FALSE")

    due = await _due(storage)
    assert (False, CampaignEnd.STOPPED) == (due.campaign_active, due.campaign_end)


@pytest.mark.parametrize(
    ("template", "active"), [("day3", False), ("day7", True), ("gone", True), (None, True)]
)
async def test_due_row_knows_whether_its_template_is_active(
    storage: Storage, sql: Sql, template: str | None, active: bool
) -> None:
    """A template that was switched off holds its rows; one that is gone, or none, does not."""
    sql.run("UPDATE whatsapp_templates SET active = FALSE WHERE name = 'day3'")
    sql.message(sql.lead(), message_template=template)

    assert active == (await _due(storage)).template_active


# --- facts of the phone -------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
async def test_due_row_knows_what_its_phone_has(storage: Storage, sql: Sql, status: str) -> None:
    """A row of unknown fate, or one on its way, holds the phone, whoever's lead it is."""
    due_id = _message(sql, sql.lead(), PAST)
    sql.message(sql.lead(), status)

    due = await _due(storage)
    found = due.row.id, due.phone_unknown, due.phone_sending
    assert (due_id, status == "unknown", status == "sending") == found


async def test_other_phones_hold_nothing(storage: Storage, sql: Sql) -> None:
    """The row's own phone counts, also against its own lead's other rows."""
    lead_id = sql.lead()
    sql.message(lead_id, "unknown", phone=OTHER_PHONE)
    sql.message(lead_id, "sending", phone="79009999999")
    sql.message(lead_id)

    due = await _due(storage)
    assert (False, False) == (due.phone_unknown, due.phone_sending)


async def test_due_row_counts_by_its_own_phone(storage: Storage, sql: Sql) -> None:
    """A row sent to another number is held by what that number has."""
    sql.message(sql.lead(phone=OTHER_PHONE), "unknown")
    sql.message(sql.lead(), phone=OTHER_PHONE)

    assert (await _due(storage)).phone_unknown


async def test_rows_without_a_phone_hold_nothing(storage: Storage, sql: Sql) -> None:
    """No phone is not one and the same phone."""
    sql.message(sql.lead(phone=None), "unknown")
    sql.message(sql.lead(phone=None))

    due = await _due(storage)
    assert (None, False) == (due.row.phone, due.phone_unknown)


@pytest.mark.parametrize(
    ("own", "others", "last"),
    [
        pytest.param(None, {}, None, id="never"),
        pytest.param(PAST, {}, PAST, id="own"),
        pytest.param(None, {PHONE: PAST}, PAST, id="another lead of the phone"),
        pytest.param("2026-11-20 07:00:00", {PHONE: PAST}, PAST, id="the newest"),
        pytest.param(None, {OTHER_PHONE: PAST}, None, id="another phone"),
    ],
)
async def test_gap_is_known_by_phone(
    storage: Storage, sql: Sql, own: str | None, others: dict[str, str], last: str | None
) -> None:
    """The last message to the phone counts, by whichever of its leads it went."""
    sql.message(sql.lead(last_whatsapp_sent_at=own))
    for phone, at in others.items():
        sql.lead(phone=phone, last_whatsapp_sent_at=at)

    found = (await _due(storage)).last_sent_at
    assert last == (found and found.strftime("%Y-%m-%d %H:%M:%S"))


async def test_gap_is_known_for_a_phone_of_the_rows_own(storage: Storage, sql: Sql) -> None:
    """A row to another number keeps the gap of its lead and of that number."""
    sql.lead(phone=OTHER_PHONE, last_whatsapp_sent_at=NOW)
    sql.message(sql.lead(last_whatsapp_sent_at=PAST), phone=OTHER_PHONE)

    assert MONDAY_10 == (await _due(storage)).last_sent_at


# --- a client who asks again --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("created_at", "columns", "recalled"),
    [
        pytest.param(NOW, {}, True, id="undecided"),
        pytest.param(NOW, {"is_target": 1}, False, id="said yes"),
        pytest.param(NOW, {"is_target": 0}, False, id="said no"),
        pytest.param(PAST, {}, True, id="at the very start"),
        pytest.param("2026-11-23 06:00:00", {}, False, id="before the start"),
        pytest.param(NOW, {"phone": OTHER_PHONE}, False, id="another client"),
    ],
)
async def test_new_request_recalls_a_running_campaign(
    storage: Storage, sql: Sql, created_at: str, columns: dict[str, Any], recalled: bool
) -> None:
    """While a new request of the client has no outcome, the rows know since when."""
    lead_id = sql.lead(campaign_started_at=PAST)
    sql.message(lead_id)
    sql.lead(created_at=created_at, **columns)

    found = (await _due(storage)).recalled_at
    assert (created_at if recalled else None) == (found and found.strftime("%Y-%m-%d %H:%M:%S"))


async def test_newest_undecided_request_counts(storage: Storage, sql: Sql) -> None:
    """Of several new requests the newest without an outcome tells how long to wait."""
    sql.message(sql.lead(campaign_started_at="2026-11-20 07:00:00"))
    sql.lead(created_at="2026-11-21 07:00:00")
    sql.lead(created_at="2026-11-22 07:00:00")
    sql.lead(created_at=NOW, is_target=1)

    assert MONDAY_10 - timedelta(days=1) == (await _due(storage)).recalled_at


async def test_older_request_recalls_nothing(storage: Storage, sql: Sql) -> None:
    """An undecided request from before, whatever its time says, is not a new one."""
    sql.lead(created_at=NOW)
    sql.message(sql.lead(campaign_started_at=PAST))

    assert (await _due(storage)).recalled_at is None
