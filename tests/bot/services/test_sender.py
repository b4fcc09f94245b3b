"""One row from the queue to WhatsApp: claim, send, record."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.delivery import Accepted, InstanceDown, NotSent, Outcome, Refused, Uncertain
from bot.services import sender as sender_module
from bot.services.sender import Result
from storage.models import CampaignEnd, PostKind, RowStatus
from tests.builders import MONDAY_10, new_row

ANNA, BORIS = "79001234567", "79007654321"
PENDING, SENT, FAILED = RowStatus.PENDING, RowStatus.SENT, RowStatus.FAILED
UNKNOWN, CANCELLED = RowStatus.UNKNOWN, RowStatus.CANCELLED
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_sent(world, sender, wire) -> None:
    """A message that was taken is sent: its time is kept, the lead knows, the card too."""
    await world.add_client(ANNA)
    result = await sender.send_row(1)
    row = await world.row()

    assert Result.SENT is result
    assert [ANNA] == wire.sent
    assert (SENT, 1, MONDAY_10, MONDAY_10) == (
        row.status,
        row.attempts,
        row.attempted_at,
        row.sent_at,
    )
    assert MONDAY_10 == (await world.lead()).last_whatsapp_sent_at
    assert world.bells.posts.is_set()


async def test_claim_is_on_disk_while_it_is_sent(world, sender, wire, spin) -> None:
    """The row is `sending` before the first byte goes out, and nobody can take it back."""
    wire.ends[ANNA] = release = asyncio.Event()
    await world.add_client(ANNA)
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: wire.sent)
    status = (await world.row()).status
    again = await sender.send_row(1)
    release.set()

    assert RowStatus.SENDING is status
    assert Result.WAITING is again
    assert Result.SENT is await sending


ENDS: dict[str, tuple[Outcome | Exception, Result, RowStatus, str]] = {
    "refused": (Refused("нет в WhatsApp"), Result.FAILED, FAILED, "нет в WhatsApp"),
    "instance": (InstanceDown("лимит тарифа"), Result.WAITING, PENDING, "лимит тарифа"),
    "not sent": (NotSent("нет связи"), Result.POSTPONED, PENDING, "нет связи"),
    "uncertain": (Uncertain("нет ответа"), Result.UNKNOWN, UNKNOWN, "нет ответа"),
    "our own error": (
        RuntimeError("boom"),
        Result.UNKNOWN,
        UNKNOWN,
        "внутренняя ошибка: неизвестно, ушло ли сообщение",
    ),
}


@pytest.mark.parametrize(("end", "result", "status", "error"), ENDS.values(), ids=ENDS)
async def test_outcomes(world, sender, wire, end, result, status, error) -> None:
    """Each outcome leaves the row where it belongs, with a reason for people."""
    wire.ends[ANNA] = end
    await world.add_client(ANNA)

    assert result is await sender.send_row(1)
    row = await world.row()
    assert (status, error, None) == (row.status, row.error, row.sent_at)


async def test_instance_refusal_burns_nothing(world, sender, wire, gate) -> None:
    """A refusal about the instance leaves the row as it was, and closes the gate."""
    wire.ends[ANNA] = InstanceDown("лимит тарифа")
    await world.add_client(ANNA)
    before = await world.row()
    await sender.send_row(1)
    after = await world.row()

    assert (before.scheduled_at, before.attempts, None) == (
        after.scheduled_at,
        after.attempts,
        after.first_failed_at,
    )
    assert "лимит тарифа" == await gate.closed_because()


async def test_not_sent_is_tried_later(world, sender, wire) -> None:
    """What surely was not sent waits a while, and remembers since when it has failed."""
    wire.ends[ANNA] = NotSent("нет связи", timedelta(minutes=5))
    await world.add_client(ANNA)
    await sender.send_row(1)
    row = await world.row()

    assert (MONDAY_10 + timedelta(minutes=5), MONDAY_10) == (row.scheduled_at, row.first_failed_at)


async def test_not_sent_is_given_up(world, sender, wire) -> None:
    """After two days of trying it is failed, and says so."""
    wire.ends[ANNA] = NotSent("нет связи")
    await world.add_client(ANNA)
    world.sql("UPDATE whatsapp_queue SET first_failed_at = '2026-11-21 07:00:00'")

    assert Result.FAILED is await sender.send_row(1)
    assert "не удалось отправить за 48 ч: нет связи" == (await world.row()).error


async def test_backoff_starts_anew_after_a_person_put_it_back(world, sender, wire) -> None:
    """A failed row that a person put back is tried as long as a new one."""
    wire.ends[ANNA] = NotSent("нет связи")
    await world.add_client(ANNA)
    world.sql("UPDATE whatsapp_queue SET first_failed_at = '2026-11-21 07:00:00'")
    await sender.send_row(1)
    world.sql("UPDATE whatsapp_queue SET status = 'pending'")

    assert Result.POSTPONED is await sender.send_row(1)


async def test_uncertain_is_asked_about(world, sender, wire) -> None:
    """A message that may have gone is asked about, and nothing else goes to that phone."""
    wire.ends[ANNA] = Uncertain("нет ответа")
    await world.add_client(ANNA)
    await world.queue(new_row(1, phone=ANNA, template="day3"))
    first = await sender.send_row(1)
    second = await sender.send_row(2)
    [question] = await world.posts(PostKind.UNKNOWN)

    assert [Result.UNKNOWN, Result.WAITING] == [first, second]
    assert (1, 1) == (question.lead_id, question.queue_id)
    assert [ANNA] == wire.sent
    assert (
        "неясно, ушло ли прошлое сообщение: ответьте на вопрос бота" == (await world.row(2)).error
    )


async def test_last_message_ends_the_campaign(world, sender) -> None:
    """After the last row is final the campaign is over."""
    await world.add_client(ANNA)
    running = (await world.lead()).campaign_active
    await sender.send_row(1)
    lead = await world.lead()

    assert running
    assert (False, CampaignEnd.FINISHED) == (lead.campaign_active, lead.campaign_end)


# --- what may not leave -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "result", "status"),
    [
        ("UPDATE leads SET whatsapp_campaign_active = FALSE", Result.CANCELLED, CANCELLED),
        ("UPDATE whatsapp_templates SET active = FALSE", Result.CANCELLED, CANCELLED),
        ("UPDATE leads SET is_target = FALSE", Result.WAITING, PENDING),
        ("UPDATE whatsapp_queue SET message_text = ' '", Result.FAILED, FAILED),
        ("UPDATE leads SET phone = NULL", Result.FAILED, FAILED),
        (
            "UPDATE leads SET last_whatsapp_sent_at = '2026-11-23 06:00:00'",
            Result.POSTPONED,
            PENDING,
        ),
        (
            "UPDATE whatsapp_queue SET scheduled_at = '2026-11-23 07:00:01'",
            Result.WAITING,
            PENDING,
        ),
        ("UPDATE whatsapp_queue SET status = 'cancelled'", Result.WAITING, CANCELLED),
        ("DELETE FROM whatsapp_queue", Result.WAITING, None),
    ],
    ids=[
        "stopped",
        "template off",
        "not a target",
        "no text",
        "no phone",
        "too soon",
        "moved",
        "cancelled",
        "deleted",
    ],
)
async def test_what_people_changed_counts(world, sender, wire, statement, result, status) -> None:
    """Everything is read again at the claim: what plain SQL changed just before is obeyed."""
    await world.add_client(ANNA)
    world.sql(statement)

    assert result is await sender.send_row(1)
    assert [] == wire.sent
    assert [status] * (status is not None) == await world.statuses()


async def test_other_text_and_phone_are_sent(world, sender, wire) -> None:
    """A text or phone that a person corrected is the one that goes."""
    await world.add_client(ANNA)
    world.sql("UPDATE whatsapp_queue SET phone = ?", BORIS)
    await sender.send_row(1)

    assert [BORIS] == wire.sent


async def test_night(world, sender, wire, jump) -> None:
    """At night a row is moved to the morning, though its pass began in time."""
    await world.add_client(ANNA)
    jump(hours=11)

    assert Result.POSTPONED is await sender.send_row(1)
    assert MONDAY_10 + 23 * HOUR == (await world.row()).scheduled_at
    assert [] == wire.sent


async def test_stale_row_is_left_to_a_pass(world, sender, wire, jump) -> None:
    """Only a pass cancels what came too late: it counts such rows, and tells admins."""
    await world.add_client(ANNA)
    jump(days=3, seconds=1)

    assert Result.WAITING is await sender.send_row(1)
    assert [PENDING] == await world.statuses()


async def test_two_rows_of_one_phone_at_once(world, sender, wire) -> None:
    """Of two rows of one phone, even of two leads, one goes and the other waits."""
    await world.add_client(ANNA)
    await world.add_client(ANNA)
    world.sql("UPDATE leads SET whatsapp_campaign_active = 0")
    world.sql("UPDATE leads SET campaign_end = NULL, whatsapp_campaign_active = 1 WHERE id = 1")
    await world.queue(new_row(1, phone=ANNA, template="day3"))
    results = await asyncio.gather(*(sender.send_row(row_id) for row_id in (1, 3)))

    assert [Result.SENT, Result.WAITING] == results
    assert "клиенту прямо сейчас отправляется другое сообщение" == (await world.row(3)).error


# --- our own errors -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["judge", "verdict_on"])
async def test_row_that_breaks_the_rules_is_parked(world, sender, monkeypatch, part) -> None:
    """An error of ours before the send fails that row with its name, and nothing goes out."""

    def broken(*facts):
        raise KeyError("oops")

    await world.add_client(ANNA)
    monkeypatch.setattr(sender_module, part, broken)

    assert Result.FAILED is await sender.send_row(1)
    assert "внутренняя ошибка: KeyError" == (await world.row()).error


REFUSE = """
    CREATE TRIGGER refuse BEFORE UPDATE OF status ON whatsapp_queue
    WHEN NEW.status = 'sent' BEGIN SELECT {refusal}; END
