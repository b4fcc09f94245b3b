"""What the daemon's own errors tell the operator and the shell."""

import pytest

from bot.errors import BotError, ConfigError, StartError


def test_docstring_is_the_default_message() -> None:
    """An error raised without words says what its docstring says."""
    assert "The daemon cannot start." == str(StartError())


def test_given_words_replace_the_default() -> None:
    """An error raised with words says them."""
    assert "another daemon runs" == str(StartError("another daemon runs"))


def test_config_error_is_a_line_a_problem() -> None:
    """A configuration error prints its problems below each other and keeps them apart."""
    error = ConfigError(("a: required", "b: required"))

    assert "a: required\nb: required" == str(error)
    assert ("a: required", "b: required") == error.problems


@pytest.mark.parametrize(
    ("error", "code"), [(BotError(), 1), (StartError(), 1), (ConfigError(()), 78)]
)
def test_exit_code(error: BotError, code: int) -> None:
    """The shell learns from the exit code whether the configuration is at fault."""
    assert code == error.exit_code
