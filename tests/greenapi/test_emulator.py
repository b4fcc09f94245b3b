"""The emulated provider, asked by plain HTTP: what it takes, refuses, queues and delivers."""

import asyncio
import json
from datetime import timedelta

import aiohttp
import pytest

from greenapi import emulator
from greenapi.emulator import GreenApiEmulator

HELLO = {"chatId": "79001234567@c.us", "message": "Здравствуйте!"}


@pytest.fixture
def ask(session, green, token):
    """Ask the emulator anything; the status and the body come back."""

    async def ask(verb, method, *, instance="1101000001", token=token, **body):
        url = f"{green.url}/waInstance{instance}/{method}/{token}"
        async with session.request(verb, url, **body) as response:
            text = await response.text()
            return response.status, text

    return ask


@pytest.fixture
def send(ask):
    """Send a message; the status comes back."""

    async def send(chat_id=HELLO["chatId"], message="Здравствуйте!"):
        status, _ = await ask("POST", "sendMessage", json={"chatId": chat_id, "message": message})
        return status

    return send


class TestGate:
    @pytest.mark.parametrize(
        ("verb", "method", "changes", "status"),
        [
            ("GET", "getStateInstance", {}, 200),
            ("GET", "GetStateInstance", {}, 200),
            ("GET", "getStateInstance", {"instance": "1101000002"}, 403),
            ("GET", "getStateInstance", {"instance": "x"}, 403),
            ("GET", "getStateInstance", {"token": "other"}, 401),
            ("POST", "getStateInstance", {}, 404),
            ("GET", "sendMessage", {}, 404),
            ("GET", "reboot", {}, 404),
            ("GET", "lastOutgoingMessages", {}, 200),
            ("POST", "lastOutgoingMessages", {}, 404),
            ("GET", "getStateInstance/more", {}, 404),
        ],
    )
    async def test_statuses(self, ask, verb, method, changes, status):
        """The gate answers as the service does to a wrong verb, id or token."""
        answered, _ = await ask(verb, method, **changes)

        assert answered == status

    async def test_wrong_token_says_nothing(self, ask):
        """A wrong token gets an empty body."""

        assert await ask("GET", "getSettings", token="other") == (401, "")

    async def test_rate(self, ask, clock):
        """The second read within a second is refused, the one after it is not."""
        clock.run_at(0.001)
        answers = [(await ask("GET", "getSettings"))[0] for _ in range(2)]
        clock.jump(1)
        answers.append((await ask("GET", "getSettings"))[0])

        assert answers == [200, 429, 200]

    async def test_rate_by_method(self, ask):
        """Each method has a limit of its own."""
        answers = [(await ask("GET", method))[0] for method in ("getSettings", "getWaSettings")]

        assert answers == [200, 200]

    async def test_rate_when_clock_goes_back(self, ask, clock):
        """A clock that is set back neither earns nor costs calls."""
        clock.run_at(0.001)
        await ask("GET", "getSettings")
        clock.jump(-3600)
        answers = [(await ask("GET", "getSettings"))[0]]
        clock.jump(1)
        answers.append((await ask("GET", "getSettings"))[0])

        assert answers == [429, 200]

    async def test_calls(self, ask, green, clock):
        """Every request is recorded with its time and status, in order of arrival."""
        await ask("GET", "GETSETTINGS")
        clock.jump(60)
        await ask("POST", "sendMessage", token="other", json=HELLO)

        assert [(call.method, call.status) for call in green.calls] == [
            ("getSettings", 200),
            ("sendMessage", 401),
        ]
        assert green.calls[1].at - green.calls[0].at >= timedelta(seconds=60)


