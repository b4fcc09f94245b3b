"""May a row leave now, and what follows when it surely was not sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.delivery import (
    RECALL_LIMIT,
    Cancel,
    GiveUp,
    Hold,
    Leave,
    Move,
    NotSent,
    Park,
    TryAgain,
    Verdict,
    after_not_sent,
    judge,
)
from storage.models import CampaignEnd
from tests.builders import MONDAY_10, RULES, make_due, make_row

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NIGHT = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)  # 22:00 in Moscow
MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # 09:00, the window opens

# Facts that hold a row back, in the order in which they are looked at: each wins over those below.
STOPPED = {"campaign_active": False, "campaign_end": CampaignEnd.STOPPED}
OFF = {"template_active": False}
FORGOTTEN = {"recalled_at": MONDAY_10 - RECALL_LIMIT - SECOND}
RECALLED = {"recalled_at": MONDAY_10 - RECALL_LIMIT}
STALE = {"scheduled_at": MONDAY_10 - RULES.max_late - SECOND}
NO_PHONE = {"phone": None}
NO_TEXT = {"text": " \n"}
NOT_TARGET = {"is_target": False}
UNKNOWN = {"phone_unknown": True}
SENDING = {"phone_sending": True}
SOON = {"last_sent_at": MONDAY_10 - RULES.gap + SECOND}

PRECEDENCE = [
    ("stopped", STOPPED, Cancel("рассылка остановлена")),
    ("template off", OFF, Cancel("шаблон выключен")),
    (
        "recall forgotten",
        FORGOTTEN,
        Cancel("после новой заявки клиенту не позвонили за 7 дней"),
    ),
    ("recalled", RECALLED, Hold("ждёт итога звонка по новой заявке клиента")),
    ("stale", STALE, Cancel("устарело", stale=True)),
    ("no phone", NO_PHONE, Park("у клиента нет номера телефона")),
    ("no text", NO_TEXT, Park("пустой текст")),
    ("not a target", NOT_TARGET, Hold("клиент отмечен как нецелевой")),
    (
        "unknown before it",
        UNKNOWN,
        Hold("неясно, ушло ли прошлое сообщение: ответьте на вопрос бота"),
    ),
    ("sending", SENDING, Hold("клиенту прямо сейчас отправляется другое сообщение")),
    (
        "too soon",
        SOON,
        Move(MONDAY_10 + SECOND, "между сообщениями одному клиенту нужен перерыв"),
    ),
]
_ROW_FACTS = {"scheduled_at", "phone", "text"}


def due(**facts: Any) -> Any:
    """A due row of which these facts hold."""
    row = make_row(**{name: fact for name, fact in facts.items() if name in _ROW_FACTS})
    return make_due(row, **{name: fact for name, fact in facts.items() if name not in _ROW_FACTS})


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [(facts, verdict) for _, facts, verdict in PRECEDENCE],
    ids=[name for name, _, _ in PRECEDENCE],
)
def test_one_reason(facts: dict[str, Any], verdict: Verdict) -> None:
    """Each single reason has its verdict and its words."""
    assert verdict == judge(due(**facts), MONDAY_10, RULES)


@pytest.mark.parametrize(
    ("above", "below"),
    [
        pytest.param(above, below, id=f"{above[0]} over {below[0]}")
        for place, above in enumerate(PRECEDENCE)
        for below in PRECEDENCE[place + 1 :]
        if {above[0], below[0]} != {"recall forgotten", "recalled"}  # one fact cannot be both
    ],
)
def test_precedence(above: Any, below: Any) -> None:
    """Of two reasons the earlier one is told."""
    assert above[2] == judge(due(**(below[1] | above[1])), MONDAY_10, RULES)


@pytest.mark.parametrize(
    ("end", "is_target", "why"),
    [
        (CampaignEnd.STOPPED, True, "рассылка остановлена"),
        (CampaignEnd.REFUSED, False, "клиент отказался"),
        (CampaignEnd.UNDONE, None, "решение отменено"),
        (CampaignEnd.FINISHED, False, "клиент отмечен как нецелевой"),
        (None, False, "клиент отмечен как нецелевой"),
    ],
)
def test_campaign_that_people_ended_cancels(
    end: CampaignEnd | None, is_target: bool | None, why: str
) -> None:
    """A row of a campaign that a person ended is cancelled, and says how it ended."""
    row = due(campaign_active=False, campaign_end=end, is_target=is_target)

    assert Cancel(why) == judge(row, MONDAY_10, RULES)


LEAVES = {
    "nothing against it": {},
    "late by just the limit": {"scheduled_at": MONDAY_10 - RULES.max_late},
    "the gap is just over": {"last_sent_at": MONDAY_10 - RULES.gap},
    "not answered yet": {"is_target": None},
    "an old end, running again": {"campaign_end": CampaignEnd.STOPPED},
    "beside another campaign of the phone": {"campaign_active": False},
    "put in after the campaign": {
        "campaign_active": False,
        "campaign_end": CampaignEnd.FINISHED,
    },
}


@pytest.mark.parametrize("facts", LEAVES.values(), ids=LEAVES)
def test_leaves(facts: dict[str, Any]) -> None:
    """At the edges of the rules a row still leaves."""
    assert Leave() == judge(due(**facts), MONDAY_10, RULES)


MOVES = {
    "outside the window": (NIGHT, {}, Move(MORNING, "вне часов отправки")),
    "gap ends at night": (
        NIGHT,
        {"last_sent_at": NIGHT - RULES.gap + HOUR},
        Move(MORNING, "между сообщениями одному клиенту нужен перерыв"),
    ),
    "gap ends in the window": (
        NIGHT,
        {"last_sent_at": NIGHT - HOUR},
        Move(NIGHT + 19 * HOUR, "между сообщениями одному клиенту нужен перерыв"),
    ),
    "as the window closes": (NIGHT - HOUR, {}, Move(MORNING, "вне часов отправки")),
    "a second before": (NIGHT - HOUR - SECOND, {}, Leave()),
}


@pytest.mark.parametrize(("now", "facts", "verdict"), MOVES.values(), ids=MOVES)
def test_moves(now: datetime, facts: dict[str, Any], verdict: Verdict) -> None:
    """A row that has to wait is moved to a moment at which it may leave."""
    assert verdict == judge(due(**facts), now, RULES)


@pytest.mark.parametrize(
    "facts",
    [facts for _, facts, _ in PRECEDENCE[:-1]],
    ids=[name for name, _, _ in PRECEDENCE[:-1]],
)
def test_the_window_comes_last(facts: dict[str, Any]) -> None:
    """Closed hours change nothing of any other reason, but for the gap."""
    assert judge(due(**facts), MONDAY_10, RULES) == judge(
        due(**facts), MONDAY_10, replace(RULES, window=replace(RULES.window, opens=1200))
    )


_ago = st.timedeltas(timedelta(), timedelta(days=5))


@settings(deadline=None, derandomize=True, max_examples=300)
@given(_ago, _ago, st.none() | _ago)
def test_moved_rows_leave_when_their_time_comes(
    since: timedelta, late: timedelta, sent_ago: timedelta | None
) -> None:
    """A moved row may leave at the moment it was moved to, if nothing else happens till then."""
    now = MONDAY_10 + since
    sent = None if sent_ago is None else now - sent_ago
    verdict = judge(due(scheduled_at=now - late, last_sent_at=sent), now, RULES)

    assert isinstance(verdict, Leave | Move | Cancel)
    if isinstance(verdict, Move):
        assert verdict.to > now
        again = due(scheduled_at=verdict.to, last_sent_at=sent)
        assert Leave() == judge(again, verdict.to, RULES)


# --- after it surely was not sent ---------------------------------------------------------------

MINUTE = timedelta(minutes=1)
NO_NET = NotSent("нет связи с GREEN-API")

BACKOFF = {
    "first failure": (None, 0.0, 0.5 * MINUTE),
    "first failure, unlucky": (None, 1.0, MINUTE),
    "half a minute on": (MINUTE / 2, 1.0, MINUTE),
    "two minutes on": (2 * MINUTE, 0.0, MINUTE),
    "two minutes on, unlucky": (2 * MINUTE, 1.0, 2 * MINUTE),
    "half lucky": (2 * MINUTE, 0.5, 1.5 * MINUTE),
    "forty minutes on": (40 * MINUTE, 1.0, 40 * MINUTE),
    "an hour on": (HOUR, 1.0, HOUR),
    "a day on": (24 * HOUR, 1.0, HOUR),
    "a day on, lucky": (24 * HOUR, 0.0, HOUR / 2),
    "a clock set back": (-HOUR, 1.0, MINUTE),
    "a second before the end": (48 * HOUR - SECOND, 1.0, HOUR),
}


@pytest.mark.parametrize(("failing", "chance", "delay"), BACKOFF.values(), ids=BACKOFF)
def test_backoff(failing: timedelta | None, chance: float, delay: timedelta) -> None:
    """It is tried again after as long as it has failed, from a minute to an hour, or half that."""
    first = None if failing is None else MONDAY_10 - failing
    decision = after_not_sent(make_row(first_failed_at=first), NO_NET, MONDAY_10, RULES, chance)

    assert TryAgain(MONDAY_10 + delay, first or MONDAY_10) == decision


@pytest.mark.parametrize(
    ("asked", "delay"),
    [(90, timedelta(seconds=90)), (3 * 3600, 3 * HOUR), (10, MINUTE)],
    ids=["longer", "longer than an hour", "shorter"],
)
def test_retry_after_wins_if_longer(asked: int, delay: timedelta) -> None:
    """The service's own wish lengthens a wait and never shortens it."""
    outcome = NotSent("слишком часто", timedelta(seconds=asked))
    decision = after_not_sent(make_row(), outcome, MONDAY_10, RULES, 1.0)

    assert TryAgain(MONDAY_10 + delay, MONDAY_10) == decision


@pytest.mark.parametrize("over", [timedelta(), HOUR])
def test_gives_up(over: timedelta) -> None:
    """After `give_up` a row is failed, and says how long it was tried and why in vain."""
    row = make_row(first_failed_at=MONDAY_10 - RULES.give_up - over)

    expected = GiveUp("не удалось отправить за 48 ч: нет связи с GREEN-API")
    assert expected == after_not_sent(row, NO_NET, MONDAY_10, RULES, 0.5)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=200, max_size=200))
def test_attempts_end(chances: list[float]) -> None:
    """A row that never goes out is given up soon after `give_up`, in a sane number of attempts."""
    now, row, attempts = MONDAY_10, make_row(), 0
    for chance in chances:
        attempts += 1
        decision = after_not_sent(row, NO_NET, now, RULES, chance)
        if isinstance(decision, GiveUp):
            break
        row = replace(row, first_failed_at=decision.first_failed_at)
        now = decision.at

    assert isinstance(decision, GiveUp)
    assert RULES.give_up <= now - MONDAY_10 <= RULES.give_up + HOUR
    assert 48 <= attempts <= 110
