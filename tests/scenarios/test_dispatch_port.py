"""`/dispatch`: an admin's script asks for a pass, or sends a test message."""

import asyncio
from itertools import pairwise
from typing import Any

from bot.demo.stage import ADMIN_TOKEN, LEADS_TOKEN, Stage, until
from greenapi.emulator import ACCEPT_THEN_RESET, bad_request
from tests.scenarios.acts import (
    dispatch,
    insert_lead,
    insert_row,
    lead,
    row,
    texts,
)

TEST = {"phone": "+7 (900) 555-00-01", "message": "Проверка связи"}
PHONE = "79005550001"


async def test_pass_on_demand(stage: Stage) -> None:
    """A pass reports what it did; during it others are told 409; nothing is sent twice."""
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    for number in (1, 2, 3):
        lead_id = insert_lead(stage, f"7900556000{number}")
        insert_row(stage, lead_id, f"Текст {number}", stage.clock.now())
    waiting = insert_row(stage, lead_id, "Ещё одно", stage.clock.now())

    running = asyncio.create_task(stage.ask("GET", "/dispatch", token=ADMIN_TOKEN))
    await until(lambda: stage.green.accepted, "the pass sends")
    assert (409, {"status": "busy"}) == await stage.post("/dispatch", token=ADMIN_TOKEN)
    status, report = await running
    assert (200, 3, 0, 1) == (status, report["sent"], report["failed"], report["pending"])
    assert [1, 1, 1] == [len(texts(stage, f"7900556000{n}")) for n in (1, 2, 3)]
    pauses = [(b.at - a.at).total_seconds() for a, b in pairwise(stage.green.accepted)]
    assert all(5 <= pause < 60 for pause in pauses)

    status, report = await dispatch(stage)
    assert (200, 0, 1, 1) == (status, report["sent"], report["postponed"], report["pending"])
    assert "между сообщениями одному клиенту нужен перерыв" == row(stage, waiting)["error_message"]


async def test_who_may_ask_and_held(stage: Stage) -> None:
    """Only the admin token opens it; an instance that cannot send is told as held."""
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")

    for token in ("", LEADS_TOKEN, "wrong"):
        for verb in ("GET", "POST"):
            assert 401 == (await stage.ask(verb, "/dispatch", token=token))[0]
    bearer = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    assert 200 == (await stage.request("POST", "/dispatch", headers=bearer)).status
    stage.green.state = "notAuthorized"
    stage.clock.jump(61)
    status, answer = await dispatch(stage)
    assert (503, "held") == (status, answer["status"])
    assert answer["reason"].startswith("WhatsApp не привязан")


async def test_test_messages(stage: Stage) -> None:
    """Each outcome of a test message has its status; it leaves past the queue and its gap."""
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    lead_id = insert_lead(stage, PHONE)
    insert_row(stage, lead_id, "Из очереди", stage.clock.now())

    status, answer = await dispatch(stage, json=TEST)
    assert (200, "sent") == (status, answer["status"])
    assert stage.green.accepted[0].id_message == answer["id_message"]
    assert lead(stage, lead_id)["last_whatsapp_sent_at"] is None
    assert 1 == (await dispatch(stage))[1]["sent"]
    for body in _UNUSABLE:
        assert 422 == (await dispatch(stage, data=body))[0], body
    stage.green.fail_next("sendMessage", bad_request("Validation failed"))
    status, answer = await dispatch(stage, json=TEST)
    assert (502, "failed") == (status, answer["status"])
    assert "Validation failed" in answer["error"]
    stage.green.fail_next("sendMessage", ACCEPT_THEN_RESET)
    other = TEST | {"message": "Другая проверка"}
    status, answer = await dispatch(stage, json=other)
    assert (504, "unknown") == (status, answer["status"])

    assert ["Проверка связи", "Из очереди", "Другая проверка"] == texts(stage, PHONE)


_UNUSABLE: tuple[Any, ...] = (
    b'{"phone": "12-34", "message": "x"}',
    b'{"message": "x"}',
    b'{"phone": "79005550001"}',
    b'{"phone": "79005550001", "message": "  "}',
    b'{"phone": "79005550001", "message": ["x"]}',
    b"[]",
    b"not json",
)
