"""Tells admins what is wrong: once when it begins, once when it is over, whatever restarts between.

What is wrong is kept in the database, so that a restart neither repeats an alert nor forgets that
one is still open.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import structlog

from bot.clock import Clock
from bot.services.bells import Bells
from storage.models import Alert, PostKind
from storage.storage import Storage, Unit

_log = structlog.get_logger()


class Trouble(StrEnum):
    """What can be wrong; `bot.views.alerts` says what to do about it."""

    INSTANCE = "instance"  # GREEN-API cannot send
    NO_PASS = "no_pass"  # noqa: S105  # no pass over the queue for two intervals
    OVERDUE = "overdue"  # messages that may leave have waited for long
    SECOND_SENDER = "second_sender"  # somebody else sends through the instance
    TELEGRAM_TOKEN = "telegram_token"  # noqa: S105
    SECOND_BOT = "second_bot"  # another program polls with the bot's token
    CHAT_LOST = "chat_lost"  # the managers' chat does not take posts
    DISK_LOW = "disk_low"
    DISK_FULL = "disk_full"
    PARKED = "parked"  # updates that nobody could handle
    CLOCK = "clock"  # the machine's clock jumped; over as soon as it is told


@dataclass(frozen=True, slots=True)
class Condition:
    """A question asked again and again: the particulars while something is wrong, else None."""

    trouble: Trouble
    ask: Callable[[], Awaitable[str | None]]
    patience: timedelta = timedelta()  # how long it must last, in running time, to be told
    retell: bool = False  # particulars that change are news


class Alerts:
    """Asks the conditions and tells the differences."""

    def __init__(
        self,
        storage: Storage,
        conditions: Sequence[Condition],
        admins: Sequence[int],
        bells: Bells,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._conditions = conditions
        self._admins = admins
        self._bells = bells
        self._clock = clock
        self._first_seen: dict[Trouble, float] = {}

    async def look(self) -> None:
        """Ask every condition once, and tell what began and what is over."""
        open_alerts = {a.name: a for a in await self._storage.run(lambda u: u.alerts.all())}
        for condition in self._conditions:
            try:
                details = await condition.ask()
            except Exception as error:  # not known: neither begun nor over
                why = type(error).__name__
                _log.warning("condition_not_known", trouble=condition.trouble, error=why)
            else:
                await self._compare(condition, details, open_alerts.get(condition.trouble))

    async def tell(self, trouble: Trouble, details: str) -> None:
        """Tell something that happened and is over already."""
        await self._begin(trouble, details)
        await self._end(trouble, quietly=True)

    async def _compare(self, condition: Condition, details: str | None, told: Alert | None) -> None:
        if details is None:
            self._first_seen.pop(condition.trouble, None)
            if told is not None:
                await self._end(condition.trouble)
        elif told is None:
            await self._begin_in_time(condition, details)
        elif condition.retell and told.details != details:
            await self._end(condition.trouble, quietly=True)
            await self._begin(condition.trouble, details)

    async def _begin_in_time(self, condition: Condition, details: str) -> None:
        now = self._clock.running()
        first = self._first_seen.setdefault(condition.trouble, now)
        if now - first >= condition.patience.total_seconds():
            await self._begin(condition.trouble, details)

    async def _begin(self, trouble: Trouble, details: str) -> None:
        now = self._clock.now()

        async def work(unit: Unit) -> None:
            await unit.alerts.begin(Alert(trouble, details, now))
            await self._post(unit, trouble, details, over=False)

        await self._storage.run(work)
        _log.warning("alert_began", trouble=trouble, details=details)
        self._bells.posts.set()

    async def _end(self, trouble: Trouble, *, quietly: bool = False) -> None:
        async def work(unit: Unit) -> None:
            await unit.alerts.end(trouble)
            if not quietly:
                await self._post(unit, trouble, "", over=True)

        await self._storage.run(work)
        if not quietly:
            _log.info("alert_over", trouble=trouble)
            self._bells.posts.set()

    async def _post(self, unit: Unit, trouble: Trouble, details: str, *, over: bool) -> None:
        payload = {"trouble": trouble, "details": details, "over": over}
        now = self._clock.now()
        for admin in self._admins or (None,):
            await unit.posts.add_told(PostKind.ALERT, payload, admin, now)
