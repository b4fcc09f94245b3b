"""Messages, edits and answers of a real aiogram bot at the emulated Bot API."""

import contextlib

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import SendPhoto
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
    ReplyParameters,
)

from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from tests.bot.demo.conftest import People, connect, disconnect


def keyboard(*texts: str) -> InlineKeyboardMarkup:
    """One row of buttons."""
    row = [InlineKeyboardButton(text=text, callback_data=f"do:{text}") for text in texts]
    return InlineKeyboardMarkup(inline_keyboard=[row])


async def test_the_bot_learns_who_it_is(bot: Bot) -> None:
    """`getMe` tells id, name and that privacy mode is on."""
    me = await bot.get_me()

    assert (bot.id, True, "progrev_bot") == (me.id, me.is_bot, me.username)
    assert me.can_read_all_group_messages is False


async def test_a_sent_message_is_shown_and_returned(bot: Bot, people: People) -> None:
    """What is sent stands in the chat and comes back as a `Message` with entities and buttons."""
    sent = await bot.send_message(
        people.group.id, "<b>Hi</b> there", parse_mode="HTML", reply_markup=keyboard("Yes", "No")
    )

    shown = people.group.messages[-1]
    assert (shown.text, shown.buttons, shown.from_bot) == ("Hi there", [["Yes", "No"]], True)
    assert (shown.id, "Hi there") == (sent.message_id, sent.text)
    assert sent.html_text == "<b>Hi</b> there"
    assert sent.reply_markup is not None
    assert keyboard("Yes", "No").model_dump() == sent.reply_markup.model_dump()


async def test_given_entities_are_kept(bot: Bot, people: People) -> None:
    """Entities sent instead of HTML arrive as they are."""
    entities = [MessageEntity(type="italic", offset=0, length=2)]
    sent = await bot.send_message(people.group.id, "Hi", entities=entities)

    assert sent.html_text == "<i>Hi</i>"


async def test_the_date_is_that_of_the_clock(bot: Bot, people: People, clock: Conductor) -> None:
    """A message bears the time of the shared clock."""
    clock.jump(86_400)
    sent = await bot.send_message(people.group.id, "Hi")

    assert abs((clock.now() - sent.date).total_seconds()) < 5


@pytest.mark.parametrize(("length", "fits"), [(4096, True), (4097, False)])
async def test_the_length_counts_after_parsing(
    bot: Bot, people: People, length: int, *, fits: bool
) -> None:
    """4096 characters without the markup are the most."""
    text = f"<b>{'x' * length}</b>"
    refusal = "sent"
    try:
        await bot.send_message(people.group.id, text, parse_mode="HTML")
    except TelegramBadRequest as error:
        refusal = error.message

    assert ("sent" if fits else "Bad Request: message is too long") == refusal


async def test_a_reply_names_its_message(bot: Bot, people: People) -> None:
    """`reply_parameters` make a reply, and `ForceReply` is asked of the person."""
    question = people.alice.says(people.group, "/help")
    parameters = ReplyParameters(message_id=question.id)
    sent = await bot.send_message(
        people.group.id, "Say it", reply_markup=ForceReply(), reply_parameters=parameters
    )

    shown = people.group.message(sent.message_id)
    assert (question.id, True) == (shown.reply_to, shown.asks_for_reply)
    assert sent.reply_to_message is not None
    assert (question.id, None) == (sent.reply_to_message.message_id, sent.reply_markup)


async def test_a_reply_to_nothing_is_refused(bot: Bot, people: People) -> None:
    """A reply to a message that is not there is an error, unless it may go without."""
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(people.group.id, "x", reply_to_message_id=77)
    sent = await bot.send_message(
        people.group.id, "x", reply_to_message_id=77, allow_sending_without_reply=True
    )

    assert people.group.message(sent.message_id).reply_to is None


async def test_only_a_topic_of_the_chat_can_be_named(bot: Bot, telegram: TelegramEmulator) -> None:
    """`message_thread_id` must be a topic of that forum."""
    forum = telegram.add_group("Forum", topics=[5])
    sent = await bot.send_message(forum.id, "x", message_thread_id=5)
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(forum.id, "x", message_thread_id=1)

    assert (sent.message_thread_id, sent.is_topic_message) == (5, True)


async def test_strangers_and_unknown_chats_get_nothing(bot: Bot, people: People) -> None:
    """The bot cannot write to unknown chats, nor first to a person."""
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(-1, "x")
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation with a user"):
        await bot.send_message(people.alice.id, "x")
    people.alice.starts()
    await bot.send_message(people.alice.id, "Hello")

    assert [message.text for message in people.alice.private.messages] == ["/start", "Hello"]


