"""A lead's card: who asked, how far it got, what goes out next, and the buttons for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.formatting import Bold, Text

from bot.domain import phones
from bot.domain.courses import Courses
from bot.domain.leads import Action, Stage, last, missed_calls, stage, taker, undo_until
from bot.services.cards import Earlier, LeadStory
from bot.views import words
from bot.views.buttons import BACK, NO, YES, keyboard, lead_button
from storage.models import CampaignEnd, EventKind, Lead, LeadEvent, QueueRow, RowStatus

QUESTION = "Клиент целевой и ему интересно?"

_ROOM = 3800  # UTF-16 units; the rest of Telegram's 4096 is for what people add meanwhile
_GRACE = timedelta(seconds=5)  # a message that is due leaves within seconds: show that, once
_COMMENTS = 5
_TROUBLES = 5
_TROUBLED = (RowStatus.FAILED, RowStatus.UNKNOWN, RowStatus.SENDING)

_ENDED = {
    CampaignEnd.FINISHED: "Рассылка закончена",
    CampaignEnd.STOPPED: "Рассылка остановлена",
    CampaignEnd.REFUSED: "Рассылка отменена",
    CampaignEnd.UNDONE: "Рассылка отменена",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What every post is drawn with."""

    courses: Courses
    zone: ZoneInfo
    undo: bool  # whether a "yes" can be taken back at all
    late_hours: int  # a message overdue by more is not sent


@dataclass(frozen=True, slots=True)
class Card:
    """A card ready to be shown, and when it changes by itself."""

    text: Text
    keyboard: InlineKeyboardMarkup
    refresh_at: datetime | None


def draw(story: LeadStory, look: Look, now: datetime) -> Card:
    """The card of a lead at this moment."""
    undo = undo_until(story.lead, story.rows) if look.undo else None
    if undo is not None and undo <= now:
        undo = None
    head = [_title(story.lead, look), *_client(story.lead, look)]
    tail = [*_calls(story, look), *_campaign(story, look, now), *_asked(story)]
    text = _fit(head, list(_details(story, look)), tail)
    return Card(text, _buttons(story, look, undo), _changes_at(story, look, now, undo))


def _fit(head: Sequence[Text], middle: Sequence[Text], tail: Sequence[Text]) -> Text:
    """Head and tail whole; of the middle as much as there is room for."""
    room = _ROOM - sum(_size(part) for part in (*head, *tail))
    kept: list[Text] = []
    for part in middle:
        room -= _size(part)
        if room < 0:
            kept.append(Text("…остальное не поместилось, в базе сохранено всё"))
            break
        kept.append(part)
    parts: list[Text | str] = []
    for part in (*head, *kept, *tail):
        parts += [part, "\n"]
    return Text(*parts[:-1])


def _size(part: Text) -> int:
    return words.units(part.render()[0]) + 1


# --- who asked ----------------------------------------------------------------------------------


def _title(lead: Lead, look: Look) -> Text:
    return Text(Bold(f"Заявка №{lead.id}"), f" · {words.day_and_time(lead.created_at, look.zone)}")


def _client(lead: Lead, look: Look) -> Iterator[Text]:
    yield Text("👤 ", Bold(words.line(lead.name, 100) or "имя не указано"))
    if lead.phone:
        yield Text("📞 ", phones.show(lead.phone))
    else:
        yield Text("📞 номер не распознан", _in_quotes(lead.phone_raw))
    yield Text("🎓 ", words.line(look.courses.title(lead.course), 100) or "курс не указан")


def _in_quotes(text: str | None) -> str:
    return f": «{words.line(text, 100)}»" if text else ""


