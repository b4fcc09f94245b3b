"""May a row leave now, and what follows from what became of it.

Both questions are answered from facts that the caller has just read; nothing here waits or asks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.quiet_hours import Window
from storage.models import CampaignEnd, DueRow, QueueRow

RECALL_LIMIT = timedelta(days=7)
_SHORTEST_BACKOFF = timedelta(minutes=1)
_LONGEST_BACKOFF = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of sending."""

    window: Window
    gap: timedelta  # least time between two messages to one phone
    max_late: timedelta  # a row overdue by more is not sent any more
    give_up: timedelta  # a row that surely was not sent is tried this long


# --- may it leave? ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leave:
    """It may leave now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits for something that has no known time."""

    why: str


@dataclass(frozen=True, slots=True)
class Move:
    """It waits until a known time."""

    to: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """It will not be sent."""

    why: str
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """It cannot be sent as it is, and a person has to look."""

    why: str


Verdict = Leave | Hold | Move | Cancel | Park

_ENDED_BY_PEOPLE = {
    CampaignEnd.REFUSED: "клиент отказался",
    CampaignEnd.UNDONE: "решение отменено",
    CampaignEnd.STOPPED: "рассылка остановлена",
}


def judge(due: DueRow, now: datetime, rules: Rules) -> Verdict:
    """What to do with a row that is due: whether it ends, waits, or may leave."""
    return _ending(due, now, rules) or _waiting(due, now, rules) or Leave()


def _ending(due: DueRow, now: datetime, rules: Rules) -> Verdict | None:
    if (why := _stopped(due)) is not None:
        return Cancel(why)
    if not due.template_active:
        return Cancel("шаблон выключен")
    if due.recalled_at is not None:
        if now - due.recalled_at > RECALL_LIMIT:
            return Cancel("после новой заявки клиенту не позвонили за 7 дней")
        return Hold("ждёт итога звонка по новой заявке клиента")
    if now - due.row.scheduled_at > rules.max_late:
        return Cancel("устарело", stale=True)
    if not due.row.phone:
        return Park("у клиента нет номера телефона")
    if not due.row.text.strip():
        return Park("пустой текст")
    return None


def _stopped(due: DueRow) -> str | None:
    """Why the row's campaign must not go on.

    A message that a person put into the queue beside another campaign of the same phone has no
    active campaign of its own, and yet nobody stopped it.
    """
    if due.campaign_active:
        return None
    if due.campaign_end in _ENDED_BY_PEOPLE:
        return _ENDED_BY_PEOPLE[due.campaign_end]
    return "клиент отмечен как нецелевой" if due.is_target is False else None


def _waiting(due: DueRow, now: datetime, rules: Rules) -> Verdict | None:
    if due.is_target is False:
        return Hold("клиент отмечен как нецелевой")
    if due.phone_unknown:
        return Hold("неясно, ушло ли прошлое сообщение: ответьте на вопрос бота")
    if due.phone_sending:
        return Hold("клиенту прямо сейчас отправляется другое сообщение")
    if due.last_sent_at is not None and now < due.last_sent_at + rules.gap:
        to = rules.window.next_open(due.last_sent_at + rules.gap)
        return Move(to, "между сообщениями одному клиенту нужен перерыв")
    opens = rules.window.next_open(now)
    if opens > now:
        return Move(opens, "вне часов отправки")
    return None


# --- what became of it? -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The service took it."""

    id_message: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The service refused this very message."""

    why: str


@dataclass(frozen=True, slots=True)
class InstanceDown:
    """The service refuses every message now; this one was not sent."""

    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It surely was not sent, and may be tried again."""

    why: str
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may have gone."""

    why: str


Outcome = Accepted | Refused | InstanceDown | NotSent | Uncertain


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Try the row again at a later moment."""

    at: datetime
    first_failed_at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not try the row again."""

    why: str


def after_not_sent(
    row: QueueRow, outcome: NotSent, now: datetime, rules: Rules, chance: float
) -> TryAgain | GiveUp:
    """When to try again: about twice as long after the first failure as now, up to an hour.

    `chance` is between 0 and 1 and spreads the attempts of many rows.
    """
    first = row.first_failed_at or now
    if now - first >= rules.give_up:
        hours = int(rules.give_up / timedelta(hours=1))
        return GiveUp(f"не удалось отправить за {hours} ч: {outcome.why}")
    backoff = min(max(now - first, _SHORTEST_BACKOFF), _LONGEST_BACKOFF)
    delay = max(backoff * (0.5 + chance / 2), outcome.retry_after)
    return TryAgain(now + delay, first)
