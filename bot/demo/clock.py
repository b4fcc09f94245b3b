"""An accelerated clock that several processes share.

The conductor (a demo or a test) owns the dial: it sets how fast time runs and lets the wall clock
jump. A daemon in another process follows the same dial over a loopback connection. Both compute
from the machine's monotonic clock, so they agree to the microsecond without talking.

A jump moves the wall clock only, as after a suspend: sleeps that it passes end at once, while
timeouts of calls under way count running time, as they would on a real machine.
"""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Dial:
    """Where time stood at one monotonic instant, and how fast it has run since."""

    wall: float  # seconds since the epoch, at `mono`
    running: float  # seconds of running time (jumps left out), at `mono`
    mono: float  # the machine's monotonic clock, in seconds
    rate: float  # seconds of our time per real second; never 0

    def at(self, mono: float) -> "Dial":
        """The same dial, read at another monotonic instant."""
        gone = (mono - self.mono) * self.rate
        return replace(self, wall=self.wall + gone, running=self.running + gone, mono=mono)


class SharedClock:
    """A `bot.clock.Clock` driven by a dial."""

    def __init__(self, dial: Dial, seed: int = 1) -> None:
        self._dial = dial
        self._turned = asyncio.Event()
        self._chance = random.Random(seed)

    def now(self) -> datetime:
        """The present moment on the dial, aware, in UTC."""
        return datetime.fromtimestamp(self._dial.at(time.monotonic()).wall, UTC)

    def running(self) -> float:
        """Seconds of running time: jumps do not count."""
        return self._dial.at(time.monotonic()).running

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the dial has reached `moment`, however it got there."""
        end = self.running() + (moment - self.now()).total_seconds()
        while (left := min((moment - self.now()).total_seconds(), end - self.running())) > 0:
            await self._real_sleep(left / self._dial.rate)

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of the dial's time."""
        await self.sleep_until(self.now() + timedelta(seconds=seconds))

    @contextlib.asynccontextmanager
    async def _limit(self, seconds: float) -> AsyncIterator[None]:
        deadline = self.running() + seconds
        async with asyncio.timeout(None) as scope:
            watch = asyncio.create_task(self._expire(scope, deadline))
            try:
                yield
            finally:
                watch.cancel()

    async def _expire(self, scope: asyncio.Timeout, deadline: float) -> None:
        while (left := deadline - self.running()) > 0:
            await self._real_sleep(left / self._dial.rate)
        scope.reschedule(asyncio.get_running_loop().time())

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A block that raises `TimeoutError` after `seconds` of running time."""
        return self._limit(seconds)

    def uniform(self, low: float, high: float) -> float:
        """A random number between `low` and `high`, from the clock's own seed."""
        return self._chance.uniform(low, high)

    def _turn(self, dial: Dial) -> None:
        self._dial = dial
        self._turned.set()
        self._turned = asyncio.Event()

    async def _real_sleep(self, seconds: float) -> None:
        """Sleep in real time, less when the dial is turned meanwhile."""
        with contextlib.suppress(TimeoutError):
            # Not `wait_for`: before Python 3.12 it loses a cancellation that a turn comes with.
            async with asyncio.timeout(seconds):
                await self._turned.wait()


class Conductor(SharedClock):
    """The clock that is turned, and the loopback server that tells its followers."""

    def __init__(self, start: datetime, rate: float = 1.0, seed: int = 1) -> None:
        super().__init__(Dial(start.timestamp(), 0.0, time.monotonic(), rate), seed)
        self._followers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen on a free loopback port."""
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and let the followers go."""
        assert self._server is not None
        self._server.close()
        for writer in self._followers:
            writer.close()

    @property
    def address(self) -> str:
        """`host:port` for `Follower.connect`."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def run_at(self, rate: float) -> None:
        """From now on, let `rate` seconds pass per real second."""
        self._publish(replace(self._dial.at(time.monotonic()), rate=rate))

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or with a negative number back."""
        here = self._dial.at(time.monotonic())
        self._publish(replace(here, wall=here.wall + seconds))

    def jump_to(self, moment: datetime) -> None:
        """Set the wall clock to `moment`."""
        self.jump((moment - self.now()).total_seconds())

    def _publish(self, dial: Dial) -> None:
        self._turn(dial)
        for writer in self._followers:
            writer.write(_line(dial))

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._followers.add(writer)
        writer.write(_line(self._dial))
        try:
            await reader.read()  # nothing is ever sent: this ends when the follower does
        finally:
            self._followers.discard(writer)
            writer.close()


class Follower(SharedClock):
    """A clock in another process that follows a conductor."""

    _reader: asyncio.StreamReader

    @classmethod
    async def connect(cls, address: str, seed: int = 1) -> Self:
        """Follow the conductor at `host:port`."""
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        clock = cls(Dial(**json.loads(await reader.readline())), seed)
        clock._reader = reader
        clock._writer = writer  # kept: a collected writer closes the connection
        return clock

    _writer: asyncio.StreamWriter

    async def follow(self) -> None:
        """Take every turn of the dial, until the conductor goes away."""
        while line := await self._reader.readline():
            self._turn(Dial(**json.loads(line)))


def _line(dial: Dial) -> bytes:
    return json.dumps(asdict(dial)).encode() + b"\n"