def _details(story: LeadStory, look: Look) -> Iterator[Text]:
    lead = story.lead
    if story.earlier is not None:
        yield Text(f"🔁 {_earlier(story.earlier, look)}")
    if lead.comment:
        yield Text("💬 ", words.cut(lead.comment, 700))
    comments = (EventKind.COMMENT, EventKind.CLIENT_COMMENT)
    for event in [event for event in story.events if event.kind in comments][-_COMMENTS:]:
        who = words.line(event.actor_name, 40) or "клиент"
        yield Text(f"💬 {who}: ", words.cut(event.note, 400))
    if lead.email:
        yield Text("✉️ ", words.line(lead.email, 100))
    for problem in lead.problems if lead.phone is None else ():
        yield Text("⚠️ ", words.line(problem, 200))
    for label, value in lead.extra:
        yield Text(f"▫️ {words.line(label, 60)}: ", words.line(value, 200))
    if lead.source:
        yield Text("🌐 ", words.line(lead.source, 100))


def _earlier(earlier: Earlier, look: Look) -> str:
    lead = earlier.lead
    sent = sum(row.status is RowStatus.SENT for row in earlier.rows)
    outcome = {True: "целевой", False: "не заинтересован", None: "итога нет"}[lead.is_target]
    told = f", отправлено {words.messages(sent)}" if sent else ""
    running = ", рассылка идёт" if lead.campaign_active else ""
    asked = words.day_and_time(lead.created_at, look.zone)
    return f"Уже обращался: заявка №{lead.id} от {asked} — {outcome}{told}{running}"


# --- how far it got -----------------------------------------------------------------------------


def _calls(story: LeadStory, look: Look) -> Iterator[Text]:
    if (event := taker(story.events)) is not None:
        yield Text("🙋 Взял(а): ", _who(event, look))
    if missed := missed_calls(story.events):
        event = last(story.events, EventKind.NO_ANSWER)
        times = words.plural(missed, "раз", "раза", "раз")
        yield Text(f"📵 Не дозвонились {times}, последний: ", _who(event, look))
    now = stage(story.lead)
    if now is not Stage.OPEN and (event := last(story.events, EventKind.CALLED)) is not None:
        yield Text("📞 Позвонил(а): ", _who(event, look))
    if story.lead.is_target is not None:
        yield _outcome(story, look)


def _outcome(story: LeadStory, look: Look) -> Text:
    yes = bool(story.lead.is_target)
    event = last(story.events, EventKind.YES if yes else EventKind.NO)
    told = "✅ Целевой, интересно" if yes else "❌ Не заинтересован"
    return Text(Bold(told), f": {_who(event, look)}" if event else "")


def _who(event: LeadEvent | None, look: Look) -> str:
    if event is None:
        return ""
    return f"{words.line(event.actor_name, 60)}, {words.day_and_time(event.created_at, look.zone)}"


# --- what goes out ------------------------------------------------------------------------------


def _campaign(story: LeadStory, look: Look, now: datetime) -> Iterator[Text]:
    lead, rows = story.lead, story.rows
    if lead.is_target and story.running is not None and not lead.campaign_active:
        yield Text(f"📨 Рассылка идёт по заявке №{story.running}")
    if not rows:
        if lead.is_target and lead.campaign_end is CampaignEnd.FINISHED:
            yield Text("📨 Отправлять нечего: все шаблоны выключены или уже отправлены")
        return
    sent = sum(row.status is RowStatus.SENT for row in rows)
    waiting = sum(row.status is RowStatus.PENDING for row in rows)
    state = "Рассылка идёт" if lead.campaign_active else _ended(lead)
    rest = f", ждёт {waiting}" if waiting else ""
    yield Text(f"📨 {state}: отправлено {sent}{rest}")
    if lead.campaign_active and (row := _next(rows)) is not None:
        yield Text(f"⏳ {_titled(row, story)} ", _leaves(row, story, look, now))
    yield from _troubles(story)


def _troubles(story: LeadStory) -> Iterator[Text]:
    """Messages that did not go, or may not have gone; of many the last ones."""
    troubled = [row for row in story.rows if row.status in _TROUBLED]
    for row in troubled[-_TROUBLES:]:
        reason = f": {words.line(row.error, 200)}" if row.error else ""
        yield Text(f"⚠️ {_titled(row, story)} {words.STATUS[row.status]}{reason}")
    if (more := len(troubled) - _TROUBLES) > 0:
        yield Text(f"⚠️ …и ещё {words.messages(more)}")


