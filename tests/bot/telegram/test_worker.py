"""Stored updates are handled in order within a chat, and never lost."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.types import Message
from sqlalchemy import select

from bot.demo.clock import Conductor
from bot.services.bells import Bells
from bot.telegram.worker import Worker
from storage.schema import updates
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10


class Desk:
    """A dispatcher that notes texts, and a worker on it."""

    def __init__(self, bot: Bot, storage: Storage, bells: Bells, clock: Conductor) -> None:
        self.storage = storage
        self.heard: list[str] = []
        self.act: Callable[[Message], Any] = lambda _message: None
        dispatcher = Dispatcher()
        dispatcher.message.register(self._hear)
        self.worker = Worker(dispatcher, bot, storage, bells, clock)

    async def _hear(self, message: Message) -> None:
        result = self.act(message)
        if result is not None:
            await result
        self.heard.append(message.text or "")

    async def store(self, *said: tuple[int, str]) -> None:
        """Store messages as (chat, text), with ids in order."""
        bodies = [(n, chat, message(n, chat, text)) for n, (chat, text) in enumerate(said, 1)]
        await self.storage.run(lambda unit: unit.inbox.add(bodies, MONDAY_10))

    async def work(self, rounds: int = 1) -> None:
        """Start lanes and wait for them, so often."""
        for _ in range(rounds):
            async with asyncio.TaskGroup() as lanes:
                await self.worker.start_lanes(lanes)

    async def states(self) -> list[str]:
        """The states of all updates, in order."""

        async def work(unit: Unit) -> list[str]:
            rows = await unit.inbox._db.execute(select(updates.c.state).order_by(updates.c.id))
            return [row.state.value for row in rows]

        return await self.storage.run(work)


@pytest.fixture
def desk(bot: Bot, storage: Storage, bells: Bells, clock: Conductor) -> Desk:
    """A desk with nothing on it."""
    return Desk(bot, storage, bells, clock)


def message(update_id: int, chat: int, text: str) -> dict[str, Any]:
    """An update as Telegram sends it."""
    person = {"id": 9, "is_bot": False, "first_name": "Анна"}
    place = {"id": chat, "type": "private", "first_name": "Анна"}
    content = {"message_id": update_id, "date": 1, "chat": place, "from": person, "text": text}
    return {"update_id": update_id, "message": content}


async def test_in_order_within_a_chat(desk: Desk) -> None:
    """Messages of one chat are handled one after another, in their order."""
    await desk.store((1, "раз"), (1, "два"), (1, "три"))
    await desk.work(rounds=3)

    assert ["раз", "два", "три"] == desk.heard
    assert ["done"] * 3 == await desk.states()


async def test_chats_do_not_wait_for_each_other(desk: Desk) -> None:
    """A chat whose handler hangs holds back no other chat."""
    release, heard = asyncio.Event(), asyncio.Event()
    desk.act = lambda m: release.wait() if m.chat.id == 1 else heard.set()
    await desk.store((1, "долго"), (2, "быстро"))
    async with asyncio.TaskGroup() as lanes:
        await desk.worker.start_lanes(lanes)
        await heard.wait()
        release.set()

    assert ["быстро", "долго"] == desk.heard


async def test_not_understood_is_parked(desk: Desk) -> None:
    """An update that does not parse is parked, and its neighbours are handled."""
    await desk.storage.run(lambda unit: unit.inbox.add([(1, 0, {"message": 5})], MONDAY_10))
    await desk.storage.run(lambda u: u.inbox.add([(2, 1, message(2, 1, "раз"))], MONDAY_10))
    await desk.work()

    assert ["parked", "done"] == await desk.states()
    assert ["раз"] == desk.heard


async def test_failure_is_tried_again_before_what_follows(desk: Desk, clock: Conductor) -> None:
    """An update whose handler fails is tried again, and its chat waits for it."""
    clock.run_at(1)
    troubles = [RuntimeError("once")]

    def stumble(_message: Message) -> None:
        if troubles:
            raise troubles.pop()

    desk.act = stumble
    await desk.store((1, "раз"), (1, "два"))
    await desk.work(rounds=2)
    heard_before = list(desk.heard)
    clock.jump(10)
    await desk.work(rounds=2)

    assert [] == heard_before
    assert ["раз", "два"] == desk.heard


async def test_given_up_after_three_tries(desk: Desk, clock: Conductor) -> None:
    """What fails three times is parked, and the chat goes on."""
    clock.run_at(1)

    def refuse(message: Message) -> None:
        if message.text == "раз":
            raise RuntimeError("always")

    desk.act = refuse
    await desk.store((1, "раз"), (1, "два"))
    for _ in range(4):
        await desk.work()
        clock.jump(100)

    assert ["parked", "done"] == await desk.states()
