"""Messages that somebody else sends through the instance, noticed in the provider's journal."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial

import pytest

from bot.demo.clock import Conductor
from bot.services import whatsapp
from bot.services.bells import Bells
from bot.services.gate import Gate
from bot.services.second_sender import SecondSender
from bot.services.sender import Sender
from greenapi import emulator
from greenapi.client import GreenApi, open_session
from greenapi.emulator import Fault, GreenApiEmulator
from greenapi.models import Credentials
from storage.storage import Storage
from tests.bot.services.conftest import World
from tests.builders import PHONE, RULES, new_row

OTHER_PHONE = "79007654321"
ONE = "сообщений за сутки — 1, последнее на +7900***4567"

Jump = Callable[..., None]
Life = Callable[[], SecondSender]


@pytest.fixture
async def green(clock: Conductor) -> AsyncIterator[GreenApiEmulator]:
    """The instance."""
    async with GreenApiEmulator(clock, instance="1101000001", token="invented-token") as green:
        yield green


@pytest.fixture
async def api(green: GreenApiEmulator, clock: Conductor) -> AsyncIterator[GreenApi]:
    """Our client of it."""
    async with open_session() as session:
        credentials = Credentials(green.url, "1101000001", "invented-token")
        yield GreenApi(session, credentials, timeout=clock.timeout)


@pytest.fixture
def new_life(api: GreenApi, storage: Storage, clock: Conductor) -> Life:
    """What looks out for a second sender after a start of the daemon."""
    return lambda: SecondSender(api, storage, Gate(api, clock).closed_because, clock)


@pytest.fixture
async def watch(new_life: Life, jump: Jump) -> SecondSender:
    """One that has looked at a silent instance half an hour ago, and is about to look again."""
    watch = new_life()
    assert await watch.look() is None
    jump(minutes=30)
    return watch


@pytest.fixture
def sender(api: GreenApi, storage: Storage, clock: Conductor) -> Sender:
    """The daemon's own way to WhatsApp."""
    send = partial(whatsapp.send, api)
    return Sender(storage, send, Gate(api, clock), RULES, Bells(), clock)


async def queue_one(world: World, text: str) -> int:
    """A lead whose campaign has one message, due now."""
    lead_id = await world.add_lead()
    await world.change(lead_id, whatsapp_campaign_active=True, is_target=True)
    await world.queue(new_row(lead_id, text=text, scheduled_at=world.clock.now()))
    [row] = await world.rows(lead_id)
    return row.id


def times_asked(green: GreenApiEmulator) -> int:
    """How often the journal was asked for."""
    return [call.method for call in green.calls].count("lastOutgoingMessages")


# --- what is told -------------------------------------------------------------------------------


async def test_silence_is_fine(watch: SecondSender) -> None:
    """While nobody sends there is nothing to tell."""

    assert await watch.look() is None


