"""What the Bot API accepts: texts, entities, keyboards, commands.

Pure: parameters in, normalised values out, `ApiError` with the server's words when refused.
Limits are those of the Bot API documentation; texts those of the official server (`Client.cpp` of
tdlib/telegram-bot-api) and of TDLib.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.demo.telegram_html import parse_html, utf16_length
from bot.demo.telegram_wire import Json, Params, bad_request

MAX_TEXT = 4096  # characters, after entity parsing
MAX_ANSWER = 200  # characters
MAX_CALLBACK_DATA = 64  # bytes
MAX_ROW = 8
MAX_BUTTONS = 100
MAX_COMMANDS = 100

# Types that Telegram finds by itself: accepted from a bot and ignored.
_FOUND_BY_TELEGRAM = frozenset(
    ("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number")
)
_GIVEN_BY_BOTS = frozenset(
    (
        *("bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre"),
        *("blockquote", "expandable_blockquote", "text_link", "text_mention"),
        *("custom_emoji", "date_time"),
    )
)
_BUTTON_ACTIONS = ("callback_data", "url", "web_app", "login_url", "copy_text", "pay")
_OTHER_ACTIONS = (
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "callback_game",
)
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text as it is shown, and its entities in a canonical order."""

    text: str
    entities: tuple[Json, ...] = ()


def formatted(params: Params) -> Formatted:
    """The text of a message from `text`, `parse_mode` and `entities`; its length is not checked."""
    raw = params.text("text")
    if not raw:
        raise bad_request("message text is empty")
    mode = params.text("parse_mode").lower()
    if mode not in {"", "html"}:
        raise bad_request("unsupported parse_mode")
    if mode == "html":
        text, entities = parse_html(raw)
    else:
        text, entities = raw, given_entities(raw, params.json("entities"))
    shown = _trimmed(text, entities)
    if not shown.text:
        raise bad_request("text must be non-empty")
    return shown


def given_entities(text: str, raw: Any) -> list[Json]:
    """The entities a bot sent, checked against `text`."""
    entities = [entity for item in raw or () if (entity := _entity(item))]
    for entity in entities:
        _check_place(text, entity)
    return entities


def _entity(raw: Any) -> Json | None:
    """One entity of a bot, or None for a type that Telegram finds by itself."""
    if reason := _malformed(raw):
        raise bad_request(f"can't parse MessageEntity: {reason}")
    if raw["type"] in _FOUND_BY_TELEGRAM:
        return None
    return {name: value for name, value in raw.items() if value is not None}


def _malformed(raw: Any) -> str:
    if not isinstance(raw, dict):
        return "expected an Object"
    for name in ("offset", "length"):
        if name not in raw:
            return f'Can\'t find field "{name}"'
        if not isinstance(raw[name], int):
            return f'Field "{name}" must be a valid Number'
    if raw.get("type") not in _FOUND_BY_TELEGRAM | _GIVEN_BY_BOTS:
        return "Unsupported type specified"
    if raw["type"] == "text_link" and not raw.get("url"):
        return 'Can\'t find field "url"'
    return ""


def _check_place(text: str, entity: Json) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    total = len(units) // 2
    begin, end = entity["offset"], entity["offset"] + entity["length"]
    if begin < 0:
        raise bad_request(f"receive an entity with incorrect offset {begin}")
    if entity["length"] <= 0:
        raise bad_request(f"receive an entity with incorrect length {entity['length']}")
    if begin >= total:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {begin}")
    if end > total:
        raise bad_request(
            f"entity beginning at UTF-16 offset {begin} ends after the end of the text"
            f" at UTF-16 offset {end}"
        )
    if _splits_a_character(units, begin):
        raise bad_request("entity begins in a middle of a UTF-16 symbol")
    if _splits_a_character(units, end):
        raise bad_request(
            f"entity beginning at UTF-16 offset {begin} ends in a middle of a UTF-16 symbol"
        )


def _splits_a_character(units: bytes, at: int) -> bool:
    """Whether the unit at that place is the second half of a surrogate pair."""
    return 0xDC <= units[2 * at + 1] <= 0xDF if 2 * at < len(units) else False


def _trimmed(text: str, entities: Iterable[Json]) -> Formatted:
    """Without white space around, as Telegram shows it, and the entities moved along."""
    core = text.strip()
    skipped = utf16_length(text[: len(text) - len(text.lstrip())])
    total = utf16_length(core)
    moved = []
    for entity in entities:
        begin = max(entity["offset"] - skipped, 0)
        end = min(entity["offset"] + entity["length"] - skipped, total)
        if begin < end:
            moved.append(entity | {"offset": begin, "length": end - begin})
    moved.sort(key=lambda entity: (entity["offset"], -entity["length"], entity["type"]))
    return Formatted(core, tuple(moved))


def reply_markup(raw: Any) -> Json | None:
    """Any markup of a new message; an inline keyboard without buttons is none."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in raw:
        return inline_keyboard(raw)
    if raw.get("force_reply") or raw.get("remove_keyboard"):
        return raw
    if "keyboard" in raw:
        _check_size(raw["keyboard"], widest=10, most=300)
        return raw
    return None


def edited_markup(raw: Any) -> Json | None:
    """The markup of an edit, which may only be an inline keyboard."""
    markup = reply_markup(raw)
    if markup and "inline_keyboard" not in markup:
        raise bad_request("inline keyboard expected")
    return markup


def inline_keyboard(raw: Json) -> Json | None:
    """An inline keyboard with its buttons checked and its empty rows left out."""
    rows = raw["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be an Array of Arrays')
    buttons = [[_inline_button(button) for button in row] for row in rows if row]
    _check_size(buttons, widest=MAX_ROW, most=MAX_BUTTONS)
    return {"inline_keyboard": buttons} if buttons else None


def _check_size(rows: list[list[Any]], widest: int, most: int) -> None:
    if any(len(row) > widest for row in rows) or sum(map(len, rows)) > most:
        raise bad_request("reply markup is too long")


def _inline_button(raw: Any) -> Json:
    def refuse(reason: str) -> Exception:
        return bad_request(f"can't parse inline keyboard button: {reason}")

    if not isinstance(raw, dict):
        raise refuse("Expected an Object")
    button = {name: value for name, value in raw.items() if value is not None}
    if not isinstance(button.get("text"), str):
        raise refuse('Can\'t find field "text"')
    if not button["text"].strip():
        raise refuse("Text must be non-empty")
    named = any(button.get(action) for action in _BUTTON_ACTIONS)
    if not named and not any(action in button for action in _OTHER_ACTIONS):
        raise refuse("Text buttons are unallowed in the inline keyboard")
    if len(str(button.get("callback_data", "")).encode()) > MAX_CALLBACK_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    return button


def commands(raw: Any) -> list[Json]:
    """The commands of a menu, without leading slashes."""
    if not isinstance(raw, list):
        raise bad_request("can't parse commands JSON object")
    if len(raw) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    return [_command(item) for item in raw]


def _command(raw: Any) -> Json:
    if not isinstance(raw, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    name = str(raw.get("command", "")).removeprefix("/")
    description = str(raw.get("description", "")).strip()
    if not name:
        raise bad_request("command must be non-empty")
    if not description:
        raise bad_request("command description must be non-empty")
    if len(description) > 256:
        raise bad_request("command description length must not exceed 256")
    if not _COMMAND.fullmatch(name):
        raise bad_request("BOT_COMMAND_INVALID")
    return {"command": name, "description": description}
