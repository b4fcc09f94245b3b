"""A database with a clock that stands still, and short words for what stands in it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.clock import Conductor
from bot.domain.delivery import Accepted, Outcome
from bot.domain.leads import Action
from bot.services.bells import Bells
from bot.services.calls import Calls, Press, Pressed
from bot.services.campaigns import Campaigns
from bot.services.gate import Gate
from bot.services.sender import Sender
from greenapi.models import InstanceState
from storage.models import (
    Actor,
    CallStatus,
    EventKind,
    Lead,
    NewRow,
    Post,
    PostKind,
    QueueRow,
    RowStatus,
)
from storage.storage import Storage
from tests.builders import COURSES, MARIA, MONDAY_10, RULES, new_lead, new_row

UNDO = timedelta(seconds=15)


@pytest.fixture
def clock() -> Conductor:
    """Monday, 10:00 in Moscow, to the microsecond, until a test jumps it."""
    return Conductor(MONDAY_10, rate=1e-9)


class World:
    """What stands in the database, and what managers do with it."""

    def __init__(self, storage: Storage, clock: Conductor) -> None:
        self.storage = storage
        self.clock = clock
        self.bells = Bells()
        self.campaigns = Campaigns(COURSES, RULES, UNDO)
        self.calls = Calls(storage, self.campaigns, self.bells, clock)

    async def add_lead(self, **values: Any) -> int:
        """A lead that came just now."""
        return await self.storage.run(
            lambda unit: unit.leads.add(new_lead(**values), self.clock.now())
        )

    async def add_called_lead(self, **values: Any) -> int:
        """A lead that was called: its card asks for the outcome."""
        lead_id = await self.add_lead(**values)
        await self.change(lead_id, call_status=CallStatus.CALLED)
        return lead_id

    async def change(self, lead_id: int, **values: Any) -> None:
        """Change a lead behind the back of the use cases."""
        await self.storage.run(lambda unit: unit.leads.change(lead_id, **values))

    async def queue(self, *rows: NewRow) -> None:
        """Put messages into the queue."""
        await self.storage.run(lambda unit: unit.queue.add(rows, self.clock.now()))

    async def add_client(self, phone: str, **row: Any) -> int:
        """A client of a running campaign with one message; both have the returned number."""
        lead_id = await self.add_lead(phone=phone)
        await self.queue(new_row(lead_id, phone=phone, **row))
        await self.change(lead_id, is_target=True, campaign_started_at=self.clock.now())
        return lead_id

    async def lead(self, lead_id: int = 1) -> Lead:
        """A lead as it stands."""
        return await self.storage.run(lambda unit: unit.leads.get(lead_id))

    async def rows(self, lead_id: int = 1) -> list[QueueRow]:
        """A lead's messages, in the order they leave."""
        return list(await self.storage.run(lambda unit: unit.queue.of_lead(lead_id)))

    async def row(self, row_id: int = 1) -> QueueRow:
        """A message as it stands."""
        found = await self.storage.run(lambda unit: unit.queue.find(row_id))
        assert found is not None
        return found

    async def statuses(self, lead_id: int = 1) -> list[RowStatus]:
        """How a lead's messages stand."""
        return [row.status for row in await self.rows(lead_id)]

    async def events(self, lead_id: int = 1) -> list[EventKind]:
        """What happened to a lead."""
        return [event.kind for event in await self.storage.run(lambda u: u.events.of_lead(lead_id))]

    async def notes(self, lead_id: int = 1) -> list[tuple[EventKind, str, str]]:
        """What happened to a lead, by whom, with what words."""
        events = await self.storage.run(lambda unit: unit.events.of_lead(lead_id))
        return [(event.kind, event.actor_name, event.note) for event in events]

    async def snapshot(self, lead_id: int = 1) -> tuple[Any, ...]:
        """All that is known of a lead."""
        return await self.lead(lead_id), await self.rows(lead_id), await self.notes(lead_id)

    async def posts(self, kind: PostKind) -> list[Post]:
        """Posts of a kind that are to be shown."""
        now = self.clock.now()
        waiting = await self.storage.run(lambda unit: unit.posts.waiting(now, 500))
        return [post for post in waiting if post.kind is kind]

    async def press(
        self, action: Action, lead_id: int = 1, arg: str = "", actor: Actor = MARIA
    ) -> Pressed:
        """Press a button of a card."""
        return await self.calls.press(Press(lead_id, action, actor, arg))

    def sql(self, statement: str, *values: object) -> None:
        """What a person does with plain SQL, beside the daemon."""
        connection = sqlite3.connect(self.storage.path)
        with connection:
            connection.execute(statement, values)
        connection.close()


@pytest.fixture
def world(storage: Storage, clock: Conductor) -> World:
    """An empty database and its managers."""
    return World(storage, clock)


@pytest.fixture
def jump(clock: Conductor) -> Callable[..., None]:
    """Let so much time pass at once, in the words of `timedelta`."""
    return lambda **time: clock.jump(timedelta(**time).total_seconds())


# --- sending ------------------------------------------------------------------------------------


class Green:
    """An instance in a state that the test sets."""

    def __init__(self) -> None:
        self.state = "authorized"
        self.asked = 0

    async def get_state_instance(self) -> InstanceState:
        """The state, as the real client gives it."""
        self.asked += 1
        return InstanceState.of(self.state)


ACCEPTED = Accepted("3EB0", {"idMessage": "3EB0"})


class Wire:
    """Stands for `send`: keeps what it was given, and ends each message as it was told to.

    `ends` names, by phone, an outcome, an error to raise, or an event to hang on.
    """

    def __init__(self, clock: Conductor) -> None:
        self.sent: list[str] = []
        self.ends: dict[str, Outcome | Exception | asyncio.Event] = {}
        self.after_hang: Outcome | None = None
        self.doubled: list[str] = []
        self._clock = clock
        self._under_way: set[str] = set()

    async def __call__(self, phone: str, text: str) -> Outcome:
        """Send one message."""
        if phone in self._under_way:
            self.doubled.append(phone)
        self._under_way.add(phone)
        self.sent.append(phone)
        try:
            return await self._end(self.ends.get(phone))
        finally:
            self._under_way.discard(phone)

    async def _end(self, end: Outcome | Exception | asyncio.Event | None) -> Outcome:
        await asyncio.sleep(0)
        match end:
            case asyncio.Event():
                await end.wait()
                return self.after_hang or ACCEPTED
            case Exception():
                raise end
            case None:
                pass
            case outcome:
                return outcome
        return ACCEPTED


@pytest.fixture
def green() -> Green:
    """The instance."""
    return Green()


@pytest.fixture
def gate(green: Green, clock: Conductor) -> Gate:
    """The gate before the instance."""
    return Gate(green, clock)


@pytest.fixture
def wire(clock: Conductor) -> Iterator[Wire]:
    """The way to the clients; in no test do two messages go to one phone at a time."""
    made = Wire(clock)
    yield made
    assert [] == made.doubled


@pytest.fixture
def sender(world: World, wire: Wire, gate: Gate) -> Sender:
    """Sends single messages."""
    return Sender(world.storage, wire, gate, RULES, world.bells, world.clock)


@pytest.fixture
def spin() -> Callable[[Callable[[], object]], Awaitable[None]]:
    """Let the others run until something holds, for at most two real seconds."""

    async def until(holds: Callable[[], object]) -> None:
        for _ in range(2000):
            if holds():
                return
            await asyncio.sleep(0.001)
        raise AssertionError("it never came to that")

    return until
