"""May anything be sent through the instance now?"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.clock import Conductor
from bot.services.gate import Gate
from greenapi.errors import (
    InstanceTrouble,
    InstanceUnusable,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
)
from greenapi.models import InstanceState
from tests.builders import MONDAY_10

NOT_LINKED = "WhatsApp не привязан: отсканируйте QR-код"


class Green:
    """An instance that says what it is told to, and counts how often it was asked."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.most_at_once = 0
        self._at_once = 0

    async def get_state_instance(self) -> InstanceState:
        self.asked += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return InstanceState.of(answer)


@pytest.fixture
def clock() -> Conductor:
    """A clock that stands still."""
    return Conductor(MONDAY_10, rate=1e-9)


def gate_of(green: Green, clock: Conductor) -> Gate:
    """A gate before that instance."""
    return Gate(green, clock)  # type: ignore[arg-type]  # a stand-in for one method


STATES = {
    "authorized": ("authorized", None),
    "not linked": ("notAuthorized", NOT_LINKED),
    "blocked": ("blocked", "номер заблокирован в WhatsApp"),
    "starting": ("starting", "инстанс GREEN-API запускается"),
    "suspended": ("suspended", "WhatsApp временно ограничил отправку с этого номера"),
    "its old name": ("yellowCard", "WhatsApp временно ограничил отправку с этого номера"),
    "asleep": ("sleepMode", "телефон с WhatsApp выключен"),
    "a new word": ("hibernating", "инстанс GREEN-API в состоянии «hibernating»"),
    "no word": (None, "инстанс GREEN-API в состоянии «неизвестно»"),
    "token": (
        InstanceUnusable(InstanceTrouble.TOKEN_REFUSED, 401),
        "GREEN-API не принимает токен: проверьте его в консоли",
    ),
    "quota": (InstanceUnusable(InstanceTrouble.QUOTA, 466), "исчерпан лимит тарифа GREEN-API"),
    "no net": (Unreachable("refused"), "нет связи с GREEN-API"),
    "too often": (RateLimited(None), "слишком частые запросы к GREEN-API"),
    "nonsense": (OutcomeUnknown("html", 200), "GREEN-API не отвечает как надо"),
}


@pytest.mark.parametrize(("answer", "why"), STATES.values(), ids=STATES)
async def test_states(clock: Conductor, answer: Any, why: str | None) -> None:
    """The way is open only to an authorized instance; else people are told why not."""
    assert why == await gate_of(Green(answer), clock).closed_because()


@pytest.mark.parametrize(("seconds", "asked"), [(0, 1), (59, 1), (60, 2), (3600, 2), (-1, 2)])
@pytest.mark.parametrize("state", ["authorized", "notAuthorized"])
async def test_answer_is_a_minute_good(
    clock: Conductor, state: str, seconds: int, asked: int
) -> None:
    """An answer counts for less than a minute, and not at all once the clock was set back."""
    green = Green(state)
    gate = gate_of(green, clock)
    await gate.closed_because()
    clock.jump(seconds)
    await gate.closed_because()

    assert asked == green.asked


async def test_opens_again(clock: Conductor) -> None:
    """When the instance is usable again, the way opens with the next question."""
    gate = gate_of(Green("notAuthorized", "authorized"), clock)
    first = await gate.closed_because()
    clock.jump(60)

    assert [NOT_LINKED, None] == [first, await gate.closed_because()]


async def test_refused_message_closes(clock: Conductor) -> None:
    """A refusal closes the way for a minute, though the instance had just called itself fine."""
    green = Green("authorized")
    gate = gate_of(green, clock)
    await gate.closed_because()
    clock.jump(59)
    gate.close("исчерпан лимит")
    clock.jump(59)
    closed = await gate.closed_because()
    clock.jump(1)

    assert ["исчерпан лимит", None] == [closed, await gate.closed_because()]
    assert 2 == green.asked


async def test_asked_once_at_a_time(clock: Conductor) -> None:
    """Many who ask at once make one question, and all hear its answer."""
    green = Green("notAuthorized")
    gate = gate_of(green, clock)
    answers = await asyncio.gather(*(gate.closed_because() for _ in range(20)))

    assert [NOT_LINKED] * 20 == answers
    assert (1, 1) == (green.asked, green.most_at_once)


async def test_slow_answer_is_old_from_its_arrival(clock: Conductor) -> None:
    """The minute is counted from the answer."""
    green = Green("authorized")
    gate = gate_of(green, clock)
    asking = asyncio.create_task(gate.closed_because())
    await asyncio.sleep(0)
    clock.jump(timedelta(seconds=30).total_seconds())
    await asking
    clock.jump(59)
    await gate.closed_because()

    assert 1 == green.asked
