"""GREEN-API without a network: what to ask, what an answer means, what must not be repeated.

Pure functions of what was read; they know neither aiohttp nor the clock.
https://green-api.com/en/docs/api/common-errors/
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn
from urllib.parse import quote

from greenapi.errors import (
    GreenApiError,
    InstanceTrouble,
    InstanceUnusable,
    OutcomeUnknown,
    RateLimited,
    Rejected,
)
from greenapi.models import (
    InstanceSettings,
    InstanceState,
    OutgoingMessage,
    SentMessage,
    WaSettings,
)

_LONGEST_REASON = 300
_LONGEST_RETRY_AFTER = 86_400.0  # seconds; the provider's queue itself forgets after a day

_UNREADABLE = object()

_PATH_WITH_TOKEN = re.compile(r"/waInstance\d+/(\w+)/[^/?\s\"]+")
_PERSON = re.compile(r"([0-9]+)@c\.us")
_PHONE_OR_CHAT = re.compile(r"\+?\d{7,}(?:@[\w.]+)?")

_TROUBLE_BY_STATUS = {
    401: InstanceTrouble.TOKEN_REFUSED,
    403: InstanceTrouble.WRONG_INSTANCE,
    404: InstanceTrouble.WRONG_ADDRESS,
    466: InstanceTrouble.QUOTA,
}

# A 400 blames the message, except where its text says otherwise; the first match counts.
_TROUBLE_BY_TEXT = (
    ("instance in starting process", InstanceTrouble.STARTING),
    ("instance is starting", InstanceTrouble.STARTING),
    ("not authorized", InstanceTrouble.NOT_AUTHORIZED),
    ("account is expired", InstanceTrouble.EXPIRED),
    ("instance is deleted", InstanceTrouble.DELETED),
    ("parameter idinstance", InstanceTrouble.WRONG_INSTANCE),
    ("parameter apitokeninstance", InstanceTrouble.TOKEN_REFUSED),
    ("plain http request was sent to https port", InstanceTrouble.WRONG_ADDRESS),  # nginx's words
)


@dataclass(frozen=True, slots=True)
class Request:
    """One API call, but for the address and the token."""

    method: str
    verb: str
    body: dict[str, object] | None = None
    query: dict[str, str] = field(default_factory=dict)


GET_STATE_INSTANCE = Request("getStateInstance", "GET")
GET_WA_SETTINGS = Request("getWaSettings", "GET")
GET_SETTINGS = Request("getSettings", "GET")


def send_message(phone: str, text: str) -> Request:
    """Ask to send `text` to a person; https://green-api.com/en/docs/api/sending/SendMessage/."""
    return Request("sendMessage", "POST", {"chatId": f"{phone}@c.us", "message": text})


def last_outgoing_messages(minutes: int) -> Request:
    """Ask what left within the last `minutes`.

    https://green-api.com/en/docs/api/journals/LastOutgoingMessages/
    """
    return Request("lastOutgoingMessages", "GET", query={"minutes": str(minutes)})


def decipher(
    status: int, headers: Mapping[str, str], body: bytes, *, token: str
) -> dict[str, object]:
    """The object a 200 holds, redacted; anything else raises what the caller can do about it.

    `null`, which an instance that is being created answers, reads as an empty object.
    """
    answer = _answer(status, headers, body, token)
    if answer is None:
        return {}
    if not isinstance(answer, dict):
        raise OutcomeUnknown("unreadable answer", status)
    return answer


def decipher_array(
    status: int, headers: Mapping[str, str], body: bytes, *, token: str
) -> list[object]:
    """As `decipher`, for methods that answer with an array; `null` reads as an empty one."""
    answer = _answer(status, headers, body, token)
    if answer is None:
        return []
    if not isinstance(answer, list):
        raise OutcomeUnknown("unreadable answer", status)
    return answer


def redact(text: str, token: str) -> str:
    """The text without the token, whether named or standing in a path."""
    for secret in {token, quote(token, safe="")} - {""}:
        text = text.replace(secret, "***")
    return _PATH_WITH_TOKEN.sub(r"/waInstance***/\1/***", text)


def sent_message(answer: dict[str, object]) -> SentMessage:
    """Read the answer of `sendMessage`; without an id nobody knows what became of the message."""
    id_message = _text(answer, "idMessage")
    if id_message is None:
        raise OutcomeUnknown("answer without idMessage", 200)
    return SentMessage(id_message, answer)


def instance_state(answer: dict[str, object]) -> InstanceState:
    """Read the answer of `getStateInstance`."""
    return InstanceState.of(answer.get("stateInstance"))


def wa_settings(answer: dict[str, object]) -> WaSettings:
    """Read the answer of `getWaSettings`."""
    return WaSettings(
        phone=_text(answer, "phone"),
        state_instance=instance_state(answer),
        suspended_until=_text(answer, "suspendedUntil"),
        raw=answer,
    )


