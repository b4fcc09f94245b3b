"""Buttons of cards and of questions about messages."""

from aiogram import Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, ForceReply, Message, ReplyParameters, Update
from aiogram.utils.formatting import Text, TextMention

from bot.handlers.prompts import Prompt, remember
from bot.services.calls import Calls, Press, Pressed, What
from bot.services.unknowns import Unknowns
from bot.telegram.access import Access, NoAnswer
from bot.telegram.actors import actor_of
from bot.views import replies
from bot.views.buttons import LeadButton, RowAction, RowButton
from storage.errors import StorageError

_PROMPTS = {What.ASK_PHONE: Prompt.PHONE, What.ASK_COMMENT: Prompt.COMMENT}


def setup() -> Router:
    """Route presses."""
    router = Router(name="presses")
    router.callback_query.register(press_lead, LeadButton.filter())
    router.callback_query.register(press_row, RowButton.filter())
    return router


async def press_lead(
    query: CallbackQuery,
    callback_data: LeadButton,
    state: FSMContext,
    access: Access,
    calls: Calls,
    event_update: Update,
) -> None:
    """Do what a card's button says."""
    if not await may_press(query, access):
        return
    press = Press(
        callback_data.id,
        callback_data.act,
        actor_of(query.from_user),
        callback_data.arg,
        event_update.update_id,
    )
    try:
        result = await calls.press(press)
    except StorageError:
        await answer(query, replies.FAILED, alert=True)
        raise
    await answer(query, replies.pressed(result), alert=replies.is_alert(result))
    await ask_for_text(result, press, query, state)


async def press_row(
    query: CallbackQuery,
    callback_data: RowButton,
    access: Access,
    unknowns: Unknowns,
    event_update: Update,
) -> None:
    """Settle a message whose fate was not known."""
    if not await may_press(query, access):
        return
    actor = actor_of(query.from_user)
    settle = unknowns.resend if callback_data.act is RowAction.RESEND else unknowns.count_as_sent
    done = await settle(callback_data.id, actor, event_update.update_id)
    await answer(query, "Готово" if done else replies.SETTLED, alert=not done)


async def may_press(query: CallbackQuery, access: Access) -> bool:
    """Whether the presser has the right; those who have not are told."""
    try:
        allowed = await access.is_manager(query.from_user.id)
    except NoAnswer:
        await answer(query, replies.ASK_AGAIN, alert=True)
        return False
    if not allowed:
        await answer(query, replies.NO_RIGHT, alert=True)
    return allowed


async def answer(query: CallbackQuery, text: str, *, alert: bool = False) -> None:
    """Answer a press; too late an answer changes nothing of what was done."""
    try:
        await query.answer(text[:200], show_alert=alert, request_timeout=10)
    except TelegramBadRequest:
        return


async def ask_for_text(
    result: Pressed, press: Press, query: CallbackQuery, state: FSMContext
) -> None:
    """Ask for the text that a press needs, by a message that only a reply answers."""
    prompt = _PROMPTS.get(result.what)
    if prompt is None or query.message is None or query.bot is None:
        return
    words = replies.ask_phone if prompt is Prompt.PHONE else replies.ask_comment
    text = Text(TextMention(query.from_user.full_name, user=query.from_user), words(press.lead_id))
    message = await query.bot.send_message(
        chat_id=query.message.chat.id,
        message_thread_id=_topic_of(query),
        reply_markup=ForceReply(selective=True),
        reply_parameters=ReplyParameters(
            message_id=query.message.message_id, allow_sending_without_reply=True
        ),
        **text.as_kwargs(),
    )
    await remember(state, message.message_id, prompt, press.lead_id)


def _topic_of(query: CallbackQuery) -> int | None:
    """The topic a pressed message stands in; a thread of replies is no topic."""
    if isinstance(query.message, Message) and query.message.is_topic_message:
        return query.message.message_thread_id
    return None