"""
AWAY, REFUSED = "json('not JSON')", "RAISE(ABORT, 'no')"


async def test_outcome_that_cannot_be_recorded_is_recorded_later(
    world, sender, wire, spin, jump
) -> None:
    """A database that is away for a while gets the outcome later; nothing is sent again."""
    await world.add_client(ANNA)
    world.sql(REFUSE.format(refusal=AWAY))
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: wire.sent)
    await asyncio.sleep(0.02)
    meanwhile = (await world.row()).status
    world.sql("DROP TRIGGER refuse")
    await spin(lambda: jump(seconds=3) or sending.done())

    assert RowStatus.SENDING is meanwhile
    assert Result.SENT is await sending
    assert [ANNA] == wire.sent


async def test_answer_that_the_table_refuses(world, sender, wire, spin, jump) -> None:
    """Of an answer that JSON cannot hold only the id is kept: the message was sent all the same."""
    wire.ends[ANNA] = Accepted("3EB0", {"idMessage": "3EB0", "speed": float("nan")})
    await world.add_client(ANNA)
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: jump(seconds=3) or sending.done())

    assert Result.SENT is await sending
    assert SENT is (await world.row()).status


async def test_outcome_that_the_table_refuses_for_good(world, sender, wire, spin, jump) -> None:
    """An outcome that the database will never take makes the row unknown, not stuck."""
    await world.add_client(ANNA)
    world.sql(REFUSE.format(refusal=REFUSED))
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: jump(seconds=3) or sending.done())

    assert Result.UNKNOWN is await sending
    assert UNKNOWN is (await world.row()).status


async def test_outcome_that_breaks_our_code(world, sender, wire, spin, jump, monkeypatch) -> None:
    """An error of ours after the send makes the row unknown, not stuck."""

    def broken(*facts):
        raise ZeroDivisionError

    wire.ends[ANNA] = NotSent("нет связи")
    await world.add_client(ANNA)
    monkeypatch.setattr(sender_module, "after_not_sent", broken)
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: jump(seconds=3) or sending.done())

    assert Result.UNKNOWN is await sending
    assert UNKNOWN is (await world.row()).status


@pytest.mark.parametrize("end", [None, Uncertain("нет ответа")], ids=["sent", "uncertain"])
async def test_row_deleted_while_it_is_sent(world, sender, wire, spin, end) -> None:
    """A row, or a client, that a person deletes meanwhile leaves nothing to record or to ask."""
    wire.ends[ANNA] = release = asyncio.Event()
    await world.add_client(ANNA)
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: wire.sent)
    world.sql("DELETE FROM leads")
    wire.after_hang = end
    release.set()
    await spin(sending.done)

    assert [] == await world.posts(PostKind.UNKNOWN)


async def test_cancelled_while_sending(world, sender, wire, spin) -> None:
    """A send that is cut off by the end of the daemon is unknown, and asked about."""
    wire.ends[ANNA] = asyncio.Event()
    await world.add_client(ANNA)
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: wire.sent)
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert UNKNOWN is (await world.row()).status
    assert 1 == len(await world.posts(PostKind.UNKNOWN))


# --- test messages ------------------------------------------------------------------------------


async def test_test_message(world, sender, wire, jump) -> None:
    """A test message goes at once, at night too, and counts for no gap."""
    await world.add_client(ANNA)
    jump(hours=12)
    outcome = await sender.send_test(ANNA, "Проверка")
    jump(hours=12)

    assert "3EB0" == outcome.id_message
    assert (await world.lead()).last_whatsapp_sent_at is None
    assert Result.SENT is await sender.send_row(1)


async def test_test_message_through_a_closed_gate(sender, green, wire) -> None:
    """A test message needs a usable instance like any other."""
    green.state = "notAuthorized"

    assert NotSent("WhatsApp не привязан: отсканируйте QR-код") == await sender.send_test(
        ANNA, "Проверка"
    )
    assert [] == wire.sent


async def test_test_message_to_an_unknown_phone(world, sender, wire) -> None:
    """While it is unclear what went to a phone, nothing else goes there, tests neither."""
    wire.ends[ANNA] = Uncertain("нет ответа")
    await world.add_client(ANNA)
    await sender.send_row(1)
    outcome = await sender.send_test(ANNA, "Проверка")

    assert isinstance(outcome, NotSent)
    assert "неясно" in outcome.why
    assert [ANNA] == wire.sent


async def test_test_message_while_another_goes(world, sender, wire, spin) -> None:
    """A phone that a message is on its way to gets no test message meanwhile, and the reverse."""
    wire.ends[ANNA] = release = asyncio.Event()
    await world.add_client(ANNA)
    sending = asyncio.create_task(sender.send_row(1))
    await spin(lambda: wire.sent)
    refused = await sender.send_test(ANNA, "Проверка")
    release.set()
    await sending

    assert isinstance(refused, NotSent)
    assert [ANNA] == wire.sent


async def test_row_waits_for_a_test_message(world, sender, wire, spin) -> None:
    """A row whose phone gets a test message just now waits, and so does a second test."""
    wire.ends[ANNA] = release = asyncio.Event()
    await world.add_client(ANNA)
    testing = asyncio.create_task(sender.send_test(ANNA, "Проверка"))
    await spin(lambda: wire.sent)
    row = await sender.send_row(1)
    second = await sender.send_test(ANNA, "Ещё раз")
    release.set()
    await testing

    assert Result.WAITING is row
    assert isinstance(second, NotSent)
    assert Result.SENT is await sender.send_row(1)


async def test_test_message_closes_the_gate(sender, wire, gate) -> None:
    """A test message that the instance refused closes the gate for the queue."""
    wire.ends[ANNA] = InstanceDown("лимит тарифа")
    await sender.send_test(ANNA, "Проверка")

    assert "лимит тарифа" == await gate.closed_because()


async def test_test_message_that_broke_frees_its_phone(sender, wire) -> None:
    """After an error of ours the phone can be tried again."""
    wire.ends[ANNA] = RuntimeError("boom")
    with pytest.raises(RuntimeError):
        await sender.send_test(ANNA, "Проверка")
    del wire.ends[ANNA]

    assert "3EB0" == (await sender.send_test(ANNA, "Проверка")).id_message
