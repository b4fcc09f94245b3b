"""`GET /metrics`: the daemon in numbers, for Prometheus. No token, since no person is in them.

What was counted since the start comes from the meters; what stands in the database is read at the
very moment it is asked for, so that the numbers are true also after people's own SQL.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bot.clock import Clock
from bot.services.meters import Durations, Meters, Stopwatch
from bot.services.pulse import Pulse
from storage.errors import StorageError
from storage.figures import Counts

_ANSWER_SECONDS = 5.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers come from."""

    meters: Meters
    pulse: Pulse
    held: Callable[[], str | None]  # why no message may leave now; asks nobody
    pass_seconds: Callable[[], float | None]  # how long the last whole pass took
    read_counts: Callable[[datetime], Awaitable[Counts]]


class MetricsRoutes:
    """Answers a scrape."""

    def __init__(self, sources: Sources, clock: Clock) -> None:
        self._sources = sources
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_get("/metrics", self.metrics)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Answer 200 with what is known; without the database its numbers are missing."""
        now = self._clock.now()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Scrape(self._sources, await self._counts(now), now))
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _counts(self, now: datetime) -> Counts | None:
        try:
            async with self._clock.timeout(_ANSWER_SECONDS):
                return await self._sources.read_counts(now)
        except (StorageError, TimeoutError) as error:
            _log.warning("figures_not_read", error=type(error).__name__)
            return None


class _Scrape(Collector):
    """All numbers of one moment, under the names that dashboards and alerts know."""

    def __init__(self, sources: Sources, counts: Counts | None, now: datetime) -> None:
        self._sources = sources
        self._counts = counts
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._counted()
        yield from self._alive()
        if self._counts is not None:
            yield from self._stored(self._counts)
        yield _histogram(
            "progrev_greenapi_seconds",
            "How long GREEN-API took to answer, or we to give up.",
            self._sources.meters.green_api,
        )

    def _counted(self) -> Iterator[Metric]:
        meters = self._sources.meters
        for name, label, about, tally in (
            ("leads", "result", "Form posts, by what became of them.", meters.leads),
            (
                "telegram_messages",
                "result",
                "Cards, other posts and answers: sent, edited, or why not.",
                meters.messages,
            ),
            ("updates", "result", "Telegram's updates, by how they ended.", meters.updates),
            ("sends", "outcome", "WhatsApp messages, by what became of them.", meters.sends),
        ):
            family = CounterMetricFamily(f"progrev_{name}", about, labels=[label])
            for kind, number in tally.counts.items():
                family.add_metric([kind], number)
            yield family

    def _alive(self) -> Iterator[Metric]:
        loops = self._sources.pulse.loops()
        yield _gauges(
            "progrev_loop_age_seconds",
            "Running time since each loop came round.",
            "loop",
            {loop.name: loop.age for loop in loops},
        )
        yield _gauges(
            "progrev_loop_limit_seconds",
            "How old each loop may become before it counts as hung.",
            "loop",
            {loop.name: loop.limit for loop in loops},
        )
        database = float(self._counts is not None)
        yield _gauge("progrev_database_up", "Whether the database answers.", database)
        held = float(self._sources.held() is not None)
        yield _gauge("progrev_held", "Whether no message may leave just now.", held)
        if (seconds := self._sources.pass_seconds()) is not None:
            yield _gauge("progrev_pass_seconds", "How long the last pass took.", seconds)

    def _stored(self, counts: Counts) -> Iterator[Metric]:
        yield _gauges(
            "progrev_queue_rows",
            "Messages of the queue, by status.",
            "status",
            {str(status): number for status, number in counts.rows.items()},
        )
        due = counts.oldest_due_at
        yield _gauge(
            "progrev_oldest_due_age_seconds",
            "For how long the oldest pending message has been due; 0 when none is.",
            (self._now - due).total_seconds() if due else 0.0,
        )
        yield _gauge(
            "progrev_posts_waiting",
            "Cards and other posts that a chat does not show as they are now.",
            counts.posts_waiting,
        )
        yield _gauge(
            "progrev_updates_parked", "Updates that nobody could handle.", counts.updates_parked
        )


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram(name: str, about: str, watch: Stopwatch) -> Metric:
    bounds = [*map(str, Durations.bounds), "+Inf"]
    family = HistogramMetricFamily(name, about, labels=["method"])
    for method, durations in watch.taken.items():
        buckets = list(zip(bounds, durations.cumulated, strict=True))
        family.add_metric([method], buckets, durations.total)
    return family
