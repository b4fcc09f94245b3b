"""Form posts as they came, and whether one came before."""

from datetime import timedelta
from typing import Any

import pytest

from storage.models import RawRequest
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10
from tests.storage.sql import OTHER_PHONE, Sql

BODY = "имя=Анна\x00&phone=…".encode("cp1251", "replace")
MINUTE = timedelta(minutes=1)


async def _add(storage: Storage, lead_id: int, **values: Any) -> None:
    facts: dict[str, Any] = {
        "body": BODY,
        "content_type": "application/x-www-form-urlencoded",
        "sender": "127.0.0.1",
        "submission_id": None,
        "received_at": MONDAY_10,
    }
    request = RawRequest(**(facts | values))
    await storage.run(lambda unit: unit.raw_requests.add(request, lead_id))


@pytest.fixture
def leads(sql: Sql) -> list[int]:
    """Two leads for requests to belong to."""
    return [sql.lead(), sql.lead(phone=OTHER_PHONE)]


async def test_request_is_kept_as_it_came(storage: Storage, sql: Sql, leads: list[int]) -> None:
    """The body is on disk byte by byte, with its type, sender and time."""
    await _add(storage, leads[0], submission_id="tilda:1")

    row = sql.run("SELECT * FROM raw_requests")[0]
    assert [
        leads[0],
        BODY,
        "application/x-www-form-urlencoded",
        "127.0.0.1",
        "tilda:1",
        "2026-11-23 07:00:00",
    ] == [
        row[name]
        for name in ("lead_id", "body", "content_type", "sender", "submission_id", "received_at")
    ]


async def test_submission_is_found_whenever_it_was(storage: Storage, leads: list[int]) -> None:
    """A form builder's repeat belongs to the lead of the first post."""
    await _add(storage, leads[0], submission_id="tilda:1")
    await _add(storage, leads[1], submission_id="tilda:1")
    await _add(storage, leads[1], submission_id="tilda:2")

    async def ask(unit: Unit) -> list[int | None]:
        names = ("tilda:1", "tilda:2", "tilda:3")
        return [await unit.raw_requests.find_by_submission(name, None) for name in names]

    assert [leads[0], leads[1], None] == await storage.run(ask)


async def test_identical_body_is_found(storage: Storage, leads: list[int]) -> None:
    """An equal body since then is a repeat; one byte more, or older, is not."""
    await _add(storage, leads[0])
    await _add(storage, leads[1], received_at=MONDAY_10 + MINUTE)

    async def ask(unit: Unit) -> list[int | None]:
        find = unit.raw_requests.find_by_body
        return [
            await find(BODY, MONDAY_10),
            await find(BODY, MONDAY_10 + MINUTE),
            await find(BODY, MONDAY_10 + 2 * MINUTE),
            await find(BODY + b"&", MONDAY_10),
        ]

    assert [leads[0], leads[1], None, None] == await storage.run(ask)


async def test_bodies_are_forgotten_after_a_time(
    storage: Storage, sql: Sql, leads: list[int]
) -> None:
    """Old bodies go, what tells a repeat stays; a second time there is nothing to do."""
    for age in (0, 1, 2):
        await _add(storage, leads[0], received_at=MONDAY_10 - age * MINUTE)

    numbers = [
        await storage.run(lambda unit: unit.raw_requests.forget_bodies(MONDAY_10)) for _ in range(2)
    ]

    bodies = sql.run("SELECT body, digest FROM raw_requests ORDER BY id")
    assert [2, 0] == numbers
    assert [BODY, None, None] == [row["body"] for row in bodies]
    assert 1 == len({row["digest"] for row in bodies})
