"""What the daemon watches itself for: the questions that `bot.services.alerts` asks."""

from collections.abc import Iterator
from datetime import timedelta

from bot.clock import Clock
from bot.loops.inbox import PollLoop
from bot.services.alerts import Condition, Trouble
from bot.services.disk import Disk, Room
from bot.services.dispatch import Dispatch
from bot.services.gate import Gate
from bot.services.way import Way
from bot.telegram.outbox import Outbox
from storage.storage import Storage

_A_WHILE = timedelta(minutes=2)  # a restart of the provider, a short break of the network
_OVERDUE = timedelta(hours=2)


def about_sending(
    gate: Gate, way: Way, dispatch: Dispatch, clock: Clock, interval: timedelta
) -> Iterator[Condition]:
    """Is the way to clients open, and does the queue move?"""

    async def no_pass() -> str | None:
        since = dispatch.since_last_look()
        return f"{since.total_seconds() / 60:.0f} мин" if since > 2 * interval else None

    async def overdue() -> str | None:
        if way.stopped_because():
            return None  # held by ourselves, and told as that
        oldest = await dispatch.oldest_ready_at()
        if oldest is None or clock.now() - oldest <= _OVERDUE:
            return None
        return f"{(clock.now() - oldest).total_seconds() / 3600:.0f} ч"

    yield Condition(Trouble.INSTANCE, gate.closed_because, _A_WHILE)
    yield Condition(Trouble.NO_PASS, no_pass)
    yield Condition(Trouble.OVERDUE, overdue)


def about_disk(disk: Disk) -> Iterator[Condition]:
    """Is there room for the database?"""

    async def low() -> str | None:
        return None if disk.room() is Room.OK else _megabytes(disk)

    async def full() -> str | None:
        return _megabytes(disk) if disk.room() is Room.FULL else None

    yield Condition(Trouble.DISK_LOW, low)
    yield Condition(Trouble.DISK_FULL, full)


def _megabytes(disk: Disk) -> str:
    return "" if disk.free is None else f"{disk.free // 1_000_000} МБ"


def about_telegram(poll: PollLoop, outbox: Outbox, storage: Storage) -> Iterator[Condition]:
    """Does the chat take what we post, and do we take what it says?"""

    def polling(word: str) -> Condition:
        async def ask() -> str | None:
            return "" if poll.trouble == word else None

        trouble = Trouble.TELEGRAM_TOKEN if word == "token" else Trouble.SECOND_BOT
        return Condition(trouble, ask)

    async def chat_lost() -> str | None:
        return "" if outbox.lost_chat else None

    async def parked() -> str | None:
        number = await storage.run(lambda unit: unit.inbox.count_parked())
        return str(number) if number else None

    yield polling("token")
    yield polling("second")
    yield Condition(Trouble.CHAT_LOST, chat_lost)
    yield Condition(Trouble.PARKED, parked, retell=True)