async def test_message_of_another_program_is_told(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """A message that is not ours is told with the masked phone it went to."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)

    assert ONE == await watch.look()


async def test_messages_are_counted_and_the_newest_is_shown(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """Of several messages the number is told, and where the newest one went."""
    green.foreign_send(OTHER_PHONE, "Скидки!")
    jump(minutes=1)
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)

    assert "сообщений за сутки — 2, последнее на +7900***4567" == await watch.look()


async def test_flood_is_not_counted_to_its_end(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """From three hundred on the exact number does not matter."""
    for number in range(301):
        green.foreign_send(PHONE, f"Скидки {number}!")
    jump(minutes=5)

    assert "сообщений за сутки — 300 или больше, последнее на +7900***4567" == await watch.look()


async def test_message_to_a_group_is_told(
    watch: SecondSender, green: GreenApiEmulator, clock: Conductor, jump: Jump
) -> None:
    """We never write to groups, so whoever does is somebody else."""
    green.journal.write("120363000000000000@g.us", "Скидки!", clock.now(), by_api=True)
    jump(minutes=5)

    assert "сообщений за сутки — 1, последнее в группу" == await watch.look()


async def test_message_to_a_hidden_id_blames_nobody(
    watch: SecondSender, green: GreenApiEmulator, clock: Conductor, jump: Jump
) -> None:
    """Whose a message to a hidden id is cannot be told."""
    green.journal.write("123456789012345@lid", "Скидки!", clock.now(), by_api=True)
    jump(minutes=5)

    assert await watch.look() is None


async def test_person_on_the_phone_is_no_second_sender(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """A manager may write to clients from the phone."""
    green.typed_on_phone(PHONE, "Добрый день, это Пётр")
    jump(minutes=5)

    assert await watch.look() is None


async def test_past_of_the_instance_is_not_held_against_it(
    new_life: Life, green: GreenApiEmulator, jump: Jump
) -> None:
    """What a program sent before ours was first started is not news."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=10)

    assert await new_life().look() is None


# --- what is ours -------------------------------------------------------------------------------

OUTCOMES = [
    ("sent", None),
    ("unknown", emulator.ACCEPT_THEN_RESET),
    ("refused but taken", Fault(accept=True, status=413, body="")),
]


@pytest.mark.parametrize(
    "fault", [case[1] for case in OUTCOMES], ids=[case[0] for case in OUTCOMES]
)
async def test_own_message_is_not_foreign(
    watch: SecondSender,
    green: GreenApiEmulator,
    sender: Sender,
    world: World,
    jump: Jump,
    fault: Fault | None,
) -> None:
    """A message of the queue is ours, whatever we learned of its fate."""
    if fault:
        green.fail_next("sendMessage", fault)
    await sender.send_row(await queue_one(world, "Анна, здравствуйте!\n\nЖдём вас 👩‍👩‍👧"))
    jump(minutes=5)

    assert (1, None) == (len(green.accepted), await watch.look())


async def test_message_that_is_to_be_sent_again_is_not_foreign(
    watch: SecondSender, green: GreenApiEmulator, sender: Sender, world: World, jump: Jump
) -> None:
    """A first attempt that went is ours even while its row waits for the second one."""
    green.fail_next("sendMessage", emulator.ACCEPT_THEN_RESET)
    row_id = await queue_one(world, "Добрый день!")
    await sender.send_row(row_id)
    await world.storage.run(lambda unit: unit.queue.resend(row_id))
    jump(minutes=5)

    assert (1, None) == (len(green.accepted), await watch.look())


async def test_test_message_is_not_foreign(
    watch: SecondSender, green: GreenApiEmulator, sender: Sender, jump: Jump
) -> None:
    """An admin's test message is ours though the queue does not have it."""
    await sender.send_test(PHONE, "Проба\nсвязи")
    jump(minutes=5)

    assert (1, None) == (len(green.accepted), await watch.look())


async def test_test_message_without_an_answer_is_not_foreign(
    watch: SecondSender, green: GreenApiEmulator, sender: Sender, jump: Jump
) -> None:
    """So is one whose answer never came: it was remembered before it left."""
    green.fail_next("sendMessage", emulator.ACCEPT_THEN_RESET)
    await sender.send_test(PHONE, "Проба")
    jump(minutes=5)

    assert (1, None) == (len(green.accepted), await watch.look())


async def test_other_words_to_our_client_are_foreign(
    watch: SecondSender, green: GreenApiEmulator, sender: Sender, world: World, jump: Jump
) -> None:
    """A client of ours who gets other words gets them from somebody else."""
    await sender.send_row(await queue_one(world, "Добрый день!"))
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)

    assert ONE == await watch.look()


# --- when it is asked ---------------------------------------------------------------------------


