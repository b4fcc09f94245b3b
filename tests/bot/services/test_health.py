"""Is the daemon whole? What makes it ill, and what does not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.demo.clock import Conductor
from bot.services.health import Health, Report
from bot.services.pulse import LoopPulse, Pulse
from storage.errors import Unavailable
from tests.builders import MONDAY_10

AGES = {"outbox": 10.0, "dispatcher": 130.0}


async def answers() -> None:
    """A database that is well."""


async def locked() -> None:
    """A database that somebody else writes to."""
    raise Unavailable("database is locked")


async def hangs() -> None:
    """A database that says nothing."""
    await asyncio.Event().wait()


async def breaks() -> None:
    """A driver that fails with words which may hold anybody's data."""
    raise RuntimeError("79001234567")


@pytest.fixture
def clock() -> Conductor:
    """A clock that runs a thousand times too fast."""
    return Conductor(MONDAY_10, rate=1000.0)


def pulse(*names: str) -> Pulse:
    """The pulse of loops that beat so long ago as `AGES` says; each may take two minutes."""
    now = [1000.0]
    found = Pulse(lambda: now[0])
    for name in names:
        now[0] = 1000 - AGES[name]
        found.watch(name, within=120)
    now[0] = 1000
    return found


def nothing() -> str | None:
    """Nothing holds messages back."""
    return None


async def test_whole(clock: Conductor) -> None:
    """With a database that answers and loops that beat there is no problem."""
    report = await Health(answers, pulse("outbox"), nothing, clock).report()

    assert Report(None, (LoopPulse("outbox", 10.0, 120),), None) == report
    assert () == report.problems


async def test_late_loop(clock: Conductor) -> None:
    """A late loop is a problem, told by name and age; the others are not."""
    report = await Health(answers, pulse("outbox", "dispatcher"), nothing, clock).report()

    assert ("dispatcher: no sign of life for 130 s",) == report.problems
    assert [10.0, 130.0] == [loop.age for loop in report.loops]


@pytest.mark.parametrize(
    ("ping", "words"),
    [
        (locked, "database is locked"),
        (hangs, "no answer within 7 s"),
        (breaks, "RuntimeError"),
    ],
    ids=["locked", "hangs", "breaks"],
)
async def test_database_trouble(
    clock: Conductor, ping: Callable[[], Awaitable[None]], words: str
) -> None:
    """A database that refuses, or does not answer in time, is a problem told without data."""
    report = await Health(ping, pulse("outbox"), nothing, clock).report()

    assert words == report.database
    assert (f"database: {words}",) == report.problems


async def test_held_is_no_illness(clock: Conductor) -> None:
    """An instance that cannot send is told, and is not the daemon's problem."""
    report = await Health(answers, pulse(), lambda: "WhatsApp не привязан", clock).report()

    assert "WhatsApp не привязан" == report.held
    assert () == report.problems
