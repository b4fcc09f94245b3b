"""Is there room on the disk of the database?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.demo.clock import Conductor
from bot.services.disk import Disk, Room, free_bytes, room_for

MB = 1_000_000


class Meter:
    """A disk with so many free megabytes; it counts how often it was asked, and where."""

    def __init__(self, free_mb: float) -> None:
        self.free_mb = free_mb
        self.broken = False
        self.asked: list[Path] = []

    def __call__(self, folder: Path) -> int:
        self.asked.append(folder)
        if self.broken:
            raise OSError(5, "Input/output error")
        return int(self.free_mb * MB)


@pytest.fixture
def meter() -> Meter:
    """Plenty of room."""
    return Meter(10_000)


@pytest.fixture
def disk(meter: Meter, clock: Conductor, tmp_path: Path) -> Disk:
    """The disk of a database."""
    return Disk(tmp_path / "progrev.db", clock, meter)


@pytest.mark.parametrize(
    ("free_mb", "before", "room"),
    [
        (500, Room.OK, Room.OK),
        (499.9, Room.OK, Room.LOW),
        (50, Room.OK, Room.LOW),
        (49.9, Room.OK, Room.FULL),
        (0, Room.OK, Room.FULL),
        (549, Room.LOW, Room.LOW),
        (551, Room.LOW, Room.OK),
        (49.9, Room.LOW, Room.FULL),
        (54, Room.FULL, Room.FULL),
        (56, Room.FULL, Room.LOW),
        (549, Room.FULL, Room.LOW),
        (551, Room.FULL, Room.OK),
    ],
)
def test_what_so_much_room_means(free_mb: float, before: Room, room: Room) -> None:
    """Low under 500 MB, full under 50; better only a tenth above, lest it flutter at the edge."""
    assert room is room_for(int(free_mb * MB), before)


def test_the_disk_of_the_database_is_asked(disk: Disk, meter: Meter, tmp_path: Path) -> None:
    """What counts is the directory that the database lies in."""
    disk.room()

    assert [tmp_path] == meter.asked


def test_asked_every_ten_seconds_at_most(
    disk: Disk, meter: Meter, jump: Callable[..., None]
) -> None:
    """A burst of leads does not ask the system for each of them."""
    disk.room()
    meter.free_mb = 1
    jump(seconds=9)
    still = disk.room()
    jump(seconds=1)

    assert [Room.OK, Room.FULL] == [still, disk.room()]
    assert 2 == len(meter.asked)


def test_a_clock_that_was_set_back_asks_at_once(
    disk: Disk, meter: Meter, jump: Callable[..., None]
) -> None:
    """An answer from the future counts for nothing."""
    disk.room()
    meter.free_mb = 1
    jump(hours=-1)

    assert Room.FULL is disk.room()


def test_only_a_full_disk_stops_anything(
    disk: Disk, meter: Meter, jump: Callable[..., None]
) -> None:
    """A disk that is low is for people to hear of; one that is full stops sending, in words."""
    why = []
    for free_mb in (10_000, 400, 40, 60):
        meter.free_mb = free_mb
        why.append(disk.stopped_because())
        jump(seconds=10)

    assert [None, None, "на диске сервера кончилось место: освободите его", None] == why


def test_a_system_that_cannot_say_changes_nothing(
    disk: Disk, meter: Meter, jump: Callable[..., None]
) -> None:
    """While nobody knows, what was known last counts."""
    meter.free_mb = 40
    disk.room()
    meter.broken = True
    jump(minutes=1)

    assert Room.FULL is disk.room()
    assert disk.free is None


def test_the_systems_own_answer_is_in_bytes(tmp_path: Path) -> None:
    """The real disk of this machine has room, and says so."""
    assert 0 < free_bytes(tmp_path)
