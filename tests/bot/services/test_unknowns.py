"""What people say of messages whose fate is not known."""

import asyncio
from datetime import timedelta

import pytest

from bot.services.unknowns import Unknowns
from storage.models import EventKind, RowStatus
from tests.builders import MARIA, MONDAY_10, PYOTR, new_row

ATTEMPT = MONDAY_10 + timedelta(minutes=1)


@pytest.fixture
async def unknowns(world, jump) -> Unknowns:
    """A message of Monday 10:00 that perhaps went a minute later; since then a day has passed."""
    await world.add_lead()
    await world.queue(new_row())

    async def work(unit):
        await unit.queue.claim(1, "claim", ATTEMPT)
        await unit.queue.mark_unknown(1, "claim", "нет ответа")

    await world.storage.run(work)
    jump(days=1)
    return Unknowns(world.storage, world.bells, world.clock)


async def test_resend(world, unknowns: Unknowns) -> None:
    """«Отправить ещё раз» puts the message back, notes who said so, and wakes the loops."""
    assert await unknowns.resend(1, MARIA)
    row = await world.row()

    assert (RowStatus.PENDING, True, None) == (row.status, row.revived, row.error)
    assert [(EventKind.RESEND, "Мария", "day1_acting")] == await world.notes()
    assert world.bells.queue.is_set()
    assert world.bells.posts.is_set()


async def test_campaign_goes_on_with_what_is_resent(world, unknowns: Unknowns) -> None:
    """A campaign that had ended by itself goes on for the message that is sent again."""
    ended = await world.lead()
    await unknowns.resend(1, MARIA)

    assert [False, True] == [ended.campaign_active, (await world.lead()).campaign_active]


async def test_count_as_sent(world, unknowns: Unknowns) -> None:
    """«Считать отправленным» makes it sent at the time of its attempt."""
    assert await unknowns.count_as_sent(1, MARIA)
    row = await world.row()

    assert (RowStatus.SENT, ATTEMPT) == (row.status, row.sent_at)
    assert ATTEMPT == (await world.lead()).last_whatsapp_sent_at
    assert [(EventKind.COUNTED_SENT, "Мария", "day1_acting")] == await world.notes()


@pytest.mark.parametrize("row_id", [1, 2], ids=["settled", "no such row"])
async def test_settled_once(world, unknowns: Unknowns, row_id: int) -> None:
    """What is settled, or not there, is not settled again by either word."""
    await unknowns.count_as_sent(1, MARIA)
    before = await world.snapshot()
    answers = [await unknowns.resend(row_id, PYOTR), await unknowns.count_as_sent(row_id, PYOTR)]

    assert [False, False] == answers
    assert before == await world.snapshot()


async def test_two_managers_at_once(world, unknowns: Unknowns) -> None:
    """Of two words said at once one counts."""
    answers = await asyncio.gather(unknowns.resend(1, MARIA), unknowns.count_as_sent(1, PYOTR))

    assert [True, False] == answers
    assert [EventKind.RESEND] == await world.events()


async def test_press_that_is_handled_again(world, unknowns: Unknowns) -> None:
    """A press handled anew after a death sends nothing again, though the row is in doubt anew."""

    async def press_arrives(unit):
        await unit.inbox.add([(70, 1, {"update_id": 70})], world.clock.now())

    async def in_doubt_anew(unit):
        await unit.queue.claim(1, "second", world.clock.now())
        await unit.queue.mark_unknown(1, "second", "нет ответа")

    await world.storage.run(press_arrives)
    first = await unknowns.resend(1, MARIA, 70)
    await world.storage.run(in_doubt_anew)
    again = await unknowns.resend(1, MARIA, 70)

    assert (True, True) == (first, again)
    assert RowStatus.UNKNOWN == (await world.row()).status
    assert [EventKind.RESEND] == await world.events()
