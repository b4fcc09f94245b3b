"""The dispatcher: a pass over the queue, and the welcomes, which wait for no pass."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.delivery import InstanceDown, NotSent, Uncertain
from bot.domain.leads import Action
from bot.services import sender as sender_module
from bot.services.dispatch import Busy, Dispatch, Held, PassReport, Policy
from bot.services.sender import Result
from bot.services.way import Way
from storage.models import PostKind, RowStatus
from tests.builders import MONDAY_10, RULES, new_row

PENDING, SENT, FAILED = RowStatus.PENDING, RowStatus.SENT, RowStatus.FAILED
UNKNOWN, CANCELLED = RowStatus.UNKNOWN, RowStatus.CANCELLED
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ANNA = "79001234567"

POLICY = Policy(
    rules=RULES,
    batch_size=3,
    min_pause_seconds=0,
    max_pause_seconds=0,
    admins=(501, 502),
)


def phone(number: int) -> str:
    """The phone of a client."""
    return f"7900765{number:04}"


@pytest.fixture
def make(world, sender, gate):
    """A dispatcher; the arguments change its policy."""

    def dispatch(**policy: Any) -> Dispatch:
        return Dispatch(
            world.storage, sender, Way(gate), replace(POLICY, **policy), world.bells, world.clock
        )

    return dispatch


@pytest.fixture
def dispatch(make) -> Dispatch:
    """A dispatcher that pauses not at all and sends three in a pass."""
    return make()


def report(**counts: int) -> PassReport:
    """A pass that did this and nothing else."""
    return PassReport(**(dict.fromkeys(PassReport.__slots__, 0) | counts))


# --- what goes, in what order -------------------------------------------------------------------


async def test_nothing_to_do(dispatch) -> None:
    """An empty queue makes an empty report."""
    assert report() == await dispatch.run_pass()


async def test_oldest_first_and_no_more_than_a_batch(world, dispatch, wire) -> None:
    """A pass sends the oldest rows that are due, and leaves the rest for the next one."""
    for number, minutes in enumerate([5, 1, 4, 2, 3]):
        await world.add_client(phone(number), scheduled_at=MONDAY_10 - minutes * MINUTE)
    await world.add_client(phone(9), scheduled_at=MONDAY_10 + MINUTE)
    first = await dispatch.run_pass()
    second = await dispatch.run_pass()

    assert report(sent=3, pending=3) == first
    assert report(sent=2, pending=1) == second
    assert [phone(number) for number in (0, 2, 4, 3, 1)] == wire.sent


STOPPED = "UPDATE leads SET whatsapp_campaign_active = FALSE WHERE id = 1"
HELD_BACK = {
    "stopped": (STOPPED, CANCELLED, "рассылка остановлена"),
    "a no by SQL": (
        "UPDATE leads SET is_target = FALSE WHERE id = 1",
        PENDING,
        "клиент отмечен как нецелевой",
    ),
    "template off": (
        "UPDATE whatsapp_templates SET active = FALSE WHERE name = 'day7'",
        CANCELLED,
        "шаблон выключен",
    ),
    "stale": (
        "UPDATE whatsapp_queue SET scheduled_at = '2026-11-20 06:59:59' WHERE id = 1",
        CANCELLED,
        "устарело",
    ),
    "too soon": (
        "UPDATE leads SET last_whatsapp_sent_at = '2026-11-23 06:00:00' WHERE id = 1",
        PENDING,
        "между сообщениями одному клиенту нужен перерыв",
    ),
    "no text": (
        "UPDATE whatsapp_queue SET message_text = '' WHERE id = 1",
        FAILED,
        "пустой текст",
    ),
}


@pytest.mark.parametrize(("statement", "status", "why"), HELD_BACK.values(), ids=HELD_BACK)
async def test_what_may_not_leave_takes_no_place(
    world, make, wire, statement: str, status: RowStatus, why: str
) -> None:
    """A row that is held, moved, cancelled or failed leaves its place in the batch to others."""
    await world.add_client(phone(1), template="day7", scheduled_at=MONDAY_10 - HOUR)
    await world.add_client(phone(2))
    world.sql(statement)
    done = await make(batch_size=1).run_pass()
    row = await world.row(1)

    assert [phone(2)] == wire.sent
    assert 1 == done.sent
    assert (status, why) == (row.status, row.error)


async def test_many_held_rows_hide_no_other(world, make, wire) -> None:
    """However many rows are held before it, the one that may leave is found."""
    await world.add_client(phone(1))
    world.sql("UPDATE leads SET is_target = FALSE WHERE id = 1")
    world.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)"
        " INSERT INTO whatsapp_queue (lead_id, message_text, scheduled_at)"
        " SELECT 1, 'Да', '2026-11-23 06:00:00' FROM n"
    )
    await world.add_client(phone(2))
    done = await make(batch_size=1).run_pass()

    assert report(sent=1, pending=451) == done
    assert [phone(2)] == wire.sent


async def test_night(world, dispatch, wire, jump) -> None:
    """Outside the window every row is moved to the morning, and leaves then."""
    await world.add_client(phone(1))
    jump(hours=11)
    night = await dispatch.run_pass()
    moved = (await world.row()).scheduled_at
    jump(hours=12)
    morning = await dispatch.run_pass()

    assert [report(postponed=1, pending=1), report(sent=1)] == [night, morning]
    assert MONDAY_10 + 23 * HOUR == moved


# --- one client ---------------------------------------------------------------------------------


async def test_one_message_a_client_after_downtime(world, dispatch, wire, jump) -> None:
    """After days of downtime a client gets one message, and the next one a gap later."""
    await world.add_lead()
    for name in ("welcome", "day1_acting", "day3"):
        await world.queue(new_row(template=name))
    jump(days=2)
    first = await dispatch.run_pass()
    second = await dispatch.run_pass()
    third = await dispatch.run_pass()

    assert report(sent=1, pending=2) == first
    assert [report(postponed=2, pending=2), report(pending=2)] == [second, third]
    assert [ANNA] == wire.sent
    assert {MONDAY_10 + 2 * DAY + 23 * HOUR} == {r.scheduled_at for r in (await world.rows())[1:]}


async def test_whole_week_goes_a_gap_apart(world, dispatch, wire, jump) -> None:
    """Rows that fell due together leave in their order, one a gap."""
    await world.add_lead()
    for name in ("welcome", "day1_acting", "day3"):
        await world.queue(new_row(template=name))
    for _ in range(50):
        await dispatch.run_pass()
        jump(hours=1)
    rows = await world.rows()

    assert [SENT] * 3 == [row.status for row in rows]
    assert [0, 23, 47] == [(row.sent_at - MONDAY_10) / HOUR for row in rows]


async def test_gap_counts_by_phone(world, dispatch, wire) -> None:
    """What another request of the client got counts for the gap."""
    await world.add_lead(phone=phone(1))
    await world.add_client(phone(1))
    world.sql("UPDATE leads SET last_whatsapp_sent_at = '2026-11-23 06:00:00' WHERE id = 1")

    assert report(postponed=1, pending=1) == await dispatch.run_pass()
    assert MONDAY_10 + 23 * HOUR == (await world.row()).scheduled_at


async def test_unknown_holds_the_phone(world, dispatch, wire, jump) -> None:
    """A message of unknown fate is asked about and holds every other one to that phone."""
    wire.ends[ANNA] = Uncertain("нет ответа")
    await world.add_lead()
    await world.queue(new_row(), new_row(template="day3"))
    first = await dispatch.run_pass()
    jump(days=1)
    second = await dispatch.run_pass()

    assert [report(unknown=1, pending=1), report(pending=1)] == [first, second]
    assert [ANNA] == wire.sent
    assert [UNKNOWN, PENDING] == await world.statuses()
    assert 1 == len(await world.posts(PostKind.UNKNOWN))


async def test_settled_unknown_lets_the_next_go(world, dispatch, wire, jump) -> None:
    """Once a person has said what became of it, the next message goes."""
    wire.ends[ANNA] = Uncertain("нет ответа")
    await world.add_lead()
    await world.queue(new_row(), new_row(template="day3"))
    await dispatch.run_pass()
    del wire.ends[ANNA]
    jump(days=1)
    world.sql("UPDATE whatsapp_queue SET status = 'cancelled' WHERE status = 'unknown'")

    assert report(sent=1) == await dispatch.run_pass()


# --- too late -----------------------------------------------------------------------------------


async def test_stale_rows_are_told_to_each_admin(world, dispatch, wire, jump) -> None:
    """What came too late is cancelled, and every admin hears how many, once."""
    for number in range(3):
        await world.add_client(phone(number))
    jump(days=3, seconds=1)
    done = [await dispatch.run_pass(), await dispatch.run_pass()]
    told = await world.posts(PostKind.STALE)

    assert [report(cancelled=3), report()] == done
    assert [(501, 3), (502, 3)] == [(post.recipient, post.number) for post in told]
    assert [] == wire.sent


async def test_without_admins_the_chat_is_told(world, make, jump) -> None:
    """If no admin is named, the managers' chat hears it."""
    await world.add_client(phone(1))
    jump(days=3, seconds=1)
    await make(admins=()).run_pass()

    assert [(None, 1)] == [(p.recipient, p.number) for p in await world.posts(PostKind.STALE)]


