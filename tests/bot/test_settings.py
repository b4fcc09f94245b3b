"""Where settings come from, what they are checked for, and how problems are told."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pydantic
import pytest

from bot.errors import ConfigError
from bot.settings import Settings, load

TOKEN = "1234567890:AAcanary-telegram_token"
ENVIRON = {
    "TELEGRAM_BOT_TOKEN": TOKEN,
    "GREEN_API_URL": "https://1101.api.example",
    "GREEN_API_INSTANCE": "1101000001",
    "GREEN_API_TOKEN": "canary-green-token",
    "WEBHOOK_TOKEN": "canary-webhook-token",
    "WEBHOOK_ADMIN_TOKEN": "canary-admin-token",
    "PROGREV_TELEGRAM__ADMIN_IDS": "[101]",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a config.toml of the developer."""
    monkeypatch.chdir(tmp_path)


def write(tmp_path: Path, text: str) -> Path:
    """A configuration file of that text."""
    path = tmp_path / "file.toml"
    path.write_text(text, "utf-8")
    return path


def without(name: str) -> dict[str, str]:
    """The environment less one variable."""
    return {key: value for key, value in ENVIRON.items() if key != name}


def problems(config: Path | None, environ: dict[str, str]) -> tuple[str, ...]:
    """What is wrong with a configuration that must be refused."""
    with pytest.raises(ConfigError) as caught:
        load(config, environ)
    return caught.value.problems


def load_with(tmp_path: Path, toml: str = "", **variables: str) -> Settings:
    """Settings with all that is required, this file and these variables."""
    return load(write(tmp_path, toml), {**ENVIRON, **variables})


# --- sources ------------------------------------------------------------------------------------


def test_environment_alone_is_enough() -> None:
    """Without any file, the environment gives all that is required."""
    settings = load(None, ENVIRON)

    assert TOKEN == settings.telegram.token.get_secret_value()
    assert "1101000001" == settings.greenapi.instance
    assert (101,) == settings.telegram.admin_ids


def test_config_toml_of_the_working_directory_is_read(tmp_path: Path) -> None:
    """Without a named file, ./config.toml is read if it is there."""
    (tmp_path / "config.toml").write_text("[webhook]\nport = 9000\n")

    settings = load(None, ENVIRON)

    assert 9000 == settings.webhook.port


def test_named_file_replaces_config_toml(tmp_path: Path) -> None:
    """A named file is read instead of ./config.toml, not besides it."""
    (tmp_path / "config.toml").write_text("[webhook]\nport = 9000\n")

    settings = load_with(tmp_path, "[log]\nlevel = 'debug'\n")

    assert (8080, "debug") == (settings.webhook.port, settings.log.level)


def test_environment_beats_credentials_beat_file(tmp_path: Path) -> None:
    """Environment beats credentials, they beat the file, and the file beats defaults."""
    config = write(
        tmp_path,
        "[telegram]\ntoken = '1:file'\nadmin_ids = [1]\n[dispatch]\nbatch_size = 3\n"
        "[greenapi]\nurl = 'https://file.example'\ninstance = '1'\ntoken = 'file'\n"
        "[webhook]\ntoken = 'file-file-file-file'\nadmin_token = 'admin-file-admin-file'\n",
    )
    (tmp_path / "telegram_bot_token").write_text("2:credential\n")
    (tmp_path / "green_api_token").write_text("credential\n")

    settings = load(
        config, {"CREDENTIALS_DIRECTORY": str(tmp_path), "TELEGRAM_BOT_TOKEN": "3:environment"}
    )

    assert "3:environment" == settings.telegram.token.get_secret_value()
    assert "credential" == settings.greenapi.token.get_secret_value()
    assert "https://file.example" == settings.greenapi.url
    assert (3, 1800) == (settings.dispatch.batch_size, settings.dispatch.interval_seconds)


def test_all_six_credentials_are_read(tmp_path: Path) -> None:
    """The six files of systemd's credentials directory stand for the six short names."""
    short = {name: value for name, value in ENVIRON.items() if "__" not in name}
    for name, value in short.items():
        (tmp_path / name.lower()).write_text(f"{value}\n")

    settings = load(
        None,
        {"CREDENTIALS_DIRECTORY": str(tmp_path), "PROGREV_TELEGRAM__MANAGER_CHAT_ID": "-1001"},
    )

    assert load(None, ENVIRON).secrets() == settings.secrets()
    assert "https://1101.api.example" == settings.greenapi.url


