"""The question of a restored database."""

from datetime import timedelta

import pytest

from bot.services.hold import Release
from bot.views import hold
from bot.views.words import LONGEST_TEXT, units
from storage.held import Held
from tests.builders import MONDAY_10, MOSCOW

HELD = Held(taken_at=MONDAY_10 - timedelta(hours=7), restored_at=MONDAY_10)


def test_the_question() -> None:
    """It says how old the copy is and what may happen; its button names the restore."""
    text, markup = hold.draw(HELD, MOSCOW, 72)

    assert (
        "⏸ Рассылка стоит: база восстановлена из копии.\n"
        "Копия сделана 23.11.2026 в 03:00, восстановлена 23.11.2026 в 10:00: пропало 7 часов.\n\n"
        "Заявки, нажатия и отправленные сообщения этого времени программа не помнит. Что ушло "
        "клиентам, по базе узнать нельзя: после «Продолжить» кто-то может получить сообщение "
        "второй раз. Сверьтесь с перепиской в WhatsApp и отмените лишние строки очереди, пока "
        "рассылка стоит.\n\n"
        "Что опоздало больше чем на 72 ч, будет отменено, остальное начнёт уходить. Новые заявки "
        "приходят и сейчас, тестовые сообщения отправляются."
    ) == text.render()[0]
    assert markup is not None
    assert [[("Продолжить", f"h:{int(MONDAY_10.timestamp())}")]] == [
        [(button.text, button.callback_data) for button in row] for row in markup.inline_keyboard
    ]


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (timedelta(seconds=5), "1 минута"),
        (timedelta(minutes=119), "119 минут"),
        (timedelta(hours=2), "2 часа"),
        (timedelta(hours=47), "47 часов"),
        (timedelta(days=2), "2 дня"),
        (timedelta(days=30), "30 дней"),
        (timedelta(hours=-3), "1 минута"),
    ],
)
def test_how_much_is_lost(gone: timedelta, words: str) -> None:
    """The age is told in the unit that people would use, and is never negative."""
    text, _ = hold.draw(Held(taken_at=MONDAY_10 - gone, restored_at=MONDAY_10), MOSCOW, 72)

    assert f"пропало {words}." in text.render()[0]


def test_a_copy_of_unknown_age() -> None:
    """What nobody knows is not guessed."""
    text, markup = hold.draw(Held(taken_at=None, restored_at=MONDAY_10), MOSCOW, 72)

    assert "Когда копия сделана, неизвестно; восстановлена 23.11.2026 в 10:00." in text.render()[0]
    assert markup is not None


def test_after_the_release() -> None:
    """Who said so, and when, takes the place of the question; no button is left."""
    text, markup = hold.draw(HELD.released(MONDAY_10, "Мария"), MOSCOW, 72)

    assert "▶️ Отправка продолжена: Мария, 23.11.2026 в 10:00." == text.render()[0]
    assert markup is None


def test_a_note_that_was_deleted() -> None:
    """A question whose note is gone from the database asks nothing any more."""
    text, markup = hold.draw(None, MOSCOW, 72)

    assert ("Отправка продолжена.", None) == (text.render()[0], markup)


def test_a_long_name_is_cut() -> None:
    """A name never breaks the message."""
    text, _ = hold.draw(HELD.released(MONDAY_10, "я" * 5000), MOSCOW, 72)

    assert units(text.render()[0]) < LONGEST_TEXT


@pytest.mark.parametrize("release", Release)
def test_every_press_has_an_answer(release: Release) -> None:
    """An answer fits into Telegram's 200 characters."""
    assert 0 < len(hold.pressed(release)) <= 200


def test_a_button_survives_the_way_through_telegram() -> None:
    """What is packed is found again; 64 bytes are Telegram's limit."""
    packed = hold.HoldButton(number=HELD.number).pack()

    assert HELD.number == hold.HoldButton.unpack(packed).number
    assert len(packed) <= 64
