"""How the emulated service reads a request, and what it has against one, in its words."""

import json
import re

_CHAT = re.compile(r"\d{5,20}@(c\.us|lid|g\.us)")
_LONGEST_MESSAGE = 20_000
_DEFAULT_MINUTES = 1440


class Complaint(Exception):
    """The service refuses the request with these words."""


def address(path: str) -> tuple[str, str, str]:
    """The instance, method and token of a path; of any other path, the path as the method."""
    found = re.fullmatch(r"/waInstance([^/]+)/([^/]+)/([^/]+)", path)
    return (found[1], found[2], found[3]) if found else ("", path, "")


def message_body(raw: bytes) -> tuple[str, str]:
    """The chat id and the text that the body of sendMessage holds."""
    try:
        body = json.loads(raw.decode())
    except ValueError:
        sign = raw[:1].decode(errors="replace")
        raise Complaint(f"Unexpected token {sign} in JSON at position 0") from None
    fields = body if isinstance(body, dict) else {}
    chat_id, message = fields.get("chatId"), fields.get("message")
    if not isinstance(chat_id, str) or not _CHAT.fullmatch(chat_id):
        raise Complaint(
            "Validation failed. Details: 'chatId' must be one of the next formats:"
            " 'phone_number@c.us' or 'chat_id@lid'"
        )
    if not isinstance(message, str) or not message:
        raise Complaint("Validation failed. Details: 'message' is not allowed to be empty")
    if len(message) > _LONGEST_MESSAGE:
        raise Complaint(
            "Validation failed. Details: 'message' length must be less than or equal to"
            f" {_LONGEST_MESSAGE} characters long"
        )
    return chat_id, message


def minutes(value: str | None) -> int:
    """The `minutes` of a journal; how the service words a refusal of them is not documented."""
    if value is None:
        return _DEFAULT_MINUTES
    if not re.fullmatch("[0-9]{1,7}", value):
        raise Complaint("Validation failed. Details: 'minutes' must be a number")
    return int(value)
