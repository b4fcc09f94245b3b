"""Telegram updates in, one module per feature; `last` answers what nobody else did."""

from typing import Any

from aiogram import Dispatcher
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import SimpleEventIsolation

from bot.handlers import basics, chats, hold, last, presses, prompts


def build(fsm: BaseStorage, **services: Any) -> Dispatcher:
    """The dispatcher with every router; handlers get `services` by parameter name.

    Updates of one person in one chat are handled one after another, so that a dialog step is
    never read while another update writes it.
    """
    dispatcher = Dispatcher(storage=fsm, events_isolation=SimpleEventIsolation(), **services)
    dispatcher.include_routers(
        *(basics.setup(), chats.setup(), prompts.setup(), presses.setup(), hold.setup()),
        last.setup(),
    )
    return dispatcher