class TestSending:
    async def test_delivered(self, ask, green, clock):
        """A message is accepted with an id and shown by the client's phone."""
        _, answer = await ask("POST", "sendMessage", json=HELLO)

        [message] = green.accepted
        [shown] = green.phone("79001234567")
        assert answer == f'{{"idMessage": "{message.id_message}"}}'
        assert (shown.text, shown.id_message) == ("Здравствуйте!", message.id_message)
        assert clock.now() - shown.at < timedelta(seconds=5)

    async def test_ids(self, send, green):
        """Ids are twenty upper-case hex digits beginning 3EB0, each one new."""
        for _ in range(3):
            await send()

        ids = [message.id_message for message in green.accepted]
        assert len(set(ids)) == 3
        assert all(len(each) == 20 and each.startswith("3EB0") for each in ids)
        assert all(int(each, 16) and each == each.upper() for each in ids)

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            (b"oops", "Unexpected token o in JSON"),
            (b"\xff", "in JSON at position 0"),
            (b"\xef\xbb\xbf{}", "in JSON at position 0"),
            (b"[]", "'chatId' must be"),
            (b'{"message": "x"}', "'chatId' must be"),
            (b'{"chatId": 79001234567, "message": "x"}', "'chatId' must be"),
            (b'{"chatId": "+79001234567@c.us", "message": "x"}', "'chatId' must be"),
            (b'{"chatId": "79001234567", "message": "x"}', "'chatId' must be"),
            (b'{"chatId": "79001234567@c.us"}', "'message' is not allowed"),
            (b'{"chatId": "79001234567@c.us", "message": ""}', "'message' is not allowed"),
            (b'{"chatId": "79001234567@c.us", "message": 5}', "'message' is not allowed"),
            (
                b'{"chatId": "79001234567@c.us", "message": "%s"}' % (b"x" * 20_001),
                "'message' length must be less than or equal to 20000",
            ),
        ],
        ids=lambda value: ascii(value)[:40],
    )
    async def test_validation(self, ask, green, token, body, complaint):
        """A bad body is refused with a 400 that, as the real one, echoes the token."""
        status, text = await ask("POST", "sendMessage", data=body)

        assert status == 400
        assert complaint in text
        assert f"/waInstance1101000001/sendMessage/{token}" in text
        assert green.accepted == []

    async def test_longest_message(self, send):
        """Twenty thousand characters are still taken."""

        assert await send(message="я" * 20_000) == 200

    async def test_no_account(self, send, green):
        """A number without WhatsApp is accepted all the same, and shows nothing."""
        green.without_account.add("79001234567")
        status = await send()

        assert (status, len(green.accepted), green.delivered) == (200, 1, [])

    async def test_queue(self, send, green, clock):
        """While not authorized the service accepts, keeps, and later bursts."""
        green.state = "notAuthorized"
        statuses = [await send(message="one"), await send(message="two")]
        waiting = [message.text for message in green.queue]
        shown_before = green.phone("79001234567")
        clock.jump(3600)
        green.state = "authorized"

        assert (statuses, waiting, shown_before) == ([200, 200], ["one", "two"], [])
        assert [message.text for message in green.phone("79001234567")] == ["one", "two"]
        assert green.delivered[0].at - green.accepted[0].at >= timedelta(hours=1)
        assert green.queue == []

    async def test_queue_forgets(self, send, green, clock):
        """What waited a whole day is dropped."""
        green.state = "notAuthorized"
        await send()
        clock.jump(24 * 3600)
        green.state = "authorized"

        assert (green.delivered, green.queue) == ([], [])


class TestReads:
    async def test_state(self, ask, green):
        """The state is told as it was set."""
        green.state = "yellowCard"

        assert await ask("GET", "getStateInstance") == (200, '{"stateInstance": "yellowCard"}')
        assert green.state == "yellowCard"

    @pytest.mark.parametrize(
        ("state", "phone", "wid"),
        [("authorized", "79000000001", "79000000001@c.us"), ("notAuthorized", "", "")],
    )
    async def test_linked_phone(self, session, green, token, state, phone, wid):
        """The linked phone is told only while authorized."""
        green.state = state
        answers = {}
        for method in ("getWaSettings", "getSettings"):
            url = f"{green.url}/waInstance1101000001/{method}/{token}"
            async with session.get(url) as response:
                answers |= await response.json()

        assert (answers["phone"], answers["wid"]) == (phone, wid)
        assert answers["stateInstance"] == state

    async def test_settings(self, ask, green):
        """A new instance has everything off and no webhook; a test may change that."""
        green.settings["webhookUrl"] = "https://example.com/hook"
        _, answer = await ask("GET", "getSettings")

        assert '"incomingWebhook": "no"' in answer
        assert '"webhookUrl": "https://example.com/hook"' in answer