def instance_settings(answer: dict[str, object]) -> InstanceSettings:
    """Read the answer of `getSettings`; https://green-api.com/en/docs/api/account/GetSettings/."""
    delay = answer.get("delaySendMessagesMilliseconds")
    return InstanceSettings(
        wid=_text(answer, "wid"),
        webhook_url=_text(answer, "webhookUrl"),
        delay_send_messages_milliseconds=delay if isinstance(delay, int) else None,
        incoming_webhook=answer.get("incomingWebhook") == "yes",
        outgoing_webhook=answer.get("outgoingWebhook") == "yes",
        outgoing_message_webhook=answer.get("outgoingMessageWebhook") == "yes",
        state_webhook=answer.get("stateWebhook") == "yes",
        raw={key: value for key, value in answer.items() if key != "webhookUrlToken"},
    )


def outgoing_messages(answer: list[object]) -> tuple[OutgoingMessage, ...]:
    """Read the answer of `lastOutgoingMessages`; an entry that makes no sense is left out."""
    messages = (_outgoing_message(entry) for entry in answer if isinstance(entry, dict))
    return tuple(message for message in messages if message is not None)


def _outgoing_message(entry: dict[str, object]) -> OutgoingMessage | None:
    id_message, chat_id = _text(entry, "idMessage"), _text(entry, "chatId")
    at = _moment(entry.get("timestamp"))
    if id_message is None or chat_id is None or at is None or entry.get("type") == "incoming":
        return None
    person = _PERSON.fullmatch(chat_id)
    extended = entry.get("extendedTextMessage")
    longer = _text(extended, "text") if isinstance(extended, dict) else None
    return OutgoingMessage(
        id_message=id_message,
        chat_id=chat_id,
        phone=person[1] if person else None,
        text=_text(entry, "textMessage") or longer or "",
        at=at,
        sent_by_api=entry.get("sendByApi") is True,
        status=_text(entry, "statusMessage"),
    )


def _moment(timestamp: object) -> datetime | None:
    """Unix seconds, as a moment."""
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        return None
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _answer(status: int, headers: Mapping[str, str], body: bytes, token: str) -> object:
    if status != 200:
        raise _refusal(status, headers, body, token)
    return _parse(body, token)


def _refusal(status: int, headers: Mapping[str, str], body: bytes, token: str) -> GreenApiError:
    if 300 <= status < 400:  # never followed: the token would go wherever it points
        return InstanceUnusable(InstanceTrouble.WRONG_ADDRESS, status)
    if status in _TROUBLE_BY_STATUS:
        return InstanceUnusable(_TROUBLE_BY_STATUS[status], status)
    if status == 429:
        return RateLimited(_retry_after(headers))
    if status == 400:
        return _bad_request(_explanation(body, token))
    if status == 413:
        return Rejected(_reason(_explanation(body, token)), status)
    return OutcomeUnknown(f"status {status}", status)


def _bad_request(text: str) -> GreenApiError:
    for words, trouble in _TROUBLE_BY_TEXT:
        if words in text.lower():
            return InstanceUnusable(trouble, 400)
    return Rejected(_reason(text), 400)


def _explanation(body: bytes, token: str) -> str:
    """What a refusal says: its `message`, else the body as it is."""
    answer = _parse(body, token)
    if isinstance(answer, dict) and "message" in answer:
        return str(answer["message"])
    return _wash(body.decode(errors="replace"), token)


def _reason(text: str) -> str:
    """A refusal's words, fit to be stored and shown."""
    plain = " ".join(_PHONE_OR_CHAT.sub("[number]", text).split())
    return plain[:_LONGEST_REASON] or "no reason given"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After`; a date there is not understood."""
    values = {name.lower(): value.strip() for name, value in headers.items()}
    text = values.get("retry-after", "")
    return min(float(text), _LONGEST_RETRY_AFTER) if re.fullmatch("[0-9]+", text) else None


def _parse(body: bytes, token: str) -> object:
    """The JSON value, every text in it washed; `_UNREADABLE` where there is none."""
    try:
        return _clean(json.loads(body.decode(), parse_constant=_no_constant), token)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _clean(value: object, token: str) -> object:
    if isinstance(value, str):
        return _wash(value, token)
    if isinstance(value, list):
        return [_clean(item, token) for item in value]
    if isinstance(value, dict):
        return {_wash(key, token): _clean(item, token) for key, item in value.items()}
    return value


def _wash(text: str, token: str) -> str:
    """The text without the token, and without what a database would choke on (NUL, surrogates)."""
    clean = redact(text, token)
    if clean.isprintable():
        return clean
    return "".join(sign if sign.isprintable() else " " for sign in clean)


def _text(answer: dict[str, object], key: str) -> str | None:
    """The text under that key; None for nothing, blanks or another type."""
    value = answer.get(key)
    return value if isinstance(value, str) and value.strip() else None
