"""A side-port of its own for each test, on a real database, spoken to byte by byte."""

import asyncio
import json
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiohttp import web

from bot.clock import Clock
from bot.demo.clock import Conductor
from bot.services.bells import Bells
from bot.services.disk import Disk
from bot.services.dispatch import Dispatch
from bot.services.intake import Intake
from bot.services.screen import Screen
from bot.services.sender import Sender
from bot.web.connection import Limits
from bot.web.dispatch import DispatchRoutes
from bot.web.leads import FormSettings, LeadRoutes
from bot.web.noise import Noise
from bot.web.server import Routes, Server
from storage.storage import Storage
from tests.builders import COURSES, MONDAY_10

TOKEN = "test-leads-token-0001"
ADMIN_TOKEN = "test-admin-token-0001"
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is parsed when it is JSON, else text."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Given:
    """How the side-port of a test is set up."""

    clock: Clock = field(default_factory=lambda: Conductor(MONDAY_10))
    limits: Limits = field(default_factory=Limits)
    form: dict[str, Any] = field(default_factory=dict)
    honeypot: str | None = None
    max_per_hour_per_phone: int = 30
    more: tuple[Routes, ...] = ()
    send_buffer: int | None = None  # bytes the system keeps for a client that does not read


class Line:
    """One connection to the side-port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def write(self, data: bytes) -> None:
        """Send without waiting."""
        self.writer.write(data)

    async def answer(self) -> Answer:
        """The next answer on this connection."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status, headers = _parsed(head)
            text = await self.reader.readexactly(int(headers.get("Content-Length", 0)))
        is_json = headers.get("Content-Type", "").startswith("application/json")
        return Answer(status, headers, json.loads(text) if is_json else text.decode())

    async def rest(self) -> bytes:
        """Everything until the side-port closes the connection."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            with suppress(ConnectionError):
                return await self.reader.read()
        return b""

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines)


@dataclass
class SidePort:
    """A listening side-port, its database, and what it counted."""

    port: int
    storage: Storage
    noise: Noise
    server: Server
    lines: list[Line] = field(default_factory=list)

    async def call(self, *, receive_buffer: int | None = None) -> Line:
        """A new connection; it ends with the test, if not earlier."""
        called = socket.socket()
        called.setblocking(False)
        if receive_buffer:
            called.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(called, ("127.0.0.1", self.port))
        self.lines.append(Line(*await asyncio.open_connection(sock=called)))
        return self.lines[-1]

    async def send(self, data: bytes) -> Answer:
        """Send these bytes on a connection of their own; the first answer."""
        line = await self.call()
        line.write(data)
        answer = await line.answer()
        await line.close()
        self.lines.remove(line)
        return answer

    async def post(self, body: bytes | dict[str, Any], **headers: str) -> Answer:
        """Post a form; `X_Some_Name="…"` is a header of that name."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send(form_post(body, named))

    @property
    def connections(self) -> list[web.RequestHandler]:
        """The connections that the side-port has open."""
        manager = self.server._runner.server
        return manager.connections if manager else []

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database has, by a connection of a person's own."""
        with closing(sqlite3.connect(self.storage.path)) as opened:
            return opened.execute(statement).fetchall()

    @property
    def leads(self) -> int:
        """How many leads there are."""
        return int(self.sql("SELECT count(*) FROM leads")[0][0])


def form_post(body: bytes | dict[str, Any], headers: Mapping[str, str] | None = None) -> bytes:
    """A whole request that posts a form with the right token."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {
        "Host": "school.example",
        "X-Webhook-Token": TOKEN,
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
    } | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST /leads HTTP/1.1\r\n{head}\r\n".encode("utf-8", "surrogateescape") + data


@asynccontextmanager
async def side_port(storage: Storage, given: Given) -> AsyncIterator[SidePort]:
    """Open a side-port, and close it in the end."""
    settings: dict[str, Any] = {
        "token": TOKEN,
        "max_per_minute": 300,
        "allowed_origins": (),
        "thanks_url": None,
    }
    noise = Noise(given.clock)
    screen = Screen(
        Intake(storage, COURSES, Bells(), given.clock, Disk(storage.path, given.clock)),
        COURSES,
        given.clock,
        honeypot=given.honeypot,
        max_per_hour_per_phone=given.max_per_hour_per_phone,
    )
    nobody = cast("Dispatch", None), cast("Sender", None)  # no test here gets as far as these
    routes = (
        LeadRoutes(screen, FormSettings(**(settings | given.form)), given.clock, noise),
        DispatchRoutes(*nobody, ADMIN_TOKEN, given.clock),
        *given.more,
    )
    server = Server(routes, "127.0.0.1", 0, noise=noise, limits=given.limits)
    side = SidePort(0, storage, noise, server)
    try:
        side.port = await server.open()
        if given.send_buffer and server._listening:
            heard = server._listening.sockets[0]
            heard.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, given.send_buffer)
        yield side
    finally:
        for line in side.lines:
            await line.close()
        await server.close()


Opener = Callable[..., Coroutine[Any, Any, SidePort]]


@pytest.fixture
async def open_port(storage: Storage) -> AsyncIterator[Opener]:
    """Open a side-port with what `Given` takes; it is closed after the test."""
    async with AsyncExitStack() as stack:

        async def opened(**given: Any) -> SidePort:
            return await stack.enter_async_context(side_port(storage, Given(**given)))

        yield opened
