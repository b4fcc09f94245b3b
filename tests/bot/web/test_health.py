"""`/healthz`: green while the daemon is whole, red with the reason when it is not."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.demo.clock import Conductor
from bot.services.health import Health
from bot.services.pulse import Pulse
from bot.web.health import HealthRoutes
from storage.errors import Unavailable
from tests.builders import MONDAY_10


async def answers() -> None:
    """A database that is well."""


async def locked() -> None:
    """A database that somebody else writes to."""
    raise Unavailable("database is locked")


async def ask(age: float, ping: Callable[[], Awaitable[None]]) -> tuple[int, Any]:
    """The answer of a daemon whose outbox beat so many seconds ago, and may take two minutes."""
    running = [1000.0]
    pulse = Pulse(lambda: running[0])
    pulse.watch("outbox", within=120)
    running[0] += age
    app = web.Application()
    health = Health(ping, pulse, lambda: "WhatsApp не привязан", Conductor(MONDAY_10, 1000.0))
    HealthRoutes(health).add_to(app)
    async with TestClient(TestServer(app)) as client, client.get("/healthz") as answer:
        return answer.status, await answer.json()


async def test_whole() -> None:
    """While all is well the answer is 200, with each loop's age; a hold is told and is no fault."""
    assert (
        200,
        {
            "status": "ok",
            "problems": [],
            "database": "ok",
            "loops": {"outbox": {"age_seconds": 30, "limit_seconds": 120}},
            "held": "WhatsApp не привязан",
        },
    ) == await ask(30, answers)


@pytest.mark.parametrize(
    ("age", "ping", "problem"),
    [
        (130, answers, "outbox: no sign of life for 130 s"),
        (30, locked, "database: database is locked"),
    ],
    ids=["late loop", "database"],
)
async def test_not_whole(age: float, ping: Callable[[], Awaitable[None]], problem: str) -> None:
    """A late loop or a database that does not answer makes it 503, and is named."""
    status, answer = await ask(age, ping)

    assert (503, "error", [problem]) == (status, answer["status"], answer["problems"])
