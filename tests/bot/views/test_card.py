"""A lead's card: its text, its buttons, and when it changes by itself."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from aiogram.filters.callback_data import CallbackData

from bot.domain.courses import Course, Courses
from bot.domain.leads import ALLOWED, Stage, stage
from bot.services.cards import Earlier, LeadStory
from bot.views.buttons import LeadButton
from bot.views.card import Card, Look, draw
from bot.views.words import LONGEST_TEXT, units
from storage.models import Actor, CallStatus, CampaignEnd, EventKind, RowStatus, Step
from tests.builders import (
    COURSES,
    MARIA,
    MONDAY_10,
    MOSCOW,
    PYOTR,
    make_event,
    make_lead,
    make_row,
)

LOOK = Look(COURSES, MOSCOW, undo=True, late_hours=72)
TITLES = {"welcome": "Приветствие", "day1_acting": "Преподаватель"}
NOW = MONDAY_10 + timedelta(minutes=5)
TOMORROW_9 = MONDAY_10 + timedelta(hours=23)
MIDNIGHT = MONDAY_10 + timedelta(hours=14)

CALLED = {"call_status": CallStatus.CALLED}
YES = CALLED | {"is_target": True}
NO = CALLED | {"is_target": False}
RUNNING = YES | {"campaign_active": True, "campaign_started_at": MONDAY_10}


def tell(
    *rows: Any,
    events: Any = (),
    earlier: Any = None,
    running: int | None = None,
    recall: int | None = None,
    **lead: Any,
) -> LeadStory:
    """The story of a lead with these rows and events."""
    return LeadStory(
        lead=make_lead(**lead),
        events=events,
        rows=rows,
        titles=TITLES,
        earlier=earlier,
        running=running,
        recall=recall,
    )


def text_of(story: LeadStory, now: datetime = NOW, look: Look = LOOK) -> str:
    """What the card says, without markup."""
    return draw(story, look, now).text.render()[0]


def lines_of(story: LeadStory, now: datetime = NOW) -> list[str]:
    """The lines of the card."""
    return text_of(story, now).splitlines()


def buttons_of(card: Card) -> list[str]:
    """The words of the buttons, from top to bottom."""
    return [button.text for [button] in card.keyboard.inline_keyboard]


# --- whole cards --------------------------------------------------------------------------------


def test_new_card() -> None:
    """A new card shows who asked for what, all other fields, and when."""
    story = tell(
        comment="Хочу\nна сцену",
        email="anna@example.com",
        extra=(("utm_source", "vk"), ("Возраст", "30")),
    )

    assert (
        "Заявка №1 · 23.11 10:00\n"
        "👤 Анна\n"
        "📞 +79001234567\n"
        "🎓 Актёрское мастерство\n"
        "💬 Хочу\nна сцену\n"
        "✉️ anna@example.com\n"
        "▫️ utm_source: vk\n"
        "▫️ Возраст: 30\n"
        "🌐 сайт"
    ) == text_of(story)


def test_card_of_what_was_not_understood() -> None:
    """A lead without name, number and course says so, and shows what came."""
    story = tell(
        name="",
        phone=None,
        phone_raw="12-34",
        course=None,
        problems=("номер не распознан: «12-34»",),
    )

    assert (
        "Заявка №1 · 23.11 10:00\n"
        "👤 имя не указано\n"
        "📞 номер не распознан: «12-34»\n"
        "🎓 курс не указан\n"
        "⚠️ номер не распознан: «12-34»\n"
        "🌐 сайт"
    ) == text_of(story)


def test_card_of_a_running_campaign() -> None:
    """A running campaign shows who did what, how many went, and what goes next."""
    story = tell(
        make_row(id=1, template="welcome", day=0, status=RowStatus.SENT),
        make_row(id=2, scheduled_at=TOMORROW_9),
        make_row(id=3, template="day3", scheduled_at=TOMORROW_9 + timedelta(days=2)),
        events=[
            make_event(EventKind.TAKEN, PYOTR),
            make_event(EventKind.NO_ANSWER),
            make_event(EventKind.NO_ANSWER),
            make_event(EventKind.CALLED, PYOTR),
            make_event(EventKind.YES, PYOTR),
            make_event(EventKind.COMMENT, MARIA, "Просит\nвечер"),
        ],
        **RUNNING,
    )

    assert (
        "Заявка №1 · 23.11 10:00\n"
        "👤 Анна\n"
        "📞 +79001234567\n"
        "🎓 Актёрское мастерство\n"
        "💬 Мария: Просит\nвечер\n"
        "🌐 сайт\n"
        "🙋 Взял(а): Пётр, 23.11 10:00\n"
        "📵 Не дозвонились 2 раза, последний: Мария, 23.11 10:00\n"
        "📞 Позвонил(а): Пётр, 23.11 10:00\n"
        "✅ Целевой, интересно: Пётр, 23.11 10:00\n"
        "📨 Рассылка идёт: отправлено 1, ждёт 2\n"
        "⏳ «Преподаватель» уйдёт завтра в 09:00"
    ) == text_of(story)


# --- single lines -------------------------------------------------------------------------------

LEAVES = {
    "today": (NOW + timedelta(seconds=15), None, "уйдёт сегодня в 10:05"),
    "tomorrow": (TOMORROW_9, None, "уйдёт завтра в 09:00"),
    "a weekday": (TOMORROW_9 + timedelta(days=2), None, "уйдёт в чт 26 ноября в 09:00"),
    "why it waits": (TOMORROW_9, "вне часов отправки", "уйдёт завтра в 09:00 (вне часов отправки)"),
    "due": (NOW, None, "уйдёт с ближайшей отправкой"),
    "due and held": (
        NOW - timedelta(hours=1),
        "нет связи с GREEN-API",
        "уйдёт с ближайшей отправкой (нет связи с GREEN-API)",
    ),
}


@pytest.mark.parametrize(("due", "error", "words"), LEAVES.values(), ids=LEAVES)
def test_next_message(due: datetime, error: str | None, words: str) -> None:
    """The next message is told with its day and hour, and why it waits."""
    story = tell(make_row(scheduled_at=due, error=error), **RUNNING)

    assert f"⏳ «Преподаватель» {words}" == lines_of(story)[-1]


def test_next_message_of_a_recalled_campaign() -> None:
    """A campaign that waits for the call about a new request names that request."""
    story = tell(make_row(scheduled_at=TOMORROW_9), recall=5, **RUNNING)

    assert "⏳ «Преподаватель» ждёт итога звонка по новой заявке №5" == lines_of(story)[-1]


def test_tomorrow_is_the_schools() -> None:
    """Whether it is tomorrow is asked in the school's zone, where the day may be new already."""
    evening = MIDNIGHT + timedelta(minutes=1)
    story = tell(make_row(scheduled_at=TOMORROW_9), **RUNNING)

    assert "⏳ «Преподаватель» уйдёт сегодня в 09:00" == lines_of(story, evening)[-1]


