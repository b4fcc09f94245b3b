"""What the daemon counts and times of its own work, for those who watch it.

Plain numbers since the start of the process: whoever counts knows nothing of how they are shown.
They name kinds and outcomes, never a person.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate

from bot.domain.delivery import Accepted, InstanceDown, NotSent, Outcome, Refused, Uncertain
from bot.services.sender import Send

# Seconds. GREEN-API answers a send within a second when all is well; we give up after 90.
_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 90.0)

_OUTCOMES: Mapping[type, str] = {
    Accepted: "sent",
    Refused: "failed",
    Uncertain: "unknown",
    NotSent: "not_sent",
    InstanceDown: "not_sent",
}


class Tally:
    """How often each of a few things has happened."""

    def __init__(self, *kinds: str) -> None:
        """Kinds named here count zero from the start, so that the first one is seen as a rise."""
        self._counts = dict.fromkeys(kinds, 0)

    def add(self, kind: str) -> None:
        """Count one."""
        self._counts[kind] = self._counts.get(kind, 0) + 1

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each kind has been counted."""
        return self._counts


class Durations:
    """How long something took, sorted into classes."""

    bounds: Sequence[float] = _BOUNDS  # seconds; a class takes what lasted at most so long

    def __init__(self) -> None:
        self.total = 0.0  # seconds
        self._classes = [0] * (len(_BOUNDS) + 1)  # the last one is for all that lasted longer

    def add(self, seconds: float) -> None:
        """Count one."""
        self.total += seconds
        self._classes[bisect_left(_BOUNDS, seconds)] += 1

    @property
    def cumulated(self) -> Sequence[int]:
        """How many lasted at most as long as each bound; the last number is of all."""
        return list(accumulate(self._classes))


class Stopwatch:
    """Times calls by their name."""

    def __init__(self, running: Callable[[], float]) -> None:
        """`running()` is running time in seconds."""
        self._running = running
        self._taken: dict[str, Durations] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Time the block, however it ends."""
        start = self._running()
        try:
            yield
        finally:
            self._taken.setdefault(name, Durations()).add(self._running() - start)

    @property
    def taken(self) -> Mapping[str, Durations]:
        """What was timed, by name."""
        return self._taken


@dataclass(frozen=True, slots=True)
class Meters:
    """Every meter; a part of the daemon is handed the one that it moves."""

    green_api: Stopwatch  # by method
    leads: Tally = field(
        default_factory=lambda: Tally("accepted", "duplicate", "unparsed", "ok", "not_stored")
    )
    messages: Tally = field(  # to Telegram
        default_factory=lambda: Tally("sent", "edited", "held", "refused", "unreachable")
    )
    updates: Tally = field(default_factory=lambda: Tally("handled", "failed", "parked"))
    sends: Tally = field(  # to WhatsApp, tests too
        default_factory=lambda: Tally("sent", "failed", "unknown", "not_sent")
    )


def counted(send: Send, tally: Tally) -> Send:
    """The same `send`, its outcomes counted; one that breaks off is unknown."""

    async def send_and_count(phone: str, text: str) -> Outcome:
        kind = "unknown"
        try:
            outcome = await send(phone, text)
            kind = _OUTCOMES[type(outcome)]
        finally:
            tally.add(kind)
        return outcome

    return send_and_count