class TestJournal:
    @pytest.fixture
    def clock(self, clock):
        """A clock that stands still until it is jumped."""
        clock.run_at(1e-9)
        return clock

    @pytest.fixture
    def journal(self, ask, clock):
        """What the journal tells, asked a second after the last time."""

        async def journal(**query):
            clock.jump(1)
            _, answer = await ask("GET", "lastOutgoingMessages", params=query)
            return json.loads(answer)

        return journal

    async def test_entry(self, send, green, clock, journal):
        """A message of the API's shows as an extended text, without a status by default."""
        await send()
        clock.jump(300)

        [message] = green.accepted
        text = {"text": "Здравствуйте!", "description": "", "title": "", "previewType": "None"}
        assert await journal() == [
            {
                "type": "outgoing",
                "idMessage": message.id_message,
                "timestamp": int(message.at.timestamp()),
                "statusMessage": "",
                "sendByApi": True,
                "typeMessage": "extendedTextMessage",
                "chatId": "79001234567@c.us",
                "textMessage": "Здравствуйте!",
                "extendedTextMessage": {**text, "jpegThumbnail": ""},
            }
        ]

    async def test_lag(self, send, green, clock, journal):
        """A message shows two minutes late, or as late as the test says."""
        await send()
        clock.jump(118)
        soon = await journal()
        late = await journal()
        green.journal.lag = timedelta()
        await send()
        at_once = await journal()

        assert [0, 1, 2] == [len(told) for told in (soon, late, at_once)]

    async def test_minutes(self, send, clock, journal):
        """Only the last so many minutes are told, newest first; a day unless said otherwise."""
        for text in ("1", "2", "3"):
            await send(message=text)
            clock.jump(12 * 3600 + 60)
        told = [await journal(), await journal(minutes=730), await journal(minutes=1)]

        texts = [[each["textMessage"] for each in journal] for journal in told]
        assert [["3"], ["3"], []] == texts
        assert ["3", "2", "1"] == [
            each["textMessage"] for each in await journal(minutes=60 * 24 * 7)
        ]

    @pytest.mark.parametrize("minutes", ["", "x", "-5", "1.5"])
    async def test_bad_minutes(self, ask, token, minutes):
        """Minutes that are no number are refused in the service's way."""
        status, text = await ask("GET", "lastOutgoingMessages", params={"minutes": minutes})

        assert (status, token in text) == (400, True)

    async def test_statuses(self, send, green, clock, journal):
        """With outgoingWebhook on, statuses are told, and the time is of the last thing done."""
        green.settings["outgoingWebhook"] = "yes"
        green.without_account.add("79007654321")
        green.state = "notAuthorized"
        await send()
        await send(chat_id="79007654321@c.us")
        clock.jump(3600)
        before = [each["statusMessage"] for each in await journal()]
        green.state = "authorized"
        clock.jump(300)
        after = [each["statusMessage"] for each in await journal(minutes=10)]

        assert (["pending", "pending"], ["delivered", "noAccount"]) == (before, after)

    async def test_foreign_send(self, green, clock, journal):
        """Somebody else's message is taken, delivered and told like any of the API's."""
        message = green.foreign_send("79001234567", "Скидки!")
        clock.jump(300)

        [told] = await journal()
        assert (True, message.id_message) == (told["sendByApi"], told["idMessage"])
        assert ["Скидки!"] == [each.text for each in green.phone("79001234567")]
        assert [message] == green.accepted

    async def test_foreign_send_waits(self, green):
        """While nothing is linked, somebody else's message waits in the queue as well."""
        green.state = "notAuthorized"
        message = green.foreign_send("79001234567", "Скидки!")

        assert ([message], []) == (green.queue, green.delivered)

    async def test_typed_on_phone(self, green, clock, journal):
        """What a person writes on the phone is delivered and told, but the API never took it."""
        green.state = "notAuthorized"
        message = green.typed_on_phone("79001234567", "Добрый день")
        clock.jump(300)

        [told] = await journal()
        assert (False, message.id_message) == (told["sendByApi"], told["idMessage"])
        assert "textMessage" == told["typeMessage"]
        assert "extendedTextMessage" not in told
        assert ([message], [], []) == (green.delivered, green.accepted, green.queue)

    async def test_ids(self, send, green):
        """No id is given twice, by whatever way a message left."""
        await send()
        green.foreign_send("79001234567", "Скидки!")
        green.typed_on_phone("79001234567", "Добрый день")
        await send()

        ids = {message.id_message for message in green.delivered}
        assert (4, 4) == (len(green.delivered), len(ids))


