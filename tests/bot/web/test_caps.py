"""How often one may post: in all, from one address, with one phone; and robots."""

from ipaddress import ip_network
from typing import Any

import pytest

from bot.demo.clock import Conductor
from storage.storage import Storage
from tests.bot.web.conftest import TOKEN, Answer, Opener, SidePort, form_post
from tests.builders import MONDAY_10, PHONE

TRUSTED = {"trusted_proxies": (ip_network("127.0.0.1/32"),)}
ALICE, BOB = "198.51.100.1", "198.51.100.2"


async def posted(side: SidePort, times: int, first: int = 0, **headers: str) -> list[Answer]:
    """Answers to posts with so many different phones."""
    numbers = range(first, first + times)
    return [await side.post({"phone": f"7900123{n:04}"}, **headers) for n in numbers]


def told(answers: list[Answer]) -> list[int]:
    """Their statuses."""
    return [answer.status for answer in answers]


# --- an address ---------------------------------------------------------------------------------


async def test_address_over_its_cap_is_put_off(open_port: Opener) -> None:
    """An address over its cap gets 429 until its minute is over; others are served meanwhile."""
    clock = Conductor(MONDAY_10)
    side = await open_port(clock=clock, form=TRUSTED | {"max_per_minute_per_address": 3})

    alice = await posted(side, 4, X_Forwarded_For=ALICE)
    bob = await posted(side, 1, 10, X_Forwarded_For=BOB)
    seconds = int(alice[3].headers["Retry-After"])
    clock.jump(seconds)
    again = await posted(side, 1, 3, X_Forwarded_For=ALICE)

    assert [200, 200, 200, 429] == told(alice)
    assert {"status": "error", "error": "too many requests"} == alice[3].body
    assert 55 <= seconds <= 60
    assert [200] == told(bob)
    assert ["accepted"] == [answer.body["status"] for answer in again]
    assert 1 == side.noise.totals["too_often_address"]


async def test_address_over_its_cap_leaves_room_for_others(open_port: Opener) -> None:
    """Refused requests of one address use up nothing of the cap on all."""
    form = TRUSTED | {"max_per_minute": 5, "max_per_minute_per_address": 3}
    side = await open_port(form=form)

    await posted(side, 50, X_Forwarded_For=ALICE)

    assert [200, 200, 429] == told(await posted(side, 3, 100, X_Forwarded_For=BOB))


async def test_unknown_proxy_is_not_capped_as_an_address(open_port: Opener) -> None:
    """A proxy on this machine whose word does not count stands for everybody: only the cap on all
    counts, whatever the header says."""
    side = await open_port(form={"max_per_minute": 5, "max_per_minute_per_address": 2})

    answers = [
        await side.post({"phone": f"7900123456{n}"}, X_Forwarded_For=f"198.51.100.{n}")
        for n in range(6)
    ]

    assert [200, 200, 200, 200, 200, 429] == told(answers)
    assert [("127.0.0.1",)] == side.sql("SELECT DISTINCT sender FROM raw_requests")


async def test_wrong_token_uses_up_nothing(open_port: Opener) -> None:
    """Requests without the token do not count, so nobody can lock the forms out."""
    side = await open_port(form=TRUSTED | {"max_per_minute": 2, "max_per_minute_per_address": 2})
    strange = form_post({"phone": PHONE}, {"X-Forwarded-For": ALICE}).replace(
        TOKEN.encode(), b"wrong"
    )
    for _ in range(10):
        assert 401 == (await side.send(strange)).status

    assert [200] == told(await posted(side, 1, X_Forwarded_For=ALICE))
    assert 10 == side.noise.totals["wrong_token"]


async def test_sender_is_kept_with_the_raw_request(open_port: Opener) -> None:
    """With a trusted proxy the visitor's own address is kept beside what was posted."""
    side = await open_port(form=TRUSTED)

    await side.post({"phone": PHONE}, X_Forwarded_For=f"8.8.8.8, {ALICE}")

    assert [(ALICE,)] == side.sql("SELECT sender FROM raw_requests")


# --- a phone ------------------------------------------------------------------------------------


def post_of(number: int, phone: str = PHONE) -> dict[str, Any]:
    """A post with the phone that differs from all others."""
    return {"phone": phone, "comment": f"Вопрос {number}"}