def test_unreadable_credential_is_told_by_name(tmp_path: Path) -> None:
    """A credential that cannot be read is one problem of its key."""
    (tmp_path / "webhook_token").mkdir()
    environ = {**ENVIRON, "WEBHOOK_TOKEN": "", "CREDENTIALS_DIRECTORY": str(tmp_path)}

    found = problems(None, environ)

    assert ("webhook.token: credential webhook_token cannot be read",) == found


def test_long_name_wins_over_the_short_one(tmp_path: Path) -> None:
    """When both names of a key are set, the long one counts."""
    settings = load_with(tmp_path, PROGREV_TELEGRAM__TOKEN="7:long")

    assert "7:long" == settings.telegram.token.get_secret_value()


def test_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """An empty variable leaves the file's value alone."""
    settings = load_with(
        tmp_path, "[telegram]\nproxy = 'http://proxy.example:3128'\n", PROGREV_TELEGRAM__PROXY=""
    )

    assert settings.telegram.proxy is not None
    assert "http://proxy.example:3128" == settings.telegram.proxy.get_secret_value()


def test_byte_order_mark_is_survived(tmp_path: Path) -> None:
    """A file saved with a byte order mark is read like any other."""
    settings = load_with(tmp_path, "\ufeff[webhook]\nport = 9000\n")

    assert 9000 == settings.webhook.port


def test_settings_ignore_the_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the given mapping is read, never the process's own environment."""
    monkeypatch.setenv("PROGREV_WEBHOOK__PORT", "9000")
    monkeypatch.setenv("WEBHOOK", '{"port": 9000}')

    assert 8080 == load(None, ENVIRON).webhook.port


def test_settings_can_be_built_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built directly, settings have what they are given and read nothing besides."""
    monkeypatch.setenv("storage", '{"url": "sqlite:///environment.db"}')
    whole = load(None, ENVIRON)

    built = Settings(telegram=whole.telegram, greenapi=whole.greenapi, webhook=whole.webhook)

    assert whole == built


# --- defaults and parsed values -----------------------------------------------------------------


def test_defaults_are_those_of_the_contract() -> None:
    """What nobody sets has the contract's default."""
    settings = load(None, ENVIRON)

    assert {
        "api_url": "https://api.telegram.org",
        "proxy": None,
        "manager_chat_id": None,
        "manager_ids": (),
    } == settings.telegram.model_dump(exclude={"token", "admin_ids"})
    assert {"url": "sqlite:///progrev.db", "raw_days": 90} == settings.storage.model_dump()
    assert {
        "host": "127.0.0.1",
        "port": 8080,
        "max_per_minute": 300,
        "max_per_minute_per_address": 60,
        "max_per_hour_per_phone": 30,
        "honeypot": None,
        "trusted_proxies": (),
        "allowed_origins": (),
        "thanks_url": None,
    } == settings.webhook.model_dump(exclude={"token", "admin_token"})
    assert {
        "interval_seconds": 1800,
        "batch_size": 10,
        "min_pause_seconds": 5,
        "max_pause_seconds": 20,
        "give_up_hours": 48,
    } == settings.dispatch.model_dump()
    assert {
        "timezone": "Europe/Moscow",
        "window": "09:00-21:00",
        "weekdays": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        "undo_seconds": 15,
        "min_gap_hours": 20,
        "max_late_hours": 72,
    } == settings.campaign.model_dump()
    assert {"level": "info", "format": "auto"} == settings.log.model_dump()


def test_default_courses_are_those_of_the_contract() -> None:
    """The two default courses have the contract's titles and instructors, and some aliases."""
    courses = load(None, ENVIRON).course_list

    assert [
        ("acting", "Актёрское мастерство", "Казбек Меретуков"),
        ("oratory", "Ораторское искусство", "Ольга Штерц"),
    ] == [(course.key, course.title, course.instructor_name) for course in courses]
    assert all(course.aliases for course in courses)


