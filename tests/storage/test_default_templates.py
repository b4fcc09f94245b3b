"""The five texts that a new database starts with."""

import re

import pytest

from bot.domain import templates
from bot.domain.courses import Course
from tests.builders import ACTING, ORATORY
from tests.storage.sql import Sql

LONG_NAME = "Константин Константинопольский-Преображенский"
NAMES = ["welcome", "day1_acting", "day1_oratory", "day3", "day7"]
COURSES_OF = {"day1_acting": [ACTING], "day1_oratory": [ORATORY]}
PAIRS = [
    pytest.param(name, course, id=f"{name}-{course.key}")
    for name in NAMES
    for course in COURSES_OF.get(name, [ACTING, ORATORY])
]


def _content(sql: Sql, name: str) -> str:
    return str(sql.value("SELECT content FROM whatsapp_templates WHERE name = ?", name))


def _render(sql: Sql, name: str, course: Course, client: str) -> str:
    values = {
        "name": client,
        "course": course.title,
        "instructor_name": course.instructor_name,
        "phone": "+79001234567",
    }
    return templates.render(_content(sql, name), values)


def test_first_templates_are_the_contracts(sql: Sql) -> None:
    """Names, days and courses are the contract's, and all are active."""
    found = sql.run("SELECT name, delay_days, course, active FROM whatsapp_templates ORDER BY id")

    assert [
        ("welcome", 0, None, 1),
        ("day1_acting", 1, "acting", 1),
        ("day1_oratory", 1, "oratory", 1),
        ("day3", 3, None, 1),
        ("day7", 7, None, 1),
    ] == [tuple(template.values()) for template in found]


def test_every_template_has_a_title(sql: Sql) -> None:
    """Cards call messages by their titles."""
    titles = {row["title"] for row in sql.run("SELECT title FROM whatsapp_templates")}

    assert 5 == len(titles - {""})


@pytest.mark.parametrize("client", ["", "Анна", LONG_NAME], ids=["no name", "Anna", "long"])
@pytest.mark.parametrize(("name", "course"), PAIRS)
def test_template_can_be_rendered(sql: Sql, name: str, course: Course, client: str) -> None:
    """Every text can be made for each of its courses, also for a client without a name."""
    text = _render(sql, name, course, client)

    assert "{" not in text
    assert client in text


@pytest.mark.parametrize("course", [ACTING, ORATORY], ids=["acting", "oratory"])
def test_welcome_is_short(sql: Sql, course: Course) -> None:
    """The first message of a stranger is read at a glance, whatever the client's name."""
    assert len(_render(sql, "welcome", course, LONG_NAME)) <= 350


@pytest.mark.parametrize("name", NAMES)
def test_text_has_no_link(sql: Sql, name: str) -> None:
    """Links in unasked messages get numbers blocked."""
    assert re.search(r"https?:|www\.|\.ru\b|t\.me|wa\.me", _content(sql, name)) is None


@pytest.mark.parametrize("name", NAMES)
def test_text_ends_with_a_question(sql: Sql, name: str) -> None:
    """WhatsApp counts messages that nobody answers: each text asks for an answer."""
    assert _content(sql, name).endswith("?")


@pytest.mark.parametrize(("name", "course"), [("day1_acting", ACTING), ("day1_oratory", ORATORY)])
def test_day_1_names_the_instructor(sql: Sql, name: str, course: Course) -> None:
    """The day after the call the client learns who teaches the course."""
    assert course.instructor_name in _render(sql, name, course, "Анна")


@pytest.mark.parametrize("day1", ["day1_acting", "day1_oratory"])
def test_texts_differ(sql: Sql, day1: str) -> None:
    """A client reads no sentence twice: equal messages look like a robot's."""
    sentences = [
        sentence
        for name in ("welcome", day1, "day3", "day7")
        for sentence in re.split(r"(?<=[.!?])\s+", _content(sql, name))
    ]

    assert len(set(sentences)) == len(sentences)
