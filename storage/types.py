"""Column types: how Python values stand in the tables that people read with plain SQL."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Dialect, Integer, Text, TypeDecorator

E = TypeVar("E", bound=StrEnum)

_FORMAT = "%Y-%m-%d %H:%M:%S"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant as `YYYY-MM-DD HH:MM:SS` in UTC, what `datetime('now')` gives; whole seconds."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse a naive datetime: nobody can say which moment it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone cannot be stored")
        return value.astimezone(UTC).strftime(_FORMAT)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read it back as aware."""
        return None if value is None else datetime.strptime(value, _FORMAT).replace(tzinfo=UTC)


class Flag(TypeDecorator[bool]):
    """TRUE, FALSE or NULL, as 1 and 0, in a table whose types are strict."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        """Store as 1 or 0."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        """Read it back as a bool."""
        return None if value is None else bool(value)


class JsonText(TypeDecorator[Any]):
    """JSON as readable text: Cyrillic stays Cyrillic."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        """Write JSON; only what UTF-8 cannot hold (half a surrogate pair) is escaped."""
        if value is None:
            return None
        readable = json.dumps(value, ensure_ascii=False)
        try:
            readable.encode()
        except UnicodeEncodeError:
            return json.dumps(value)
        return readable

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        """Read it back."""
        return None if value is None else json.loads(value)


class Word(TypeDecorator[E]):
    """A member of a string enum."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        """Store the member's word; a stranger word is an error here, not in the table."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> E | None:
        """Read it back as a member."""
        return None if value is None else self.words(value)
