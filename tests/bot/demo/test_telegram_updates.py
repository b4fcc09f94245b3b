"""The queue behind `getUpdates`: offsets, expiry, filters, long polls and who loses them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramConflictError
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from tests.bot.demo.conftest import People, connect, disconnect


async def texts(bot: Bot, **parameters: Any) -> list[str | None]:
    """The texts that one poll brings."""
    updates = await bot.get_updates(**parameters)
    return [update.message.text if update.message else None for update in updates]


def say(people: People, *words: str) -> None:
    """Alice writes to the bot."""
    for word in words:
        people.alice.says(people.alice.private, word)


@pytest.fixture
def heard(telegram: TelegramEmulator) -> Callable[[], Awaitable[None]]:
    """Wait until a poll is being held."""
    arrived = asyncio.Event()

    async def note(_: object) -> None:
        arrived.set()

    async def held() -> None:
        await arrived.wait()
        arrived.clear()

    telegram.on_call = note
    return held


async def test_an_update_stays_until_it_is_confirmed(bot: Bot, people: People) -> None:
    """Updates come again and again until a poll has a higher offset."""
    say(people, "a", "b")
    first, second = await bot.get_updates()

    assert await texts(bot) == ["a", "b"]
    assert await texts(bot, offset=first.update_id) == ["a", "b"]
    assert await texts(bot, offset=second.update_id) == ["b"]
    assert await texts(bot) == ["b"]
    assert await texts(bot, offset=second.update_id + 1) == []
    assert await texts(bot) == []


async def test_ids_grow_by_one(bot: Bot, people: People) -> None:
    """Update ids are consecutive."""
    say(people, "a", "b", "c")
    ids = [update.update_id for update in await bot.get_updates()]

    assert [ids[0], ids[0] + 1, ids[0] + 2] == ids


async def test_a_negative_offset_keeps_the_last(bot: Bot, people: People) -> None:
    """Offset -2 forgets all but the last two."""
    say(people, "a", "b", "c")

    assert await texts(bot, offset=-2) == ["b", "c"]
    assert await texts(bot) == ["b", "c"]


@pytest.mark.parametrize(("limit", "number"), [(1, 1), (100, 100), (0, 100), (101, 100)])
async def test_a_poll_brings_at_most_100(bot: Bot, people: People, limit: int, number: int) -> None:
    """The limit is 1 to 100; anything else means 100."""
    say(people, *map(str, range(105)))

    assert number == len(await texts(bot, limit=limit))


@pytest.mark.parametrize(
    ("seconds", "left"),
    [
        pytest.param(149, ["message", "callback_query"], id="in-time"),
        pytest.param(151, ["message"], id="press-gone"),
        pytest.param(86_390, ["message"], id="almost-a-day"),
        pytest.param(86_401, [], id="a-day"),
    ],
)
async def test_updates_expire(
    bot: Bot, people: People, clock: Conductor, seconds: int, left: list[str]
) -> None:
    """Presses live 150 seconds in the queue, messages a day."""
    yes = InlineKeyboardButton(text="Yes", callback_data="yes")
    await bot.send_message(
        people.group.id, "card", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[yes]])
    )
    say(people, "a")
    people.alice.presses(people.group.messages[-1], "Yes")
    clock.jump(seconds)

    assert left == [update.event_type for update in await bot.get_updates()]


async def test_the_filter_is_sticky_and_works_at_creation(bot: Bot, people: People) -> None:
    """`allowed_updates` counts for what happens later, until another poll changes it."""
    say(people, "before")
    await bot.get_updates(allowed_updates=["my_chat_member"])
    say(people, "filtered out")
    await bot.get_updates()
    say(people, "filtered out, too")
    await bot.get_updates(allowed_updates=[])
    say(people, "after")

    assert await texts(bot) == ["before", "after"]


async def test_a_long_poll_is_answered_by_news(
    bot: Bot, people: People, heard: Callable[[], Awaitable[None]]
) -> None:
    """A poll that finds nothing waits, and returns with the next update at once."""
    poll = asyncio.create_task(texts(bot, timeout=50))
    await heard()
    say(people, "a")

    assert await poll == ["a"]


@pytest.mark.parametrize(("timeout", "seconds"), [(10, 10), (120, 50)])
async def test_a_long_poll_ends_on_the_clock(
    bot: Bot,
    clock: Conductor,
    heard: Callable[[], Awaitable[None]],
    timeout: int,
    seconds: int,
) -> None:
    """Without news a poll is answered empty after its timeout, 50 seconds at most."""
    poll = asyncio.create_task(texts(bot, timeout=timeout))
    await heard()
    clock.jump(seconds - 5)
    await bot.get_me()
    ended_early = poll.done()
    clock.jump(6)

    assert not ended_early
    assert await asyncio.wait_for(poll, 5) == []


async def test_the_newer_of_two_polls_wins(
    bot: Bot, people: People, heard: Callable[[], Awaitable[None]], telegram: TelegramEmulator
) -> None:
    """The older poll gets 409, and the newer the update."""
    older = asyncio.create_task(texts(bot, timeout=50))
    await heard()
    newer = asyncio.create_task(texts(bot, timeout=50))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await older
    say(people, "a")

    assert await newer == ["a"]
    assert [call.ok for call in telegram.journal.of("getUpdates")] == [False, True]


async def test_a_poll_whose_client_died_conflicts_with_nobody(
    bot: Bot, people: People, heard: Callable[[], Awaitable[None]], telegram: TelegramEmulator
) -> None:
    """A poll of a killed process takes nothing away, and no 409 is noted for it."""
    dead = connect(telegram)
    poll = asyncio.create_task(texts(dead, timeout=50))
    await heard()
    poll.cancel()
    await disconnect(dead)
    say(people, "a")

    assert await texts(bot, timeout=50) == ["a"]
    assert False not in [call.ok for call in telegram.journal]


async def test_no_poll_beside_a_webhook(
    bot: Bot, people: People, heard: Callable[[], Awaitable[None]]
) -> None:
    """Setting a webhook ends the waiting poll, and polls are refused until it is deleted."""
    poll = asyncio.create_task(texts(bot, timeout=50))
    await heard()
    await bot.set_webhook("https://bot.example/hook")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook request"):
        await poll
    say(people, "a")
    with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook"):
        await bot.get_updates()
    info = await bot.get_webhook_info()
    await bot.delete_webhook()

    assert (info.url, info.pending_update_count) == ("https://bot.example/hook", 1)
    assert await texts(bot) == ["a"]


async def test_pending_updates_can_be_dropped(bot: Bot, people: People) -> None:
    """`deleteWebhook` drops what waits if it is asked to."""
    say(people, "a")
    await bot.delete_webhook(drop_pending_updates=True)

    assert await texts(bot) == []


async def test_an_update_can_be_injected_as_it_is(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """A malformed update stands in the queue between two good ones."""
    say(people, "a")
    telegram.inject_update({"message": {"message_id": "no number"}})
    say(people, "b")

    first, broken, last = telegram.pending_updates
    assert broken["message"] == {"message_id": "no number"}
    assert [first["update_id"] + 1, last["update_id"] - 1] == [broken["update_id"]] * 2


async def test_a_dispatcher_polls_and_answers(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """aiogram's own polling runs against the emulator, from a message to its answer."""
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(f"You said {message.text}")

    polling = asyncio.create_task(
        dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False)
    )
    people.alice.says(people.alice.private, "hi")
    chat = people.alice.private
    await telegram.until(lambda: chat.last_from(telegram.bot).text == "You said hi")
    await dispatcher.stop_polling()
    await polling

    assert telegram.unexpected == []
