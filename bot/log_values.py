"""What a logged value or exception looks like: plain, short, in one line, without secrets.

An exception is told by places in the code, type and first line of its text; never by the values
of variables, and never by further lines, where libraries put bodies.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from traceback import walk_tb

from bot.redaction import Redactor

_FIRST_LINE = 200  # characters kept of a library's words
_LONGEST_VALUE = 1000  # characters kept of a value
_DEEPEST = 6  # levels kept of nested values
_MOST_FRAMES = 30  # kept of a stack, the innermost
_SECRET_KEYS = ("token", "authorization", "password", "secret")


def plain(value: object, redact: Redactor, key: str = "", depth: int = 0) -> object:
    """A value as JSON can hold it; under a key that names a secret, nothing of it."""
    if any(word in key.lower() for word in _SECRET_KEYS):
        return "***"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict) and depth < _DEEPEST:
        return {
            one_line(redact(str(name))): plain(item, redact, str(name), depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [plain(item, redact, key, depth + 1) for item in value]
    text = _text(value, redact)
    if isinstance(value, int | float) and math.isfinite(value) and text == str(value):
        return value
    return one_line(text)[:_LONGEST_VALUE]


def story(error: BaseException, redact: Redactor) -> str:
    """An exception in lines: where, what, and then its parts and what caused it."""
    return "\n".join(map(one_line, _lines(error, redact, set())))


def first_line(text: str, redact: Redactor) -> str:
    """The beginning of a text; redacted before it is cut, so that no half of a secret is left."""
    return next(iter(redact(text).splitlines()), "")[:_FIRST_LINE]


def one_line(text: str) -> str:
    """The text without line ends, control characters and halves of characters, shown escaped."""
    return text if text.isprintable() else repr(text)[1:-1]


def _text(value: object, redact: Redactor) -> str:
    if isinstance(value, BaseException):
        return _title(value, redact)
    if isinstance(value, datetime):
        return value.isoformat()
    return redact(str(value))


def _lines(error: BaseException, redact: Redactor, told: set[int]) -> Iterator[str]:
    if id(error) in told:
        return
    told.add(id(error))
    for frame, line in list(walk_tb(error.__traceback__))[-_MOST_FRAMES:]:
        yield f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
    yield _title(error, redact)
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _lines(part, redact, told)
    hidden = None if error.__suppress_context__ else error.__context__
    if cause := error.__cause__ or hidden:
        yield "caused by"
        yield from _lines(cause, redact, told)


def _title(error: BaseException, redact: Redactor) -> str:
    kind = type(error)
    try:
        words = first_line(str(error), redact)
    except Exception:  # a broken __str__ must not cost the log line
        words = "(its text cannot be read)"
    return f"{kind.__module__}.{kind.__qualname__}: {words}"
