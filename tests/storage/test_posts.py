"""The outbox for Telegram: what waits, in what order, and what is never forgotten."""

from datetime import timedelta
from typing import Any

import pytest

from storage.models import Post, PostKind
from storage.posts import Shown
from storage.storage import Storage
from tests.builders import MONDAY_10
from tests.storage.sql import Sql

CHAT = -1001234567890
LATER = MONDAY_10 + timedelta(hours=1)


def _shown(version: int, **values: Any) -> Shown:
    facts: dict[str, Any] = {
        "chat_id": CHAT,
        "message_id": 501,
        "fingerprint": "f1",
        "refresh_at": None,
    }
    return Shown(version=version, **(facts | values))


async def _record(storage: Storage, post_id: int, shown: Shown) -> None:
    await storage.run(lambda unit: unit.posts.record(post_id, shown))


async def _waiting(storage: Storage, limit: int = 10) -> list[int]:
    found = await storage.run(lambda unit: unit.posts.waiting(MONDAY_10, limit))
    return [post.id for post in found]


async def _card(storage: Storage, lead_id: int) -> Post:
    found = await storage.run(lambda unit: unit.posts.find_card(lead_id))
    assert found is not None
    return found


# --- what waits ---------------------------------------------------------------------------------


async def test_new_card_waits(storage: Storage, sql: Sql) -> None:
    """A lead without a card is work to do."""
    lead_id = sql.lead(created_at="2026-11-23 07:00:00")

    found = await storage.run(lambda unit: unit.posts.waiting(MONDAY_10, 10))

    assert (PostKind.CARD, lead_id, None, None, 1, False, MONDAY_10) == (
        *(found[0].kind, found[0].lead_id, found[0].message_id, found[0].shown),
        *(found[0].version, found[0].urgent, found[0].created_at),
    )


async def test_asked_for_post_waits(storage: Storage, sql: Sql) -> None:
    """A question about a message, or a word to an admin, is work like a card."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, "unknown")

    async def ask(unit: Any) -> Any:
        await unit.posts.add(PostKind.UNKNOWN, MONDAY_10, lead_id=lead_id, queue_id=row_id)
        await unit.posts.add(PostKind.STALE, MONDAY_10, recipient=501, number=3)
        return await unit.posts.waiting(MONDAY_10, 10)

    _, question, word = await storage.run(ask)

    assert (PostKind.UNKNOWN, lead_id, row_id) == (
        *(question.kind, question.lead_id, question.queue_id),
    )
    assert (PostKind.STALE, 501, 3) == (word.kind, word.recipient, word.number)


async def test_shown_post_waits_no_more(storage: Storage, sql: Sql) -> None:
    """What the chat shows needs nothing, and remembers where it stands."""
    lead_id = sql.lead()

    await _record(storage, 1, _shown(1))

    card = await _card(storage, lead_id)
    assert [] == await _waiting(storage)
    assert (CHAT, 501, "f1") == (card.chat_id, card.message_id, card.shown)


async def test_change_makes_a_shown_post_wait(storage: Storage, sql: Sql) -> None:
    """A lead that moves has its card edited."""
    lead_id = sql.lead()
    await _record(storage, 1, _shown(1))

    sql.change("leads", lead_id, name="Мария")

    assert [1] == await _waiting(storage)


async def test_change_that_came_meanwhile_keeps_its_work(storage: Storage, sql: Sql) -> None:
    """What changed between drawing and recording is shown by another edit."""
    lead_id = sql.lead()
    drawn = await _card(storage, lead_id)
    sql.change("leads", lead_id, name="Мария")

    await _record(storage, 1, _shown(drawn.version))

    assert [1] == await _waiting(storage)


async def test_many_changes_are_one_edit(storage: Storage, sql: Sql) -> None:
    """Edits coalesce: the latest state is shown once."""
    lead_id = sql.lead()
    await _record(storage, 1, _shown(1))
    for name in ("Мария", "Марина", "Марфа"):
        sql.change("leads", lead_id, name=name)

    card = await _card(storage, lead_id)
    await _record(storage, 1, _shown(card.version))

    assert (4, []) == (card.version, await _waiting(storage))


async def test_recording_a_deleted_post_is_survived(storage: Storage) -> None:
    """A lead that was deleted meanwhile has no post to record."""
    await _record(storage, 7, _shown(1))

    assert [] == await _waiting(storage)


async def test_removed_post_is_gone(storage: Storage, sql: Sql) -> None:
    """A post that tells of nothing any more leaves the outbox."""
    lead_id = sql.lead()

    await storage.run(lambda unit: unit.posts.remove(1))

    assert await storage.run(lambda unit: unit.posts.find_card(lead_id)) is None


async def test_card_is_told_from_other_posts(storage: Storage, sql: Sql) -> None:
    """A lead's questions are not its card."""
    lead_id = sql.lead()
    row_id = sql.message(lead_id, "unknown")
    await storage.run(
        lambda u: u.posts.add(PostKind.UNKNOWN, MONDAY_10, lead_id=lead_id, queue_id=row_id)
    )

    assert PostKind.CARD is (await _card(storage, lead_id)).kind
    assert await storage.run(lambda unit: unit.posts.find_card(None)) is None


