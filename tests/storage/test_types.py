"""How Python values stand in the tables."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import TypeDecorator
from sqlalchemy.dialects.sqlite import dialect

from storage.models import RowStatus
from storage.types import Flag, JsonText, UtcDateTime, Word

SQLITE = dialect()
MOSCOW_10 = datetime(2026, 11, 23, 10, tzinfo=timezone(timedelta(hours=3)))

STATUS: Word[RowStatus] = Word(RowStatus)
STORED: list[tuple[TypeDecorator[Any], Any, Any]] = [
    (UtcDateTime(), datetime(2026, 11, 23, 7, tzinfo=UTC), "2026-11-23 07:00:00"),
    (UtcDateTime(), None, None),
    (Flag(), True, 1),
    (Flag(), False, 0),
    (Flag(), None, None),
    (JsonText(), [["Город", "Казань"]], '[["Город", "Казань"]]'),
    (JsonText(), {}, "{}"),
    (JsonText(), None, None),
    (STATUS, RowStatus.SENT, "sent"),
    (STATUS, None, None),
]
IDS = [f"{type(column).__name__}-{value}" for column, value, _ in STORED]


@pytest.mark.parametrize(("column", "value", "stored"), STORED, ids=IDS)
def test_value_is_stored_in_readable_form(
    column: TypeDecorator[Any], value: Any, stored: Any
) -> None:
    """People read the tables: moments in UTC, 1 and 0, JSON in Cyrillic, plain words."""
    assert stored == column.process_bind_param(value, SQLITE)


@pytest.mark.parametrize(("column", "value", "stored"), STORED, ids=IDS)
def test_value_comes_back(column: TypeDecorator[Any], value: Any, stored: Any) -> None:
    """What is read equals what was stored."""
    assert value == column.process_result_value(stored, SQLITE)


def test_moment_of_another_zone_is_stored_in_utc() -> None:
    """The tables know only UTC."""
    assert "2026-11-23 07:00:00" == UtcDateTime().process_bind_param(MOSCOW_10, SQLITE)


def test_naive_moment_is_refused() -> None:
    """Nobody can say which moment a datetime without a zone is."""
    naive = MOSCOW_10.replace(tzinfo=None)

    with pytest.raises(ValueError, match="without a zone"):
        UtcDateTime().process_bind_param(naive, SQLITE)


def test_flag_comes_back_as_a_bool() -> None:
    """A flag read is TRUE or FALSE itself, not a number."""
    assert [True, False] == [Flag().process_result_value(n, SQLITE) for n in (1, 0)]
    assert isinstance(Flag().process_result_value(1, SQLITE), bool)


def test_word_of_another_language_is_refused() -> None:
    """A word that no member has is an error before the table sees it."""
    stranger: Any = "queued"

    with pytest.raises(ValueError, match="queued"):
        STATUS.process_bind_param(stranger, SQLITE)


def test_json_with_lone_surrogates_can_be_stored() -> None:
    """Half a sign, which no UTF-8 text can hold, is written as an escape and comes back."""
    stored = JsonText().process_bind_param({"a": "\ud83d"}, SQLITE)

    assert '{"a": "\\ud83d"}' == stored
    assert {"a": "\ud83d"} == JsonText().process_result_value(stored, SQLITE)
