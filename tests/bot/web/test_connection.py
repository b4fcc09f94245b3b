"""What a connection may do: slow, long, broken and hostile requests, at the level of bytes."""

import asyncio
import gzip
import logging
import tracemalloc
import zlib
from dataclasses import replace

import pytest
import structlog
from aiohttp import web

from bot.demo.clock import Conductor
from bot.demo.stage import until
from bot.web.connection import Limits
from tests.bot.web.conftest import ADMIN_TOKEN, TOKEN, Line, Opener, SidePort, form_post
from tests.builders import PHONE

HEAD = f"POST /leads HTTP/1.1\r\nHost: school.example\r\nX-Webhook-Token: {TOKEN}\r\n".encode()
FORM = {"name": "Анна", "phone": PHONE}
BUSY = {"status": "error", "error": "too many requests at once, try again"}

SHORT = Limits(idle_seconds=0.2, linger_seconds=0.1, unread_seconds=0.2)


async def begun(side: SidePort, head: bytes) -> Line:
    """A connection whose request is being handled: its headers are read, its body is awaited."""
    line = await side.call()
    line.write(head.rstrip() + b"\r\nExpect: 100-continue\r\n\r\n")
    await line.reader.readuntil(b"\r\n\r\n")
    return line


async def closed_within(line: Line, seconds: float) -> bytes:
    """What comes until the side-port hangs up, which it must do in so many seconds."""
    async with asyncio.timeout(seconds):
        return await line.rest()


# --- slow ---------------------------------------------------------------------------------------


def test_everything_slow_ends_within_15_seconds() -> None:
    """Headers have 15 s at most; a body has 10 s, and what is left of it is waited for briefly."""
    limits = Limits()

    assert 15 >= limits.idle_seconds
    assert 15 >= 10 + limits.linger_seconds
    assert 15 >= limits.unread_seconds


async def test_slow_headers_are_hung_up_on(open_port: Opener) -> None:
    """Headers that do not end in time end the connection, even if some keep coming."""
    side = await open_port(limits=SHORT)
    line = await side.call()

    async def dribble() -> None:
        for byte in HEAD * 20:
            line.write(bytes([byte]))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(dribble())
    said = await closed_within(line, 2)
    task.cancel()

    assert b"" == said


async def test_silent_connection_is_hung_up_on(open_port: Opener) -> None:
    """A connection on which nothing comes, first or after an answer, is closed in time."""
    side = await open_port(limits=SHORT)
    silent, once = await side.call(), await side.call()
    once.write(form_post(FORM))

    assert 200 == (await once.answer()).status
    assert b"" == await closed_within(silent, 2)
    assert b"" == await closed_within(once, 2)


async def test_slow_second_headers_are_hung_up_on(open_port: Opener) -> None:
    """After an answer the next headers have no more time than the first."""
    side = await open_port(limits=SHORT)
    line = await side.call()
    line.write(form_post(FORM))
    await line.answer()
    line.write(HEAD)

    assert b"" == await closed_within(line, 2)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(HEAD + b"Content-Length: 1000\r\n\r\n", id="promised length"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", id="chunked"),
        pytest.param(
            f"POST /dispatch HTTP/1.1\r\nHost: a\r\nX-Webhook-Token: {ADMIN_TOKEN}\r\n"
            "Content-Length: 1000\r\n\r\n".encode(),
            id="dispatch",
        ),
    ],
)
async def test_slow_body_gets_408(open_port: Opener, clock: Conductor, head: bytes) -> None:
    """A body that is not whole within 10 s of the clock gets 408, and the connection ends."""
    side = await open_port(limits=SHORT, clock=clock)
    line = await side.call()
    line.write(head)

    answer = await line.answer()

    assert (408, "close") == (answer.status, answer.headers["Connection"])
    assert "the body took longer than 10 s" == answer.body["error"]
    assert b"" == await closed_within(line, 2)
    assert 0 == side.leads


async def test_dribbling_body_gets_408(open_port: Opener, clock: Conductor) -> None:
    """A body that keeps coming byte by byte has no more than its 10 s either."""
    clock.run_at(100)
    side = await open_port(limits=SHORT, clock=clock)
    line = await side.call()
    line.write(HEAD + b"Content-Length: 1000\r\n\r\n")
    answer = asyncio.create_task(line.answer())
    while not answer.done():
        line.write(b"x")
        await asyncio.sleep(0.01)

    assert 408 == answer.result().status
    await closed_within(line, 2)


