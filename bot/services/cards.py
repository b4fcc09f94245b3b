"""Everything a post in the chat tells of, read in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.held import HELD, Held
from storage.models import Lead, LeadEvent, Post, PostKind, QueueRow
from storage.storage import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadStory:
    """A lead, what happened to it, and what is known of the client's other requests."""

    lead: Lead
    events: Sequence[LeadEvent]
    rows: Sequence[QueueRow]
    titles: Mapping[str, str]  # of templates, by name
    earlier: "Earlier | None"
    running: int | None  # another lead whose campaign runs on this phone
    recall: int | None  # a new request whose call this campaign waits for


@dataclass(frozen=True, slots=True)
class Earlier:
    """The client's request before this one."""

    lead: Lead
    rows: Sequence[QueueRow]


@dataclass(frozen=True, slots=True)
class PostStory:
    """What one post tells of; the card is where an answer to it belongs."""

    post: Post
    story: LeadStory | None
    row: QueueRow | None
    card: Post | None
    held: Held | None = None


async def read_lead(unit: Unit, lead_id: int) -> LeadStory | None:
    """The story of a lead, or None if it was deleted."""
    lead = await unit.leads.find(lead_id)
    if lead is None:
        return None
    earlier = await unit.leads.find_earlier(lead) if lead.phone else None
    running = await unit.leads.find_active(lead.phone) if lead.phone else None
    return LeadStory(
        lead=lead,
        events=await unit.events.of_lead(lead_id),
        rows=await unit.queue.of_lead(lead_id),
        titles=await unit.templates.titles(),
        earlier=Earlier(earlier, await unit.queue.of_lead(earlier.id)) if earlier else None,
        running=running.id if running and running.id != lead_id else None,
        recall=await unit.leads.find_recall(lead) if lead.campaign_active else None,
    )


async def read_post(unit: Unit, post: Post) -> PostStory:
    """What a post tells of, as it is at this moment."""
    story = await read_lead(unit, post.lead_id) if post.lead_id is not None else None
    row = await unit.queue.find(post.queue_id) if post.queue_id is not None else None
    answers_card = post.lead_id is not None and post.kind is not PostKind.CARD
    card = await unit.posts.find_card(post.lead_id) if answers_card else None
    held = Held.read(await unit.memory.find(HELD)) if post.kind is PostKind.HELD else None
    return PostStory(post, story, row, card, held)
