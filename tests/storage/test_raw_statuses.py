"""What a row's status may become, by a person's SQL and by the daemon's."""

import sqlite3
from itertools import product

import pytest

from tests.storage.sql import DUE, OTHER_PHONE, PHONE, Sql

STATUSES = ("pending", "sending", "sent", "failed", "unknown", "cancelled")
PAIRS = [pytest.param(old, new, id=f"{old}-{new}") for old, new in product(STATUSES, STATUSES)]

BY_A_PERSON = {
    ("pending", "cancelled"),
    ("pending", "failed"),
    ("failed", "pending"),
    ("failed", "cancelled"),
    ("unknown", "pending"),
    ("unknown", "sent"),
    ("unknown", "cancelled"),
    ("cancelled", "pending"),
}
BY_THE_DAEMON = BY_A_PERSON | {
    ("pending", "sending"),
    ("sending", "sent"),
    ("sending", "failed"),
    ("sending", "unknown"),
    ("sending", "pending"),
}
_WORDS = (
    "stays sent|being sent just now|only the daemon sends|cannot go from this status to that one"
)
EARLIER, LATER = "2026-11-20 07:00:00", "2026-11-25 07:00:00"


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_person_moves_a_status(sql: Sql, old: str, new: str) -> None:
    """A person's statement makes the contract's moves, and every other is refused with a reason."""
    row_id = sql.message(sql.lead(), old)

    refusal = _try(sql, row_id, {"status": new})

    allowed = old == new or (old, new) in BY_A_PERSON
    assert (new if allowed else old) == sql.find_message(row_id)["status"]
    assert allowed == (refusal is None)


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_daemon_moves_a_status(sql: Sql, old: str, new: str) -> None:
    """The daemon, which sets a claim to send and drops it afterwards, makes its own moves besides.

    Only a claim opens the way to and from `sending`.
    """
    row_id = sql.message(sql.lead(), old)

    refusal = _try(sql, row_id, {"status": new, "claim": "c2" if new == "sending" else None})

    allowed = old == new or (old, new) in BY_THE_DAEMON
    assert (new if allowed else old) == sql.find_message(row_id)["status"]
    assert allowed == (refusal is None)


def _try(sql: Sql, row_id: int, columns: dict[str, str | None]) -> str | None:
    try:
        sql.change("whatsapp_queue", row_id, **columns)
    except sqlite3.IntegrityError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sent", "pending", "a sent message stays sent"),
        ("sending", "cancelled", "the message is being sent just now: wait for its outcome"),
        ("pending", "sending", "only the daemon sends: set the status to pending"),
        ("cancelled", "sent", "a message cannot go from this status to that one"),
    ],
)
def test_refusal_says_why(sql: Sql, old: str, new: str, words: str) -> None:
    """Whoever is refused reads what to do instead."""
    row_id = sql.message(sql.lead(), old)

    assert words == _try(sql, row_id, {"status": new})


def test_sent_row_may_change_otherwise(sql: Sql) -> None:
    """Only the status of a sent row is fixed."""
    row_id = sql.message(sql.lead(), "sent")

    sql.change("whatsapp_queue", row_id, error_message="проверено")

    assert "проверено" == sql.find_message(row_id)["error_message"]


# --- put back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["failed", "unknown", "cancelled"])
def test_row_put_back_counts_anew(sql: Sql, status: str) -> None:
    """A row put back is marked as revived, and its old failures are forgotten."""
    row_id = sql.message(sql.lead(), status, error_message="нет связи", first_failed_at=DUE)

    sql.change("whatsapp_queue", row_id, status="pending")

    row = sql.find_message(row_id)
    assert (1, None, None) == (row["revived"], row["error_message"], row["first_failed_at"])