async def test_journal_is_asked_for_every_half_hour(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """However often somebody looks, the journal is asked for once in half an hour."""
    asked = []
    for minutes in (0, 1, 28, 1, 29, 1):
        jump(minutes=minutes)
        await watch.look()
        asked.append(times_asked(green))

    assert [2, 2, 2, 3, 3, 4] == asked


async def test_clock_that_was_set_back_does_not_put_it_off(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """After the clock was set back a day, the journal is asked for at once."""
    await watch.look()
    jump(days=-1)
    green._buckets.clear()  # the provider's own clock did not go back
    await watch.look()

    assert 3 == times_asked(green)


async def test_clock_that_was_fast_hides_nothing(
    watch: SecondSender, green: GreenApiEmulator, clock: Conductor, jump: Jump
) -> None:
    """When a clock that was fast is put right, the journal is asked for a whole day."""
    jump(days=2)
    await watch.look()
    jump(days=-2)
    green._buckets.clear()  # the provider's own clock was right
    ten_hours_ago = clock.now() - timedelta(hours=10)
    green.journal.write(f"{PHONE}@c.us", "Скидки!", ten_hours_ago, by_api=True)

    assert ONE == await watch.look()


async def test_young_message_waits_for_the_next_look(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """A message of the last three minutes is told by the next look, though it lies before it."""
    green.journal.lag = timedelta()
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=2, seconds=59)
    first = await watch.look()
    jump(minutes=30)

    assert (None, ONE) == (first, await watch.look())


async def test_message_is_counted_once(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """A message that two looks see, since they overlap, is one message."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=3)
    told = [await watch.look()]
    jump(minutes=30)
    told.append(await watch.look())

    assert [ONE, ONE] == told


async def test_time_without_the_daemon_is_made_up_for(
    watch: SecondSender, new_life: Life, green: GreenApiEmulator, jump: Jump
) -> None:
    """What was sent while the daemon was down is found by its next life."""
    await watch.look()
    jump(hours=1)
    green.foreign_send(PHONE, "Скидки!")
    jump(hours=5)

    assert ONE == await new_life().look()


# --- how long it is told ------------------------------------------------------------------------


async def test_it_is_told_for_a_day(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """A day after the last foreign message it is over."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)
    told = [await watch.look()]
    for minutes in (23 * 60 + 54, 1):
        jump(minutes=minutes)
        told.append(await watch.look())

    assert [ONE, ONE, None] == told


async def test_message_read_days_later_is_no_news(
    watch: SecondSender, green: GreenApiEmulator, clock: Conductor, jump: Jump
) -> None:
    """The journal shows a message again when the client reads it; it stays as old as it is."""
    message = green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)
    await watch.look()
    jump(days=3)
    await watch.look()
    green.journal.note(message.id_message, "read", clock.now())
    jump(minutes=30)

    assert await watch.look() is None


async def test_restart_forgets_nothing_and_asks_nothing(
    watch: SecondSender, new_life: Life, green: GreenApiEmulator, jump: Jump
) -> None:
    """A new life of the daemon tells what the last one told, and waits out its half hour."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)
    await watch.look()
    jump(minutes=29)
    told = await new_life().look()

    assert (ONE, 2) == (told, times_asked(green))


async def test_no_phone_and_no_text_is_remembered(
    watch: SecondSender, green: GreenApiEmulator, storage: Storage, jump: Jump
) -> None:
    """Of a stranger's message neither the whole phone nor the text is kept."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)
    await watch.look()

    kept = str(await storage.run(lambda unit: unit.memory.find("second_sender")))
    assert (True, False, False) == ("+7900***4567" in kept, PHONE in kept, "Скидки" in kept)


# --- when there is no answer --------------------------------------------------------------------

FAULTS = [
    ("502", emulator.status(502)),
    ("429", emulator.rate_limited(1)),
    ("quota", emulator.QUOTA),
    ("400", emulator.bad_request("Validation failed")),
    ("html", emulator.HTML),
    ("reset", emulator.RESET_BEFORE_ACCEPT),
]


@pytest.mark.parametrize("fault", [case[1] for case in FAULTS], ids=[case[0] for case in FAULTS])
async def test_what_was_told_stays_when_the_journal_does_not_come(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump, fault: Fault
) -> None:
    """A journal that does not come changes nothing of what is told."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)
    await watch.look()
    jump(minutes=30)
    green.fail_next("lastOutgoingMessages", fault)

    assert (ONE, 3) == (await watch.look(), times_asked(green))


async def test_journal_that_did_not_come_is_made_up_for(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """What was missed is asked for half an hour later, not sooner."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)
    green.fail_next("lastOutgoingMessages", emulator.status(502))
    told = []
    for minutes in (0, 29, 1):
        jump(minutes=minutes)
        told.append(await watch.look())

    assert ([None, None, ONE], 3) == (told, times_asked(green))


async def test_unusable_instance_is_not_asked(
    watch: SecondSender, green: GreenApiEmulator, jump: Jump
) -> None:
    """While the instance cannot be used its journal is left alone, and then made up for."""
    green.foreign_send(PHONE, "Скидки!")
    green.state = "notAuthorized"
    jump(hours=2)
    told, asked = await watch.look(), times_asked(green)
    green.state = "authorized"
    jump(minutes=1)

    assert (None, 1, ONE) == (told, asked, await watch.look())


async def test_database_that_is_away_changes_nothing(
    watch: SecondSender, green: GreenApiEmulator, world: World, jump: Jump
) -> None:
    """What cannot be compared with our own messages is not told, but made up for."""
    green.foreign_send(PHONE, "Скидки!")
    jump(minutes=5)
    world.sql("ALTER TABLE memory RENAME TO elsewhere")
    told = await watch.look()
    world.sql("ALTER TABLE elsewhere RENAME TO memory")
    jump(minutes=30)

    assert (None, ONE) == (told, await watch.look())
