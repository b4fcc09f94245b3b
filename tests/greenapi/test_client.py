"""The client against recorded answers and broken connections, without an emulated provider."""

import asyncio
import traceback

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from greenapi.client import GreenApi, open_session
from greenapi.errors import (
    GreenApiError,
    InstanceTrouble,
    InstanceUnusable,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from greenapi.models import Credentials

HOST = "https://1101.api.example.com"
TOKEN = "invented-token-0123456789"


def address(method):
    """Where a method is asked for."""
    return f"{HOST}/waInstance1101000001/{method}/{TOKEN}"


def everything_said(error):
    """All that a log could make of an exception, chained ones included."""
    words = traceback.format_exception(error)
    while error is not None:
        words += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(words)


def request_info():
    """What aiohttp attaches to its errors: the URL, with the token."""
    url = URL(address("sendMessage"))
    return aiohttp.RequestInfo(url, "POST", CIMultiDictProxy(CIMultiDict()), url)


@pytest.fixture
def recorded_api(api_at, recorded):
    """A client of the recorded provider."""
    return api_at(f"{HOST}/")


class TestRecordedAnswers:
    async def test_send_message(self, recorded_api, recorded, sample):
        """A message is posted to the instance as JSON, and its id comes back."""
        recorded.post(address("sendMessage"), payload=sample("send_message"))

        message = await recorded_api.send_message("79001234567", "Здравствуйте!")

        [call] = recorded.requests["POST", URL(address("sendMessage"))]
        assert message.id_message == "3EB0C767D097B7C7C030"
        assert call.kwargs["json"] == {"chatId": "79001234567@c.us", "message": "Здравствуйте!"}

    async def test_call_is_bounded(self, recorded_api, recorded, sample):
        """Connecting has a limit of its own, and no redirect is followed."""
        recorded.post(address("sendMessage"), payload=sample("send_message"))

        await recorded_api.send_message("79001234567", "Здравствуйте!")

        [call] = recorded.requests["POST", URL(address("sendMessage"))]
        limits = call.kwargs["timeout"]
        assert (limits.connect, limits.sock_connect, limits.total) == (10, 10, None)
        assert call.kwargs["allow_redirects"] is False

    @pytest.mark.parametrize(
        ("method", "ask", "seen"),
        [
            ("get_state_instance", "getStateInstance", lambda answer: answer.authorized),
            ("get_wa_settings", "getWaSettings", lambda answer: answer.phone == "79000000001"),
            ("get_settings", "getSettings", lambda answer: answer.wid == "79000000001@c.us"),
        ],
    )
    async def test_reads(self, recorded_api, recorded, sample, method, ask, seen):
        """Each question is asked of its own method and its answer is typed."""
        recorded.get(address(ask), payload=sample(method))

        answer = await getattr(recorded_api, method)()

        assert seen(answer)

    async def test_last_outgoing_messages(self, recorded_api, recorded, sample):
        """The journal is asked for so many minutes, and its array is typed."""
        url = f"{address('lastOutgoingMessages')}?minutes=35"
        recorded.get(url, payload=sample("last_outgoing_messages"))

        messages = await recorded_api.last_outgoing_messages(35)

        assert ["79001234567", "79007654321", None] == [message.phone for message in messages]

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, Rejected),
            (401, InstanceUnusable),
            (413, Rejected),
            (429, RateLimited),
            (466, InstanceUnusable),
            (499, OutcomeUnknown),
            (502, OutcomeUnknown),
        ],
    )
    async def test_refusals(self, recorded_api, recorded, sample, status, kind):
        """A refusal becomes its class, and its echo of the token is gone."""
        recorded.post(address("sendMessage"), status=status, payload=sample("bad_request"))

        with pytest.raises(kind) as caught:
            await recorded_api.send_message("79001234567", "Здравствуйте!")

        assert TOKEN not in everything_said(caught.value)

    async def test_redirect(self, recorded_api, recorded, sample):
        """A redirect means a wrong address; it is not followed, so the token stays here."""
        elsewhere = "https://elsewhere.example.com/"
        recorded.post(address("sendMessage"), status=307, headers={"Location": elsewhere})
        recorded.post(elsewhere, payload=sample("send_message"))

        with pytest.raises(InstanceUnusable) as caught:
            await recorded_api.send_message("79001234567", "Здравствуйте!")

        assert caught.value.trouble is InstanceTrouble.WRONG_ADDRESS
        assert list(recorded.requests) == [("POST", URL(address("sendMessage")))]

    async def test_retry_after(self, recorded_api, recorded):
        """The wait the provider asks for is handed on."""
        recorded.get(address("getSettings"), status=429, headers={"Retry-After": "3"})

        with pytest.raises(RateLimited) as caught:
            await recorded_api.get_settings()

        assert caught.value.retry_after == 3.0


