"""The command line: `progrev run`, `check`, `backup`, `restore`, `demo`, `version`."""

import argparse
import asyncio
import faulthandler
import os
import sys
from importlib.metadata import version
from pathlib import Path

from bot import logs
from bot.errors import BotError, ConfigError, StartError
from bot.settings import Settings, load
from bot.systemd import Notifier
from storage.errors import StorageError
from storage.lock import Lock, database_path
from storage.place import check_place


def main() -> None:
    """Do what the command line asks for, and exit with its code."""
    os.umask(0o077)  # the database, its log, its lock, copies: for nobody else to read
    sys.exit(_main(sys.argv[1:]))


def _main(words: list[str]) -> int:
    chosen = _parser().parse_args(words)
    try:
        return int(chosen.act(chosen))
    except ConfigError as error:
        print("The configuration cannot be used:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return error.exit_code
    except BotError as error:
        print(f"progrev: {error}", file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="progrev", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, act, about in (
        ("run", _run, "run the daemon"),
        ("check", _check, "try the configuration, the database, Telegram and GREEN-API"),
        ("backup", _backup, "make a checked copy of the database; the daemon may run"),
        ("restore", _restore, "go back to a copy; the daemon must be stopped"),
        ("demo", _demo, "play one client through a week, with no accounts"),
        ("version", _version, "print the version"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(act=act)
        if name not in ("demo", "version"):
            command.add_argument("--config", type=Path, metavar="FILE", help="default: config.toml")
        if name == "backup":
            where = command.add_mutually_exclusive_group(required=True)
            where.add_argument("file", type=Path, nargs="?", metavar="FILE", help="the copy")
            where.add_argument(
                "--into", type=Path, metavar="DIR", help="dated copies: 7 daily, 4 weekly"
            )
        if name == "restore":
            command.add_argument("file", type=Path, metavar="FILE", help="the copy")
    return parser


def _settings(chosen: argparse.Namespace) -> Settings:
    return load(chosen.config, os.environ)


def _run(chosen: argparse.Namespace) -> int:
    faulthandler.enable()  # a watchdog's SIGABRT, and a crash in C, leave their stacks
    settings = _settings(chosen)
    logs.configure(settings.log.level, settings.log.format, settings.secrets())
    lock = _lock(settings)
    # Only now what takes seconds to load: a second daemon has been refused by then.
    from bot import app
    from bot.clock import SystemClock

    notifier = Notifier.from_environ(os.environ)
    asyncio.run(app.run(settings, clock=SystemClock(), lock=lock, notifier=notifier))
    # Everything is closed and written. Taking apart what was imported would cost most of a second
    # of the ten in which a service has to end.
    sys.stdout.flush()
    os._exit(0)


def _lock(settings: Settings) -> Lock:
    path = database_path(settings.storage.url)
    lock = Lock(path)
    try:
        check_place(path)
        lock.take()
    except StorageError as error:
        raise StartError(str(error)) from None
    return lock


def _check(chosen: argparse.Namespace) -> int:
    from bot import check

    return asyncio.run(check.run(_settings(chosen)))


def _backup(chosen: argparse.Namespace) -> int:
    from bot import backup
    from bot.clock import SystemClock

    if chosen.into is not None:
        return backup.make_dated(_settings(chosen), chosen.into, SystemClock())
    return backup.make(_settings(chosen), chosen.file, SystemClock())


def _restore(chosen: argparse.Namespace) -> int:
    from bot import backup
    from bot.clock import SystemClock

    return backup.bring_back(_settings(chosen), chosen.file, SystemClock())


def _demo(_chosen: argparse.Namespace) -> int:
    from bot.demo import scenario

    return scenario.main()


def _version(_chosen: argparse.Namespace) -> int:
    print(version("progrev"))
    return 0


if __name__ == "__main__":
    main()
