"""Lets the n-th step of a piece of work with files fail, or the process die in it.

Steps are calls to the system and to SQLite. `python -m tests.storage.faults` plays a backup or a
restore again and again, each time killed one step later, and prints what each death left behind.
"""

import contextlib
import errno
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from storage.backup import back_up
from storage.inspect import look_into
from storage.restore import restore

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

_ROOT = Path(__file__).parents[2]
_SYSTEM = ("open", "fsync", "replace", "rename", "unlink", "fchmod", "chmod", "ftruncate")


@dataclass
class Steps:
    """Counts steps; `at` is the one that goes wrong."""

    at: int
    kills: bool = False
    done: int = 0
    names: list[str] = field(default_factory=list)

    def step(self, name: str, error: Exception) -> None:
        """One step more."""
        self.names.append(name)
        self.done += 1
        if self.done != self.at:
            return
        if self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        raise error

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Count the steps of the block."""
        steps = self

        class Connection(sqlite3.Connection):
            def execute(self, *arguments: Any) -> sqlite3.Cursor:
                steps.step("execute", sqlite3.OperationalError("database or disk is full"))
                return super().execute(*arguments)

        def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **more: Any) -> Any:
                steps.step(name, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
                return real(*arguments, **more)

            return call

        connect = sqlite3.connect
        with contextlib.ExitStack() as stack:
            for name in _SYSTEM:
                stack.enter_context(mock.patch.object(os, name, counted(name, getattr(os, name))))
            stack.enter_context(
                mock.patch.object(
                    sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Connection)
                )
            )
            yield


def _die_at(number: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that dies in that step; False if it came to its end."""
    child = os.fork()
    if child == 0:
        with Steps(number, kills=True).watched():
            work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def main() -> None:
    """`backup DATABASE TARGET`, `restore SOURCE DATABASE`: a line for each death, until none."""
    first, second = map(Path, sys.argv[2:])
    look_into(first)  # what is imported only then must be there before steps are counted
    work = partial(back_up if sys.argv[1] == "backup" else restore, first, second, NOW)
    for number in itertools.count(1):
        died = _die_at(number, work)
        sys.stdout.write("died\n" if died else "done\n")
        sys.stdout.flush()
        sys.stdin.readline()  # somebody looks at what is left, and sets everything back
        if not died:
            break


@dataclass
class Deaths:
    """The other end: a process that plays `main`."""

    process: subprocess.Popen[str]

    @classmethod
    @contextlib.contextmanager
    def of(cls, what: str, first: Path, second: Path) -> Iterator["Deaths"]:
        """Start a backup or a restore that dies once in each step."""
        command = [sys.executable, "-m", "tests.storage.faults", what, str(first), str(second)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT
        ) as process:
            yield cls(process)

    def __iter__(self) -> Iterator[None]:
        """Once for each death, while what it left is there."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        while (word := self.process.stdout.readline().strip()) == "died":
            yield
            print(file=self.process.stdin, flush=True)
        assert "done" == word
        print(file=self.process.stdin, flush=True)


if __name__ == "__main__":
    main()
