"""Heartbeats of the loops: which of them has not come round for longer than it may.

Time is running time, not the wall clock: a clock that is set, or a machine that slept, must not
make every loop look dead at once. What follows from a late loop is decided elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass

Beat = Callable[[], None]  # what a loop calls each time it comes round


@dataclass(frozen=True, slots=True)
class LoopPulse:
    """How long ago a loop has beaten, and how long that may be, in seconds of running time."""

    name: str
    age: float
    limit: float

    @property
    def is_late(self) -> bool:
        """Whether it should have beaten by now."""
        return self.age > self.limit


class Pulse:
    """Every loop that has to beat."""

    def __init__(self, running: Callable[[], float]) -> None:
        """`running()` is running time in seconds: it never goes back, and no jump moves it."""
        self._running = running
        self._limits: dict[str, float] = {}
        self._beaten: dict[str, float] = {}

    def watch(self, name: str, *, within: float) -> Beat:
        """Expect a loop to beat, from now on, at least every `within` seconds of running time."""
        if name in self._limits:
            raise ValueError(f"two loops are called {name}")

        def beat() -> None:
            self._beaten[name] = self._running()

        self._limits[name] = within
        beat()
        return beat

    def loops(self) -> tuple[LoopPulse, ...]:
        """Every loop, in the order they were named."""
        now = self._running()
        return tuple(
            LoopPulse(name, now - self._beaten[name], limit) for name, limit in self._limits.items()
        )

    def late(self) -> tuple[LoopPulse, ...]:
        """The loops that should have beaten by now."""
        return tuple(loop for loop in self.loops() if loop.is_late)