async def test_phone_over_its_cap_is_put_off(open_port: Opener) -> None:
    """One post too many with a phone gets 429 and changes nothing; an hour later it is taken."""
    clock = Conductor(MONDAY_10)
    side = await open_port(clock=clock, max_per_hour_per_phone=3)

    answers = [await side.post(post_of(number)) for number in range(4)]
    kept = side.sql("SELECT count(*) FROM raw_requests")
    other = await side.post(post_of(9, "79001234568"))
    seconds = int(answers[3].headers["Retry-After"])
    clock.jump(seconds)
    again = await side.post(post_of(3))

    assert [200, 200, 200, 429] == told(answers)
    assert 3590 <= seconds <= 3600
    assert [(3,)] == kept
    assert "accepted" == other.body["status"]
    assert "accepted" == again.body["status"]
    assert 1 == side.noise.totals["too_often_phone"]


async def test_phone_is_one_however_it_is_written(open_port: Opener) -> None:
    """The cap is the phone's, not the text's."""
    side = await open_port(max_per_hour_per_phone=2)
    written = ("+7 (900) 123-45-67", "89001234567", "9001234567")

    assert [200, 200, 429] == [(await side.post({"phone": text})).status for text in written]


async def test_posts_without_a_phone_have_no_common_cap(open_port: Opener) -> None:
    """What has no usable phone is kept each time: nobody knows whether it is one client."""
    side = await open_port(max_per_hour_per_phone=1)

    answers = [await side.post({"name": f"Клиент {number}"}) for number in range(3)]

    assert ["unparsed"] * 3 == [answer.body["status"] for answer in answers]


async def test_what_was_not_stored_does_not_count(open_port: Opener, storage: Storage) -> None:
    """Posts that met a broken database do not use up the phone's cap: the retry is taken."""
    side = await open_port(max_per_hour_per_phone=1)
    side.sql("ALTER TABLE raw_requests RENAME TO hidden")
    refused = [await side.post(post_of(0)) for _ in range(3)]
    side.sql("ALTER TABLE hidden RENAME TO raw_requests")

    assert [503] * 3 == told(refused)
    assert "accepted" == (await side.post(post_of(0))).body["status"]


# --- robots -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b'{"phone": "79001234567", "Hp_71": "x"}', "application/json", id="JSON"),
        pytest.param(b"phone=79001234567&hp_71=x", "application/x-www-form-urlencoded", id="form"),
        pytest.param(b"phone=79001234567&f[hp_71]=x", "text/plain", id="nested"),
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="hp_71"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
            id="multipart",
        ),
    ],
)
async def test_robot_is_thanked_and_dropped(
    open_port: Opener, body: bytes, content_type: str
) -> None:
    """Who fills in the field that people do not see is answered 200; nothing is stored."""
    side = await open_port(honeypot="hp_71")

    answer = await side.post(body, Content_Type=content_type)

    assert (200, {"status": "ok"}) == (answer.status, answer.body)
    assert 0 == side.leads
    assert 1 == side.noise.totals["robot"]


async def test_empty_honeypot_is_a_person(open_port: Opener) -> None:
    """The field left empty, as people's browsers send it, changes nothing."""
    side = await open_port(honeypot="hp_71")

    answer = await side.post({"phone": PHONE, "hp_71": " "})

    assert "accepted" == answer.body["status"]


async def test_without_a_honeypot_every_field_is_a_lead_s(open_port: Opener) -> None:
    """While none is configured nothing is dropped."""
    side = await open_port()

    answer = await side.post({"phone": PHONE, "hp_71": "x", "": "y"})

    assert "accepted" == answer.body["status"]


async def test_browser_robot_sees_the_thanks(open_port: Opener) -> None:
    """A robot that acts as a browser gets the same page as people."""
    side = await open_port(honeypot="hp_71")

    robot = await side.post({"phone": PHONE, "hp_71": "x"}, Accept="text/html")
    person = await side.post({"phone": PHONE}, Accept="text/html")

    assert (200, robot.body) == (person.status, person.body)
    assert "no-referrer" == person.headers["Referrer-Policy"]


# --- browsers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(form_post({"phone": PHONE}), 200, id="taken"),
        pytest.param(form_post(b"", {"Content-Length": "300000"}), 413, id="too long"),
        pytest.param(form_post({"phone": PHONE}).replace(TOKEN.encode(), b"x"), 401, id="no token"),
    ],
)
async def test_page_can_read_every_answer(open_port: Opener, data: bytes, status: int) -> None:
    """A page of an allowed origin is told why it was refused, too."""
    origin = "https://school.example"
    side = await open_port(form={"allowed_origins": (origin,)})

    answer = await side.send(data.replace(b"Host:", f"Origin: {origin}\r\nHost:".encode(), 1))

    assert status == answer.status
    assert origin == answer.headers["Access-Control-Allow-Origin"]
    assert "Origin" == answer.headers["Vary"]
