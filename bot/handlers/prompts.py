"""Texts that the bot asked for: which message asks, for which lead, and the reply to it."""

from enum import StrEnum
from typing import Any

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import ForceReply, Message, Update, User

from bot.services.calls import Calls, What
from bot.telegram.access import Access, NoAnswer
from bot.telegram.actors import actor_of
from bot.views import replies

_KEPT = 20  # open prompts a person; older ones are forgotten


class Prompt(StrEnum):
    """What a message of ours asks for."""

    PHONE = "phone"
    COMMENT = "comment"


def setup() -> Router:
    """Route replies to our prompts, and /cancel."""
    router = Router(name="prompts")
    router.message.register(cancel, Command("cancel"))
    router.message.register(reply, F.reply_to_message, ~F.text.startswith("/"))
    router.message.register(reply, F.reply_to_message, ~F.text)
    return router


async def remember(state: FSMContext, message_id: int, prompt: Prompt, lead_id: int) -> None:
    """Note that a message of ours waits for this person's reply."""
    open_prompts = await _open_prompts(state)
    open_prompts[str(message_id)] = {"prompt": prompt.value, "lead_id": lead_id}
    newest = dict(list(open_prompts.items())[-_KEPT:])
    await state.update_data(prompts=newest)


async def _open_prompts(state: FSMContext) -> dict[str, dict[str, Any]]:
    return dict((await state.get_data()).get("prompts", {}))


async def _forget(state: FSMContext, message_id: int) -> None:
    left = await _open_prompts(state)
    left.pop(str(message_id), None)
    await state.update_data(prompts=left)


async def reply(
    message: Message, state: FSMContext, access: Access, calls: Calls, event_update: Update
) -> None:
    """Take a reply to one of our prompts; other chatter is nobody's business here."""
    asked, user = message.reply_to_message, message.from_user
    if asked is None or user is None:
        return
    step = (await _open_prompts(state)).get(str(asked.message_id))
    if step is None or not await _still_manager(message, access, user):
        return
    if not message.text:
        await message.reply(replies.NOT_TEXT)
        return
    prompt, lead_id = Prompt(step["prompt"]), int(step["lead_id"])
    take = calls.phone if prompt is Prompt.PHONE else calls.comment
    result = await take(lead_id, actor_of(user), message.text, event_update.update_id)
    if result.what is What.BAD_PHONE:
        again = await message.reply(replies.BAD_PHONE, reply_markup=ForceReply(selective=True))
        await remember(state, again.message_id, prompt, lead_id)
    else:
        await message.reply(replies.pressed(result))
    await _forget(state, asked.message_id)


async def _still_manager(message: Message, access: Access, user: User) -> bool:
    try:
        return await access.is_manager(user.id)
    except NoAnswer:
        await message.reply(replies.ASK_AGAIN)
        return False


async def cancel(message: Message, state: FSMContext, calls: Calls) -> None:
    """Leave every step this person was asked a text for, in this chat."""
    steps = await _open_prompts(state)
    await state.clear()
    if message.from_user is not None:
        for step in steps.values():
            if step["prompt"] == Prompt.PHONE.value:
                await calls.forget_phone_step(int(step["lead_id"]), actor_of(message.from_user))
    await message.reply(replies.LEFT_STEP if steps else replies.NO_STEP)
