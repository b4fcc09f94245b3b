"""The real client on the emulated provider: each fault, what the caller learns, what is true."""

import asyncio
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from greenapi import emulator
from greenapi.errors import (
    GreenApiError,
    InstanceTrouble,
    InstanceUnusable,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from greenapi.models import OutgoingMessage, State


def everything_said(error):
    """All that a log could make of an exception, chained ones included."""
    words = traceback.format_exception(error)
    while error is not None:
        words += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(words)


async def failure_of(call):
    """What an awaited call raises."""
    with pytest.raises(GreenApiError) as caught:
        await call
    return caught.value


async def test_conversation(api, green):
    """On a good day everything is answered, and the client's phone shows the message once."""
    state = await api.get_state_instance()
    wa_settings = await api.get_wa_settings()
    settings = await api.get_settings()
    message = await api.send_message("79001234567", "Здравствуйте, Анна!\n*До встречи* 👋")

    assert (state.authorized, wa_settings.phone) == (True, "79000000001")
    assert (settings.wid, settings.webhook_url) == ("79000000001@c.us", None)
    assert settings.delay_send_messages_milliseconds == 15_000
    [shown] = green.phone("79001234567")
    assert (shown.text, shown.id_message) == (
        "Здравствуйте, Анна!\n*До встречи* 👋",
        message.id_message,
    )


async def test_not_authorized(api, green):
    """An unlinked instance says so, and yet takes messages."""
    green.state = "notAuthorized"
    state = await api.get_state_instance()
    wa_settings = await api.get_wa_settings()
    await api.send_message("79001234567", "Да")

    assert (state.state, wa_settings.phone) == (State.NOT_AUTHORIZED, None)
    assert (len(green.accepted), green.delivered) == (1, [])


async def test_null_state(api, green):
    """An instance that is being created is not sendable."""
    green.fail_next("getStateInstance", emulator.NULL)

    assert (await api.get_state_instance()).state is State.OTHER


async def test_journal(api, green, clock):
    """The journal shows what the API sent and what a person wrote on the phone, newest first."""
    clock.run_at(1e-9)
    green.settings["outgoingWebhook"] = "yes"
    sent = await api.send_message("79001234567", "Здравствуйте, Анна!\n*До встречи* 👋")
    clock.jump(60)
    typed = green.typed_on_phone("79007654321", "Добрый день")
    clock.jump(150)

    journal = await api.last_outgoing_messages(35)

    at = datetime(2026, 10, 6, 7, tzinfo=UTC)
    newest = OutgoingMessage(
        id_message=typed.id_message,
        chat_id="79007654321@c.us",
        phone="79007654321",
        text="Добрый день",
        at=at + timedelta(seconds=60),
        sent_by_api=False,
        status="delivered",
    )
    oldest = OutgoingMessage(
        id_message=sent.id_message,
        chat_id="79001234567@c.us",
        phone="79001234567",
        text="Здравствуйте, Анна! *До встречи* 👋",
        at=at,
        sent_by_api=True,
        status="delivered",
    )
    assert (newest, oldest) == journal


async def test_journal_null(api, green):
    """A journal that is `null` is an empty one."""
    green.fail_next("lastOutgoingMessages", emulator.NULL)

    assert () == await api.last_outgoing_messages(35)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (emulator.status(200, '{"idMessage": "3EB0"}'), OutcomeUnknown),
        (emulator.status(502, "<html>"), OutcomeUnknown),
        (emulator.HTML, OutcomeUnknown),
        (emulator.RESET_BEFORE_ACCEPT, OutcomeUnknown),
        (emulator.QUOTA, InstanceUnusable),
        (emulator.NOT_AUTHORIZED, InstanceUnusable),
        (emulator.rate_limited(1), RateLimited),
        (emulator.bad_request("Validation failed"), Rejected),
    ],
    ids=["object", "502", "html", "reset", "quota", "not authorized", "429", "400"],
)
async def test_journal_refused(api, green, token, fault, kind):
    """A journal that does not come fails like any other read, and is asked for once."""
    green.fail_next("lastOutgoingMessages", fault)
    failure = await failure_of(api.last_outgoing_messages(35))

    assert (kind, 1) == (type(failure), len(green.calls))
    assert token not in everything_said(failure)


