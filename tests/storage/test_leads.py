"""Every question about leads, and every change of one."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from storage.errors import Conflict, NotFound
from storage.models import CallStatus, CampaignEnd, Lead, Step
from storage.storage import Storage, Unit
from tests.builders import MONDAY_10, PHONE, make_lead, new_lead
from tests.storage.sql import OTHER_PHONE, Sql

MINUTE = timedelta(minutes=1)


async def _add(storage: Storage, at: datetime = MONDAY_10, **values: Any) -> int:
    return await storage.run(lambda unit: unit.leads.add(new_lead(**values), at))


async def _change(storage: Storage, lead_id: int, **values: Any) -> None:
    await storage.run(lambda unit: unit.leads.change(lead_id, **values))


async def _id(storage: Storage, ask: Callable[[Unit], Awaitable[Lead | None]]) -> int | None:
    found = await storage.run(ask)
    return None if found is None else found.id


# --- one lead -----------------------------------------------------------------------------------


async def test_lead_comes_back_as_it_was_added(storage: Storage) -> None:
    """Every field of a form is kept whole."""
    extra = (("Город", "Казань"), ("Город", "Москва"), ("", "🙂"))
    lead_id = await _add(
        storage,
        name="Ё" * 5000,
        phone=None,
        phone_raw="восемь\x00девятьсот",
        course=None,
        email="a@example.com",
        comment="после семи\nвечера",
        extra=extra,
        problems=("номер не распознан",),
        submission_id="tilda:1",
    )

    assert make_lead(
        id=lead_id,
        name="Ё" * 5000,
        phone=None,
        phone_raw="восемь\x00девятьсот",
        course=None,
        email="a@example.com",
        comment="после семи\nвечера",
        extra=extra,
        problems=("номер не распознан",),
        submission_id="tilda:1",
    ) == await storage.run(lambda unit: unit.leads.get(lead_id))


async def test_lead_that_is_not_there(storage: Storage) -> None:
    """`find` answers None for what `get` refuses."""
    assert await _id(storage, lambda unit: unit.leads.find(7)) is None
    with pytest.raises(NotFound, match="there is no lead 7"):
        await storage.run(lambda unit: unit.leads.get(7))


async def test_one_lead_per_submission(storage: Storage) -> None:
    """A form builder's submission makes one lead, even if two requests race."""
    await _add(storage, submission_id="tilda:1")

    with pytest.raises(Conflict):
        await _add(storage, submission_id="tilda:1")


async def test_change_sets_what_it_names(storage: Storage) -> None:
    """Columns are named as the fields of a lead; the rest stays."""
    lead_id = await _add(storage)
    await _change(
        storage,
        lead_id,
        call_status=CallStatus.CALLED,
        is_target=True,
        step=Step.STOP,
        campaign_active=True,
        campaign_started_at=MONDAY_10,
        extra=(("a", "b"),),
    )

    found = await storage.run(lambda unit: unit.leads.get(lead_id))
    assert (
        make_lead(
            call_status=CallStatus.CALLED,
            is_target=True,
            step=Step.STOP,
            campaign_active=True,
            campaign_started_at=MONDAY_10,
            extra=(("a", "b"),),
            updated_at=found.updated_at,
        )
        == found
    )


async def test_change_can_name_the_end_of_a_campaign(storage: Storage) -> None:
    """What the daemon says of an end is kept, not taken for a person's stop."""
    lead_id = await _add(storage)
    await _change(storage, lead_id, campaign_active=True)

    await _change(storage, lead_id, campaign_active=False, campaign_end=CampaignEnd.UNDONE)

    found = await storage.run(lambda unit: unit.leads.get(lead_id))
    assert (False, CampaignEnd.UNDONE) == (found.campaign_active, found.campaign_end)


@pytest.mark.parametrize(
    ("extra", "shown"),
    [
        ('["a"]', (("", "a"),)),
        ('[["a"], 5]', (("", "['a']"), ("", "5"))),
        ('[["a", null]]', (("a", "None"),)),
        ("[]", ()),
    ],
)
async def test_odd_extra_of_a_person_is_shown(
    storage: Storage, sql: Sql, extra: str, shown: tuple[tuple[str, str], ...]
) -> None:
    """What SQL put where pairs are expected is shown as it is and breaks nothing."""
    lead_id = sql.lead(extra=extra)

    assert shown == (await storage.run(lambda unit: unit.leads.get(lead_id))).extra


# --- repeats ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "is_twin"),
    [
        ("acting", "acting", True),
        ("acting", None, True),
        (None, "acting", True),
        (None, None, True),
        ("acting", "oratory", False),
    ],
)
async def test_twin_has_the_same_course_or_one_unknown(
    storage: Storage, before: str | None, now: str | None, is_twin: bool
) -> None:
    """A second post of a phone repeats the first, unless it asks for another course."""
    lead_id = await _add(storage, course=before)

    found = await _id(storage, lambda unit: unit.leads.find_twin(PHONE, now, MONDAY_10))

    assert (lead_id if is_twin else None) == found


