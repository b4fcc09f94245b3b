"""The unit's daemon where it may write nothing but its state, under a service manager of ours.

systemd itself does not run in a container: bubblewrap makes the read-only root, and a datagram
socket plays the manager that waits for READY=1 and WATCHDOG=1.
"""

import asyncio
import json
import os
import shlex
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest

from bot.demo.stage import ADMIN_TOKEN, GREEN_TOKEN, INSTANCE, LEADS_TOKEN, Stage
from bot.demo.telegram import TOKEN as TELEGRAM_TOKEN
from tests.architecture.units import run, tool, values

INTERVAL_MICROSECONDS = 400_000  # WatchdogSec is longer; a test should not be
# No file of the credentials' values may stand in the configuration.
SECRETS = (
    "telegram.token",
    "greenapi.url",
    "greenapi.instance",
    "greenapi.token",
    "webhook.token",
    "webhook.admin_token",
)
SANDBOX = ["--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev"]


class Manager:
    """The service manager's side of the notify protocol, NotifyAccess=main included."""

    def __init__(self, name: str) -> None:
        self.name = name  # as NOTIFY_SOCKET spells it
        self.main_pid = 0
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._channel.bind(name.replace("@", "\0", 1))
        self._channel.setblocking(False)

    async def hears(self, word: str) -> None:
        """Wait until the daemon says so."""
        async with asyncio.timeout(20):
            while await self._next() != word:
                pass

    async def _next(self) -> str:
        heard, read = asyncio.Event(), asyncio.get_running_loop()
        read.add_reader(self._channel, heard.set)
        try:
            await heard.wait()
        finally:
            read.remove_reader(self._channel)
        words, ancillary, _, _ = self._channel.recvmsg(4096, socket.CMSG_SPACE(12))
        for _, kind, data in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                self.main_pid = struct.unpack("3i", data)[0]
        return words.decode()

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


@pytest.fixture(scope="session")
def bwrap() -> str:
    """What makes the sandbox, where the kernel lets it."""
    path = tool("bwrap", "bubblewrap")
    code, output = run([path, *SANDBOX, "true"])
    if code:
        pytest.skip(f"no sandbox can be made on this machine: {output.strip()}")
    return path


@pytest.fixture
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """A service manager that listens on a path, or if a test wants it so on an abstract socket."""
    is_abstract = getattr(request, "param", "path") == "abstract"
    opened = Manager(f"@progrev-{uuid4().hex}" if is_abstract else str(tmp_path / "notify"))
    yield opened
    opened.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The emulators; secrets come as credentials only, the database is in a private directory."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    settings = dict.fromkeys(SECRETS) | {"storage.url": f"sqlite:///{state}/progrev.db"}
    async with Stage(tmp_path, settings=settings) as opened:
        yield opened


def credentials(stage: Stage) -> Path:
    """What LoadCredential= would make: a directory with a file a secret."""
    folder = stage.folder / "credentials"
    folder.mkdir()
    secrets = {
        "telegram_bot_token": TELEGRAM_TOKEN,
        "green_api_url": stage.green.url,
        "green_api_instance": INSTANCE,
        "green_api_token": GREEN_TOKEN,
        "webhook_token": LEADS_TOKEN,
        "webhook_admin_token": ADMIN_TOKEN,
    }
    names = {value.partition(":")[0] for value in values("progrev.service", "LoadCredential")}
    for name in names:
        (folder / name).write_text(secrets[name] + "\n", "utf-8")
    return folder


class Unit:
    """The unit's own command, in a sandbox whose only writable place is the state directory."""

    def __init__(self, bwrap: str, stage: Stage, manager: Manager) -> None:
        self._manager = manager
        self._output = b""
        state = str(stage.folder / "state")
        self._command = [bwrap, *SANDBOX, "--bind", state, state, *_here(stage)]
        self._env = {
            **os.environ,
            "NOTIFY_SOCKET": manager.name,
            "WATCHDOG_USEC": str(INTERVAL_MICROSECONDS),
            "CREDENTIALS_DIRECTORY": str(credentials(stage)),
        }

    async def __aenter__(self) -> Self:
        """Start it, and wait until it says that it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            self.port = await self._told_port()
            await self._manager.hears("READY=1")
        except TimeoutError:
            self._process.kill()
            raise AssertionError(f"never ready:\n{(await self.end())[1]}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """End whatever still runs."""
        if self._process.returncode is None:
            self.signal(signal.SIGKILL)
            await self.end()

    def signal(self, number: int) -> None:
        """Send the daemon a signal, not the sandbox around it."""
        os.kill(self._manager.main_pid, number)

    async def end(self) -> tuple[int, str]:
        """Wait until it has ended: its exit code, and all that it printed."""
        async with asyncio.timeout(20):
            self._output += await self._pipe.read()
            code = await self._process.wait()
        return code, self._output.decode()

    async def _told_port(self) -> int:
        async with asyncio.timeout(20):
            while line := await self._pipe.readline():
                self._output += line
                if b'"side_port_open"' in line:
                    return int(json.loads(line)["port"])
        raise TimeoutError

    @property
    def _pipe(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None
        return self._process.stdout


def _here(stage: Stage) -> list[str]:
    """The command of the unit, with the places of this machine."""
    stage.life_on_machine_time()  # writes the configuration; this life is never begun
    places = {
        "/opt/progrev/.venv/bin/progrev": f"{shlex.quote(sys.executable)} -m bot",
        "/etc/progrev/config.toml": shlex.quote(str(stage.folder / "config.toml")),
    }
    (command,) = values("progrev.service", "ExecStart")
    for place, here in places.items():
        command = command.replace(place, here)
    return shlex.split(command)


@pytest.mark.parametrize("manager", ["path", "abstract"], indirect=True)
async def test_lives_and_stops_in_the_sandbox(bwrap: str, stage: Stage, manager: Manager) -> None:
    """With a read-only root the unit's daemon gets ready, is fed, takes a lead, stops in order."""
    async with Unit(bwrap, stage, manager) as unit:
        await manager.hears("WATCHDOG=1")
        await manager.hears("WATCHDOG=1")
        lead = {"name": "Анна", "phone": "79001234567"}
        answer = await stage.post("/leads", port=unit.port, json=lead)
        unit.signal(signal.SIGTERM)
        await manager.hears("STOPPING=1")
        code, output = await unit.end()

    assert (200, {"status": "accepted", "lead_id": 1}) == answer
    assert 0 == code, output
    assert 0o600 == (stage.folder / "state/progrev.db.lock").stat().st_mode & 0o777


async def test_an_abort_leaves_the_stacks(bwrap: str, stage: Stage, manager: Manager) -> None:
    """What the manager does to a daemon that hangs, SIGABRT, prints where every thread stands."""
    async with Unit(bwrap, stage, manager) as unit:
        unit.signal(signal.SIGABRT)
        code, output = await unit.end()

    assert 0 != code
    assert "Fatal Python error: Aborted" in output
    assert "in run_forever" in output


def test_nothing_else_can_be_written(bwrap: str, tmp_path: Path) -> None:
    """The sandbox is one: beside the state directory not even the tests' own folder is writable."""
    state = tmp_path / "state"
    state.mkdir()
    script = f"touch {shlex.quote(str(state / 'inside'))}; touch {shlex.quote(str(tmp_path / 'x'))}"
    code, output = run([bwrap, *SANDBOX, "--bind", str(state), str(state), "sh", "-c", script])

    assert 0 != code
    assert "Read-only file system" in output
    assert (state / "inside").exists()
