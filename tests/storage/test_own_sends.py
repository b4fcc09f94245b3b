"""Which messages are ours, by phone and text."""

from datetime import timedelta

import pytest
from sqlalchemy.dialects import sqlite

from storage import own_sends
from storage.models import RowStatus
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10, new_lead, new_row
from tests.storage.sql import OTHER_PHONE, PHONE, Sql

TEXT = "Добрый день!"  # of `Sql.message`


async def ours(storage: Storage, *sends: tuple[str, str]) -> set[tuple[str, str]]:
    """Those of the messages that are ours."""
    return await storage.run(lambda unit: unit.own_sends.among(sends))


async def remember_tests(storage: Storage, *texts: str) -> None:
    """Test messages to the usual phone, a minute apart."""

    async def work(unit: Unit) -> None:
        for minutes, text in enumerate(texts):
            at = MONDAY_10 + timedelta(minutes=minutes)
            await unit.own_sends.remember_test(PHONE, text, at)

    await storage.run(work)


# --- the queue ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_ours"),
    [
        ("sending", True),
        ("sent", True),
        ("unknown", True),
        ("failed", True),
        ("pending", False),
        ("cancelled", False),
    ],
)
async def test_status_says_whether_it_may_have_gone(
    storage: Storage, sql: Sql, status: str, is_ours: bool
) -> None:
    """A message that went or may have gone is ours; one that never left is not."""
    sql.message(sql.lead(), status)

    assert ({(PHONE, TEXT)} if is_ours else set()) == await ours(storage, (PHONE, TEXT))


@pytest.mark.parametrize("word", ["pending", "cancelled"])
async def test_unknown_row_that_a_person_moved_on_is_still_ours(
    storage: Storage, sql: Sql, word: str
) -> None:
    """What was tried may have gone, whatever a person made of the row afterwards."""
    row_id = sql.message(sql.lead(), "sending")
    sql.change("whatsapp_queue", row_id, status="unknown", claim=None)
    sql.change("whatsapp_queue", row_id, status=word)

    assert {(PHONE, TEXT)} == await ours(storage, (PHONE, TEXT))


async def test_other_phone_or_other_text_is_not_ours(storage: Storage, sql: Sql) -> None:
    """Phone and text must belong to one message: those of two different ones do not count."""
    sql.message(sql.lead(), "sent")
    sql.message(sql.lead(phone=OTHER_PHONE), "sent", message_template="day3")
    sql.run("UPDATE whatsapp_queue SET message_text = 'Другое' WHERE id = 2")

    found = await ours(
        storage, (PHONE, TEXT), (PHONE, "Другое"), (OTHER_PHONE, TEXT), (OTHER_PHONE, "Другое")
    )

    assert {(PHONE, TEXT), (OTHER_PHONE, "Другое")} == found


@pytest.mark.parametrize(
    "reported",
    [
        "Анна, привет! Ждём 👩‍👩‍👧 в 18:00",
        "Анна, привет!\r\n\r\nЖдём 👩‍👩‍👧 в 18:00\n",
        "Анна, привет!  Ждём 👩 👩 👧 в 18:00",
        " Анна,\tпривет!\nЖдём 👩‍👩‍👧 в 18:00",
    ],
    ids=["blanks", "line ends", "washed", "more blanks"],
)
async def test_blanks_and_unseen_signs_do_not_count(storage: Storage, reported: str) -> None:
    """A text is known again when its blanks, line ends and unprintable signs have changed."""

    async def work(unit: Unit) -> None:
        lead_id = await unit.leads.add(new_lead(), MONDAY_10)
        text = "Анна, привет!\n\nЖдём 👩‍👩‍👧 в\u00a018:00"
        row = new_row(lead_id, text=text, status=RowStatus.FAILED)
        await unit.queue.add([row], MONDAY_10)

    await storage.run(work)

    assert {(PHONE, reported)} == await ours(storage, (PHONE, reported))


async def test_thousands_of_phones_can_be_asked_about(storage: Storage, sql: Sql) -> None:
    """However many messages are asked about, ours are found among them."""
    sql.message(sql.lead(), "sent")
    strangers = [(str(79100000000 + number), TEXT) for number in range(40_000)]

    assert {(PHONE, TEXT)} == await ours(storage, (PHONE, TEXT), *strangers)


async def test_nothing_asked_is_nothing_found(storage: Storage) -> None:
    """No message is ours of none."""

    assert set() == await ours(storage)


def test_question_uses_the_index_of_phones(sql: Sql) -> None:
    """A queue of years is not read from end to end."""
    question = own_sends._tried([PHONE, OTHER_PHONE]).compile(
        dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}
    )

    plan = sql.run(f"EXPLAIN QUERY PLAN {question}")

    assert ["SEARCH whatsapp_queue USING INDEX whatsapp_queue_of_phone (phone=?)"] == [
        step["detail"] for step in plan
    ]


# --- test messages ------------------------------------------------------------------------------


async def test_remembered_test_message_is_ours(storage: Storage) -> None:
    """A test message is ours, to its own phone only."""
    await remember_tests(storage, "проба\nсвязи")

    found = await ours(storage, (PHONE, "проба связи"), (OTHER_PHONE, "проба связи"))

    assert {(PHONE, "проба связи")} == found


async def test_hundred_newest_test_messages_are_remembered(storage: Storage) -> None:
    """The hundred and first test message makes the first one forgotten."""
    await remember_tests(storage, *(f"проба {number}" for number in range(101)))

    found = await ours(storage, *((PHONE, f"проба {number}") for number in range(101)))

    assert {(PHONE, f"проба {number}") for number in range(1, 101)} == found


async def test_repeated_test_message_takes_one_place_and_is_the_newest(storage: Storage) -> None:
    """The same test message sent again outlives those between."""
    texts = [f"проба {number}" for number in range(99)]
    await remember_tests(storage, "снова", *texts, "снова", "ещё")

    found = await ours(storage, (PHONE, "снова"), (PHONE, "проба 0"), (PHONE, "ещё"))

    assert {(PHONE, "снова"), (PHONE, "ещё")} == found


async def test_no_text_and_no_phone_of_a_test_message_is_kept(storage: Storage, sql: Sql) -> None:
    """Only a digest and the time of a test message stand in the database."""
    await remember_tests(storage, "проба")

    kept = sql.value("SELECT value FROM memory WHERE name = 'test_sends'")

    assert (False, False, True) == (
        PHONE in kept,
        "проба" in kept,
        "2026-11-23T07:00:00+00:00" in kept,
    )
