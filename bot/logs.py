"""How the daemon logs: one chain for our lines and for those of every library.

On a terminal lines are readable, elsewhere each is one JSON object. The last step takes secrets
and phones out of the rendered line, whoever wrote it. Exceptions are told by type, first line and
places in the code, never with the values of variables: bodies and texts of clients hide there.
"""

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.log_values import first_line, plain, story
from bot.redaction import Redactor

# What a library says below these levels is noise, or shows bodies: aiosqlite and SQLAlchemy log
# statements with their values, aiohttp's access log whole addresses with their queries.
_LEVELS = {
    "aiohttp.access": logging.CRITICAL + 1,
    "aiosqlite": logging.WARNING,
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "asyncio": logging.WARNING,
}


def configure(
    level: str,
    format: str,  # noqa: A002 - the configuration's own word
    secrets: Iterable[str],
    stream: TextIO | None = None,
    now: Callable[[], datetime] | None = None,
) -> None:
    """Send all logging of this process through one chain; may be called again.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        format: `json`, `readable`, or `auto`: readable when `stream` is a terminal, else JSON.
        secrets: values that must never be printed.
        stream: where lines go; standard output if not given.
        now: the clock that dates the lines; the machine's if not given.
    """
    stream = stream or sys.stdout
    terminal = stream.isatty()
    readable = format == "readable" or (format == "auto" and terminal)
    handler = _Handler(stream)
    handler.setFormatter(_formatter(Redactor(secrets), readable, readable and terminal, now))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, own_level in _LEVELS.items():
        logging.getLogger(name).setLevel(own_level)
    logging.getLogger("aiogram").setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _catch_the_rest()


def loop_exception_handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what a loop could raise to nobody; for `loop.set_exception_handler`."""
    del loop
    structlog.get_logger(__name__).error(
        "loop_error", what=str(context.get("message")), exc_info=context.get("exception")
    )


def _catch_the_rest() -> None:
    """Route warnings, and exceptions that nobody caught, through the chain."""
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(
        args.exc_type, args.exc_value, args.exc_traceback
    )
    sys.unraisablehook = lambda args: _log_uncaught(
        args.exc_type, args.exc_value, args.exc_traceback
    )


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    del trace  # the error carries it
    if issubclass(kind, SystemExit):
        return
    structlog.get_logger(__name__).critical("uncaught_error", kind=kind.__name__, exc_info=error)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; a line that cannot be made is told by its place, never by its values."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        if isinstance(stream, io.TextIOWrapper):  # a machine without UTF-8 loses no line
            stream.reconfigure(errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        with suppress(OSError, ValueError):
            place = f"{record.name}:{record.lineno}"
            self.stream.write(json.dumps({"event": "log_line_broken", "place": place}) + "\n")


def _formatter(
    redact: Redactor, readable: bool, colors: bool, now: Callable[[], datetime] | None
) -> logging.Formatter:
    render: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if readable:
        render = structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        )

    def redact_line(_: WrappedLogger, __: str, line: Any) -> Any:
        return redact(line)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, _keep_first_line(redact)],
        processors=[
            _head(now),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _plain_values(redact),
            render,
            redact_line,
        ],
    )


def _keep_first_line(redact: Redactor) -> Processor:
    """Libraries put bodies below the first line of what they say."""

    def process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["event"] = first_line(str(event["event"]), redact)
        return event

    return process


def _head(now: Callable[[], datetime] | None) -> Processor:
    """Put time, level, logger and event in front."""

    def process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        record: logging.LogRecord = event["_record"]
        moment = now() if now else datetime.fromtimestamp(record.created, UTC)
        head = {
            "timestamp": moment.astimezone(UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event.pop("event"),
        }
        return {**head, **event}

    return process


def _plain_values(redact: Redactor) -> Processor:
    """Make every value plain data, and the exception text, so that rendering cannot fail."""

    def process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        error = _exception_of(event.pop("exc_info", None))
        values = {str(key): plain(value, redact, str(key)) for key, value in event.items()}
        if error:
            values["exception"] = story(error, redact)
        return values

    return process


def _exception_of(given: object) -> BaseException | None:
    """The exception behind what `exc_info` may hold."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return _exception_of(given[1])
    return sys.exc_info()[1] if given else None
