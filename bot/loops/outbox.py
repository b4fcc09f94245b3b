"""Keeps the chats true: one post after another, for as long as there is work."""

from datetime import timedelta

import structlog

from bot.clock import Clock, wait
from bot.services.bells import Bells
from bot.services.pulse import Beat
from bot.telegram.outbox import Outbox

_AFTER_ERROR = timedelta(seconds=5)

_log = structlog.get_logger()


async def keep_chats_true(outbox: Outbox, bells: Bells, clock: Clock, beat: Beat) -> None:
    """Run until the daemon stops."""
    while not bells.stopping.is_set():
        beat()
        bells.posts.clear()
        try:
            again_at = await outbox.step()
        except Exception:
            _log.exception("outbox_broke")
            again_at = clock.now() + _AFTER_ERROR
        if again_at > clock.now():
            await wait(clock, bells.posts, again_at)
