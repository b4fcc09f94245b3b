"""`progrev backup` and `progrev restore`: what was done, and what to do next, in a few lines."""

import sys
from pathlib import Path

from bot.clock import Clock
from bot.settings import Settings
from storage.backup import back_up, keep, name_of
from storage.errors import StorageError
from storage.inspect import Contents
from storage.lock import database_path
from storage.restore import Restored, restore


def make(settings: Settings, target: Path, clock: Clock) -> int:
    """Copy the database to a file; 0 if the copy is there and whole."""
    database = database_path(settings.storage.url)
    try:
        contents = back_up(database, target, clock.now())
    except StorageError as error:
        return _failed("backup", error)
    _say(f"{target}: a checked copy of {database}, {_told(target, contents)}")
    _warn_of_dangling(contents)
    return 0


def make_dated(settings: Settings, folder: Path, clock: Clock) -> int:
    """Copy the database into a directory under today's name, and delete what is too old there."""
    today = clock.now().astimezone(settings.campaign.zone).date()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        return _failed("backup", error)
    if code := make(settings, folder / name_of(today), clock):
        return code  # nothing is deleted while no new copy stands
    try:
        gone = keep(folder, today)
    except OSError as error:
        return _failed("backup", error)
    if gone:
        _say(f"deleted, 7 daily and 4 weekly copies are kept: {', '.join(p.name for p in gone)}")
    return 0


def bring_back(settings: Settings, source: Path, clock: Clock) -> int:
    """Put a copy in the place of the database; 0 if it is there."""
    database = database_path(settings.storage.url)
    try:
        done = restore(source, database, clock.now())
    except StorageError as error:
        return _failed("restore", error)
    _say(f"{database}: restored from {source}, {_told(database, done.contents)}", *_advice(done))
    _warn_of_dangling(done.contents)
    return 0


def _advice(done: Restored) -> list[str]:
    lines = []
    if done.replaced is not None:
        lines.append(f"the database that was there is kept: {done.replaced}")
    if done.held.taken_at is not None:
        lines.append(
            f"leads, presses and sends after {done.held.taken_at:%Y-%m-%d %H:%M} UTC are lost"
        )
    lines.append(
        "next: start the daemon. It takes leads and shows cards, but sends nothing by itself until "
        "an admin presses «Продолжить» in Telegram"
    )
    return lines


def _told(path: Path, contents: Contents) -> str:
    size = path.stat().st_size / 1_000_000
    return (
        f"{size:.1f} MB, schema {contents.revision}, {contents.leads} leads, "
        f"{contents.pending} messages wait"
    )


def _warn_of_dangling(contents: Contents) -> None:
    if contents.dangling:
        _say(
            f"warning: {contents.dangling} rows refer to rows that are not there, by somebody's "
            "SQL; find them with PRAGMA foreign_key_check"
        )


def _failed(what: str, error: Exception) -> int:
    sys.stderr.write(f"progrev {what}: {error}\n")
    return 1


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
