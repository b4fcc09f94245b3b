"""May automatic messages leave now?

Our own reasons come first: they need no call to anybody, and while one of them holds, the queue is
left exactly as it is. The instance's reasons only keep messages waiting. Test messages that a
person sends ask the gate alone.
"""

from collections.abc import Callable

from bot.services.gate import Gate

Stop = Callable[[], str | None]  # why nothing may leave, in Russian; None = it may


class Way:
    """The gate to WhatsApp, and what stands before it on our side."""

    def __init__(self, gate: Gate, *stops: Stop) -> None:
        self._gate = gate
        self._stops = stops

    def stopped_because(self) -> str | None:
        """Our own reason, the first there is."""
        return next((why for stop in self._stops if (why := stop())), None)

    @property
    def why(self) -> str | None:
        """Why nothing may be sent, as far as is known; asks nobody."""
        return self.stopped_because() or self._gate.why

    async def closed_because(self) -> str | None:
        """Why nothing may be sent now, by us or by the instance; None when the way is open."""
        return self.stopped_because() or await self._gate.closed_because()
