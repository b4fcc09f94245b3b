"""A form post becomes a lead: raw first, whole, and once."""

import asyncio
import json
import sqlite3
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.services.disk import Disk
from bot.services.intake import FormPost, Intake, Receipt, Status
from storage.errors import Unavailable
from storage.models import EventKind, PostKind
from storage.storage import Storage
from tests.builders import COURSES, PHONE

FORM = "application/x-www-form-urlencoded"
ANNA = {"name": "Анна", "phone": "+7 900 123-45-67", "course": "Актёрское мастерство"}
FIRST = Receipt(Status.ACCEPTED, 1)
SECOND = Receipt(Status.ACCEPTED, 2)
REPEATED = Receipt(Status.DUPLICATE, 1)


@pytest.fixture
def post(world):
    """Post a form as a website does; `id_` is its Idempotency-Key."""
    intake = Intake(
        world.storage, COURSES, world.bells, world.clock, Disk(world.storage.path, world.clock)
    )

    async def accept(*, id_: str | None = None, **fields: Any) -> Receipt:
        body = urlencode(fields).encode()
        return await intake.accept(FormPost(body, FORM, "203.0.113.7", id_))

    return accept


@pytest.fixture
def post_body(world):
    """Post any bytes."""
    intake = Intake(
        world.storage, COURSES, world.bells, world.clock, Disk(world.storage.path, world.clock)
    )
    return lambda body, kind=FORM: intake.accept(FormPost(body, kind, "203.0.113.7"))


def bodies(storage: Storage) -> list[Any]:
    """The raw requests, as a person's SQL reads them."""
    connection = sqlite3.connect(storage.path)
    rows = connection.execute(
        "SELECT lead_id, body, content_type, sender FROM raw_requests ORDER BY id"
    ).fetchall()
    connection.close()
    return rows


async def test_lead(world, post) -> None:
    """A post is stored as a lead with its raw body, asks for a card, and wakes the outbox."""
    receipt = await post(**ANNA, email="anna@example.com", comment="вечером", utm_source="vk")
    lead = await world.lead()

    assert FIRST == receipt
    assert ("Анна", PHONE, None, "acting", "anna@example.com", "вечером") == (
        lead.name,
        lead.phone,
        lead.phone_raw,
        lead.course,
        lead.email,
        lead.comment,
    )
    assert (("utm_source", "vk"),) == lead.extra
    assert ("сайт", world.clock.now()) == (lead.source, lead.created_at)
    assert 1 == len(await world.posts(PostKind.CARD))
    assert world.bells.posts.is_set()


async def test_raw_body_is_kept(world, post_body) -> None:
    """The bytes are kept as they came, with their type and sender, for the first and the repeat."""
    body = b"phone=89001234567&name=\xff\xfe"
    await post_body(body)
    await post_body(body)

    assert [(1, body, FORM, "203.0.113.7")] * 2 == bodies(world.storage)


async def test_unparsed(world, post) -> None:
    """Without a usable phone nothing is lost: the lead is kept and says what is wrong."""
    receipt = await post(name="Анна", phone="12-34")
    lead = await world.lead()

    problems = ("номер не распознан: «12-34»",)
    assert Receipt(Status.UNPARSED, 1, problems) == receipt
    assert (None, "12-34", problems) == (lead.phone, lead.phone_raw, lead.problems)
    assert 1 == len(await world.posts(PostKind.CARD))


@pytest.mark.parametrize(
    "body",
    [b"\x00\xff\xfe\x80", b"{not json", b'{"a": ' * 5000, b"   "],
    ids=["bytes", "broken JSON", "depth bomb", "blanks"],
)
async def test_body_that_nobody_can_read(world, post_body, body: bytes) -> None:
    """A body without sense is kept as an unparsed lead with its bytes."""
    receipt = await post_body(body, "application/json")

    assert (Status.UNPARSED, 1) == (receipt.status, receipt.lead_id)
    assert receipt.problems
    assert [(1, body)] == [row[:2] for row in bodies(world.storage)]


