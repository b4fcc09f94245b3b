"""The unit files as the tests read them."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".service", ".timer"})


@dataclass(frozen=True)
class Directive:
    """One line of a unit file, and the comment that stands above its group of lines."""

    section: str
    key: str
    value: str
    comment: str


def directives(unit: str) -> list[Directive]:
    """Every directive of a unit, in order; a key may come again."""
    section, comment, fresh, found = "", "", False, []
    for line in (FOLDER / unit).read_text("utf-8").splitlines():
        if line.startswith("["):
            section, comment = line.strip("[]"), ""
        elif line.startswith("# ---") or not line:
            comment = ""
        elif line.startswith("#"):
            comment = f"{comment} {line[1:].strip()}" if fresh else line[1:].strip()
            fresh = True
            continue
        else:
            key, _, value = line.partition("=")
            found.append(Directive(section, key, value, comment))
        fresh = False
    return found


def values(unit: str, key: str) -> list[str]:
    """Every value that a unit gives a key."""
    return [directive.value for directive in directives(unit) if directive.key == key]


def tool(name: str, package: str) -> str:
    """The path of a program; without it the test is skipped, and says what is missing."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install {package})")
    return path


def run(command: Sequence[str]) -> tuple[int, str]:
    """Run a program to its end; its exit code, and everything that it printed."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout
