"""Who may come in at the side-port, and how often; every error answered as JSON."""

import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from math import ceil

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.clock import Clock
from bot.web.noise import Noise

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MINUTE = timedelta(minutes=1)
_WITHIN_A_BODY = (400, 408, 413)  # the rest of it may still come, and is no request

_log = structlog.get_logger()


def error(status: int, text: str, **headers: str) -> web.Response:
    """An error as JSON."""
    return web.json_response({"status": "error", "error": text}, status=status, headers=headers)


def refused(refusal: web.HTTPException) -> web.Response:
    """An error that aiohttp, or a reader of bodies, has raised, as JSON."""
    allowed = {"Allow": refusal.headers["Allow"]} if "Allow" in refusal.headers else {}
    response = error(refusal.status, refusal.reason, **allowed)
    if refusal.status in _WITHIN_A_BODY:
        response.force_close()
    return response


def has_token(request: web.Request, token: str) -> bool:
    """Whether the request carries the token, in any of the places form builders can put it."""
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    given = (
        bearer.strip() if kind.lower() == "bearer" else "",
        request.headers.get("X-Webhook-Token", ""),
        request.query.get("token", ""),
    )
    wanted = token.encode()
    # All are compared, so that the time tells nothing; bytes, since a header may hold anything.
    matches = [hmac.compare_digest(one.encode("utf-8", "replace"), wanted) for one in given]
    return any(matches)


class Meter:
    """At most so many requests in any minute."""

    def __init__(self, max_per_minute: int, clock: Clock) -> None:
        self._max = max_per_minute
        self._clock = clock
        self._taken: deque[datetime] = deque()

    def take(self) -> int | None:
        """Count one request; if it is one too many, return the seconds to wait."""
        now = self._clock.now()
        while self._taken and not timedelta() <= now - self._taken[0] < _MINUTE:
            self._taken.popleft()
        if len(self._taken) >= self._max:
            return max(1, ceil((self._taken[0] + _MINUTE - now).total_seconds()))
        self._taken.append(now)
        return None


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what handlers raise into JSON without details; our own faults are logged."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return refused(refusal)
    except Exception:
        _log.exception("request_failed", path=request.path)
        return error(500, "internal error")


def at_once(most: int, noise: Noise) -> Middleware:
    """Take at most `most` requests at once; to further ones say that they should try again."""
    under_way = 0

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal under_way
        if under_way >= most:
            noise.heard("too_many_at_once")
            return error(503, "too many requests at once, try again", **{"Retry-After": "5"})
        under_way += 1
        try:
            return await handler(request)
        finally:
            under_way -= 1

    return limit
