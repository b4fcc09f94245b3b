"""A restored database sends nothing by itself until an admin says so."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.services.hold import Hold, Release
from storage.held import HELD, Held
from storage.models import Post, PostKind
from tests.bot.services.conftest import World
from tests.builders import MARIA, MONDAY_10, MOSCOW, PYOTR

ADMINS = (101, 102)
TAKEN = MONDAY_10 - timedelta(hours=7)
HELD_NOW = Held(taken_at=TAKEN, restored_at=MONDAY_10)
WHY = "восстановлено из копии от 23.11.2026 03:00: отправка ждёт кнопки «Продолжить»"


@pytest.fixture
def hold(world: World) -> Hold:
    """The hold of a daemon that has just started."""
    return Hold(world.storage, world.bells, world.clock, MOSCOW)


async def remember(world: World, held: Held | None) -> None:
    """What a restore left in the database."""
    if held is not None:
        await world.storage.run(lambda unit: unit.memory.keep(HELD, held.to_json()))


async def recalled(world: World) -> Held | None:
    """What the database says now."""
    return Held.read(await world.storage.run(lambda unit: unit.memory.find(HELD)))


async def asked(world: World) -> list[int | None]:
    """Who is asked, in the order of the posts."""
    return [post.recipient for post in await world.posts(PostKind.HELD)]


async def next_start(world: World, *admins: int) -> Hold:
    """The daemon starts again."""
    hold = Hold(world.storage, world.bells, world.clock, MOSCOW)
    await hold.load(admins or ADMINS)
    return hold


async def test_an_ordinary_database_holds_nothing(world: World, hold: Hold) -> None:
    """Without a restore nothing is held, and nobody is asked."""
    await hold.load(ADMINS)

    assert hold.stopped_because() is None
    assert [] == await asked(world)
    assert await recalled(world) is None


async def test_a_restored_database_is_held_and_every_admin_is_asked(
    world: World, hold: Hold
) -> None:
    """The reason says how old the copy is, in the school's time; each admin gets one question."""
    await remember(world, HELD_NOW)
    await hold.load(ADMINS)

    assert WHY == hold.stopped_because()
    assert list(ADMINS) == await asked(world)
    assert world.bells.posts.is_set()


async def test_a_copy_of_unknown_age_is_held_too(world: World, hold: Hold) -> None:
    """A note that nobody can read holds; the reason names no date."""
    await world.storage.run(lambda unit: unit.memory.keep(HELD, "?"))
    await hold.load(ADMINS)

    assert "восстановлено из копии: отправка ждёт кнопки «Продолжить»" == hold.stopped_because()


async def test_a_restart_holds_on_and_asks_nobody_twice(world: World, hold: Hold) -> None:
    """The hold is in the database, and so is who was asked."""
    await remember(world, HELD_NOW)
    await hold.load(ADMINS)

    again = await next_start(world)

    assert WHY == again.stopped_because()
    assert list(ADMINS) == await asked(world)


async def test_an_admin_who_was_named_later_is_asked_at_the_next_start(
    world: World, hold: Hold
) -> None:
    """A configuration without admins tells the managers' chat; the admin added to it is asked."""
    await remember(world, HELD_NOW)
    await hold.load(())
    first = await asked(world)

    await next_start(world, 103)

    assert [[None], [None, 103]] == [first, await asked(world)]


async def test_a_press_releases_for_good(
    world: World, hold: Hold, jump: Callable[..., None]
) -> None:
    """After «Продолжить» nothing is held, now and after a restart, and it stands who pressed."""
    await remember(world, HELD_NOW)
    await hold.load(ADMINS)
    jump(minutes=5)

    release = await hold.release(HELD_NOW.number, MARIA)

    assert Release.DONE is release
    assert hold.stopped_because() is None
    assert (await next_start(world)).stopped_because() is None
    held = await recalled(world)
    assert held is not None
    assert (world.clock.now(), "Мария") == (held.released_at, held.released_by)


async def test_a_release_hurries_the_queue_and_the_posts(world: World, hold: Hold) -> None:
    """What waited is looked at, and every question is drawn anew, at once."""
    await remember(world, HELD_NOW)
    await hold.load(ADMINS)
    before = [post.version for post in await world.posts(PostKind.HELD)]
    world.bells.posts.clear()

    await hold.release(HELD_NOW.number, MARIA)

    posts: list[Post] = await world.posts(PostKind.HELD)
    assert [version + 1 for version in before] == [post.version for post in posts]
    assert (True, True) == (world.bells.queue.is_set(), world.bells.posts.is_set())
    assert all(post.urgent for post in posts)


async def test_only_the_first_press_counts(world: World, hold: Hold) -> None:
    """The second admin hears that it is done; the first one's name stays."""
    await remember(world, HELD_NOW)
    await hold.load(ADMINS)
    await hold.release(HELD_NOW.number, MARIA)

    second = await hold.release(HELD_NOW.number, PYOTR)

    held = await recalled(world)
    assert held is not None
    assert (Release.ALREADY, "Мария") == (second, held.released_by)


async def test_a_button_of_an_earlier_restore_releases_nothing(world: World, hold: Hold) -> None:
    """Its text told the age of another copy."""
    await remember(world, HELD_NOW)
    await hold.load(ADMINS)

    release = await hold.release(HELD_NOW.number - 3600, MARIA)

    assert Release.OLD is release
    assert WHY == hold.stopped_because()
    assert HELD_NOW.with_told(ADMINS) == await recalled(world)


async def test_a_press_where_nothing_is_held_is_old(world: World, hold: Hold) -> None:
    """A question that survived in the chat while its database did not."""
    await hold.load(ADMINS)

    assert Release.OLD is await hold.release(HELD_NOW.number, MARIA)


async def test_a_second_restore_holds_and_asks_again(world: World, hold: Hold) -> None:
    """A release counts for the restore that it was pressed for."""
    await remember(world, HELD_NOW)
    await hold.load(ADMINS)
    await hold.release(HELD_NOW.number, MARIA)
    later = MONDAY_10 + timedelta(days=1)
    await remember(world, Held(taken_at=MONDAY_10, restored_at=later))

    again = await next_start(world)

    assert "от 23.11.2026 10:00" in (again.stopped_because() or "")
    assert [*ADMINS, *ADMINS] == await asked(world)
