"""Posts that are not cards."""

from typing import Any

import pytest
from aiogram.types import InlineKeyboardMarkup

from bot.services.cards import LeadStory, PostStory
from bot.views import notices
from bot.views.words import LONGEST_TEXT, units
from storage.models import Post, PostKind, QueueRow, RowStatus
from tests.builders import MONDAY_10, make_lead, make_row

_NOTHING: dict[str, Any] = dict.fromkeys(Post.__dataclass_fields__)
POST = Post(
    **_NOTHING
    | {"id": 9, "kind": PostKind.UNKNOWN, "lead_id": 1, "queue_id": 3, "created_at": MONDAY_10}
)


def tell(row: QueueRow | None, **lead: Any) -> PostStory:
    """The story of a question about a row."""
    story = LeadStory(
        lead=make_lead(**lead),
        events=(),
        rows=[row] if row else [],
        titles={"day1_acting": "Преподаватель"},
        earlier=None,
        running=None,
        recall=None,
    )
    return PostStory(POST, story, row, None)


def buttons_of(markup: InlineKeyboardMarkup | None) -> list[tuple[str, str | None]]:
    """Words and data of the buttons."""
    return [(b.text, b.callback_data) for [b] in markup.inline_keyboard] if markup else []


def test_unknown() -> None:
    """A message whose fate is not known is asked about, with both answers."""
    row = make_row(id=3, status=RowStatus.UNKNOWN, error="GREEN-API не ответил")
    text, markup = notices.unknown(tell(row))

    assert (
        "❓ Заявка №1, Анна: «Преподаватель» — неясно, ушло ли.\n"
        "GREEN-API не ответил\n\n"
        "Посмотрите переписку в WhatsApp. Пока ответа нет, этому клиенту ничего не уйдёт."
    ) == text.render()[0]
    assert [
        ("Отправить ещё раз", "q:3:resend"),
        ("Считать отправленным", "q:3:sent"),
    ] == buttons_of(markup)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (RowStatus.PENDING, "ждёт"),
        (RowStatus.SENDING, "отправляется"),
        (RowStatus.SENT, "отправлено"),
        (RowStatus.FAILED, "не отправлено"),
        (RowStatus.CANCELLED, "отменено"),
    ],
)
def test_settled(status: RowStatus, word: str) -> None:
    """A question that was settled, by whomever, says how and has no buttons any more."""
    text, markup = notices.unknown(tell(make_row(status=status)))

    assert f"Заявка №1, Анна: «Преподаватель» — {word}." == text.render()[0]
    assert markup is None


def test_row_without_a_template_and_client_without_a_name() -> None:
    """What has no title is named by its number, and who has no name is a client."""
    row = make_row(id=17, template=None, status=RowStatus.SENT)
    text, _ = notices.unknown(tell(row, name=""))

    assert "Заявка №1, клиент: «сообщение 17» — отправлено." == text.render()[0]


@pytest.mark.parametrize(
    "story", [tell(None), PostStory(POST, None, make_row(), None)], ids=["no row", "no lead"]
)
def test_deleted(story: PostStory) -> None:
    """A question about a message that is not there any more says so."""
    text, markup = notices.unknown(story)

    assert "Это сообщение удалено из очереди." == text.render()[0]
    assert markup is None


def test_hostile_texts_keep_the_question_short() -> None:
    """Endless names and reasons are cut, the largest id fits its button."""
    row = make_row(id=2**63 - 1, status=RowStatus.UNKNOWN, error="я" * 100_000)
    text, markup = notices.unknown(tell(row, name="<b>\u202e\x00" + "👋" * 50_000))
    shown = text.render()[0]

    assert units(shown) < LONGEST_TEXT
    assert not {"\u202e", "\x00"} & set(shown)
    assert all(data and len(data) <= 64 for _, data in buttons_of(markup))


def test_stale() -> None:
    """Admins are told how many messages came too late, by how much, and what they can do."""
    text = notices.stale(2, 72)

    assert (
        "⚠️ Отменено как устаревшее: 2 сообщения.\n"
        "Они должны были уйти больше 72 ч назад, и отправлять их сейчас поздно. "
        "Если какое-то всё же нужно, верните строку очереди в статус «ждёт»."
    ) == text.render()[0]
