"""People who act in the emulated Telegram, and what the bot hears of it."""

from typing import Any

import pytest
from aiogram import Bot
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Update

from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from bot.demo.telegram_chats import Impossible, Message
from tests.bot.demo.conftest import People, connect, disconnect


def markup(*texts: str) -> InlineKeyboardMarkup:
    """One row of buttons."""
    row = [InlineKeyboardButton(text=text, callback_data=f"do:{text}") for text in texts]
    return InlineKeyboardMarkup(inline_keyboard=[row])


async def send_card(bot: Bot, people: People, *texts: str) -> Message:
    """A card with these buttons, in the group."""
    sent = await bot.send_message(people.group.id, "card", reply_markup=markup(*texts))
    return people.group.message(sent.message_id)


def events(telegram: TelegramEmulator) -> list[tuple[str, Any]]:
    """Kind and text (or data) of all that waits for the bot."""
    found = []
    for raw in telegram.pending_updates:
        update = Update.model_validate(raw)
        event = update.event
        found.append((update.event_type, getattr(event, "text", getattr(event, "data", None))))
    return found


async def test_a_press_reaches_the_bot(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """A press arrives as a callback query with its data, its person and its message."""
    card = await send_card(bot, people, "Yes")
    press = people.bob.presses(card, "Yes")
    (update,) = await bot.get_updates()

    query = update.callback_query
    assert query is not None
    assert (press.id, "do:Yes", people.bob.id) == (query.id, query.data, query.from_user.id)
    assert query.chat_instance
    assert query.message is not None
    assert card.id == query.message.message_id


async def test_only_buttons_of_the_moment_can_be_pressed(bot: Bot, people: People) -> None:
    """A button that an edit took away is no longer there, even on an old view of the message."""
    card = await send_card(bot, people, "Yes", "No")
    await bot.edit_message_reply_markup(
        chat_id=people.group.id, message_id=card.id, reply_markup=markup("Back")
    )
    with pytest.raises(Impossible, match=r"no button 'Yes', but \[\['Back'\]\]"):
        people.alice.presses(card, "Yes")

    assert people.alice.presses(card, "Back").data == "do:Back"


async def test_what_a_client_cannot_do_is_impossible(bot: Bot, people: People) -> None:
    """Outsiders, deleted messages, link buttons and false admins are refused with a reason."""
    card = await send_card(bot, people, "Yes")
    link = InlineKeyboardButton(text="Open", url="https://a.example")
    await bot.send_message(
        people.group.id, "link", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[link]])
    )
    with pytest.raises(Impossible, match="tells the bot nothing"):
        people.alice.presses(people.group.messages[-1], "Open")
    with pytest.raises(Impossible, match="Bob is no administrator of Sales"):
        people.bob.says(people.group, "x", anonymously=True)
    with pytest.raises(Impossible, match="Bob is not in Alice"):
        people.bob.says(people.alice.private, "x")
    people.group.leaves(people.bob)
    with pytest.raises(Impossible, match="Bob is not in Sales"):
        people.bob.presses(card, "Yes")
    people.alice.deletes(card)
    with pytest.raises(Impossible, match="is not in Sales any more"):
        people.alice.replies(card, "x")