async def test_unread_answers_end_the_connection(open_port: Opener) -> None:
    """Who asks on and on and reads nothing is cut off; nobody waits for him."""
    side = await open_port(limits=replace(SHORT, idle_seconds=15), send_buffer=4096)
    line = await side.call(receive_buffer=4096)
    line.writer.transport.pause_reading()
    line.write(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" * 200)

    await until(lambda: side.noise.totals["unread"], "the end of patience")
    await until(lambda: not side.connections, "the end of the connection")

    assert 1 == side.noise.totals["unread"]
    assert 200 == (await side.post(FORM)).status


# --- long ---------------------------------------------------------------------------------------


async def test_promised_long_body_gets_413_at_once(open_port: Opener) -> None:
    """A length over 256 KiB is refused before any of the body has come."""
    side = await open_port(limits=SHORT)
    line = await side.call()
    line.write(HEAD + b"Content-Length: 10000000000\r\n\r\n")

    assert 413 == (await line.answer()).status
    assert b"" == await closed_within(line, 2)


@pytest.mark.parametrize(
    ("length", "status"),
    [
        pytest.param(256 * 1024, 200, id="256 KiB"),
        pytest.param(256 * 1024 + 1, 413, id="a byte more"),
    ],
)
@pytest.mark.parametrize("way", ["length", "chunked", "gzip"])
async def test_longest_body(open_port: Opener, length: int, status: int, way: str) -> None:
    """256 KiB are taken, a byte more is not, however the body is sent."""
    side = await open_port(limits=SHORT)
    body = b'{"phone": "79001234567", "comment": "'.ljust(length - 2, b"x") + b'"}'
    if way == "chunked":
        chunks = [body[at : at + 50_000] for at in range(0, length, 50_000)]
        coded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        answer = await side.send(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"
        )
    elif way == "gzip":
        answer = await side.post(gzip.compress(body), Content_Encoding="gzip")
    else:
        answer = await side.post(body)

    assert status == answer.status


async def test_gzip_bomb_gets_413(open_port: Opener) -> None:
    """50 MB in 50 kB are not unpacked: 413, and memory does not grow by more than the limit."""
    side = await open_port()
    bomb = gzip.compress(b"[" * 50_000_000)
    tracemalloc.start()
    answer = await side.post(bomb, Content_Encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 413 == answer.status
    assert 4_000_000 > peak


# --- packed -------------------------------------------------------------------------------------

PLAIN = b'{"name": "Anna", "phone": "79001234567"}'
RAW_DEFLATE = zlib.compress(PLAIN)[2:-4]


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        pytest.param(gzip.compress(PLAIN), "gzip", "accepted", id="gzip"),
        pytest.param(gzip.compress(PLAIN), "X-GZIP", "accepted", id="x-gzip"),
        pytest.param(zlib.compress(PLAIN), "deflate", "accepted", id="deflate"),
        pytest.param(RAW_DEFLATE, "deflate", "accepted", id="raw deflate"),
        pytest.param(PLAIN, "gzip", "accepted", id="not packed at all"),
        pytest.param(PLAIN, "utf-8", "accepted", id="a charset"),
        pytest.param(gzip.compress(PLAIN)[:-20], "gzip", "unparsed", id="cut off"),
        pytest.param(PLAIN[::-1] + b"\0", "br", "unparsed", id="unknown"),
        pytest.param(b"", "gzip", "ok", id="nothing"),
    ],
)
async def test_packed_body(open_port: Opener, body: bytes, encoding: str, status: str) -> None:
    """A packed body is unpacked; one that is not what its header says is still kept."""
    side = await open_port()

    answer = await side.post(body, Content_Encoding=encoding)

    assert (200, status) == (answer.status, answer.body["status"])


async def test_half_a_packed_body_is_kept_as_it_came(open_port: Opener) -> None:
    """A packed body that was cut off is kept whole, not what could still be unpacked of it."""
    side = await open_port()
    half = gzip.compress(PLAIN[:-1] + b', "comment": "' + bytes(range(65, 91)) * 200 + b'"}')[:-9]

    answer = await side.post(half, Content_Encoding="gzip")

    assert "unparsed" == answer.body["status"]
    assert [(half,)] == side.sql("SELECT body FROM raw_requests")


# --- broken and hostile -------------------------------------------------------------------------

