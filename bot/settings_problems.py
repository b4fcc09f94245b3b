"""What to tell a person about a value that the settings tree refused: one line a faulty key.

It sees where a value came from, never the value.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.settings_sources import SHORT_NAMES, Layer, field_of, printable, unknown_key

# By pydantic's error types; `{...}` is filled from the error's context.
_WORDS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must be digits only",
    "tuple_type": "must be a list",
    "dict_type": "must be a section",
    "model_type": "must be a section",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}


def explain(error: ValidationError, layers: Sequence[Layer], tree: type[BaseModel]) -> list[str]:
    """Turn pydantic's complaints into lines such as `telegram.token: required; ...`."""
    details = error.errors(include_url=False, include_input=False)
    return [_line(detail, layers, tree) for detail in details]


def _line(detail: ErrorDetails, layers: Sequence[Layer], tree: type[BaseModel]) -> str:
    path = tuple(part for part in detail["loc"] if isinstance(part, str) and part != "[key]")
    key = ".".join(map(printable, path))
    return f"{key}: {_what(detail, path, tree)}{_origin('.'.join(path), layers)}"


def _what(detail: ErrorDetails, path: tuple[str, ...], tree: type[BaseModel]) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"required; {_advice(path, tree)}"
        case "extra_forbidden":
            return unknown_key(path, tree)
        case "value_error":
            return str(context["error"])
        case "string_pattern_mismatch" if detail["loc"][-1] == "[key]":
            return "a course's key is 1 to 32 of a-z, 0-9, _ and -"
        case kind:
            return _WORDS.get(kind, detail["msg"]).format(**context)


def _advice(path: tuple[str, ...], tree: type[BaseModel]) -> str:
    meaning = field_of(path, tree).description
    short = next((name for name, place in SHORT_NAMES.items() if place == path), None)
    by_name = f", or set {short}" if short else ""
    return f"write it under [{'.'.join(path[:-1])}]{by_name}: {meaning}"


def _origin(key: str, layers: Sequence[Layer]) -> str:
    """Where the refused value was set, if not in the file, which has the key in plain sight."""
    name = next((layer.names[key] for layer in layers if key in layer.names), None)
    return f" (set by {name})" if name else ""