async def test_a_modified_client_sends_any_data(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """Forged callback data arrives like a press."""
    card = await send_card(bot, people, "Yes")
    people.alice.forges(card, "drop table")

    assert events(telegram) == [("callback_query", "drop table")]


async def test_privacy_mode_lets_through_commands_replies_and_service(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """In a group the bot hears commands that may be for it and replies to it, and nothing else."""
    card = await send_card(bot, people, "Yes")
    chatter = people.alice.says(people.group, "a/b and just words")
    people.bob.replies(chatter, "words among people")
    people.bob.types_command(people.group, "help")
    people.bob.types_command(people.group, "/lead 7", addressed=True)
    people.bob.says(people.group, "/help@other_bot")
    people.bob.replies(card, "to the bot")
    people.group.leaves(people.bob)

    assert events(telegram) == [
        ("message", "/help"),
        ("message", "/lead@progrev_bot 7"),
        ("message", "to the bot"),
        ("message", None),
    ]


async def test_an_admin_bot_hears_everything(people: People, telegram: TelegramEmulator) -> None:
    """Administrators are above privacy mode."""
    people.group.promotes(telegram.bot)
    people.alice.says(people.group, "words")

    assert events(telegram) == [("my_chat_member", None), ("message", "words")]


async def test_privacy_mode_can_be_off(clock: Conductor) -> None:
    """With privacy mode off the bot hears everything, and `getMe` says so."""
    async with TelegramEmulator(clock, privacy=False) as telegram:
        bot = connect(telegram)
        me = await bot.get_me()
        await disconnect(bot)
        alice = telegram.add_user("Alice")
        alice.says(telegram.add_group("Sales", [alice]), "words")

        assert events(telegram) == [("message", "words")]
    assert me.can_read_all_group_messages is True


async def test_private_messages_always_arrive(people: People, telegram: TelegramEmulator) -> None:
    """In private the bot hears all; Start may carry a payload."""
    people.alice.starts("code42")
    people.alice.says(people.alice.private, "words")

    assert events(telegram) == [("message", "/start code42"), ("message", "words")]


async def test_a_command_is_marked(bot: Bot, people: People) -> None:
    """What people type has `bot_command` entities, measured in UTF-16 units."""
    people.alice.says(people.alice.private, "😀 /help")
    (update,) = await bot.get_updates()

    assert update.message is not None
    (found,) = update.message.entities or []
    assert (found.type, found.offset, found.length) == ("bot_command", 3, 5)


async def test_a_reply_carries_its_message(bot: Bot, people: People) -> None:
    """The bot is told which message is answered."""
    card = await send_card(bot, people, "Yes")
    people.alice.replies(card, "79001234567")
    (update,) = await bot.get_updates()

    assert update.message is not None
    assert update.message.reply_to_message is not None
    assert card.id == update.message.reply_to_message.message_id


async def test_an_anonymous_admin_writes_as_the_group(bot: Bot, people: People) -> None:
    """Then the sender is Telegram's own account, and the group is named as the author."""
    people.alice.says(people.group, "/help", anonymously=True)
    (update,) = await bot.get_updates()

    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.sender_chat is not None
    assert update.message.from_user.id == 1087968824
    assert people.group.id == update.message.sender_chat.id


async def test_a_topic_is_named(bot: Bot, telegram: TelegramEmulator, people: People) -> None:
    """A message in a topic carries its thread."""
    forum = telegram.add_group("Forum", [people.alice], topics=[5])
    people.alice.says(forum, "/here", thread_id=5)
    (update,) = await bot.get_updates()

    assert update.message is not None
    assert (update.message.message_thread_id, update.message.is_topic_message) == (5, True)


@pytest.mark.parametrize(
    ("act", "statuses"),
    [
        pytest.param(lambda group, bot: group.kicks(bot), ("member", "kicked"), id="kicked"),
        pytest.param(lambda group, bot: group.leaves(bot), ("member", "left"), id="left"),
        pytest.param(
            lambda group, bot: group.promotes(bot), ("member", "administrator"), id="promoted"
        ),
    ],
)
async def test_the_bot_is_told_of_its_own_membership(
    bot: Bot, people: People, telegram: TelegramEmulator, act: Any, statuses: tuple[str, str]
) -> None:
    """Each change of the bot's place in a group is a `my_chat_member`."""
    act(people.group, telegram.bot)
    (update,) = await bot.get_updates()

    change = update.my_chat_member
    assert change is not None
    assert change.from_user.id == people.alice.id
    assert statuses == (change.old_chat_member.status, change.new_chat_member.status)


async def test_the_bot_is_told_when_it_is_blocked(bot: Bot, people: People) -> None:
    """Block and unblock are two `my_chat_member` of the private chat."""
    people.alice.blocks()
    people.alice.blocks()
    people.alice.unblocks()
    changes = [update.my_chat_member for update in await bot.get_updates()]

    assert [one.new_chat_member.status for one in changes if one] == ["kicked", "member"]


async def test_members_come_and_go(bot: Bot, people: People) -> None:
    """Joining and leaving are service messages, and `members` follows."""
    people.group.leaves(people.bob)
    members = list(people.group.members)
    people.group.joins(people.bob)
    left, joined = [update.message for update in await bot.get_updates()]

    assert people.bob not in members
    assert people.bob in people.group.members
    assert left is not None
    assert left.left_chat_member is not None
    assert joined is not None
    assert [people.bob.id] == [user.id for user in joined.new_chat_members or []]


async def test_an_admin_bot_may_ask_for_other_members(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """`chat_member` comes only when it is asked for and the bot is an administrator."""
    await bot.get_updates(allowed_updates=["chat_member"])
    people.group.leaves(people.bob)
    people.group.promotes(telegram.bot)
    people.group.joins(people.bob)

    assert events(telegram) == [("chat_member", None)]


async def test_a_migration_is_announced_in_both_groups(bot: Bot, people: People) -> None:
    """The old group names the new one and the other way round; people move over."""
    successor = people.group.migrates()
    old, new = [update.message for update in await bot.get_updates()]

    assert old is not None
    assert new is not None
    assert (successor.id, people.group.id) == (old.migrate_to_chat_id, new.migrate_from_chat_id)
    assert people.alice.says(successor, "/here").chat is successor
    with pytest.raises(Impossible):
        people.alice.says(people.group, "/here")


async def test_a_supergroup_counts_its_own_messages(
    bot: Bot, people: People, telegram: TelegramEmulator
) -> None:
    """Message ids repeat between supergroups, but not between private chats and basic groups."""
    people.alice.starts()
    supergroup = telegram.add_group("Big", supergroup=True)
    chats = (people.alice.id, people.group.id, supergroup.id)
    ids = [(await bot.send_message(chat_id, "x")).message_id for chat_id in chats]

    assert ids == [2, 3, 1]