ROWS = {
    "failed": (
        {"status": RowStatus.FAILED, "error": "не заполнено: имя клиента"},
        "⚠️ «Преподаватель» не отправлено: не заполнено: имя клиента",
    ),
    "unknown": ({"status": RowStatus.UNKNOWN}, "⚠️ «Преподаватель» неясно, ушло ли"),
    "sending": ({"status": RowStatus.SENDING}, "⚠️ «Преподаватель» отправляется"),
    "no title": (
        {"status": RowStatus.UNKNOWN, "template": "promo"},
        "⚠️ «promo» неясно, ушло ли",
    ),
    "no template": (
        {"status": RowStatus.UNKNOWN, "template": None, "id": 17},
        "⚠️ «сообщение 17» неясно, ушло ли",
    ),
}


@pytest.mark.parametrize(("row", "line"), ROWS.values(), ids=ROWS)
def test_rows_that_need_a_look(row: dict[str, Any], line: str) -> None:
    """A message that did not go, or may not have gone, is told with its reason."""
    assert line == lines_of(tell(make_row(**row), **RUNNING))[-1]


def test_of_many_troubles_the_last_are_told() -> None:
    """A campaign that failed many times keeps the card short."""
    rows = [make_row(id=n, template=None, status=RowStatus.FAILED) for n in range(1, 10)]
    shown = lines_of(tell(*rows, **RUNNING))

    told = [f"⚠️ «сообщение {number}» не отправлено" for number in range(5, 10)]
    assert [*told, "⚠️ …и ещё 4 сообщения"] == shown[-6:]


CAMPAIGNS = {
    "finished": (CampaignEnd.FINISHED, YES, "📨 Рассылка закончена: отправлено 1"),
    "stopped": (CampaignEnd.STOPPED, YES, "📨 Рассылка остановлена: отправлено 1"),
    "refused": (CampaignEnd.REFUSED, NO, "📨 Рассылка отменена: отправлено 1"),
    "undone": (CampaignEnd.UNDONE, CALLED, "📨 Рассылка отменена: отправлено 1"),
    "never begun": (None, YES, "📨 Рассылки нет: отправлено 1"),
}