# --- in what order ------------------------------------------------------------------------------


async def test_answer_to_a_press_goes_first(storage: Storage, sql: Sql) -> None:
    """First the edit that answers a press, then new cards in order, then other edits in order."""
    leads = [sql.lead() for _ in range(6)]
    for post_id in (1, 2, 5):
        await _record(storage, post_id, _shown(9))
    sql.run("UPDATE posts SET version = 10 WHERE id IN (1, 2)")
    await storage.run(lambda unit: unit.posts.urge(leads[4]))
    sql.run("UPDATE posts SET shown_version = 1 WHERE id = 5")

    assert [5, 3, 4, 6, 1, 2] == await _waiting(storage)
    assert [5, 3] == await _waiting(storage, limit=2)


async def test_press_is_answered_once(storage: Storage, sql: Sql) -> None:
    """A card is urgent from the press until it has been shown anew."""
    lead_id = sql.lead()
    await _record(storage, 1, _shown(1))
    await storage.run(lambda unit: unit.posts.urge(lead_id))
    urged = await _card(storage, lead_id)
    await _record(storage, 1, _shown(urged.version))
    shown = await _card(storage, lead_id)
    sql.change("leads", lead_id, name="Мария")

    later = await _card(storage, lead_id)
    assert [True, False, False] == [urged.urgent, shown.urgent, later.urgent]


async def test_press_stays_urgent_behind_other_changes(storage: Storage, sql: Sql) -> None:
    """A change after a press does not take the press its place."""
    lead_id = sql.lead()
    await _record(storage, 1, _shown(1))
    await storage.run(lambda unit: unit.posts.urge(lead_id))
    sql.change("leads", lead_id, name="Мария")

    assert (await _card(storage, lead_id)).urgent


async def test_press_on_one_card_urges_no_other(storage: Storage, sql: Sql) -> None:
    """Only the pressed card hurries, of all posts of the client."""
    lead_id, other = sql.lead(), sql.lead()
    await storage.run(lambda u: u.posts.add(PostKind.UNKNOWN, MONDAY_10, lead_id=lead_id))
    await storage.run(lambda unit: unit.posts.urge(lead_id))

    urgent = sql.run("SELECT lead_id FROM posts WHERE urgent_version > 0")
    assert ([{"lead_id": lead_id}], False) == (urgent, (await _card(storage, other)).urgent)


# --- what changes by itself ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refresh_at", "waits"),
    [
        (MONDAY_10 - timedelta(hours=1), True),
        (MONDAY_10, True),
        (MONDAY_10 + timedelta(seconds=1), False),
    ],
)
async def test_post_waits_when_its_time_has_come(
    storage: Storage, sql: Sql, refresh_at: Any, waits: bool
) -> None:
    """A card that says «уйдёт завтра» is drawn anew when that is not true any more."""
    sql.lead()

    await _record(storage, 1, _shown(1, refresh_at=refresh_at))

    assert ([1] if waits else []) == await _waiting(storage)


