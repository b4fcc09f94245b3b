"""What the contract promises to people's own SQL: formats, defaults, and what follows."""

import re
import sqlite3
from typing import Any

import pytest

from tests.storage.sql import DUE, OTHER_PHONE, PHONE, Sql

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
OLD = "2020-01-01 00:00:00"


# --- what an INSERT leaves out ------------------------------------------------------------------


def test_lead_of_name_and_phone_gets_every_default(sql: Sql) -> None:
    """A lead needs only a name and a phone; the rest says that nothing has happened yet."""
    lead = sql.find_lead(sql.lead())

    assert {
        "id": 1,
        "name": "Анна",
        "phone": PHONE,
        "phone_raw": None,
        "course": None,
        "email": "",
        "comment": "",
        "extra": "[]",
        "source": "",
        "problems": "[]",
        "submission_id": None,
        "call_status": "not_called",
        "is_target": None,
        "step": None,
        "whatsapp_campaign_active": 0,
        "campaign_started_at": None,
        "campaign_end": None,
        "last_whatsapp_sent_at": None,
    } == {name: value for name, value in lead.items() if name not in ("created_at", "updated_at")}
    assert [True, True] == [bool(MOMENT.fullmatch(lead[n])) for n in ("created_at", "updated_at")]


def test_message_of_three_columns_gets_every_default(sql: Sql) -> None:
    """A message needs a lead, a text and a time; its phone is the lead's."""
    row = sql.find_message(sql.message(sql.lead()))

    assert {
        "phone": PHONE,
        "status": "pending",
        "scheduled_at": DUE,
        "message_template": None,
        "day": None,
        "revived": 0,
        "attempts": 0,
        "sent_at": None,
        "error_message": None,
        "green_api_response": None,
    } == {name: row[name] for name in row if name in _MESSAGE_DEFAULTS}
    assert [True, True] == [bool(MOMENT.fullmatch(row[n])) for n in ("created_at", "updated_at")]


_MESSAGE_DEFAULTS = {
    *("phone", "status", "scheduled_at", "message_template", "day", "revived", "attempts"),
    *("sent_at", "error_message", "green_api_response"),
}


@pytest.mark.parametrize(
    ("template", "day"),
    [("welcome", 0), ("day1_acting", 1), ("day7", 7), ("of_my_own", None), (None, None)],
)
def test_day_comes_from_the_template(sql: Sql, template: str | None, day: int | None) -> None:
    """A message that names a template is of that template's day."""
    row_id = sql.message(sql.lead(), message_template=template)

    assert day == sql.find_message(row_id)["day"]


