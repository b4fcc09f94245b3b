"""The school's courses, and which one a form's text means."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Course:
    """One course, as the configuration names it."""

    key: str
    title: str
    instructor_name: str
    aliases: tuple[str, ...] = ()


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())


@dataclass(frozen=True)
class Courses:
    """All courses, in the order of the configuration."""

    all: tuple[Course, ...]

    @classmethod
    def of(cls, courses: Iterable[Course]) -> "Courses":
        """Gather courses, keeping their order."""
        return cls(tuple(courses))

    def get(self, key: str | None) -> Course | None:
        """The course of that key, or None for a key nobody configured."""
        return next((course for course in self.all if course.key == key), None)

    def title(self, key: str | None) -> str:
        """The title to show; an unknown key is shown as it is, no course as nothing."""
        course = self.get(key)
        return course.title if course else key or ""

    def find(self, text: str) -> Course | None:
        """The course whose key, title or alias a form's text names, whatever the case."""
        wanted = _plain(text)
        for course in self.all:
            if wanted and wanted in map(_plain, (course.key, course.title, *course.aliases)):
                return course
        return None
