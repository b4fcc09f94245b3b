"""May automatic messages leave now?"""

from typing import Any

import pytest

from bot.demo.clock import Conductor
from bot.services.gate import Gate
from bot.services.way import Way
from greenapi.models import InstanceState


class Green:
    """An instance in one state; it counts how often it was asked."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked = 0

    async def get_state_instance(self) -> InstanceState:
        self.asked += 1
        return InstanceState.of(self.word)


def way_of(clock: Conductor, word: str, *reasons: str | None) -> tuple[Way, Green]:
    """A way with so many stops before an instance in that state."""
    green: Any = Green(word)
    return Way(Gate(green, clock), *(lambda r=reason: r for reason in reasons)), green


@pytest.mark.parametrize(
    ("word", "reasons", "ours", "all_told"),
    [
        ("authorized", (), None, None),
        ("authorized", (None, None), None, None),
        ("authorized", (None, "мы держим", "диск"), "мы держим", "мы держим"),
        ("blocked", (None,), None, "номер заблокирован в WhatsApp"),
        ("blocked", ("мы держим",), "мы держим", "мы держим"),
    ],
)
async def test_our_own_reasons_come_first(
    clock: Conductor,
    word: str,
    reasons: tuple[str | None, ...],
    ours: str | None,
    all_told: str | None,
) -> None:
    """The first reason of ours counts, then the instance's."""
    way, _ = way_of(clock, word, *reasons)

    assert (ours, all_told) == (way.stopped_because(), await way.closed_because())


async def test_nobody_is_asked_while_we_hold_it_ourselves(clock: Conductor) -> None:
    """What we know needs no call to the instance."""
    way, green = way_of(clock, "authorized", "мы держим")
    await way.closed_because()

    assert 0 == green.asked


@pytest.mark.parametrize(
    ("word", "reasons", "why"),
    [
        ("blocked", (None,), "номер заблокирован в WhatsApp"),
        ("blocked", ("мы держим",), "мы держим"),
        ("authorized", (None,), None),
    ],
)
async def test_what_is_known_is_told_without_asking(
    clock: Conductor, word: str, reasons: tuple[str | None, ...], why: str | None
) -> None:
    """Whoever only watches hears the last answer of the instance."""
    way, green = way_of(clock, word, *reasons)
    before = way.why
    await way.closed_because()
    asked = green.asked

    assert (reasons[0], why, asked) == (before, way.why, green.asked)