@pytest.mark.parametrize(("end", "lead", "line"), CAMPAIGNS.values(), ids=CAMPAIGNS)
def test_ended_campaign(end: CampaignEnd | None, lead: dict[str, Any], line: str) -> None:
    """A campaign that does not run says how it ended and how many had gone."""
    story = tell(make_row(status=RowStatus.SENT), campaign_end=end, **lead)

    assert line in lines_of(story)


def test_nothing_to_send() -> None:
    """A "yes" that queued nothing says so."""
    story = tell(campaign_end=CampaignEnd.FINISHED, **YES)

    assert "📨 Отправлять нечего: все шаблоны выключены или уже отправлены" == lines_of(story)[-1]


def test_campaign_of_another_request() -> None:
    """A "yes" that let another request's campaign go on names that request."""
    assert "📨 Рассылка идёт по заявке №7" == lines_of(tell(running=7, **YES))[-1]


EARLIER = {
    "undecided": ({}, (), "итога нет"),
    "no": (NO, (), "не заинтересован"),
    "yes, running": (
        RUNNING,
        (RowStatus.SENT, RowStatus.SENT, RowStatus.PENDING),
        "целевой, отправлено 2 сообщения, рассылка идёт",
    ),
    "yes, over": (YES, (RowStatus.SENT,), "целевой, отправлено 1 сообщение"),
}


@pytest.mark.parametrize(("lead", "statuses", "words"), EARLIER.values(), ids=EARLIER)
def test_earlier_request(lead: dict[str, Any], statuses: Any, words: str) -> None:
    """A new request tells what became of the client's earlier one."""
    rows = [make_row(status=status) for status in statuses]
    story = tell(id=5, earlier=Earlier(make_lead(id=3, **lead), rows))

    assert f"🔁 Уже обращался: заявка №3 от 23.11 10:00 — {words}" in lines_of(story)


def test_client_comment() -> None:
    """A comment of a repeated request is told as the client's."""
    event = make_event(EventKind.CLIENT_COMMENT, None, "Перезвоните после шести")

    assert "💬 клиент: Перезвоните после шести" in lines_of(tell(events=[event]))


def test_only_the_last_comments_are_shown() -> None:
    """Of many comments the five newest are shown."""
    events = [make_event(EventKind.COMMENT, MARIA, f"№{number}") for number in range(1, 8)]
    shown = [line for line in lines_of(tell(events=events)) if line.startswith("💬")]

    assert [f"💬 Мария: №{number}" for number in range(3, 8)] == shown


QUESTIONS = {
    "outcome": (CALLED, "❓ Клиент целевой и ему интересно?"),
    "outcome again": (NO | {"step": Step.FIX}, "❓ Клиент целевой и ему интересно?"),
    "phone": (
        {"step": Step.PHONE},
        "❓ Номер не распознан. Ответьте номером на сообщение бота ниже.",
    ),
    "course": ({"step": Step.COURSE}, "❓ На какой курс записать клиента?"),
    "running": (
        {"step": Step.RUNNING},
        "❓ По этому номеру уже идёт рассылка (заявка №7). Что сделать?",
    ),
    "stop": (
        RUNNING | {"step": Step.STOP},
        "❓ Остановить рассылку? Оставшиеся сообщения будут отменены.",
    ),
}


@pytest.mark.parametrize(("lead", "line"), QUESTIONS.values(), ids=QUESTIONS)
def test_question(lead: dict[str, Any], line: str) -> None:
    """A card that asks ends with its question, after an empty line."""
    assert ["", line] == lines_of(tell(running=7, **lead))[-2:]


def test_question_when_the_other_campaign_ended_meanwhile() -> None:
    """The question names no request when none runs any more."""
    question = lines_of(tell(step=Step.RUNNING))[-1]

    assert "❓ По этому номеру уже идёт рассылка. Что сделать?" == question


# --- buttons ------------------------------------------------------------------------------------

UNDOABLE = make_row(template="welcome", day=0, scheduled_at=NOW + timedelta(seconds=15))
ALWAYS_AFTER = ["↩️ Исправить", "💬 Комментарий"]
ASKED = ["✅ Да, целевой и интересно", "❌ Нет, не заинтересован", "↩️ Назад"]