def test_campaign_values_are_parsed(tmp_path: Path) -> None:
    """Window, days and zone are handed out ready for use."""
    settings = load_with(
        tmp_path,
        "[campaign]\nwindow = '10:30-24:00'\nweekdays = ['sun', 'mon']\n"
        "timezone = 'Asia/Vladivostok'\n",
    )

    assert (630, 1440) == settings.campaign.window_minutes
    assert frozenset({0, 6}) == settings.campaign.weekday_numbers
    assert ZoneInfo("Asia/Vladivostok") == settings.campaign.zone


@pytest.mark.parametrize(
    ("toml", "section", "key", "expected"),
    [
        pytest.param("port = 0", "webhook", "port", 0, id="any free port"),
        pytest.param("port = 65535", "webhook", "port", 65535, id="last port"),
        pytest.param("undo_seconds = 0", "campaign", "undo_seconds", 0, id="no undo"),
        pytest.param("window = '00:00-24:00'", "campaign", "window", "00:00-24:00", id="whole day"),
        pytest.param("min_pause_seconds = 0", "dispatch", "min_pause_seconds", 0, id="no pause"),
        pytest.param("instance = 1101000002", "greenapi", "instance", "1101000002", id="a number"),
        pytest.param(
            "api_url = 'http://127.0.0.1:8081/'",
            "telegram",
            "api_url",
            "http://127.0.0.1:8081",
            id="slash at the end",
        ),
        pytest.param(
            "allowed_origins = ['https://Школа.example:443/', 'http://[::1]:8000']",
            "webhook",
            "allowed_origins",
            ("https://xn--80atdl2c.example", "http://[::1]:8000"),
            id="origins as browsers send them",
        ),
    ],
)
def test_value_is_accepted(
    tmp_path: Path, toml: str, section: str, key: str, expected: object
) -> None:
    """A value at the edge of what makes sense is taken, in its usual form."""
    environ = without("GREEN_API_INSTANCE") if key == "instance" else ENVIRON

    settings = load(write(tmp_path, f"[{section}]\n{toml}\n"), environ)

    assert expected == getattr(getattr(settings, section), key)


# --- courses ------------------------------------------------------------------------------------


def test_course_keeps_the_defaults_it_does_not_override(tmp_path: Path) -> None:
    """A new title leaves instructor, aliases and the other course as they were."""
    before = load(None, ENVIRON).courses

    after = load_with(tmp_path, "[courses.acting]\ntitle = 'Сцена'\n").courses

    assert before["acting"].model_copy(update={"title": "Сцена"}) == after["acting"]
    assert before["oratory"] == after["oratory"]


def test_further_course_is_added(tmp_path: Path) -> None:
    """A course of a new key comes after the default ones."""
    settings = load_with(tmp_path, "[courses.kids-1]\ntitle = 'Детям'\n")

    assert ["acting", "oratory", "kids-1"] == [course.key for course in settings.course_list]
    assert ("Детям", "", ()) == (
        settings.courses["kids-1"].title,
        settings.courses["kids-1"].instructor_name,
        settings.courses["kids-1"].aliases,
    )


def test_course_is_set_by_variables(tmp_path: Path) -> None:
    """A variable sets one key of one course, over the file."""
    settings = load_with(
        tmp_path,
        "[courses.stage_2]\ntitle = 'Файл'\ninstructor_name = 'Боб'\n",
        PROGREV_COURSES__STAGE_2__TITLE="Окружение",
        PROGREV_COURSES__ACTING__ALIASES='["сцена"]',
    )

    assert "Окружение" == settings.courses["stage_2"].title
    assert "Боб" == settings.courses["stage_2"].instructor_name
    assert ("сцена",) == settings.courses["acting"].aliases


# --- problems -----------------------------------------------------------------------------------


def test_every_missing_key_is_named() -> None:
    """With nothing set, each required key has its line, and what to do stands in it."""
    found = problems(None, {})

    assert [
        "telegram.token",
        "telegram.admin_ids",
        "greenapi.url",
        "greenapi.instance",
        "greenapi.token",
        "webhook.token",
        "webhook.admin_token",
    ] == [problem.partition(": ")[0] for problem in found]
    assert (
        "telegram.token: required; write it under [telegram], or set TELEGRAM_BOT_TOKEN:"
        " the bot token @BotFather gave"
    ) == found[0]


