"""The question that a restored database puts to the admins, and what it shows afterwards."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.formatting import Bold, Text
from pydantic import Field

from bot.services.hold import Release
from bot.views import words
from bot.views.buttons import keyboard
from storage.held import Held

GO_ON = "Продолжить"
ONLY_ADMINS = "Продолжить отправку может только администратор."


class HoldButton(CallbackData, prefix="h"):
    """«Продолжить», for the restore of that number."""

    number: Annotated[int, Field(ge=0, le=2**53)]


def draw(
    held: Held | None, zone: ZoneInfo, late_hours: int
) -> tuple[Text, InlineKeyboardMarkup | None]:
    """Ask whether to go on; once somebody has said so, who it was."""
    if held is None:
        return Text("Отправка продолжена."), None
    if held.released_at is not None:
        at = _moment(held.released_at, zone)
        who = words.line(held.released_by, 60) or "—"
        return Text(f"▶️ Отправка продолжена: {who}, {at}."), None
    text = Text(
        Bold("⏸ Рассылка стоит: база восстановлена из копии."),
        f"\n{_age(held, zone)}\n\n",
        "Заявки, нажатия и отправленные сообщения этого времени программа не помнит. Что ушло "
        "клиентам, по базе узнать нельзя: ",
        Bold("после «Продолжить» кто-то может получить сообщение второй раз."),
        " Сверьтесь с перепиской в WhatsApp и отмените лишние строки очереди, пока рассылка стоит.",
        f"\n\nЧто опоздало больше чем на {late_hours} ч, будет отменено, остальное начнёт уходить. "
        "Новые заявки приходят и сейчас, тестовые сообщения отправляются.",
    )
    return text, keyboard((GO_ON, HoldButton(number=held.number)))


def pressed(release: Release) -> str:
    """What to say to the one who pressed."""
    match release:
        case Release.DONE:
            return "Рассылка идёт дальше"
        case Release.ALREADY:
            return "Рассылка уже идёт дальше."
        case Release.OLD:
            return "Это вопрос о другой копии: нажмите кнопку под последним."


def _age(held: Held, zone: ZoneInfo) -> str:
    restored = f"восстановлена {_moment(held.restored_at, zone)}"
    if held.taken_at is None:
        return f"Когда копия сделана, неизвестно; {restored}."
    age = _long(held.restored_at - held.taken_at)
    return f"Копия сделана {_moment(held.taken_at, zone)}, {restored}: пропало {age}."


def _long(gone: timedelta) -> str:
    minutes = max(1, round(gone / timedelta(minutes=1)))
    if minutes < 2 * 60:
        return words.plural(minutes, "минута", "минуты", "минут")
    hours = round(minutes / 60)
    if hours < 2 * 24:
        return words.plural(hours, "час", "часа", "часов")
    return words.plural(round(hours / 24), "день", "дня", "дней")


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%d.%m.%Y в %H:%M")