async def test_late_by_the_limit_still_goes(world, dispatch, jump) -> None:
    """A row that is just as late as it may be is sent."""
    await world.add_client(phone(1))
    jump(days=3)

    assert report(sent=1) == await dispatch.run_pass()


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_what_a_person_put_back_goes(world, dispatch, wire, jump, status: str) -> None:
    """A row put back by SQL long after its time is due at once, and its lateness counts anew."""
    await world.add_client(phone(1))
    world.sql("UPDATE whatsapp_queue SET status = ?", status)
    jump(days=10)
    world.sql("UPDATE whatsapp_queue SET status = 'pending'")

    assert report(sent=1) == await dispatch.run_pass()


async def test_what_a_person_stopped_stays_stopped(world, dispatch, wire) -> None:
    """A row put back into a campaign that a person stopped is cancelled again."""
    await world.add_client(phone(1))
    world.sql(STOPPED)
    await dispatch.run_pass()
    world.sql("UPDATE whatsapp_queue SET status = 'pending'")

    assert report(cancelled=1) == await dispatch.run_pass()
    assert [] == wire.sent


# --- a client who asks again --------------------------------------------------------------------


@pytest.fixture
async def recalled(world, jump) -> None:
    """A running campaign with an overdue row, and a new request of its client."""
    await world.add_client(ANNA)
    jump(hours=1)
    await world.add_lead(phone=ANNA)