class TestScript:
    async def test_times(self, ask, green):
        """A fault holds for as many calls as ordered, then the next one, then none."""
        green.fail_next("sendMessage", emulator.status(500), times=2)
        green.fail_next("SENDMESSAGE", emulator.status(502))

        answers = [(await ask("POST", "sendMessage", json=HELLO))[0] for _ in range(4)]

        assert answers == [500, 500, 502, 200]

    async def test_other_methods_are_spared(self, ask, green):
        """A fault holds for its own method only."""
        green.fail_next("getSettings", emulator.status(500))
        status, _ = await ask("POST", "sendMessage", json=HELLO)

        assert status == 200

    @pytest.mark.parametrize(
        ("fault", "accepted"),
        [
            (emulator.status(502), 0),
            (emulator.status(502, accept=True), 1),
            (emulator.GARBAGE, 1),
            (emulator.HTML, 1),
            (emulator.WITHOUT_ID, 1),
            (emulator.STARTING, 0),
            (emulator.QUOTA, 0),
        ],
        ids=["502", "502 accepted", "garbage", "html", "no id", "starting", "quota"],
    )
    async def test_acceptance(self, send, green, fault, accepted):
        """Whether a message is taken in spite of a bad answer is the script's choice."""
        green.fail_next("sendMessage", fault)
        await send()

        assert (len(green.accepted), len(green.delivered)) == (accepted, accepted)

    async def test_bad_message_is_refused_first(self, ask, green):
        """A fault that accepts does not accept what the service would refuse."""
        green.fail_next("sendMessage", emulator.WITHOUT_ID)
        status, _ = await ask("POST", "sendMessage", json={})

        assert (status, green.accepted) == (400, [])

    async def test_complaint_echoes_token(self, ask, green, token):
        """A scripted 400 echoes the token as a real one does."""
        green.fail_next("getSettings", emulator.EXPIRED)
        status, text = await ask("GET", "getSettings")

        assert (status, token in text) == (400, True)

    @pytest.mark.parametrize(
        ("fault", "accepted"),
        [(emulator.RESET_BEFORE_ACCEPT, 0), (emulator.ACCEPT_THEN_RESET, 1)],
        ids=["before", "after"],
    )
    async def test_reset(self, send, green, fault, accepted):
        """A reset breaks the connection before or after acceptance, without an answer."""
        green.fail_next("sendMessage", fault)
        with pytest.raises(aiohttp.ClientOSError):
            await send()

        assert len(green.accepted) == accepted
        assert [call.status for call in green.calls] == [None]

    async def test_hang_after_acceptance(self, send, green):
        """A hanging request that was accepted answers properly when released."""
        green.fail_next("sendMessage", emulator.ACCEPT_THEN_HANG)
        green.on_accepted = lambda message: arrived.set()
        arrived = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(send())
            await arrived.wait()
            in_flight = green.in_flight
            green.release()

        assert (in_flight, green.in_flight) == (1, 0)
        assert sending.result() == 200

    async def test_hang_before_acceptance(self, send, green):
        """A hanging request that was never accepted is cut off when released."""
        green.fail_next("sendMessage", emulator.HANG)
        sending = asyncio.create_task(send())
        while not sending.done():
            green.release()
            await asyncio.sleep(0.005)

        assert isinstance(sending.exception(), aiohttp.ClientOSError)
        assert green.accepted == []

    async def test_hang_outlives_the_caller(self, send, green):
        """Releasing a request whose caller has given up troubles nobody."""
        green.fail_next("sendMessage", emulator.ACCEPT_THEN_HANG)
        accepted = asyncio.Event()
        green.on_accepted = lambda message: accepted.set()
        sending = asyncio.create_task(send())
        await accepted.wait()
        sending.cancel()
        await asyncio.sleep(0.02)  # the server sees the connection close
        in_flight = green.in_flight
        green.release()
        await asyncio.sleep(0.005)

        assert (in_flight, green.in_flight) == (1, 0)
        assert len(green.phone("79001234567")) == 1

    async def test_reset_after_the_caller_left(self, ask, green):
        """There is no connection left to reset, and nothing comes of it."""
        green.fail_next("getSettings", emulator.RESET_BEFORE_ACCEPT)
        arrived, gone = asyncio.Event(), asyncio.Event()

        async def wait_until_gone(call):
            arrived.set()
            await gone.wait()

        green.on_request = wait_until_gone
        sending = asyncio.create_task(ask("GET", "getSettings"))
        await arrived.wait()
        sending.cancel()
        await asyncio.sleep(0.02)  # the server sees the connection close
        gone.set()
        await asyncio.sleep(0.005)

        assert (green.in_flight, green.calls[0].status) == (0, None)

    async def test_slow(self, send, green, clock):
        """A slow answer comes when its time has passed on the clock."""
        green.fail_next("sendMessage", emulator.slow(60))
        green.on_accepted = lambda message: clock.run_at(1000)
        before = clock.now()
        status = await send()

        assert status == 200
        assert clock.now() - before >= timedelta(seconds=60)

    async def test_hooks(self, send, green):
        """The hooks are awaited before anything is done, and right after acceptance."""
        story = []

        async def requested(call):
            await asyncio.sleep(0)
            story.append((call.method, len(green.accepted)))

        async def accepted(message):
            await asyncio.sleep(0)
            story.append((message.text, len(green.accepted)))

        green.on_request, green.on_accepted = requested, accepted
        await send()

        assert story == [("sendMessage", 0), ("Здравствуйте!", 1)]


