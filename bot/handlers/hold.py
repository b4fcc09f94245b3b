"""«Продолжить» under the question of a restored database."""

from aiogram import Router
from aiogram.types import CallbackQuery

from bot.handlers.presses import answer
from bot.services.hold import Hold, Release
from bot.telegram.access import Access
from bot.telegram.actors import actor_of
from bot.views import hold as view
from bot.views import replies
from storage.errors import StorageError


def setup() -> Router:
    """Route the button."""
    router = Router(name="hold")
    router.callback_query.register(go_on, view.HoldButton.filter())
    return router


async def go_on(
    query: CallbackQuery, callback_data: view.HoldButton, access: Access, hold: Hold
) -> None:
    """Let automatic messages leave again, if an admin pressed."""
    if not access.is_admin(query.from_user.id):
        await answer(query, view.ONLY_ADMINS, alert=True)
        return
    try:
        release = await hold.release(callback_data.number, actor_of(query.from_user))
    except StorageError:
        await answer(query, replies.FAILED, alert=True)
        raise
    await answer(query, view.pressed(release), alert=release is not Release.DONE)
