"""Each move of a message: it happens from the right status, and from no other."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from storage.models import QueueRow, RowStatus
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10, PHONE, make_row, new_row
from tests.storage.sql import OTHER_PHONE, Sql

LATER = MONDAY_10 + timedelta(hours=3)
STATUSES = [status.value for status in RowStatus]
CLAIM = "c1"  # the one that `Sql.message` claims with


async def _find(storage: Storage, row_id: int) -> QueueRow:
    found = await storage.run(lambda unit: unit.queue.find(row_id))
    assert found is not None
    return found


# --- adding and finding -------------------------------------------------------------------------


async def test_row_comes_back_as_it_was_added(storage: Storage, sql: Sql) -> None:
    """Every field of a new message is kept."""
    sql.lead()
    row = new_row(text="Привет", day=0, template="welcome", phone=OTHER_PHONE)
    await storage.run(lambda unit: unit.queue.add([row], MONDAY_10))

    assert make_row(text="Привет", day=0, template="welcome", phone=OTHER_PHONE) == await _find(
        storage, 1
    )


async def test_failed_row_is_added_with_its_reason(storage: Storage, sql: Sql) -> None:
    """A text that could not be made is in the queue for people to see."""
    sql.lead()
    row = new_row(status=RowStatus.FAILED, error="не заполнено: имя")
    await storage.run(lambda unit: unit.queue.add([row], MONDAY_10))

    found = await _find(storage, 1)
    assert (RowStatus.FAILED, "не заполнено: имя") == (found.status, found.error)


async def test_row_that_is_not_there(storage: Storage) -> None:
    """A message that was deleted is None."""
    assert await storage.run(lambda unit: unit.queue.find(7)) is None


async def test_of_lead_lists_in_sending_order(storage: Storage, sql: Sql) -> None:
    """A card tells of a lead's messages in the order they leave."""
    sql.lead()
    sql.lead()
    rows = [
        new_row(template="c", scheduled_at=LATER),
        new_row(template="a"),
        new_row(template="b"),
        new_row(2, template="d"),
    ]
    await storage.run(lambda unit: unit.queue.add(rows, MONDAY_10))

    found = await storage.run(lambda unit: unit.queue.of_lead(1))

    assert ["a", "b", "c"] == [row.template for row in found]


async def test_pending_rows_are_counted(storage: Storage, sql: Sql) -> None:
    """Only what waits is counted, whenever it is due."""
    lead_id = sql.lead()
    empty = await storage.run(lambda unit: unit.queue.count_pending())
    for status in ("pending", "pending", "sending", "sent", "failed", "unknown", "cancelled"):
        sql.message(lead_id, status)

    counted = await storage.run(lambda unit: unit.queue.count_pending())
    assert (0, 2) == (empty, counted)


async def test_templates_gone_are_those_that_may_have_gone(storage: Storage, sql: Sql) -> None:
    """A second "yes" makes no row for what went, goes, or may have gone to this lead."""
    lead_id, other = sql.lead(), sql.lead()
    for status in STATUSES:
        sql.message(lead_id, status, message_template=status)
    sql.message(lead_id, "sent")
    sql.message(other, "sent", message_template="day7")

    gone = await storage.run(lambda unit: unit.queue.templates_gone(lead_id))

    assert {"sending", "sent", "unknown"} == gone


@pytest.mark.parametrize("status", STATUSES)
async def test_phone_is_asked_for_what_holds_it(storage: Storage, sql: Sql, status: str) -> None:
    """A phone has a message on its way, or one of unknown fate, whoever's lead it is."""
    sql.message(sql.lead(), status)

    async def ask(unit: Unit) -> list[bool]:
        return [
            await unit.queue.has_unknown(PHONE),
            await unit.queue.has_sending(PHONE),
            await unit.queue.has_unknown(OTHER_PHONE),
            await unit.queue.has_sending(OTHER_PHONE),
        ]

    assert [status == "unknown", status == "sending", False, False] == await storage.run(ask)


# --- moves that name the status they start from -------------------------------------------------

Move = Callable[[Unit, int], Awaitable[bool]]

