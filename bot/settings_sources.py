"""Where settings come from: a TOML file, systemd credentials, environment variables.

Each source answers with nested values, the name under which it got each of them, and what it could
not understand. It learns the sections and keys from the tree it is given and judges no value;
a problem is one line that names the key and never shows what stood there.
"""

import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

PREFIX = "PROGREV_"

# The short names, for people and for credential files (there in lower case).
SHORT_NAMES: Mapping[str, tuple[str, str]] = {
    "GREEN_API_URL": ("greenapi", "url"),
    "GREEN_API_INSTANCE": ("greenapi", "instance"),
    "GREEN_API_TOKEN": ("greenapi", "token"),
    "TELEGRAM_BOT_TOKEN": ("telegram", "token"),
    "WEBHOOK_TOKEN": ("webhook", "token"),
    "WEBHOOK_ADMIN_TOKEN": ("webhook", "admin_token"),
}

KeyPath = tuple[str, ...]  # a key's place in the tree: ("telegram", "token")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source said."""

    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # dotted key -> where it was set
    problems: list[str] = field(default_factory=list)

    def put(self, path: KeyPath, value: object, name: str) -> None:
        """Set one key; what was set before for it gives way."""
        place = self.values
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
        self.names[".".join(path)] = name


def from_file(path: Path) -> Layer:
    """Read a TOML file; a file that cannot be read or parsed has a problem and no values."""
    text = ""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows editors put a mark in front
        values = tomllib.loads(text)
    except FileNotFoundError:
        return Layer(problems=[f"{path}: no such file"])
    except OSError as error:
        return Layer(problems=[f"{path}: cannot be read: {error.strerror}"])
    except UnicodeDecodeError:
        return Layer(problems=[f"{path}: is not UTF-8 text; save it as UTF-8"])
    except (ValueError, RecursionError) as error:
        return Layer(problems=[f"{path}: is not valid TOML: {_told(error, text)}"])
    loose = [key for key, value in values.items() if not isinstance(value, dict)]
    return Layer(
        values={key: value for key, value in values.items() if key not in loose},
        problems=[f"{printable(key)}: stands outside of any [section]" for key in loose],
    )


def from_credentials(directory: Path | None) -> Layer:
    """Read the credential files that are there; spaces and line ends around a value are cut."""
    layer = Layer()
    if directory is None:
        return layer
    for name, path in SHORT_NAMES.items():
        try:
            value = (directory / name.lower()).read_text("utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError):
            layer.problems.append(f"{'.'.join(path)}: credential {name.lower()} cannot be read")
            continue
        if value:
            layer.put(path, value, f"credential {name.lower()}")
    return layer


def from_environment(environ: Mapping[str, str], tree: type[BaseModel]) -> Layer:
    """Read the variables of our names; an empty one counts as not set.

    Where both names of a key are set, the long one (`PROGREV_...`) counts.
    """
    layer = Layer()
    for name, path in SHORT_NAMES.items():
        if environ.get(name):
            layer.put(path, environ[name], name)
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        found = _place(name, tree)
        if found is None:
            hint = _hint(name, _long_names(tree))
            layer.problems.append(f"{printable(name)}: unknown variable{hint}")
        elif environ[name]:
            _put_variable(layer, name, environ[name], found)
    return layer


def unknown_key(path: KeyPath, tree: type[BaseModel]) -> str:
    """What to say about a key that the tree does not have."""
    siblings: Iterable[str] = tree.model_fields
    if len(path) > 1:
        siblings = _section(path[0], tree).model_fields
    what = "key" if len(path) > 1 else "section"
    return f"unknown {what}{_hint(path[-1], siblings)}"


def field_of(path: KeyPath, tree: type[BaseModel]) -> FieldInfo:
    """The field of a key that the tree has."""
    return _section(path[0], tree).model_fields[path[-1]]


def printable(name: str) -> str:
    """A name as it can stand in one line."""
    return name if name.isprintable() and len(name) <= 80 else ascii(name[:80])


def _told(error: Exception, text: str) -> str:
    """A parser's complaint in one line, with a line number even at the end of the file."""
    last = len(text.splitlines())
    return " ".join(str(error).split()).replace("at end of document", f"at line {last}, the last")


def _put_variable(layer: Layer, name: str, text: str, found: tuple[KeyPath, bool]) -> None:
    path, is_list = found
    value: object = text
    if is_list:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            example = 'a JSON list, such as ["a", "b"] or [1, 2]'
            layer.problems.append(f"{'.'.join(path)}: must be {example} (set by {name})")
            return
    layer.put(path, value, name)


def _place(name: str, tree: type[BaseModel]) -> tuple[KeyPath, bool] | None:
    """Where a long name points, and whether a list belongs there; None for an unknown name."""
    if name != name.upper():
        return None
    section, _, rest = name.removeprefix(PREFIX).lower().partition("__")
    if section not in tree.model_fields:
        return None
    path: KeyPath = (section, rest)
    if _is_table(section, tree):
        entry, _, key = rest.rpartition("__")
        path = (section, entry, key)
    known = _section(section, tree).model_fields.get(path[-1])
    return (path, get_origin(known.annotation) is tuple) if known and all(path) else None


def _is_table(section: str, tree: type[BaseModel]) -> bool:
    """Whether the section holds named entries, as `courses` does."""
    return get_origin(tree.model_fields[section].annotation) is dict


def _section(section: str, tree: type[BaseModel]) -> type[BaseModel]:
    annotation: Any = tree.model_fields[section].annotation
    model: type[BaseModel] = get_args(annotation)[1] if _is_table(section, tree) else annotation
    return model


def _long_names(tree: type[BaseModel]) -> Iterator[str]:
    for section in tree.model_fields:
        entry = "NAME__" if _is_table(section, tree) else ""
        for key in _section(section, tree).model_fields:
            yield f"{PREFIX}{section}__{entry}{key}".upper()


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
