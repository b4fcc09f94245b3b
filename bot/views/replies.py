"""Short answers to presses, texts and commands."""

from bot.services.calls import Pressed, What
from bot.views import words

NO_RIGHT = "Эти кнопки — для менеджеров школы."
NO_RIGHT_COMMAND = "Эта команда — только для администратора."
ASK_AGAIN = "Telegram не ответил, нажмите ещё раз."
OLD_BUTTON = "Кнопка устарела: посмотрите на свежую карточку."
FAILED = "Не получилось, попробуйте ещё раз через минуту."
NOT_TEXT = "Нужен текст. Ответьте текстом на сообщение выше или нажмите /cancel."
NO_STEP = "Сейчас я ничего не жду."
LEFT_STEP = "Хорошо, больше не жду ответа."
UNKNOWN_COMMAND = "Такой команды у меня пока нет. Что я умею: /help"
BAD_PHONE = (
    "Не получилось разобрать номер. Ответьте на это сообщение номером в виде +79001234567 "
    "или нажмите /cancel."
)
SETTLED = "Уже решено."

_TEXTS = {
    What.DONE: "Готово",
    What.TAKEN_FIRST_BY: "Первым взял(а): {name}.",
    What.LATE: "Это уже сделано или изменилось. Последнее действие: {name}.",
    What.GONE: "Этой заявки больше нет.",
    What.ASK_PHONE: "Ответьте номером на сообщение бота.",
    What.ASK_COMMENT: "Ответьте текстом на сообщение бота.",
    What.BAD_PHONE: BAD_PHONE,
    What.ASK_COURSE: "Выберите курс на карточке.",
    What.ASK_RUNNING: "По этому номеру уже идёт рассылка (заявка №{number}).",
    What.STARTED: "Рассылка начата: {many}.",
    What.NOTHING_TO_SEND: "Записано. Отправлять нечего: посмотрите карточку.",
    What.GOES_ON: "Рассылка по заявке №{number} идёт дальше.",
    What.REFUSED: "Записано, рассылки не будет.",
    What.REFUSED_AFTER: "Записано, больше ничего не уйдёт. Уже ушло: {many}.",
    What.TOO_LATE_TO_UNDO: "Отменить уже нельзя: сообщение ушло или уходит. "
    "Остальные можно остановить.",
    What.STOPPED: "Рассылка остановлена, отменено: {many}.",
    What.COMMENTED: "Комментарий записан.",
}


def pressed(result: Pressed) -> str:
    """What to say to the one who pressed; at most 200 characters."""
    return _TEXTS[result.what].format(
        name=words.line(result.name, 60) or "—",
        number=result.number,
        many=words.messages(result.number),
    )


def is_alert(result: Pressed) -> bool:
    """Whether the answer has to be read, not only glanced at."""
    return result.what in {
        What.LATE,
        What.GONE,
        What.TAKEN_FIRST_BY,
        What.TOO_LATE_TO_UNDO,
        What.ASK_RUNNING,
    }


def ask_phone(lead_id: int) -> str:
    """Ask for the phone of a lead."""
    return f", ответьте на это сообщение номером клиента по заявке №{lead_id}. Передумали — /cancel"


def ask_comment(lead_id: int) -> str:
    """Ask for a comment on a lead."""
    return f", ответьте на это сообщение комментарием к заявке №{lead_id}. Передумали — /cancel"


def start(*, manager: bool) -> str:
    """Say who we are."""
    if manager:
        return "Здравствуйте! Я присылаю заявки с сайта и веду прогрев в WhatsApp. Команды: /help"
    return "Здравствуйте! Я рабочий бот школы и отвечаю только её сотрудникам."


def help_text(*, admin: bool, manager: bool) -> str:
    """What this person may do."""
    lines = ["/start — кто я", "/help — эта подсказка", "/id — ваш номер и номер этого чата"]
    if manager or admin:
        lines.append("/cancel — перестать ждать вашего ответа")
        lines.append(
            "\nЗаявки приходят карточками в чат менеджеров. Позвонили клиенту — нажмите "
            "«📞 Позвонил клиенту» и ответьте, целевой ли он: «да» начинает рассылку."
        )
    if admin:
        lines.insert(3, "/here — присылать карточки в этот чат")
    return "\n".join(lines)


def ids(user_id: int, chat_id: int, *, private: bool) -> str:
    """The ids that the configuration asks for."""
    yours = f"Ваш id: {user_id}"
    return yours if private else f"{yours}\nid этого чата: {chat_id}"


HERE = "Готово: карточки заявок будут приходить сюда."
