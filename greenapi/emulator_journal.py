"""What the emulated service tells of its past: `lastOutgoingMessages`, which lags behind.

It keeps every message that left, whoever sent it; when to send is `greenapi.emulator`'s business.
https://green-api.com/en/docs/api/journals/LastOutgoingMessages/
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

_LAG = timedelta(minutes=2)  # the longest that is documented


@dataclass(frozen=True, slots=True)
class Message:
    """A message at the moment the service took it, or the client's phone showed it."""

    id_message: str
    chat_id: str
    text: str
    at: datetime


@dataclass(slots=True)
class _Entry:
    message: Message
    by_api: bool
    status: str
    at: datetime  # of the last thing that happened to the message


class Journal:
    """All outgoing messages of the instance."""

    def __init__(self) -> None:
        self.lag = _LAG
        self._entries: dict[str, _Entry] = {}

    def write(self, chat_id: str, text: str, at: datetime, *, by_api: bool) -> Message:
        """A new message, with an id of its own."""
        number = len(self._entries).to_bytes(8)
        id_message = "3EB0" + hashlib.blake2s(number, digest_size=8).hexdigest().upper()
        message = Message(id_message, chat_id, text, at)
        self._entries[id_message] = _Entry(message, by_api, "pending", at)
        return message

    def note(self, id_message: str, status: str, at: datetime) -> None:
        """Something happened to a message."""
        entry = self._entries[id_message]
        entry.status, entry.at = status, at

    def last(self, minutes: int, now: datetime, *, with_statuses: bool) -> list[dict[str, object]]:
        """The entries of the last `minutes` that are old enough to show, newest first."""
        ages = timedelta(minutes=minutes), self.lag
        shown = [entry for entry in self._entries.values() if ages[0] >= now - entry.at >= ages[1]]
        newest_first = sorted(shown, key=lambda entry: entry.at, reverse=True)
        return [_as_json(entry, with_statuses=with_statuses) for entry in newest_first]


def _as_json(entry: _Entry, *, with_statuses: bool) -> dict[str, object]:
    text = entry.message.text
    fields: dict[str, object] = {
        "type": "outgoing",
        "idMessage": entry.message.id_message,
        "timestamp": int(entry.at.timestamp()),
        "statusMessage": entry.status if with_statuses else "",
        "sendByApi": entry.by_api,
        "typeMessage": "extendedTextMessage" if entry.by_api else "textMessage",
        "chatId": entry.message.chat_id,
        "textMessage": text,
    }
    if entry.by_api:  # seen in the field: a plain text of the API's is an extended one
        rest = {"description": "", "title": "", "previewType": "None", "jpegThumbnail": ""}
        fields["extendedTextMessage"] = {"text": text, **rest}
    return fields
