"""The daemon in numbers: what a scrape shows, and what it never shows."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from bot.demo.clock import Conductor
from bot.services.meters import Meters, Stopwatch
from bot.services.pulse import Pulse
from bot.web.metrics import MetricsRoutes, Sources
from storage.errors import Unavailable
from storage.figures import Counts
from storage.models import RowStatus
from tests.builders import MONDAY_10

COUNTS = Counts(
    rows={RowStatus.PENDING: 3, RowStatus.SENT: 40},
    oldest_due_at=None,
    posts_waiting=2,
    updates_parked=1,
)


@dataclass
class Ground:
    """A daemon to be watched; running time is moved by hand, and the database says `counts`."""

    clock: Conductor
    running: list[float] = field(default_factory=lambda: [1000.0])
    counts: Counts = COUNTS
    held: str | None = None
    pass_seconds: float | None = None

    def __post_init__(self) -> None:
        self.meters = Meters(Stopwatch(lambda: self.running[0]))
        self.pulse = Pulse(lambda: self.running[0])
        self.read_counts: Callable[[datetime], Awaitable[Counts]] = self.answers

    async def answers(self, now: datetime) -> Counts:
        """What the database says."""
        return self.counts

    async def scrape(self) -> dict[str, float]:
        """Ask for the numbers once; every sample by its name and labels."""
        sources = Sources(
            meters=self.meters,
            pulse=self.pulse,
            held=lambda: self.held,
            pass_seconds=lambda: self.pass_seconds,
            read_counts=self.read_counts,
        )
        app = web.Application()
        MetricsRoutes(sources, self.clock).add_to(app)
        async with TestClient(TestServer(app)) as client, client.get("/metrics") as answer:
            assert 200 == answer.status
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            return samples(await answer.text())


def samples(text: str) -> dict[str, float]:
    """What Prometheus itself would read."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.fixture
def ground() -> Ground:
    """A daemon that has just started."""
    return Ground(Conductor(MONDAY_10, rate=1000.0))


async def test_fresh_daemon(ground: Ground) -> None:
    """What has not happened yet shows as zero, so that its first time is seen as a rise."""
    found = await ground.scrape()

    assert {
        "progrev_leads_total{result=accepted}": 0,
        "progrev_leads_total{result=duplicate}": 0,
        "progrev_leads_total{result=unparsed}": 0,
        "progrev_leads_total{result=ok}": 0,
        "progrev_leads_total{result=not_stored}": 0,
        "progrev_telegram_messages_total{result=sent}": 0,
        "progrev_telegram_messages_total{result=edited}": 0,
        "progrev_telegram_messages_total{result=held}": 0,
        "progrev_telegram_messages_total{result=refused}": 0,
        "progrev_telegram_messages_total{result=unreachable}": 0,
        "progrev_updates_total{result=handled}": 0,
        "progrev_updates_total{result=failed}": 0,
        "progrev_updates_total{result=parked}": 0,
        "progrev_sends_total{outcome=sent}": 0,
        "progrev_sends_total{outcome=failed}": 0,
        "progrev_sends_total{outcome=unknown}": 0,
        "progrev_sends_total{outcome=not_sent}": 0,
        "progrev_database_up": 1,
        "progrev_held": 0,
        "progrev_queue_rows{status=pending}": 3,
        "progrev_queue_rows{status=sent}": 40,
        "progrev_oldest_due_age_seconds": 0,
        "progrev_posts_waiting": 2,
        "progrev_updates_parked": 1,
    } == found


async def test_counters_count(ground: Ground) -> None:
    """What services count shows under its own name and kind."""
    ground.meters.leads.add("accepted")
    ground.meters.leads.add("accepted")
    ground.meters.messages.add("edited")
    ground.meters.updates.add("parked")
    ground.meters.sends.add("unknown")
    found = await ground.scrape()

    assert {
        "progrev_leads_total{result=accepted}": 2,
        "progrev_telegram_messages_total{result=edited}": 1,
        "progrev_updates_total{result=parked}": 1,
        "progrev_sends_total{outcome=unknown}": 1,
    } == {
        name: value
        for name, value in found.items()
        if name.endswith("}") and "_total" in name and value
    }


async def test_loops_show_age_and_limit(ground: Ground) -> None:
    """Each loop shows how long ago it beat, and how long that may be."""
    ground.pulse.watch("outbox", within=120)
    ground.running[0] += 30
    found = await ground.scrape()

    assert 30 == found["progrev_loop_age_seconds{loop=outbox}"]
    assert 120 == found["progrev_loop_limit_seconds{loop=outbox}"]


async def test_oldest_due_is_an_age(ground: Ground) -> None:
    """The oldest due message shows how long it has been due by the daemon's clock."""
    ground.counts = replace(COUNTS, oldest_due_at=ground.clock.now() - timedelta(hours=2))
    found = await ground.scrape()

    assert 7200 <= found["progrev_oldest_due_age_seconds"] < 7800


async def test_last_pass_and_hold(ground: Ground) -> None:
    """The length of the last pass shows once there was one, and a hold without its reason."""
    ground.pass_seconds, ground.held = 42.5, "WhatsApp не привязан"
    found = await ground.scrape()

    assert 42.5 == found["progrev_pass_seconds"]
    assert 1 == found["progrev_held"]


async def test_latency_of_green_api(ground: Ground) -> None:
    """Calls to GREEN-API make a histogram by method, cumulated as Prometheus wants it."""
    for seconds in (0.2, 0.2, 95.0):
        with ground.meters.green_api.time("sendMessage"):
            ground.running[0] += seconds
    found = await ground.scrape()

    assert 0 == found["progrev_greenapi_seconds_bucket{le=0.1,method=sendMessage}"]
    assert 2 == found["progrev_greenapi_seconds_bucket{le=0.25,method=sendMessage}"]
    assert 2 == found["progrev_greenapi_seconds_bucket{le=90.0,method=sendMessage}"]
    assert 3 == found["progrev_greenapi_seconds_bucket{le=+Inf,method=sendMessage}"]
    assert 3 == found["progrev_greenapi_seconds_count{method=sendMessage}"]
    assert pytest.approx(95.4) == found["progrev_greenapi_seconds_sum{method=sendMessage}"]


async def locked(now: datetime) -> Counts:
    """A database that refuses."""
    raise Unavailable("database is locked")


async def hangs(now: datetime) -> Counts:
    """A database that says nothing."""
    await asyncio.Event().wait()
    raise AssertionError("nobody waits so long")


@pytest.mark.parametrize("read_counts", [locked, hangs])
async def test_database_away(
    ground: Ground, read_counts: Callable[[datetime], Awaitable[Counts]]
) -> None:
    """Without the database the rest still shows, its own numbers are missing, none is invented."""
    ground.read_counts = read_counts
    ground.meters.leads.add("not_stored")
    found = await ground.scrape()

    assert 0 == found["progrev_database_up"]
    assert 1 == found["progrev_leads_total{result=not_stored}"]
    assert [] == [name for name in found if "queue" in name or "due" in name or "posts" in name]
