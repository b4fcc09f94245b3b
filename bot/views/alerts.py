"""What an alert says: what is wrong, and what to do."""

from typing import Any

from aiogram.utils.formatting import Bold, Text

from bot.services.alerts import Trouble
from bot.views import words

_BEGAN = {
    Trouble.INSTANCE: (
        "WhatsApp не отправляет",
        (
            "Сообщения ждут в очереди и уйдут сами, когда связь появится. Откройте консоль "
            "GREEN-API: привязан ли номер, оплачен ли инстанс, хватает ли тарифа."
        ),
    ),
    Trouble.NO_PASS: (
        "Очередь давно не проверялась",
        "Если за полчаса само не пройдёт, перезапустите программу и посмотрите её журнал.",
    ),
    Trouble.OVERDUE: (
        "Сообщения ждут больше двух часов",
        (
            "За один проход уходит ограниченное число сообщений. Если так каждый день, увеличьте "
            "dispatch.batch_size или уменьшите dispatch.interval_seconds."
        ),
    ),
    Trouble.SECOND_SENDER: (
        "Через этот WhatsApp отправляет кто-то ещё",
        (
            "Две программы на одном инстансе пишут клиентам дважды. Выключите старую рассылку и "
            "очистите webhookUrl в консоли GREEN-API."
        ),
    ),
    Trouble.TELEGRAM_TOKEN: (
        "Telegram не принимает токен бота",
        "Возьмите новый у @BotFather, впишите в настройки и перезапустите программу.",
    ),
    Trouble.SECOND_BOT: (
        "С токеном бота работает ещё одна программа",
        "Нажатия кнопок делятся между ними и теряются. Выключите вторую.",
    ),
    Trouble.CHAT_LOST: (
        "Чат менеджеров недоступен",
        "Карточки ждут. Верните бота в чат или напишите /here в новом.",
    ),
    Trouble.DISK_LOW: (
        "На диске мало места",
        "Освободите место: меньше 50 МБ — и заявки с рассылкой остановятся.",
    ),
    Trouble.DISK_FULL: (
        "Диск заполнен",
        "Новые заявки не принимаются, рассылка стоит. Освободите место: всё продолжится само.",
    ),
    Trouble.PARKED: (
        "Есть нажатия, которые не удалось обработать",
        "Они сохранены. Пришлите журнал разработчику; менеджерам стоит нажать ещё раз.",
    ),
    Trouble.CLOCK: (
        "Часы сервера перескочили",
        "Проверьте время и его синхронизацию. Дважды ничего не уйдёт.",
    ),
}

_OVER = {
    Trouble.INSTANCE: "WhatsApp снова отправляет",
    Trouble.NO_PASS: "Очередь снова проверяется",
    Trouble.OVERDUE: "Очередь больше не отстаёт",
    Trouble.SECOND_SENDER: "Чужих отправок больше не видно",
    Trouble.TELEGRAM_TOKEN: "Telegram снова принимает токен",
    Trouble.SECOND_BOT: "Второй программы с этим токеном больше не видно",
    Trouble.CHAT_LOST: "Чат менеджеров снова доступен",
    Trouble.DISK_LOW: "Места на диске снова достаточно",
    Trouble.DISK_FULL: "Место на диске появилось, приём заявок и рассылка продолжены",
    Trouble.PARKED: "Необработанных нажатий больше нет",
    Trouble.CLOCK: "Часы сервера в порядке",
}


def alert(payload: dict[str, Any]) -> Text:
    """The words of an alert that began or is over."""
    trouble = Trouble(payload["trouble"])
    if payload["over"]:
        return Text("✅ ", Bold(_OVER[trouble] + "."))
    title, advice = _BEGAN[trouble]
    details = words.line(payload["details"], 300)
    return Text("🚨 ", Bold(title + (f": {details}" if details else "") + "."), f"\n{advice}")
