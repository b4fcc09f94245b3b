"""What happens in the stories: a lead arrives, people press what the chat shows, time goes by."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.demo.stage import ADMIN_TOKEN, Stage, until
from bot.demo.telegram_chats import Message, Press
from bot.demo.telegram_people import User
from tests.builders import MOSCOW

PHONE = "79001234567"
PATIENCE = 40  # real seconds, for a machine that is busy with other things

TAKE = "🙋 Беру"
CALLED = "📞 Позвонил клиенту"
NO_ANSWER = "📵 Не дозвонился"
YES = "✅ Да, целевой и интересно"
NO = "❌ Нет, не заинтересован"
BACK = "↩️ Назад"
UNDO = "↩️ Отменить"
STOP = "⏹ Остановить рассылку"
STOP_YES = "⏹ Да, остановить"
FIX = "↩️ Исправить"
COMMENT = "💬 Комментарий"
RESEND = "Отправить ещё раз"
COUNT_AS_SENT = "Считать отправленным"

NO_PAUSES = {"dispatch.min_pause_seconds": 0, "dispatch.max_pause_seconds": 0}


@dataclass
class Expected:
    """What a story brings about on purpose; without it, none of this may happen."""

    errors: set[str] = field(default_factory=set)  # names of log lines at level error
    plain_lines: bool = False  # lines that are not JSON, such as the refusal of a start
    repeated_texts: int = 0  # texts that a client got twice because a person wanted it


# --- leads and their cards ----------------------------------------------------------------------


async def lead_arrives(
    stage: Stage,
    *,
    name: str = "Анна",
    phone: str | None = PHONE,
    course: str | None = "acting",
    **more: str,
) -> int:
    """A form post, accepted; returns the lead's id."""
    form = {"name": name, "phone": phone, "course": course, **more}
    status, answer = await stage.post("/leads", json={k: v for k, v in form.items() if v})
    assert 200 == status, answer
    return int(answer["lead_id"])


def cards(stage: Stage, lead_id: int) -> list[Message]:
    """Every card of the lead that the managers' chat shows, oldest first."""
    return [m for m in stage.group.messages if m.from_bot and _is_card(m, lead_id)]


def _is_card(message: Message, lead_id: int) -> bool:
    return message.text.startswith(f"Заявка №{lead_id} ·")


def card(stage: Stage, lead_id: int = 1) -> Message:
    """The newest card of the lead; `LookupError` before there is one."""
    return cards(stage, lead_id)[-1]


def buttons(message: Message) -> list[str]:
    """The words on a message's buttons, from the top."""
    return [text for row in message.buttons for text in row]


async def card_shows(stage: Stage, lead_id: int, *words: str) -> Message:
    """Wait until the newest card holds all of these words, in its text or on its buttons."""

    def look() -> Message | None:
        shown = card(stage, lead_id)
        everything = [shown.text, *buttons(shown)]
        return shown if all(any(w in text for text in everything) for w in words) else None

    found = await stage.telegram.until(look, chat=stage.group, timeout_real=PATIENCE)
    assert found is not None
    return found


async def chat_says(stage: Stage, words: str, *, after: int = 0) -> Message:
    """Wait for a message of the bot in the managers' chat with these words, newer than `after`."""

    def look() -> Message:
        found = [
            message
            for message in stage.group.messages
            if message.from_bot and message.id > after and words in message.text
        ]
        return found[-1]

    return await stage.telegram.until(look, chat=stage.group, timeout_real=PATIENCE)


# --- presses ------------------------------------------------------------------------------------


async def press(stage: Stage, lead_id: int, button: str, by: User | None = None) -> str:
    """Wait until the card offers the button, press it, and wait for the bot's answer."""
    shown = await card_shows(stage, lead_id, button)
    return await answer_to(stage, (by or stage.pyotr).presses(shown, button))


async def press_on(stage: Stage, message: Message, button: str, by: User | None = None) -> str:
    """Press a button of that very message, and wait for the bot's answer."""
    return await answer_to(stage, (by or stage.pyotr).presses(message, button))


async def answer_to(stage: Stage, pressed: Press) -> str:
    """What the bot says to a press."""
    return await stage.telegram.answered(pressed, timeout_real=PATIENCE) or ""


async def say_yes(stage: Stage, lead_id: int, by: User | None = None) -> str:
    """Call the client, who is a target."""
    await press(stage, lead_id, CALLED, by)
    return await press(stage, lead_id, YES, by)


async def say_no(stage: Stage, lead_id: int, by: User | None = None) -> str:
    """Call the client, who is not interested."""
    await press(stage, lead_id, CALLED, by)
    return await press(stage, lead_id, NO, by)


async def welcomed(stage: Stage, **lead: Any) -> int:
    """A lead that came, was called, said yes, and got the welcome."""
    lead_id = await lead_arrives(stage, **lead)
    await say_yes(stage, lead_id)
    await card_shows(stage, lead_id, "отправлено 1")
    return lead_id


