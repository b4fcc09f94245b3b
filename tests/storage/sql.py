"""A person with the command line of SQLite: a plain connection, foreign keys off, autocommit."""

import sqlite3
from pathlib import Path
from typing import Any

PHONE = "79001234567"
OTHER_PHONE = "79007654321"
DUE = "2026-11-23 07:00:00"


class Sql:
    """Statements as people write them, each committed at once."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.row_factory = sqlite3.Row

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Carry out one statement; its rows by column name."""
        return [dict(row) for row in self.connection.execute(statement, values)]

    def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row."""
        return next(iter(self.run(statement, *values)[0].values()))

    def add(self, table: str, **columns: Any) -> int:
        """Insert a row and return its id."""
        names, places = ", ".join(columns), ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {table} ({names}) VALUES ({places})"
        return int(self.connection.execute(statement, tuple(columns.values())).lastrowid or 0)

    def change(self, table: str, row_id: int, **columns: Any) -> None:
        """Update a row."""
        sets = ", ".join(f"{name} = ?" for name in columns)
        self.run(f"UPDATE {table} SET {sets} WHERE id = ?", *columns.values(), row_id)

    def lead(self, **columns: Any) -> int:
        """Insert a lead with a phone."""
        return self.add("leads", **{"name": "Анна", "phone": PHONE, **columns})

    def message(self, lead_id: int, status: str = "pending", **columns: Any) -> int:
        """Insert a message, brought to `sending` as the daemon does it."""
        sending = status == "sending"
        row_id = self.add(
            "whatsapp_queue",
            lead_id=lead_id,
            message_text="Добрый день!",
            scheduled_at=DUE,
            status="pending" if sending else status,
            **columns,
        )
        if sending:
            self.claim(row_id)
        return row_id

    def claim(self, row_id: int) -> None:
        """Take a message for sending, as the daemon does."""
        self.change("whatsapp_queue", row_id, status="sending", claim="c1", attempted_at=DUE)

    def find_lead(self, lead_id: int) -> dict[str, Any]:
        """All columns of a lead."""
        return self.run("SELECT * FROM leads WHERE id = ?", lead_id)[0]

    def find_message(self, row_id: int) -> dict[str, Any]:
        """All columns of a message."""
        return self.run("SELECT * FROM whatsapp_queue WHERE id = ?", row_id)[0]

    def card_versions(self) -> dict[int, int]:
        """The version of every card, by lead."""
        cards = self.run("SELECT lead_id, version FROM posts WHERE kind = 'card'")
        return {card["lead_id"]: card["version"] for card in cards}
