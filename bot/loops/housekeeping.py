"""Forgets what is kept for a time only: raw bodies of form posts, and Telegram's updates."""

from datetime import datetime, timedelta

import structlog

from bot.clock import Clock, wait
from bot.services.bells import Bells
from bot.services.pulse import Beat
from storage.storage import Storage

_EVERY = timedelta(hours=6)

_log = structlog.get_logger()


async def keep_house(
    storage: Storage, bells: Bells, clock: Clock, beat: Beat, *, raw_days: int
) -> None:
    """Run until the daemon stops."""
    while not bells.stopping.is_set():
        beat()
        try:
            await _forget(storage, clock.now() - timedelta(days=raw_days))
        except Exception:
            _log.exception("housekeeping_broke")
        await wait(clock, bells.stopping, clock.now() + _EVERY)


async def _forget(storage: Storage, before: datetime) -> None:
    bodies = await storage.run(lambda unit: unit.raw_requests.forget_bodies(before))
    updates = await storage.run(lambda unit: unit.inbox.forget(before))
    if bodies or updates:
        _log.info("old_data_forgotten", bodies=bodies, updates=updates)
