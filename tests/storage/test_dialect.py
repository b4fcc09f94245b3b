"""What is said of this machine's SQLite."""

import pytest

from storage.dialect import version_problems


@pytest.mark.parametrize("version", [(3, 7, 17), (3, 36, 0), (3, 36, 99)])
def test_too_old_cannot_be_used(version: tuple[int, ...]) -> None:
    """Without strict tables the promises to people's SQL cannot be kept."""
    name = ".".join(map(str, version))

    assert (f"SQLite {name} is too old: 3.37 or newer is needed", False) == version_problems(
        version
    )


@pytest.mark.parametrize("version", [(3, 37, 0), (3, 40, 1), (3, 51, 2)])
def test_two_writers_are_warned_of(version: tuple[int, ...]) -> None:
    """A version with the rare WAL bug can be used, and people are told to write little."""
    warning, usable = version_problems(version)

    assert usable
    assert warning.startswith(f"SQLite {'.'.join(map(str, version))} can, rarely, damage")


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 53, 0), (4, 0, 0)])
def test_fixed_version_has_no_problem(version: tuple[int, ...]) -> None:
    """Nothing is said where nothing is to be done."""
    assert ("", True) == version_problems(version)