MOVES: dict[str, tuple[Move, set[str], str]] = {
    "move": (lambda u, i: u.queue.move(i, LATER, "вне часов"), {"pending"}, "pending"),
    "cancel": (lambda u, i: u.queue.cancel(i, "устарело"), {"pending"}, "cancelled"),
    "park": (lambda u, i: u.queue.park(i, "нет номера"), {"pending"}, "failed"),
    "claim": (lambda u, i: u.queue.claim(i, "c2", LATER), {"pending"}, "sending"),
    "resend": (lambda u, i: u.queue.resend(i), {"unknown"}, "pending"),
    "count_as_sent": (lambda u, i: u.queue.count_as_sent(i), {"unknown"}, "sent"),
    "mark_sent": (lambda u, i: u.queue.mark_sent(i, CLAIM, LATER, {}), {"sending"}, "sent"),
    "mark_failed": (lambda u, i: u.queue.mark_failed(i, CLAIM, "нет"), {"sending"}, "failed"),
    "mark_unknown": (lambda u, i: u.queue.mark_unknown(i, CLAIM, "?"), {"sending"}, "unknown"),
    "put_back": (
        lambda u, i: u.queue.put_back(make_row(id=i), CLAIM, LATER, "429", MONDAY_10),
        {"sending"},
        "pending",
    ),
    "give_back": (
        lambda u, i: u.queue.give_back(make_row(id=i), CLAIM, "429"),
        {"sending"},
        "pending",
    ),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", MOVES)
async def test_move_starts_from_its_status_only(
    storage: Storage, sql: Sql, name: str, status: str
) -> None:
    """A row that somebody changed meanwhile is left as it is, and the caller hears False."""
    move, starts, end = MOVES[name]
    row_id = sql.message(sql.lead(), status)
    before = sql.find_message(row_id)

    moved = await storage.run(lambda unit: move(unit, row_id))

    after = sql.find_message(row_id)
    assert moved == (status in starts)
    assert (end if moved else status) == after["status"]
    assert moved == (after != before)


@pytest.mark.parametrize("name", MOVES)
async def test_move_of_a_deleted_row_is_false(storage: Storage, name: str) -> None:
    """A row that a person deleted meanwhile breaks nothing."""
    assert not await storage.run(lambda unit: MOVES[name][0](unit, 7))


@pytest.mark.parametrize("name", list(MOVES)[-5:])
async def test_outcome_needs_its_own_claim(storage: Storage, sql: Sql, name: str) -> None:
    """An outcome that comes after another claim has taken the row is not written on it."""
    row_id = sql.message(sql.lead(), "sending")
    sql.change("whatsapp_queue", row_id, claim="another")

    moved = await storage.run(lambda unit: MOVES[name][0](unit, row_id))

    assert (False, "sending") == (moved, sql.find_message(row_id)["status"])


# --- what a move writes -------------------------------------------------------------------------


async def _written(storage: Storage, sql: Sql, name: str, status: str, *columns: str) -> list[Any]:
    row_id = sql.message(sql.lead(), status, revived=1)
    await storage.run(lambda unit: MOVES[name][0](unit, row_id))
    row = sql.find_message(row_id)
    return [row[column] for column in columns]


async def test_move_says_until_when_and_why(storage: Storage, sql: Sql) -> None:
    """A moved row waits until then, says why, and is no longer due by a person's word."""
    written = await _written(
        storage, sql, "move", "pending", "scheduled_at", "error_message", "revived"
    )

    assert ["2026-11-23 10:00:00", "вне часов", 0] == written


async def test_move_without_a_reason_keeps_the_old_one(storage: Storage, sql: Sql) -> None:
    """Why a row waits is replaced only by another reason."""
    row_id = sql.message(sql.lead(), error_message="429")

    await storage.run(lambda unit: unit.queue.move(row_id, LATER))

    assert "429" == sql.find_message(row_id)["error_message"]


async def test_claim_notes_the_attempt(storage: Storage, sql: Sql) -> None:
    """A claim is on disk with its time, before anything is sent."""
    written = await _written(
        storage, sql, "claim", "pending", "claim", "attempted_at", "attempts", "revived"
    )

    assert ["c2", "2026-11-23 10:00:00", 1, 0] == written


async def test_sent_keeps_the_answer(storage: Storage, sql: Sql) -> None:
    """The service's answer is kept as it came, the claim is dropped."""
    row_id = sql.message(sql.lead(), "sending", error_message="429")
    answer = {"idMessage": "3EB0", "имя": ["я"]}

    await storage.run(lambda unit: unit.queue.mark_sent(row_id, CLAIM, LATER, answer))

    row = sql.find_message(row_id)
    found = [row[n] for n in ("green_api_response", "sent_at", "claim", "error_message")]
    assert ['{"idMessage": "3EB0", "имя": ["я"]}', "2026-11-23 10:00:00", None, None] == found


async def test_put_back_says_why_and_since_when(storage: Storage, sql: Sql) -> None:
    """A row that surely was not sent waits for its next try."""
    written = await _written(
        *(storage, sql, "put_back", "sending"),
        *("scheduled_at", "error_message", "first_failed_at", "claim"),
    )

    assert ["2026-11-23 10:00:00", "429", "2026-11-23 07:00:00", None] == written


async def test_given_back_row_is_as_before_its_claim(storage: Storage, sql: Sql) -> None:
    """A row that was not even tried has burnt no attempt; it says why it waits."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, attempts=1, attempted_at="2026-11-20 07:00:00")
    before = await _find(storage, row_id)
    await storage.run(lambda unit: unit.queue.claim(row_id, "c2", LATER))

    await storage.run(lambda unit: unit.queue.give_back(before, "c2", "номер не подключён"))

    assert replace(before, error="номер не подключён") == await _find(storage, row_id)


@pytest.mark.parametrize(
    ("name", "status", "why"),
    [
        ("cancel", "pending", "устарело"),
        ("park", "pending", "нет номера"),
        ("mark_failed", "sending", "нет"),
        ("mark_unknown", "sending", "?"),
    ],
)
async def test_reason_is_written(
    storage: Storage, sql: Sql, name: str, status: str, why: str
) -> None:
    """What ends a row says why."""
    assert [why] == await _written(storage, sql, name, status, "error_message")


async def test_resent_row_is_due_by_a_persons_word(storage: Storage, sql: Sql) -> None:
    """A message of unknown fate that is sent again counts as put back by a person."""
    row_id = sql.message(sql.lead(), "unknown", error_message="тайм-аут")

    await storage.run(lambda unit: unit.queue.resend(row_id))

    row = await _find(storage, row_id)
    assert (True, None) == (row.revived, row.error)


async def test_counted_as_sent_went_at_its_attempt(storage: Storage, sql: Sql) -> None:
    """A person's word dates the message to its attempt."""
    row_id = sql.message(sql.lead(), "unknown", attempted_at="2026-11-20 07:00:00")

    await storage.run(lambda unit: unit.queue.count_as_sent(row_id))

    assert MONDAY_10 - timedelta(days=3) == (await _find(storage, row_id)).sent_at


# --- many rows at once --------------------------------------------------------------------------


async def test_cancel_pending_cancels_what_waits(storage: Storage, sql: Sql) -> None:
    """The end of a campaign takes what waits of that lead, and says how much it was."""
    lead_id, other = sql.lead(), sql.lead(phone=OTHER_PHONE)
    rows = [sql.message(lead_id, status) for status in STATUSES]
    rows += [sql.message(lead_id), sql.message(other)]

    number = await storage.run(lambda unit: unit.queue.cancel_pending(lead_id, "остановлено"))

    statuses = [sql.find_message(row_id)["status"] for row_id in rows]
    assert 2 == number
    assert ["cancelled", *STATUSES[1:], "cancelled", "pending"] == statuses


async def test_abandoned_rows_become_unknown(storage: Storage, sql: Sql) -> None:
    """What a dead process left on its way may have gone: a person is asked."""
    lead_id, other = sql.lead(), sql.lead(phone=OTHER_PHONE)
    left = [sql.message(lead_id, "sending"), sql.message(other, "sending")]
    waiting = sql.message(lead_id)

    taken = await storage.run(lambda unit: unit.queue.take_abandoned("перезапуск"))

    assert [(row_id, RowStatus.UNKNOWN) for row_id in left] == [(r.id, r.status) for r in taken]
    rows = [sql.find_message(row_id) for row_id in (*left, waiting)]
    assert [("unknown", "перезапуск", None)] * 2 + [("pending", None, None)] == [
        (row["status"], row["error_message"], row["claim"]) for row in rows
    ]


@pytest.mark.parametrize(
    ("scheduled_at", "revived", "after"),
    [
        pytest.param("2026-11-20 07:00:00", 1, "2026-11-23 07:00:00", id="overdue"),
        pytest.param("2026-11-24 07:00:00", 1, "2026-11-24 07:00:00", id="not yet due"),
        pytest.param("2026-11-20 07:00:00", 0, "2026-11-20 07:00:00", id="not put back"),
    ],
)
async def test_what_was_put_back_is_due_just_now(
    storage: Storage, sql: Sql, scheduled_at: str, revived: int, after: str
) -> None:
    """The lateness of a row that a person put back counts anew, if its time is past."""
    row_id = sql.message(sql.lead(), revived=revived)
    sql.change("whatsapp_queue", row_id, scheduled_at=scheduled_at)

    await storage.run(lambda unit: unit.queue.restart_revived(MONDAY_10))

    assert after == sql.find_message(row_id)["scheduled_at"]


@pytest.mark.parametrize(
    ("status", "scheduled_at", "after"),
    [
        ("pending", "2026-11-20 07:00:00", "2026-11-23 07:00:00"),
        ("pending", "2026-11-24 07:00:00", "2026-11-24 07:00:00"),
        ("cancelled", "2026-11-20 07:00:00", "2026-11-20 07:00:00"),
    ],
)
async def test_hasten_makes_overdue_rows_due_now(
    storage: Storage, sql: Sql, status: str, scheduled_at: str, after: str
) -> None:
    """What waited for a call's outcome is not late because of it; other leads' rows stay."""
    rows = [sql.message(sql.lead(), status), sql.message(sql.lead(), status)]
    for row_id in rows:
        sql.change("whatsapp_queue", row_id, scheduled_at=scheduled_at)

    await storage.run(lambda unit: unit.queue.hasten(1, MONDAY_10))

    assert [after, scheduled_at] == [sql.find_message(row)["scheduled_at"] for row in rows]