WRONG = [
    ("telegram", "token = 'canary'", "must be digits, a colon"),
    ("telegram", "api_url = 'ftp://canary.example'", "begins with http:// or https://"),
    ("telegram", "api_url = 'http://h.example/?canary'", "without ? and #"),
    ("telegram", "proxy = 'socks4://canary:1080'", "begins with http:// or socks5://"),
    ("telegram", "proxy = 'http://user:canary@h.example:99999'", "begins with http:// or socks5"),
    ("telegram", "manager_chat_id = '@canary'", "must be a whole number"),
    ("telegram", "manager_chat_id = 0", "must be a chat's number"),
    ("telegram", "admin_ids = ['canary']", "must be a whole number"),
    ("telegram", "manager_ids = [-5]", "must be at least 1"),
    ("telegram", "manager_ids = 5", "must be a list"),
    ("greenapi", "url = 'canary.example'", "begins with http:// or https://"),
    ("greenapi", "instance = 'canary'", "must be digits only"),
    ("greenapi", "token = ''", "must not be empty"),
    ("greenapi", "token = 'canary/path'", "must not be empty, nor hold"),
    ("storage", "url = 'postgresql://canary@h.example/x'", "must begin with sqlite:///"),
    ("storage", "url = 'sqlite://'", "must name a file"),
    ("storage", "url = 'sqlite:///:memory:'", "must name a file"),
    ("storage", "raw_days = 0", "must be at least 1"),
    ("webhook", "host = ' '", "must not be empty"),
    ("webhook", "port = 65536", "must be at most 65535"),
    ("webhook", "port = -1", "must be at least 0"),
    ("webhook", "token = 'canary-fifteen-'", "at least 16"),
    ("webhook", "token = 'канарейка-канарейка'", "at least 16"),
    ("webhook", "admin_token = 'canary fifteen 16'", "without spaces"),
    ("webhook", "max_per_minute = 0", "must be at least 1"),
    ("webhook", "allowed_origins = ['https://h.example/canary']", "without a path"),
    ("webhook", "allowed_origins = ['https://canary..example']", "valid host name"),
    ("webhook", "allowed_origins = ['*']", "begins with http:// or https://"),
    ("webhook", "thanks_url = 'javascript:canary'", "begins with http:// or https://"),
    ("dispatch", "interval_seconds = 0", "must be at least 1"),
    ("dispatch", "interval_seconds = 'canary'", "must be a whole number"),
    ("dispatch", "batch_size = 1.5", "must be a whole number"),
    ("dispatch", "batch_size = true", "must not be true or false"),
    ("dispatch", "give_up_hours = 99999999999999999999999", "must be at most"),
    ("dispatch", "min_pause_seconds = -1", "must be at least 0"),
    ("dispatch", "max_pause_seconds = inf", "must be"),
    ("dispatch", "max_pause_seconds = 4", "not be less than dispatch.min_pause_seconds"),
    ("campaign", "timezone = 'Canary/Moscow'", "must be a zone's name"),
    ("campaign", "timezone = 'Europe'", "must be a zone's name"),
    ("campaign", "timezone = ''", "must be a zone's name"),
    ("campaign", "window = '9:00-21:00'", 'must be "HH:MM-HH:MM"'),
    ("campaign", "window = '09:00-24:01'", "must end at 24:00"),
    ("campaign", "window = '24:00-24:00'", 'must be "HH:MM-HH:MM"'),
    ("campaign", "window = '21:00-09:00'", "must start before it ends"),
    ("campaign", "window = '09:00-09:00'", "must start before it ends"),
    ("campaign", "weekdays = []", "at least one day"),
    ("campaign", "weekdays = ['mon', 'mon']", "no day twice"),
    ("campaign", "weekdays = ['canary']", "must be 'mon', 'tue'"),
    ("campaign", "undo_seconds = -1", "must be at least 0"),
    ("campaign", "min_gap_hours = 0", "must be at least 1"),
    ("campaign", "max_late_hours = 0", "must be at least 1"),
    ("log", "level = 'canary'", "must be 'debug', 'info', 'warning' or 'error'"),
    ("log", "format = 'canary'", "must be 'auto', 'json' or 'readable'"),
    ("courses.acting", "title = ''", "must not be empty"),
    ("courses.acting", "aliases = ['']", "must not be empty"),
]


