"""One message handed to GREEN-API, and what its answer means for the message, in Russian."""

from datetime import timedelta

from bot.domain.delivery import Accepted, InstanceDown, NotSent, Outcome, Refused, Uncertain
from greenapi.client import GreenApi
from greenapi.errors import (
    GreenApiError,
    InstanceTrouble,
    InstanceUnusable,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from greenapi.models import InstanceState, State

_TROUBLES = {
    InstanceTrouble.TOKEN_REFUSED: "GREEN-API не принимает токен: проверьте его в консоли",
    InstanceTrouble.WRONG_INSTANCE: "GREEN-API не знает такого инстанса: проверьте его номер",
    InstanceTrouble.WRONG_ADDRESS: "неверный адрес GREEN-API: возьмите его в консоли",
    InstanceTrouble.QUOTA: "исчерпан лимит тарифа GREEN-API",
    InstanceTrouble.NOT_AUTHORIZED: "WhatsApp не привязан: отсканируйте QR-код",
    InstanceTrouble.STARTING: "инстанс GREEN-API запускается",
    InstanceTrouble.EXPIRED: "инстанс GREEN-API не оплачен",
    InstanceTrouble.DELETED: "инстанс GREEN-API удалён",
}
_STATES = {
    State.NOT_AUTHORIZED: "WhatsApp не привязан: отсканируйте QR-код",
    State.BLOCKED: "номер заблокирован в WhatsApp",
    State.STARTING: "инстанс GREEN-API запускается",
    State.SUSPENDED: "WhatsApp временно ограничил отправку с этого номера",
    State.SLEEP_MODE: "телефон с WhatsApp выключен",
}


def trouble_words(error: GreenApiError) -> str:
    """Why GREEN-API cannot be used, for people."""
    match error:
        case InstanceUnusable(trouble=trouble):
            return _TROUBLES[trouble]
        case Unreachable():
            return "нет связи с GREEN-API"
        case RateLimited():
            return "слишком частые запросы к GREEN-API"
        case _:
            return "GREEN-API не отвечает как надо"


def state_words(state: InstanceState) -> str:
    """Why an instance in this state does not send, for people."""
    return _STATES.get(state.state, f"инстанс GREEN-API в состоянии «{state.word or 'неизвестно'}»")


async def send(green: GreenApi, phone: str, text: str) -> Outcome:
    """Hand one message over; every way it can end is an `Outcome`, sorted by what is certain."""
    try:
        sent = await green.send_message(phone, text)
    except Rejected as error:
        return Refused(f"WhatsApp не принял сообщение: {error.reason}")
    except InstanceUnusable as error:
        return InstanceDown(trouble_words(error))
    except RateLimited as error:
        return NotSent(trouble_words(error), timedelta(seconds=error.retry_after or 0))
    except Unreachable as error:
        return NotSent(trouble_words(error))
    except OutcomeUnknown as error:
        return Uncertain(_uncertain_words(error))
    return Accepted(sent.id_message, sent.raw)


def _uncertain_words(error: OutcomeUnknown) -> str:
    if error.status is None:
        return "GREEN-API не ответил: неизвестно, принято ли сообщение"
    return f"непонятный ответ GREEN-API (код {error.status}): неизвестно, принято ли сообщение"