TROUBLE = [
    ("starting", emulator.STARTING, InstanceTrouble.STARTING),
    ("not authorized", emulator.NOT_AUTHORIZED, InstanceTrouble.NOT_AUTHORIZED),
    ("expired", emulator.EXPIRED, InstanceTrouble.EXPIRED),
    ("deleted", emulator.DELETED, InstanceTrouble.DELETED),
    ("quota", emulator.QUOTA, InstanceTrouble.QUOTA),
    ("correspondents", emulator.CORRESPONDENTS_QUOTA, InstanceTrouble.QUOTA),
    ("401", emulator.status(401), InstanceTrouble.TOKEN_REFUSED),
    ("403", emulator.status(403), InstanceTrouble.WRONG_INSTANCE),
    ("404", emulator.status(404), InstanceTrouble.WRONG_ADDRESS),
    ("302", emulator.status(302), InstanceTrouble.WRONG_ADDRESS),
]


@pytest.mark.parametrize(
    ("fault", "trouble"), [case[1:] for case in TROUBLE], ids=[case[0] for case in TROUBLE]
)
async def test_instance_trouble(api, green, token, fault, trouble):
    """Trouble with the instance is told from trouble with the message; nothing was sent."""
    green.fail_next("sendMessage", fault)
    failure = await failure_of(api.send_message("79001234567", "Да"))

    assert isinstance(failure, InstanceUnusable)
    assert (failure.trouble, failure.status) == (trouble, fault.status)
    assert (len(green.calls), green.accepted) == (1, [])
    assert token not in everything_said(failure)


UNKNOWN = [
    ("reset before", emulator.RESET_BEFORE_ACCEPT, None, 0),
    ("reset after", emulator.ACCEPT_THEN_RESET, None, 1),
    ("garbage", emulator.GARBAGE, 200, 1),
    ("html", emulator.HTML, 200, 1),
    ("no id", emulator.WITHOUT_ID, 200, 1),
    ("null", emulator.NULL, 200, 0),
    ("499", emulator.status(499), 499, 0),
    ("500", emulator.status(500, "oops"), 500, 0),
    ("502", emulator.status(502, "<html>", accept=True), 502, 1),
    ("503", emulator.status(503), 503, 0),
    ("504", emulator.status(504, accept=True), 504, 1),
    ("418", emulator.status(418), 418, 0),
]


@pytest.mark.parametrize(
    ("fault", "status", "taken"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN]
)
async def test_outcome_unknown(api, green, token, fault, status, taken):
    """Where a message may have gone the outcome is unknown, and it was asked for just once."""
    green.fail_next("sendMessage", fault)
    failure = await failure_of(api.send_message("79001234567", "Да"))

    assert isinstance(failure, OutcomeUnknown)
    assert failure.status == status
    assert (len(green.calls), len(green.phone("79001234567"))) == (1, taken)
    assert token not in everything_said(failure)


@pytest.mark.parametrize(
    ("fault", "taken"),
    [(emulator.HANG, 0), (emulator.ACCEPT_THEN_HANG, 1), (emulator.slow(300), 1)],
    ids=["never accepted", "accepted", "too slow"],
)
async def test_send_times_out(api, green, clock, token, fault, taken):
    """A send without an answer for 90 s has an unknown outcome."""
    green.fail_next("sendMessage", fault)
    green.on_request = lambda call: clock.run_at(1000)
    before = clock.now()
    failure = await failure_of(api.send_message("79001234567", "Да"))

    assert isinstance(failure, OutcomeUnknown)
    assert 90 <= (clock.now() - before).total_seconds() < 1000
    assert (len(green.calls), len(green.phone("79001234567"))) == (1, taken)
    assert token not in everything_said(failure)


