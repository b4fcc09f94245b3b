"""Updates are on disk before Telegram is told that we have them."""

import pytest
from aiogram import Bot
from aiogram.exceptions import AiogramError

from bot.demo import telegram_faults as faults
from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from bot.services.bells import Bells
from bot.telegram.poller import Poller
from storage.errors import Unavailable
from storage.storage import Storage


@pytest.fixture
def poller(bot: Bot, storage: Storage, bells: Bells, clock: Conductor) -> Poller:
    """A poller that has not polled yet."""
    return Poller(bot, storage, bells, clock)


async def waiting(storage: Storage) -> list[int]:
    """The chats of the stored updates."""
    return [u.chat_id for u in await storage.run(lambda unit: unit.inbox.waiting(10))]


async def test_stored_then_confirmed(
    poller: Poller, telegram: TelegramEmulator, storage: Storage, bells: Bells, clock: Conductor
) -> None:
    """What was stored is confirmed by the next poll, not before."""
    anna = telegram.add_user("Анна")
    anna.starts()
    await poller.poll()

    assert [anna.id] == await waiting(storage)
    assert bells.inbox.is_set()
    assert 1 == len(telegram.pending_updates)
    clock.run_at(100_000)
    await poller.poll()
    assert [] == telegram.pending_updates


async def test_not_stored_not_confirmed(
    poller: Poller,
    telegram: TelegramEmulator,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the database does not take updates, Telegram keeps them."""
    telegram.add_user("Анна").starts()

    async def refuse(_work: object) -> None:
        raise Unavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(storage, "run", refuse)
        with pytest.raises(Unavailable):
            await poller.poll()
    await poller.poll()

    assert 1 == len(await waiting(storage))


async def test_malformed_update_is_stored_too(
    poller: Poller, telegram: TelegramEmulator, storage: Storage
) -> None:
    """An update that nobody can read is stored as it is, and those around it as well."""
    anna = telegram.add_user("Анна")
    anna.starts()
    telegram.inject_update({"message": {"chat": "none"}})
    anna.says(anna.private, "ещё")
    await poller.poll()

    assert [anna.id, 0, anna.id] == await waiting(storage)


@pytest.mark.parametrize(
    "fault",
    [faults.unauthorized(), faults.bad_gateway(), faults.cut_body(), faults.reset_before()],
    ids=["401", "502 HTML", "cut body", "reset"],
)
async def test_troubles_are_raised(
    poller: Poller, telegram: TelegramEmulator, storage: Storage, fault: faults.Fault
) -> None:
    """Whatever Telegram answers, the poll says so and the next one has the updates."""
    telegram.add_user("Анна").starts()
    telegram.fail_next("getUpdates", fault)

    with pytest.raises(AiogramError):
        await poller.poll()
    await poller.poll()

    assert 1 == len(await waiting(storage))
