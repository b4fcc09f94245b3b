"""Looks every half minute whether something is wrong, and whether the clock has jumped."""

from datetime import timedelta

import structlog

from bot.clock import Clock, wait
from bot.services.alerts import Alerts, Trouble
from bot.services.bells import Bells
from bot.services.pulse import Beat

_EVERY = timedelta(seconds=30)
_JUMP_SECONDS = 60.0  # less is a correction of the time service

_log = structlog.get_logger()


async def watch(alerts: Alerts, bells: Bells, clock: Clock, beat: Beat) -> None:
    """Run until the daemon stops."""
    offset = _offset(clock)
    while not bells.stopping.is_set():
        beat()
        try:
            jumped, offset = _offset(clock) - offset, _offset(clock)
            if abs(jumped) >= _JUMP_SECONDS:
                _log.warning("clock_jumped", seconds=round(jumped))
                await alerts.tell(Trouble.CLOCK, f"на {jumped / 60:+.0f} мин")
            await alerts.look()
        except Exception:
            _log.exception("watch_broke")
        await wait(clock, bells.stopping, clock.now() + _EVERY)


def _offset(clock: Clock) -> float:
    """Seconds between the wall clock and running time; constant while nobody sets the clock."""
    return clock.now().timestamp() - clock.running()
