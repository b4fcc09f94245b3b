"""What buttons carry, and what is refused of forged ones."""

import pytest
from aiogram.filters.callback_data import CallbackData

from bot.domain.leads import Action
from bot.views import buttons
from bot.views.buttons import LeadButton, RowAction, RowButton, keyboard, lead_button

HUGE = 2**63 - 1


def test_words_are_the_contracts() -> None:
    """The words that several screens use are exactly the contract's."""
    assert (
        "✅ Да, целевой и интересно",
        "❌ Нет, не заинтересован",
        "↩️ Назад",
        "Отправить ещё раз",
        "Считать отправленным",
    ) == (buttons.YES, buttons.NO, buttons.BACK, buttons.RESEND, buttons.COUNT_AS_SENT)


@pytest.mark.parametrize("action", Action)
def test_lead_button_comes_back_whole(action: Action) -> None:
    """Every action with the longest argument fits 64 bytes and is read back as it was."""
    _, button = lead_button("Да", HUGE, action, "k" * 32)
    packed = button.pack()

    assert len(packed.encode()) <= 64
    assert button == LeadButton.unpack(packed)


@pytest.mark.parametrize("action", RowAction)
def test_row_button_comes_back_whole(action: RowAction) -> None:
    """A row's button too."""
    button = RowButton(id=HUGE, act=action)

    assert button == RowButton.unpack(button.pack())


def test_keyboard() -> None:
    """Each button has a row of its own."""
    markup = keyboard(lead_button("А", 1, Action.TAKE), lead_button("Б", 1, Action.NO_ANSWER, "2"))

    shown = [
        [(button.text, button.callback_data) for button in row] for row in markup.inline_keyboard
    ]
    assert [[("А", "l:1:take:")], [("Б", "l:1:noans:2")]] == shown


FORGED = {
    "no id": (LeadButton, "l::take:"),
    "zero": (LeadButton, "l:0:take:"),
    "negative": (LeadButton, "l:-1:take:"),
    "more than a database holds": (LeadButton, f"l:{2**63}:take:"),
    "a thousand digits": (LeadButton, f"l:{'9' * 1000}:take:"),
    "a word": (LeadButton, "l:one:take:"),
    "unknown action": (LeadButton, "l:1:erase:"),
    "long argument": (LeadButton, "l:1:course:" + "k" * 33),
    "too few parts": (LeadButton, "l:1"),
    "too many parts": (LeadButton, "l:1:take::"),
    "another prefix": (LeadButton, "q:1:resend"),
    "row: unknown action": (RowButton, "q:1:erase"),
    "row: no id": (RowButton, "q::sent"),
    "row: too large": (RowButton, f"q:{2**63}:sent"),
    "empty": (RowButton, ""),
}


@pytest.mark.parametrize(("kind", "data"), FORGED.values(), ids=FORGED)
def test_forged_data_is_no_button(kind: type[CallbackData], data: str) -> None:
    """What no button of ours carries is refused."""
    with pytest.raises((ValueError, TypeError)):
        kind.unpack(data)
