"""The stage: an accelerated clock, both emulators, and the real daemon as a process between them.

Used by the demo and by the scenario tests; the daemon is started, stopped and killed as a service
manager would, and talked to over HTTP only.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from bot.clock import SystemClock
from bot.demo import nursery
from bot.demo.clock import Conductor
from bot.demo.telegram import TOKEN as TELEGRAM_TOKEN
from bot.demo.telegram import TelegramEmulator
from greenapi.emulator import GreenApiEmulator

MONDAY_10_MOSCOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

INSTANCE = "1101000001"
GREEN_TOKEN = "emulated0green0api0token0000000000000000000000000"
LEADS_TOKEN = "emulated-leads-token"
ADMIN_TOKEN = "emulated-admin-token"

_PATIENCE_SECONDS = 60.0  # real ones, for a process to say what it is waited for


class Daemon:
    """One life of the daemon: a process, and what it prints."""

    def __init__(
        self, module: str, arguments: Sequence[str], env: Mapping[str, str], *, fork: bool = False
    ) -> None:
        """Nothing runs yet; see `nursery.fork` for what the last parameter saves."""
        self._module, self._arguments = module, arguments
        self._env = {**os.environ, **env}
        self._fork = fork
        self._news = asyncio.Condition()
        self._process: asyncio.subprocess.Process | nursery.Child | None = None
        self._reader: asyncio.Task[None] | None = None
        self._fell_silent = False
        self.output: list[str] = []

    async def start(self) -> Self:
        """Start the process and wait until its loops run."""
        await self.launch()
        await self.until_said("started")
        return self

    async def launch(self) -> Self:
        """Start the process, and leave it to itself."""
        if self._fork:
            self._process = await nursery.fork(self._module, self._arguments, self._env)
        else:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module, *self._arguments),
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        self._reader = asyncio.create_task(self._read(self._process.stdout))
        return self

    @property
    def port(self) -> int:
        """The side-port."""
        return int(self.events("side_port_open")[0]["port"])

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of that name, parsed."""
        lines = [json.loads(line) for line in self.output if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    async def until_said(self, name: str, times: int = 1) -> dict[str, Any]:
        """Wait for a log line of that name, and return the newest."""
        try:
            async with SystemClock().timeout(_PATIENCE_SECONDS), self._news:
                await self._news.wait_for(
                    lambda: len(self.events(name)) >= times or self._fell_silent
                )
        except TimeoutError:
            pass
        if len(self.events(name)) < times:
            raise AssertionError(f"the daemon did not say {name}:\n" + "\n".join(self.output))
        return self.events(name)[-1]

    @property
    def is_launched(self) -> bool:
        """Whether there ever was a process."""
        return self._process is not None

    @property
    def is_dead(self) -> bool:
        """Whether the process has ended."""
        return self._process is not None and self._process.returncode is not None

    def kill(self) -> None:
        """End the process between two instructions."""
        self._signal(signal.SIGKILL)

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Ask the process to stop."""
        self._signal(number)

    async def gone(self) -> int:
        """Wait until the process has ended; its exit code, negative for a signal."""
        if self._process is None or self._reader is None:
            raise AssertionError("the daemon was never launched")
        async with SystemClock().timeout(_PATIENCE_SECONDS):
            code = await self._process.wait()
            await self._reader
        return code

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _read(self, pipe: asyncio.StreamReader | None) -> None:
        assert pipe is not None
        while line := await pipe.readline():
            async with self._news:
                self.output.append(line.decode("utf-8", "replace").rstrip())
                self._news.notify_all()
        async with self._news:
            self._fell_silent = True
            self._news.notify_all()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the side-port said; `body` is parsed when it is JSON, else text."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Stage:
    """Everything around the daemon. `folder` holds its configuration and its database."""

    folder: Path
    start: datetime = MONDAY_10_MOSCOW
    rate: float = 20.0
    settings: Mapping[str, Any] = field(default_factory=dict)  # "section.key": value
    env: Mapping[str, str] = field(default_factory=dict)
    fork: bool = False  # daemons on the stage's clock start in a moment: see `nursery`

    async def __aenter__(self) -> Self:
        """Open the emulators and people the managers' chat; the daemon is started by hand."""
        self._stack = AsyncExitStack()
        self.daemons: list[Daemon] = []
        self.clock = await self._stack.enter_async_context(Conductor(self.start, self.rate))
        self.green = await self._stack.enter_async_context(
            GreenApiEmulator(self.clock, instance=INSTANCE, token=GREEN_TOKEN)
        )
        self.telegram = await self._stack.enter_async_context(TelegramEmulator(self.clock))
        self.maria = self.telegram.add_user("Мария", "maria")
        self.maria.private.opened = True  # the admin pressed Start long ago: alerts reach her
        self.pyotr = self.telegram.add_user("Пётр", "pyotr")
        self.stranger = self.telegram.add_user("Чужой")
        self.group = self.telegram.add_group("Заявки", [self.maria, self.pyotr])
        self._stack.push_async_callback(self._end_daemons)
        self._http = await self._stack.enter_async_context(aiohttp.ClientSession())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End whatever still runs."""
        await self._stack.aclose()

    @property
    def daemon(self) -> Daemon:
        """The newest life of the daemon."""
        return self.daemons[-1]

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / "progrev.db"

    def next_life(self) -> Daemon:
        """A daemon on the stage's clock, not started yet."""
        return self._life("bot.demo.daemon", "--clock", self.clock.address, fork=self.fork)

    def life_on_machine_time(self) -> Daemon:
        """The daemon exactly as people run it, `python -m bot run`, not started yet."""
        return self._life("bot", "run")

    async def start_daemon(self) -> Daemon:
        """Start the daemon, and wait until it runs."""
        return await self.next_life().start()

    async def post(
        self, path: str, *, token: str = LEADS_TOKEN, port: int | None = None, **request: Any
    ) -> tuple[int, Any]:
        """Post to the side-port; the status, and the answer as JSON or text."""
        return await self.ask("POST", path, token=token, port=port, **request)

    async def ask(
        self, verb: str, path: str, *, token: str = "", port: int | None = None, **request: Any
    ) -> tuple[int, Any]:
        """Ask the side-port; the status, and the answer as JSON or text."""
        headers = {"X-Webhook-Token": token, **request.pop("headers", {})}
        answer = await self.request(verb, path, port=port, headers=headers, **request)
        return answer.status, answer.body

    async def request(
        self, verb: str, path: str, *, port: int | None = None, **request: Any
    ) -> Answer:
        """Ask the side-port with exactly these headers, and follow no redirect."""
        url = f"http://127.0.0.1:{port or self.daemon.port}{path}"
        async with self._http.request(verb, url, allow_redirects=False, **request) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return Answer(answer.status, answer.headers, json.loads(text) if is_json else text)

    def _life(self, module: str, *arguments: str, fork: bool = False) -> Daemon:
        arguments = (*arguments, "--config", str(self._write_config()))
        self.daemons.append(Daemon(module, arguments, self.env, fork=fork))
        return self.daemon

    async def _end_daemons(self) -> None:
        launched = [daemon for daemon in self.daemons if daemon.is_launched]
        for daemon in launched:
            daemon.kill()
        for daemon in launched:
            await daemon.gone()

    def _write_config(self) -> Path:
        sections: dict[str, dict[str, Any]] = {
            "telegram": {
                "token": TELEGRAM_TOKEN,
                "api_url": self.telegram.url,
                "manager_chat_id": self.group.id,
                "admin_ids": [self.maria.id],
            },
            "greenapi": {"url": self.green.url, "instance": INSTANCE, "token": GREEN_TOKEN},
            "storage": {"url": f"sqlite:///{self.database}"},
            "webhook": {"port": 0, "token": LEADS_TOKEN, "admin_token": ADMIN_TOKEN},
            "log": {"format": "json"},
        }
        for name, value in self.settings.items():
            section, _, key = name.partition(".")
            sections.setdefault(section, {})[key] = value
        lines = []
        for section, values in sections.items():
            lines.append(f"[{section}]")
            # A JSON scalar or list of scalars is TOML too.
            lines += [f"{key} = {json.dumps(v)}" for key, v in values.items() if v is not None]
        path = self.folder / "config.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


async def until(
    condition: Callable[[], Any], why: str, *, seconds: float = _PATIENCE_SECONDS
) -> Any:
    """Look every few real milliseconds until `condition` holds; for what announces nothing."""
    patience = SystemClock()
    try:
        async with patience.timeout(seconds):
            while not (found := condition()):
                await asyncio.sleep(0.01)
            return found
    except TimeoutError:
        raise AssertionError(f"waited in vain: {why}") from None
