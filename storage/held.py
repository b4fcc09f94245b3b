"""What a restored database remembers of itself, under two names of the table `memory`.

A copy knows when it was taken (`BACKUP`); a database that came back from one knows that nothing may
be sent by itself until a person has said so (`HELD`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

BACKUP = "backup"
HELD = "held"

_NOBODY_KNOWS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A restored database, and whether its automatic sending was released."""

    taken_at: datetime | None  # what happened since may be forgotten; None = nobody knows when
    restored_at: datetime
    told: tuple[int | None, ...] = ()  # who was asked: admins; None = the managers' chat
    released_at: datetime | None = None
    released_by: str = ""

    @property
    def is_on(self) -> bool:
        """Whether nothing may be sent by itself."""
        return self.released_at is None

    @property
    def number(self) -> int:
        """What tells this restore from another one."""
        return int(self.restored_at.timestamp())

    def with_told(self, recipients: Iterable[int | None]) -> Self:
        """The same, after these were asked."""
        return replace(self, told=tuple(dict.fromkeys((*self.told, *recipients))))

    def released(self, at: datetime, by: str) -> Self:
        """The same, after a person let the sending go on."""
        return replace(self, released_at=at, released_by=by)

    @classmethod
    def read(cls, value: Any) -> Self | None:
        """What stands in the memory; whatever nobody can read holds as well."""
        if value is None:
            return None
        fields = value if isinstance(value, dict) else {}
        told = fields.get("told")
        return cls(
            taken_at=read_moment(fields.get("taken_at")),
            restored_at=read_moment(fields.get("restored_at")) or _NOBODY_KNOWS,
            told=tuple(told) if isinstance(told, list) else (),
            released_at=read_moment(fields.get("released_at")),
            released_by=str(fields.get("released_by", "")),
        )

    def to_json(self) -> dict[str, Any]:
        """What to keep in the memory."""
        return {
            "why": "restored",
            "taken_at": self.taken_at.isoformat() if self.taken_at else None,
            "restored_at": self.restored_at.isoformat(),
            "told": list(self.told),
            "released_at": self.released_at.isoformat() if self.released_at else None,
            "released_by": self.released_by,
        }


def read_moment(text: object) -> datetime | None:
    """An instant from the memory; None if nobody can read it."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
