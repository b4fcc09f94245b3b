"""Databases of every age become today's schema, or are refused and left alone."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from storage import migrate
from storage.errors import Unusable
from storage.schema import metadata
from storage.storage import Storage
from tests.storage.sql import Sql


def _dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


async def _open_and_close(path: Path) -> None:
    storage = Storage(f"sqlite:///{path}")
    try:
        await storage.open()
    finally:
        await storage.close()


# --- today's schema -----------------------------------------------------------------------------


def test_migrations_make_what_the_schema_says(database: Path) -> None:
    """An empty database after all migrations has the tables of `storage.schema`, no more, no less.

    Checks and triggers stand in the migrations only.
    """
    engine = create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert [] == differences


_COLUMNS = """
    SELECT t.name, c.name, c.type, c.[notnull], c.dflt_value, c.pk, t.strict
    FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
    WHERE t.name NOT LIKE 'sqlite%' AND t.name <> 'alembic_version' ORDER BY t.name, c.name
"""
_INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> '' ORDER BY name"


@pytest.mark.parametrize("facts", [_COLUMNS, _INDEXES], ids=["columns", "indexes"])
def test_migrations_agree_with_the_schema_in_detail(
    database: Path, tmp_path: Path, facts: str
) -> None:
    """Types, NOT NULLs, defaults and partial indexes are word by word the schema's."""
    drawn = tmp_path / "drawn.db"
    engine = create_engine(f"sqlite:///{drawn}")
    metadata.create_all(engine)
    engine.dispose()

    expected, actual = (_ask(path, facts) for path in (drawn, database))
    assert expected == actual


def _ask(path: Path, question: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    answer = connection.execute(question).fetchall()
    connection.close()
    return answer


def test_every_table_is_strict(sql: Sql) -> None:
    """A wrong type is refused in each of our tables."""
    tables = sql.run("SELECT name, strict FROM pragma_table_list WHERE name NOT LIKE 'sqlite%'")

    loose = {table["name"] for table in tables if not table["strict"]}
    assert {"alembic_version"} == loose


async def test_upgrading_twice_does_nothing(database: Path) -> None:
    """A second start finds nothing to do."""
    before = _dump(database)

    await _open_and_close(database)

    assert before == _dump(database)


def test_upgrade_says_the_revision(database: Path) -> None:
    """`upgrade` returns the revision that the database has afterwards."""
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        revision = migrate.upgrade(connection)
    engine.dispose()

    stored = sqlite3.connect(database)
    assert [(revision,)] == stored.execute("SELECT version_num FROM alembic_version").fetchall()
    stored.close()


async def test_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """A file that was only touched is an empty database."""
    path = tmp_path / "progrev.db"
    path.touch()

    await _open_and_close(path)

    assert any("CREATE TABLE leads" in line for line in _dump(path))


async def test_people_may_have_tables_of_their_own(tmp_path: Path) -> None:
    """A stranger's table in the file is left alone."""
    path = tmp_path / "progrev.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()

    await _open_and_close(path)

    assert "CREATE TABLE notes (text);" in _dump(path)


# --- refused, and left alone --------------------------------------------------------------------


def _from_the_future(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


def _not_a_database(path: Path) -> None:
    path.write_bytes(b"lead;phone\nAnna;79001234567\n" * 100)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            _from_the_future,
            "the database has schema 9999, which a newer version of progrev made: "
            "install that version, or restore a backup",
        ),
        (_not_a_database, "file is not a database"),
    ],
    ids=["from the future", "not a database"],
)
async def test_file_that_cannot_be_opened_is_left_alone(
    database: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """What this version cannot open is refused in clear words, and not a byte of it changes."""
    spoil(database)
    before = database.read_bytes()

    with pytest.raises(Unusable) as caught:
        await _open_and_close(database)

    assert str(caught.value).endswith(words)
    assert before == database.read_bytes()


async def test_older_senders_database_is_left_alone(tmp_path: Path) -> None:
    """A file with another program's `leads` is refused, and gets none of our tables."""
    path = tmp_path / "progrev.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE leads (id INTEGER, tel TEXT)")
    connection.execute("INSERT INTO leads VALUES (1, '79001234567')")
    connection.commit()
    connection.close()
    before = _dump(path)

    with pytest.raises(Unusable, match="table leads already exists"):
        await _open_and_close(path)

    assert before == _dump(path)


async def test_file_that_was_refused_is_free_for_the_next(database: Path) -> None:
    """After a refusal and the close nothing holds the file."""
    good = database.read_bytes()
    _not_a_database(database)
    with pytest.raises(Unusable):
        await _open_and_close(database)
    database.write_bytes(good)

    await _open_and_close(database)
