"""The dispatcher: a pass over the queue, and the welcomes, which wait for no pass.

A pass looks at every row that is due: what may not leave now is moved, cancelled or left waiting,
and never takes a place; of the rest, oldest first and one a phone, at most a batch is sent, one
after another with pauses. Welcomes (day 0) go beside it, each on its own, so that a send that hangs
holds back nobody else.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.clock import Clock, wait
from bot.domain.delivery import Cancel, Leave, Rules
from bot.services.bells import Bells
from bot.services.sender import Result, Sender, ask_about, carry_out, verdict_on
from bot.services.way import Way
from storage.errors import StorageError
from storage.models import PostKind, QueueRow
from storage.storage import Storage, Unit

_CHUNK = 200  # due rows looked at in one transaction
_ABANDONED = "программа остановилась во время отправки: неизвестно, ушло ли сообщение"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """By what rules a pass sends, how much, and how fast; `admins` hear of what came too late."""

    rules: Rules
    batch_size: int
    min_pause_seconds: float
    max_pause_seconds: float
    admins: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class PassReport:
    """What a pass did; `pending` rows still wait."""

    sent: int
    failed: int
    cancelled: int
    postponed: int
    unknown: int
    pending: int


class Busy(Exception):
    """A pass is already under way."""


class Held(Exception):
    """Nothing can be sent now; the message says why, in Russian."""


class Dispatch:
    """Decides what leaves, and when; `Sender` does it."""

    def __init__(
        self,
        storage: Storage,
        sender: Sender,
        way: Way,
        policy: Policy,
        bells: Bells,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._sender = sender
        self._way = way
        self._policy = policy
        self._bells = bells
        self._clock = clock
        self._passing = asyncio.Lock()
        self._welcoming: set[int] = set()
        self.held = False  # something waits for the way to open: look again soon
        self._looked_at = clock.running()
        self.pass_seconds: float | None = None  # how long the last whole pass took

    async def recover(self) -> None:
        """At start: what a dead process was sending may have gone; people are asked."""
        now = self._clock.now()

        async def work(unit: Unit) -> int:
            rows = await unit.queue.take_abandoned(_ABANDONED)
            for row in rows:
                await ask_about(unit, row, now)
            return len(rows)

        if abandoned := await self._storage.run(work):
            _log.warning("sends_interrupted", rows=abandoned)

    @property
    def is_passing(self) -> bool:
        """Whether a pass is under way."""
        return self._passing.locked()

    async def run_pass(self) -> PassReport:
        """One pass now. Raises `Busy` during another one, `Held` when nothing can be sent.

        While we hold it ourselves (`Way.stopped_because`), the queue is left as it is.
        """
        if self.is_passing:
            raise Busy
        started_at = self._clock.running()
        async with self._passing:
            self._looked_at = self._clock.running()
            self._go_on_if_open(self._way.stopped_because())
            counts, ready = await self._settle()
            self._looked_at = self._clock.running()
            self._go_on_if_open(await self._way.closed_because())
            async with asyncio.TaskGroup() as group:
                welcomes = group.create_task(self.send_welcomes())
                counts += await self._send_batch(ready)
            counts += welcomes.result()
            pending = await self._storage.run(lambda unit: unit.queue.count_pending())
            self._looked_at = self._clock.running()
        self.pass_seconds = self._looked_at - started_at
        report = PassReport(
            sent=counts[Result.SENT],
            failed=counts[Result.FAILED],
            cancelled=counts[Result.CANCELLED],
            postponed=counts[Result.POSTPONED],
            unknown=counts[Result.UNKNOWN],
            pending=pending,
        )
        _log.info("pass_done", **{name: getattr(report, name) for name in report.__slots__})
        return report

    async def send_welcomes(self) -> Counter[Result]:
        """Send every welcome that is due, all at once; those under way are left alone."""
        counts: Counter[Result] = Counter()
        if self._way.stopped_because():
            self.held = True
            return counts
        due = await self._due_welcomes()
        fresh = [row_id for row_id in due if row_id not in self._welcoming]
        if not fresh or self._bells.stopping.is_set():
            return counts
        self._welcoming.update(fresh)
        try:
            if await self._closed():
                return counts
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._welcome(row_id)) for row_id in fresh]
        finally:
            self._welcoming.difference_update(fresh)
        counts.update(task.result() for task in tasks)
        return counts

    async def _welcome(self, row_id: int) -> Result:
        """Send one; if it has to be tried again, it need not wait for those sent beside it."""
        try:
            return await self._guarded_send(row_id)
        finally:
            self._welcoming.discard(row_id)

    async def next_welcome_at(self, now: datetime) -> datetime | None:
        """When the earliest waiting welcome is due."""
        return await self._storage.run(lambda unit: unit.queue.next_welcome_at(now))

    def since_last_look(self) -> timedelta:
        """Running time since the queue was last looked at by a pass, whether it could send."""
        return timedelta(seconds=self._clock.running() - self._looked_at)

    async def oldest_ready_at(self) -> datetime | None:
        """Since when the oldest row waits that may leave now."""
        now = self._clock.now()

        async def work(unit: Unit) -> datetime | None:
            due = await unit.queue.due(now, _CHUNK)
            ready = (d for d in due if isinstance(verdict_on(d, now, self._policy.rules), Leave))
            return next((d.row.scheduled_at for d in ready), None)

        return await self._storage.run(work)

    async def _due_welcomes(self) -> Sequence[int]:
        now = self._clock.now()

        async def work(unit: Unit) -> Sequence[int]:
            await unit.queue.restart_revived(now)
            return await unit.queue.due_welcomes(now)

        return await self._storage.run(work)

    async def _closed(self) -> str | None:
        why = await self._way.closed_because()
        self.held = why is not None
        return why

    def _go_on_if_open(self, why: str | None) -> None:
        self.held = why is not None
        if why:
            _log.info("pass_held", why=why)
            raise Held(why)

    async def _settle(self) -> tuple[Counter[Result], list[int]]:
        """Judge everything that is due; return what was done, and the rows that may leave."""
        counts: Counter[Result] = Counter()
        ready: dict[str, int] = {}  # the oldest row of each phone
        now = self._clock.now()
        await self._storage.run(lambda unit: unit.queue.restart_revived(now))
        after: QueueRow | None = None
        while True:
            chunk = await self._storage.run(partial(self._settle_chunk, now, after))
            counts += chunk.counts
            for phone, row_id in chunk.ready:
                ready.setdefault(phone, row_id)
            if (after := chunk.last) is None:
                break
        if counts:
            self._bells.posts.set()
        return counts, list(ready.values())[: self._policy.batch_size]

    async def _settle_chunk(self, now: datetime, after: QueueRow | None, unit: Unit) -> "_Chunk":
        chunk = _Chunk(Counter(), [], None)
        stale = 0
        for due in await unit.queue.due(now, _CHUNK, after):
            chunk.last = due.row
            verdict = verdict_on(due, now, self._policy.rules)
            if isinstance(verdict, Leave):
                if due.row.day != 0:
                    chunk.ready.append((due.row.phone or "", due.row.id))
                continue
            chunk.counts[await carry_out(unit, due, verdict)] += 1
            stale += isinstance(verdict, Cancel) and verdict.stale
        if stale:
            await self._tell_stale(unit, stale, now)
        return chunk

    async def _tell_stale(self, unit: Unit, number: int, now: datetime) -> None:
        for admin in self._policy.admins or (None,):
            await unit.posts.add(PostKind.STALE, now, recipient=admin, number=number)

    async def _send_batch(self, ready: Sequence[int]) -> Counter[Result]:
        counts: Counter[Result] = Counter()
        for place, row_id in enumerate(ready):
            if place and await self._pause():
                break
            if await self._closed():
                break
            counts[await self._guarded_send(row_id)] += 1
        return counts

    async def _guarded_send(self, row_id: int) -> Result:
        """Send a row; a database that is away for a moment costs this row its turn, no more."""
        if self._bells.stopping.is_set():
            return Result.WAITING
        try:
            return await self._sender.send_row(row_id)
        except StorageError as error:
            _log.error("row_not_claimed", row_id=row_id, error=str(error))
            return Result.WAITING

    async def _pause(self) -> bool:
        """Pause between two sends; say whether the daemon is stopping."""
        seconds = self._clock.uniform(
            self._policy.min_pause_seconds, self._policy.max_pause_seconds
        )
        return await wait(
            self._clock, self._bells.stopping, self._clock.now() + timedelta(seconds=seconds)
        )


@dataclass(slots=True)
class _Chunk:
    """What one transaction of a pass found."""

    counts: Counter[Result]
    ready: list[tuple[str, int]]
    last: QueueRow | None
