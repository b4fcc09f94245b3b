"""The methods of the Bot API that the product uses: what each checks, changes and answers.

A method is a plain function of the world and the parameters; it raises `ApiError` with the server's
words. `getUpdates` waits and is therefore the server's own (`bot.demo.telegram`). HTTP is not known
here.
"""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.demo import telegram_json as api
from bot.demo import telegram_rules as rules
from bot.demo.telegram_chats import Chat, Group, Message, PrivateChat
from bot.demo.telegram_updates import CALLBACK_LIFETIME, allowed_updates
from bot.demo.telegram_wire import (
    ApiError,
    Json,
    Params,
    bad_request,
    forbidden,
    too_many_requests,
)
from bot.demo.telegram_world import World

Method = Callable[[World, Params], object]

GROUP_MESSAGES_PER_MINUTE = 20
DELETABLE_FOR = timedelta(hours=48)

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
_STALE = "query is too old and response timeout expired or query ID is invalid"
_CHAT_SCOPES = ("chat", "chat_administrators", "chat_member")
_WIDE_SCOPES = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_ACTIONS = (
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
    *("upload_document", "choose_sticker", "find_location", "record_video_note"),
    "upload_video_note",
)


# --- the bot itself ---


def get_me(world: World, _: Params) -> Json:
    """Who the bot is."""
    return api.me_json(world.bot, sees_all=not world.habits.privacy)


def set_my_commands(world: World, params: Params) -> bool:
    """Replace the menu of one scope and language."""
    world.commands[_menu(world, params)] = rules.commands(params.json("commands"))
    return True


def get_my_commands(world: World, params: Params) -> list[Json]:
    """The menu of exactly that scope and language."""
    return world.commands.get(_menu(world, params), [])


def delete_my_commands(world: World, params: Params) -> bool:
    """Remove the menu of one scope and language."""
    world.commands.pop(_menu(world, params), None)
    return True


def _menu(world: World, params: Params) -> tuple[str, str]:
    """The key of a menu: its scope as canonical JSON, and its language."""
    scope = params.json("scope") or {"type": "default"}
    kind = scope.get("type") if isinstance(scope, dict) else None
    if kind in _CHAT_SCOPES:
        _reachable(world, Params(scope))
    elif kind not in _WIDE_SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    return json.dumps(scope, sort_keys=True), params.text("language_code")


# --- updates ---


def set_webhook(world: World, params: Params) -> bool:
    """Set a webhook, which nothing is ever posted to; an empty url removes it."""
    world.updates.allow(allowed_updates(params))
    _webhook(world, params, params.text("url"))
    return True


def delete_webhook(world: World, params: Params) -> bool:
    """Remove the webhook."""
    _webhook(world, params, "")
    return True


def _webhook(world: World, params: Params, url: str) -> None:
    world.updates.set_webhook(url, drop_pending=params.flag("drop_pending_updates"))


def get_webhook_info(world: World, _: Params) -> Json:
    """Where updates go."""
    info: Json = {
        "url": world.updates.webhook_url,
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates.pending),
    }
    if world.updates.allowed:
        info["allowed_updates"] = world.updates.allowed
    return info


# --- messages ---


def send_message(world: World, params: Params) -> Json:
    """Show a new message of the bot."""
    chat = _reachable(world, params)
    content = rules.formatted(params)
    if len(content.text) > rules.MAX_TEXT:
        raise bad_request("message is too long")
    markup = rules.reply_markup(params.json("reply_markup"))
    reply_to = _reply_to(chat, params)
    thread_id = _thread(chat, params)
    _spend_quota(world, chat)
    message = world.bot_writes(
        chat,
        text=content.text,
        entities=content.entities,
        markup=markup,
        reply_to=reply_to,
        thread_id=thread_id,
    )
    return api.message_json(message)


def edit_message_text(world: World, params: Params) -> Json:
    """Change text and keyboard of a message of the bot; no markup removes the keyboard."""
    message = _editable(world, params)
    content = rules.formatted(params)
    if len(content.text) > rules.MAX_TEXT:
        raise bad_request("MESSAGE_TOO_LONG")
    markup = rules.edited_markup(params.json("reply_markup"))
    new = replace(message, text=content.text, entities=content.entities, markup=markup)
    return _edit(world, message, new)


def edit_message_reply_markup(world: World, params: Params) -> Json:
    """Change the keyboard of a message of the bot; no markup removes it."""
    message = _editable(world, params)
    markup = rules.edited_markup(params.json("reply_markup"))
    return _edit(world, message, replace(message, markup=markup))


def _edit(world: World, old: Message, new: Message) -> Json:
    if new == old:
        raise bad_request(_NOT_MODIFIED)
    edited = replace(new, edited_at=world.clock.now())
    return api.message_json(edited.chat.keep(edited))


