"""When a campaign begins, ends and goes on, whoever changes the rows."""

from typing import Any

import pytest

from tests.storage.sql import DUE, OTHER_PHONE, Sql

Campaign = tuple[int, str | None]

RUNNING: Campaign = (1, None)
FINISHED: Campaign = (0, "finished")
STOPPED: Campaign = (0, "stopped")
REFUSED: Campaign = (0, "refused")
UNDONE: Campaign = (0, "undone")
NEVER: Campaign = (0, None)

FINAL = ("sent", "failed", "unknown", "cancelled")
PUT_BACK = ("failed", "unknown", "cancelled")


def _campaign(sql: Sql, lead_id: int) -> Campaign:
    lead = sql.find_lead(lead_id)
    return lead["whatsapp_campaign_active"], lead["campaign_end"]


def _lead_after(sql: Sql, end: str | None, **columns: Any) -> int:
    """A lead whose campaign has ended that way."""
    return sql.lead(campaign_end=end, campaign_started_at=DUE, **columns)


# --- it begins, or goes on ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "after"),
    [
        pytest.param(None, RUNNING, id="never was"),
        pytest.param("finished", RUNNING, id="ended by itself"),
        pytest.param("stopped", STOPPED, id="stopped"),
        pytest.param("refused", REFUSED, id="refused"),
        pytest.param("undone", UNDONE, id="undone"),
    ],
)
@pytest.mark.parametrize("status", PUT_BACK)
def test_row_put_back_lets_a_campaign_go_on(
    sql: Sql, status: str, end: str | None, after: Campaign
) -> None:
    """A campaign that ended by itself goes on; one that a person ended stays ended."""
    lead_id = _lead_after(sql, end)
    row_id = sql.message(lead_id, status)

    sql.change("whatsapp_queue", row_id, status="pending")

    assert after == _campaign(sql, lead_id)


@pytest.mark.parametrize(
    ("end", "after"),
    [
        pytest.param(None, RUNNING, id="never was"),
        pytest.param("finished", RUNNING, id="ended by itself"),
        pytest.param("stopped", STOPPED, id="stopped"),
        pytest.param("refused", REFUSED, id="refused"),
        pytest.param("undone", UNDONE, id="undone"),
    ],
)
def test_inserted_row_lets_a_campaign_go_on(sql: Sql, end: str | None, after: Campaign) -> None:
    """A person's new message leaves like any other, unless a person ended the campaign."""
    lead_id = _lead_after(sql, end)

    sql.message(lead_id)

    assert after == _campaign(sql, lead_id)


@pytest.mark.parametrize("status", FINAL)
def test_row_inserted_as_final_begins_nothing(sql: Sql, status: str) -> None:
    """A record of what was is no message to send."""
    lead_id = sql.lead()

    sql.message(lead_id, status)

    assert NEVER == _campaign(sql, lead_id)


def test_no_lead_is_woken_that_is_no_target(sql: Sql) -> None:
    """A "no" stays a "no", also while its campaign's end says nothing of it."""
    lead_id = sql.lead(is_target=0)

    sql.message(lead_id)

    assert NEVER == _campaign(sql, lead_id)


def test_no_second_campaign_begins_on_a_phone(sql: Sql) -> None:
    """While another lead's campaign runs on the phone, a row of this lead is stored and waits."""
    running, lead_id = sql.lead(), sql.lead()
    sql.message(running)

    sql.message(lead_id)

    assert [RUNNING, NEVER] == [_campaign(sql, running), _campaign(sql, lead_id)]


def test_campaign_elsewhere_hinders_nobody(sql: Sql) -> None:
    """Another phone's campaign is no reason to wait."""
    running, lead_id = sql.lead(phone=OTHER_PHONE), sql.lead()
    sql.message(running)

    sql.message(lead_id)

    assert RUNNING == _campaign(sql, lead_id)


def test_campaign_that_never_was_starts_with_its_first_row(sql: Sql) -> None:
    """The start is noted when SQL makes the first row; a later one does not move it."""
    lead_id, earlier = sql.lead(), _lead_after(sql, "finished", phone=OTHER_PHONE)

    sql.message(lead_id)
    sql.message(earlier)

    now = sql.value("SELECT datetime('now')")
    started = [sql.find_lead(lead)["campaign_started_at"] for lead in (lead_id, earlier)]
    assert [now[:10], DUE] == [started[0][:10], started[1]]