SMUGGLED = b"POST /dispatch HTTP/1.1\r\nHost: a\r\n\r\n"
MALFORMED = {
    "length and chunked": HEAD
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": HEAD
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "length list": HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "signed length": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "negative length": HEAD + b"Content-Length: -3\r\n\r\nabc",
    "endless length": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED,
    "identity": HEAD + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
    "coding twice": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "folded header": HEAD + b"X: a\r\n Content-Length: 3\r\n\r\nabc",
    "space before colon": HEAD + b"Content-Length : 3\r\n\r\nabc",
    "bare line feeds": HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 3\n\nabc",
    "NUL in a header": HEAD + b"X: a\0b\r\n\r\n",
    "bad chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n",
    "chunk longer than said": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "no host": b"POST /leads HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    "bad port": HEAD.replace(b"/leads", b"http://a:99999/leads") + b"Content-Length: 0\r\n\r\n",
    "NUL in the path": b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n",
    "many headers": HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(129)) + b"\r\n",
    "long header": HEAD + b"X: " + b"a" * 8200 + b"\r\n\r\n",
    "long address": HEAD.replace(b"/leads", b"/leads?" + b"a" * 8200) + b"\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + b"x" * 160,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "noise": b"\x00\xff\x01 {{{\r\n\r\n",
    "token in a bad line": f"POST /leads?token={TOKEN} NOT/HTTP\r\nX: {TOKEN}\r\n\r\n".encode(),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_request(
    open_port: Opener, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    """What is no proper HTTP gets 400 as JSON without an echo, ends its connection, and is mute."""
    side = await open_port(limits=SHORT)
    line = await side.call()
    line.write(data)

    answer = await line.answer()
    after = await closed_within(line, 2)

    assert 400 == answer.status
    assert {"status", "error"} == answer.body.keys()
    assert TOKEN not in str(answer)
    assert b"" == after
    assert 0 == side.leads
    assert [] == [r for r in caplog.records if r.levelno >= logging.INFO and "aio" in r.name]


async def test_broken_chunk_after_the_headers(open_port: Opener, clock: Conductor) -> None:
    """A body that breaks the protocol once it is being read ends by its time and stores nothing."""
    side = await open_port(limits=SHORT, clock=clock)
    clock.run_at(100)
    line = await begun(side, HEAD + b"Transfer-Encoding: chunked")
    line.write(b"3\r\nabc\r\nZZ\r\n")

    said = await closed_within(line, 2)

    assert said.startswith(b"HTTP/1.1 408 ")
    assert 1 == said.count(b"HTTP/1.")
    assert 0 == side.leads


async def test_sender_that_goes_away_in_its_body(
    open_port: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a body stores nothing and is no fault of ours; the whole one is then taken."""
    side = await open_port()
    head, body = form_post(FORM).split(b"\r\n\r\n")
    line = await begun(side, head)
    line.write(body[:-5])
    await line.close()
    await until(lambda: side.noise.totals["broken_body"], "the end of the body")

    assert 0 == side.leads
    assert [] == [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "accepted" == (await side.post(FORM)).body["status"]


async def test_malformed_flood_is_one_line_a_minute(open_port: Opener) -> None:
    """Of many broken requests only the first is told within a minute."""
    side = await open_port()
    with structlog.testing.capture_logs() as told:
        for _ in range(30):
            await side.send(MALFORMED["two lengths"])

    assert [("requests_refused", "malformed", 1)] == [
        (line["event"], line["kind"], line["times"]) for line in told
    ]
    assert 30 == side.noise.totals["malformed"]


# --- many ---------------------------------------------------------------------------------------


async def test_connections_over_the_limit_are_refused(open_port: Opener) -> None:
    """One connection too many is told 503 and closed; once one has ended there is room again."""
    side = await open_port(limits=replace(SHORT, idle_seconds=15, connections=2))
    first, second, third = [await side.call() for _ in range(3)]
    refused = await third.answer()
    await first.close()
    await until(lambda: len(side.connections) < 2, "an end")

    assert (503, "5") == (refused.status, refused.headers["Retry-After"])
    assert {"status": "error", "error": "too many connections, try again"} == refused.body
    assert b"" == await closed_within(third, 2)
    assert 200 == (await side.post(FORM)).status
    await second.close()


async def test_requests_over_the_limit_are_put_off(open_port: Opener) -> None:
    """While as many requests as allowed are under way, one more gets 503 and may come again."""
    side = await open_port(limits=replace(SHORT, requests=1))
    head, body = form_post(FORM).split(b"\r\n\r\n")
    slow = await begun(side, head)

    refused = await side.post(FORM)
    slow.write(body)
    taken = await slow.answer()
    again = await side.post(FORM)
    await slow.close()

    assert (503, "5", BUSY) == (refused.status, refused.headers["Retry-After"], refused.body)
    assert "accepted" == taken.body["status"]
    assert "duplicate" == again.body["status"]


async def test_connection_is_used_again(open_port: Opener) -> None:
    """Several posts on one connection, one after another or all at once, are each answered."""
    side = await open_port()
    line = await side.call()
    for number in range(3):
        line.write(form_post({"phone": f"7900123456{number}"}))
        assert number + 1 == (await line.answer()).body["lead_id"]
    line.write(b"".join(form_post({"phone": f"7900123457{number}"}) for number in range(40)))
    numbers = [(await line.answer()).body["lead_id"] for _ in range(40)]
    await line.close()

    assert list(range(4, 44)) == numbers


async def test_refused_body_does_not_become_a_request(open_port: Opener) -> None:
    """What is left of a refused body is never taken for the next request."""
    side = await open_port(limits=SHORT)
    line = await side.call()
    inner = form_post(FORM)
    line.write(HEAD + b"Content-Length: 300000\r\n\r\n" + inner * 3)

    said = await closed_within(line, 2)

    assert 1 == said.count(b"HTTP/1.1 ")
    assert 0 == side.leads


# --- answers ------------------------------------------------------------------------------------

ODD = {
    "HEAD": ("HEAD /leads", 405),
    "GET": ("GET /leads", 405),
    "PUT": ("PUT /leads", 405),
    "DELETE with slash": ("DELETE /leads/", 405),
    "unknown verb": ("PROPFIND /leads", 405),
    "PUT dispatch": ("PUT /dispatch", 405),
    "HEAD dispatch": ("HEAD /dispatch", 405),
    "nowhere": ("GET /.env", 404),
    "odd bytes": ("GET /%FF%00%0a", 404),
    "proxy": ("GET http://evil.example/", 404),
    "CONNECT": ("CONNECT evil.example:443", 404),
    "star": ("OPTIONS *", 404),
    "no token": ("POST /leads", 401),
    "wrong token": ("POST /leads?token=wrong", 401),
    "odd token": ("POST /leads?token=%FF%D0", 401),
}


@pytest.mark.parametrize(("ask", "status"), ODD.values(), ids=ODD.keys())
async def test_other_requests(open_port: Opener, ask: str, status: int) -> None:
    """What is not offered is refused as JSON, without a token or a version; 405 says what is."""
    side = await open_port()
    line = await side.call()
    line.write(f"{ask} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())

    said = (await line.rest()).decode()
    head, _, body = said.partition("\r\n\r\n")

    assert f"HTTP/1.1 {status} " == said[:13]
    assert "Content-Type: application/json; charset=utf-8" in head
    assert ask.startswith("HEAD") or body.startswith('{"status": "error"')
    assert (status == 405) == ("Allow: " in head)
    assert "aiohttp" not in said
    assert TOKEN not in said


class Broken:
    """A route with a fault."""

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/broken", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        raise RuntimeError(f"canary {request.query_string}")


async def test_fault_of_ours(open_port: Opener) -> None:
    """A fault of ours is 500 as JSON that tells nothing, and is logged."""
    side = await open_port(more=(Broken(),))
    with structlog.testing.capture_logs() as told:
        answer = await side.send(b"GET /broken?canary HTTP/1.1\r\nHost: a\r\n\r\n")

    assert (500, {"status": "error", "error": "internal error"}) == (answer.status, answer.body)
    assert [("request_failed", "error", "/broken")] == [
        (line["event"], line["log_level"], line["path"]) for line in told
    ]


async def test_allowed_methods_are_named(open_port: Opener) -> None:
    """A 405 names what the address does take."""
    side = await open_port()

    answer = await side.send(b"GET /leads HTTP/1.1\r\nHost: a\r\n\r\n")

    assert {"OPTIONS", "POST"} == set(answer.headers["Allow"].split(","))


async def test_unknown_expectation_is_refused_as_json(open_port: Opener) -> None:
    """`Expect` with anything but 100-continue gets 417, as JSON."""
    side = await open_port()

    answer = await side.post(FORM, Expect="miracle")

    assert (417, "error") == (answer.status, answer.body["status"])


async def test_sender_that_asks_before_its_body(open_port: Opener) -> None:
    """A sender that waits for 100 is told to go on, and its lead is taken."""
    side = await open_port()
    head, body = form_post(FORM).split(b"\r\n\r\n")
    line = await begun(side, head)
    line.write(body)

    assert "accepted" == (await line.answer()).body["status"]
    await line.close()


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
async def test_offered_upgrade_is_not_taken(open_port: Opener, upgrade: str) -> None:
    """A post that offers another protocol is answered as a plain one."""
    side = await open_port()

    answer = await side.post(FORM, Connection="Upgrade", Upgrade=upgrade)

    assert "accepted" == answer.body["status"]


async def test_address_with_a_slash(open_port: Opener) -> None:
    """`/leads/` is `/leads`."""
    side = await open_port()
    data = form_post(FORM).replace(b"POST /leads ", b"POST /leads/ ")

    assert "accepted" == (await side.send(data)).body["status"]
