"""What is said to GREEN-API and heard from it, as typed values; knows nothing of HTTP."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

_LONGEST_WORD = 64  # a state we do not know is shown to people: keep it a word


@dataclass(frozen=True, slots=True)
class Credentials:
    """One instance, as its page in the GREEN-API console shows it."""

    api_url: str  # e.g. https://1101.api.green-api.com, with or without a slash at the end
    instance: str  # idInstance
    token: str = field(repr=False)  # apiTokenInstance

    def url(self, method: str) -> str:
        """The address of an API method. It holds the token: never log it.

        https://green-api.com/en/docs/api/request-format/
        """
        instance, token = quote(self.instance, safe=""), quote(self.token, safe="")
        return f"{self.api_url.rstrip('/')}/waInstance{instance}/{method}/{token}"


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message GREEN-API has put in its queue; that is not yet delivery."""

    id_message: str
    raw: dict[str, object] = field(repr=False, hash=False)  # the whole answer, redacted


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message that left the instance, by whose hand ever, as the provider's journal has it."""

    id_message: str
    chat_id: str = field(repr=False)
    phone: str | None = field(repr=False)  # digits; None: a group, or a hidden id (`@lid`)
    text: str = field(repr=False)  # unprintable signs, line breaks too, are blanks; "" for a file
    at: datetime  # when something last happened to it
    sent_by_api: bool  # else a person wrote it on the phone
    status: str | None  # None unless the instance has `outgoingWebhook` on


class State(StrEnum):
    """The states of an instance that we know."""

    AUTHORIZED = "authorized"
    NOT_AUTHORIZED = "notAuthorized"
    BLOCKED = "blocked"
    STARTING = "starting"
    SUSPENDED = "suspended"  # called yellowCard until 30.07.2026, and still by some servers
    SLEEP_MODE = "sleepMode"
    OTHER = "other"  # a word we do not know, or none: not sendable


@dataclass(frozen=True, slots=True)
class InstanceState:
    """The state of the instance, and the word the provider used for it."""

    state: State
    word: str | None  # None: the provider gave no state (an instance being created)

    @classmethod
    def of(cls, value: object) -> "InstanceState":
        """Read `stateInstance`, whatever came in its place."""
        if not isinstance(value, str):
            return cls(State.OTHER, None)
        known = "suspended" if value == "yellowCard" else value
        state = State(known) if known in State.__members__.values() else State.OTHER
        return cls(state, value[:_LONGEST_WORD])

    @property
    def authorized(self) -> bool:
        """Whether what is sent now leaves now."""
        return self.state is State.AUTHORIZED


@dataclass(frozen=True, slots=True)
class WaSettings:
    """The WhatsApp account behind the instance."""

    phone: str | None  # digits of the linked number; None unless authorized
    state_instance: InstanceState
    suspended_until: str | None  # as the provider writes it: its format is not documented
    raw: dict[str, object] = field(repr=False, hash=False)  # the whole answer, redacted


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """The settings of the instance that bear on sending, or on somebody else using it."""

    wid: str | None  # own number as a chat id; None if not linked
    webhook_url: str | None  # None: nobody takes the notifications by webhook
    delay_send_messages_milliseconds: int | None  # the provider's own pause between sends
    incoming_webhook: bool
    outgoing_webhook: bool
    outgoing_message_webhook: bool
    state_webhook: bool
    raw: dict[str, object] = field(repr=False, hash=False)  # redacted, without webhookUrlToken
