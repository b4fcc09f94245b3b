"""Beginning and ending a lead's campaign."""

from dataclasses import replace
from datetime import timedelta

import pytest

from storage.errors import Conflict
from storage.models import CampaignEnd, RowStatus
from tests.builders import MONDAY_10, PHONE, new_row

DAY = timedelta(days=1)
FRIDAY_20 = MONDAY_10 + 4 * DAY + timedelta(hours=10)


async def start(world, lead_id: int = 1) -> int:
    """Begin a campaign as a "yes" does."""

    async def work(unit):
        lead = await unit.leads.get(lead_id)
        return await world.campaigns.start(unit, lead, world.clock.now())

    return await world.storage.run(work)


def add_template(world, name: str, content: str, day: int = 2, course: str | None = None) -> None:
    """A template that somebody added with SQL."""
    world.sql(
        "INSERT INTO whatsapp_templates (name, content, delay_days, course) VALUES (?, ?, ?, ?)",
        name,
        content,
        day,
        course,
    )


@pytest.mark.parametrize(
    ("course", "templates"),
    [
        ("acting", ["welcome", "day1_acting", "day3", "day7"]),
        ("oratory", ["welcome", "day1_oratory", "day3", "day7"]),
        (None, ["welcome", "day3", "day7"]),
    ],
)
async def test_templates_of_the_course(world, course: str | None, templates: list[str]) -> None:
    """Queued are the active templates of the lead's course and of all courses, in their order."""
    await world.add_lead(course=course)
    await start(world)

    assert templates == [row.template for row in await world.rows()]


async def test_texts_are_rendered(world) -> None:
    """Each row holds the text with the lead's and the course's values, and the phone."""
    add_template(world, "promo", "{{name}}, {{course}}, {{instructor_name}}, {{phone}}")
    await world.add_lead()
    await start(world)
    [promo] = [row for row in await world.rows() if row.template == "promo"]

    assert "Анна, Актёрское мастерство, Казбек Меретуков, +79001234567" == promo.text
    assert (PHONE, 2) == (promo.phone, promo.day)


@pytest.mark.parametrize("name", ["", "Анна"])
async def test_default_texts_can_always_be_made(world, name: str) -> None:
    """The five default texts need no name; none holds a brace or fails."""
    await world.add_lead(name=name)
    await start(world)
    rows = await world.rows()

    assert {RowStatus.PENDING} == {row.status for row in rows}
    assert not [row.text for row in rows if "{" in row.text]


async def test_text_that_cannot_be_made(world) -> None:
    """Such a row is failed with a reason that people understand; the others wait."""
    add_template(world, "typo", "Здравствуйте, {{nmae}}!")
    add_template(world, "empty", "Здравствуйте, {{name}}!")
    await world.add_lead(name="")
    waiting = await start(world)
    failed = {row.template: row for row in await world.rows() if row.status is RowStatus.FAILED}

    assert 4 == waiting
    assert {
        "typo": "в шаблоне неизвестная переменная {{nmae}}",
        "empty": "не заполнено: имя клиента ({{name}})",
    } == {name: row.error for name, row in failed.items()}
    assert "Здравствуйте, {{nmae}}!" == failed["typo"].text
    assert (await world.lead()).campaign_active


async def test_no_text_can_be_made(world) -> None:
    """A campaign of failed rows alone is over at once."""
    world.sql("UPDATE whatsapp_templates SET content = '{{oops}}'")
    await world.add_lead()
    waiting = await start(world)
    lead = await world.lead()

    assert 0 == waiting
    assert [RowStatus.FAILED] * 4 == await world.statuses()
    assert (False, CampaignEnd.FINISHED) == (lead.campaign_active, lead.campaign_end)


async def test_inactive_templates_are_left_out(world) -> None:
    """A template that is switched off makes no row."""
    world.sql("UPDATE whatsapp_templates SET active = FALSE WHERE name <> 'day3'")
    await world.add_lead()

    assert 1 == await start(world)
    assert ["day3"] == [row.template for row in await world.rows()]


async def test_rows_stand_in_the_window(world, jump) -> None:
    """On Friday at 20:00 with weekdays only, nothing is planned for the weekend."""
    workdays = replace(world.campaigns.rules.window, weekdays=frozenset(range(5)))
    rules = replace(world.campaigns.rules, window=workdays)
    world.campaigns = replace(world.campaigns, rules=rules)
    world.clock.jump_to(FRIDAY_20)
    await world.add_lead()
    await start(world)

    planned = [row.scheduled_at for row in await world.rows()]
    monday_9 = MONDAY_10 + 7 * DAY - timedelta(hours=1)
    assert [
        FRIDAY_20 + timedelta(seconds=15),
        monday_9,
        monday_9 + DAY,
        FRIDAY_20 + 7 * DAY,
    ] == planned


async def test_templates_of_one_day_stand_apart(world) -> None:
    """Two templates of one day keep their order and the gap, in the window."""
    add_template(world, "b", "второй", day=2)
    add_template(world, "a", "третий", day=2)
    world.sql("UPDATE whatsapp_templates SET active = FALSE WHERE name NOT IN ('a', 'b')")
    await world.add_lead()
    await start(world)

    rows = [(row.template, row.scheduled_at) for row in await world.rows()]
    assert [("b", MONDAY_10 + 2 * DAY), ("a", MONDAY_10 + 3 * DAY - timedelta(hours=1))] == rows


@pytest.mark.parametrize(
    ("status", "again"),
    [
        ("sent", False),
        ("unknown", False),
        ("sending", False),
        ("failed", True),
        ("cancelled", True),
    ],
)
async def test_what_has_gone_is_not_queued_again(world, status: str, again: bool) -> None:
    """Of an earlier campaign only what surely did not go is queued again."""
    await world.add_lead()
    await world.queue(new_row(template="day3"))
    if status in ("sent", "unknown", "sending"):
        world.sql("UPDATE whatsapp_queue SET status = 'sending', claim = 'x'")
    if status != "sending":
        world.sql("UPDATE whatsapp_queue SET status = ?, claim = NULL", status)
    await start(world)

    rows = [row for row in await world.rows() if row.template == "day3"]
    assert (2 if again else 1) == len(rows)


async def test_ending(world) -> None:
    """Ending cancels what waits with its reason, says how many, and keeps why it ended."""
    await world.add_lead()
    await start(world)

    async def work(unit):
        lead = await unit.leads.get(1)
        return await world.campaigns.end(unit, lead, CampaignEnd.STOPPED, "надоело")

    cancelled = await world.storage.run(work)
    lead = await world.lead()

    assert 4 == cancelled
    assert {(RowStatus.CANCELLED, "надоело")} == {(r.status, r.error) for r in await world.rows()}
    assert (False, CampaignEnd.STOPPED) == (lead.campaign_active, lead.campaign_end)


async def test_a_phone_has_one_campaign(world) -> None:
    """Two campaigns of one phone at once are refused by the database itself."""
    await world.add_lead()
    await world.add_lead()
    await start(world, 1)

    with pytest.raises(Conflict):
        await start(world, 2)
    assert [] == await world.rows(2)
