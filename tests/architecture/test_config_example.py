"""config.example.toml and the settings tree say the same."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from bot.settings import Course, Settings, load

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
PLACEHOLDERS = {  # what a person fills in
    ("telegram", "token"): '"1234567890:AAexample"',
    ("telegram", "admin_ids"): "[101]",
    ("greenapi", "url"): '"https://1101.api.example"',
    ("greenapi", "instance"): '"1101000001"',
    ("greenapi", "token"): '"example-token"',
    ("webhook", "token"): '"example-webhook-token"',
    ("webhook", "admin_token"): '"example-admin-token"',
}


def keys_of_the_model() -> set[tuple[str, str]]:
    """Every section and key; a course's keys under each default course."""
    keys = set()
    for section, field in Settings.model_fields.items():
        annotation: Any = field.annotation
        if get_origin(annotation) is dict:
            names = [f"{section}.{name}" for name in ("acting", "oratory")]
            keys |= {(name, key) for name in names for key in Course.model_fields}
        else:
            keys |= {(section, key) for key in annotation.model_fields}
    return keys


def lines_of_the_file() -> list[tuple[str, str, str, bool]]:
    """Every section, key and value, in order, and whether the line is commented out."""
    section, found = "", []
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if header := re.fullmatch(r"\[(.+)\]", line):
            section = header[1]
        elif entry := re.fullmatch(r"(#?)([a-z_]+) = (.+)", line):
            found.append((section, entry[2], entry[3], bool(entry[1])))
    return found


def filled_in() -> str:
    """The file with its placeholders replaced, as text."""
    section, lines = "", []
    for line in EXAMPLE.read_text("utf-8").splitlines():
        section = line[1:-1] if line.startswith("[") else section
        value = PLACEHOLDERS.get((section, line.partition(" = ")[0]))
        lines.append(f"{line.partition(' = ')[0]} = {value}" if value else line)
    return "\n".join(lines)


def default(settings: Settings, section: str, key: str) -> object:
    """The default of a key, as TOML would hold it."""
    model: BaseModel | dict[str, Course] = getattr(settings, section.partition(".")[0])
    entry = model[section.partition(".")[2]] if isinstance(model, dict) else model
    value = getattr(entry, key)
    return list(value) if isinstance(value, tuple) else value


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What the file gives once its placeholders are replaced."""
    path = tmp_path / "config.toml"
    path.write_text(filled_in(), "utf-8")
    return load(path, {})


def test_every_key_is_in_the_file_once() -> None:
    """The file has every key of the model once, and no other."""
    in_the_file = [(section, key) for section, key, _, _ in lines_of_the_file()]

    assert sorted(keys_of_the_model()) == sorted(in_the_file)


def test_required_keys_are_to_be_filled_in() -> None:
    """What must be filled in is not commented out, and all else is."""
    open_keys = {(section, key) for section, key, _, off in lines_of_the_file() if not off}

    assert set(PLACEHOLDERS) == open_keys


def test_filled_in_file_gives_the_defaults(settings: Settings) -> None:
    """With its placeholders replaced the file loads, and every comment shows the default."""
    shown = {
        (section, key): tomllib.loads(f"value = {value}")["value"]
        for section, key, value, off in lines_of_the_file()
        if off and default(settings, section, key) is not None
    }

    assert {place: default(settings, *place) for place in shown} == shown


def test_examples_without_a_default_are_valid(tmp_path: Path) -> None:
    """With every comment made a line, the file still loads."""
    path = tmp_path / "config.toml"
    path.write_text(re.sub(r"(?m)^#([a-z_]+ = )", r"\1", filled_in()), "utf-8")

    settings = load(path, {})

    assert settings.telegram.manager_chat_id == -1001234567890
    assert settings.webhook.thanks_url == "https://school.example/thanks"


def test_unfilled_file_is_refused_key_by_key() -> None:
    """The file as it is names each key that is to be filled in."""
    from bot.errors import ConfigError

    with pytest.raises(ConfigError) as caught:
        load(EXAMPLE, {})

    named = {tuple(problem.partition(": ")[0].split(".")) for problem in caught.value.problems}
    assert set(PLACEHOLDERS) == named


def test_every_key_is_commented() -> None:
    """Above each group of keys stands what they mean."""
    before = ""
    for line in EXAMPLE.read_text("utf-8").splitlines():
        is_key = re.match(r"#?[a-z_]+ = ", line)
        if is_key and "courses" not in before:
            assert re.match(r"# |#?[a-z_]+ = |\[courses", before), line
        before = line


def test_sections_are_in_the_order_of_the_model() -> None:
    """The file's sections stand in the model's order."""
    sections = list(dict.fromkeys(section.partition(".")[0] for section, *_ in lines_of_the_file()))

    assert list(Settings.model_fields) == sections
    assert get_args(Settings.model_fields["courses"].annotation)[1] is Course
