"""The chats show what the database says, whatever Telegram does."""

from datetime import timedelta

import pytest
from aiogram import Bot

from bot.demo import telegram_faults as faults
from bot.demo.clock import Conductor
from bot.demo.telegram import TelegramEmulator
from bot.demo.telegram_chats import Group
from bot.telegram.manager_chat import ManagerChat
from bot.telegram.outbox import Outbox
from bot.telegram.pacer import Pacer
from bot.views.card import Look
from storage.models import CallStatus, PostKind
from storage.storage import Storage
from tests.builders import COURSES, MONDAY_10, MOSCOW, new_lead


class Office:
    """The managers' group, and an outbox that posts there."""

    def __init__(self, telegram: TelegramEmulator, storage: Storage, clock: Conductor) -> None:
        self.telegram = telegram
        self.storage = storage
        self.clock = clock
        self.maria = telegram.add_user("Мария")
        self.group = telegram.add_group("Заявки", [self.maria])
        self.chat = ManagerChat(storage, self.group.id)

    def open(self, bot: Bot) -> None:
        """Let the bot post."""
        pacer = Pacer(self.clock)
        bot.session.middleware(pacer)
        look = Look(COURSES, MOSCOW, undo=True, late_hours=72)
        self.outbox = Outbox(self.storage, bot, self.chat, pacer, look, self.clock)

    async def lead(self, name: str = "Анна") -> int:
        """A new lead."""
        return await self.storage.run(lambda u: u.leads.add(new_lead(name=name), MONDAY_10))

    async def called(self, lead_id: int) -> None:
        """The lead was called, and somebody's press waits for the card to show it."""
        await self.storage.run(lambda u: u.leads.change(lead_id, call_status=CallStatus.CALLED))
        await self.storage.run(lambda u: u.posts.urge(lead_id))

    async def steps(self, number: int) -> None:
        """So many steps, each when its time has come."""
        for _ in range(number):
            await self.clock.sleep_until(await self.outbox.step())

    def names(self, group: Group | None = None) -> list[str]:
        """The clients on the cards of the group, oldest card first."""
        cards = [message for message in (group or self.group).messages if message.from_bot]
        return [card.text.splitlines()[1].removeprefix("👤 ") for card in cards]


@pytest.fixture
def office(telegram: TelegramEmulator, storage: Storage, clock: Conductor, bot: Bot) -> Office:
    """An office that is open."""
    office = Office(telegram, storage, clock)
    office.open(bot)
    return office


async def test_cards_in_order(office: Office) -> None:
    """New cards come in the order of their leads."""
    for name in ("Анна", "Борис", "Вера"):
        await office.lead(name)
    await office.steps(3)

    assert ["Анна", "Борис", "Вера"] == office.names()


async def test_answer_to_a_press_goes_first(office: Office) -> None:
    """The edit that answers a press overtakes new cards."""
    anna = await office.lead("Анна")
    await office.steps(1)
    await office.lead("Борис")
    await office.called(anna)
    await office.steps(1)

    assert ["Анна"] == office.names()
    assert "Клиент целевой" in office.group.messages[0].text


async def test_many_changes_one_edit(office: Office) -> None:
    """Changes that come together are one edit, and an unchanged card is not edited."""
    anna = await office.lead()
    await office.steps(1)
    for comment in ("раз", "два", "три"):
        await office.storage.run(lambda u, c=comment: u.leads.change(anna, comment=c))
    await office.steps(1)
    await office.storage.run(lambda u: u.posts.urge(anna))
    await office.steps(2)

    assert 1 == len(office.telegram.journal.of("editMessageText"))
    assert "💬 три" in office.group.messages[0].text


async def test_not_modified_is_done(office: Office) -> None:
    """«Not modified» means that the chat shows it already."""
    anna = await office.lead()
    await office.steps(1)
    await office.called(anna)
    office.telegram.fail_next("editMessageText", faults.bad_request("message is not modified"))
    await office.steps(3)

    assert 1 == len(office.telegram.journal.of("editMessageText"))


async def test_deleted_card_comes_again(office: Office) -> None:
    """A card that somebody deleted comes again when its lead changes."""
    anna = await office.lead()
    await office.steps(1)
    office.maria.deletes(office.group.messages[0])
    await office.called(anna)
    await office.steps(2)

    assert ["Анна"] == office.names()


async def test_too_many_requests(office: Office) -> None:
    """After a 429 nothing is called before the time that Telegram named."""
    office.telegram.fail_next("sendMessage", faults.too_many_requests(40))
    await office.lead()
    await office.steps(11)

    refused, shown = office.telegram.journal.of("sendMessage")
    assert shown.at - refused.at >= timedelta(seconds=40)
    assert ["Анна"] == office.names()


@pytest.mark.parametrize(
    "fault",
    [faults.bad_gateway(), faults.cut_body(), faults.reset_before()],
    ids=["502 HTML", "cut body", "reset"],
)
async def test_comes_when_telegram_is_back(office: Office, fault: faults.Fault) -> None:
    """A card that could not be sent comes when Telegram is back."""
    office.telegram.fail_next("sendMessage", fault, times=3)
    await office.lead()
    await office.steps(8)

    assert office.names()
    assert {"Анна"} == set(office.names())


async def test_group_became_a_supergroup(office: Office) -> None:
    """When the group moves, cards follow it, and the new id is remembered."""
    anna = await office.lead()
    await office.steps(1)
    moved = office.group.migrates()
    await office.called(anna)
    await office.lead("Борис")
    await office.steps(4)
    remembered = ManagerChat(office.storage, office.group.id)
    await remembered.load()

    assert {"Анна", "Борис"} == set(office.names(moved))
    assert moved.id == office.chat.id == remembered.id


async def test_topic(office: Office) -> None:
    """In a forum, cards go to the topic that was bound; without it, to the chat."""
    forum = office.telegram.add_group("Форум", [office.maria], topics=[7])
    await office.chat.bind(forum.id, 7)
    await office.lead("Анна")
    await office.steps(1)
    await office.chat.bind(forum.id, 8)
    await office.lead("Борис")
    await office.steps(3)

    assert [7, None] == [message.thread_id for message in forum.messages]


async def test_admin_who_cannot_be_reached(office: Office) -> None:
    """What no admin can be told in private, the managers' chat hears, once."""
    shy, blind = office.telegram.add_user("Ольга"), office.telegram.add_user("Павел")
    payload = {"trouble": "disk_low", "details": "1 МБ", "over": False}
    for admin in (shy, blind):
        await office.storage.run(
            lambda u, a=admin: u.posts.add_told(PostKind.ALERT, payload, a.id, MONDAY_10)
        )
    await office.steps(5)

    assert ["🚨 На диске мало места: 1 МБ."] == [
        message.text.splitlines()[0] for message in office.group.messages
    ]


async def test_managers_chat_is_lost_and_found(office: Office) -> None:
    """While the bot is out of the managers' chat, cards wait and the loss is known."""
    office.group.kicks(office.telegram.bot)
    await office.lead()
    await office.steps(1)
    lost = office.outbox.lost_chat
    office.group.joins(office.telegram.bot)
    await office.clock.sleep(61)
    await office.steps(1)

    assert (True, False) == (lost, office.outbox.lost_chat)
    assert "Анна" in office.group.messages[-1].text


async def test_deleted_lead(office: Office) -> None:
    """A card whose lead was deleted is dropped, and the next one comes."""
    await office.storage.run(
        lambda u: u.posts.add(PostKind.UNKNOWN, MONDAY_10, queue_id=None, lead_id=None)
    )
    await office.lead()
    await office.steps(2)

    assert ["Анна"] == office.names()
