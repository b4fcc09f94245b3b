"""What a value in the configuration must look like: tokens, addresses, hours, numbers, names.

Each shape is a type for the settings tree. A refusal says what to write instead and never repeats
what stood there, for it may be a secret.
"""

import re
from functools import partial
from typing import Annotated, Literal, get_args
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr

_BOT_TOKEN = re.compile(r"\d+:[\w-]+", re.ASCII)
_PATH_TOKEN = re.compile(r"[^\s/?#]+")
_HEADER_TOKEN = re.compile(r"[!-~]{16,}")  # it travels in headers and queries
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MIDNIGHT = 24 * 60

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Day, ...] = get_args(Day)


def _matching(pattern: re.Pattern[str], complaint: str, secret: SecretStr) -> SecretStr:
    if not pattern.fullmatch(secret.get_secret_value()):
        raise ValueError(complaint)
    return secret


def _split(text: str, schemes: tuple[str, ...]) -> SplitResult:
    """Take an address apart, or say which addresses are meant."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no port, a bracket too many
        usable = False
    if not usable or not text.isprintable() or " " in text:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"must be a whole address that begins with {wanted}")
    return parts


def _web_url(text: str) -> str:
    _split(text, ("http", "https"))
    return text


def _base_url(text: str) -> str:
    """An address to which paths are added: nothing after its own path, no slash at its end."""
    parts = _split(text, ("http", "https"))
    if parts.query or parts.fragment:
        raise ValueError("must be an address without ? and #")
    return text.rstrip("/")


def _origin(text: str) -> str:
    """An origin as browsers send it: ASCII host, no default port, no path (RFC 6454)."""
    parts = _split(text, ("http", "https"))
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be origins such as https://school.example, without a path")
    try:
        host = (parts.hostname or "").encode("idna").decode()
    except UnicodeError as error:
        raise ValueError("must be origins with a valid host name") from error
    if ":" in host:
        host = f"[{host}]"
    own_port = parts.port not in {None, _DEFAULT_PORTS[parts.scheme]}
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if own_port else "")


def _proxy(secret: SecretStr) -> SecretStr:
    _split(secret.get_secret_value(), ("http", "socks5"))
    return secret


def _database(text: str) -> str:
    scheme, _, path = text.partition("://")
    if scheme != "sqlite":
        raise ValueError("must begin with sqlite:///; this version knows no other database")
    if not path.startswith("/") or path.strip("/") in {"", ":memory:"}:
        raise ValueError("must name a file: sqlite:///progrev.db, or sqlite:////var/lib/x.db")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a folder of zones is an OSError
        raise ValueError("must be a zone's name, such as Europe/Moscow") from error
    return name


def window_minutes(text: str) -> tuple[int, int]:
    """The first minute of a window and the first after it, from local midnight (0 to 1440)."""
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError('must be "HH:MM-HH:MM", such as "09:00-21:00"')
    hour, minute, end_hour, end_minute = map(int, match.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if end > _MIDNIGHT:
        raise ValueError("must end at 24:00 at the latest")
    if start >= end:
        raise ValueError("must start before it ends; a window cannot pass midnight")
    return start, end


def _window(text: str) -> str:
    window_minutes(text)
    return text


def _chat(chat_id: int) -> int:
    if chat_id == 0:
        raise ValueError("must be a chat's number; write /id in that chat to see it")
    return chat_id


def _days(names: tuple[Day, ...]) -> tuple[Day, ...]:
    if not names:
        raise ValueError("must name at least one day")
    if len(set(names)) < len(names):
        raise ValueError("must name no day twice")
    return names


_SHAPE_OF_BOT = "must be digits, a colon and the rest, just as @BotFather gave it"
_SHAPE_IN_PATH = "must not be empty, nor hold spaces, /, ? or #"
_SHAPE_IN_HEADER = "must be at least 16 Latin letters, digits and signs, without spaces"

BotToken = Annotated[SecretStr, AfterValidator(partial(_matching, _BOT_TOKEN, _SHAPE_OF_BOT))]
PathToken = Annotated[SecretStr, AfterValidator(partial(_matching, _PATH_TOKEN, _SHAPE_IN_PATH))]
HeaderToken = Annotated[
    SecretStr, AfterValidator(partial(_matching, _HEADER_TOKEN, _SHAPE_IN_HEADER))
]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy)]  # it may hold a password

WebUrl = Annotated[str, AfterValidator(_web_url)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Origin = Annotated[str, AfterValidator(_origin)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]

Text = Annotated[str, Field(min_length=1)]
Digits = Annotated[str, Field(pattern=r"^[0-9]+$", coerce_numbers_to_str=True)]
CourseKey = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
Zone = Annotated[str, AfterValidator(_zone)]
Window = Annotated[str, AfterValidator(_window)]
Weekdays = Annotated[tuple[Day, ...], AfterValidator(_days)]

# Upper bounds are far from any use; they keep dates and the database's integers from overflowing.
Port = Annotated[int, Field(ge=0, le=65535)]  # 0: any free port
UserId = Annotated[int, Field(ge=1, lt=2**52)]  # Bot API: at most 52 significant bits
ChatId = Annotated[int, Field(gt=-(2**52), lt=2**52), AfterValidator(_chat)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]
SecondsOrNone = Annotated[int, Field(ge=0, le=86_400)]
Pause = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]  # seconds
Hours = Annotated[int, Field(ge=1, le=8_760)]
Days = Annotated[int, Field(ge=1, le=36_500)]
