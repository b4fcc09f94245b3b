"""Which course a form's text means."""

import pytest

from bot.domain.courses import Course, Courses
from tests.builders import ACTING, COURSES, ORATORY

FOUND = {
    "key": ("acting", ACTING),
    "title": ("Актёрское мастерство", ACTING),
    "alias": ("речь", ORATORY),
    "other case": ("ОРАТОРСКОЕ ИСКУССТВО", ORATORY),
    "ё written as е": ("актерское мастерство", ACTING),
    "spaces": ("  Актёрское \n мастерство ", ACTING),
    "a part of a title": ("мастерство", None),
    "more than a title": ("Актёрское мастерство, вечер", None),
    "nothing": ("", None),
    "blanks": ("  ", None),
}


@pytest.mark.parametrize(("text", "course"), FOUND.values(), ids=FOUND)
def test_find(text: str, course: Course | None) -> None:
    """A course is found by key, title or alias, whatever the case, and by nothing else."""
    assert course == COURSES.find(text)


def test_first_of_two_alike_is_found() -> None:
    """Of two courses of one alias the first of the configuration is meant."""
    first, second = (Course(key, key.title(), "", ("сцена",)) for key in ("stage", "scene"))

    assert first == Courses.of([first, second]).find("Сцена")


def test_blank_alias_means_nothing() -> None:
    """An empty alias does not catch empty texts."""
    assert Courses.of([Course("stage", "Сцена", "", ("",))]).find("") is None


@pytest.mark.parametrize(
    ("key", "course", "title"),
    [
        ("acting", ACTING, "Актёрское мастерство"),
        ("vocal", None, "vocal"),
        (None, None, ""),
        ("Acting", None, "Acting"),
    ],
)
def test_get_and_title(key: str | None, course: Course | None, title: str) -> None:
    """A key names its course exactly; a key nobody configured is shown as it is."""
    assert (course, title) == (COURSES.get(key), COURSES.title(key))
