"""What the daemon tells its service manager: the notify protocol of systemd, sd_notify(3).

One datagram a message, to the socket that the environment names; without one nothing is said. It
knows nothing of loops and databases: when to speak is decided elsewhere. No error ever leaves it,
since a manager that cannot be told is no reason to stop working.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

# The manager empties its socket at once. Should it be too busy, then a short wait, for the
# datagram may be READY=1; but not a long one, for the event loop stands still meanwhile.
_SEND_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Notifier:
    """Says one thing at a time to the service manager, if there is one."""

    address: str | None = None  # of the manager's socket; a NUL in front marks an abstract one
    watchdog_seconds: float | None = None  # it acts when it has heard nothing for so long

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`, sd_watchdog_enabled(3)."""
        return cls(_address(environ.get("NOTIFY_SOCKET", "")), _watchdog_seconds(environ))

    def ready(self) -> None:
        """The start is over: leads are taken."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._say("WATCHDOG=1")

    def status(self, words: str) -> None:
        """Say in one line how things stand; `systemctl status` shows it."""
        self._say("STATUS=" + " ".join(words.split()))  # a new line would begin another message

    def _say(self, message: str) -> None:
        if self.address is None:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
        with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as channel:
            channel.settimeout(_SEND_SECONDS)
            channel.sendto(message.encode("utf-8", "replace"), self.address)


def _address(name: str) -> str | None:
    """A path, or with "@" in front the name of an abstract socket; vsock is for whole machines."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """The interval, where it is meant for this very process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not (microseconds.isascii() and microseconds.isdigit()):
        return None
    return int(microseconds) / 1_000_000 or None
