"""`/dispatch`: a pass now, or a test message at once."""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from bot.clock import Clock, SystemClock
from bot.domain import phones
from bot.domain.delivery import Accepted, Uncertain
from bot.domain.templates import LONGEST_MESSAGE
from bot.services.dispatch import Busy, Dispatch, Held
from bot.services.sender import Sender
from bot.web.bodies import read_body
from bot.web.guard import error, has_token
from storage.errors import StorageError


class DispatchRoutes:
    """The way in for an admin's scripts."""

    def __init__(
        self, dispatch: Dispatch, sender: Sender, token: str, clock: Clock | None = None
    ) -> None:
        self._dispatch = dispatch
        self._sender = sender
        self._token = token
        self._clock = clock or SystemClock()

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get("/dispatch", self.handle, allow_head=False)
        app.router.add_post("/dispatch", self.handle)

    async def handle(self, request: web.Request) -> web.Response:
        """Run a pass, or with a body send a test message."""
        if not has_token(request, self._token):
            return error(401, "no token, or not the token of webhook.admin_token")
        body = await read_body(request, self._clock) if request.method == "POST" else b""
        try:
            return await (self._test(body) if body.strip() else self._pass())
        except StorageError:
            return error(503, "the database does not answer, try again", **{"Retry-After": "5"})

    async def _pass(self) -> web.Response:
        try:
            return web.json_response(asdict(await self._dispatch.run_pass()))
        except Busy:
            return web.json_response({"status": "busy"}, status=409)
        except Held as held:
            return web.json_response({"status": "held", "reason": str(held)}, status=503)

    async def _test(self, body: bytes) -> web.Response:
        phone, text, problem = _read_test(body)
        if problem:
            return error(422, problem)
        outcome = await self._sender.send_test(phone, text)
        if isinstance(outcome, Accepted):
            return web.json_response({"status": "sent", "id_message": outcome.id_message})
        if isinstance(outcome, Uncertain):
            return web.json_response({"status": "unknown", "error": outcome.why}, status=504)
        return web.json_response({"status": "failed", "error": outcome.why}, status=502)


def _read_test(body: bytes) -> tuple[str, str, str | None]:
    """Phone and text of a test message, or what is wrong with them."""
    try:
        values: Any = json.loads(body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        return "", "", 'the body must be JSON: {"phone": "79001234567", "message": "…"}'
    phone, text = phones.parse(str(values.get("phone", ""))), values.get("message")
    if phone is None:
        return "", "", "phone: a whole number with country code is needed"
    if not isinstance(text, str) or not text.strip():
        return "", "", "message: a text is needed"
    text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) > LONGEST_MESSAGE:
        return "", "", f"message: at most {LONGEST_MESSAGE} characters"
    return phone, text, None