@pytest.mark.usefixtures("recalled")
async def test_recall_holds(world, dispatch, wire, jump) -> None:
    """A new request holds the campaign, past the lateness too, and says why."""
    jump(days=6)

    assert report(pending=1) == await dispatch.run_pass()
    assert "ждёт итога звонка по новой заявке клиента" == (await world.row()).error
    assert [] == wire.sent


@pytest.mark.usefixtures("recalled")
async def test_recall_that_nobody_answers_cancels(world, dispatch, jump) -> None:
    """Seven days without a call cancel the rest."""
    jump(days=7, seconds=1)

    assert report(cancelled=1) == await dispatch.run_pass()
    assert "после новой заявки клиенту не позвонили за 7 дней" == (await world.row()).error


@pytest.mark.usefixtures("recalled")
async def test_recall_answered_yes(world, dispatch, wire, jump) -> None:
    """A "yes" to the new request lets the campaign go on though its row is days late."""
    jump(days=5)
    await dispatch.run_pass()
    await world.press(Action.CALLED, 2)
    await world.press(Action.YES, 2)
    waits_for = (await world.row()).error

    assert waits_for is None
    assert report(sent=1) == await dispatch.run_pass()


# --- the instance -------------------------------------------------------------------------------


async def test_closed_gate_holds_the_pass(world, dispatch, green, wire) -> None:
    """While the instance cannot send nothing is tried, and no row is touched."""
    green.state = "notAuthorized"
    await world.add_client(phone(1))
    before = await world.snapshot()
    with pytest.raises(Held, match="WhatsApp не привязан"):
        await dispatch.run_pass()

    assert before == await world.snapshot()
    assert [] == wire.sent
    assert dispatch.held


async def test_pass_goes_when_the_instance_is_back(world, dispatch, green, jump) -> None:
    """The next pass goes once the instance is usable again."""
    green.state = "notAuthorized"
    await world.add_client(phone(1))
    with pytest.raises(Held):
        await dispatch.run_pass()
    green.state = "authorized"
    jump(seconds=60)

    assert report(sent=1) == await dispatch.run_pass()
    assert not dispatch.held


