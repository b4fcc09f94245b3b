"""Dialog steps by their keys."""

from functools import partial

from storage.storage import Storage, Unit
from tests.storage.sql import Sql

KEY = "prompt:501"


async def test_nothing_is_kept_under_a_new_key(storage: Storage) -> None:
    """A dialog that never was has no state and no data."""
    assert await storage.run(lambda unit: unit.fsm.state(KEY)) is None
    assert {} == await storage.run(lambda unit: unit.fsm.data(KEY))


async def test_state_and_data_do_not_touch_each_other(storage: Storage) -> None:
    """Replacing one leaves the other, in either order."""

    async def work(unit: Unit) -> list[object]:
        await unit.fsm.keep_state(KEY, "phone")
        await unit.fsm.keep_data(KEY, {"lead_id": 7, "имя": "Анна"})
        await unit.fsm.keep_state(KEY, "comment")
        first = [await unit.fsm.state(KEY), await unit.fsm.data(KEY)]
        await unit.fsm.keep_data(KEY, {"lead_id": 8})
        return [*first, await unit.fsm.state(KEY), await unit.fsm.data(KEY)]

    found = await storage.run(work)

    assert ["comment", {"lead_id": 7, "имя": "Анна"}, "comment", {"lead_id": 8}] == found


async def test_keys_do_not_touch_each_other(storage: Storage) -> None:
    """Every prompt has a step of its own."""

    async def work(unit: Unit) -> list[object]:
        await unit.fsm.keep_state("prompt:501", "phone")
        await unit.fsm.keep_state("prompt:502", "comment")
        return [await unit.fsm.state("prompt:501"), await unit.fsm.state("prompt:502")]

    assert ["phone", "comment"] == await storage.run(work)


async def test_data_is_a_copy(storage: Storage) -> None:
    """Changing what was read changes nothing of what is kept."""

    async def work(unit: Unit) -> object:
        await unit.fsm.keep_data(KEY, {"lead_id": 7})
        (await unit.fsm.data(KEY))["lead_id"] = 8
        return await unit.fsm.data(KEY)

    assert {"lead_id": 7} == await storage.run(work)


async def test_ended_dialog_leaves_no_row(storage: Storage, sql: Sql) -> None:
    """A key with neither state nor data takes no room; with either it stays."""

    async def keep(unit: Unit, state: str | None, data: dict[str, int]) -> None:
        await unit.fsm.keep_state(KEY, state)
        await unit.fsm.keep_data(KEY, data)

    counts = []
    for state, data in ((None, {}), ("phone", {}), (None, {"lead_id": 7}), (None, {})):
        await storage.run(partial(keep, state=state, data=data))
        counts.append(sql.value("SELECT count(*) FROM fsm"))

    assert [0, 1, 1, 0] == counts