async def test_slow_send(api, green, clock):
    """A send may take longer than a read: users report up to a minute."""
    green.fail_next("sendMessage", emulator.slow(40))
    green.on_accepted = lambda message: clock.run_at(200)

    assert (await api.send_message("79001234567", "Да")).id_message.startswith("3EB0")


async def test_read_times_out(api, green, clock):
    """A read waits 30 s at most."""
    green.fail_next("getStateInstance", emulator.HANG)
    green.on_request = lambda call: clock.run_at(200)
    before = clock.now()
    failure = await failure_of(api.get_state_instance())

    assert isinstance(failure, OutcomeUnknown)
    assert 30 <= (clock.now() - before).total_seconds() < 90


async def test_slow_body_times_out(api_at, clock):
    """The time limit covers the body, not only the headers."""

    async def trickle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        clock.run_at(1000)
        await reader.read()  # ends when the client gives up
        writer.close()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failure = await failure_of(api_at(f"http://127.0.0.1:{port}").get_state_instance())

    assert isinstance(failure, OutcomeUnknown)


async def test_rejected(api, green, token):
    """A phone the provider does not understand is refused, in its words but without secrets."""
    failure = await failure_of(api.send_message("+79001234567", "Да"))

    assert isinstance(failure, Rejected)
    assert (failure.status, green.accepted) == (400, [])
    assert "'chatId' must be one of the next formats" in failure.reason
    assert token not in everything_said(failure)


async def test_rejected_text(api):
    """So is a text that is too long."""
    failure = await failure_of(api.send_message("79001234567", "x" * 20_001))

    assert isinstance(failure, Rejected)
    assert "20000 characters" in failure.reason


async def test_rate_limited(api, green):
    """Above the limit nothing was sent, and the wait asked for is told."""
    green.fail_next("sendMessage", emulator.rate_limited(7))
    failure = await failure_of(api.send_message("79001234567", "Да"))

    assert isinstance(failure, RateLimited)
    assert (failure.retry_after, green.accepted) == (7.0, [])


async def test_natural_rate_limit(api, clock):
    """The emulator's own limit, which names no wait, reads as the same refusal."""
    clock.run_at(0.001)
    await api.get_settings()
    failure = await failure_of(api.get_settings())

    assert isinstance(failure, RateLimited)
    assert failure.retry_after is None


async def test_wrong_token(api_at, green):
    """A token that was changed in the console is trouble with the instance."""
    failure = await failure_of(api_at(green.url, token="old").send_message("79001234567", "Да"))

    assert isinstance(failure, InstanceUnusable)
    assert failure.trouble is InstanceTrouble.TOKEN_REFUSED


async def test_unreachable(api, green, token):
    """A provider that is down took nothing, and the same client works when it is back."""
    await green.stop()
    failure = await failure_of(api.send_message("79001234567", "Да"))
    await green.start()
    await api.send_message("79001234567", "Да")

    assert isinstance(failure, Unreachable)
    assert len(green.phone("79001234567")) == 1
    assert token not in everything_said(failure)


async def test_read_faults_are_not_retried(api, green):
    """A read that is cut off is asked once, too."""
    green.fail_next("getStateInstance", emulator.RESET_BEFORE_ACCEPT)
    failure = await failure_of(api.get_state_instance())

    assert isinstance(failure, OutcomeUnknown)
    assert len(green.calls) == 1


async def test_cancelled(api, green):
    """Cancelling a call cancels it: nothing turns that into an outcome."""
    accepted = asyncio.Event()
    green.on_accepted = lambda message: accepted.set()
    green.fail_next("sendMessage", emulator.ACCEPT_THEN_HANG)
    sending = asyncio.create_task(api.send_message("79001234567", "Да"))
    await accepted.wait()
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_callers_deadline(api, green):
    """A deadline of the caller's own stays the caller's."""
    green.fail_next("sendMessage", emulator.HANG)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await api.send_message("79001234567", "Да")