def test_given_phone_and_day_are_kept(sql: Sql) -> None:
    """What an INSERT says is not replaced by a default."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, phone=OTHER_PHONE, message_template="day7", day=2)

    row = sql.find_message(row_id)
    assert (OTHER_PHONE, 2) == (row["phone"], row["day"])


def test_template_of_name_and_content_gets_every_default(sql: Sql) -> None:
    """A template needs only a name and a content: it is active, of day 0 and for all courses."""
    template_id = sql.add("whatsapp_templates", name="spring", content="Весна!")

    row = sql.run("SELECT * FROM whatsapp_templates WHERE id = ?", template_id)[0]
    assert ("", 0, None, 1) == (row["title"], row["delay_days"], row["course"], row["active"])


def test_inserted_lead_gets_a_card(sql: Sql) -> None:
    """A lead that came by SQL is shown like any other."""
    lead_id = sql.lead()

    posts = sql.run("SELECT kind, lead_id, version, shown_version FROM posts")
    assert [{"kind": "card", "lead_id": lead_id, "version": 1, "shown_version": 0}] == posts


# --- what is refused ----------------------------------------------------------------------------

_NOT_MOMENTS = {
    "without seconds": "2026-11-23 07:00",
    "with T": "2026-11-23T07:00:00",
    "with a zone": "2026-11-23 07:00:00+03:00",
    "with fractions": "2026-11-23 07:00:00.5",
    "a date": "2026-11-23",
    "Russian": "23.11.2026 07:00:00",
    "words": "tomorrow",
    "a word SQLite knows": "now",
    "unix time": 1795417200,
    "30 February": "2026-02-30 07:00:00",
    "no leap year": "2026-02-29 07:00:00",
    "hour 24": "2026-11-23 24:00:00",
    "month 13": "2026-13-01 07:00:00",
    "year 0": "0000-01-01 00:00:00",
    "the end of time": "9999-12-31 23:59:59",
    "empty": "",
}


@pytest.mark.parametrize("moment", _NOT_MOMENTS.values(), ids=_NOT_MOMENTS.keys())
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("whatsapp_queue", "scheduled_at"),
        ("whatsapp_queue", "sent_at"),
        ("leads", "created_at"),
        ("leads", "last_whatsapp_sent_at"),
        ("whatsapp_templates", "updated_at"),
    ],
)
def test_only_a_moment_is_a_moment(sql: Sql, table: str, column: str, moment: object) -> None:
    """What is not `YYYY-MM-DD HH:MM:SS` of a real day is refused: it would sort or read wrongly."""
    row_id = sql.message(sql.lead())

    with pytest.raises(sqlite3.Error):
        sql.change(table, row_id, **{column: moment})


@pytest.mark.parametrize(
    "moment", ["2026-11-23 07:00:00", "2024-02-29 23:59:59", "1970-01-01 00:00:00"]
)
def test_a_moment_is_taken(sql: Sql, moment: str) -> None:
    """A right moment is stored as it stands."""
    row_id = sql.message(sql.lead())

    sql.change("whatsapp_queue", row_id, scheduled_at=moment)

    assert moment == sql.find_message(row_id)["scheduled_at"]


_REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "phone with +": ("leads", {"phone": "+79001234567"}),
    "phone with spaces": ("leads", {"phone": "7900 123 45 67"}),
    "phone of six digits": ("leads", {"phone": "790012"}),
    "phone of sixteen digits": ("leads", {"phone": "7900123456789012"}),
    "empty phone": ("leads", {"phone": ""}),
    "call status": ("leads", {"call_status": "perhaps"}),
    "is_target": ("leads", {"is_target": 2}),
    "is_target as a word": ("leads", {"is_target": "yes"}),
    "campaign flag": ("leads", {"whatsapp_campaign_active": 5}),
    "no campaign flag": ("leads", {"whatsapp_campaign_active": None}),
    "campaign end": ("leads", {"campaign_end": "bored"}),
    "step": ("leads", {"step": "dance"}),
    "extra not JSON": ("leads", {"extra": "{"}),
    "extra not a list": ("leads", {"extra": "{}"}),
    "problems not a list": ("leads", {"problems": "5"}),
    "no name": ("leads", {"name": None}),
    "row phone with +": ("whatsapp_queue", {"phone": "+79001234567"}),
    "unknown status": ("whatsapp_queue", {"status": "queued"}),
    "status in capitals": ("whatsapp_queue", {"status": "PENDING"}),
    "response not JSON": ("whatsapp_queue", {"green_api_response": "idMessage=1"}),
    "no text": ("whatsapp_queue", {"message_text": None}),
    "no time": ("whatsapp_queue", {"scheduled_at": None}),
    "no template name": ("whatsapp_templates", {"name": None}),
    "empty template name": ("whatsapp_templates", {"name": ""}),
    "taken template name": ("whatsapp_templates", {"name": "day7"}),
    "blank content": ("whatsapp_templates", {"content": "  "}),
    "negative day": ("whatsapp_templates", {"delay_days": -1}),
    "day in words": ("whatsapp_templates", {"delay_days": "next"}),
    "active": ("whatsapp_templates", {"active": 3}),
}


@pytest.mark.parametrize(("table", "columns"), _REFUSED.values(), ids=_REFUSED.keys())
def test_bad_formats_are_refused(sql: Sql, table: str, columns: dict[str, Any]) -> None:
    """A value that the daemon could not understand never gets into the tables."""
    row_id = sql.message(sql.lead())

    with pytest.raises(sqlite3.IntegrityError):
        sql.change(table, row_id, **columns)


def test_message_cannot_be_inserted_as_sending(sql: Sql) -> None:
    """Only the daemon sends."""
    lead_id = sql.lead()

    with pytest.raises(sqlite3.IntegrityError, match="only the daemon sends"):
        sql.run(
            "INSERT INTO whatsapp_queue (lead_id, message_text, scheduled_at, status, claim) "
            "VALUES (?, 'x', ?, 'sending', 'c')",
            lead_id,
            DUE,
        )


def test_message_needs_a_lead_that_is_there(sql: Sql) -> None:
    """A message for nobody is refused also where foreign keys are off."""
    with pytest.raises(sqlite3.IntegrityError, match="there is no lead of that id"):
        sql.message(77)


# --- one of each --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "sending", "sent", "unknown"])
def test_one_live_row_per_lead_and_template(sql: Sql, status: str) -> None:
    """A template that waits, goes, went or may have gone is not queued a second time."""
    lead_id = sql.lead()
    sql.message(lead_id, status, message_template="day3")

    with pytest.raises(sqlite3.IntegrityError):
        sql.message(lead_id, message_template="day3")


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_template_that_did_not_go_can_be_queued_again(sql: Sql, status: str) -> None:
    """What surely did not go leaves its place to another row."""
    lead_id = sql.lead()
    sql.message(lead_id, status, message_template="day3")

    again = sql.message(lead_id, message_template="day3")

    assert "pending" == sql.find_message(again)["status"]


def test_messages_without_a_template_are_not_counted(sql: Sql) -> None:
    """A person may queue as many texts of one's own as one likes."""
    lead_id = sql.lead()

    rows = [sql.message(lead_id) for _ in range(3)]

    assert 3 == len(set(rows))


