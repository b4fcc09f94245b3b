"""Everything a post tells of, read in one transaction."""

from bot.services.cards import LeadStory, read_lead, read_post
from storage.models import EventKind, PostKind
from tests.builders import MARIA, new_row

OTHER = "79007654321"


async def story_of(world, lead_id: int = 1) -> LeadStory | None:
    """The story of a lead."""
    return await world.storage.run(lambda unit: read_lead(unit, lead_id))


async def start_campaign(world, lead_id: int) -> None:
    """A campaign runs on the lead's phone."""
    await world.change(lead_id, campaign_active=True, campaign_started_at=world.clock.now())


async def test_lead_with_all_that_belongs_to_it(world) -> None:
    """A story holds the lead, its events and rows, and the titles of templates."""
    await world.add_lead()
    await world.queue(new_row())
    await world.calls.comment(1, MARIA, "вечером")
    story = await story_of(world)

    assert await world.lead() == story.lead
    assert await world.rows() == story.rows
    assert [EventKind.COMMENT] == [event.kind for event in story.events]
    assert "Приветствие" == story.titles["welcome"]


async def test_lead_alone(world) -> None:
    """A lead without a history has none; its own campaign is not another's."""
    await world.add_lead()
    await start_campaign(world, 1)
    await world.add_lead(phone=OTHER)
    story = await story_of(world)

    assert (None, None, None) == (story.earlier, story.running, story.recall)


async def test_earlier_request(world) -> None:
    """Of several earlier requests of the phone the last one is told, with its rows."""
    await world.add_lead()
    await world.add_lead()
    await world.queue(new_row(2))
    await world.add_lead(phone=OTHER)
    await world.add_lead()
    story = await story_of(world, 4)

    assert 2 == story.earlier.lead.id
    assert await world.rows(2) == story.earlier.rows


async def test_leads_without_a_phone_are_strangers(world) -> None:
    """Two requests without a phone know nothing of each other."""
    await world.add_lead(phone=None)
    await start_campaign(world, 1)
    await world.add_lead(phone=None)
    story = await story_of(world, 2)

    assert (None, None) == (story.earlier, story.running)


async def test_running_campaign_and_its_recall(world, jump) -> None:
    """A new request knows the campaign that runs, and that campaign the request it waits for."""
    await world.add_lead()
    await start_campaign(world, 1)
    jump(hours=1)
    await world.add_lead()

    assert 1 == (await story_of(world, 2)).running
    assert 2 == (await story_of(world, 1)).recall


async def test_decided_request_is_no_recall(world, jump) -> None:
    """Once the new request has its outcome the campaign waits for nothing."""
    await world.add_lead()
    await start_campaign(world, 1)
    jump(hours=1)
    await world.add_lead()
    await world.change(2, is_target=True)

    assert (await story_of(world, 1)).recall is None


async def test_no_lead(world) -> None:
    """A lead that is not there has no story."""
    assert await story_of(world) is None


async def test_card(world) -> None:
    """A card's post tells of its lead, and answers no other card."""
    await world.add_lead()
    [post] = await world.posts(PostKind.CARD)
    story = await world.storage.run(lambda unit: read_post(unit, post))

    assert (post, 1, None, None) == (story.post, story.story.lead.id, story.row, story.card)


async def test_question_about_a_row(world) -> None:
    """A question tells of its row and lead, and knows the card that it answers."""
    await world.add_lead()
    await world.queue(new_row())
    now = world.clock.now()
    await world.storage.run(
        lambda unit: unit.posts.add(PostKind.UNKNOWN, now, lead_id=1, queue_id=1)
    )
    [card] = await world.posts(PostKind.CARD)
    [post] = await world.posts(PostKind.UNKNOWN)
    story = await world.storage.run(lambda unit: read_post(unit, post))

    assert (1, 1, card.id) == (story.story.lead.id, story.row.id, story.card.id)


async def test_word_to_an_admin(world) -> None:
    """A post about no lead has nothing but itself."""
    now = world.clock.now()
    await world.storage.run(lambda unit: unit.posts.add(PostKind.STALE, now, recipient=101))
    [post] = await world.posts(PostKind.STALE)
    story = await world.storage.run(lambda unit: read_post(unit, post))

    assert (None, None, None) == (story.story, story.row, story.card)
