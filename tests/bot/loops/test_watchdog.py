"""The watchdog is fed while the daemon is whole, and only then."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.demo.clock import Conductor
from bot.loops.watchdog import Watchdog, places_of
from bot.services.bells import Bells
from bot.services.pulse import Pulse
from bot.systemd import Notifier
from storage.errors import Unavailable
from tests.builders import MONDAY_10

INTERVAL = 60.0  # seconds after which the manager acts
HOUR = 3600.0


class Ground:
    """A daemon with one loop, its service manager, and time that a test moves by hand."""

    def __init__(self, manager: socket.socket) -> None:
        self.manager = manager
        self.running = 0.0
        self.clock = Conductor(MONDAY_10, rate=1000.0)
        self.bells = Bells()
        self.pulse = Pulse(lambda: self.running)
        self.beat = self.pulse.watch("outbox", within=120)
        self.database: Callable[[], Awaitable[object]] = self.answers

    async def answers(self) -> None:
        """A database that is well."""

    def watchdog(self) -> Watchdog:
        """What is tested."""
        notifier = Notifier(self.manager.getsockname(), INTERVAL)

        async def ask_database() -> None:
            await self.database()

        return Watchdog(self.pulse, ask_database, notifier, self.bells, self.clock)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The watchdog's loop, stopped in the end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.watchdog().run())
            yield
            self.bells.stopping.set()

    async def hears(self, word: str, times: int = 1) -> None:
        """Wait until the manager was told so, so many times."""
        for _ in range(times):
            while await self._next() != word:
                pass

    def heard(self) -> list[str]:
        """All that the manager was told and did not look at yet."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.manager.recv(4096).decode())
        return found

    async def _next(self) -> str:
        async with asyncio.timeout(10):
            return (await asyncio.get_running_loop().sock_recv(self.manager, 4096)).decode()


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A daemon that is whole."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        yield Ground(manager)


@pytest.fixture
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged meanwhile."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def limits(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every limit that was set: for the database's answer, then for a nap."""
    seen: list[float] = []
    timeout = ground.clock.timeout

    def spy(seconds: float) -> AbstractAsyncContextManager[object]:
        seen.append(seconds)
        return timeout(seconds)

    monkeypatch.setattr(ground.clock, "timeout", spy)
    return seen


async def test_whole_daemon_feeds_it(ground: Ground, log: list[MutableMapping[str, Any]]) -> None:
    """While every loop beats and the database answers it is fed again and again, in silence."""
    async with ground.at_work():
        await ground.hears("WATCHDOG=1", times=5)

    assert [] == log
    assert {"WATCHDOG=1"} >= set(ground.heard())


async def test_fed_at_half_the_interval(ground: Ground, limits: list[float]) -> None:
    """Between two meals lies half the manager's interval."""
    async with ground.at_work():
        await ground.hears("WATCHDOG=1", times=3)

    assert [10, INTERVAL / 2, 10, INTERVAL / 2] == limits[:4]


async def test_late_loop_is_named_and_nothing_fed(
    ground: Ground, log: list[MutableMapping[str, Any]]
) -> None:
    """While a loop is late nothing is fed, and the log says once which loop, and since when."""
    ground.running += 121
    async with ground.at_work():
        await ground.hears("STATUS=no answer from: outbox")
        await ground.clock.sleep(3 * INTERVAL)

    assert [] == ground.heard()
    assert [
        {
            "event": "watchdog_withheld",
            "log_level": "warning",
            "late_loops": {"outbox": 121},
            "database": None,
            "standing_at": {"outbox": []},
        }
    ] == log


async def test_fed_again_when_the_loop_beats(
    ground: Ground, log: list[MutableMapping[str, Any]]
) -> None:
    """A loop that has come back ends the hunger, and the log says so."""
    ground.running += 121
    async with ground.at_work():
        await ground.hears("STATUS=no answer from: outbox")
        ground.beat()
        await ground.hears("WATCHDOG=1")
        await ground.hears("STATUS=every loop beats, the database answers")

    assert ["watchdog_withheld", "watchdog_fed_again"] == [line["event"] for line in log]


async def never() -> None:
    """A database whose thread hangs."""
    await asyncio.Event().wait()


async def refuses() -> None:
    """A database that answers with an error."""
    raise Unavailable("disk I/O error")


async def breaks() -> None:
    """A database whose driver fails with words that may hold anybody's data."""
    raise RuntimeError("79001234567")


@pytest.mark.parametrize(
    ("database", "words"),
    [
        (never, "no answer within 10 s"),
        (refuses, "disk I/O error"),
        (breaks, "RuntimeError"),
    ],
    ids=["hangs", "refuses", "breaks"],
)
async def test_silent_database_is_named_and_nothing_fed(
    ground: Ground,
    log: list[MutableMapping[str, Any]],
    database: Callable[[], Awaitable[None]],
    words: str,
) -> None:
    """While the database does not answer in time nothing is fed, and the log says why."""
    ground.database = database
    async with ground.at_work():
        await ground.hears("STATUS=no answer from: the database")

    assert [] == ground.heard()
    assert [words] == [line["database"] for line in log]


async def test_database_that_was_slow_once_costs_no_interval(
    ground: Ground, limits: list[float]
) -> None:
    """After a refusal the next look comes soon: in time for the manager to be fed."""
    ground.database = refuses
    async with ground.at_work():
        await ground.hears("STATUS=no answer from: the database")
        ground.database = ground.answers
        await ground.hears("WATCHDOG=1")

    assert [10, 5, 10] == limits[:3]


@pytest.mark.parametrize("jump", [3 * HOUR, -3 * HOUR, 24 * HOUR], ids=["+3 h", "-3 h", "+1 day"])
async def test_jump_of_the_clock(
    ground: Ground, log: list[MutableMapping[str, Any]], jump: float
) -> None:
    """A wall clock that is set changes nothing: it goes on being fed."""
    async with ground.at_work():
        await ground.hears("WATCHDOG=1")
        ground.clock.jump(jump)
        await ground.hears("WATCHDOG=1", times=3)

    assert [] == log


async def test_ends_with_the_daemon(ground: Ground) -> None:
    """When the daemon stops, no nap holds it up."""
    async with asyncio.timeout(5), ground.at_work():
        ground.clock.run_at(0.001)
        await ground.hears("WATCHDOG=1")

    assert [] == ground.heard()


async def test_place_of_a_hung_loop() -> None:
    """Of a loop that waits for ever the log can tell where, down to the innermost call."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(never(), name="outbox")
        await asyncio.sleep(0)
        places = places_of("outbox")
        task.cancel()

    assert ["never", "Event.wait"] == [place.rpartition(" ")[2] for place in places]
    assert places[0].startswith("test_watchdog.py:")