VARIABLES = {  # by which the other tests set a key, and which must not hide a wrong one
    "telegram.token": "TELEGRAM_BOT_TOKEN",
    "telegram.admin_ids": "PROGREV_TELEGRAM__ADMIN_IDS",
    "greenapi.url": "GREEN_API_URL",
    "greenapi.instance": "GREEN_API_INSTANCE",
    "greenapi.token": "GREEN_API_TOKEN",
    "webhook.token": "WEBHOOK_TOKEN",
    "webhook.admin_token": "WEBHOOK_ADMIN_TOKEN",
}


@pytest.mark.parametrize(("section", "toml", "words"), WRONG, ids=[wrong[1] for wrong in WRONG])
def test_wrong_value_is_one_line_without_it(
    tmp_path: Path, section: str, toml: str, words: str
) -> None:
    """A wrong value is told in one line that names the key and what is meant, not the value."""
    key = toml.partition(" ")[0]
    environ = without(VARIABLES.get(f"{section}.{key}", ""))

    found = problems(write(tmp_path, f"[{section}]\n{toml}\n"), environ)

    assert 1 == len(found)
    assert found[0].startswith(f"{section}.{key}: ")
    assert words in found[0]
    assert "canary" not in found[0].partition(": ")[2]
    assert "\n" not in found[0]


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            "[courses.kids]\naliases = ['x']",
            "courses.kids.title: required; write it under [courses.kids]: the name people read",
        ),
        (
            "[courses.'Kids 1']\ntitle = 'x'",
            "courses.Kids 1: a course's key is 1 to 32 of a-z, 0-9, _ and -",
        ),
    ],
    ids=["no title", "key"],
)
def test_further_course_is_checked(tmp_path: Path, toml: str, expected: str) -> None:
    """A further course needs a title and a key that fits into buttons and variables."""
    assert (expected,) == problems(write(tmp_path, toml), ENVIRON)


def test_same_webhook_tokens_are_refused(tmp_path: Path) -> None:
    """The token that strangers may see must not open /dispatch."""
    found = problems(None, {**ENVIRON, "WEBHOOK_ADMIN_TOKEN": ENVIRON["WEBHOOK_TOKEN"]})

    expected = (
        "webhook.admin_token: must not be the same as webhook.token, which strangers may see"
        " (set by WEBHOOK_ADMIN_TOKEN)"
    )
    assert (expected,) == found


def test_neither_chat_nor_admin_is_refused() -> None:
    """Somebody must be there to receive cards or to write /here."""
    environ = without("PROGREV_TELEGRAM__ADMIN_IDS")

    found = problems(None, environ)

    assert 1 == len(found)
    assert found[0].startswith("telegram.admin_ids: neither telegram.manager_chat_id nor")


def test_manager_chat_alone_is_enough() -> None:
    """A manager chat without admins is a configuration that works."""
    environ = without("PROGREV_TELEGRAM__ADMIN_IDS")

    settings = load(None, {**environ, "PROGREV_TELEGRAM__MANAGER_CHAT_ID": "-1001234567890"})

    assert (-1001234567890, ()) == (settings.telegram.manager_chat_id, settings.telegram.admin_ids)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(
            "[telegram]\ntokn = 'canary'",
            "telegram.tokn: unknown key; did you mean token?",
            id="key",
        ),
        pytest.param("[foo]\na = 1", "foo: unknown section", id="section"),
        pytest.param(
            "[courses.acting]\ntitel = 'x'",
            "courses.acting.titel: unknown key; did you mean title?",
            id="course key",
        ),
        pytest.param("port = 1", "port: stands outside of any [section]", id="no section"),
        pytest.param(
            '[telegram]\n"a\\nb" = 1', "telegram.'a\\nb': unknown key", id="line end in a key"
        ),
    ],
)
def test_unknown_key_in_the_file_is_named(tmp_path: Path, toml: str, expected: str) -> None:
    """A key of the file that does not exist is named, with the nearest that does."""
    assert (expected,) == problems(write(tmp_path, toml), ENVIRON)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PROGREV_TELEGRAM__TOKN", "; did you mean PROGREV_TELEGRAM__TOKEN?"),
        ("PROGREV_telegram__token", ""),
        ("PROGREV_", ""),
        ("PROGREV_COURSES__ACTING", ""),
    ],
)
def test_unknown_variable_is_named(name: str, hint: str) -> None:
    """A PROGREV_ variable that sets no key is named, and never its value."""
    (problem,) = problems(None, {**ENVIRON, name: "canary"})

    assert problem.startswith(f"{name}: unknown variable")
    assert problem.endswith(hint)
    assert "canary" not in problem


