"""The unit files: accepted without a word, locked in, and in step with the daemon."""

import re
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.settings_sources import SHORT_NAMES
from tests.architecture.units import FOLDER, UNITS, directives, run, tool, values

SERVICES = [unit for unit in UNITS if unit.endswith(".service")]
LOOSEST = 15  # tenths of a point of exposure
REFERS = re.compile("reasons stand in progrev.service")


@pytest.fixture(scope="session")
def analyze() -> str:
    """systemd's own judge of units; it needs no running systemd."""
    return tool("systemd-analyze", "systemd")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units, and a program where they look for one."""
    program = tmp_path / "opt/progrev/.venv/bin/progrev"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in UNITS:
        text = (FOLDER / unit).read_text("utf-8")
        (tmp_path / unit).write_text(text.replace("/opt/progrev", str(tmp_path / "opt/progrev")))
    return tmp_path


def test_nothing_is_said_about_the_units(analyze: str, installed: Path) -> None:
    """`systemd-analyze verify` prints nothing: it exits with 0 on unknown keys and bad values."""
    paths = [str(installed / unit) for unit in UNITS]

    assert (0, "") == run([analyze, "verify", "--man=no", *paths])


def test_a_misspelt_key_would_be_seen(analyze: str, installed: Path) -> None:
    """The judge does look: a key that systemd does not know makes it print."""
    unit = installed / "progrev.service"
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    _, output = run([analyze, "verify", "--man=no", str(unit)])

    assert "ProtectHouse" in output


@pytest.mark.parametrize("unit", SERVICES)
def test_services_are_locked_in(analyze: str, installed: Path, unit: str) -> None:
    """The exposure of each service is at most 1.5 of 10."""
    command = [analyze, "security", "--no-pager", "--offline=true", f"--threshold={LOOSEST}"]
    code, output = run([*command, str(installed / unit)])

    assert 0 == code, output
    figure = re.search(r"Overall exposure level for \S+: ([\d.]+)", output)
    assert figure is not None, output
    assert float(figure[1]) <= LOOSEST / 10


def test_timer_has_a_time(analyze: str) -> None:
    """The backup's time is one that systemd understands, and comes every day at the same hour."""
    (when,) = values("progrev-backup.timer", "OnCalendar")
    code, output = run([analyze, "calendar", "--iterations=2", when])

    assert 0 == code, output
    assert ["04:20:00", "04:20:00"] == re.findall(r"(?:elapse|#2): \S+ \S+ (\S+)", output)


@pytest.mark.parametrize("key", ["TimeoutStartSec", "TimeoutStopSec", "RestartSec", "WatchdogSec"])
@pytest.mark.parametrize("unit", SERVICES)
def test_durations_are_understood(analyze: str, unit: str, key: str) -> None:
    """Every duration is one for systemd."""
    for value in values(unit, key):
        assert 0 == run([analyze, "timespan", value])[0], value


@pytest.mark.parametrize("unit", UNITS)
def test_every_directive_has_its_reason(unit: str) -> None:
    """Above each directive, or its group, stands why; plain titles and links explain themselves."""
    told = {"Description", "Documentation", "ExecStart", "WantedBy"}
    bare = [d.key for d in directives(unit) if not d.comment and d.key not in told]

    assert [] == bare


def test_what_the_backup_leaves_unexplained_the_daemon_explains() -> None:
    """Where the backup's unit points to the daemon's for a reason, the same line stands there."""
    daemon = {(d.key, d.value) for d in directives("progrev.service")}
    borrowed = {
        (d.key, d.value) for d in directives("progrev-backup.service") if REFERS.search(d.comment)
    }

    assert borrowed
    assert set() == borrowed - daemon


def test_credentials_are_the_short_names() -> None:
    """The unit loads a credential for each short name, in the case the settings look for."""
    wanted = {f"{name.lower()}:/etc/progrev/credentials/{name.lower()}" for name in SHORT_NAMES}

    assert wanted == set(values("progrev.service", "LoadCredential"))


def test_broken_configuration_is_not_restarted() -> None:
    """The exit code that is not restarted is the one of a broken configuration, and no other."""
    assert [str(ConfigError.exit_code)] == values("progrev.service", "RestartPreventExitStatus")
    assert ["always"] == values("progrev.service", "Restart")
    assert ["0"] == values("progrev.service", "StartLimitIntervalSec")


def test_state_is_private() -> None:
    """The state directories are the user's alone, and the same user's in both services."""
    for unit in SERVICES:
        assert ["0700"] == values(unit, "StateDirectoryMode")
        assert ["0077"] == values(unit, "UMask")
        assert ["progrev"] == values(unit, "User")


def test_backups_go_to_a_state_directory() -> None:
    """The backup writes where systemd has made a place for it, and where nothing is read-only."""
    (command,) = values("progrev-backup.service", "ExecStart")
    (names,) = values("progrev-backup.service", "StateDirectory")
    target = command.split()[command.split().index("--into") + 1]

    assert target in [f"/var/lib/{name}" for name in names.split()]


def test_program_is_the_one_that_is_installed() -> None:
    """Both services start the console script of this project, with the same configuration."""
    commands = [values(unit, "ExecStart")[0].split() for unit in SERVICES]

    assert {"/opt/progrev/.venv/bin/progrev"} == {command[0] for command in commands}
    assert {"/etc/progrev/config.toml"} == {c[c.index("--config") + 1] for c in commands}