BUTTONS = {
    "new": ([], {}, ["🙋 Беру", "📞 Позвонил клиенту", "📵 Не дозвонился"]),
    "called in vain": (
        [],
        {"call_status": CallStatus.NO_ANSWER},
        ["🙋 Беру", "📞 Позвонил клиенту", "📵 Не дозвонился"],
    ),
    "asking": ([], CALLED, ASKED),
    "fixing": ([], NO | {"step": Step.FIX}, ASKED),
    "phone": ([], {"step": Step.PHONE}, ["↩️ Назад"]),
    "course": (
        [],
        {"step": Step.COURSE},
        ["Актёрское мастерство", "Ораторское искусство", "↩️ Назад"],
    ),
    "running": (
        [],
        {"step": Step.RUNNING},
        ["▶️ Продолжить её", "🔁 Начать рассылку заново", "↩️ Назад"],
    ),
    "stopping": ([], RUNNING | {"step": Step.STOP}, ["⏹ Да, остановить", "↩️ Назад"]),
    "no": ([], NO, ALWAYS_AFTER),
    "yes, undo lasts": (
        [UNDOABLE],
        RUNNING,
        ["↩️ Отменить", "⏹ Остановить рассылку", *ALWAYS_AFTER],
    ),
    "yes, undo over": ([make_row()], RUNNING, ["⏹ Остановить рассылку", *ALWAYS_AFTER]),
    "yes, campaign over": ([make_row(status=RowStatus.SENT)], YES, ALWAYS_AFTER),
}


@pytest.mark.parametrize(("rows", "lead", "words"), BUTTONS.values(), ids=BUTTONS)
def test_buttons(rows: Any, lead: dict[str, Any], words: list[str]) -> None:
    """Each stage has its buttons, in the contract's words."""
    assert words == buttons_of(draw(tell(*rows, **lead), LOOK, NOW))


@pytest.mark.parametrize(("rows", "lead", "words"), BUTTONS.values(), ids=BUTTONS)
def test_every_button_is_allowed(rows: Any, lead: dict[str, Any], words: list[str]) -> None:
    """A card offers nothing that would be refused where its lead stands."""
    story = tell(*rows, **lead)
    shown = draw(story, LOOK, NOW).keyboard.inline_keyboard
    actions = {LeadButton.unpack(button.callback_data or "").act for [button] in shown}

    assert actions <= ALLOWED[stage(story.lead)]


def test_every_stage_is_drawn() -> None:
    """The table above has a card of each stage."""
    assert set(Stage) == {stage(make_lead(**lead)) for _, lead, _ in BUTTONS.values()}


def test_no_answer_carries_the_attempts_shown() -> None:
    """The button of a vain call tells which attempt it would be."""
    story = tell(events=[make_event(EventKind.NO_ANSWER)] * 2)
    [*_, [button]] = draw(story, LOOK, NOW).keyboard.inline_keyboard

    assert "l:1:noans:2" == button.callback_data


@pytest.mark.parametrize(
    ("due", "undo", "offered"),
    [
        (NOW + timedelta(seconds=1), True, True),
        (NOW, True, False),
        (NOW - timedelta(seconds=1), True, False),
        (NOW + timedelta(seconds=1), False, False),
    ],
    ids=["lasts", "just over", "over", "not configured"],
)
def test_undo_button(due: datetime, undo: bool, offered: bool) -> None:
    """Undo is offered until the welcome is due, and only if it is configured."""
    story = tell(make_row(day=0, scheduled_at=due), **RUNNING)
    card = draw(story, Look(COURSES, MOSCOW, undo=undo, late_hours=72), NOW)

    assert offered == ("↩️ Отменить" in buttons_of(card))


HUGE = 2**63 - 1  # the largest id that a database holds
LONG_KEY = Courses.of([Course("k" * 32, "я" * 300, "")])


@pytest.mark.parametrize(("rows", "lead", "words"), BUTTONS.values(), ids=BUTTONS)
def test_callback_data_is_short(rows: Any, lead: dict[str, Any], words: list[str]) -> None:
    """Telegram's 64 bytes hold for the largest id and the longest course key."""
    look = Look(LONG_KEY, MOSCOW, undo=True, late_hours=72)
    card = draw(tell(*rows, **(lead | {"id": HUGE})), look, NOW)
    data = [button.callback_data or "" for [button] in card.keyboard.inline_keyboard]

    assert all(0 < len(text.encode()) <= 64 for text in data)
    assert all(isinstance(LeadButton.unpack(text), CallbackData) for text in data)


# --- when it changes by itself ------------------------------------------------------------------

