"""The settings tree: sections, keys, defaults, and what each of them means.

`config.example.toml` is its mirror (a test compares them). It knows neither the database nor a
network: a component is handed its section, never the tree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot import settings_values as shapes
from bot.errors import ConfigError
from bot.settings_problems import explain
from bot.settings_sources import from_credentials, from_environment, from_file

_COURSES: dict[str, dict[str, Any]] = {
    "acting": {
        "title": "Актёрское мастерство",
        "instructor_name": "Казбек Меретуков",
        "aliases": ("актёрское", "актёрский", "актёрский курс", "актёрка", "театральный"),
    },
    "oratory": {
        "title": "Ораторское искусство",
        "instructor_name": "Ольга Штерц",
        "aliases": ("ораторское", "ораторский", "ораторский курс", "риторика", "речь"),
    },
}


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_switches(cls, value: object) -> object:
        """No key is a switch; without this, `true` would be read as the number 1."""
        if isinstance(value, bool):
            raise ValueError("must not be true or false")
        return value


class Telegram(_Section):
    """The bot and who may use it."""

    token: shapes.BotToken = Field(description="the bot token @BotFather gave")
    api_url: shapes.BaseUrl = Field("https://api.telegram.org", description="Bot API server")
    proxy: shapes.ProxyUrl | None = Field(None, description="proxy for Telegram only")
    manager_chat_id: shapes.ChatId | None = Field(
        None, description="the chat that receives lead cards"
    )
    admin_ids: tuple[shapes.UserId, ...] = Field(
        (), validate_default=True, description="user ids that may use admin commands"
    )
    manager_ids: tuple[shapes.UserId, ...] = Field(
        (), description="user ids that may press card buttons; empty: every member of the chat"
    )

    @field_validator("admin_ids")
    @classmethod
    def _somebody(cls, admin_ids: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if not admin_ids and info.data.get("manager_chat_id", ...) is None:
            raise ValueError(
                "neither telegram.manager_chat_id nor telegram.admin_ids is set; give the chat"
                " for lead cards, or the user id of an admin who will write /here in it"
            )
        return admin_ids


class GreenApi(_Section):
    """The WhatsApp instance."""

    url: shapes.BaseUrl = Field(description="apiUrl from the GREEN-API console")
    instance: shapes.Digits = Field(description="idInstance from the GREEN-API console")
    token: shapes.PathToken = Field(description="apiTokenInstance from the GREEN-API console")


class Storage(_Section):
    """The database."""

    url: shapes.DatabaseUrl = Field("sqlite:///progrev.db", description="database URL")
    raw_days: shapes.Days = Field(90, description="days raw bodies and updates are kept")


class Webhook(_Section):
    """The HTTP side-port."""

    host: shapes.Text = Field("127.0.0.1", description="address to listen on")
    port: shapes.Port = Field(8080, description="port to listen on; 0: any free one")
    token: shapes.HeaderToken = Field(
        description="a random text of at least 16 characters for /leads, which form settings hold"
    )
    admin_token: shapes.HeaderToken = Field(
        description="another random text of at least 16 characters, for /dispatch"
    )
    max_per_minute: shapes.Count = Field(300, description="requests a minute in all")
    max_per_minute_per_address: shapes.Count = Field(
        60, description="requests a minute from one address"
    )
    max_per_hour_per_phone: shapes.Count = Field(
        30, description="form posts an hour with one phone"
    )
    honeypot: shapes.Text | None = Field(
        None, description="a form field that people do not see; who fills it in is a robot"
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (), description="proxies whose X-Forwarded-For is believed"
    )
    allowed_origins: tuple[shapes.Origin, ...] = Field(
        (), description="sites whose pages may post directly (CORS)"
    )
    thanks_url: shapes.WebUrl | None = Field(
        None, description="where a browser's own form post is sent after"
    )

    @field_validator("admin_token")
    @classmethod
    def _another(cls, admin_token: SecretStr, info: ValidationInfo) -> SecretStr:
        if admin_token == info.data.get("token"):
            raise ValueError("must not be the same as webhook.token, which strangers may see")
        return admin_token


class Dispatch(_Section):
    """The passes over the queue."""

    interval_seconds: shapes.Seconds = Field(1800, description="time between passes")
    batch_size: shapes.Count = Field(10, description="messages a pass may send")
    min_pause_seconds: shapes.Pause = Field(5, description="least pause between two sends")
    max_pause_seconds: shapes.Pause = Field(20, description="longest pause between two sends")
    give_up_hours: shapes.Hours = Field(
        48, description="how long a row that surely was not sent is tried"
    )

    @field_validator("max_pause_seconds")
    @classmethod
    def _not_less(cls, longest: float, info: ValidationInfo) -> float:
        if longest < info.data.get("min_pause_seconds", 0):
            raise ValueError("must not be less than dispatch.min_pause_seconds")
        return longest


class Campaign(_Section):
    """When campaign messages may leave."""

    timezone: shapes.Zone = Field("Europe/Moscow", description="zone of windows and days")
    window: shapes.Window = Field("09:00-21:00", description="local hours; end exclusive")
    weekdays: shapes.Weekdays = Field(shapes.WEEK, description="days of the week")
    undo_seconds: shapes.SecondsOrNone = Field(
        15, description='how long the welcome waits after "yes"; 0: not at all'
    )
    min_gap_hours: shapes.Hours = Field(
        20, description="least time between two campaign messages to one phone"
    )
    max_late_hours: shapes.Hours = Field(
        72, description="a row overdue by more than this is cancelled, not sent"
    )

    @property
    def zone(self) -> ZoneInfo:
        """The zone of windows and days."""
        return ZoneInfo(self.timezone)

    @property
    def window_minutes(self) -> tuple[int, int]:
        """The first minute of the window and the first after it, from local midnight (0-1440)."""
        return shapes.window_minutes(self.window)

    @property
    def weekday_numbers(self) -> frozenset[int]:
        """The days as `date.weekday()` counts them: Monday is 0."""
        return frozenset(shapes.WEEK.index(day) for day in self.weekdays)


class Log(_Section):
    """What the daemon prints."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least severe lines to print"
    )
    format: Literal["auto", "json", "readable"] = Field(
        "auto", description="auto: readable on a terminal, else JSON"
    )