# --- it ends by itself --------------------------------------------------------------------------


@pytest.mark.parametrize("status", FINAL)
def test_last_final_row_ends_the_campaign(sql: Sql, status: str) -> None:
    """When nothing of a lead waits or goes any more, its campaign is finished."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id)
    sql.claim(row_id) if status != "cancelled" else None

    sql.change("whatsapp_queue", row_id, status=status, claim=None)

    assert FINISHED == _campaign(sql, lead_id)


@pytest.mark.parametrize("left", ["pending", "sending"])
def test_campaign_runs_while_a_row_is_live(sql: Sql, left: str) -> None:
    """A row that waits or goes keeps the campaign running."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id)
    sql.message(lead_id, left)

    sql.change("whatsapp_queue", row_id, status="cancelled")

    assert RUNNING == _campaign(sql, lead_id)


def test_row_of_another_lead_keeps_no_campaign_running(sql: Sql) -> None:
    """A campaign ends with its own rows."""
    lead_id, other = sql.lead(), sql.lead(phone=OTHER_PHONE)
    row_id = sql.message(lead_id)
    sql.message(other)

    sql.change("whatsapp_queue", row_id, status="cancelled")

    assert [FINISHED, RUNNING] == [_campaign(sql, lead_id), _campaign(sql, other)]


def test_deleting_the_last_row_ends_the_campaign(sql: Sql) -> None:
    """Rows that a person deletes wait no more."""
    lead_id = sql.lead()
    sql.message(lead_id, "sent")
    row_id = sql.message(lead_id)

    sql.run("DELETE FROM whatsapp_queue WHERE id = ?", row_id)

    assert FINISHED == _campaign(sql, lead_id)


# --- a person ends it ---------------------------------------------------------------------------


def test_plain_false_is_a_stop(sql: Sql) -> None:
    """`whatsapp_campaign_active = FALSE` by SQL is what «Остановить рассылку» is in the chat."""
    lead_id = sql.lead()
    sql.message(lead_id)

    sql.run("UPDATE leads SET whatsapp_campaign_active = FALSE")

    assert STOPPED == _campaign(sql, lead_id)


@pytest.mark.parametrize("end", ["refused", "undone", "finished"])
def test_named_end_is_kept(sql: Sql, end: str) -> None:
    """The daemon says in the same statement why it ends a campaign."""
    lead_id = sql.lead()
    sql.message(lead_id)

    sql.change("leads", lead_id, whatsapp_campaign_active=0, campaign_end=end)

    assert (0, end) == _campaign(sql, lead_id)


def test_stopped_campaign_is_not_finished_by_its_rows(sql: Sql) -> None:
    """The rows that a stop cancels do not make it look like an end by itself."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id)
    sql.run("UPDATE leads SET whatsapp_campaign_active = FALSE")

    sql.change("whatsapp_queue", row_id, status="cancelled")

    assert STOPPED == _campaign(sql, lead_id)


def test_stopped_campaign_stays_stopped_when_a_row_is_put_back(sql: Sql) -> None:
    """After a raw FALSE nothing but an explicit TRUE lets the campaign go on."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id)
    sql.run("UPDATE leads SET whatsapp_campaign_active = FALSE")
    sql.change("whatsapp_queue", row_id, status="cancelled")

    sql.change("whatsapp_queue", row_id, status="pending")

    assert STOPPED == _campaign(sql, lead_id)


def test_plain_true_takes_a_stop_back(sql: Sql) -> None:
    """`TRUE` makes the campaign run again, from when it began."""
    lead_id = _lead_after(sql, "stopped")

    sql.change("leads", lead_id, whatsapp_campaign_active=1)

    started = sql.find_lead(lead_id)["campaign_started_at"]
    assert (RUNNING, DUE) == (_campaign(sql, lead_id), started)


@pytest.mark.parametrize("answer", [0, 1, None])
def test_answer_alone_neither_starts_nor_ends(sql: Sql, answer: int | None) -> None:
    """`is_target` by SQL is a pause or nothing: it moves neither rows nor the campaign."""
    lead_id = sql.lead(is_target=1)
    row_id = sql.message(lead_id)
    idle = sql.lead(phone=OTHER_PHONE)

    sql.run("UPDATE leads SET is_target = ?", answer)

    found = _campaign(sql, lead_id), _campaign(sql, idle), sql.find_message(row_id)["status"]
    assert (RUNNING, NEVER, "pending") == found
