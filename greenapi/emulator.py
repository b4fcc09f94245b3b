"""A GREEN-API server on the loopback, for tests and the demo: what the service would have done.

It knows the service's documentation and nothing of our client, so that a misunderstanding cannot
hide on both sides. It covers sendMessage, the reads of `_PER_SECOND`, keeps a record of what was
asked, taken and really delivered, and misbehaves to order (`fail_next`); other hands may send
through it as well.
"""

import asyncio
import inspect
import json
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from types import TracebackType
from typing import Any, Protocol, Self

from aiohttp import web

from greenapi import emulator_checks as checks
from greenapi.emulator_journal import Journal, Message

# https://green-api.com/en/docs/api/ratelimiter/
_PER_SECOND = {
    "sendMessage": 50,
    "getStateInstance": 1,
    "getWaSettings": 1,
    "getSettings": 1,
    "lastOutgoingMessages": 1,
}
_METHODS = {method.lower(): method for method in _PER_SECOND}

_QUEUE_LIFE = timedelta(hours=24)
_SHUTDOWN_SECONDS = 0.05

_OFF_BY_DEFAULT = (
    "incomingWebhook",
    "outgoingWebhook",
    "outgoingMessageWebhook",
    "outgoingAPIMessageWebhook",
    "stateWebhook",
    "incomingCallWebhook",
    "markIncomingMessagesReaded",
    "keepOnlineStatus",
    "enableLidMode",
)


class Clock(Protocol):
    """The time the emulated service lives in."""

    def now(self) -> datetime:
        """The present moment, aware."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of that time pass."""
        ...


