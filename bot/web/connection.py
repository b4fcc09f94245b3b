"""One connection to the side-port: aiohttp's, with strangers kept short and in the dark.

*Measured* (aiohttp 3.14.5): what is no HTTP gets a text that repeats the faulty bytes, tokens among
them, and a stack trace in the log; a client that reads no answers is waited for without end.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.web.guard import error, refused
from bot.web.noise import Noise

_NAME = "progrev"  # aiohttp would tell its version and Python's
_TOO_MANY = json.dumps({"status": "error", "error": "too many connections, try again"})
_REFUSAL = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\n"
    f"Content-Length: {len(_TOO_MANY)}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n{_TOO_MANY}"
).encode()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take; times are those of the machine's clock, as all of aiohttp's."""

    idle_seconds: float = 15.0  # without a request, and for the headers of one
    linger_seconds: float = 2.0  # in which the rest of a refused body is thrown away
    unread_seconds: float = 10.0  # in which an answer has to be taken
    connections: int = 200
    requests: int = 64  # at once


class Connection(web.RequestHandler):
    """A client's connection."""

    __slots__ = ("_limits", "_noise")

    def __init__(self, manager: web.Server, noise: Noise, limits: Limits) -> None:
        options: dict[str, Any] = {
            "access_log": None,  # it would write down queries, and with them tokens
            "auto_decompress": False,  # a body that is not packed as declared is still a lead
            "keepalive_timeout": limits.idle_seconds,
            "lingering_time": limits.linger_seconds,
        }
        super().__init__(manager, loop=asyncio.get_running_loop(), **options)
        self._noise = noise
        self._limits = limits

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; an answer counts as given once the system has all of it."""
        super().connection_made(transport)
        if isinstance(transport, asyncio.WriteTransport):
            transport.set_write_buffer_limits(high=0)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, or what broke outside of all handlers, and end the connection.

        Only faults of ours are logged, and nothing of the request is repeated.
        """
        del message
        if status < 500:
            self._noise.heard("malformed")
        else:
            self.log_exception("request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        response = error(status, "malformed request" if status < 500 else "internal error")
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer, as JSON also where aiohttp made it; to who does not read it, no more."""
        if isinstance(resp, web.HTTPException):
            resp = refused(resp)
        resp.headers.setdefault("Server", _NAME)
        loop = asyncio.get_running_loop()
        giving_up = loop.call_later(self._limits.unread_seconds, self._give_up)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            giving_up.cancel()

    def _give_up(self) -> None:
        self._noise.heard("unread")
        if self.transport is not None:
            self.transport.abort()


class Refusal(asyncio.Protocol):
    """A connection too many: told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer without having read anything."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(_REFUSAL)
        transport.close()
