"""What may go wrong with the daemon itself; each error carries the sentence for the operator.

A child exists only where a caller behaves differently for it, such as by another exit code.
"""

import inspect
from typing import ClassVar


class BotError(Exception):
    """The daemon met an error it cannot repair by itself; the log says which."""

    exit_code: ClassVar[int] = 1  # of the process, when nobody handles the error

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)))


class StartError(BotError):
    """The daemon cannot start."""


class ConfigError(BotError):
    """The configuration cannot be used."""

    exit_code = 78  # EX_CONFIG of sysexits.h: systemd can be told not to try again

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems  # one line a faulty key, free of secrets