def delete_message(world: World, params: Params) -> bool:
    """Delete a message: the bot's own within 48 hours, or any other where it is an admin."""
    chat = _reachable(world, params)
    message = chat.find(params.number("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    may = message.sender is world.bot or isinstance(chat, PrivateChat)
    may = may or (isinstance(chat, Group) and world.bot in chat.administrators)
    if not may or world.clock.now() - message.sent_at > DELETABLE_FOR:
        raise bad_request("message can't be deleted")
    chat.drop(message.id)
    return True


def answer_callback_query(world: World, params: Params) -> bool:
    """Answer a press, once and in time."""
    text = params.text("text")
    if len(text) > rules.MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    press = world.presses.get(params.text("callback_query_id"))
    now = world.clock.now()
    if press is None or press.is_answered or now - press.pressed_at > CALLBACK_LIFETIME:
        raise bad_request(_STALE)
    press.is_answered, press.answered_at = True, now
    press.answer, press.alert = text or None, params.flag("show_alert")
    world.changes.ring()
    return True


def send_chat_action(world: World, params: Params) -> bool:
    """Show "typing…"; nothing is kept of it."""
    _reachable(world, params)
    if params.text("action") not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    return True


# --- chats ---


def get_chat(world: World, params: Params) -> Json:
    """A chat in full."""
    return api.full_chat_json(_reachable(world, params))


def get_chat_member(world: World, params: Params) -> Json:
    """What a user is in a chat."""
    chat = _reachable(world, params)
    user = world.users.get(params.number("user_id"))
    if user is None:
        raise bad_request("PARTICIPANT_ID_INVALID")
    if isinstance(chat, Group):
        return api.member_json(user, chat.status(user))
    return api.member_json(user, "member" if chat.has(user) else "left")


def get_chat_administrators(world: World, params: Params) -> list[Json]:
    """Creator and administrators, but for other bots."""
    chat = _reachable(world, params)
    if not isinstance(chat, Group):
        raise bad_request("there are no administrators in the private chat")
    return [api.member_json(user, chat.status(user)) for user in chat.administrators]


# --- what several methods check ---


def _reachable(world: World, params: Params) -> Chat:
    """The chat of `chat_id`, where the bot is let in."""
    if not params.has("chat_id"):
        raise bad_request("chat_id is empty")
    chat = world.chats.get(params.number("chat_id"))
    if isinstance(chat, PrivateChat):
        _check_private(chat)
    elif isinstance(chat, Group):
        _check_group(world, chat)
    else:
        raise bad_request("chat not found")
    return chat


def _check_private(chat: PrivateChat) -> None:
    if chat.blocked:
        raise forbidden("bot was blocked by the user")
    if not chat.opened:
        raise forbidden("bot can't initiate conversation with a user")


def _check_group(world: World, group: Group) -> None:
    if group.migrated_to:
        raise ApiError(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            {"migrate_to_chat_id": group.migrated_to},
        )
    status = group.statuses.get(world.bot)
    if status is None:
        raise bad_request("chat not found")
    if status == "kicked":
        raise forbidden(f"bot was kicked from the {group.kind} chat")
    if status == "left":
        raise forbidden(f"bot is not a member of the {group.kind} chat")


def _editable(world: World, params: Params) -> Message:
    chat = _reachable(world, params)
    if not params.has("message_id"):
        raise bad_request("message identifier is not specified")
    message = chat.find(params.number("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    # A message that opened a reply field or a reply keyboard can never be edited.
    if message.sender is not world.bot or (message.markup and not message.inline_rows):
        raise bad_request("message can't be edited")
    return message


def _reply_to(chat: Chat, params: Params) -> int | None:
    wanted = Params(params.json("reply_parameters") or {})
    message_id = wanted.number("message_id") or params.number("reply_to_message_id")
    if not message_id:
        return None
    if chat.find(message_id):
        return message_id
    if any(place.flag("allow_sending_without_reply") for place in (wanted, params)):
        return None
    raise bad_request("message to be replied not found")


def _thread(chat: Chat, params: Params) -> int | None:
    thread_id = params.number("message_thread_id")
    if not thread_id:
        return None
    if not isinstance(chat, Group) or thread_id not in chat.topics:
        raise bad_request("message thread not found")
    return thread_id


def _spend_quota(world: World, chat: Chat) -> None:
    """Refuse the twenty-first message to a group within a minute (Bots FAQ)."""
    if not world.habits.flood_limits or not isinstance(chat, Group):
        return
    now = world.clock.now()
    since = now - timedelta(minutes=1)
    recent = [moment for moment in chat.bot_wrote_at if moment > since]
    if len(recent) >= GROUP_MESSAGES_PER_MINUTE:
        raise too_many_requests(max(math.ceil((recent[0] - since).total_seconds()), 1))
    chat.bot_wrote_at = [*recent, now]


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "sendMessage": send_message,
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
}