def test_row_that_the_daemon_puts_back_is_not_revived(sql: Sql) -> None:
    """A retry of the machine keeps its reason and the time of its first failure."""
    row_id = sql.message(sql.lead(), "sending")

    sql.change(
        "whatsapp_queue",
        row_id,
        status="pending",
        claim=None,
        error_message="нет связи",
        first_failed_at=DUE,
    )

    row = sql.find_message(row_id)
    found = (row["revived"], row["error_message"], row["first_failed_at"])
    assert (0, "нет связи", DUE) == found


def test_row_is_not_put_back_beside_a_live_one(sql: Sql) -> None:
    """A cancelled text whose template is queued anew would go twice: it is refused."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, "cancelled", message_template="day3")
    sql.message(lead_id, message_template="day3")

    with pytest.raises(sqlite3.IntegrityError):
        sql.change("whatsapp_queue", row_id, status="pending")


# --- counted as sent ----------------------------------------------------------------------------


def test_unknown_counted_as_sent_went_when_it_was_tried(sql: Sql) -> None:
    """`unknown` to `sent` by a person means it went at its attempt."""
    row_id = sql.message(sql.lead(), "unknown", attempted_at=DUE, error_message="тайм-аут")

    sql.change("whatsapp_queue", row_id, status="sent")

    row = sql.find_message(row_id)
    assert (DUE, None) == (row["sent_at"], row["error_message"])


def test_unknown_without_an_attempt_counts_as_sent_now(sql: Sql) -> None:
    """Where nobody knows of an attempt, the time of the word counts."""
    row_id = sql.message(sql.lead(), "unknown")

    sql.change("whatsapp_queue", row_id, status="sent")

    now = sql.value("SELECT datetime('now')")
    assert now[:10] == sql.find_message(row_id)["sent_at"][:10]


def test_sent_at_of_a_person_is_kept(sql: Sql) -> None:
    """A person who knows when it went may say so."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, "unknown", attempted_at=DUE)

    sql.change("whatsapp_queue", row_id, status="sent", sent_at=LATER)

    found = sql.find_message(row_id)["sent_at"], sql.find_lead(lead_id)["last_whatsapp_sent_at"]
    assert (LATER, LATER) == found


def test_sent_is_written_on_every_lead_of_the_phone(sql: Sql) -> None:
    """The gap holds by phone: all requests of the client learn when the last message went."""
    ours, theirs, stranger = sql.lead(), sql.lead(), sql.lead(phone=OTHER_PHONE)
    row_id = sql.message(ours, "unknown", attempted_at=DUE)

    sql.change("whatsapp_queue", row_id, status="sent")

    last = [sql.find_lead(lead)["last_whatsapp_sent_at"] for lead in (ours, theirs, stranger)]
    assert [DUE, DUE, None] == last


def test_sent_to_another_phone_is_written_on_both(sql: Sql) -> None:
    """A row with a phone of its own counts for its lead and for the leads of that phone."""
    ours, theirs = sql.lead(), sql.lead(phone=OTHER_PHONE)
    row_id = sql.message(ours, "unknown", attempted_at=DUE, phone=OTHER_PHONE)

    sql.change("whatsapp_queue", row_id, status="sent")

    last = [sql.find_lead(lead)["last_whatsapp_sent_at"] for lead in (ours, theirs)]
    assert [DUE, DUE] == last


@pytest.mark.parametrize(("before", "after"), [(EARLIER, DUE), (LATER, LATER)])
def test_last_sent_never_goes_back(sql: Sql, before: str, after: str) -> None:
    """A word about an old message does not make the last one look older."""
    lead_id = sql.lead(last_whatsapp_sent_at=before)
    row_id = sql.message(lead_id, "unknown", attempted_at=DUE)

    sql.change("whatsapp_queue", row_id, status="sent")

    assert after == sql.find_lead(lead_id)["last_whatsapp_sent_at"]


def test_failed_is_not_written_on_the_lead(sql: Sql) -> None:
    """Only what went counts for the gap."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, "sending", phone=PHONE)

    sql.change("whatsapp_queue", row_id, status="failed", claim=None)

    assert sql.find_lead(lead_id)["last_whatsapp_sent_at"] is None
