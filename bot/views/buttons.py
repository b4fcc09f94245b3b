"""What buttons carry. A button can be forged and outlive everything, so it only names things."""

from enum import StrEnum
from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from pydantic import Field

from bot.domain.leads import Action

Id = Annotated[int, Field(ge=1, lt=2**63)]  # what the database can hold

YES = "✅ Да, целевой и интересно"
NO = "❌ Нет, не заинтересован"
BACK = "↩️ Назад"
RESEND = "Отправить ещё раз"
COUNT_AS_SENT = "Считать отправленным"


class LeadButton(CallbackData, prefix="l"):
    """A button of a lead's card."""

    id: Id
    act: Action
    arg: Annotated[str, Field(max_length=32)] = ""


class RowAction(StrEnum):
    """What a person may say of a message whose fate is not known."""

    RESEND = "resend"
    COUNT_AS_SENT = "sent"


class RowButton(CallbackData, prefix="q"):
    """A button about one message of the queue."""

    id: Id
    act: RowAction


def keyboard(*rows: tuple[str, CallbackData]) -> InlineKeyboardMarkup:
    """One button a row, as they are read on a phone."""
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=text, callback_data=data.pack())] for text, data in rows
        ]
    )


def lead_button(text: str, lead_id: int, act: Action, arg: str = "") -> tuple[str, CallbackData]:
    """A button of a card, for `keyboard`."""
    return text, LeadButton(id=lead_id, act=act, arg=arg)
