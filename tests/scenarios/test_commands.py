"""Commands in the chats."""

from bot.demo.stage import Stage
from bot.demo.telegram_chats import Chat
from bot.demo.telegram_people import User
from tests.scenarios.acts import TAKE, card_shows, cards, lead_arrives, press, restarted

LATER = ("/templates", "/queue", "/stats", "/leads", "/retry 1", "/stop", "/qr", "/export")


async def says(stage: Stage, user: User, chat: Chat, command: str) -> str:
    """Type a command, and wait for the bot's answer in that chat."""
    typed = user.types_command(chat, command, addressed=chat.kind != "private")

    def look() -> str:
        newer = [m for m in chat.messages if m.id > typed.id and m.from_bot]
        return newer[0].text

    return await stage.telegram.until(look, chat=chat)


async def test_here_binds_the_chat(stage: Stage) -> None:
    """Without a configured chat cards wait until an admin writes /here; it outlives a restart."""
    stage.settings = {"telegram.manager_chat_id": None}
    stage.group.joins(stage.stranger)
    await stage.start_daemon()
    waiting = [await lead_arrives(stage, phone=f"7900760000{n}") for n in range(3)]

    for user in (stage.stranger, stage.pyotr):
        refused = await says(stage, user, stage.group, "/here")
        assert "Эта команда — только для администратора." == refused
    assert [] == cards(stage, waiting[0])
    bound = await says(stage, stage.maria, stage.group, "/here")
    assert "Готово: карточки заявок будут приходить сюда." == bound
    await card_shows(stage, waiting[-1], TAKE)
    titles = [m.text.split(" ·")[0] for m in stage.group.messages if m.text.startswith("Заявка")]
    assert ["Заявка №1", "Заявка №2", "Заявка №3"] == titles
    assert "Готово" == await press(stage, 1, TAKE)
    await restarted(stage)
    fourth = await lead_arrives(stage, phone="79007600009")
    await card_shows(stage, fourth, TAKE)

    assert stage.group.id == cards(stage, fourth)[0].chat.id


async def test_commands_for_everybody(stage: Stage) -> None:
    """/start, /help, /id, /cancel answer each as they should; later ones are answered politely."""
    await stage.start_daemon()
    manager, stranger, group = stage.pyotr, stage.stranger, stage.group

    assert "Я присылаю заявки" in await says(stage, manager, manager.private, "/start")
    assert "отвечаю только её" in await says(stage, stranger, stranger.private, "/start")
    assert "/here" in await says(stage, stage.maria, stage.maria.private, "/help")
    helped = await says(stage, manager, manager.private, "/help")
    assert "/cancel" in helped
    assert "/here" not in helped
    assert "/cancel" not in await says(stage, stranger, stranger.private, "/help")
    assert f"Ваш id: {manager.id}" == await says(stage, manager, manager.private, "/id")
    told = await says(stage, manager, group, "/id")
    assert f"Ваш id: {manager.id}\nid этого чата: {group.id}" == told
    assert "Сейчас я ничего не жду." == await says(stage, manager, group, "/cancel")
    for command in LATER:
        answer = await says(stage, stage.maria, stage.maria.private, command)
        assert "Такой команды у меня пока нет. Что я умею: /help" == answer
    assert {"help", "id", "cancel"} == set(stage.telegram.menu())
    admins_menu = stage.telegram.menu({"type": "chat", "chat_id": stage.maria.id})

    assert {"help", "id", "cancel", "here"} == set(admins_menu)