class Then(Enum):
    """How a scripted request ends."""

    ANSWER = "answer"
    HANG = "hang"  # until `release()`; then the answer, or a closed connection if never accepted
    RESET = "reset"  # TCP reset without a byte


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do with a request in place of serving it; a message is validated all the same."""

    then: Then = Then.ANSWER
    accept: bool = False  # whether a message is taken into the queue first
    status: int = 200
    body: str | None = None  # None: what the service would have answered
    complaint: str | None = None  # the `message` of a 400 body, which echoes path and token
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds on the clock, between acceptance and what follows


def status(code: int, body: str = "", *, accept: bool = False) -> Fault:
    """Answer with that status and body."""
    return Fault(status=code, body=body, accept=accept)


def bad_request(complaint: str) -> Fault:
    """Answer 400 with that text."""
    return Fault(status=400, complaint=complaint)


def rate_limited(retry_after: float | str) -> Fault:
    """Answer 429 with a `Retry-After`."""
    return Fault(status=429, body="", headers={"Retry-After": str(retry_after)})


def slow(seconds: float) -> Fault:
    """Accept at once, answer properly after `seconds` of the clock."""
    return Fault(accept=True, delay=seconds)


ACCEPT_THEN_HANG = Fault(Then.HANG, accept=True)
ACCEPT_THEN_RESET = Fault(Then.RESET, accept=True)
RESET_BEFORE_ACCEPT = Fault(Then.RESET)
HANG = Fault(Then.HANG)
GARBAGE = Fault(body='{"idMessage": "3EB0', accept=True)
WITHOUT_ID = Fault(body="{}", accept=True)
HTML = Fault(body="<html>OK</html>", headers={"Content-Type": "text/html"}, accept=True)
NULL = Fault(body="null")
STARTING = bad_request("instance in starting process try later")
NOT_AUTHORIZED = bad_request("instance account not authorized")
EXPIRED = bad_request("Instance account is expired")
DELETED = bad_request("Instance is deleted")
QUOTA = status(
    466,
    '{"invokeStatus": {"method": "sendmessage", "used": 100, "total": 100, "status":'
    ' "QUOTE_EXCEEDED", "description": "Monthly quota has been exceeded"}}',
)
CORRESPONDENTS_QUOTA = status(
    466,
    '{"invokeStatus": {"method": "sendmessage", "used": 67, "total": 0, "status":'
    ' "QUOTE_ALLOWED"}, "correspondentsStatus": {"method": "correspondents", "used": 3,'
    ' "total": 3, "status": "CORRESPONDENTS_QUOTE_EXCEEDED", "description":'
    ' "You can only send or receive from: 79001234567@c.us,79007654321@c.us"}}',
)


@dataclass(slots=True)
class Call:
    """A request as it arrived; `status` comes when it was answered, and never for a reset."""

    method: str
    at: datetime
    status: int | None = None


class GreenApiEmulator:
    """One instance of the service at `url`, between `async with` and its end."""

    def __init__(self, clock: Clock, *, instance: str, token: str) -> None:
        self.calls: list[Call] = []  # every request, in order of arrival
        self.accepted: list[Message] = []  # what the service took
        self.queue: list[Message] = []  # accepted, not yet sent
        self.delivered: list[Message] = []  # what clients' phones really show
        self.journal = Journal()  # every outgoing message; `journal.lag` is how late it tells
        self.without_account: set[str] = set()  # phones that no WhatsApp answers for
        self.linked_phone = "79000000001"
        self.settings: dict[str, object] = {
            "typeInstance": "whatsapp",
            "webhookUrl": "",
            "webhookUrlToken": "",
            "delaySendMessagesMilliseconds": 15_000,
            **dict.fromkeys(_OFF_BY_DEFAULT, "no"),
        }
        self.in_flight = 0  # requests not yet answered; one that hangs counts until released
        # Called, and awaited if they return an awaitable, before anything is done about a request
        # and right after a message was taken, before the caller hears of it.
        self.on_request: Callable[[Call], object] = _ignore
        self.on_accepted: Callable[[Message], object] = _ignore
        self._clock, self._instance, self._token = clock, instance, token
        self._state = "authorized"
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._buckets: dict[str, tuple[float, datetime]] = {}
        self._released = asyncio.Event()
        self._port = 0  # any free one at first; the same again after a `stop`
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Start listening."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, whatever is still hanging."""
        await self.stop()

    async def start(self) -> None:
        """Listen on a free loopback port, or on the one of before."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go off the network, cutting off what hangs; `start` comes back at the same address."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self.release()  # requests whose callers had gone before

    @property
    def url(self) -> str:
        """The `apiUrl` of the instance."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def state(self) -> str:
        """`stateInstance`; setting it to "authorized" sends out all that waits in the queue."""
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state
        self._drain()

    def fail_next(self, method: str, fault: Fault, times: int = 1) -> None:
        """Meet the next requests of `method` that pass the gate with `fault`, after earlier ones.

        The gate (id, token, verb, rate limit) is never faulted.
        """
        self._faults[_METHODS[method.lower()]].extend([fault] * times)

    def release(self) -> None:
        """Let go the requests that hang."""
        self._released.set()
        self._released = asyncio.Event()

    def phone(self, number: str) -> list[Message]:
        """What the WhatsApp of that number shows, oldest first."""
        return [message for message in self.delivered if message.chat_id == f"{number}@c.us"]

    def foreign_send(self, phone: str, text: str) -> Message:
        """Somebody else sends through the instance by API: it is taken and delivered as any."""
        return self._take(f"{phone}@c.us", text)

    def typed_on_phone(self, phone: str, text: str) -> Message:
        """A person writes on the instance's phone: delivered at once, never in the queue."""
        message = self.journal.write(f"{phone}@c.us", text, self._clock.now(), by_api=False)
        self._deliver(message, message.at)
        return message

    async def _serve(self, request: web.Request) -> web.Response:
        instance, method, token = checks.address(request.path)
        call = Call(_METHODS.get(method.lower(), method), self._clock.now())
        self.calls.append(call)
        self.in_flight += 1
        try:
            await _tell(self.on_request, call)
            refusal = self._gate(request.method, call, instance, token)
            answer = refusal or await self._method(request, call.method)
            call.status = answer.status
        except _ConnectionLost:
            answer = _reset(request)
        finally:
            self.in_flight -= 1
        return answer

    def _gate(self, verb: str, call: Call, instance: str, token: str) -> web.Response | None:
        if call.method not in _PER_SECOND or verb != _verb(call.method):
            return web.Response(status=404)
        if instance != self._instance:
            return web.Response(status=403)
        if token != self._token:
            return web.Response(status=401)
        if not self._take_from_bucket(call):
            return web.Response(status=429)
        return None

    def _take_from_bucket(self, call: Call) -> bool:
        size = _PER_SECOND[call.method]
        left, since = self._buckets.get(call.method, (float(size), call.at))
        gone = max(0.0, (call.at - since).total_seconds())  # a clock may be set back
        left = min(float(size), left + gone * size)
        self._buckets[call.method] = (left - 1 if left >= 1 else left, call.at)
        return left >= 1

    async def _method(self, request: web.Request, method: str) -> web.Response:
        faults = self._faults[method]
        fault = faults.popleft() if faults else Fault(accept=True)
        try:
            usual = await self._usual(request, method, accept=fault.accept)
        except checks.Complaint as complaint:
            return self._bad_request(request, str(complaint))
        return await self._finish(request, fault, usual)

    async def _usual(self, request: web.Request, method: str, *, accept: bool) -> object:
        """What the service answers when all is well."""
        if method == "sendMessage":
            chat_id, text = checks.message_body(await request.read())
            return await self._accept(chat_id, text) if accept else {}
        if method == "lastOutgoingMessages":
            minutes = checks.minutes(request.query.get("minutes"))
            with_statuses = self.settings["outgoingWebhook"] == "yes"
            return self.journal.last(minutes, self._clock.now(), with_statuses=with_statuses)
        return self._read(method)

    async def _finish(self, request: web.Request, fault: Fault, usual: object) -> web.Response:
        if fault.delay:
            await self._clock.sleep(fault.delay)
        if fault.then is Then.HANG:
            await self._released.wait()
        if fault.then is Then.RESET or (fault.then is Then.HANG and not fault.accept):
            raise _ConnectionLost
        if fault.complaint is not None:
            return self._bad_request(request, fault.complaint)
        text = json.dumps(usual, ensure_ascii=False) if fault.body is None else fault.body
        headers = {"Content-Type": "application/json; charset=utf-8", **fault.headers}
        return web.Response(status=fault.status, body=text.encode(), headers=headers)

    def _bad_request(self, request: web.Request, complaint: str) -> web.Response:
        """A 400 as seen in the field: its body echoes the path, and so the token."""
        body = {
            "statusCode": 400,
            "timestamp": self._clock.now().isoformat(),
            "path": request.path,
            "message": complaint,
        }
        return web.json_response(body, status=400)

    def _read(self, method: str) -> Mapping[str, object]:
        authorized = self._state == "authorized"
        if method == "getSettings":
            wid = f"{self.linked_phone}@c.us" if authorized else ""
            return {"wid": wid, **self.settings}
        if method == "getWaSettings":
            return {
                "avatar": "",
                "phone": self.linked_phone if authorized else "",
                "stateInstance": self._state,
                "deviceId": "emulated" if authorized else "",
            }
        return {"stateInstance": self._state}

    async def _accept(self, chat_id: str, text: str) -> Mapping[str, object]:
        message = self._take(chat_id, text)
        await _tell(self.on_accepted, message)
        return {"idMessage": message.id_message}

    def _take(self, chat_id: str, text: str) -> Message:
        """Take a message whatever the state: the documented trap; it waits in the queue."""
        message = self.journal.write(chat_id, text, self._clock.now(), by_api=True)
        self.accepted.append(message)
        self.queue.append(message)
        self._drain()
        return message

    def _drain(self) -> None:
        """Send all that waits in one burst, as the service does after a new authorization."""
        now = self._clock.now()
        self.queue = [message for message in self.queue if now - message.at < _QUEUE_LIFE]
        if self._state == "authorized":
            for message in self.queue:
                self._deliver(message, now)
            self.queue = []

    def _deliver(self, message: Message, now: datetime) -> None:
        has_account = message.chat_id.partition("@")[0] not in self.without_account
        if has_account:
            shown = Message(message.id_message, message.chat_id, message.text, now)
            self.delivered.append(shown)
        self.journal.note(message.id_message, "delivered" if has_account else "noAccount", now)


class _ConnectionLost(Exception):
    """End the request without an answer."""


def _ignore(_news: object) -> None:
    pass


async def _tell(hook: Callable[[Any], object], news: Call | Message) -> None:
    result = hook(news)
    if inspect.isawaitable(result):
        await result


def _verb(method: str) -> str:
    return "POST" if method == "sendMessage" else "GET"


def _reset(request: web.Request) -> web.Response:
    """Drop the connection with a TCP reset; the answer returned is written to nobody."""
    if (transport := request.transport) is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)
