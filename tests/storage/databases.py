"""Database files as they lie on a disk: closed, killed, damaged, of others."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from storage.inspect import look_into
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10, new_lead, new_row

LEADS = 40


def make_database(path: Path, leads: int = LEADS) -> Path:
    """A closed database with so many leads, each with one message that waits."""
    path.write_bytes(_filled(leads))
    return path


@cache
def _filled(leads: int) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "progrev.db"
        asyncio.run(_fill(path, leads))
        return path.read_bytes()


async def _fill(path: Path, leads: int) -> None:
    storage = Storage(f"sqlite:///{path}")
    await storage.open()

    async def work(unit: Unit) -> None:
        for number in range(leads):
            lead = new_lead(phone=f"7900{number:07d}", comment="о курсе " * 20)
            lead_id = await unit.leads.add(lead, MONDAY_10)
            due = MONDAY_10 + timedelta(days=1)
            await unit.queue.add([new_row(lead_id, phone=lead.phone, scheduled_at=due)], MONDAY_10)

    await storage.run(work)
    await storage.close()


def leave_unclosed(path: Path, leads: int = 1) -> Path:
    """As a killed process leaves it: so many more leads stand only in the -wal."""
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    for _ in range(leads):
        writer.execute("INSERT INTO leads (name) VALUES ('Борис')")
    kept = path.with_name("kept")
    for end in ("", "-wal", "-shm"):
        shutil.copy(f"{path}{end}", f"{kept}{end}")
    writer.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{kept}{end}").replace(f"{path}{end}")
    return path


def ask(path: Path, question: str) -> Any:
    """The first value that a question to a database gives; the file stays as it is."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(question).fetchone()[0]


def change(path: Path, *statements: str) -> None:
    """Plain SQL on a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file of a directory, byte by byte; indexes of logs (-shm) are no content."""
    files = (p for p in folder.iterdir() if p.is_file() and not p.name.endswith("-shm"))
    return {path.name: path.read_bytes() for path in files}


def leads_in(path: Path) -> int:
    """How many leads a whole database has."""
    return look_into(path).leads
