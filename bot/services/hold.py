"""A database that came back from a backup sends nothing by itself until an admin says so.

It has forgotten what was sent since the copy was taken, and nothing in it can tell: only a person
who has read how old it is may take the risk of a message that goes out a second time.
"""

from collections.abc import Sequence
from enum import StrEnum
from zoneinfo import ZoneInfo

import structlog

from bot.clock import Clock
from bot.services.bells import Bells
from storage.held import HELD, Held
from storage.models import Actor, PostKind
from storage.storage import Storage, Unit

_log = structlog.get_logger()


class Release(StrEnum):
    """What a press on «Продолжить» did."""

    DONE = "done"
    ALREADY = "already"
    OLD = "old"  # the button speaks of another restore: its text says nothing of this one


class Hold:
    """Loaded at start; released once, for good, by a person."""

    def __init__(self, storage: Storage, bells: Bells, clock: Clock, zone: ZoneInfo) -> None:
        self._storage = storage
        self._bells = bells
        self._clock = clock
        self._zone = zone
        self._held: Held | None = None

    async def load(self, admins: Sequence[int]) -> None:
        """Recall whether the database is held, and ask every admin who was not asked yet.

        With no admins, the managers' chat is told; there too only an admin can press.
        """
        recipients = tuple(admins) or (None,)
        self._held = await self._storage.run(lambda unit: self._ask(unit, recipients))
        if self._held is not None and self._held.is_on:
            _log.warning(
                "sending_held", taken_at=self._held.taken_at, advice="see the admins' chat"
            )
            self._bells.posts.set()

    def stopped_because(self) -> str | None:
        """Why nothing may be sent by itself, in Russian; None when nothing is held."""
        if self._held is None or not self._held.is_on:
            return None
        copied = self._held.taken_at
        day = f" от {copied.astimezone(self._zone):%d.%m.%Y %H:%M}" if copied else ""
        return f"восстановлено из копии{day}: отправка ждёт кнопки «Продолжить»"

    async def release(self, number: int, actor: Actor) -> Release:
        """Let automatic messages leave again; `number` is that of the restore the button names.

        After a cancelled call, the release may count only from the next start.
        """

        async def work(unit: Unit) -> tuple[Release, Held | None]:
            held = Held.read(await unit.memory.find(HELD))
            if held is None or held.number != number:
                return Release.OLD, held
            if not held.is_on:
                return Release.ALREADY, held
            held = held.released(self._clock.now(), actor.name)
            await unit.memory.keep(HELD, held.to_json())
            await unit.posts.refresh(PostKind.HELD)
            return Release.DONE, held

        release, self._held = await self._storage.run(work)
        if release is Release.DONE:
            _log.warning("sending_released", actor_id=actor.id)
            self._bells.ring()
        return release

    async def _ask(self, unit: Unit, recipients: Sequence[int | None]) -> Held | None:
        held = Held.read(await unit.memory.find(HELD))
        if held is None or not held.is_on:
            return held
        for recipient in recipients:
            if recipient not in held.told:
                await unit.posts.add(PostKind.HELD, self._clock.now(), recipient=recipient)
        held = held.with_told(recipients)
        await unit.memory.keep(HELD, held.to_json())
        return held
