"""`POST /leads` over real HTTP: what every sender posts, repeats, limits, and hostile bodies."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.demo.stage import LEADS_TOKEN, Stage, until
from tests.scenarios.acts import (
    PHONE,
    Expected,
    card_shows,
    cards,
    database,
    in_sql,
    lead,
    lead_arrives,
    sql,
)

FORMS = Path(__file__).parents[1] / "samples" / "forms"
SAMPLES: list[dict[str, Any]] = json.loads((FORMS / "index.json").read_text("utf-8"))
KEPT = ("name", "phone", "phone_raw", "course", "email", "comment", "submission_id")
THANKS = "https://school.example/thanks"
JSON = {"Content-Type": "application/json"}


async def post_body(stage: Stage, body: bytes, content_type: str | None) -> tuple[int, Any]:
    """Post a body as it is, with that content type or none at all."""
    headers = {"Content-Type": content_type} if content_type else {}
    skipped = () if content_type else ("Content-Type",)
    return await stage.post("/leads", data=body, headers=headers, skip_auto_headers=skipped)


async def test_every_sender_is_understood(stage: Stage) -> None:
    """Each recorded sample gets its answer and one card; its repeat is the same lead again."""
    await stage.start_daemon()

    leads: dict[int, dict[str, Any]] = {}
    for sample in SAMPLES:
        body = (FORMS / sample["file"]).read_bytes()
        status, answer = await post_body(stage, body, sample["content_type"])
        assert (200, sample["answer"]) == (status, answer["status"]), sample["file"]
        again = await post_body(stage, body, sample["content_type"])
        if sample["answer"] == "ok":
            assert (200, {"status": "ok"}) == again
            continue
        assert (200, {"status": "duplicate", "lead_id": answer["lead_id"]}) == again
        leads[answer["lead_id"]] = sample["lead"]
    for lead_id, wanted in leads.items():
        stored = lead(stage, lead_id)
        assert {key: wanted[key] for key in KEPT} == {key: stored[key] for key in KEPT}
        shown = await card_shows(stage, lead_id, wanted["name"])
        assert f"+{wanted['phone']}" in shown.text or "номер не распознан" in shown.text

    assert len(leads) == sql(stage, "SELECT count(*) FROM leads")[0][0]
    assert 2 * len(leads) == sql(stage, "SELECT count(*) FROM raw_requests")[0][0]
    assert [1] * len(leads) == [len(cards(stage, lead_id)) for lead_id in leads]


async def test_repeat_brings_its_new_comment_to_the_card(stage: Stage) -> None:
    """The same client within ten minutes makes no second card; what is new joins the first."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage, comment="Первый")
    await card_shows(stage, lead_id, "💬 Первый")

    form = {"phone": PHONE, "course": "acting", "comment": "Второй", "email": "anna@example.com"}
    for _ in range(2):
        status, answer = await stage.post("/leads", json=form)
        assert (200, {"status": "duplicate", "lead_id": lead_id}) == (status, answer)
    shown = await card_shows(stage, lead_id, "💬 клиент: Второй", "✉️ anna@example.com")
    assert 1 == shown.text.count("Второй")
    stage.clock.jump(660)
    status, answer = await stage.post("/leads", json=form)
    assert (200, "accepted") == (status, answer["status"])
    second = await card_shows(stage, answer["lead_id"], "Второй")

    assert f"🔁 Уже обращался: заявка №{lead_id}" in second.text
    assert 1 == len(cards(stage, lead_id))


HOSTILE = {
    "NaN": (b'{"name": NaN, "phone": "+79001234567", "age": Infinity}', "accepted"),
    "depth bomb": (b"[" * 100_000, "unparsed"),
    "nested bomb": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "unparsed"),
    "5000-digit number": (b'{"phone": ' + b"9" * 5000 + b"}", "unparsed"),
    "NUL": (b'{"name": "A\\u0000B", "phone": "+79001234568"}', "accepted"),
    "lone surrogate": (b'{"name": "\\ud800", "phone": "+79001234569"}', "accepted"),
    "huge name": (
        json.dumps({"name": "Ж" * 40_000, "phone": "+79001234570"}, ensure_ascii=False).encode(),
        "accepted",
    ),
    "markup": (
        '{"name": "<b>Жирный</b> &amp; {{name}}", "phone": "+79001234571"}'.encode(),
        "accepted",
    ),
    "direction marks": ('{"name": "\u202eанна", "phone": "+79001234572"}'.encode(), "accepted"),
    "not UTF-8": (b'{"name": "\xff\xfe", "phone": "+79001234573"}', "accepted"),
    "many fields": (
        json.dumps(
            {"phone": "+79001234574"} | {f"поле {n}": "x" * 50 for n in range(1500)}
        ).encode(),
        "accepted",
    ),
    "nothing of ours": (b"\x00\x01\x02", "unparsed"),
}


async def test_hostile_bodies_are_survived(stage: Stage) -> None:
    """Whatever is posted is kept and shown as a card that Telegram takes."""
    await stage.start_daemon()

    for name, (body, wanted) in HOSTILE.items():
        status, answer = await post_body(stage, body, "application/json")
        assert (200, wanted) == (status, answer["status"]), name
    for lead_id in range(1, len(HOSTILE) + 1):
        await card_shows(stage, lead_id, f"Заявка №{lead_id}")

    kept = sql(stage, "SELECT body FROM raw_requests ORDER BY id")
    assert [body for body, _ in HOSTILE.values()] == [row["body"] for row in kept]
    assert [] == [call for call in stage.telegram.journal.of("sendMessage") if not call.ok]
    assert "200" == str((await stage.ask("GET", "/healthz"))[0])


