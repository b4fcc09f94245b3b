"""Faults to order for a method: refusals, broken answers, silence, lost connections.

A fault says whether the method takes effect and what becomes of its answer. It knows no method.
"""

import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.demo import telegram_wire as wire

ANY_METHOD = "*"

# Turns what the method would have answered into what the client gets.
Spoil = Callable[[web.Request, web.Response], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `acts` tells whether the method takes effect all the same."""

    name: str
    acts: bool
    spoil: Spoil | None  # None: no answer ever


def refused(error: wire.ApiError) -> Fault:
    """A refusal in place of the call."""

    async def spoil(_: web.Request, __: web.Response) -> web.Response:
        return wire.refusal(error)

    return Fault(f"{error.code}", acts=False, spoil=spoil)


def too_many_requests(retry_after: int) -> Fault:
    """429 with `retry_after` seconds."""
    return refused(wire.too_many_requests(retry_after))


def bad_request(text: str) -> Fault:
    """400; `text` without the prefix "Bad Request: "."""
    return refused(wire.bad_request(text))


def unauthorized() -> Fault:
    """401, as for a revoked token."""
    return refused(wire.unauthorized())


def forbidden(text: str) -> Fault:
    """403; `text` without the prefix "Forbidden: "."""
    return refused(wire.forbidden(text))


def bad_gateway(*, acts: bool = False) -> Fault:
    """502 with the HTML page of a proxy."""
    page = "<html><body><h1>502 Bad Gateway</h1></body></html>"

    async def spoil(_: web.Request, __: web.Response) -> web.Response:
        return web.Response(status=502, text=page, content_type="text/html")

    return Fault("502", acts=acts, spoil=spoil)


def cut_body() -> Fault:
    """The call takes effect, and its answer ends in the middle of the JSON."""

    async def spoil(_: web.Request, answer: web.Response) -> web.Response:
        text = answer.text or ""
        return web.Response(text=text[: len(text) // 2], content_type="application/json")

    return Fault("cut body", acts=True, spoil=spoil)


def garbage(body: str = "\x00not json", *, acts: bool = True) -> Fault:
    """Status 200 and a body that is not JSON."""

    async def spoil(_: web.Request, __: web.Response) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    return Fault("garbage", acts=acts, spoil=spoil)


def hang(*, acts: bool = False) -> Fault:
    """No answer, and the connection stays open."""
    return Fault("hang", acts=acts, spoil=None)


def reset_before() -> Fault:
    """The connection is reset and nothing has taken effect."""
    return Fault("reset before", acts=False, spoil=_reset)


def reset_after() -> Fault:
    """The call takes effect and the connection is reset in place of an answer."""
    return Fault("reset after", acts=True, spoil=_reset)


async def _reset(request: web.Request, answer: web.Response) -> web.Response:
    if request.transport is not None:
        link: socket.socket = request.transport.get_extra_info("socket")
        # Closing with unsent data thrown away makes the kernel send RST instead of FIN.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return answer


@dataclass(slots=True)
class FaultPlan:
    """The faults in waiting, per method."""

    _waiting: dict[str, deque[Fault]] = field(default_factory=dict)

    def order(self, method: str, fault: Fault, times: int = 1) -> None:
        """Let the next `times` calls of `method` (or of `ANY_METHOD`) meet `fault`."""
        self._waiting.setdefault(method.lower(), deque()).extend([fault] * times)

    def clear(self) -> None:
        """Forget all faults that have not struck yet."""
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that this call meets, if any."""
        for key in (method.lower(), ANY_METHOD):
            if self._waiting.get(key):
                return self._waiting[key].popleft()
        return None
