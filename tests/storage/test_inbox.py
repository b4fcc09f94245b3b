"""Telegram's updates on disk."""

from datetime import timedelta

from storage.storage import Storage, Unit
from tests.builders import MONDAY_10


async def ids(storage: Storage) -> list[int]:
    """The update ids that wait, in order."""
    return [u.update_id for u in await storage.run(lambda unit: unit.inbox.waiting(10))]


async def add(storage: Storage, *update_ids: int, later: timedelta = timedelta()) -> int:
    """Store updates of chat 5 with these ids; how many were new."""
    bodies = [(update_id, 5, {"update_id": update_id}) for update_id in update_ids]
    return await storage.run(lambda unit: unit.inbox.add(bodies, MONDAY_10 + later))


async def test_order_of_arrival(storage: Storage) -> None:
    """Updates wait in the order they came, whatever their ids."""
    await add(storage, 70, 3)
    await add(storage, 50)

    assert [70, 3, 50] == await ids(storage)


async def test_known_updates_are_left(storage: Storage) -> None:
    """An update that comes again is stored once, even after it was handled."""
    await add(storage, 1)
    (first,) = await storage.run(lambda unit: unit.inbox.waiting(10))
    await storage.run(lambda unit: unit.inbox.finish(first.id))

    assert 1 == await add(storage, 1, 2)
    assert [2] == await ids(storage)


async def test_same_id_after_days_is_another_update(storage: Storage) -> None:
    """Telegram begins anew at a random id after a week of silence: an old id may come back."""
    await add(storage, 1)
    (first,) = await storage.run(lambda unit: unit.inbox.waiting(10))
    await storage.run(lambda unit: unit.inbox.finish(first.id))

    assert 1 == await add(storage, 1, later=timedelta(days=8))
    assert [1] == await ids(storage)


async def test_try_later(storage: Storage) -> None:
    """An update that failed still waits, with its attempts and when to try again."""
    await add(storage, 1)
    at = MONDAY_10 + timedelta(seconds=5)
    await storage.run(lambda unit: unit.inbox.try_later(1, at, "TelegramNetworkError"))

    (update,) = await storage.run(lambda unit: unit.inbox.waiting(10))
    assert (1, at) == (update.attempts, update.retry_at)


async def test_parked(storage: Storage) -> None:
    """A parked update waits no more and is counted."""
    await add(storage, 1, 2)
    await storage.run(lambda unit: unit.inbox.park(1, "not understood: message"))

    assert [2] == await ids(storage)
    assert 1 == await storage.run(lambda unit: unit.inbox.count_parked())


async def test_effect_is_remembered(storage: Storage) -> None:
    """What an update changed is found again by its id."""
    await add(storage, 7)

    async def work(unit: Unit) -> None:
        await unit.inbox.note_effect(7, {"what": "DONE"})

    await storage.run(work)

    assert {"what": "DONE"} == await storage.run(lambda unit: unit.inbox.find_effect(7))
    assert None is await storage.run(lambda unit: unit.inbox.find_effect(8))


async def test_forget(storage: Storage) -> None:
    """Old updates are dropped, but never one that still waits."""
    await add(storage, 1, 2)
    await storage.run(lambda unit: unit.inbox.finish(1))

    gone = await storage.run(lambda unit: unit.inbox.forget(MONDAY_10 + timedelta(days=1)))

    assert 1 == gone
    assert [2] == await ids(storage)


async def test_half_a_surrogate_pair(storage: Storage) -> None:
    """A body that UTF-8 cannot hold is stored all the same."""
    body = {"update_id": 1, "message": {"text": "привет \ud83d"}}
    await storage.run(lambda unit: unit.inbox.add([(1, 5, body)], MONDAY_10))

    (update,) = await storage.run(lambda unit: unit.inbox.waiting(10))
    assert body == update.body
