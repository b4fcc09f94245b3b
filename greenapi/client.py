"""The aiohttp side of GREEN-API: one short method per API method, and what a broken call means.

Nothing is retried here and no redirect is followed. The session and its connector belong to the
caller; its middlewares are not used. What an answer says is `greenapi.protocol`'s business.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from greenapi import protocol
from greenapi.errors import (
    GreenApiError,
    InstanceTrouble,
    InstanceUnusable,
    OutcomeUnknown,
    Unreachable,
)
from greenapi.models import (
    Credentials,
    InstanceSettings,
    InstanceState,
    OutgoingMessage,
    SentMessage,
    WaSettings,
)

T = TypeVar("T")

# The provider documents no limits of its own; users report up to a minute under load:
# https://github.com/green-api/issues/issues/655
_SEND_SECONDS = 90.0
_READ_SECONDS = 30.0

# `connect` bounds name resolution, TCP and TLS together, so that a slow resolver is still an
# `Unreachable`; the whole call is bounded on the injected clock.
_CONNECT = aiohttp.ClientTimeout(total=None, connect=10.0, sock_connect=10.0)

# Bytes. Most answers have hundreds; a day's journal of 4,000 messages has 3 MiB.
_LONGEST_ANSWER = 8 * 1024 * 1024

_NO_ADDRESS = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)
_NO_TUNNEL = (aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)  # both carry a URL


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class _BrokenOff(aiohttp.ClientConnectionError):
    """The connection broke; the argument is the name of aiohttp's error."""


def open_session() -> aiohttp.ClientSession:
    """A session fit for `GreenApi`: every call has a connection of its own, no cookie is kept.

    A kept-alive connection may be closed by the server just as we write to it, and then nobody
    could say whether the message went.
    """
    connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


class GreenApi:
    """One GREEN-API instance. Every method raises `GreenApiError` and nothing of aiohttp's."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        *,
        timeout: Callable[[float], AbstractAsyncContextManager[object]],
        timed: Callable[[str], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Use a session as `open_session` makes it; any that keeps connections is refused.

        `timeout(seconds)` opens a block that raises `TimeoutError`, on the clock it comes from;
        every call runs in a block that `timed(method)` opens.
        """
        if session.connector is None or not session.connector.force_close:
            raise ValueError("the session would send on connections it kept: see open_session")
        self._session = session
        self._credentials = credentials
        self._timeout = timeout
        self._timed = timed

    async def send_message(self, phone: str, text: str) -> SentMessage:
        """Hand a message over to the provider's queue; at most 50 calls a second.

        `phone` is digits with the country code, `text` has 1 to 20 000 characters. The provider
        knows no idempotency key: after `OutcomeUnknown` the message may or may not go out.
        """
        request = protocol.send_message(phone, text)
        return protocol.sent_message(await self._call(request, _SEND_SECONDS, protocol.decipher))

    async def get_state_instance(self) -> InstanceState:
        """Whether the instance can send; at most one call a second."""
        return protocol.instance_state(await self._read(protocol.GET_STATE_INSTANCE))

    async def get_wa_settings(self) -> WaSettings:
        """Which number is linked; at most one call a second."""
        return protocol.wa_settings(await self._read(protocol.GET_WA_SETTINGS))

    async def get_settings(self) -> InstanceSettings:
        """How the instance is set up; at most one call a second."""
        return protocol.instance_settings(await self._read(protocol.GET_SETTINGS))

    async def last_outgoing_messages(self, minutes: int) -> tuple[OutgoingMessage, ...]:
        """What the instance sent within the last `minutes`; at most one call a second.

        The provider's journal lags up to two minutes behind, and promises no order.
        """
        request = protocol.last_outgoing_messages(minutes)
        return protocol.outgoing_messages(
            await self._call(request, _READ_SECONDS, protocol.decipher_array)
        )

    async def _read(self, request: protocol.Request) -> dict[str, object]:
        return await self._call(request, _READ_SECONDS, protocol.decipher)

    async def _call(
        self, request: protocol.Request, seconds: float, decipher: Callable[..., T]
    ) -> T:
        try:
            with self._timed(request.method):
                async with self._timeout(seconds):
                    answer = await self._exchange(request)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:  # OSError: also time-outs
            failure = self._failure(error)
        else:
            return decipher(
                answer.status, answer.headers, answer.body, token=self._credentials.token
            )
        raise failure  # outside the handler: aiohttp's error, with its URL, is not even a context

    async def _exchange(self, request: protocol.Request) -> _Answer:
        async with self._session.request(
            request.verb,
            self._credentials.url(request.method),
            params=request.query,
            json=request.body,
            headers={"Accept-Encoding": "identity"},
            timeout=_CONNECT,
            middlewares=(_once,),
            allow_redirects=False,
            raise_for_status=False,
        ) as response:
            return _Answer(response.status, response.headers, await _read_body(response))

    def _failure(self, error: Exception) -> GreenApiError:
        """What a call without an answer means: was anything written?"""
        kind = error.args[0] if isinstance(error, _BrokenOff) else type(error).__name__
        if isinstance(error, _NO_ADDRESS):
            return InstanceUnusable(InstanceTrouble.WRONG_ADDRESS, None)
        if isinstance(error, aiohttp.ClientConnectorError):
            cause = protocol.redact(str(error.os_error), self._credentials.token)
            return Unreachable(f"{kind}: {cause}")
        if isinstance(error, _NO_TUNNEL):
            return Unreachable(kind)
        return OutcomeUnknown(f"no whole answer: {kind}", None)


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from asking a GET again when its connection breaks."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # never asked again: nothing was written
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokenOff(type(error).__name__) from None


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _LONGEST_ANSWER:
            raise OutcomeUnknown("answer too long", response.status)
    return bytes(body)