@pytest.mark.parametrize("body", [b"", b"test=test", b"test=test&formid=form1&tranid=0"])
async def test_connection_test(world, post_body, body: bytes) -> None:
    """A form builder's connection test, or nothing at all, makes no lead."""
    assert Receipt(Status.OK) == await post_body(body)
    assert [] == await world.posts(PostKind.CARD)
    assert [] == bodies(world.storage)


async def test_database_that_is_away(world, post) -> None:
    """What could not be stored is not accepted, so that the sender tries again."""
    world.sql("DROP TABLE raw_requests")

    with pytest.raises(Unavailable):
        await post(**ANNA)
    assert [] == await world.posts(PostKind.CARD)


# --- repeats ------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 1, 365])
async def test_repeat_by_submission_id(world, post, jump, days: int) -> None:
    """The same client's submission id is the same request, at any time, whatever else it says."""
    receipts = [await post(**ANNA, tranid="1:2")]
    jump(days=days)
    receipts.append(await post(name="Аня", phone="8 900 123-45-67", tranid="1:2"))

    assert [FIRST, REPEATED] == receipts
    assert 1 == len(await world.posts(PostKind.CARD))


async def test_repeat_by_idempotency_key(world, post, jump) -> None:
    """The header's key is a submission id too."""
    receipts = [await post(**ANNA, id_="a1")]
    jump(days=1)
    receipts.append(await post(**ANNA, id_="a1"))
    jump(days=1)
    receipts.append(await post(**ANNA, id_="a2"))

    assert [FIRST, REPEATED, SECOND] == receipts


async def test_constant_submission_id_loses_nobody(post) -> None:
    """A form that sends the same id for everybody still makes a lead for every client."""
    alice = {"name": "Анна", "phone": "+79001234567", "tranid": "1"}
    boris = {"name": "Борис", "phone": "+79007654321", "tranid": "1"}
    receipts = [await post(**who) for who in (alice, boris, alice, boris)]

    assert [Status.ACCEPTED] * 2 + [Status.DUPLICATE] * 2 == [r.status for r in receipts]
    assert [1, 2, 1, 2] == [r.lead_id for r in receipts]


async def test_submission_ids_are_scoped_by_form(post) -> None:
    """Two forms may number their submissions alike."""
    receipts = [
        await post(name="Анна", phone="+79001234567", tranid="7", formid="a"),
        await post(name="Борис", phone="+79007654321", tranid="7", formid="b"),
    ]

    assert [FIRST, SECOND] == receipts


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, Status.DUPLICATE), (600, Status.DUPLICATE), (601, Status.UNPARSED)],
)
async def test_repeat_by_body(post_body, jump, seconds: int, expected: Status) -> None:
    """An identical body within ten minutes is a repeat, even without a phone or an id."""
    await post_body(b"name=Anna")
    jump(seconds=seconds)

    assert expected is (await post_body(b"name=Anna")).status


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, REPEATED), (599, REPEATED), (600, REPEATED), (601, SECOND)]
)
async def test_repeat_by_phone_and_course(post, jump, seconds: int, expected: Receipt) -> None:
    """The same phone and course within ten minutes are a repeat, later a new request."""
    await post(**ANNA)
    jump(seconds=seconds)

    assert expected == await post(**ANNA, comment="Я уже писала")


COURSES_SENT = {
    "the same": ("acting", "Театр", REPEATED),
    "another": ("acting", "oratory", SECOND),
    "first unknown": (None, "acting", REPEATED),
    "second unknown": ("acting", None, REPEATED),
    "both unknown": (None, None, REPEATED),
    "a course nobody has": ("acting", "вокал", REPEATED),
}


@pytest.mark.parametrize(("first", "second", "expected"), COURSES_SENT.values(), ids=COURSES_SENT)
async def test_course_of_a_repeat(
    post, first: str | None, second: str | None, expected: Receipt
) -> None:
    """Another course is another request; an unknown one matches any."""
    fields = [{"course": course} if course else {} for course in (first, second)]
    await post(phone=PHONE, name="1", **fields[0])

    assert expected == await post(phone=PHONE, name="2", **fields[1])


async def test_another_phone_is_another_request(post) -> None:
    """Two clients of one course are two leads."""
    receipts = [await post(**ANNA), await post(**(ANNA | {"phone": "+79007654321"}))]

    assert [FIRST, SECOND] == receipts


