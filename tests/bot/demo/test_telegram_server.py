"""The HTTP side of the emulated Bot API: encodings, faults, hooks, outages, journal, waiting."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.demo import telegram_faults as faults
from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from bot.demo.telegram_journal import Call
from tests.bot.demo.conftest import People, connect, disconnect


@pytest.mark.parametrize(
    ("verb", "method", "how"),
    [
        pytest.param("POST", "sendMessage", "data", id="urlencoded"),
        pytest.param("POST", "sendMessage", "multipart", id="multipart"),
        pytest.param("POST", "sendMessage", "json", id="json"),
        pytest.param("GET", "sendMessage", "params", id="query"),
        pytest.param("POST", "SENDMESSAGE", "data", id="upper-case"),
    ],
)
async def test_parameters_come_in_any_encoding(
    telegram: TelegramEmulator, people: People, verb: str, method: str, how: str
) -> None:
    """Form, multipart, JSON and query are understood, and the case of the method is no matter."""
    values: Any = {"chat_id": str(people.group.id), "text": "Hi"}
    if how == "multipart":
        how, values = "data", aiohttp.FormData(values, default_to_multipart=True)
    url = f"{telegram.url}/bot{telegram.token}/{method}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(verb, url, **{how: values}) as it,
    ):
        body = await it.json()

    assert (it.status, body["ok"], body["result"]["text"]) == (200, True, "Hi")
    assert telegram.journal[0].method == "sendMessage"


@pytest.mark.parametrize(
    ("path", "body", "status", "description"),
    [
        ("getMe", "[1", 400, "Bad Request: can't parse JSON object"),
        ("sendMessage", "{}", 400, "Bad Request: chat_id is empty"),
        ("noSuchMethod", "{}", 404, "Not Found"),
        ("too/deep", "{}", 404, "Not Found"),
    ],
)
async def test_refusals_have_the_shape_of_the_bot_api(
    telegram: TelegramEmulator, path: str, body: str, status: int, description: str
) -> None:
    """A refusal is JSON with `ok`, `error_code` and `description`, and the status says the same."""
    url = f"{telegram.url}/bot{telegram.token}/{path}"
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        read = await answer.json()

    assert answer.status == status
    assert {"ok": False, "error_code": status, "description": description} == read


async def test_a_flood_answer_has_parameters_and_a_header(telegram: TelegramEmulator) -> None:
    """429 says when to come back in three places."""
    telegram.fail_next("getMe", faults.too_many_requests(7))
    url = f"{telegram.url}/bot{telegram.token}/getMe"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        read = await answer.json()

    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert read["parameters"] == {"retry_after": 7}
    assert read["description"] == "Too Many Requests: retry after 7"


@pytest.mark.parametrize(
    ("fault", "error", "shown"),
    [
        pytest.param(faults.too_many_requests(3), TelegramRetryAfter, [], id="429"),
        pytest.param(faults.bad_request("any text"), TelegramBadRequest, [], id="400"),
        pytest.param(faults.unauthorized(), TelegramUnauthorizedError, [], id="401"),
        pytest.param(faults.forbidden("any text"), TelegramForbiddenError, [], id="403"),
        pytest.param(faults.bad_gateway(), ClientDecodeError, [], id="502"),
        pytest.param(faults.bad_gateway(acts=True), ClientDecodeError, ["Hi"], id="502-acted"),
        pytest.param(faults.cut_body(), ClientDecodeError, ["Hi"], id="cut"),
        pytest.param(faults.garbage(), ClientDecodeError, ["Hi"], id="garbage"),
        pytest.param(faults.reset_before(), TelegramNetworkError, [], id="reset-before"),
        pytest.param(faults.reset_after(), TelegramNetworkError, ["Hi"], id="reset-after"),
    ],
)
async def test_a_fault_strikes_as_often_as_ordered(
    bot: Bot, people: People, telegram: TelegramEmulator, fault: Any, error: Any, shown: list[str]
) -> None:
    """An ordered fault breaks the next call of that method, acting or not, and then is over."""
    telegram.fail_next("sendMessage", fault)
    await bot.get_me()
    with pytest.raises(error):
        await bot.send_message(people.group.id, "Hi")

    assert shown == [message.text for message in people.group.messages]
    assert fault.name == telegram.journal[-1].fault
    assert await bot.send_message(people.group.id, "again")


@pytest.mark.parametrize(("acts", "shown"), [(False, []), (True, ["Hi"])])
async def test_a_hanging_call_is_never_answered(
    bot: Bot, people: People, telegram: TelegramEmulator, shown: list[str], *, acts: bool
) -> None:
    """The client runs into its own time-out, whether the message was taken or not."""
    telegram.fail_next("sendMessage", faults.hang(acts=acts))
    sending = asyncio.create_task(bot.send_message(people.group.id, "Hi"))
    call = await telegram.until(lambda: telegram.journal[0])
    await telegram.until(lambda: call.fault)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sending, 0.02)

    assert shown == [message.text for message in people.group.messages]


async def test_a_fault_may_be_for_any_method_and_be_healed(
    bot: Bot, telegram: TelegramEmulator
) -> None:
    """ "*" strikes whatever comes, several times, until `heal`."""
    telegram.fail_next(faults.ANY_METHOD, faults.unauthorized(), times=3)
    for call in (bot.get_me, bot.get_webhook_info):
        with pytest.raises(TelegramUnauthorizedError):
            await call()
    telegram.heal()

    assert await bot.get_me()


async def test_hooks_stand_before_and_after_the_effect(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """`on_call` sees the chat without the message, `on_done` with it and before the answer."""
    seen: list[tuple[str, int, bool | None]] = []

    async def before(call: Call) -> None:
        seen.append((call.method, len(people.group.messages), call.ok))

    telegram.on_call = telegram.on_done = before
    await bot.send_message(people.group.id, "Hi")

    assert seen == [("sendMessage", 0, None), ("sendMessage", 1, True)]


async def test_a_failing_hook_is_not_overlooked(bot: Bot, telegram: TelegramEmulator) -> None:
    """An error in a hook is kept among the unexpected."""

    async def fail(_: Call) -> None:
        raise ValueError("wrong")

    telegram.on_call = fail
    with pytest.raises(ClientDecodeError):
        await bot.get_me()

    assert telegram.unexpected == ["getMe: ValueError('wrong')"]


async def test_down_refuses_and_up_returns_to_the_same_port(
    bot: Bot, telegram: TelegramEmulator
) -> None:
    """While down, open connections drop and new ones are refused; the address stays."""
    polling = asyncio.create_task(bot.get_updates(timeout=50))
    await telegram.until(lambda: telegram.journal[0])
    url = telegram.url
    await telegram.down()
    with pytest.raises(TelegramNetworkError):
        await polling
    with pytest.raises(TelegramNetworkError, match="Cannot connect"):
        await bot.get_me()
    await telegram.up()

    assert url == telegram.url
    assert await bot.get_me()


async def test_the_journal_tells_what_was_asked_and_answered(
    bot: Bot, people: People, telegram: TelegramEmulator, clock: Conductor
) -> None:
    """Each call is noted with method, chat, parameters, time and outcome."""
    await bot.send_message(people.group.id, "Hi")
    with pytest.raises(TelegramBadRequest):
        await bot.send_message(-1, "Hi")
    done, failed = telegram.journal.of("sendMessage")

    assert (done.chat_id, done.params["text"], done.ok) == (people.group.id, "Hi", True)
    assert (failed.ok, failed.error) == (False, "Bad Request: chat not found")
    assert abs((clock.now() - done.at).total_seconds()) < 5
    assert [failed] == telegram.journal.of("sendMessage", chat_id=-1)


async def test_the_most_calls_in_any_minute_are_counted(
    bot: Bot, people: People, telegram: TelegramEmulator, clock: Conductor
) -> None:
    """Sends and edits to one chat count together, in the worst 60 seconds of the clock."""
    for number in range(3):
        sent = await bot.send_message(people.group.id, f"{number}")
        clock.jump(25)
    await bot.edit_message_text("x", chat_id=people.group.id, message_id=sent.message_id)
    await bot.get_chat(people.group.id)
    clock.jump(61)
    await bot.send_message(people.group.id, "last")

    assert telegram.most_per_minute(people.group.id) == 3
    assert telegram.most_per_minute(people.group.id, ["editMessageText"]) == 1
    assert telegram.most_per_minute(people.alice.id) == 0


async def test_waiting_ends_with_the_change(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """`until` wakes at the change it waits for and returns what the predicate found."""
    waiting = asyncio.create_task(telegram.until(lambda: people.group.messages[-1].text))
    await bot.send_message(people.group.id, "Hi")

    assert await waiting == "Hi"


async def test_waiting_in_vain_shows_the_chat(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """What never comes true raises an error that shows the chat."""
    yes = InlineKeyboardButton(text="Yes", callback_data="yes")
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[yes]])
    await bot.send_message(people.group.id, "Lead 7", reply_markup=keyboard)
    people.bob.presses(people.group.messages[-1], "Yes")
    with pytest.raises(AssertionError) as caught:
        await telegram.until(lambda: False, timeout_real=0.01, chat=people.group)

    for part in ("Sales", "Lead 7", "[Yes]", "Bob pressed 'yes': no answer"):
        assert part in str(caught.value)


async def test_a_chat_can_be_printed(
    bot: Bot, people: People, telegram: TelegramEmulator, clock: Conductor
) -> None:
    """`render` shows who wrote what and when, replies, edits and answers."""
    clock.jump_to(clock.now().replace(hour=7, minute=5, second=0, microsecond=0))
    question = people.alice.says(people.group, "/help")
    sent = await bot.send_message(people.group.id, "one", reply_to_message_id=question.id)
    await bot.edit_message_text("two", chat_id=people.group.id, message_id=sent.message_id)
    expected = f"""\
=== Sales (group {people.group.id}) ===
Mon 07:05:00 #1 Alice
    /help
Mon 07:05:00 #2 Progrev -> #1 (edited Mon 07:05:00)
    two"""

    assert expected == telegram.render(people.group)


async def test_closing_never_hangs(clock: Conductor) -> None:
    """Long polls, hanging calls and stuck hooks do not hold up the end."""

    async def stick(_: Call) -> None:
        await asyncio.Event().wait()

    async with TelegramEmulator(clock) as telegram:
        bots = [connect(telegram) for _ in range(3)]
        telegram.fail_next("getMe", faults.hang())
        calls = [asyncio.create_task(bots[0].get_me())]
        calls.append(asyncio.create_task(bots[1].get_updates(timeout=50)))
        await telegram.until(lambda: len(telegram.journal) == 2)
        telegram.on_call = stick
        calls.append(asyncio.create_task(bots[2].get_me()))
        await telegram.until(lambda: len(telegram.journal) == 3)
        before = time.monotonic()
    took = time.monotonic() - before
    await asyncio.gather(*calls, return_exceptions=True)
    for bot in bots:
        await disconnect(bot)

    assert took < 0.3
