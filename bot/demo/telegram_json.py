"""The objects of the Bot API as the server writes them, with every field a client requires.

Pure: the emulator's records in, JSON out.
"""

from datetime import datetime

from bot.demo.telegram_chats import Chat, Group, Message, Press, PrivateChat, Status
from bot.demo.telegram_people import User
from bot.demo.telegram_wire import Json

# The account that Telegram shows as the author of what anonymous admins write.
_ANONYMOUS: Json = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
_GIFTS = (
    "unlimited_gifts",
    "limited_gifts",
    "unique_gifts",
    "premium_subscription",
    "gifts_from_channels",
)


def stamp(moment: datetime) -> int:
    """Seconds since the epoch, as Telegram writes dates."""
    return int(moment.timestamp())


def user_json(user: User) -> Json:
    """A `User`."""
    body: Json = {"id": user.id, "is_bot": user.is_bot, "first_name": user.first_name}
    if user.username:
        body["username"] = user.username
    if not user.is_bot:
        body["language_code"] = "ru"
    return body


def me_json(bot: User, *, sees_all: bool) -> Json:
    """What `getMe` answers."""
    return user_json(bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": sees_all,
        "supports_inline_queries": False,
    }


def chat_json(chat: Chat) -> Json:
    """A `Chat`."""
    body: Json = {"id": chat.id, "type": chat.kind}
    if isinstance(chat, PrivateChat):
        body["first_name"] = chat.user.first_name
        if chat.user.username:
            body["username"] = chat.user.username
    else:
        body["title"] = chat.title
    if isinstance(chat, Group) and chat.topics:
        body["is_forum"] = True
    return body


def full_chat_json(chat: Chat) -> Json:
    """A `ChatFullInfo`."""
    return chat_json(chat) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(_GIFTS, False),
    }


def message_json(message: Message, *, with_reply: bool = True) -> Json:
    """A `Message`; the message it answers is nested once, as Telegram does."""
    body: Json = {
        "message_id": message.id,
        "date": stamp(message.sent_at),
        "chat": chat_json(message.chat),
        **_author(message),
        **(message.service or {}),
    }
    if message.text:
        body["text"] = message.text
    if message.entities:
        body["entities"] = list(message.entities)
    if message.inline_rows:
        body["reply_markup"] = message.markup
    if message.edited_at:
        body["edit_date"] = stamp(message.edited_at)
    if message.thread_id:
        body |= {"message_thread_id": message.thread_id, "is_topic_message": True}
    answered = message.chat.find(message.reply_to)
    if with_reply and answered:
        body["reply_to_message"] = message_json(answered, with_reply=False)
    return body


def _author(message: Message) -> Json:
    if message.anonymous:
        return {"from": _ANONYMOUS, "sender_chat": chat_json(message.chat)}
    return {"from": user_json(message.sender)}


def callback_json(press: Press) -> Json:
    """A `CallbackQuery`."""
    return {
        "id": press.id,
        "from": user_json(press.user),
        "message": message_json(press.message),
        "chat_instance": str(7_000_000_000_000 + abs(press.message.chat.id)),
        "data": press.data,
    }


def member_json(user: User, status: Status) -> Json:
    """A `ChatMember` of any kind."""
    body: Json = {"status": status, "user": user_json(user)}
    if status == "creator":
        body["is_anonymous"] = False
    elif status == "administrator":
        body |= dict.fromkeys(_RIGHTS, False) | {"can_manage_chat": True}
    elif status == "kicked":
        body["until_date"] = 0
    return body


def member_updated_json(
    chat: Chat, user: User, by: User, statuses: tuple[Status, Status], at: datetime
) -> Json:
    """A `ChatMemberUpdated`; `statuses` are the old and the new one."""
    old, new = statuses
    return {
        "chat": chat_json(chat),
        "from": user_json(by),
        "date": stamp(at),
        "old_chat_member": member_json(user, old),
        "new_chat_member": member_json(user, new),
    }
