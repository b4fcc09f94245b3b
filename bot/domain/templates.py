"""The variables of a template and what becomes of them; nothing else in a text is interpreted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_MESSAGE = 20_000  # characters; https://green-api.com/en/docs/api/sending/SendMessage/
_LONGEST_VALUE = 100  # a form's "name" may hold anything; a greeting has room for a name

_PLACE = re.compile(r"\{\{([^{}|]*)(?:\|([^{}]*))?\}\}")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable, for the help text and for messages about it."""

    name: str
    meaning: str


VARIABLES = (
    Variable("name", "имя клиента"),
    Variable("course", "название курса"),
    Variable("instructor_name", "имя преподавателя"),
    Variable("phone", "телефон клиента"),
)
_MEANINGS = {variable.name: variable.meaning for variable in VARIABLES}


class RenderError(Exception):
    """The text cannot be made; the message says why, in Russian, for the managers."""


def render(text: str, values: Mapping[str, str]) -> str:
    """Put `values` in the places of `{{name}}` and `{{name|fallback}}`.

    Raises `RenderError` for a variable that does not exist and for an empty value without a
    fallback. A value is never searched for variables itself.
    """

    def fill(place: re.Match[str]) -> str:
        name, fallback = place[1].strip(), place[2]
        if name not in _MEANINGS:
            raise RenderError(f"в шаблоне неизвестная переменная {{{{{name}}}}}")
        value = _one_line(values.get(name, "")) or (fallback or "").strip()
        if not value:
            raise RenderError(f"не заполнено: {_MEANINGS[name]} ({{{{{name}}}}})")
        return value

    rendered = _PLACE.sub(fill, text)
    if len(rendered) > LONGEST_MESSAGE:
        raise RenderError(f"текст длиннее {LONGEST_MESSAGE} символов")
    return rendered


def _one_line(value: str) -> str:
    return " ".join(value.split())[:_LONGEST_VALUE].strip()
