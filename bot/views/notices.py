"""Posts that are not cards: a message whose fate is not known, and what came too late."""

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.formatting import Bold, Text

from bot.services.cards import PostStory
from bot.views import words
from bot.views.buttons import COUNT_AS_SENT, RESEND, RowAction, RowButton, keyboard
from storage.models import RowStatus


def unknown(story: PostStory) -> tuple[Text, InlineKeyboardMarkup | None]:
    """Ask what became of a message; once it is settled, say how."""
    row, lead = story.row, story.story
    if row is None or lead is None:
        return Text("Это сообщение удалено из очереди."), None
    title = words.line(lead.titles.get(row.template or "") or f"сообщение {row.id}", 60)
    client = words.line(lead.lead.name, 60) or "клиент"
    head = f"Заявка №{row.lead_id}, {client}: «{title}» — "
    if row.status is not RowStatus.UNKNOWN:
        return Text(f"{head}{words.STATUS[row.status]}."), None
    text = Text(
        Bold("❓ " + head + words.STATUS[RowStatus.UNKNOWN] + "."),
        f"\n{words.line(row.error or '', 300)}",
        "\n\nПосмотрите переписку в WhatsApp. Пока ответа нет, этому клиенту ничего не уйдёт.",
    )
    return text, keyboard(
        (RESEND, RowButton(id=row.id, act=RowAction.RESEND)),
        (COUNT_AS_SENT, RowButton(id=row.id, act=RowAction.COUNT_AS_SENT)),
    )


def stale(number: int, hours: int) -> Text:
    """Tell admins how many messages were not sent because their time had long passed."""
    many = words.messages(number)
    return Text(
        Bold(f"⚠️ Отменено как устаревшее: {many}."),
        f"\nОни должны были уйти больше {hours} ч назад, и отправлять их сейчас поздно. ",
        "Если какое-то всё же нужно, верните строку очереди в статус «ждёт».",
    )
