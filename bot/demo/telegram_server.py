"""The HTTP face of the emulated Bot API: from a request to its answer.

Knows the order of things (journal, faults, hooks, method, answer) and the listening socket; what a
method does is in `telegram_methods`, who may do what in `telegram_world`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.demo import telegram_wire as wire
from bot.demo.telegram_faults import Fault, FaultPlan
from bot.demo.telegram_journal import Call, Journal
from bot.demo.telegram_methods import METHODS
from bot.demo.telegram_updates import Poll
from bot.demo.telegram_wire import Params
from bot.demo.telegram_world import World

Hook = Callable[[Call], Awaitable[None]]

_HOST = "127.0.0.1"
_POLL = "getUpdates"
_NAMES = {name.lower(): name for name in (*METHODS, _POLL)}
_LARGEST_BODY = 50 * 2**20  # bytes
_SECONDS_TO_CLOSE = 0.05


class BotApiServer:
    """A Bot API server for one bot, on a free loopback port."""

    def __init__(self, world: World, token: str) -> None:
        self.token = token  # set it to anything else, and the bot's token is revoked
        self.journal = Journal()
        self.unexpected: list[str] = []  # unknown methods, errors of hooks: tests assert none
        self.on_call: Hook | None = None  # awaited right before a method takes effect
        self.on_done: Hook | None = None  # awaited after it, before the answer is written
        self._world = world
        self._faults = FaultPlan()
        self._closing = asyncio.Event()
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=_SECONDS_TO_CLOSE
        )
        self._site: web.TCPSite | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        """Listen on a free loopback port."""
        await self._runner.setup()
        await self.up()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of all who wait, then stop; never takes longer than a moment."""
        self._closing.set()
        self._world.updates.close()
        self.drop_connections()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The base address for `TelegramAPIServer.from_base`."""
        return f"http://{_HOST}:{self._port}"

    def fail_next(self, method: str, fault: Fault, times: int = 1) -> None:
        """Let the next calls of `method` ("*" for any) meet a fault of `telegram_faults`."""
        self._faults.order(method, fault, times)

    def heal(self) -> None:
        """Forget the faults that have not struck yet."""
        self._faults.clear()

    async def down(self) -> None:
        """Refuse connections, and drop those that are open."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        self.drop_connections()

    async def up(self) -> None:
        """Listen, on the same port as before."""
        if self._site is None:
            self._site = web.TCPSite(self._runner, _HOST, self._port, reuse_address=True)
            await self._site.start()
            self._port = self._runner.addresses[0][1]

    def drop_connections(self) -> None:
        """Cut all open connections; what a call under way has begun takes effect."""
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/bot{token}/{method}", self._serve)
        application.router.add_route("*", "/{elsewhere:.*}", _elsewhere)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._call(request, await wire.read_params(request))
        except wire.ApiError as error:
            return wire.refusal(error)
        except ConnectionError:
            raise  # the client went away: its own affair
        except Exception as error:
            self.unexpected.append(f"{request.match_info['method']}: {error!r}")
            raise

    async def _call(self, request: web.Request, params: Params) -> web.Response:
        """One call, from the journal to the answer."""
        asked = request.match_info["method"]
        method = _NAMES.get(asked.lower(), asked)
        call = self.journal.add(Call.of(method, params, self._world.clock.now()))
        self._world.changes.ring()
        answer = web.Response()
        fault = self._faults.take(method)
        if fault is None or fault.acts:
            answer = await self._act(request, call, params)
        if fault is not None:
            call.fault, call.ok = fault.name, call.ok or False
            answer = await self._spoil(fault, request, answer)
        self._world.changes.ring()
        return answer

    async def _act(self, request: web.Request, call: Call, params: Params) -> web.Response:
        """Let the method take effect between the two hooks, and word its answer."""
        await _heed(self.on_call, call)
        try:
            call.result = await self._result(request, call.method, params)
        except wire.ApiError as error:
            call.ok, call.error = False, error.description
            answer = wire.refusal(error)
        else:
            call.ok = True
            answer = wire.success(call.result)
        self._world.changes.ring()
        await _heed(self.on_done, call)
        return answer

    async def _result(self, request: web.Request, method: str, params: Params) -> object:
        if request.match_info["token"] != self.token:
            raise wire.unauthorized()
        if method == _POLL:
            return await self._world.updates.poll(Poll.of(params), lambda: _listens(request))
        if method not in METHODS:
            self.unexpected.append(method)
            raise wire.not_found()
        return METHODS[method](self._world, params)

    async def _spoil(
        self, fault: Fault, request: web.Request, answer: web.Response
    ) -> web.Response:
        if fault.spoil is not None:
            return await fault.spoil(request, answer)
        self._world.changes.ring()
        await self._closing.wait()
        return answer


async def _heed(hook: Hook | None, call: Call) -> None:
    if hook is not None:
        await hook(call)


def _listens(request: web.Request) -> bool:
    """Whether the client still waits for an answer."""
    return request.transport is not None and not request.transport.is_closing()


async def _elsewhere(_: web.Request) -> web.StreamResponse:
    return wire.refusal(wire.not_found())