async def test_twin_is_no_older_than_asked(storage: Storage) -> None:
    """After a while the same phone is a new request."""
    lead_id = await _add(storage)

    found = [
        await _id(storage, lambda unit, s=since: unit.leads.find_twin(PHONE, None, s))
        for since in (MONDAY_10, MONDAY_10 + timedelta(seconds=1))
    ]
    assert [lead_id, None] == found


async def test_twin_is_the_newest(storage: Storage) -> None:
    """Of several the newest is repeated, and nobody else's."""
    await _add(storage)
    newest = await _add(storage)
    await _add(storage, phone=OTHER_PHONE)

    assert newest == await _id(storage, lambda u: u.leads.find_twin(PHONE, None, MONDAY_10))


# --- the client's other requests ----------------------------------------------------------------


async def test_earlier_is_the_last_one_before(storage: Storage) -> None:
    """A card tells of the request just before, of the same phone."""
    await _add(storage)
    before = await _add(storage)
    await _add(storage, phone=OTHER_PHONE)
    lead_id = await _add(storage)
    await _add(storage)

    lead = make_lead(id=lead_id)
    assert before == await _id(storage, lambda unit: unit.leads.find_earlier(lead))


async def test_first_request_has_no_earlier(storage: Storage) -> None:
    """A new client has no history."""
    lead_id = await _add(storage)

    lead = make_lead(id=lead_id)
    assert await _id(storage, lambda unit: unit.leads.find_earlier(lead)) is None


async def test_strangers_without_a_phone_are_no_client(storage: Storage) -> None:
    """Two leads whose phones were not understood are not each other's history."""
    await _add(storage, phone=None)
    lead_id = await _add(storage, phone=None)

    lead = make_lead(id=lead_id, phone=None)
    assert await _id(storage, lambda unit: unit.leads.find_earlier(lead)) is None


async def test_active_is_the_one_whose_campaign_runs(storage: Storage) -> None:
    """Of all requests of a phone, the one with the campaign is found."""
    await _add(storage)
    running = await _add(storage)
    await _change(storage, running, campaign_active=True)

    found = [
        await _id(storage, lambda unit, p=phone: unit.leads.find_active(p))
        for phone in (PHONE, OTHER_PHONE)
    ]
    assert [running, None] == found


async def test_nobody_without_a_phone_is_active(storage: Storage) -> None:
    """Campaigns of leads without a phone, which only SQL can make, are nobody else's."""
    for _ in range(2):
        await _change(storage, await _add(storage, phone=None), campaign_active=True)

    assert await _id(storage, lambda unit: unit.leads.find_active(None)) is None


async def test_of_phone_lists_all_oldest_first(storage: Storage) -> None:
    """Every request of a client, in the order they came."""
    ids = [await _add(storage) for _ in range(3)]
    await _add(storage, phone=OTHER_PHONE)

    found = await storage.run(lambda unit: unit.leads.of_phone(PHONE))

    assert ids == [lead.id for lead in found]


@pytest.mark.parametrize(
    ("came", "phone", "recalled"),
    [
        pytest.param(MONDAY_10 + MINUTE, PHONE, True, id="after the start"),
        pytest.param(MONDAY_10, PHONE, True, id="at the start"),
        pytest.param(MONDAY_10 - MINUTE, PHONE, False, id="before the start"),
        pytest.param(MONDAY_10 + MINUTE, OTHER_PHONE, False, id="another client"),
    ],
)
async def test_recall_came_while_the_campaign_ran(
    storage: Storage, came: datetime, phone: str, recalled: bool
) -> None:
    """A client who asks again during a campaign recalls it; who had asked before does not."""
    running = await _add(storage, MONDAY_10 - timedelta(days=1))
    await _change(storage, running, campaign_active=True, campaign_started_at=MONDAY_10)
    again = await _add(storage, came, phone=phone)

    async def ask(unit: Unit) -> bool:
        return await unit.leads.is_recall(
            await unit.leads.get(running), await unit.leads.get(again)
        )

    assert recalled == await storage.run(ask)


async def test_older_request_recalls_nothing(storage: Storage) -> None:
    """Only a later request can recall; a lead does not recall its own campaign either."""
    older = await _add(storage)
    running = await _add(storage)
    await _change(storage, running, campaign_active=True, campaign_started_at=MONDAY_10)

    async def ask(unit: Unit) -> list[bool]:
        lead = await unit.leads.get(running)
        others = [await unit.leads.get(older), lead]
        return [await unit.leads.is_recall(lead, other) for other in others]

    assert [False, False] == await storage.run(ask)


async def test_newest_undecided_request_is_the_recall(storage: Storage) -> None:
    """Of the requests during a campaign, the newest without an outcome is the one to call."""
    running = await _add(storage)
    await _change(storage, running, campaign_active=True, campaign_started_at=MONDAY_10)
    alone = await storage.run(lambda u: _recall(u, running))
    ids = [await _add(storage) for _ in range(3)]
    await _change(storage, ids[2], is_target=False)

    assert (None, ids[1]) == (alone, await storage.run(lambda u: _recall(u, running)))


async def _recall(unit: Unit, running: int) -> int | None:
    return await unit.leads.find_recall(await unit.leads.get(running))
