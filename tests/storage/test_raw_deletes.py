"""What goes along with a lead or a message that a person deletes."""

from collections.abc import Callable

import pytest

from storage.storage import Storage
from tests.builders import MONDAY_10, new_lead
from tests.storage.sql import DUE, Sql

_TABLES = ("posts", "lead_events", "raw_requests", "whatsapp_queue")


@pytest.mark.parametrize("foreign_keys", ["OFF", "ON"])
def test_deleted_lead_takes_everything_along(sql: Sql, foreign_keys: str) -> None:
    """Nothing hangs on a lead that is gone, whether or not the connection follows foreign keys."""
    sql.run(f"PRAGMA foreign_keys={foreign_keys}")
    lead_id = sql.lead()
    row_id = sql.message(lead_id)
    sql.add("posts", kind="unknown", lead_id=lead_id, queue_id=row_id)
    sql.add("lead_events", lead_id=lead_id, kind="taken")
    sql.add(
        "raw_requests", lead_id=lead_id, digest="d", content_type="", sender="", received_at=DUE
    )

    sql.run("DELETE FROM leads WHERE id = ?", lead_id)

    left = [sql.value(f"SELECT count(*) FROM {table}") for table in _TABLES]
    assert [0, 0, 0, 0] == left


@pytest.mark.parametrize("foreign_keys", ["OFF", "ON"])
def test_deleted_row_takes_its_question_along(sql: Sql, foreign_keys: str) -> None:
    """The managers are not asked about a message that is gone."""
    sql.run(f"PRAGMA foreign_keys={foreign_keys}")
    lead_id = sql.lead()
    row_id = sql.message(lead_id, "unknown")
    sql.add("posts", kind="unknown", lead_id=lead_id, queue_id=row_id)

    sql.run("DELETE FROM whatsapp_queue WHERE id = ?", row_id)

    assert [{"kind": "card"}] == sql.run("SELECT kind FROM posts")


def _delete_lead(sql: Sql) -> tuple[int, int]:
    old = sql.lead()
    sql.run("DELETE FROM leads")
    return old, sql.lead()


def _delete_message(sql: Sql) -> tuple[int, int]:
    lead_id = sql.lead()
    old = sql.message(lead_id)
    sql.run("DELETE FROM whatsapp_queue")
    return old, sql.message(lead_id)


@pytest.mark.parametrize("replace", [_delete_lead, _delete_message])
def test_id_is_never_given_twice(sql: Sql, replace: Callable[[Sql], tuple[int, int]]) -> None:
    """An old card's button names an id: it must not reach whoever came after the deleted one."""
    old, new = replace(sql)

    assert old + 1 == new


async def test_daemon_goes_on_after_a_lead_was_deleted(storage: Storage, sql: Sql) -> None:
    """The next lead is taken, with a card of its own, also after the newest one was deleted."""
    sql.message(sql.lead())
    sql.run("DELETE FROM leads")

    lead_id = await storage.run(lambda unit: unit.leads.add(new_lead(), MONDAY_10))

    waiting = await storage.run(lambda unit: unit.posts.waiting(MONDAY_10, 10))
    assert [lead_id] == [post.lead_id for post in waiting]