async def test_blocking_and_kicking_forbid(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """Who blocked the bot or threw it out cannot be written to, until that is undone."""
    people.alice.starts()
    people.alice.blocks()
    people.group.kicks(telegram.bot)
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(people.alice.id, "x")
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the group chat"):
        await bot.send_message(people.group.id, "x")
    people.alice.unblocks()

    assert await bot.send_message(people.alice.id, "x")


async def test_a_group_that_became_a_supergroup_says_where_it_is(bot: Bot, people: People) -> None:
    """Writing to the old id is refused with the new one, which works."""
    successor = people.group.migrates()
    with pytest.raises(TelegramMigrateToChat) as caught:
        await bot.send_message(people.group.id, "x")
    await bot.send_message(caught.value.migrate_to_chat_id, "x")

    assert successor.messages[-1].text == "x"
    assert str(successor.id).startswith("-100")


async def test_an_edit_changes_text_and_keyboard(bot: Bot, people: People) -> None:
    """An edit replaces both; without markup the keyboard goes."""
    card = await bot.send_message(people.group.id, "one", reply_markup=keyboard("Yes"))
    edited = await bot.edit_message_text(
        "two", chat_id=people.group.id, message_id=card.message_id, reply_markup=keyboard("No")
    )
    shown = people.group.message(card.message_id)
    await bot.edit_message_reply_markup(chat_id=people.group.id, message_id=card.message_id)

    assert (shown.text, shown.buttons) == ("two", [["No"]])
    assert edited is not True
    assert edited.edit_date is not None
    assert people.group.message(card.message_id).buttons == []


@pytest.mark.parametrize(
    ("text", "markup", "changes"),
    [
        pytest.param("<b>one</b>", keyboard("Yes"), False, id="same"),
        pytest.param("<b>one</b> ", keyboard("Yes"), False, id="same-but-for-space"),
        pytest.param("<i>one</i>", keyboard("Yes"), True, id="entities"),
        pytest.param("<b>one</b>", keyboard("No"), True, id="keyboard"),
        pytest.param("<b>one</b>", None, True, id="no-keyboard"),
    ],
)
async def test_an_edit_must_change_something(
    bot: Bot, people: People, text: str, markup: InlineKeyboardMarkup | None, *, changes: bool
) -> None:
    """An edit to what is shown already is refused as "not modified"."""
    card = await bot.send_message(
        people.group.id, "<b>one</b>", parse_mode="HTML", reply_markup=keyboard("Yes")
    )
    refusal = ""
    try:
        await bot.edit_message_text(
            text,
            chat_id=people.group.id,
            message_id=card.message_id,
            parse_mode="HTML",
            reply_markup=markup,
        )
    except TelegramBadRequest as error:
        refusal = error.message

    assert changes == (refusal == "")
    assert changes or "message is not modified" in refusal


async def test_only_own_messages_that_exist_can_be_edited(bot: Bot, people: People) -> None:
    """Other people's messages, prompts and deleted messages cannot be edited."""
    foreign = people.alice.says(people.group, "mine")
    prompt = await bot.send_message(people.group.id, "?", reply_markup=ForceReply())
    card = await bot.send_message(people.group.id, "card")
    people.alice.deletes(people.group.message(card.message_id))
    refusals = []
    for message_id in (foreign.id, prompt.message_id, card.message_id):
        with pytest.raises(TelegramBadRequest) as caught:
            await bot.edit_message_text("x", chat_id=people.group.id, message_id=message_id)
        refusals.append(caught.value.message.removeprefix("Bad Request: "))

    assert refusals == ["message can't be edited"] * 2 + ["message to edit not found"]


async def test_a_press_is_answered_once(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """The first answer is shown to the person who pressed; a second is refused."""
    await bot.send_message(people.group.id, "card", reply_markup=keyboard("Yes"))
    press = people.alice.presses(people.group.messages[-1], "Yes")
    await bot.answer_callback_query(press.id, text="Saved", show_alert=True)
    with pytest.raises(TelegramBadRequest, match="query is too old and response timeout expired"):
        await bot.answer_callback_query(press.id)

    assert await telegram.answered(press) == "Saved"
    assert (press.is_answered, press.answer, press.alert) == (True, "Saved", True)


@pytest.mark.parametrize(("seconds", "in_time"), [(140, True), (151, False)])
async def test_an_answer_has_150_seconds(
    bot: Bot, people: People, clock: Conductor, seconds: int, *, in_time: bool
) -> None:
    """An answer later than 150 s after the press is refused."""
    await bot.send_message(people.group.id, "card", reply_markup=keyboard("Yes"))
    press = people.alice.presses(people.group.messages[-1], "Yes")
    clock.jump(seconds)
    with contextlib.suppress(TelegramBadRequest):
        await bot.answer_callback_query(press.id)

    assert in_time == press.is_answered


async def test_an_answer_has_200_characters(bot: Bot, people: People) -> None:
    """A longer answer is refused, and the press can still be answered."""
    await bot.send_message(people.group.id, "card", reply_markup=keyboard("Yes"))
    press = people.alice.presses(people.group.messages[-1], "Yes")
    with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
        await bot.answer_callback_query(press.id, text="x" * 201)
    await bot.answer_callback_query(press.id, text="x" * 200)

    assert press.answer == "x" * 200


async def test_messages_are_deleted_within_two_days(
    bot: Bot, people: People, clock: Conductor
) -> None:
    """The bot deletes its own messages only, and for 48 hours only."""
    foreign = people.alice.says(people.group, "mine")
    young = await bot.send_message(people.group.id, "young")
    old = await bot.send_message(people.group.id, "old")
    await bot.delete_message(people.group.id, young.message_id)
    clock.jump(48 * 3600)
    for message_id in (old.message_id, foreign.id):
        with pytest.raises(TelegramBadRequest, match="message can't be deleted"):
            await bot.delete_message(people.group.id, message_id)
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot.delete_message(people.group.id, young.message_id)

    assert [message.text for message in people.group.messages] == ["mine", "old"]


async def test_the_21st_message_of_a_minute_to_a_group_is_refused(
    bot: Bot, people: People, clock: Conductor
) -> None:
    """20 messages a minute to one group, edits not counted; the refusal says how long to wait."""
    for number in range(20):
        last = await bot.send_message(people.group.id, f"{number}")
    with pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(people.group.id, "one too many")
    await bot.edit_message_text("x", chat_id=people.group.id, message_id=last.message_id)
    clock.jump(caught.value.retry_after)

    assert 0 < caught.value.retry_after <= 60
    assert await bot.send_message(people.group.id, "in time")


async def test_flood_limits_can_be_switched_off(clock: Conductor) -> None:
    """Without flood limits any number of messages goes to a group."""
    async with TelegramEmulator(clock, flood_limits=False) as telegram:
        bot = connect(telegram)
        group = telegram.add_group("Sales")
        for number in range(25):
            await bot.send_message(group.id, f"{number}")
        await disconnect(bot)

    assert len(group.messages) == 25


async def test_menus_are_kept_per_scope_and_language(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """Commands are set, read and deleted for exactly one scope and language."""
    here = BotCommandScopeChat(chat_id=people.group.id)
    await bot.set_my_commands([BotCommand(command="help", description="Help")])
    await bot.set_my_commands(
        [BotCommand(command="hilfe", description="Hilfe")], language_code="de"
    )
    await bot.set_my_commands([BotCommand(command="here", description="Here")], scope=here)
    await bot.delete_my_commands(language_code="de")

    assert telegram.menu() == {"help": "Help"}
    assert telegram.menu(language="de") == {}
    assert telegram.menu({"type": "chat", "chat_id": people.group.id}) == {"here": "Here"}
    assert [command.command for command in await bot.get_my_commands(here)] == ["here"]


async def test_a_menu_for_an_unknown_chat_is_refused(bot: Bot) -> None:
    """Commands cannot be set for a chat the bot has never seen."""
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.set_my_commands([], scope=BotCommandScopeChat(chat_id=-5))


async def test_chats_and_members_can_be_asked_for(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """`getChat`, `getChatMember` and `getChatAdministrators` tell what the group is."""
    people.group.leaves(people.bob)
    people.group.promotes(telegram.bot)
    chat = await bot.get_chat(people.group.id)
    statuses = [
        (await bot.get_chat_member(people.group.id, user_id)).status
        for user_id in (people.alice.id, people.bob.id, bot.id)
    ]
    admins = await bot.get_chat_administrators(people.group.id)

    assert (chat.title, chat.type) == ("Sales", "group")
    assert statuses == ["creator", "left", "administrator"]
    assert [people.alice.id, bot.id] == [admin.user.id for admin in admins]
    with pytest.raises(TelegramBadRequest, match="PARTICIPANT_ID_INVALID"):
        await bot.get_chat_member(people.group.id, 1)


async def test_typing_is_shown(bot: Bot, people: People) -> None:
    """A chat action is accepted where the bot may write, if it exists."""
    assert await bot.send_chat_action(people.group.id, "typing")
    with pytest.raises(TelegramBadRequest, match="wrong parameter action in request"):
        await bot.send_chat_action(people.group.id, "sleeping")


async def test_unknown_methods_are_remembered(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """A method that is not emulated answers 404 and stays on the list of the unexpected."""
    photo = BufferedInputFile(b"bytes", "a.png")
    with pytest.raises(TelegramNotFound):
        await bot(SendPhoto(chat_id=people.group.id, photo=photo))

    assert telegram.unexpected == ["sendPhoto"]


async def test_a_wrong_token_is_refused(bot: Bot, telegram: TelegramEmulator) -> None:
    """A token that was never given, or was revoked, answers 401."""
    stranger = connect(telegram, "7000000001:wrong")
    with pytest.raises(TelegramUnauthorizedError):
        await stranger.get_me()
    await disconnect(stranger)
    telegram.token = "7000000001:new"

    with pytest.raises(TelegramUnauthorizedError):
        await bot.get_me()
