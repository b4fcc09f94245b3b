"""What is refused at the side-port, counted by kind, and told in the log once a minute.

Scanners and floods come by the thousand: a line for each would hide everything else. Kinds are
our own words; nothing that a stranger sent is kept.
"""

from collections import Counter
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock

_BETWEEN_LINES = timedelta(minutes=1)

_log = structlog.get_logger()


class Noise:
    """Counts; `totals` since the start, by kind, are there for whoever shows them."""

    def __init__(self, clock: Clock) -> None:
        self.totals: Counter[str] = Counter()
        self._clock = clock
        self._told: dict[str, tuple[datetime, int]] = {}

    def heard(self, kind: str) -> None:
        """Once more of that kind. The first is told at once, what follows with the next line."""
        self.totals[kind] += 1
        now, total = self._clock.now(), self.totals[kind]
        told_at, told = self._told.get(kind, (now - _BETWEEN_LINES, 0))
        if timedelta() <= now - told_at < _BETWEEN_LINES:
            return
        self._told[kind] = (now, total)
        _log.warning("requests_refused", kind=kind, times=total - told)
