"""Values and exceptions on their way into a log line."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.log_values import first_line, plain, story
from bot.redaction import Redactor

REDACT = Redactor(["canary-secret"])


class Unreadable(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(7, 7, id="number"),
        pytest.param(True, True, id="truth"),
        pytest.param(None, None, id="nothing"),
        pytest.param(-1001234567890, -1001234567890, id="chat id"),
        pytest.param(79001234567, "+7900***4567", id="phone as a number"),
        pytest.param(float("nan"), "nan", id="no number"),
        pytest.param("a canary-secret", "a ***", id="secret"),
        pytest.param("a\nb\x1b[0m\udc80", "a\\nb\\x1b[0m\\udc80", id="control characters"),
        pytest.param("Привет, друг", "Привет, друг", id="Russian"),
        pytest.param(("a", {3}), ["a", [3]], id="collections"),
        pytest.param({79001234567: 1}, {"+7900***4567": 1}, id="keys"),
        pytest.param(
            {"Authorization": "x", "admin_token": None},
            {"Authorization": "***", "admin_token": "***"},
            id="secret keys",
        ),
        pytest.param(datetime(2026, 10, 6, tzinfo=UTC), "2026-10-06T00:00:00+00:00", id="moment"),
        pytest.param(ValueError("a\nBODY"), "builtins.ValueError: a", id="exception"),
        pytest.param(b"79001234567", "b'+7900***4567'", id="bytes"),
    ],
)
def test_value_becomes_plain(value: object, expected: object) -> None:
    """A value becomes plain data in one line, without secrets and whole phones."""
    assert expected == plain(value, REDACT)


def test_long_value_is_cut() -> None:
    """A value is kept to a thousand characters."""
    assert "x" * 1000 == plain("x" * 5000, REDACT)


def test_endless_value_ends() -> None:
    """A value that contains itself is told down to a depth and no further."""
    endless: list[object] = []
    endless.append(endless)

    assert json.dumps(plain(endless, REDACT))


def test_first_line_is_redacted_before_it_is_cut() -> None:
    """A phone across the cut is masked, not halved."""
    text = "x" * 192 + " 79001234567\nBODY"

    assert "x" * 192 + " +7900**" == first_line(text, REDACT)


def fail_with_a_local() -> None:
    """Raise an error whose further lines, cause and variables hold what must not be shown."""
    body = "BODY-in-a-variable"
    try:
        raise KeyError(body[:0])
    except KeyError as error:
        raise RuntimeError(f"cannot decode canary-secret\nContent: {body}") from error


def test_exception_is_told_by_places_and_first_lines() -> None:
    """The story has places, types, first lines and causes, and no variable's value."""
    with pytest.raises(RuntimeError) as caught:
        fail_with_a_local()

    told = story(caught.value, REDACT).splitlines()

    assert "in fail_with_a_local" in told[1]
    assert "builtins.RuntimeError: cannot decode ***" == told[2]
    assert ["caused by", "builtins.KeyError: ''"] == [told[3], told[5]]
    assert 6 == len(told)


def test_parts_of_a_group_are_told() -> None:
    """An exception group tells each of its parts."""
    group = ExceptionGroup("two", [ValueError("a"), KeyError("b")])

    assert [
        "builtins.ExceptionGroup: two (2 sub-exceptions)",
        "builtins.ValueError: a",
        "builtins.KeyError: 'b'",
    ] == story(group, REDACT).splitlines()


def test_circle_of_causes_ends() -> None:
    """Exceptions that caused each other are told once."""
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert [
        "builtins.ValueError: a",
        "caused by",
        "builtins.ValueError: b",
        "caused by",
    ] == story(first, REDACT).splitlines()


def test_suppressed_context_is_not_told() -> None:
    """`raise ... from None` keeps what it hid hidden."""
    error = ValueError("a")
    error.__context__, error.__suppress_context__ = KeyError("hidden"), True

    assert "builtins.ValueError: a" == story(error, REDACT)


def test_exception_without_readable_text_is_survived() -> None:
    """An exception whose text raises is told by its type."""
    assert story(Unreadable(), REDACT).endswith("Unreadable: (its text cannot be read)")


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
TELLING = st.sampled_from(
    ["authorization", "authorization:", "token=", "Bearer ", "/bot1:", '"', "\\", "79001234567"]
)


@given(st.dictionaries(TELLING | st.text(), JSON_LIKE | TELLING | st.lists(TELLING)))
def test_rendered_line_stays_json(values: dict[str, object]) -> None:
    """Whatever is logged, redacting the rendered line leaves it valid JSON."""
    given = plain(values, REDACT)
    line = json.dumps(given, ensure_ascii=False)

    assert type(given) is type(json.loads(REDACT(line)))
