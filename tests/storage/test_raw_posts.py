"""Which cards a change makes stale, whoever makes it."""

from typing import Any

import pytest

from tests.storage.sql import DUE, OTHER_PHONE, PHONE, Sql

# Two requests of one client, one of another.
FIRST, SECOND, STRANGER = 1, 2, 3
ROW = 1

BOTH = {FIRST, SECOND}
NONE: set[int] = set()


@pytest.fixture
def people(sql: Sql) -> Sql:
    """Three leads, and a waiting message of the first."""
    for phone in (PHONE, PHONE, OTHER_PHONE):
        sql.lead(phone=phone)
    sql.message(FIRST)
    return sql


def _stale(sql: Sql, before: dict[int, int]) -> set[int]:
    after = sql.card_versions()
    return {lead for lead in before if after.get(lead, before[lead]) > before[lead]}


@pytest.mark.parametrize(
    "columns",
    [
        {"name": "Мария"},
        {"course": "acting"},
        {"email": "a@example.com"},
        {"comment": "после семи"},
        {"extra": '[["город", "Казань"]]'},
        {"source": "сайт"},
        {"problems": '["номер не распознан"]'},
        {"call_status": "called"},
        {"is_target": 1},
        {"step": "course"},
        {"campaign_end": "stopped"},
        {"whatsapp_campaign_active": 0},
        {"created_at": DUE},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_change_of_a_lead_is_shown_on_the_clients_cards(
    people: Sql, columns: dict[str, Any]
) -> None:
    """What a card shows of a lead is brought up to date there and on the client's other cards."""
    before = people.card_versions()

    people.change("leads", FIRST, **columns)

    assert BOTH == _stale(people, before)


@pytest.mark.parametrize(
    ("columns", "stale"),
    [
        ({"phone": OTHER_PHONE}, {FIRST, SECOND, STRANGER}),
        ({"phone": None, "phone_raw": "не звоните"}, BOTH),
        ({"phone_raw": "восемь девятьсот"}, BOTH),
    ],
    ids=["to another client", "to nobody", "text only"],
)
def test_moved_phone_is_shown_on_both_sides(
    people: Sql, columns: dict[str, Any], stale: set[int]
) -> None:
    """A corrected number concerns the cards of the old client and of the new one."""
    before = people.card_versions()

    people.change("leads", FIRST, **columns)

    assert stale == _stale(people, before)


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "cancelled"},
        {"scheduled_at": "2026-11-24 07:00:00"},
        {"sent_at": DUE},
        {"phone": "79009999999"},
        {"message_text": "Другое"},
        {"error_message": "вне часов отправки"},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_change_of_a_message_is_shown_on_the_clients_cards(
    people: Sql, columns: dict[str, Any]
) -> None:
    """A card tells of the lead's messages, and of those of the client's other requests."""
    before = people.card_versions()

    people.change("whatsapp_queue", ROW, **columns)

    assert BOTH == _stale(people, before)


def test_message_to_another_phone_is_shown_on_its_own_clients_cards(people: Sql) -> None:
    """The phone of the lead tells whose cards speak of a message, not the phone of the row."""
    people.change("whatsapp_queue", ROW, phone=OTHER_PHONE)
    before = people.card_versions()

    people.change("whatsapp_queue", ROW, error_message="нет связи")

    assert BOTH == _stale(people, before)


@pytest.mark.parametrize(
    ("statement", "stale"),
    [
        pytest.param(
            "INSERT INTO whatsapp_queue (lead_id, message_text, scheduled_at) "
            "VALUES (2, 'x', '2026-11-23 07:00:00')",
            BOTH,
            id="message added",
        ),
        pytest.param("DELETE FROM whatsapp_queue", BOTH, id="message deleted"),
        pytest.param("DELETE FROM leads WHERE id = 1", {SECOND}, id="lead deleted"),
        pytest.param(
            "INSERT INTO lead_events (lead_id, kind) VALUES (1, 'taken')", {FIRST}, id="event"
        ),
        pytest.param(
            "INSERT INTO leads (name, phone) VALUES ('Анна', '79001234567')", BOTH, id="new request"
        ),
        pytest.param(
            "INSERT INTO leads (name, phone) VALUES ('Анна', '79009999999')", NONE, id="new client"
        ),
        pytest.param("INSERT INTO leads (phone_raw) VALUES ('?')", NONE, id="new unparsed"),
        pytest.param("UPDATE leads SET updated_at = datetime('now')", NONE, id="stamp"),
        pytest.param("UPDATE leads SET last_whatsapp_sent_at = updated_at", NONE, id="last sent"),
        pytest.param("UPDATE leads SET submission_id = 'tilda:1' WHERE id = 1", NONE, id="form id"),
        pytest.param("UPDATE whatsapp_queue SET attempts = 2", NONE, id="attempts"),
        pytest.param("UPDATE whatsapp_queue SET green_api_response = '{}'", NONE, id="response"),
        pytest.param("UPDATE whatsapp_templates SET content = 'x'", NONE, id="template"),
        pytest.param("UPDATE posts SET shown_version = 0", NONE, id="post"),
    ],
)
def test_statement_makes_the_right_cards_stale(
    people: Sql, statement: str, stale: set[int]
) -> None:
    """Cards are drawn anew when, and only when, something they tell of has changed."""
    before = people.card_versions()

    people.run(statement)

    assert stale == _stale(people, before)


def test_question_about_a_message_follows_it_too(people: Sql) -> None:
    """Every post of a lead is brought up to date, not its card alone."""
    post_id = people.add("posts", kind="unknown", lead_id=FIRST, queue_id=ROW)

    people.change("whatsapp_queue", ROW, status="cancelled")

    assert 1 < people.value("SELECT version FROM posts WHERE id = ?", post_id)


def test_leads_without_a_phone_are_not_one_client(people: Sql) -> None:
    """Two requests whose phones were not understood have nothing to do with each other."""
    first, second = people.lead(phone=None), people.lead(phone=None)
    before = people.card_versions()

    people.change("leads", first, name="Мария")

    assert (first in _stale(people, before), second in _stale(people, before)) == (True, False)