class TestLife:
    async def test_stop_while_hanging(self, clock, session, token):
        """Stopping cuts off requests that hang or take long, and does not wait for them."""
        green = GreenApiEmulator(clock, instance="1101000001", token=token)
        url_tail = f"/waInstance1101000001/sendMessage/{token}"
        both = asyncio.Event()
        green.on_request = lambda call: green.in_flight == 2 and both.set()

        async def hang():
            with pytest.raises(aiohttp.ClientError):
                await session.post(green.url + url_tail, json=HELLO)

        async with asyncio.TaskGroup() as group:
            async with green:
                green.fail_next("sendMessage", emulator.ACCEPT_THEN_HANG)
                green.fail_next("sendMessage", emulator.slow(3600))
                hanging = [group.create_task(hang()) for _ in range(2)]
                await both.wait()
                before = asyncio.get_running_loop().time()
            passed = asyncio.get_running_loop().time() - before

        assert passed < 2
        assert all(task.done() for task in hanging)

    async def test_back_at_the_same_address(self, ask, send, green):
        """An emulator that went away comes back at its address, remembering everything."""
        await send()
        await green.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await send()
        await green.start()
        status, _ = await ask("GET", "getSettings")

        assert (status, len(green.accepted)) == (200, 1)

    async def test_stop_after_the_caller_left(self, send, green):
        """Stopping leaves no request behind, even one that nobody waits for."""
        green.fail_next("sendMessage", emulator.ACCEPT_THEN_HANG)
        accepted = asyncio.Event()
        green.on_accepted = lambda message: accepted.set()
        sending = asyncio.create_task(send())
        await accepted.wait()
        sending.cancel()
        await asyncio.sleep(0.02)  # the server sees the connection close
        await green.stop()
        await asyncio.sleep(0.005)

        assert green.in_flight == 0

    async def test_stop_twice(self, green):
        """Stopping what is stopped does nothing."""
        await green.stop()
        await green.stop()

        assert green.in_flight == 0

    async def test_free_ports(self, clock, green, token):
        """Two instances live side by side."""
        async with GreenApiEmulator(clock, instance="1101000002", token=token) as other:
            assert other.url != green.url
