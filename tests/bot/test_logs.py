"""The one chain that all log lines go through."""

import asyncio
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from aiogram.exceptions import ClientDecodeError

from bot import logs

SECRET = "1234567890:AAcanary"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Give the process its own logging back after each test."""
    root = logging.getLogger()
    names = ["aiogram", "aiohttp.access", "aiosqlite", "asyncio", "sqlalchemy"]
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, own_level in levels.items():
        logging.getLogger(name).setLevel(own_level)
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def stream() -> io.StringIO:
    """What is printed; JSON, at debug."""
    stream = io.StringIO()
    logs.configure("debug", "json", [SECRET], stream)
    return stream


def only_line(stream: io.StringIO) -> dict[str, Any]:
    """The single line that was printed."""
    (line,) = stream.getvalue().splitlines()
    event: dict[str, Any] = json.loads(line)
    return event


def test_event_is_one_json_object() -> None:
    """An event becomes one JSON object with its time, level, logger and keys."""
    stream = io.StringIO()
    logs.configure(
        "info", "auto", [], stream, now=lambda: datetime(2026, 10, 6, 7, 0, 0, 5000, tzinfo=UTC)
    )

    structlog.get_logger("bot.loops").info("message_sent", lead_id=7, course="Сцена")

    assert {
        "timestamp": "2026-10-06T07:00:00.005+00:00",
        "level": "info",
        "logger": "bot.loops",
        "event": "message_sent",
        "lead_id": 7,
        "course": "Сцена",
    } == only_line(stream)
    assert "Сцена" in stream.getvalue()


@pytest.mark.parametrize(
    ("format_", "stream", "first"),
    [
        pytest.param("auto", io.StringIO(), "{", id="auto, no terminal"),
        pytest.param("auto", Terminal(), "\x1b", id="auto, terminal"),
        pytest.param("json", Terminal(), "{", id="json, terminal"),
        pytest.param("readable", io.StringIO(), "2", id="readable, no terminal, no colours"),
    ],
)
def test_format(format_: str, stream: io.StringIO, first: str) -> None:
    """Automatic is readable on a terminal and JSON elsewhere; both can be asked for."""
    logs.configure("info", format_, [], stream)

    structlog.get_logger().info("started")

    assert first == stream.getvalue()[0]


def test_machine_time_without_a_clock(stream: io.StringIO) -> None:
    """Without a clock, lines carry the time of the record, in UTC."""
    before = datetime.now(UTC).replace(microsecond=0)

    structlog.get_logger().info("started")

    moment = datetime.fromisoformat(only_line(stream)["timestamp"])
    assert before <= moment <= datetime.now(UTC)


def test_libraries_go_through_the_same_chain(stream: io.StringIO) -> None:
    """A library's record is redacted, gets the bound ids, and keeps its first line only."""
    structlog.contextvars.bind_contextvars(lead_id=7)

    logging.getLogger("library").warning("from %s\nBODY", f"+7 900 123-45-67 {SECRET}")

    line = only_line(stream)
    assert ("warning", "library", "from +7900***4567 ***", 7) == (
        line["level"],
        line["logger"],
        line["event"],
        line["lead_id"],
    )


@pytest.mark.parametrize("format_", ["json", "readable"])
@pytest.mark.parametrize("terminal", [Terminal, io.StringIO])
def test_nothing_secret_is_printed(format_: str, terminal: type[io.StringIO]) -> None:
    """Whichever the format, no value, event, key or exception shows a token or a whole phone."""
    stream = terminal()
    logs.configure("debug", format_, [SECRET], stream)
    log = structlog.get_logger()

    log.info("a", phone=79001234567, text="89001234567", nested={"x": [f"/bot{SECRET}/getMe"]})
    log.warning(f"/leads?token={SECRET} 9001234567", token="canary")
    log.info("x", **{"a 79001234567": 1}, exception=RuntimeError(f"{SECRET} 79001234567"))
    logging.getLogger("library").error("x", exc_info=RuntimeError(f"{SECRET} 79001234567"))

    printed = stream.getvalue()
    assert 6 == printed.count("+7900***4567")
    assert "canary" not in printed
    assert "1234567" not in printed


def test_exception_keeps_bodies_to_itself(stream: io.StringIO) -> None:
    """An aiogram decoding error is told by type, first line and places, without the body."""

    def decode(answer: str) -> None:
        try:
            json.loads(answer)
        except ValueError as error:
            raise ClientDecodeError("Failed to decode object", error, answer) from error

    try:
        decode("BODY of an answer")
    except ClientDecodeError:
        structlog.get_logger().exception("poll_failed", lead_id=7)

    line = only_line(stream)
    assert "aiogram.exceptions.ClientDecodeError: Failed to decode object" in line["exception"]
    assert "in test_exception_keeps_bodies_to_itself" in line["exception"]
    assert "BODY" not in stream.getvalue()
    assert ("error", "poll_failed", 7) == (line["level"], line["event"], line["lead_id"])