class Course(_Section):
    """One course; the key of its section names it."""

    title: shapes.Text = Field(description="the name people read")
    instructor_name: str = Field("", description="{{instructor_name}} in templates")
    aliases: tuple[shapes.Text, ...] = Field((), description="other names a form may send")


@dataclass(frozen=True, slots=True)
class CourseEntry:
    """A course together with its key."""

    key: str
    title: str
    instructor_name: str
    aliases: tuple[str, ...]


class Settings(BaseSettings):
    """Everything that can be configured, checked; made by `load`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, case_sensitive=True
    )

    telegram: Telegram
    greenapi: GreenApi
    storage: Storage = Storage()
    webhook: Webhook
    dispatch: Dispatch = Dispatch()
    campaign: Campaign = Campaign()
    log: Log = Log()
    courses: dict[shapes.CourseKey, Course] = Field({}, validate_default=True)

    @field_validator("courses", mode="before")
    @classmethod
    def _over_defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Lay each given course over the default of its key; both defaults always exist."""
        laid = {
            key: {**_COURSES[key], **course} if key in _COURSES else course
            for key, course in given.items()
            if isinstance(course, dict)
        }
        return {**_COURSES, **given, **laid}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing is read behind the caller's back: `load` names the sources."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def course_list(self) -> tuple[CourseEntry, ...]:
        """The courses with their keys: first the two default ones, then the configured."""
        return tuple(
            CourseEntry(key, course.title, course.instructor_name, course.aliases)
            for key, course in self.courses.items()
        )

    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be printed, for the redaction of logs."""
        tokens = (
            self.telegram.token,
            self.greenapi.token,
            self.webhook.token,
            self.webhook.admin_token,
        )
        urls = [self.telegram.api_url, self.greenapi.url]
        if self.telegram.proxy is not None:
            urls.append(self.telegram.proxy.get_secret_value())
        passwords = (password for url in urls for password in _passwords(url))
        return (*(token.get_secret_value() for token in tokens), *passwords)


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the configuration: environment, over credentials, over the file, over defaults.

    Without `config`, `./config.toml` is read if it is there.

    Raises:
        ConfigError: with every problem found, one line a faulty key.
    """
    if config is None and Path("config.toml").exists():
        config = Path("config.toml")
    directory = environ.get("CREDENTIALS_DIRECTORY")
    layers = [
        from_environment(environ, Settings),
        from_credentials(Path(directory) if directory else None),
    ]
    if config is not None:
        layers.append(from_file(config))
        if layers[-1].problems and not layers[-1].values:
            raise ConfigError(tuple(layers[-1].problems))
    problems = [problem for layer in layers for problem in layer.problems]
    settings = None
    try:
        settings = _merge([layer.values for layer in layers])
    except ValidationError as error:
        problems += explain(error, layers, Settings)
    if settings is None or problems:
        by_key = {problem.partition(": ")[0]: problem for problem in reversed(problems)}
        raise ConfigError(tuple(reversed(by_key.values())))
    return settings


def _merge(layers: list[dict[str, Any]]) -> Settings:
    """Lay the layers over each other, the first on top, and check the whole.

    A section that nobody mentions is still checked, so that each required key is named.
    """
    ground: dict[str, Any] = {
        name: {} for name, field in Settings.model_fields.items() if field.is_required()
    }
    sources = tuple(InitSettingsSource(Settings, layer) for layer in (*layers, ground))
    return Settings(_build_sources=(sources, {}))


def _passwords(url: str) -> Iterator[str]:
    """The password of an address, as written and as meant."""
    if password := urlsplit(url).password:
        yield password
        yield unquote(password)
