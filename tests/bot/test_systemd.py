"""The notify protocol, on real datagram sockets."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from bot.systemd import Notifier


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    """The service manager's end; a test binds it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.settimeout(5)
        yield opened


@pytest.fixture(params=["path", "abstract"])
def told(
    request: pytest.FixtureRequest, manager: socket.socket, tmp_path: Path
) -> tuple[Notifier, socket.socket]:
    """A notifier, and the socket that it speaks to."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@progrev-{uuid4().hex}"
    manager.bind(name.replace("@", "\0"))
    return Notifier.from_environ({"NOTIFY_SOCKET": name}), manager


def said(manager: socket.socket) -> list[bytes]:
    """Every datagram that has come."""
    manager.setblocking(False)
    found = []
    while True:
        try:
            found.append(manager.recv(4096))
        except BlockingIOError:
            return found


def test_each_word_is_a_datagram(told: tuple[Notifier, socket.socket]) -> None:
    """Ready, status, alive and stopping go out as the protocol spells them, one by one."""
    notifier, manager = told
    notifier.ready()
    notifier.status("все циклы живы")
    notifier.alive()
    notifier.stopping()

    assert [
        b"READY=1",
        "STATUS=все циклы живы".encode(),
        b"WATCHDOG=1",
        b"STOPPING=1",
    ] == said(manager)


def test_status_stays_one_line(told: tuple[Notifier, socket.socket]) -> None:
    """A status with line breaks and half a character cannot smuggle in another message."""
    notifier, manager = told
    notifier.status("late:\nWATCHDOG=trigger\r\n \ud83d")

    assert [b"STATUS=late: WATCHDOG=trigger ?"] == said(manager)


@pytest.mark.parametrize(
    "name",
    [None, "", "vsock:2:1234", "relative/path", "/nobody/listens/here", "@nobody", "/" + "x" * 200],
    ids=["none", "empty", "vsock", "relative", "no socket", "no abstract socket", "too long"],
)
def test_nobody_to_tell(name: str | None) -> None:
    """Without a socket that takes datagrams nothing is said, and nothing fails."""
    notifier = Notifier.from_environ({} if name is None else {"NOTIFY_SOCKET": name})
    notifier.ready()

    assert notifier.watchdog_seconds is None


def test_manager_that_does_not_read(told: tuple[Notifier, socket.socket]) -> None:
    """A full socket is given up soon: the event loop does not hang on it."""
    notifier, manager = told
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as crowd:
        crowd.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                crowd.sendto(b"x", notifier.address or "")

    notifier.alive()

    assert b"WATCHDOG=1" not in said(manager)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid() + 1)}, None),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": ""}, None),
        ({"WATCHDOG_USEC": "500"}, 0.0005),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({"WATCHDOG_PID": str(os.getpid())}, None),
        ({}, None),
    ],
    ids=[
        "a minute",
        "a minute, for us",
        "for another process",
        "for nobody",
        "half a millisecond",
        "zero",
        "negative",
        "no number",
        "a digit of another script",
        "no interval",
        "no watchdog",
    ],
)
def test_watchdog_interval(environ: dict[str, str], expected: float | None) -> None:
    """The interval counts when it is a number of microseconds, and meant for this process."""
    assert expected == Notifier.from_environ(environ).watchdog_seconds