def test_one_active_campaign_per_phone(sql: Sql) -> None:
    """Two campaigns at once on one phone are refused."""
    first, second = sql.lead(), sql.lead()
    sql.change("leads", first, whatsapp_campaign_active=1)

    with pytest.raises(sqlite3.IntegrityError):
        sql.change("leads", second, whatsapp_campaign_active=1)


def test_one_sending_per_phone(sql: Sql) -> None:
    """A second message to a phone cannot be claimed while one is on its way, whoever's lead."""
    sql.message(sql.lead(), "sending")
    other = sql.message(sql.lead())

    with pytest.raises(sqlite3.IntegrityError):
        sql.claim(other)


# --- what a change brings with it ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("leads", {"name": "Мария"}),
        ("leads", {"last_whatsapp_sent_at": DUE}),
        ("whatsapp_queue", {"message_text": "Другое"}),
        ("whatsapp_queue", {"status": "cancelled"}),
        ("whatsapp_queue", {"attempts": 3}),
        ("whatsapp_templates", {"active": 0}),
    ],
)
def test_updated_at_follows_every_change(sql: Sql, table: str, columns: dict[str, Any]) -> None:
    """Whatever a person changes, `updated_at` tells of it."""
    row_id = sql.message(sql.lead())
    sql.change(table, row_id, updated_at=OLD)

    sql.change(table, row_id, **columns)

    assert OLD < sql.value(f"SELECT updated_at FROM {table} WHERE id = ?", row_id)


def test_updated_at_that_is_given_is_kept(sql: Sql) -> None:
    """Who moves rows over from elsewhere may bring their stamps along."""
    lead_id = sql.lead()

    sql.change("leads", lead_id, name="Мария", updated_at=OLD)

    assert OLD == sql.find_lead(lead_id)["updated_at"]


@pytest.mark.parametrize(
    ("table", "key", "column", "value"),
    [("fsm", "key", "data", "{}"), ("memory", "name", "value", "1")],
)
def test_updated_at_follows_in_small_tables(
    sql: Sql, table: str, key: str, column: str, value: str
) -> None:
    """The tables without an id keep their `updated_at` true as well."""
    sql.add(table, **{key: "k", column: value, "updated_at": OLD})

    sql.run(f"UPDATE {table} SET {column} = '[]'")

    assert OLD < sql.value(f"SELECT updated_at FROM {table}")


@pytest.mark.parametrize(
    ("status", "follows"),
    [
        ("pending", True),
        ("sending", False),
        ("sent", False),
        ("failed", False),
        ("unknown", False),
        ("cancelled", False),
    ],
)
def test_lead_phone_moves_pending_rows_only(sql: Sql, status: str, follows: bool) -> None:
    """A corrected number counts for what still waits; the rest remembers where it went."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, status)

    sql.change("leads", lead_id, phone=OTHER_PHONE)

    assert (OTHER_PHONE if follows else PHONE) == sql.find_message(row_id)["phone"]


def test_lead_phone_moves_no_row_of_another_lead(sql: Sql) -> None:
    """Another request of the same phone keeps its own."""
    lead_id, other = sql.lead(), sql.lead()
    row_id = sql.message(other)

    sql.change("leads", lead_id, phone=OTHER_PHONE)

    assert PHONE == sql.find_message(row_id)["phone"]


def test_row_keeps_a_phone_of_its_own(sql: Sql) -> None:
    """A row's phone set by a person is the one that counts, and the lead's stays."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id)

    sql.change("whatsapp_queue", row_id, phone=OTHER_PHONE)

    found = sql.find_message(row_id)["phone"], sql.find_lead(lead_id)["phone"]
    assert (OTHER_PHONE, PHONE) == found
