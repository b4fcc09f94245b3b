"""Alerts: each told once when it begins, once when it is over."""

from datetime import timedelta

import pytest

from bot.demo.clock import Conductor
from bot.services.alerts import Alerts, Condition, Trouble
from bot.services.bells import Bells
from storage.models import PostKind
from storage.storage import Storage

ADMINS = (101, 102)


class Patient:
    """Something whose troubles a test decides, and the alerts that watch it."""

    def __init__(self, storage: Storage, clock: Conductor) -> None:
        self.storage = storage
        self.clock = clock
        self.details: str | None = None
        self.patience = timedelta()
        self.retell = False

    async def ask(self) -> str | None:
        """The particulars of the day."""
        return self.details

    async def look(self, admins: tuple[int, ...] = ADMINS) -> None:
        """One look by a process that was started just now."""
        await self.alerts(admins).look()

    def alerts(self, admins: tuple[int, ...] = ADMINS) -> Alerts:
        """Alerts that remember nothing in memory."""
        condition = Condition(Trouble.INSTANCE, self.ask, self.patience, self.retell)
        return Alerts(self.storage, [condition], admins, Bells(), self.clock)

    async def told(self) -> list[tuple[int | None, str, bool]]:
        """What was told to whom, and whether it was the end."""
        now = self.clock.now()
        posts = await self.storage.run(lambda unit: unit.posts.waiting(now, 50))
        return [
            (post.recipient, post.payload["details"], post.payload["over"])
            for post in posts
            if post.kind is PostKind.ALERT and post.payload
        ]


@pytest.fixture
def patient(storage: Storage, clock: Conductor) -> Patient:
    """Nothing is wrong yet."""
    clock.run_at(1)
    return Patient(storage, clock)


async def test_nothing_wrong(patient: Patient) -> None:
    """While nothing is wrong, nobody hears anything."""
    await patient.look()

    assert [] == await patient.told()


async def test_told_once_to_every_admin(patient: Patient) -> None:
    """What is wrong is told to each admin once, even by a process that was restarted."""
    patient.details = "нет связи"
    await patient.look()
    await patient.look()

    assert [(101, "нет связи", False), (102, "нет связи", False)] == await patient.told()


async def test_over_is_told_once(patient: Patient) -> None:
    """The end is told once too."""
    patient.details = "нет связи"
    await patient.look((101,))
    patient.details = None
    await patient.look((101,))
    await patient.look((101,))

    assert [(101, "нет связи", False), (101, "", True)] == await patient.told()


async def test_without_admins_the_managers_hear(patient: Patient) -> None:
    """With no admin configured, the managers' chat gets the alert."""
    patient.details = "нет связи"
    await patient.look(())

    assert [(None, "нет связи", False)] == await patient.told()


async def test_patience(patient: Patient) -> None:
    """A trouble that passes within its patience is not told; a jump of the clock is no time."""
    patient.patience = timedelta(minutes=2)
    patient.details = "нет связи"
    alerts = patient.alerts((101,))
    await alerts.look()
    patient.clock.jump(3600)
    await alerts.look()
    told_early = await patient.told()
    patient.clock.run_at(100_000)
    await patient.clock.sleep(150)
    await alerts.look()

    assert [] == told_early
    assert [(101, "нет связи", False)] == await patient.told()


async def test_changed_particulars(patient: Patient) -> None:
    """Where particulars are news, a change is told anew without an end between."""
    patient.retell = True
    patient.details = "1"
    await patient.look((101,))
    patient.details = "2"
    await patient.look((101,))

    assert [(101, "1", False), (101, "2", False)] == await patient.told()


async def test_a_question_that_breaks(patient: Patient) -> None:
    """A condition whose question raises tells nothing and stops no other."""

    async def broken() -> str | None:
        raise RuntimeError("oops")

    patient.details = "нет связи"
    conditions = [Condition(Trouble.DISK_LOW, broken), Condition(Trouble.INSTANCE, patient.ask)]
    await Alerts(patient.storage, conditions, (101,), Bells(), patient.clock).look()

    assert [(101, "нет связи", False)] == await patient.told()


async def test_tell(patient: Patient) -> None:
    """What is over already is told without an end, and can be told again."""
    alerts = patient.alerts((101,))
    await alerts.tell(Trouble.CLOCK, "на +60 мин")
    await alerts.tell(Trouble.CLOCK, "на +61 мин")

    assert [(101, "на +60 мин", False), (101, "на +61 мин", False)] == await patient.told()
