"""The side-port itself: the routes, and the limits of all connections together."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiohttp import web

from bot.clock import SystemClock
from bot.web.bodies import LONGEST_BODY
from bot.web.connection import Connection, Limits, Refusal
from bot.web.guard import answer_errors, at_once
from bot.web.noise import Noise

_LAST_ANSWERS_SECONDS = 5.0


class Routes(Protocol):
    """A group of routes."""

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        ...


class Server:
    """Listens until it is closed."""

    def __init__(
        self,
        groups: Iterable[Routes],
        host: str,
        port: int,
        *,
        noise: Noise | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._noise = noise or Noise(SystemClock())
        self._limits = limits or Limits()
        crowd = at_once(self._limits.requests, self._noise)
        app = web.Application(middlewares=[answer_errors, crowd], client_max_size=LONGEST_BODY + 1)
        for group in groups:
            group.add_to(app)
        self._runner = web.AppRunner(app, shutdown_timeout=_LAST_ANSWERS_SECONDS)
        self._host, self._port = host, port
        self._listening: asyncio.Server | None = None

    async def open(self) -> int:
        """Bind and listen; returns the port, which the system chose if 0 was asked for."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._connect, self._host, self._port)
        return int(self._listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Answer what is being answered, take nothing more."""
        if self._listening is not None:
            self._listening.close()
        await self._runner.cleanup()

    def _connect(self) -> asyncio.Protocol:
        """What serves a new client."""
        manager = self._runner.server
        if manager is None or len(manager.connections) >= self._limits.connections:
            self._noise.heard("too_many_connections")
            return Refusal()
        return Connection(manager, self._noise, self._limits)
