"""While we hold sending ourselves, nothing leaves and the queue stays as it is."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.delivery import Accepted, Outcome
from bot.services.disk import Disk
from bot.services.dispatch import Dispatch, Held, Policy
from bot.services.gate import Gate
from bot.services.intake import FormPost, Intake
from bot.services.sender import Result, Sender
from bot.services.way import Way
from greenapi.models import InstanceState
from storage.errors import Unavailable
from storage.models import RowStatus
from tests.bot.services.conftest import World
from tests.builders import COURSES, MONDAY_10, RULES, new_row

LONG_AGO = MONDAY_10 - timedelta(days=10)
WHY = "восстановлено из копии: отправка ждёт кнопки «Продолжить»"


class Line:
    """A dispatcher whose messages go nowhere, with a stop of our own before the instance."""

    def __init__(self, world: World) -> None:
        self.why: str | None = WHY
        self.sent: list[str] = []
        green: Any = self
        gate = Gate(green, world.clock)
        self.sender = Sender(world.storage, self._send, gate, RULES, world.bells, world.clock)
        policy = Policy(rules=RULES, batch_size=10, min_pause_seconds=0, max_pause_seconds=0)
        way = Way(gate, lambda: self.why)
        self.dispatch = Dispatch(world.storage, self.sender, way, policy, world.bells, world.clock)

    async def get_state_instance(self) -> InstanceState:
        return InstanceState.of("authorized")

    async def _send(self, phone: str, text: str) -> Outcome:
        self.sent.append(text)
        return Accepted("3EB0", {})


@pytest.fixture
async def line(world: World) -> Line:
    """A welcome that a person put back and a message of day 1 are due; a third came too late."""
    for phone in ("79000000001", "79000000002", "79000000003"):
        lead_id = await world.add_lead(phone=phone)
        await world.change(lead_id, is_target=True)
    await world.queue(
        new_row(
            1,
            phone="79000000001",
            template="welcome",
            day=0,
            text="Здравствуйте",
            scheduled_at=LONG_AGO,
            status=RowStatus.CANCELLED,
        ),
        new_row(2, phone="79000000002", text="День первый"),
        new_row(3, phone="79000000003", text="Поздно", scheduled_at=LONG_AGO),
    )
    world.sql("UPDATE whatsapp_queue SET status = 'pending' WHERE id = 1")
    return Line(world)


async def all_rows(world: World) -> list[Any]:
    """Every message as it stands."""
    return [await world.row(number) for number in (1, 2, 3)]


async def test_a_pass_is_held_and_touches_nothing(world: World, line: Line) -> None:
    """A pass says why it does nothing; even what came too late is not cancelled yet."""
    before = await all_rows(world)

    with pytest.raises(Held, match="ждёт кнопки"):
        await line.dispatch.run_pass()

    assert before == await all_rows(world)
    assert [] == line.sent


async def test_no_welcome_leaves(world: World, line: Line) -> None:
    """Welcomes wait for no pass, but they wait for this."""
    before = await all_rows(world)

    counts = await line.dispatch.send_welcomes()

    assert Counter() == counts
    assert before == await all_rows(world)
    assert [] == line.sent


async def test_a_held_queue_is_looked_at_again_soon(line: Line) -> None:
    """A release is followed by a pass within a minute, not within the interval."""
    with pytest.raises(Held):
        await line.dispatch.run_pass()

    assert line.dispatch.held


async def test_a_held_pass_is_a_pass(line: Line) -> None:
    """While it is held on purpose, nobody is told that no pass comes."""
    line.dispatch._looked_at -= timedelta(hours=1).total_seconds()
    with pytest.raises(Held):
        await line.dispatch.run_pass()

    assert line.dispatch.since_last_look() < timedelta(minutes=1)


async def test_after_the_release_the_ordinary_rules_count(world: World, line: Line) -> None:
    """What is due leaves, and what came too late is cancelled."""
    with pytest.raises(Held):
        await line.dispatch.run_pass()
    line.why = None

    report = await line.dispatch.run_pass()

    assert (2, 1) == (report.sent, report.cancelled)
    assert {"Здравствуйте", "День первый"} == set(line.sent)
    assert RowStatus.CANCELLED is (await world.row(3)).status
    assert not line.dispatch.held


async def test_an_admins_test_message_leaves(line: Line) -> None:
    """What a person sends by hand is not held: it needs no memory of the queue."""
    outcome = await line.sender.send_test("79000000009", "проба")

    assert Accepted("3EB0", {}) == outcome


async def test_a_disk_that_fills_up_stops_a_pass_between_two_messages(
    world: World, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is asked before each request, since its record could not be kept."""
    line.why = None
    real = line.sender.send_row

    async def send_row(row_id: int) -> Result:
        line.why = "на диске сервера кончилось место"
        return await real(row_id)

    await world.queue(new_row(1, phone="79000000001", template=None, text="Ещё одно"))
    await world.change(1, phone="79000000001")
    monkeypatch.setattr(line.sender, "send_row", send_row)
    monkeypatch.setattr(line.dispatch, "send_welcomes", _nothing)

    report = await line.dispatch.run_pass()

    assert 1 == report.sent
    assert 1 == len(line.sent)


async def _nothing() -> Counter[Result]:
    return Counter()


# --- leads and a full disk ----------------------------------------------------------------------


async def test_a_full_disk_takes_no_lead_in(world: World) -> None:
    """The sender is told to try again, before anything is written."""
    disk = Disk(world.storage.path, world.clock, lambda _: 49_000_000)
    intake = Intake(world.storage, COURSES, world.bells, world.clock, disk)
    post = FormPost(b"name=Anna&phone=79001234567", "application/x-www-form-urlencoded", "")

    with pytest.raises(Unavailable, match="disk is full"):
        await intake.accept(post)

    assert [] == await world.storage.run(lambda unit: unit.queue.of_lead(1))


async def test_a_low_disk_takes_leads_in(world: World) -> None:
    """A warning costs no lead."""
    disk = Disk(world.storage.path, world.clock, lambda _: 51_000_000)
    intake = Intake(world.storage, COURSES, world.bells, world.clock, disk)
    post = FormPost(b"name=Anna&phone=79001234567", "application/x-www-form-urlencoded", "")

    assert 1 == (await intake.accept(post)).lead_id


async def test_a_database_that_cannot_grow_takes_nothing_and_recovers(world: World) -> None:
    """SQLite's own "full" is a refusal to be tried again, and leaves nothing open behind it."""
    async with world.storage._writer.begin() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    with pytest.raises(Unavailable, match="full"):
        await world.add_lead(comment="о" * 100_000)
    async with world.storage._writer.begin() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=1000000")

    assert 1 == await world.add_lead(comment="о" * 100_000)