# --- the database, as people with plain SQL see it ----------------------------------------------


@contextlib.contextmanager
def database(stage: Stage) -> Iterator[sqlite3.Connection]:
    """A connection of a person's own, with every statement at once on disk."""
    with contextlib.closing(
        sqlite3.connect(stage.database, isolation_level=None, timeout=5)
    ) as opened:
        opened.row_factory = sqlite3.Row
        yield opened


def sql(stage: Stage, statement: str, *values: Any) -> list[sqlite3.Row]:
    """One plain statement beside the running daemon; returns its rows."""
    with database(stage) as opened:
        return opened.execute(statement, values).fetchall()


def insert_lead(stage: Stage, phone: str, **values: Any) -> int:
    """Put a lead into the table with plain SQL; returns its id."""
    names = ["phone", *values]
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO leads ({', '.join(names)}) VALUES ({marks}) RETURNING id"
    return int(sql(stage, statement, phone, *values.values())[0]["id"])


def insert_row(stage: Stage, lead_id: int, text: str, at: datetime, **values: Any) -> int:
    """Put a message into the queue with plain SQL; returns its id."""
    names = ["lead_id", "message_text", "scheduled_at", *values]
    marks = ", ".join("?" * len(names))
    found = sql(
        stage,
        f"INSERT INTO whatsapp_queue ({', '.join(names)}) VALUES ({marks}) RETURNING id",
        *(lead_id, text, in_sql(at), *values.values()),
    )
    return int(found[0]["id"])


def in_sql(at: datetime) -> str:
    """An instant as the database has it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str) -> datetime:
    """An instant that the database has."""
    return datetime.strptime(f"{text}+0000", "%Y-%m-%d %H:%M:%S%z")


def rows(stage: Stage, lead_id: int = 1) -> list[sqlite3.Row]:
    """The lead's messages in the order they leave."""
    return sql(
        stage, "SELECT * FROM whatsapp_queue WHERE lead_id = ? ORDER BY scheduled_at, id", lead_id
    )


def statuses(stage: Stage, lead_id: int = 1) -> list[str]:
    """The statuses of the lead's messages, in the order they leave."""
    return [row["status"] for row in rows(stage, lead_id)]


def row(stage: Stage, row_id: int) -> sqlite3.Row:
    """One message of the queue."""
    return sql(stage, "SELECT * FROM whatsapp_queue WHERE id = ?", row_id)[0]


def lead(stage: Stage, lead_id: int = 1) -> sqlite3.Row:
    """The row of a lead."""
    return sql(stage, "SELECT * FROM leads WHERE id = ?", lead_id)[0]


async def row_is(stage: Stage, row_id: int, status: str) -> sqlite3.Row:
    """Wait until a message of the queue has that status."""
    await until(lambda: row(stage, row_id)["status"] == status, f"row {row_id} {status}")
    return row(stage, row_id)


async def rows_are(stage: Stage, lead_id: int, *wanted: str) -> None:
    """Wait until the lead's messages have these statuses, in the order they leave."""
    await until(
        lambda: statuses(stage, lead_id) == list(wanted), f"rows of lead {lead_id} {wanted}"
    )


# --- time, WhatsApp, and the admin's script -----------------------------------------------------


def local_times(stage: Stage, lead_id: int = 1) -> list[str]:
    """When the lead's messages are due, as `Tue 10:01` in Moscow."""
    due = [moment(row["scheduled_at"]).astimezone(MOSCOW) for row in rows(stage, lead_id)]
    return [at.strftime("%a %H:%M") for at in due]


def jump_past(stage: Stage, row_id: int, minutes: float = 1) -> None:
    """Let the time of a row, and a little more, have come."""
    due = moment(row(stage, row_id)["scheduled_at"])
    stage.clock.jump_to(due + timedelta(minutes=minutes))


def texts(stage: Stage, phone: str = PHONE) -> list[str]:
    """What the client's phone shows, oldest first."""
    return [message.text for message in stage.green.phone(phone)]


async def got(stage: Stage, number: int, phone: str = PHONE) -> list[str]:
    """Wait until the client's phone shows so many messages."""
    await until(lambda: len(texts(stage, phone)) >= number, f"{number} messages to {phone}")
    return texts(stage, phone)


def accepted(stage: Stage) -> Sequence[str]:
    """The phones of all messages that GREEN-API took, in that order."""
    return [message.chat_id.partition("@")[0] for message in stage.green.accepted]


async def dispatch(stage: Stage, **request: Any) -> tuple[int, Any]:
    """An admin's script asks for a pass once no other is under way, or for a test message."""
    while (answer := await stage.post("/dispatch", token=ADMIN_TOKEN, **request))[0] == 409:
        await stage.clock.sleep(1)
    return answer


async def killed(stage: Stage) -> None:
    """The daemon's process ends between two instructions."""
    stage.daemon.kill()
    await stage.daemon.gone()


async def restarted(stage: Stage) -> None:
    """The daemon dies and lives again."""
    await killed(stage)
    await stage.start_daemon()
