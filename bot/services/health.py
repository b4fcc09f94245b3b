"""Is the daemon whole? Per loop, as data: for `/healthz`, `/status` and whoever else asks.

Only what a restart might mend makes it unhealthy. A WhatsApp that is not linked, or a Telegram
that is away, is told, but the daemon is well and does what it can.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.clock import Clock
from bot.services.pulse import LoopPulse, Pulse
from storage.errors import StorageError

# A writer waits 5 s for another program's transaction. Those who ask wait about 10 s themselves.
_ANSWER_SECONDS = 7.0


@dataclass(frozen=True, slots=True)
class Report:
    """How the daemon is; nobody's name or phone is in it."""

    database: str | None  # why it takes nothing, in English; None: it does
    loops: tuple[LoopPulse, ...]
    held: str | None  # why no message may leave now, in Russian; no fault of the daemon's

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the daemon itself, in English; none when it is whole."""
        late = (
            f"{loop.name}: no sign of life for {loop.age:.0f} s"
            for loop in self.loops
            if loop.is_late
        )
        return (*([f"database: {self.database}"] if self.database else []), *late)


class Health:
    """Asks the parts how they are."""

    def __init__(
        self,
        ping: Callable[[], Awaitable[object]],
        pulse: Pulse,
        held: Callable[[], str | None],
        clock: Clock,
    ) -> None:
        """`ping()` returns when the database has answered a writer; `held()` asks nobody."""
        self._ping = ping
        self._pulse = pulse
        self._held = held
        self._clock = clock

    async def report(self) -> Report:
        """How the daemon is now; takes seconds at most, whatever hangs."""
        database = await database_trouble(self._ping, self._clock, _ANSWER_SECONDS)
        return Report(database, self._pulse.loops(), self._held())


async def database_trouble(
    ask: Callable[[], Awaitable[object]], clock: Clock, seconds: float
) -> str | None:
    """Why the database gave no answer within `seconds`, in English; None when it did."""
    try:
        async with clock.timeout(seconds):
            await ask()
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except StorageError as error:
        return str(error)
    except Exception as error:
        return type(error).__name__
    return None
