"""What is asked of a form post before it is taken in: a robot's, or one too many of its phone's?

A refused post loses no lead: only a phone of which many posts were stored within the hour is
refused, so the managers have its card, and a sender that tries again is heard again.
"""

from datetime import timedelta

from bot.clock import Clock
from bot.domain import forms, lead_fields
from bot.domain.courses import Courses
from bot.domain.forms import Form
from bot.domain.rate import Cap
from bot.services.intake import FormPost, Intake, Receipt

_HOUR = timedelta(hours=1)


class Robot(Exception):
    """The field that people do not see was filled in; nothing was stored."""


class TooOften(Exception):
    """There were too many posts with this phone; `seconds` says when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many posts with one phone, try again in {seconds} s")
        self.seconds = seconds


class Screen:
    """Stands before `Intake` and takes posts in its place."""

    def __init__(
        self,
        intake: Intake,
        courses: Courses,
        clock: Clock,
        *,
        honeypot: str | None,
        max_per_hour_per_phone: int,
    ) -> None:
        """`honeypot` names the form field that only robots fill in, if there is one."""
        self._intake = intake
        self._courses = courses
        self._clock = clock
        self._honeypot = _plain(honeypot or "")
        self._cap = Cap(max_per_hour_per_phone, _HOUR)

    async def accept(self, post: FormPost) -> Receipt:
        """Store a form post, as `Intake.accept` does.

        Raises `Robot` or `TooOften` when it was not, and what `Intake.accept` raises. Only what was
        stored counts towards the phone's cap: while the database is away nobody uses it up.
        """
        form = forms.decode(post.body, post.content_type)
        if self._is_robot(form):
            raise Robot
        phone = lead_fields.read(form.pairs, self._courses).phone
        wait = self._cap.wait(phone, self._clock.now()) if phone else None
        if wait is not None:
            raise TooOften(wait)
        receipt = await self._intake.accept(post)
        if phone:
            self._cap.count(phone, self._clock.now())
        return receipt

    def _is_robot(self, form: Form) -> bool:
        return bool(self._honeypot) and any(
            value.strip() and self._honeypot in (_plain(label), _plain(label.rpartition(".")[2]))
            for label, value in form.pairs
        )


def _plain(label: str) -> str:
    return label.strip().casefold()