async def test_refusal_of_the_instance_stops_the_pass(world, make, wire) -> None:
    """A refusal about the instance ends the pass; the rows stay as they were."""
    dispatch = make(batch_size=10)
    wire.ends[phone(2)] = InstanceDown("исчерпан лимит тарифа GREEN-API")
    for number in range(1, 6):
        await world.add_client(phone(number))
    done = await dispatch.run_pass()
    rows = [await world.row(number) for number in range(2, 6)]

    assert report(sent=1, pending=4) == done
    assert [phone(1), phone(2)] == wire.sent
    assert {(PENDING, 0, None, MONDAY_10)} == {
        (row.status, row.attempts, row.first_failed_at, row.scheduled_at) for row in rows
    }
    assert dispatch.held
    with pytest.raises(Held, match="лимит"):
        await dispatch.run_pass()


async def test_no_net(world, dispatch, wire, jump) -> None:
    """What surely was not sent is postponed a little longer each time, and given up in the end."""
    wire.ends[phone(1)] = NotSent("нет связи с GREEN-API")
    await world.add_client(phone(1))
    counts: Counter[str] = Counter()
    world.sql("UPDATE whatsapp_templates SET active = TRUE")
    while PENDING in await world.statuses():
        done = await dispatch.run_pass()
        counts += Counter(postponed=done.postponed, failed=done.failed)
        world.clock.jump_to(max((await world.row()).scheduled_at, world.clock.now() + MINUTE))
    row = await world.row()

    assert 1 == counts["failed"]
    assert (FAILED, "не удалось отправить за 48 ч: нет связи с GREEN-API") == (
        row.status,
        row.error,
    )
    assert 2 * DAY <= world.clock.now() - MONDAY_10 <= 3 * DAY
    assert len(wire.sent) == row.attempts


# --- one at a time ------------------------------------------------------------------------------


async def test_busy(world, dispatch, wire, spin) -> None:
    """A second pass beside the first is refused."""
    wire.ends[phone(1)] = release = asyncio.Event()
    await world.add_client(phone(1))
    passing = asyncio.create_task(dispatch.run_pass())
    await spin(lambda: wire.sent)
    with pytest.raises(Busy):
        await dispatch.run_pass()
    release.set()

    assert report(sent=1) == await passing


async def test_pause_between_sends(world, make, wire, spin, jump) -> None:
    """Between two sends of a pass there is a pause, and none before the first."""
    dispatch = make(min_pause_seconds=5, max_pause_seconds=20)
    for number in (1, 2):
        await world.add_client(phone(number))
    passing = asyncio.create_task(dispatch.run_pass())
    await spin(lambda: wire.sent)
    jump(seconds=4)
    await asyncio.sleep(0.02)
    early = list(wire.sent)
    await spin(lambda: jump(seconds=1) or len(wire.sent) == 2)
    await passing

    assert [phone(1)] == early
    assert 5 <= ((await world.row(2)).sent_at - MONDAY_10).total_seconds() <= 40


async def test_stopping_ends_the_pause_and_the_pass(world, make, wire, spin) -> None:
    """A daemon that stops waits out no pause and sends nothing more."""
    dispatch = make(min_pause_seconds=5, max_pause_seconds=20)
    for number in (1, 2):
        await world.add_client(phone(number))
    passing = asyncio.create_task(dispatch.run_pass())
    await spin(lambda: wire.sent)
    world.bells.stopping.set()

    assert report(sent=1, pending=1) == await passing


async def test_stopping_starts_nothing(world, dispatch, wire) -> None:
    """Once the daemon stops, neither a pass nor a welcome begins a send."""
    await world.add_client(phone(1))
    await world.add_client(phone(2), day=0)
    world.bells.stopping.set()
    done = await dispatch.run_pass()

    assert report(pending=2) == done
    assert Counter() == await dispatch.send_welcomes()
    assert [] == wire.sent


# --- our own errors -----------------------------------------------------------------------------


