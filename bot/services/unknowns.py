"""What people say of messages whose fate the machine does not know.

A word is taken once, though its update may be handled again after a death: by then the row that it
sent again may be in doubt anew, and that is another question.
"""

from bot.clock import Clock
from bot.services.bells import Bells
from storage.models import Actor, EventKind, QueueRow
from storage.storage import Storage, Unit, Work


class Unknowns:
    """Settles unknown rows by a person's word, once."""

    def __init__(self, storage: Storage, bells: Bells, clock: Clock) -> None:
        self._storage = storage
        self._bells = bells
        self._clock = clock

    async def resend(self, row_id: int, actor: Actor, update_id: int | None = None) -> bool:
        """Send it again; False if it was settled already."""

        async def work(unit: Unit) -> bool:
            done = await unit.queue.resend(row_id)
            return done and await self._note(unit, row_id, EventKind.RESEND, actor)

        return await self._settle(work, update_id)

    async def count_as_sent(self, row_id: int, actor: Actor, update_id: int | None = None) -> bool:
        """Take it for sent at the time of its attempt; False if it was settled already."""

        async def work(unit: Unit) -> bool:
            done = await unit.queue.count_as_sent(row_id)
            return done and await self._note(unit, row_id, EventKind.COUNTED_SENT, actor)

        return await self._settle(work, update_id)

    async def _settle(self, work: Work[bool], update_id: int | None) -> bool:
        async def once(unit: Unit) -> bool:
            if update_id is None:
                return await work(unit)
            if (effect := await unit.inbox.find_effect(update_id)) is not None:
                return bool(effect["done"])
            done = await work(unit)
            await unit.inbox.note_effect(update_id, {"done": done})
            return done

        done = await self._storage.run(once)
        self._bells.ring()
        return done

    async def _note(self, unit: Unit, row_id: int, kind: EventKind, actor: Actor) -> bool:
        row: QueueRow | None = await unit.queue.find(row_id)
        if row is not None:
            await unit.events.add(row.lead_id, kind, self._clock.now(), actor, row.template or "")
        return True