async def test_repeats_at_once(world, post) -> None:
    """Ten identical posts at the same moment make one lead."""
    receipts = await asyncio.gather(*(post(**ANNA) for _ in range(10)))

    assert [FIRST, *[REPEATED] * 9] == sorted(receipts, key=lambda r: r.status)
    assert 1 == len(await world.posts(PostKind.CARD))


# --- what a repeat adds -------------------------------------------------------------------------


async def test_repeat_fills_what_was_empty(world, post) -> None:
    """A repeat fills empty fields and adds fields of other names."""
    await post(phone=PHONE, id="1", tranid="7")
    await post(**ANNA, email="anna@example.com", comment="вечером", utm_source="vk", tranid="7")
    lead = await world.lead()

    assert ("Анна", "acting", "anna@example.com", "вечером") == (
        lead.name,
        lead.course,
        lead.email,
        lead.comment,
    )
    assert ("utm_source", "vk") in lead.extra


async def test_repeat_overwrites_nothing(world, post) -> None:
    """What was known stays as it was."""
    await post(**ANNA, email="anna@example.com", utm_source="vk", tranid="7")
    before = await world.lead()
    await post(
        name="Борис",
        phone="+79007654321",
        course="oratory",
        email="boris@example.com",
        utm_source="ya",
        tranid="7",
    )

    assert before == await world.lead()


async def test_repeat_brings_the_phone(world, post) -> None:
    """A phone that was not understood is mended by a repeat that has one."""
    await post(name="Анна", phone="12-34", tranid="7")
    receipt = await post(**ANNA, tranid="7")
    lead = await world.lead()

    assert REPEATED == receipt
    assert (PHONE, None, ()) == (lead.phone, lead.phone_raw, lead.problems)


async def test_repeat_does_not_choose_the_course_of_a_decided_lead(world, post) -> None:
    """A course is not filled in after the outcome."""
    await post(phone=PHONE, tranid="7")
    await world.change(1, is_target=False)
    await post(phone=PHONE, course="acting", tranid="7")

    assert (await world.lead()).course is None


async def test_new_comment_is_added_once(world, post) -> None:
    """Each new comment of a repeat is added beside the first, however often it comes."""
    for comment in ("вечером", "вечером", "утром", "утром", "вечером", "днём"):
        await post(**ANNA, comment=comment, tranid="7")

    assert "вечером" == (await world.lead()).comment
    assert [
        (EventKind.CLIENT_COMMENT, "", "утром"),
        (EventKind.CLIENT_COMMENT, "", "днём"),
    ] == await world.notes()


async def test_comment_of_an_identical_body_is_not_added(world, post) -> None:
    """The same body again adds nothing."""
    await post(**ANNA, comment="вечером")
    await post(**ANNA, comment="вечером")

    assert [] == await world.notes()


async def test_repeat_changes_the_card(world, post) -> None:
    """A repeat that brings something makes the card be drawn anew; one that does not, does not."""
    await post(**ANNA)
    [card] = await world.posts(PostKind.CARD)
    await post(**ANNA)
    [same] = await world.posts(PostKind.CARD)
    await post(**ANNA, comment="вечером")
    [changed] = await world.posts(PostKind.CARD)

    assert card.version == same.version < changed.version


async def test_later_request_of_one_phone(world, post, jump) -> None:
    """After ten minutes the same phone is a new request with a card of its own."""
    await post(**ANNA)
    jump(hours=1)

    assert SECOND == await post(**ANNA)
    assert 2 == len(await world.posts(PostKind.CARD))


async def test_hostile_values_are_whole_in_the_database(world, post_body) -> None:
    """Long texts, NUL and lone surrogates are stored, whole where they can be."""
    fields = {"name": "А" * 20_000, "phone": PHONE, "comment": "a\x00b\ud800c"}
    receipt = await post_body(json.dumps(fields).encode(), "application/json")
    lead = await world.lead()

    assert FIRST == receipt
    assert ("А" * 20_000, "a\ufffdb\ufffdc") == (lead.name, lead.comment)
