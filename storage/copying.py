"""One database file into another, and changes to a copy before it is put in its place."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from storage.inspect import connect_reading, plain_errors


def copy(database: Path, empty: Path, *, live: bool) -> None:
    """Copy one consistent moment of a database into an empty file.

    `live` says that another process may be writing the database meanwhile.
    """
    with plain_errors(empty), closing(connect_reading(database, live=live)) as connection:
        connection.execute("VACUUM INTO ?", (str(empty),))


@contextmanager
def writing(copied: Path) -> Iterator[sqlite3.Connection]:
    """One transaction on a copy that nobody else has open."""
    with plain_errors(copied), closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=MEMORY")  # a copy that breaks is thrown away
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def note(connection: sqlite3.Connection, name: str, value: Mapping[str, Any]) -> None:
    """Write a value into the table `memory`."""
    connection.execute(
        "INSERT INTO memory (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(value)),
    )


def read_note(connection: sqlite3.Connection, name: str) -> Any:
    """A value from the table `memory`, or None."""
    row = connection.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
    return None if row is None else json.loads(row[0])