async def test_next_refresh_is_the_earliest_to_come(storage: Storage, sql: Sql) -> None:
    """The outbox sleeps until the next post changes by itself."""
    nothing = await storage.run(lambda unit: unit.posts.next_refresh_at(MONDAY_10))
    moments = [MONDAY_10, LATER + timedelta(hours=1), LATER, None]
    for number, moment in enumerate(moments, start=1):
        sql.lead()
        await _record(storage, number, _shown(1, refresh_at=moment))

    found = await storage.run(lambda unit: unit.posts.next_refresh_at(MONDAY_10))
    assert (None, LATER) == (nothing, found)


# --- what stands in the post itself -------------------------------------------------------------


async def test_told_post_carries_what_it_tells(storage: Storage) -> None:
    """An alert says what it was asked to say, whatever the database says later."""
    payload = {"name": "сеть", "details": "нет ответа"}
    await storage.run(lambda u: u.posts.add_told(PostKind.ALERT, payload, 501, MONDAY_10))

    found = await storage.run(lambda unit: unit.posts.waiting(MONDAY_10, 10))

    assert [(PostKind.ALERT, payload, 501, None)] == [
        (post.kind, post.payload, post.recipient, post.lead_id) for post in found
    ]


# --- chats that are gone ------------------------------------------------------------------------


async def test_left_chat_is_forgotten(storage: Storage, sql: Sql) -> None:
    """What was sent to a chat that is gone is sent anew when it changes; other chats stay."""
    leads = [sql.lead(), sql.lead()]
    await _record(storage, 1, _shown(1))
    await _record(storage, 2, _shown(1, chat_id=501))

    await storage.run(lambda unit: unit.posts.leave_chat(CHAT))

    cards = [await _card(storage, lead_id) for lead_id in leads]
    assert [(None, None, None), (501, 501, "f1")] == [
        (card.chat_id, card.message_id, card.shown) for card in cards
    ]


async def _admins_posts(storage: Storage, *recipients: int) -> list[Post]:
    for recipient in recipients:
        await storage.run(
            lambda u, r=recipient: u.posts.add(PostKind.STALE, MONDAY_10, recipient=r)
        )
    return list(await storage.run(lambda unit: unit.posts.waiting(MONDAY_10, 10)))


async def test_unread_word_goes_to_the_managers_chat(storage: Storage) -> None:
    """A word to an admin who never wrote to the bot is told to all, once for all such admins."""
    posts = await _admins_posts(storage, 501, 502)

    for post in posts:
        await storage.run(lambda unit, p=post: unit.posts.redirect(p))

    left = await storage.run(lambda unit: unit.posts.waiting(MONDAY_10, 10))
    assert [(posts[0].id, None)] == [(post.id, post.recipient) for post in left]


async def test_word_that_another_admin_has_read_is_dropped(storage: Storage) -> None:
    """The managers' chat is not told what an admin has been told already."""
    told, unread = await _admins_posts(storage, 501, 502)
    await _record(storage, told.id, _shown(1, chat_id=501))

    await storage.run(lambda unit: unit.posts.redirect(unread))

    assert [] == await _waiting(storage)


async def test_word_of_another_time_is_another(storage: Storage) -> None:
    """Only the same word, of the same moment, counts as told."""
    (first,) = await _admins_posts(storage, 501)
    await _record(storage, first.id, _shown(1, chat_id=501))
    await storage.run(lambda unit: unit.posts.add(PostKind.STALE, LATER, recipient=502))
    (second,) = await storage.run(lambda unit: unit.posts.waiting(MONDAY_10, 10))

    await storage.run(lambda unit: unit.posts.redirect(second))

    assert [second.id] == await _waiting(storage)
