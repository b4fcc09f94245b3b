"""Feeds the service manager's watchdog, from the event loop, while the daemon is whole.

Whole means: every loop beats within its limit, and the database answers a trivial question. When
it is not, the log says what is wrong, and the manager, told nothing more, ends the process and
starts it anew. A service on the network that is away is nobody's fault here, and stops nothing.

Naps count running time: were the wall clock set back, a nap until some moment would last too long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bot.clock import Clock
from bot.services.bells import Bells
from bot.services.health import database_trouble
from bot.services.pulse import Pulse
from bot.systemd import Notifier

_USUAL_SECONDS = 60.0  # where no manager watches, the log still says what is wrong
_ANSWER_SECONDS = 10.0  # the database has a busy writer's patience, 5 s, and then some
_SOON_SECONDS = 5.0  # after a refusal: what was slow only once must not cost a whole interval

_log = structlog.get_logger()


class Watchdog:
    """Looks at the daemon every half of the manager's interval."""

    def __init__(
        self,
        pulse: Pulse,
        ask_database: Callable[[], Awaitable[object]],
        notifier: Notifier,
        bells: Bells,
        clock: Clock,
    ) -> None:
        """`ask_database()` returns when the database has answered a reader.

        A reader, since one that a person's own transaction locks out of writing is alive.
        """
        self._pulse = pulse
        self._ask_database = ask_database
        self._notifier = notifier
        self._bells = bells
        self._clock = clock
        self._half = (notifier.watchdog_seconds or _USUAL_SECONDS) / 2
        self._known: set[str] = set()  # what was wrong at the last look

    async def run(self) -> None:
        """Run until the daemon stops."""
        while not self._bells.stopping.is_set():
            whole = await self._look()
            await self._nap(self._half if whole else min(_SOON_SECONDS, self._half))

    async def _look(self) -> bool:
        """Feed the watchdog, or say why not."""
        late = {loop.name: round(loop.age) for loop in self._pulse.late()}
        silent = await database_trouble(self._ask_database, self._clock, _ANSWER_SECONDS)
        wrong = {*late, "database"} if silent else set(late)
        if not wrong:
            self._notifier.alive()
        if wrong != self._known:
            self._tell(late, silent)
        self._known = wrong
        return not wrong

    def _tell(self, late: dict[str, int], silent: str | None) -> None:
        if not late and not silent:
            _log.info("watchdog_fed_again")
            self._notifier.status("every loop beats, the database answers")
            return
        places = {name: places_of(name) for name in late}
        _log.warning("watchdog_withheld", late_loops=late, database=silent, standing_at=places)
        names = [*late, *(["the database"] if silent else [])]
        self._notifier.status(f"no answer from: {', '.join(names)}")

    async def _nap(self, seconds: float) -> None:
        try:
            async with self._clock.timeout(seconds):
                await self._bells.stopping.wait()
        except TimeoutError:
            return


def places_of(name: str) -> list[str]:
    """Where the task of that name stands, outermost first.

    A coroutine that waits for ever is on no thread's stack, and so not in what SIGABRT prints.
    """
    task = next((task for task in asyncio.all_tasks() if task.get_name() == name), None)
    step: object = task.get_coro() if task else None
    places = []
    while (frame := getattr(step, "cr_frame", None)) is not None:
        file = Path(frame.f_code.co_filename).name
        places.append(f"{file}:{frame.f_lineno} in {frame.f_code.co_qualname}")
        step = getattr(step, "cr_await", None)
    return places
