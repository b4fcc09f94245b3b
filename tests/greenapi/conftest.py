"""What the tests of the client share: an emulated provider, a fast clock, a recorded provider."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest
from aioresponses import aioresponses

from bot.demo.clock import Conductor
from greenapi.client import GreenApi, open_session
from greenapi.emulator import GreenApiEmulator
from greenapi.models import Credentials

SAMPLES = Path(__file__).parent.parent / "samples" / "greenapi"
INSTANCE = "1101000001"
TOKEN = "invented-token-0123456789"


class RecordedResponse(aiohttp.ClientResponse):
    """A response that aioresponses 0.7.9 can build: it predates aiohttp 3.14's `stream_writer`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, stream_writer=SimpleNamespace(output_size=0), **kwargs)


@pytest.fixture
def token():
    """The instance's secret, invented."""
    return TOKEN


@pytest.fixture
def sample():
    """Read a recorded answer by name."""
    return lambda name: json.loads((SAMPLES / f"{name}.json").read_text())


@pytest.fixture
def recorded(monkeypatch):
    """A provider that answers what the test recorded, without a network."""
    monkeypatch.setattr("aioresponses.core.ClientResponse", RecordedResponse)
    with aioresponses() as provider:
        yield provider


@pytest.fixture
def clock():
    """Ten in the morning in Moscow; tests that wait out a time limit let it run fast."""
    return Conductor(datetime(2026, 10, 6, 7, tzinfo=UTC))


@pytest.fixture
async def session():
    """A session as the daemon opens it."""
    async with open_session() as session:
        yield session


@pytest.fixture
async def green(clock):
    """The emulated provider."""
    async with GreenApiEmulator(clock, instance=INSTANCE, token=TOKEN) as green:
        yield green


@pytest.fixture
def api_at(session, clock):
    """A client of the instance at any address."""
    return lambda url, token=TOKEN: GreenApi(
        session, Credentials(url, INSTANCE, token), timeout=clock.timeout
    )


@pytest.fixture
def api(api_at, green):
    """A client of the emulated provider."""
    return api_at(green.url)


@pytest.fixture
async def raw_server():
    """A server that counts connections and answers each request with prepared bytes."""
    made = SimpleNamespace(connections=0, answer=b"", requests=[])

    async def serve(reader, writer):
        made.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                made.requests.append(head.decode())
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
                await reader.readexactly(length)
                writer.write(made.answer)
                if b"connection: close" in head.lower():
                    break
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await server.wait_closed()