async def test_row_that_breaks_the_send_is_parked(world, dispatch, wire) -> None:
    """A row on which our own send breaks may have gone; the others go all the same."""
    wire.ends[phone(1)] = ZeroDivisionError()
    for number in (1, 2, 3):
        await world.add_client(phone(number))

    assert report(sent=2, unknown=1) == await dispatch.run_pass()
    assert UNKNOWN is (await world.row(1)).status


@pytest.mark.parametrize("day", [0, 1], ids=["welcome", "day 1"])
async def test_row_that_breaks_the_rules_is_parked(
    world, dispatch, wire, monkeypatch, day: int
) -> None:
    """A row on which our own rules break is failed with the error; the others go all the same."""
    judge = sender_module.judge

    def breaks_on_the_first(due, *facts):
        if due.row.id == 1:
            raise ZeroDivisionError
        return judge(due, *facts)

    monkeypatch.setattr(sender_module, "judge", breaks_on_the_first)
    for number in (1, 2, 3):
        await world.add_client(phone(number), day=day)

    assert report(sent=2, failed=1) == await dispatch.run_pass()
    assert (FAILED, "внутренняя ошибка: ZeroDivisionError") == (
        (await world.row(1)).status,
        (await world.row(1)).error,
    )


async def test_database_that_refuses_a_claim(world, dispatch, wire) -> None:
    """A row that the database does not let us claim loses its turn; the others go."""
    for number in (1, 2):
        await world.add_client(phone(number))
    world.sql(
        "CREATE TRIGGER refuse BEFORE UPDATE OF claim ON whatsapp_queue"
        " WHEN NEW.claim IS NOT NULL AND NEW.id = 1"
        " BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )

    assert report(sent=1, pending=1) == await dispatch.run_pass()
    assert [phone(2)] == wire.sent


async def test_recover(world, dispatch, wire, spin, jump) -> None:
    """What a dead process was sending becomes unknown and is asked about; the rest stays."""
    wire.ends[phone(1)] = asyncio.Event()
    await world.add_client(phone(1))
    await world.add_client(phone(2), scheduled_at=MONDAY_10 + DAY)
    world.sql("UPDATE whatsapp_queue SET status = 'sending', claim = 'dead' WHERE id = 1")
    await dispatch.recover()
    await dispatch.recover()
    row = await world.row(1)
    [question] = await world.posts(PostKind.UNKNOWN)

    assert UNKNOWN is row.status
    assert "программа остановилась во время отправки: неизвестно, ушло ли сообщение" == row.error
    assert (1, 1) == (question.lead_id, question.queue_id)
    assert [PENDING] == await world.statuses(2)
    assert report(pending=1) == await dispatch.run_pass()


# --- welcomes -----------------------------------------------------------------------------------


async def test_welcome_waits_for_the_undo(world, dispatch, wire, jump) -> None:
    """A welcome does not leave before its undo is over, and leaves at that second."""
    await world.add_client(ANNA, day=0, scheduled_at=MONDAY_10 + timedelta(seconds=15))
    early = [await dispatch.send_welcomes()]
    jump(seconds=14)
    early.append(await dispatch.send_welcomes())
    jump(seconds=1)
    due = await dispatch.send_welcomes()

    assert [Counter(), Counter()] == early
    assert Counter({Result.SENT: 1}) == due
    assert [ANNA] == wire.sent


async def test_next_welcome_at(world, dispatch) -> None:
    """The earliest welcome to come is known; those that are due and other days do not count."""
    now = world.clock.now()
    none = await dispatch.next_welcome_at(now)
    await world.add_client(phone(1), day=0)
    await world.add_client(phone(2), scheduled_at=MONDAY_10 + MINUTE)
    await world.add_client(phone(3), day=0, scheduled_at=MONDAY_10 + 3 * MINUTE)
    await world.add_client(phone(4), day=0, scheduled_at=MONDAY_10 + 2 * MINUTE)

    assert [None, MONDAY_10 + 2 * MINUTE] == [none, await dispatch.next_welcome_at(now)]


async def test_welcome_of_a_yes_taken_back(world, dispatch, wire, jump) -> None:
    """After an undo no welcome leaves."""
    await world.add_called_lead()
    await world.press(Action.YES)
    await world.press(Action.UNDO)
    jump(seconds=15)

    assert Counter() == await dispatch.send_welcomes()
    assert [] == wire.sent


async def test_welcomes_count_in_no_batch(world, make, wire) -> None:
    """A pass sends all welcomes besides its batch, and no pause holds them."""
    dispatch = make(batch_size=1)
    for number in range(1, 4):
        await world.add_client(phone(number), day=0, scheduled_at=MONDAY_10 - HOUR)
    for number in range(4, 6):
        await world.add_client(phone(number))

    assert report(sent=4, pending=1) == await dispatch.run_pass()
    assert {phone(number) for number in (1, 2, 3, 4)} == set(wire.sent)


async def test_welcome_leaves_while_the_pass_hangs(world, dispatch, wire, spin) -> None:
    """A pass that is stuck on one send, with twenty rows behind it, holds no welcome."""
    wire.ends[phone(1)] = release = asyncio.Event()
    for number in range(1, 22):
        await world.add_client(phone(number))
    passing = asyncio.create_task(dispatch.run_pass())
    await spin(lambda: wire.sent)
    await world.add_client(ANNA, day=0)
    welcomed = await dispatch.send_welcomes()
    release.set()
    await passing

    assert Counter({Result.SENT: 1}) == welcomed
    assert [phone(1), ANNA] == wire.sent[:2]


async def test_welcome_leaves_while_another_welcome_hangs(world, dispatch, wire, spin) -> None:
    """A welcome that hangs holds no other, and is not begun twice."""
    wire.ends[phone(1)] = release = asyncio.Event()
    await world.add_client(phone(1), day=0)
    hanging = asyncio.create_task(dispatch.send_welcomes())
    await spin(lambda: wire.sent)
    await world.add_client(phone(2), day=0)
    second = await dispatch.send_welcomes()
    release.set()

    assert Counter({Result.SENT: 1}) == second == await hanging
    assert [phone(1), phone(2)] == wire.sent


async def test_welcome_is_tried_again_while_another_hangs(
    world, dispatch, wire, spin, jump
) -> None:
    """Of two welcomes begun together one hangs; the other, surely not sent, is tried again."""
    wire.ends |= {phone(1): (release := asyncio.Event()), phone(2): NotSent("нет связи")}
    for number in (1, 2):
        await world.add_client(phone(number), day=0)
    hanging = asyncio.create_task(dispatch.send_welcomes())
    await world.bells.posts.wait()  # the other one has its outcome
    del wire.ends[phone(2)]
    jump(minutes=1)
    again = await dispatch.send_welcomes()
    release.set()
    await hanging

    assert Counter({Result.SENT: 1}) == again


async def test_welcome_and_pass_to_one_phone(world, dispatch, wire, spin) -> None:
    """While a row of the pass is on its way to a phone, its welcome waits."""
    wire.ends[ANNA] = release = asyncio.Event()
    await world.add_lead()
    await world.queue(new_row())
    passing = asyncio.create_task(dispatch.run_pass())
    await spin(lambda: wire.sent)
    await world.queue(new_row(template="welcome", day=0))
    welcomed = await dispatch.send_welcomes()
    release.set()
    await passing

    assert Counter({Result.WAITING: 1}) == welcomed
    assert [ANNA] == wire.sent


async def test_welcome_through_a_closed_gate(world, dispatch, green, wire) -> None:
    """A welcome waits for the instance like any other."""
    green.state = "notAuthorized"
    await world.add_client(ANNA, day=0)
    welcomed = await dispatch.send_welcomes()

    assert Counter() == welcomed
    assert dispatch.held
    assert [PENDING] == await world.statuses()


async def test_broken_welcome_holds_no_other(world, dispatch, wire) -> None:
    """A welcome on which our own send breaks takes no other down with it."""
    wire.ends[phone(1)] = ZeroDivisionError()
    for number in (1, 2):
        await world.add_client(phone(number), day=0)

    assert Counter({Result.SENT: 1, Result.UNKNOWN: 1}) == await dispatch.send_welcomes()


async def test_welcome_that_came_too_late(world, dispatch, wire, jump) -> None:
    """A stale welcome is left to the pass, which tells admins."""
    await world.add_client(ANNA, day=0)
    jump(days=3, seconds=1)
    alone = await dispatch.send_welcomes()
    done = await dispatch.run_pass()

    assert Counter({Result.WAITING: 1}) == alone
    assert report(cancelled=1) == done
    assert 2 == len(await world.posts(PostKind.STALE))