@pytest.mark.parametrize("text", ["canary", "[1, canary]", "[" * 100_000, "9" * 5_000])
def test_list_that_is_no_json_is_told(text: str) -> None:
    """A list in a variable that is not JSON is a problem of its key, without the value."""
    (problem,) = problems(None, {**ENVIRON, "PROGREV_TELEGRAM__MANAGER_IDS": text})

    assert (
        'telegram.manager_ids: must be a JSON list, such as ["a", "b"] or [1, 2]'
        " (set by PROGREV_TELEGRAM__MANAGER_IDS)"
    ) == problem


def test_missing_file_is_told(tmp_path: Path) -> None:
    """A named file that does not exist is an error, not a reason to go on without it."""
    path = tmp_path / "none.toml"

    assert (f"{path}: no such file",) == problems(path, ENVIRON)


def test_folder_instead_of_a_file_is_told(tmp_path: Path) -> None:
    """A path that cannot be read is told with the system's reason."""
    assert (f"{tmp_path}: cannot be read: Is a directory",) == problems(tmp_path, ENVIRON)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"[log]\nlevel = canary\n", "is not valid TOML: ", id="bare word"),
        pytest.param(b"[log]\nlevel = 'canary", "(at line 2, ", id="end of file"),
        pytest.param(b"[log]\nlevel = canary\n", "(at line 2, ", id="line"),
        pytest.param(b"[log]\nlevel = '\xff'\n", "is not UTF-8 text", id="encoding"),
        pytest.param(b"a = " + b"[" * 100_000, "is not valid TOML", id="depth bomb"),
        pytest.param(b"a = " + b"9" * 5_000, "is not valid TOML", id="endless number"),
    ],
)
def test_broken_file_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that cannot be parsed is told in one line, by place and not by content."""
    path = tmp_path / "broken.toml"
    path.write_bytes(content)

    (problem,) = problems(path, ENVIRON)

    assert problem.startswith(f"{path}: ")
    assert words in problem
    assert "canary" not in problem
    assert "\n" not in problem


def test_problems_of_all_sources_are_told_at_once(tmp_path: Path) -> None:
    """One run shows every faulty key, wherever it was set, each once."""
    config = write(tmp_path, "[webhook]\nport = 'x'\n[campaign]\nwindow = 'x'\n")

    found = problems(config, {**ENVIRON, "PROGREV_FOO": "1", "PROGREV_LOG__LEVEL": "loud"})

    assert ["PROGREV_FOO", "webhook.port", "campaign.window", "log.level"] == [
        problem.partition(": ")[0] for problem in found
    ]
    assert found[-1].endswith("(set by PROGREV_LOG__LEVEL)")


# --- secrets ------------------------------------------------------------------------------------


def test_secrets_are_listed_for_redaction(tmp_path: Path) -> None:
    """All tokens and the passwords of addresses are given out, as written and as meant."""
    settings = load_with(tmp_path, "[telegram]\nproxy = 'socks5://user:p%40ss@127.0.0.1:1080'\n")

    assert (
        TOKEN,
        "canary-green-token",
        "canary-webhook-token",
        "canary-admin-token",
        "p%40ss",
        "p@ss",
    ) == settings.secrets()


def test_secrets_are_not_in_the_representation(tmp_path: Path) -> None:
    """Printing the settings shows no secret."""
    settings = load_with(tmp_path, "[telegram]\nproxy = 'http://user:canary@127.0.0.1:1080'\n")

    assert "canary" not in f"{settings!r} {settings}"


def test_settings_are_frozen() -> None:
    """Nobody changes the configuration of a running daemon."""
    settings = load(None, ENVIRON)

    with pytest.raises(pydantic.ValidationError):
        settings.webhook.port = 1  # type: ignore[misc] # that is the point


def test_every_key_is_described() -> None:
    """Each key says what it means."""
    sections = [field.annotation for field in Settings.model_fields.values()]
    models = [section for section in sections if isinstance(section, type)]
    keys = [field for model in models for field in getattr(model, "model_fields", {}).values()]

    assert 25 < len(keys)
    assert all(field.description for field in keys)