@pytest.mark.parametrize(
    "exc_info",
    [
        pytest.param(ValueError("a"), id="exception"),
        pytest.param((ValueError, ValueError("a"), None), id="triple"),
    ],
)
def test_exc_info_in_all_its_forms(stream: io.StringIO, exc_info: object) -> None:
    """An exception is told whether it comes alone or as a triple."""
    structlog.get_logger().error("x", exc_info=exc_info)

    assert "builtins.ValueError: a" == only_line(stream)["exception"]


def test_exc_info_without_an_exception(stream: io.StringIO) -> None:
    """Asking for an exception where there is none adds nothing."""
    structlog.get_logger().error("x", exc_info=True)

    assert "exception" not in only_line(stream)


def test_level_holds_back_what_is_less_severe() -> None:
    """Below the configured level nothing is printed, ours or a library's."""
    stream = io.StringIO()
    logs.configure("warning", "json", [], stream)

    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")

    assert "" == stream.getvalue()


@pytest.mark.parametrize(
    ("level", "name", "severity", "printed"),
    [
        ("debug", "aiohttp.access", logging.ERROR, False),
        ("debug", "aiosqlite", logging.DEBUG, False),
        ("debug", "sqlalchemy.engine.Engine", logging.INFO, False),
        ("debug", "asyncio", logging.DEBUG, False),
        ("debug", "asyncio", logging.WARNING, True),
        ("debug", "aiogram.event", logging.INFO, True),
        ("info", "aiogram.event", logging.INFO, False),
        ("info", "aiogram.event", logging.WARNING, True),
    ],
)
def test_noise_of_libraries_is_held_back(
    level: str, name: str, severity: int, printed: bool
) -> None:
    """Access lines never come, statements and chatter do not, warnings do."""
    stream = io.StringIO()
    logs.configure(level, "json", [], stream)

    logging.getLogger(name).log(severity, "said")

    assert printed == bool(stream.getvalue())


def test_configuring_again_replaces(stream: io.StringIO) -> None:
    """After a second configuration each event is printed once, to the new place."""
    other = io.StringIO()
    logs.configure("info", "json", [], other)

    structlog.get_logger().info("started")

    assert ("", 1) == (stream.getvalue(), len(other.getvalue().splitlines()))


def test_warnings_go_through_the_chain(stream: io.StringIO) -> None:
    """A warning of the interpreter becomes a log line."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logs.configure("info", "json", [SECRET], stream)

        warnings.warn(f"old {SECRET}", DeprecationWarning, stacklevel=1)

    line = only_line(stream)
    assert ("warning", "py.warnings") == (line["level"], line["logger"])
    assert line["event"].endswith("DeprecationWarning: old ***")


def test_uncaught_exception_goes_through_the_chain(stream: io.StringIO) -> None:
    """What ends the process is told like any other exception."""
    error = RuntimeError(f"end {SECRET}")

    sys.excepthook(RuntimeError, error, None)

    line = only_line(stream)
    assert ("critical", "uncaught_error", "builtins.RuntimeError: end ***") == (
        line["level"],
        line["event"],
        line["exception"],
    )


def test_exception_of_a_thread_goes_through_the_chain(stream: io.StringIO) -> None:
    """What ends a thread is told, not printed past the chain."""

    def fail() -> None:
        raise RuntimeError(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    assert only_line(stream)["exception"].endswith("builtins.RuntimeError: ***")


def test_exit_is_no_error(stream: io.StringIO) -> None:
    """A thread that exits is not told as an error."""
    sys.excepthook(SystemExit, SystemExit(0), None)

    assert "" == stream.getvalue()


def test_exception_that_cannot_be_raised_goes_through_the_chain(stream: io.StringIO) -> None:
    """What happens in a destructor is told, not printed past the chain."""

    class Doomed:
        def __del__(self) -> None:
            raise RuntimeError(SECRET)

    Doomed()

    assert only_line(stream)["exception"].endswith("builtins.RuntimeError: ***")


async def test_loop_errors_go_through_the_chain(stream: io.StringIO) -> None:
    """What a loop can raise to nobody is told, without the tasks' representations."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.loop_exception_handler)

    loop.call_exception_handler(
        {"message": f"lost {SECRET}", "exception": ValueError("a"), "task": "BODY"}
    )

    line = only_line(stream)
    assert ("loop_error", "lost ***", "builtins.ValueError: a") == (
        line["event"],
        line["what"],
        line["exception"],
    )
    assert "BODY" not in stream.getvalue()


def test_broken_record_is_told_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """A record whose values do not fit is told by its place, and its values are not."""
    stream = io.StringIO()
    logs.configure("info", "json", [], stream)  # here, for pytest's own handler fails on it

    logging.getLogger("library").error("%d", f"{SECRET}")

    line = only_line(stream)
    assert "log_line_broken" == line["event"]
    assert line["place"].startswith("library:")
    assert ("", "") == tuple(capsys.readouterr())


def test_terminal_without_utf8_loses_no_line() -> None:
    """Letters that the output cannot show are escaped."""
    raw = io.BytesIO()
    logs.configure("info", "json", [], io.TextIOWrapper(raw, encoding="ascii", write_through=True))

    structlog.get_logger().info("started", course="Сцена")

    assert "Сцена" == json.loads(raw.getvalue())["course"]
