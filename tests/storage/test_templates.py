"""Which texts make a campaign."""

import pytest

from storage.models import Template
from storage.storage import Storage
from tests.storage.sql import Sql


@pytest.mark.parametrize(
    ("course", "names"),
    [
        ("acting", ["welcome", "day1_acting", "day3", "day7"]),
        ("oratory", ["welcome", "day1_oratory", "day3", "day7"]),
        ("juggling", ["welcome", "day3", "day7"]),
        (None, ["welcome", "day3", "day7"]),
    ],
)
async def test_campaign_is_of_the_course_and_of_all(
    storage: Storage, course: str | None, names: list[str]
) -> None:
    """A course gets its own texts and those of every course, by day."""
    found = await storage.run(lambda unit: unit.templates.for_course(course))

    assert names == [template.name for template in found]


async def test_templates_of_one_day_keep_their_order(storage: Storage, sql: Sql) -> None:
    """Texts of one day leave in the order they were made; a new text takes its day's place."""
    sql.add("whatsapp_templates", name="b", content="б", delay_days=3)
    sql.add("whatsapp_templates", name="a", content="а", delay_days=3)
    sql.add("whatsapp_templates", name="c", content="в", delay_days=2)

    found = await storage.run(lambda unit: unit.templates.for_course(None))

    assert ["welcome", "c", "day3", "b", "a", "day7"] == [template.name for template in found]


async def test_inactive_template_is_left_out(storage: Storage, sql: Sql) -> None:
    """`active = FALSE` keeps a text out of new campaigns."""
    sql.run("UPDATE whatsapp_templates SET active = FALSE WHERE name = 'day3'")

    found = await storage.run(lambda unit: unit.templates.for_course(None))

    assert ["welcome", "day7"] == [template.name for template in found]


async def test_template_comes_whole(storage: Storage, sql: Sql) -> None:
    """What a person wrote is what the campaign uses."""
    sql.run("DELETE FROM whatsapp_templates")
    template_id = sql.add(
        "whatsapp_templates",
        name="spring",
        title="Весна",
        content="Весна, {{name}}!",
        delay_days=2,
        course="acting",
    )

    found = await storage.run(lambda unit: unit.templates.for_course("acting"))

    assert [
        Template(
            id=template_id,
            name="spring",
            title="Весна",
            content="Весна, {{name}}!",
            delay_days=2,
            course="acting",
            active=True,
        )
    ] == list(found)


async def test_titles_are_of_all_templates(storage: Storage, sql: Sql) -> None:
    """Cards name messages of switched-off templates too."""
    sql.run("UPDATE whatsapp_templates SET active = FALSE, title = name")

    titles = await storage.run(lambda unit: unit.templates.titles())

    names = ("welcome", "day1_acting", "day1_oratory", "day3", "day7")
    assert {name: name for name in names} == titles
