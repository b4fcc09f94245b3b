"""A chat of the emulated Telegram as readable plain text, for failure messages and the demo.

Pure: shows what a member's client would show, and changes nothing.
"""

from collections.abc import Iterable
from textwrap import indent

from bot.demo.telegram_chats import Chat, Message, Press


def render(chat: Chat, presses: Iterable[Press] = ()) -> str:
    """The chat as it is now, and the answers to presses in it."""
    lines = [f"=== {chat.title} ({chat.kind} {chat.id}) ==="]
    lines += [render_message(message) for message in chat.messages] or ["(empty)"]
    lines += [render_press(press) for press in presses if press.message.chat is chat]
    return "\n".join(lines)


def render_message(message: Message) -> str:
    """One message: a heading line, the text, the buttons."""
    parts = [_heading(message), indent(message.text or str(message.service), "    ")]
    parts += ["    " + " ".join(f"[{text}]" for text in row) for row in message.buttons]
    if message.asks_for_reply:
        parts.append("    (asks for a reply)")
    return "\n".join(parts)


def _heading(message: Message) -> str:
    name = message.chat.title if message.anonymous else message.sender.first_name
    heading = f"{message.sent_at:%a %H:%M:%S} #{message.id} {name}"
    if message.reply_to:
        heading += f" -> #{message.reply_to}"
    if message.edited_at:
        heading += f" (edited {message.edited_at:%a %H:%M:%S})"
    return heading


def render_press(press: Press) -> str:
    """One press and what the client showed for it."""
    answer = repr(press.answer or "") if press.is_answered else "no answer"
    box = " in a box" if press.alert else ""
    moment = f"{press.pressed_at:%a %H:%M:%S}"
    return f"{moment} {press.user.first_name} pressed {press.data!r}: {answer}{box}"
