"""Small things the daemon remembers."""

from typing import Any

import pytest

from storage.storage import Storage


async def test_nothing_is_remembered_at_first(storage: Storage) -> None:
    """An unknown name is None."""
    assert await storage.run(lambda unit: unit.memory.find("chat")) is None


@pytest.mark.parametrize("value", [-1001234567890, "чат", [1, 2], {"a": None}, True, 0, ""])
async def test_value_comes_back(storage: Storage, value: Any) -> None:
    """Any JSON value is remembered as it is."""
    await storage.run(lambda unit: unit.memory.keep("chat", value))

    assert value == await storage.run(lambda unit: unit.memory.find("chat"))


async def test_newest_value_counts(storage: Storage) -> None:
    """Remembering again replaces what was, under that name only."""
    for name, value in (("chat", 1), ("other", 2), ("chat", 3)):
        await storage.run(lambda unit, n=name, v=value: unit.memory.keep(n, v))

    found = [
        await storage.run(lambda unit, n=name: unit.memory.find(n)) for name in ("chat", "other")
    ]
    assert [3, 2] == found