class TestBrokenCalls:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (aiohttp.ConnectionTimeoutError(f"to host {address('x')}"), Unreachable),
            (aiohttp.ClientHttpProxyError(request_info(), ()), Unreachable),
            (aiohttp.InvalidURL(address("x")), InstanceUnusable),
            (aiohttp.NonHttpUrlClientError(address("x")), InstanceUnusable),
            (TimeoutError(address("x")), OutcomeUnknown),
            (aiohttp.SocketTimeoutError(address("x")), OutcomeUnknown),
            (aiohttp.ServerDisconnectedError(address("x")), OutcomeUnknown),
            (aiohttp.ClientOSError(104, address("x")), OutcomeUnknown),
            (aiohttp.ClientPayloadError(address("x")), OutcomeUnknown),
            (aiohttp.ClientResponseError(request_info(), ()), OutcomeUnknown),
            (aiohttp.ClientConnectionError(address("x")), OutcomeUnknown),
            (UnicodeError(address("x")), OutcomeUnknown),
        ],
        ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
    )
    async def test_errors(self, recorded_api, recorded, error, kind):
        """Only what surely wrote nothing counts as not sent; aiohttp's error is not chained."""
        recorded.post(address("sendMessage"), exception=error)

        with pytest.raises(kind) as caught:
            await recorded_api.send_message("79001234567", "Здравствуйте!")

        assert TOKEN not in everything_said(caught.value)
        assert caught.value.__context__ is None

    async def test_refused(self, api_at, unused_tcp_port):
        """Nobody listens: nothing was written."""
        with pytest.raises(Unreachable) as caught:
            await api_at(f"http://127.0.0.1:{unused_tcp_port}").send_message("79001234567", "Да")

        assert "ClientConnectorError" in caught.value.reason

    async def test_no_such_host(self, clock):
        """A name that does not resolve: nothing was written."""

        class Nowhere(AbstractResolver):
            async def resolve(self, host, port=0, family=0):
                raise OSError(f"no {host}")

            async def close(self):
                pass

        connector = aiohttp.TCPConnector(resolver=Nowhere(), force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            api = GreenApi(session, Credentials(HOST, "1", TOKEN), timeout=clock.timeout)
            with pytest.raises(Unreachable) as caught:
                await api.send_message("79001234567", "Да")

        assert caught.value.reason == "ClientConnectorDNSError: no 1101.api.example.com"

    async def test_no_tls(self, api_at):
        """A handshake that fails: nothing was written."""
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Unreachable):
                await api_at(f"https://127.0.0.1:{port}").send_message("79001234567", "Да")

    @pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "http://[::1"])
    async def test_no_address(self, api_at, url):
        """What is no address blames the configuration."""
        with pytest.raises(InstanceUnusable) as caught:
            await api_at(url).send_message("79001234567", "Да")

        assert (caught.value.trouble, caught.value.status) == (InstanceTrouble.WRONG_ADDRESS, None)
        assert TOKEN not in everything_said(caught.value)

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ],
        ids=["nothing", "not HTTP", "short", "not gzip", "not chunks"],
    )
    async def test_broken_answers(self, api_at, raw_server, answer):
        """An answer that is none leaves the outcome unknown, and the message is sent once."""
        raw_server.answer = answer

        with pytest.raises(OutcomeUnknown) as caught:
            await api_at(raw_server.url).send_message("79001234567", "Да")

        assert raw_server.connections == 1
        assert TOKEN not in everything_said(caught.value)

    async def test_long_answer(self, api_at, raw_server):
        """An answer beyond eight mebibytes is not read to its end."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"
        raw_server.answer = head + b" " * (8 * 1024 * 1024 + 1)

        with pytest.raises(OutcomeUnknown) as caught:
            await api_at(raw_server.url).send_message("79001234567", "Да")

        assert (caught.value.reason, caught.value.status) == ("answer too long", 200)

    async def test_read_is_asked_once(self, api_at, raw_server):
        """A read whose connection breaks is not asked again behind the caller's back."""
        with pytest.raises(OutcomeUnknown) as caught:
            await api_at(raw_server.url).get_state_instance()

        assert raw_server.connections == 1
        assert caught.value.reason == "no whole answer: ServerDisconnectedError"


class TestConnections:
    async def test_fresh_connection(self, api_at, raw_server):
        """No call ever writes to a connection that another one left open."""
        raw_server.answer = b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"idMessage":"a"}'
        api = api_at(raw_server.url)

        await api.get_settings()
        await api.send_message("79001234567", "Да")
        await api.send_message("79001234567", "Да")

        assert raw_server.connections == 3

    async def test_keeping_session(self, clock):
        """A session that keeps connections is refused at once, not when it loses a message."""
        async with aiohttp.ClientSession() as session:
            with pytest.raises(ValueError, match="open_session"):
                GreenApi(session, Credentials(HOST, "1", TOKEN), timeout=clock.timeout)

    async def test_closed_session(self, clock):
        """So is one that is closed already."""
        async with open_session() as session:
            pass

        with pytest.raises(ValueError, match="open_session"):
            GreenApi(session, Credentials(HOST, "1", TOKEN), timeout=clock.timeout)

    async def test_strict_session(self, clock, raw_server):
        """A session that raises for statuses does not change what a refusal means."""
        raw_server.answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad"
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, raise_for_status=True) as session:
            credentials = Credentials(raw_server.url, "1101000001", TOKEN)
            with pytest.raises(Rejected) as caught:
                await GreenApi(session, credentials, timeout=clock.timeout).get_settings()

        assert caught.value.reason == "bad"

    async def test_one_root(self, api_at, raw_server):
        """Whoever catches the package's root misses nothing."""
        with pytest.raises(GreenApiError):
            await api_at(raw_server.url).get_wa_settings()