CHANGES = {
    "undo ends": ([UNDOABLE], RUNNING, UNDOABLE.scheduled_at),
    "the welcome leaves": (
        [make_row(day=1, scheduled_at=NOW + timedelta(hours=1))],
        RUNNING,
        NOW + timedelta(hours=1, seconds=5),
    ),
    "tomorrow becomes today": ([make_row(scheduled_at=TOMORROW_9)], RUNNING, MIDNIGHT),
    "due": ([make_row(scheduled_at=NOW)], RUNNING, NOW + timedelta(seconds=5)),
    "long due": ([make_row(scheduled_at=NOW - timedelta(hours=1))], RUNNING, None),
    "nothing waits": ([make_row(status=RowStatus.SENT)], RUNNING, None),
    "no campaign": ([make_row(scheduled_at=TOMORROW_9)], YES, None),
    "new": ([], {}, None),
}


@pytest.mark.parametrize(("rows", "lead", "expected"), CHANGES.values(), ids=CHANGES)
def test_refresh_at(rows: Any, lead: dict[str, Any], expected: datetime | None) -> None:
    """A card says when time alone makes it untrue."""
    assert expected == draw(tell(*rows, **lead), LOOK, NOW).refresh_at


def test_refreshes_come_to_an_end() -> None:
    """Redrawn each time it asks for it, a card asks a few times and no more."""
    story = tell(UNDOABLE, make_row(scheduled_at=TOMORROW_9), **RUNNING)
    moments = [NOW]
    while (moment := draw(story, LOOK, moments[-1]).refresh_at) is not None:
        moments.append(moment)

    assert len(moments) < 6
    assert all(earlier < later for earlier, later in pairwise(moments))


# --- hostile texts ------------------------------------------------------------------------------

HOSTILE = {
    "markup": "<b>Анна</b> & <a href='tg://user?id=1'>",
    "direction": "\u202eннА\u2066\u200f\u061c",
    "NUL": "А\x00н\x00на",
    "emoji": "👩‍👩‍👧‍👦" * 3000,
    "100 kB": "я" * 50_000,
    "newlines": "Анна\n\n\r\nЗаявка №2\u2028Заявка №3",
    "template": "{{name|друг}} {name} %s",
    "separators": "a:b:c",
    "blank": " \u200e ",
}
UNSEEN = "\x00\r\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"


def overgrown(text: str) -> LeadStory:
    """A story that holds the text wherever a text may stand, many times."""
    events = [make_event(kind, Actor(1, text), text) for kind in EventKind for _ in range(7)]
    rows = [
        make_row(id=number, template=text, status=status, error=text)
        for number, status in enumerate([*RowStatus] * 10, start=1)
    ]
    lead = {
        "name": text,
        "phone": None,
        "phone_raw": text,
        "course": text,
        "email": text,
        "comment": text,
        "extra": ((text, text),) * 100,
        "source": text,
        "problems": (text, text),
    }
    return tell(*rows, events=events, earlier=Earlier(make_lead(**lead), rows), **(RUNNING | lead))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_keeps_the_card_whole(text: str) -> None:
    """However much stands everywhere, the card fits, shows nothing unseen, and ends as ever."""
    shown = text_of(overgrown(text))

    assert units(shown) < LONGEST_TEXT
    assert not set(UNSEEN) & set(shown)
    assert shown.startswith("Заявка №1 · 23.11 10:00\n👤 ")
    assert "📨 Рассылка идёт: отправлено 10, ждёт 10\n" in shown


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    """A name of tags is text to Telegram, not markup, and not a variable of ours."""
    name = "<b>Анна</b> {{phone}} {0}"
    card = draw(tell(name=name), LOOK, NOW)

    assert f"👤 {name}" == card.text.render()[0].splitlines()[1]
    assert "👤 <b>&lt;b&gt;Анна&lt;/b&gt; {{phone}} {0}</b>" in card.text.as_html()


def test_name_cannot_forge_a_line() -> None:
    """A name of several lines stands on one."""
    shown = lines_of(tell(name="Анна\n📞 +70000000000\u2028Заявка №2"))

    assert "👤 Анна 📞 +70000000000 Заявка №2" == shown[1]


def test_what_does_not_fit_is_told() -> None:
    """Fields for which there is no room are left out, and the card says that they are kept."""
    shown = text_of(tell(extra=tuple((f"поле {number}", "я" * 200) for number in range(50))))

    assert "…остальное не поместилось, в базе сохранено всё" in shown
    assert "▫️ поле 0: " in shown
