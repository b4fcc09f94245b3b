"""The texts of the campaign."""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import Template
from storage.schema import whatsapp_templates as templates


class Templates:
    """The table `whatsapp_templates`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def for_course(self, course: str | None) -> Sequence[Template]:
        """Active templates of a course and of all courses, in sending order."""
        rows = await self._db.execute(
            select(templates)
            .where(templates.c.active.is_(True))
            .where(or_(templates.c.course.is_(None), templates.c.course == course))
            .order_by(templates.c.delay_days, templates.c.id)
        )
        return [
            Template(
                id=row.id,
                name=row.name,
                title=row.title,
                content=row.content,
                delay_days=row.delay_days,
                course=row.course,
                active=row.active,
            )
            for row in rows
        ]

    async def titles(self) -> dict[str, str]:
        """Titles of all templates by name."""
        rows = await self._db.execute(select(templates.c.name, templates.c.title))
        return {row.name: row.title for row in rows}
