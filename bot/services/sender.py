"""One row from the queue to WhatsApp: claim, send, record.

1. In one transaction the row's facts are read again and judged; only a row that may leave this
   very moment is claimed: `sending` is on disk before the first byte goes out.
2. The message is sent outside any transaction.
3. What became of it is recorded. If that cannot be done, the row stays `sending`, and after a
   restart it is `unknown`: a person is asked, the machine never sends it again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from uuid import uuid4

import structlog

from bot.clock import Clock, sleep
from bot.domain.delivery import (
    Accepted,
    Cancel,
    GiveUp,
    Hold,
    InstanceDown,
    Leave,
    Move,
    NotSent,
    Outcome,
    Park,
    Refused,
    Rules,
    Uncertain,
    Verdict,
    after_not_sent,
    judge,
)
from bot.services.bells import Bells
from bot.services.gate import Gate
from storage.errors import Conflict, StorageError
from storage.models import DueRow, PostKind, QueueRow
from storage.storage import Storage, Unit

Send = Callable[[str, str], Awaitable[Outcome]]

_STOPPED = "программа остановилась, не дождавшись ответа: неизвестно, ушло ли сообщение"
_BROKEN = "внутренняя ошибка"
_PERHAPS = f"{_BROKEN}: неизвестно, ушло ли сообщение"
_RECORD_AGAIN_SECONDS = 2.0

_log = structlog.get_logger()


class Result(StrEnum):
    """What became of a row in a pass."""

    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    UNKNOWN = "unknown"
    WAITING = "waiting"  # held, gone elsewhere, or the instance refused: nothing changed


def verdict_on(due: DueRow, now: datetime, rules: Rules) -> Verdict:
    """What `judge` says; a row that breaks our own code is parked, so that others go on."""
    try:
        return judge(due, now, rules)
    except Exception as error:
        _log.exception("row_not_judged", row_id=due.row.id)
        return Park(f"{_BROKEN}: {type(error).__name__}")


async def carry_out(unit: Unit, due: DueRow, verdict: Verdict) -> Result:
    """Write down what a verdict says of a row that may not leave."""
    row = due.row
    match verdict:
        case Move(to=to, why=why):
            return Result.POSTPONED if await unit.queue.move(row.id, to, why) else Result.WAITING
        case Cancel(why=why):
            return Result.CANCELLED if await unit.queue.cancel(row.id, why) else Result.WAITING
        case Park(why=why):
            return Result.FAILED if await unit.queue.park(row.id, why) else Result.WAITING
        case Hold(why=why) if row.error != why:
            await unit.queue.move(row.id, row.scheduled_at, why)
    return Result.WAITING


class Sender:
    """Sends single messages; never two to one phone at a time."""

    def __init__(
        self, storage: Storage, send: Send, gate: Gate, rules: Rules, bells: Bells, clock: Clock
    ) -> None:
        self._storage = storage
        self._send = send
        self._gate = gate
        self._rules = rules
        self._bells = bells
        self._clock = clock
        self._testing: set[str] = set()  # phones that a test message is on its way to

    async def send_row(self, row_id: int) -> Result:
        """Take one row the whole way; an error in our own code parks the row and is logged."""
        claim = uuid4().hex
        try:
            taken = await self._storage.run(lambda unit: self._claim(unit, row_id, claim))
        except StorageError:
            raise
        except Exception as error:
            return await self._park(row_id, error)
        if isinstance(taken, Result):
            return taken
        outcome = await self._send_claimed(taken, claim)
        return await self._record(taken, claim, outcome)

    async def send_test(self, phone: str, text: str) -> Outcome:
        """Send a text at once, past window and queue; it counts for no gap."""
        if phone in self._testing:
            return NotSent("этому номеру уже отправляется другое сообщение")
        self._testing.add(phone)
        try:
            why = await self._storage.run(lambda unit: _busy(unit, phone))
            why = why or await self._gate.closed_because()
            outcome = NotSent(why) if why else await self._send_remembered(phone, text)
        finally:
            self._testing.discard(phone)
        if isinstance(outcome, InstanceDown):
            self._gate.close(outcome.why)
        _log.info("test_message", outcome=type(outcome).__name__, phone=phone)
        return outcome

    async def _send_remembered(self, phone: str, text: str) -> Outcome:
        """Nothing of a test message stands in the queue: remember it, or it would look foreign."""
        now = self._clock.now()
        await self._storage.run(lambda unit: unit.own_sends.remember_test(phone, text, now))
        return await self._send(phone, text)

    async def _claim(self, unit: Unit, row_id: int, claim: str) -> QueueRow | Result:
        now = self._clock.now()
        due = await unit.queue.find_due(row_id, now)
        if due is None or due.row.phone in self._testing:
            return Result.WAITING
        verdict = verdict_on(due, now, self._rules)
        if isinstance(verdict, Cancel) and verdict.stale:
            return Result.WAITING  # a pass counts what came too late, and tells admins
        if not isinstance(verdict, Leave):
            return await carry_out(unit, due, verdict)
        claimed = await unit.queue.claim(row_id, claim, now)
        return due.row if claimed else Result.WAITING

    async def _send_claimed(self, row: QueueRow, claim: str) -> Outcome:
        try:
            return await self._send(row.phone or "", row.text)
        except asyncio.CancelledError:
            # Once: if the database is away just now, the next start finds the row still sending.
            await self._storage.run(lambda u: self._write(u, row, claim, Uncertain(_STOPPED)))
            raise
        except Exception:
            _log.exception("send_broke", row_id=row.id)
            return Uncertain(_PERHAPS)

    async def _record(self, row: QueueRow, claim: str, outcome: Outcome) -> Result:
        """Record the outcome, however often the database refuses."""
        while True:
            write = partial(self._write, row=row, claim=claim, outcome=outcome)
            try:
                result = await self._storage.run(write)
                break
            except Conflict as error:
                _log.error("outcome_refused", row_id=row.id, error=str(error))
                outcome = _plainer(outcome)
            except StorageError as error:
                _log.error("outcome_not_recorded", row_id=row.id, error=str(error))
            except Exception:
                _log.exception("outcome_broke", row_id=row.id)
                outcome = Uncertain(_PERHAPS)
            await sleep(self._clock, _RECORD_AGAIN_SECONDS)
        if isinstance(outcome, InstanceDown):
            self._gate.close(outcome.why)
        _log.info("message", row_id=row.id, lead_id=row.lead_id, result=result, phone=row.phone)
        self._bells.posts.set()
        return result

    async def _write(self, unit: Unit, row: QueueRow, claim: str, outcome: Outcome) -> Result:
        now = self._clock.now()
        match outcome:
            case Accepted(answer=answer):
                await unit.queue.mark_sent(row.id, claim, now, answer)
                return Result.SENT
            case Refused(why=why):
                await unit.queue.mark_failed(row.id, claim, why)
                return Result.FAILED
            case Uncertain(why=why):
                if await unit.queue.mark_unknown(row.id, claim, why):
                    await ask_about(unit, row, now)
                return Result.UNKNOWN
            case InstanceDown(why=why):
                await unit.queue.give_back(row, claim, why)
                return Result.WAITING
            case NotSent():
                return await self._try_again(unit, row, claim, outcome)

    async def _try_again(self, unit: Unit, row: QueueRow, claim: str, outcome: NotSent) -> Result:
        chance = self._clock.uniform(0, 1)
        decision = after_not_sent(row, outcome, self._clock.now(), self._rules, chance)
        if isinstance(decision, GiveUp):
            await unit.queue.mark_failed(row.id, claim, decision.why)
            return Result.FAILED
        at, first = decision.at, decision.first_failed_at
        await unit.queue.put_back(row, claim, at, outcome.why, first)
        return Result.POSTPONED

    async def _park(self, row_id: int, error: Exception) -> Result:
        _log.exception("row_parked", row_id=row_id)
        why = f"{_BROKEN}: {type(error).__name__}"
        await self._storage.run(lambda unit: unit.queue.park(row_id, why))
        self._bells.posts.set()
        return Result.FAILED


def _plainer(outcome: Outcome) -> Outcome:
    """An outcome that no table can refuse: an answer may hold what JSON in SQLite cannot."""
    if isinstance(outcome, Accepted) and len(outcome.answer) > 1:
        return Accepted(outcome.id_message, {"idMessage": outcome.id_message})
    return Uncertain(_PERHAPS)


async def ask_about(unit: Unit, row: QueueRow, now: datetime) -> None:
    """Let the managers be asked what became of a row."""
    await unit.posts.add(PostKind.UNKNOWN, now, lead_id=row.lead_id, queue_id=row.id)


async def _busy(unit: Unit, phone: str) -> str | None:
    if await unit.queue.has_sending(phone):
        return "этому номеру прямо сейчас отправляется другое сообщение"
    if await unit.queue.has_unknown(phone):
        return "неясно, ушло ли прошлое сообщение этому номеру: сначала ответьте на вопрос бота"
    return None