async def test_the_gate_of_the_form(stage: Stage) -> None:
    """No token, too long, too slow, too often: each refused by its own status, nothing stored."""
    stage.settings = {"webhook.max_per_minute": 8, "webhook.thanks_url": THANKS}
    await stage.start_daemon()
    form = {"name": "Анна", "phone": PHONE}

    for headers in ({}, {"X-Webhook-Token": "wrong"}, {"Authorization": "Bearer wrong"}):
        refused = await stage.request("POST", "/leads", json=form, headers=headers)
        assert 401 == refused.status
        assert LEADS_TOKEN not in str(refused)
    assert 401 == await _status_before_the_body(stage, token="wrong")

    long = b'{"name": "' + b"x" * 256 * 1024 + b'"}'
    assert 413 == (await stage.post("/leads", data=long, headers=JSON))[0]
    assert 413 == (await stage.post("/leads", data=_in_chunks(long), headers=JSON))[0]
    began = stage.clock.now()
    assert 408 == await _status_before_the_body(stage, token=LEADS_TOKEN)
    assert timedelta(seconds=10) <= stage.clock.now() - began < timedelta(seconds=120)
    for place in ("header", "bearer", "query"):
        assert 200 == (await _with_token_in(stage, place, form)).status
    assert 1 == sql(stage, "SELECT count(*) FROM leads")[0][0]

    own_post = {"X-Webhook-Token": LEADS_TOKEN, "Accept": "text/html,*/*"}
    sent_on = await stage.request("POST", "/leads", data=form, headers=own_post)
    assert (303, THANKS) == (sent_on.status, sent_on.headers["Location"])
    for _ in range(2):
        await stage.post("/leads", json=form)
    refused = await stage.request(
        "POST", "/leads", json=form, headers={"X-Webhook-Token": LEADS_TOKEN}
    )
    assert 429 == refused.status
    stage.clock.jump(int(refused.headers["Retry-After"]) + 1)
    assert 200 == (await stage.post("/leads", json=form))[0]


async def _with_token_in(stage: Stage, place: str, form: dict[str, str]) -> Any:
    if place == "query":
        return await stage.request("POST", f"/leads?token={LEADS_TOKEN}", data=form)
    bearer = {"Authorization": f"Bearer {LEADS_TOKEN}"}
    headers = bearer if place == "bearer" else {"X-Webhook-Token": LEADS_TOKEN}
    return await stage.request("POST", "/leads", data=form, headers=headers)


async def _in_chunks(body: bytes) -> Any:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


async def _status_before_the_body(stage: Stage, token: str) -> int:
    """Promise a body, send only its first bytes, and read the status that comes anyway."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.daemon.port)
    head = (
        "POST /leads HTTP/1.1\r\nHost: school.example\r\nContent-Type: application/json\r\n"
        f"X-Webhook-Token: {token}\r\nContent-Length: 1000\r\n\r\n"
    )
    writer.write(head.encode() + b'{"name": ')
    line = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return int(line.split()[1])


async def test_browser_forms(stage: Stage) -> None:
    """Allowed origins get CORS, others do not; a browser's own post is thanked."""
    origin = "https://school.example"
    stage.settings = {"webhook.allowed_origins": [origin]}
    await stage.start_daemon()
    form = {"name": "Анна", "phone": PHONE}
    path = f"/leads?token={LEADS_TOKEN}"

    allowed = await stage.request("OPTIONS", path, headers={"Origin": origin})
    stranger = await stage.request("OPTIONS", path, headers={"Origin": "https://stranger.example"})
    posted = await stage.request("POST", path, json=form, headers={"Origin": origin})
    thanked = await stage.request("POST", path, data=form, headers={"Accept": "text/html,*/*"})

    assert (204, origin) == (allowed.status, allowed.headers["Access-Control-Allow-Origin"])
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    assert 403 == stranger.status
    assert "Access-Control-Allow-Origin" not in stranger.headers
    assert (200, origin) == (posted.status, posted.headers["Access-Control-Allow-Origin"])
    assert 200 == thanked.status
    assert "Спасибо!" in thanked.body
    assert 1 == sql(stage, "SELECT count(*) FROM leads")[0][0]


async def test_locked_database_is_told_and_nothing_is_lost(
    stage: Stage, expected: Expected
) -> None:
    """While another program holds the database, a form gets 503; its retry is accepted."""
    expected.errors = {
        *("lead_not_stored", "outbox_broke", "queue_not_read", "welcomes_broke", "pass_broke"),
        "housekeeping_broke",
    }
    await stage.start_daemon()
    await until(lambda: stage.daemon.events("pass_done"), "first pass")
    form = {"name": "Анна", "phone": PHONE, "course": "acting"}

    with database(stage) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = await stage.request(
            "POST", "/leads", json=form, headers={"X-Webhook-Token": LEADS_TOKEN}
        )
        other.execute("ROLLBACK")
    assert 503 == refused.status
    assert 0 < int(refused.headers["Retry-After"])
    status, answer = await stage.post("/leads", json=form)
    await card_shows(stage, 1, "Анна")

    assert (200, {"status": "accepted", "lead_id": 1}) == (status, answer)
    assert in_sql(stage.clock.now())[:10] == lead(stage)["created_at"][:10]