def _ended(lead: Lead) -> str:
    return _ENDED[lead.campaign_end] if lead.campaign_end else "Рассылки нет"


def _next(rows: Sequence[QueueRow]) -> QueueRow | None:
    return next((row for row in rows if row.status is RowStatus.PENDING), None)


def _titled(row: QueueRow, story: LeadStory) -> str:
    title = story.titles.get(row.template or "") or row.template or f"сообщение {row.id}"
    return f"«{words.line(title, 60)}»"


def _leaves(row: QueueRow, story: LeadStory, look: Look, now: datetime) -> str:
    if story.recall is not None:
        return f"ждёт итога звонка по новой заявке №{story.recall}"
    why = f" ({words.line(row.error, 120)})" if row.error else ""
    if row.scheduled_at <= now:
        return f"уйдёт с ближайшей отправкой{why}"
    return f"уйдёт {words.when(row.scheduled_at, now, look.zone)}{why}"


def _changes_at(
    story: LeadStory, look: Look, now: datetime, undo: datetime | None
) -> datetime | None:
    row = _next(story.rows) if story.lead.campaign_active else None
    if row is None:
        return None
    due = row.scheduled_at + _GRACE
    midnight = words.next_midnight(now, look.zone) if row.scheduled_at > now else None
    return words.earliest((undo, midnight, due if due > now else None))


# --- what is asked ------------------------------------------------------------------------------


def _asked(story: LeadStory) -> Iterator[Text]:
    asked = {
        Stage.ASKING: QUESTION,
        Stage.FIXING: QUESTION,
        Stage.NEEDS_PHONE: "Номер не распознан. Ответьте номером на сообщение бота ниже.",
        Stage.NEEDS_COURSE: "На какой курс записать клиента?",
        Stage.RUNNING: "По этому номеру уже идёт рассылка"
        + (f" (заявка №{story.running})" if story.running else "")
        + ". Что сделать?",
        Stage.STOPPING: "Остановить рассылку? Оставшиеся сообщения будут отменены.",
    }.get(stage(story.lead))
    if asked:
        yield Text("\n", Bold(f"❓ {asked}"))


def _buttons(story: LeadStory, look: Look, undo: datetime | None) -> InlineKeyboardMarkup:
    shown = _by_stage(story, look, undo)
    return keyboard(*(lead_button(text, story.lead.id, *what) for text, *what in shown))


def _by_stage(
    story: LeadStory, look: Look, undo: datetime | None
) -> list[tuple[str, Action] | tuple[str, Action, str]]:
    back = (BACK, Action.BACK)
    match stage(story.lead):
        case Stage.OPEN:
            return [
                ("🙋 Беру", Action.TAKE),
                ("📞 Позвонил клиенту", Action.CALLED),
                ("📵 Не дозвонился", Action.NO_ANSWER, str(missed_calls(story.events))),
            ]
        case Stage.ASKING | Stage.FIXING:
            return [(YES, Action.YES), (NO, Action.NO), back]
        case Stage.NEEDS_PHONE:
            return [back]
        case Stage.NEEDS_COURSE:
            return [*((c.title, Action.COURSE, c.key) for c in look.courses.all), back]
        case Stage.RUNNING:
            return [
                ("▶️ Продолжить её", Action.GO_ON),
                ("🔁 Начать рассылку заново", Action.RESTART),
                back,
            ]
        case Stage.STOPPING:
            return [("⏹ Да, остановить", Action.STOP_YES), back]
        case _:
            return [*_after_outcome(story, undo), *_always_after()]


def _after_outcome(story: LeadStory, undo: datetime | None) -> list[tuple[str, Action]]:
    shown = []
    if undo is not None:
        shown.append(("↩️ Отменить", Action.UNDO))
    if story.lead.campaign_active:
        shown.append(("⏹ Остановить рассылку", Action.STOP))
    return shown


def _always_after() -> list[tuple[str, Action]]:
    return [("↩️ Исправить", Action.FIX), ("💬 Комментарий", Action.COMMENT)]
