"""Daemon processes that start in a moment: forked from a server that has loaded everything.

Loading aiogram takes seconds, and a suite that starts the daemon a hundred times would spend most
of its time there. A child is a whole process of its own: it has its pid, takes signals, dies by
`kill -9` alone, and runs the same module with the same arguments as `python -m` would.
"""

import asyncio
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["bot.app", "bot.demo.clock"])


class Child:
    """The part of `asyncio.subprocess.Process` that a stage needs."""

    def __init__(self, process: ForkServerProcess, stdout: asyncio.StreamReader) -> None:
        self.stdout: asyncio.StreamReader | None = stdout
        self._process = process
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(process.sentinel, self._end)

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        if self._process.pid is not None:
            os.kill(self._process.pid, signal.Signals(number))

    async def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        await self._ended.wait()
        self._process.join()
        return self._process.exitcode or 0

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process.sentinel)
        self._ended.set()


async def fork(module: str, arguments: Sequence[str], env: Mapping[str, str]) -> Child:
    """Run a module as `python -m` does, with that environment besides our own."""
    ours, theirs = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=_live, args=(theirs, module, tuple(arguments), dict(env)))
    process.start()
    theirs.close()
    return Child(process, await _stream(ours))


async def _stream(pipe: Connection) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    own = os.fdopen(os.dup(pipe.fileno()), "rb", buffering=0)
    pipe.close()
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, own)
    return reader


def _live(out: Connection, module: str, arguments: Sequence[str], env: Mapping[str, str]) -> None:
    """In the child: print into the pipe, and be that module."""
    for stream in (1, 2):
        os.dup2(out.fileno(), stream)
    out.close()
    # The inherited objects belong to whoever started the server, perhaps to a file.
    sys.stdout = sys.stderr = os.fdopen(1, "w", encoding="utf-8", buffering=1)
    os.environ.update(env)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
