"""What GREEN-API's answer means for a message: the real client on the emulated provider."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.demo.clock import Conductor
from bot.domain.delivery import Accepted, InstanceDown, NotSent, Refused, Uncertain
from bot.services import whatsapp
from greenapi import emulator
from greenapi.client import GreenApi, open_session
from greenapi.emulator import Fault, GreenApiEmulator
from greenapi.models import Credentials
from tests.builders import PHONE

INSTANCE, TOKEN = "1101000001", "invented-token-0123456789"
NO_WORD = "GREEN-API не ответил: неизвестно, принято ли сообщение"


@pytest.fixture
def clock() -> Conductor:
    """A clock that runs fast: nobody waits out a time limit."""
    return Conductor(datetime(2026, 11, 23, 7, tzinfo=UTC), rate=1000.0)


@pytest.fixture
async def green(clock: Conductor) -> AsyncIterator[GreenApiEmulator]:
    """The emulated provider."""
    async with GreenApiEmulator(clock, instance=INSTANCE, token=TOKEN) as provider:
        yield provider


@pytest.fixture
async def api(clock: Conductor, green: GreenApiEmulator) -> AsyncIterator[GreenApi]:
    """The client of that provider."""
    async with open_session() as session:
        yield GreenApi(session, Credentials(green.url, INSTANCE, TOKEN), timeout=clock.timeout)


async def test_accepted(api: GreenApi, green: GreenApiEmulator) -> None:
    """A message that was taken is accepted, with the whole answer."""
    outcome = await whatsapp.send(api, PHONE, "Здравствуйте!")
    [message] = green.accepted

    assert Accepted(message.id_message, {"idMessage": message.id_message}) == outcome


UNUSABLE = {
    "401": (emulator.status(401), "GREEN-API не принимает токен: проверьте его в консоли"),
    "403": (emulator.status(403), "GREEN-API не знает такого инстанса: проверьте его номер"),
    "404": (emulator.status(404), "неверный адрес GREEN-API: возьмите его в консоли"),
    "466": (emulator.QUOTA, "исчерпан лимит тарифа GREEN-API"),
    "starting": (emulator.STARTING, "инстанс GREEN-API запускается"),
    "not authorized": (emulator.NOT_AUTHORIZED, "WhatsApp не привязан: отсканируйте QR-код"),
    "expired": (emulator.EXPIRED, "инстанс GREEN-API не оплачен"),
    "deleted": (emulator.DELETED, "инстанс GREEN-API удалён"),
}


@pytest.mark.parametrize(("fault", "why"), UNUSABLE.values(), ids=UNUSABLE)
async def test_instance_down(
    api: GreenApi, green: GreenApiEmulator, fault: Fault, why: str
) -> None:
    """A refusal about the instance is one, in words that say what to do."""
    green.fail_next("sendMessage", fault)

    assert InstanceDown(why) == await whatsapp.send(api, PHONE, "Да")


UNCERTAIN = {
    "taken, then silence": (emulator.ACCEPT_THEN_HANG, NO_WORD),
    "taken, then reset": (emulator.ACCEPT_THEN_RESET, NO_WORD),
    "reset before": (emulator.RESET_BEFORE_ACCEPT, NO_WORD),
    "silence": (emulator.HANG, NO_WORD),
    "garbage": (
        emulator.GARBAGE,
        "непонятный ответ GREEN-API (код 200): неизвестно, принято ли сообщение",
    ),
    "no id": (
        emulator.WITHOUT_ID,
        "непонятный ответ GREEN-API (код 200): неизвестно, принято ли сообщение",
    ),
    "502": (
        emulator.status(502, "<html>"),
        "непонятный ответ GREEN-API (код 502): неизвестно, принято ли сообщение",
    ),
}


@pytest.mark.parametrize(("fault", "why"), UNCERTAIN.values(), ids=UNCERTAIN)
async def test_uncertain(api: GreenApi, green: GreenApiEmulator, fault: Fault, why: str) -> None:
    """Whatever may have gone is uncertain, and says why."""
    green.fail_next("sendMessage", fault)

    assert Uncertain(why) == await whatsapp.send(api, PHONE, "Да")


async def test_refused(api: GreenApi, green: GreenApiEmulator) -> None:
    """A refusal about this very message tells the provider's reason."""
    green.fail_next("sendMessage", emulator.bad_request("Validation failed. Details: 'chatId'"))
    outcome = await whatsapp.send(api, PHONE, "Да")

    assert isinstance(outcome, Refused)
    assert outcome.why.startswith("WhatsApp не принял сообщение: Validation failed")
    assert TOKEN not in outcome.why


@pytest.mark.parametrize(("asked", "seconds"), [(7, 7), ("soon", 0)])
async def test_rate_limited(
    api: GreenApi, green: GreenApiEmulator, asked: float | str, seconds: float
) -> None:
    """Too many requests are surely not sent, and wait as long as was asked."""
    green.fail_next("sendMessage", emulator.rate_limited(asked))
    outcome = await whatsapp.send(api, PHONE, "Да")

    expected = NotSent("слишком частые запросы к GREEN-API", timedelta(seconds=seconds))
    assert expected == outcome


async def test_nobody_there(api: GreenApi, green: GreenApiEmulator) -> None:
    """Without a connection a message is surely not sent."""
    await green.__aexit__(None, None, None)

    assert NotSent("нет связи с GREEN-API") == await whatsapp.send(api, PHONE, "Да")
    await green.__aenter__()
