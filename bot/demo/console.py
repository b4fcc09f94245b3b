"""How the demo tells its story on a terminal."""

import os
import sys
import textwrap
from datetime import datetime
from zoneinfo import ZoneInfo

_WIDTH = 78
MOSCOW = ZoneInfo("Europe/Moscow")

_BOLD, _DIM, _GREEN, _BLUE, _YELLOW = "1", "2", "32", "36", "33"


class Console:
    """Prints headings, what people do, and screens; coloured where somebody is looking."""

    def __init__(self) -> None:
        asked = "FORCE_COLOR" in os.environ
        self._coloured = "NO_COLOR" not in os.environ and (asked or sys.stdout.isatty())

    def title(self, text: str) -> None:
        """The first line."""
        self._line(text, _BOLD)

    def act(self, at: datetime, text: str) -> None:
        """What somebody does, and when in Moscow."""
        local = at.astimezone(MOSCOW).strftime("%a %d %b %H:%M:%S")
        self._line(f"\n{local}  {text}", _YELLOW)

    def note(self, text: str) -> None:
        """A remark."""
        self._line(f"  {text}", _DIM)

    def chat(self, text: str) -> None:
        """What the managers' chat shows."""
        self._screen("Telegram, the managers' chat", text, _BLUE)

    def phone(self, owner: str, text: str) -> None:
        """What a client's phone shows."""
        self._screen(f"WhatsApp, {owner}", text, _GREEN)

    def verdict(self, text: str, *, good: bool) -> None:
        """The last line."""
        self._line(f"\n{'✔' if good else '✘'} {text}", _GREEN if good else _BOLD)

    def _screen(self, heading: str, text: str, colour: str) -> None:
        room = _WIDTH - 4
        self._line(f"  ╭─ {heading} " + "─" * max(0, room - len(heading) - 3), colour)
        for line in text.splitlines():
            for piece in textwrap.wrap(line, room) or [""]:
                self._line(f"  │ {piece}", colour)
        self._line("  ╰" + "─" * room, colour)

    def _line(self, text: str, style: str) -> None:
        print(f"\x1b[{style}m{text}\x1b[0m" if self._coloured else text, flush=True)
