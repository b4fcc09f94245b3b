"""What the client asks and how it understands answers, by recorded samples and tables."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from greenapi import protocol
from greenapi.errors import (
    GreenApiError,
    InstanceTrouble,
    InstanceUnusable,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unreachable,
)
from greenapi.models import Credentials, InstanceState, OutgoingMessage, State

TOKEN = "invented-token-0123456789"


def decipher(status, body=b"", headers=None):
    """What an answer means, its body given as bytes or as a JSON value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return protocol.decipher(status, headers or {}, raw, token=TOKEN)


def refusal(status, body=b"", headers=None):
    """What `decipher` raises."""
    with pytest.raises(GreenApiError) as caught:
        decipher(status, body, headers)
    return caught.value


def said(text):
    """A 400 body as seen in the field."""
    return {
        "statusCode": 400,
        "path": f"/waInstance1101000001/sendMessage/{TOKEN}",
        "message": text,
    }


class TestRequests:
    def test_send_message(self):
        """A text goes to the person's chat id, with the provider's defaults for the rest."""
        request = protocol.send_message("79001234567", "Здравствуйте!")

        assert (request.method, request.verb) == ("sendMessage", "POST")
        assert request.body == {"chatId": "79001234567@c.us", "message": "Здравствуйте!"}

    @pytest.mark.parametrize(
        ("request_", "method"),
        [
            (protocol.GET_STATE_INSTANCE, "getStateInstance"),
            (protocol.GET_WA_SETTINGS, "getWaSettings"),
            (protocol.GET_SETTINGS, "getSettings"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_reads(self, request_, method):
        """A question is a GET without a body."""

        assert (method, "GET", None) == (request_.method, request_.verb, request_.body)

    def test_last_outgoing_messages(self):
        """The journal is asked for by a number of minutes in the query."""
        request = protocol.last_outgoing_messages(35)

        assert ("lastOutgoingMessages", "GET", None) == (request.method, request.verb, request.body)
        assert {"minutes": "35"} == request.query

    @pytest.mark.parametrize("api_url", ["https://example.com", "https://example.com/"])
    def test_url(self, api_url):
        """The base address is accepted with and without a slash at its end."""
        url = Credentials(api_url, "1101000001", "TOKEN").url("sendMessage")

        assert url == "https://example.com/waInstance1101000001/sendMessage/TOKEN"

    def test_strange_token(self):
        """A token that is no path segment is quoted, not obeyed."""
        url = Credentials("https://example.com", "1101000001", "a/b?c").url("getSettings")

        assert url == "https://example.com/waInstance1101000001/getSettings/a%2Fb%3Fc"

    def test_credentials_are_shown_without_token(self):
        """Showing the credentials does not show the token."""
        credentials = Credentials("https://example.com", "1101000001", TOKEN)

        assert TOKEN not in repr(credentials)


class TestAnswers:
    def test_sent(self, sample):
        """The id of an accepted message is read, and the whole answer kept."""
        message = protocol.sent_message(decipher(200, sample("send_message")))

        assert message.id_message == "3EB0C767D097B7C7C030"
        assert sample("send_message") == message.raw

    @pytest.mark.parametrize(
        "answer",
        [{}, {"idMessage": None}, {"idMessage": 5}, {"idMessage": " "}, {"id": "3EB0"}],
        ids=json.dumps,
    )
    def test_sent_without_id(self, answer):
        """A 200 without a usable id leaves the outcome unknown."""
        with pytest.raises(OutcomeUnknown) as caught:
            protocol.sent_message(answer)

        assert (caught.value.reason, caught.value.status) == ("answer without idMessage", 200)

    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("authorized", State.AUTHORIZED),
            ("notAuthorized", State.NOT_AUTHORIZED),
            ("blocked", State.BLOCKED),
            ("starting", State.STARTING),
            ("suspended", State.SUSPENDED),
            ("yellowCard", State.SUSPENDED),
            ("sleepMode", State.SLEEP_MODE),
            ("Authorized", State.OTHER),
            ("somethingNew", State.OTHER),
            ("", State.OTHER),
        ],
    )
    def test_state(self, word, state):
        """Known words are told apart, unknown ones are kept; only `authorized` can send."""
        read = protocol.instance_state(decipher(200, {"stateInstance": word}))

        assert InstanceState(state, word) == read
        assert (word == "authorized") == read.authorized

    @pytest.mark.parametrize(
        "body", [b"null", b"{}", b'{"stateInstance": null}', b'{"stateInstance": 1}']
    )
    def test_no_state(self, body):
        """An instance that is being created has no state, which is not sendable."""
        read = protocol.instance_state(decipher(200, body))

        assert InstanceState(State.OTHER, None) == read
        assert not read.authorized

    def test_long_state(self):
        """An unknown state stays a word that can be shown."""

        assert len(InstanceState.of("x" * 1000).word) == 64

    def test_wa_settings(self, sample):
        """The linked number and the state are read."""
        settings = protocol.wa_settings(decipher(200, sample("get_wa_settings")))

        assert settings.phone == "79000000001"
        assert settings.state_instance.authorized
        assert settings.suspended_until is None
        assert settings.raw["deviceId"] == "opaque-string"

    def test_wa_settings_unlinked(self):
        """Without a linked phone there is none, not an empty one."""
        settings = protocol.wa_settings({"phone": "", "stateInstance": "notAuthorized"})

        assert settings.phone is None

    def test_settings(self, sample):
        """The settings that bear on sending are read, "yes" and "no" as truth values."""
        settings = protocol.instance_settings(decipher(200, sample("get_settings")))

        assert settings.wid == "79000000001@c.us"
        assert settings.webhook_url == "https://example.com/hook"
        assert settings.delay_send_messages_milliseconds == 15_000
        assert (settings.incoming_webhook, settings.outgoing_webhook) == (True, True)
        assert (settings.outgoing_message_webhook, settings.state_webhook) == (False, False)

    def test_settings_without_secret(self, sample):
        """The webhook's own token is not kept."""
        settings = protocol.instance_settings(decipher(200, sample("get_settings")))

        assert "webhookUrlToken" not in settings.raw
        assert settings.raw["enableLidMode"] == "no"

    def test_settings_missing(self):
        """Absent settings are absent, not invented."""
        settings = protocol.instance_settings({"delaySendMessagesMilliseconds": "15000"})

        assert settings.delay_send_messages_milliseconds is None
        assert (settings.wid, settings.webhook_url) == (None, None)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"OK",
            b"<html></html>",
            b'{"idMessage": "3EB0',
            b'["3EB0"]',
            b'"3EB0"',
            b"true",
            b"\xff\xfe{}",
            b"\xef\xbb\xbf{}",
            b'{"idMessage": NaN}',
            b"[" * 100_000,
            b'{"n": ' + b"9" * 5000 + b"}",
        ],
        ids=lambda body: ascii(body[:20]),
    )
    def test_unreadable(self, body):
        """A 200 that is no JSON object leaves the outcome unknown."""
        failure = refusal(200, body)

        assert isinstance(failure, OutcomeUnknown)
        assert (failure.reason, failure.status) == ("unreadable answer", 200)
        assert failure.__context__ is None

    def test_answer_is_washed(self):
        """A stored answer holds neither the token nor what a database would choke on."""
        answer = decipher(200, {"a": [TOKEN, {TOKEN: "x\x00\ud800y"}], "n": 1})

        assert answer == {"a": ["***", {"***": "x  y"}], "n": 1}


def journal_of(*entries):
    """The messages that a journal of these entries holds."""
    body = json.dumps(entries).encode()
    return protocol.outgoing_messages(protocol.decipher_array(200, {}, body, token=TOKEN))


def entry(**changes):
    """An entry of the journal with the fields that are needed; None takes a field away."""
    fields = {
        "type": "outgoing",
        "idMessage": "3EB0",
        "timestamp": 1791270000,
        "sendByApi": True,
        "chatId": "79001234567@c.us",
        "textMessage": "Да",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


class TestJournal:
    def test_recorded(self, sample):
        """A text of the API's, one typed on the phone, and a file to a group are told apart."""
        messages = journal_of(*sample("last_outgoing_messages"))

        ten = datetime(2026, 10, 6, 7, tzinfo=UTC)
        assert messages == (
            OutgoingMessage(
                id_message="3EB0C767D097B7C7C030",
                chat_id="79001234567@c.us",
                phone="79001234567",
                text="Здравствуйте, Анна! *До встречи* 👋",
                at=ten,
                sent_by_api=True,
                status="delivered",
            ),
            OutgoingMessage(
                id_message="3EB0AA11BB22CC33DD44",
                chat_id="79007654321@c.us",
                phone="79007654321",
                text="Добрый день, это Пётр",
                at=ten - timedelta(minutes=1),
                sent_by_api=False,
                status=None,
            ),
            OutgoingMessage(
                id_message="3EB0D0A1B2C3D4E5F607",
                chat_id="120363000000000000@g.us",
                phone=None,
                text="",
                at=ten - timedelta(minutes=2),
                sent_by_api=True,
                status="sent",
            ),
        )

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({}, "Да"),
            ({"extendedTextMessage": {"text": "Нет"}}, "Да"),
            ({"textMessage": None, "extendedTextMessage": {"text": "Нет"}}, "Нет"),
            ({"textMessage": " ", "extendedTextMessage": {"text": "Нет"}}, "Нет"),
            ({"textMessage": 5, "extendedTextMessage": "Нет"}, ""),
            ({"textMessage": None, "extendedTextMessage": {"text": None}}, ""),
            ({"textMessage": None}, ""),
        ],
        ids=["plain", "both", "extended", "blank", "wrong types", "null", "none"],
    )
    def test_text(self, changes, text):
        """The text is read from either place, the plain one first."""
        [message] = journal_of(entry(**changes))

        assert text == message.text

    @pytest.mark.parametrize(
        ("chat_id", "phone"),
        [
            ("79001234567@c.us", "79001234567"),
            ("123456789012345@lid", None),
            ("120363000000000000@g.us", None),
            ("status@broadcast", None),
            ("x79001234567@c.us", None),
        ],
    )
    def test_phone(self, chat_id, phone):
        """Only a person's chat id holds a phone."""
        [message] = journal_of(entry(chatId=chat_id))

        assert (chat_id, phone) == (message.chat_id, message.phone)

    @pytest.mark.parametrize("value", [False, None, "true", 1], ids=repr)
    def test_not_by_api(self, value):
        """Only a clear yes says that the API sent it."""
        [message] = journal_of(entry(sendByApi=value))

        assert message.sent_by_api is False

    def test_unknown_fields(self):
        """What is not known is ignored, whatever it holds."""
        [message] = journal_of(entry(somethingNew={"a": [1]}, type=None, typeMessage=7))

        assert "Да" == message.text

    @pytest.mark.parametrize(
        "broken",
        [
            None,
            [],
            "text",
            7,
            {},
            entry(type="incoming"),
            entry(idMessage=None),
            entry(idMessage=""),
            entry(chatId=None),
            entry(chatId=79001234567),
            entry(timestamp=None),
            entry(timestamp="1791270000"),
            entry(timestamp=True),
            entry(timestamp=1e300),
            entry(timestamp=-(10**30)),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_broken_entry(self, broken):
        """An entry that makes no sense is left out, and the others are read."""
        messages = journal_of(entry(idMessage="A"), broken, entry(idMessage="B"))

        assert ["A", "B"] == [message.id_message for message in messages]

    @pytest.mark.parametrize("body", [b"[]", b"null"])
    def test_empty(self, body):
        """Nothing sent is an empty journal, however it is written."""
        answer = protocol.decipher_array(200, {}, body, token=TOKEN)

        assert () == protocol.outgoing_messages(answer)

    @pytest.mark.parametrize("body", [b"", b"OK", b"{}", b'[{"idMessage": "3EB0', b"true", b'"x"'])
    def test_unreadable(self, body):
        """A 200 that is no JSON array is no journal, and not an empty one."""
        with pytest.raises(OutcomeUnknown) as caught:
            protocol.decipher_array(200, {}, body, token=TOKEN)

        assert ("unreadable answer", 200) == (caught.value.reason, caught.value.status)

    def test_refused(self):
        """Any other status is the same refusal as everywhere."""
        with pytest.raises(InstanceUnusable):
            protocol.decipher_array(466, {}, b"[]", token=TOKEN)

    def test_shown_without_persons(self):
        """Showing a message shows neither phone nor text."""
        [message] = journal_of(entry())

        assert "7900" not in repr(message)
        assert "Да" not in repr(message)


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "trouble"),
        [
            (401, InstanceTrouble.TOKEN_REFUSED),
            (403, InstanceTrouble.WRONG_INSTANCE),
            (404, InstanceTrouble.WRONG_ADDRESS),
            (301, InstanceTrouble.WRONG_ADDRESS),
            (302, InstanceTrouble.WRONG_ADDRESS),
            (308, InstanceTrouble.WRONG_ADDRESS),
            (466, InstanceTrouble.QUOTA),
        ],
    )
    def test_instance_by_status(self, status, trouble):
        """These statuses blame the instance, not the message, whatever the body."""
        failure = refusal(status, b"anything")

        assert isinstance(failure, InstanceUnusable)
        assert (trouble, status) == (failure.trouble, failure.status)

    @pytest.mark.parametrize(
        ("text", "trouble"),
        [
            ("instance in starting process try later", InstanceTrouble.STARTING),
            ("Instance is starting or not authorized", InstanceTrouble.STARTING),
            ("INSTANCE account not authorized", InstanceTrouble.NOT_AUTHORIZED),
            ("Instance account is expired", InstanceTrouble.EXPIRED),
            ("Instance is deleted", InstanceTrouble.DELETED),
            ("Parameter idInstance not an integer", InstanceTrouble.WRONG_INSTANCE),
            ("Parameter apiTokenInstance not define", InstanceTrouble.TOKEN_REFUSED),
            (
                "The plain HTTP request was sent to HTTPS port",
                InstanceTrouble.WRONG_ADDRESS,
            ),
        ],
    )
    @pytest.mark.parametrize("form", ["message", "text"])
    def test_instance_by_text(self, text, trouble, form):
        """A 400 that talks about the instance blames it, as JSON and as plain text."""
        failure = refusal(400, said(text) if form == "message" else text.encode())

        assert isinstance(failure, InstanceUnusable)
        assert (trouble, 400) == (failure.trouble, failure.status)

    @pytest.mark.parametrize(
        ("status", "text"),
        [
            (400, "Validation failed. Details: bad"),
            (400, "bad request data"),
            (400, "a text nobody has seen yet"),
            (413, "too large"),
        ],
    )
    @pytest.mark.parametrize("form", ["message", "text"])
    def test_message(self, status, text, form):
        """Any other 400, and 413, blame this message in the provider's words."""
        failure = refusal(status, said(text) if form == "message" else text.encode())

        assert isinstance(failure, Rejected)
        assert (text, status) == (failure.reason, failure.status)

    @pytest.mark.parametrize("status", [408, 418, 499, 500, 502, 503, 504, 201, 204, 101])
    def test_unknown(self, status):
        """Whatever may have been written by the server leaves the outcome unknown."""
        failure = refusal(status, b"Bad Gateway")

        assert isinstance(failure, OutcomeUnknown)
        assert (f"status {status}", status) == (failure.reason, failure.status)

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, None),
            ({"Retry-After": "7"}, 7.0),
            ({"retry-after": " 7 "}, 7.0),
            ({"Retry-After": "0"}, 0.0),
            ({"Retry-After": "-1"}, None),
            ({"Retry-After": "inf"}, None),
            ({"Retry-After": "٧"}, None),
            ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
            ({"Retry-After": "9" * 400}, 86_400.0),
        ],
        ids=str,
    )
    def test_rate_limited(self, headers, seconds):
        """429 was surely not sent; seconds to wait are told where they can be understood."""
        failure = refusal(429, headers=headers)

        assert isinstance(failure, RateLimited)
        assert seconds == failure.retry_after

    def test_recorded_bad_request(self, sample):
        """The recorded 400, which echoes the token, gives a reason without it."""
        failure = refusal(400, sample("bad_request"))

        assert sample("bad_request")["message"] == failure.reason

    def test_quota_lists_nobody(self, sample):
        """The quota answer's list of chats is not kept."""
        failure = refusal(466, sample("quota_correspondents"))

        assert "7900" not in f"{failure!r} {failure} {vars(failure)}"

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"", "no reason given"),
            (b"  \n ", "no reason given"),
            (b"a\n\tb\x00c", "a b c"),
            (b"\xffbad", "\N{REPLACEMENT CHARACTER}bad"),
            (b"x" * 1000, "x" * 300),
            ({"message": ["a", "b"]}, "['a', 'b']"),
            ({"message": None}, "None"),
            (
                {"message": "no chat +79001234567 or 79007654321@c.us"},
                "no chat [number] or [number]",
            ),
            ({"message": "at most 20000 characters"}, "at most 20000 characters"),
            ({"message": f"no {TOKEN}"}, "no ***"),
            (
                {"path": f"/waInstance1101000001/sendMessage/{TOKEN}"},
                '{"path": "/waInstance***/sendMessage/***"}',
            ),
            (
                b"GET /waInstance1101000001/getSettings/OTHER?x",
                "GET /waInstance***/getSettings/***?x",
            ),
        ],
        ids=lambda value: ascii(value)[:30],
    )
    def test_reason(self, body, reason):
        """A reason is one short printable line without token and phones."""
        failure = refusal(400, body)

        assert reason == failure.reason


class TestRedaction:
    @pytest.mark.parametrize(
        ("text", "clean"),
        [
            (f"token {TOKEN}.", "token ***."),
            ("/waInstance1101000001/sendMessage/ABC", "/waInstance***/sendMessage/***"),
            ('"/waInstance1/x/ABC", 5', '"/waInstance***/x/***", 5'),
            ("https://h/waInstance1/x/ABC?a=b", "https://h/waInstance***/x/***?a=b"),
            ("/waInstance1/x/ABC/77", "/waInstance***/x/***/77"),
            ("nothing", "nothing"),
        ],
    )
    def test_redact(self, text, clean):
        """The token goes, by name and by its place in a path."""

        assert clean == protocol.redact(text, TOKEN)

    def test_quoted_token(self):
        """A token is found in the form it takes in a URL as well."""

        assert protocol.redact("a/b and a%2Fb", "a/b") == "*** and ***"

    def test_no_token(self):
        """An empty token does not turn the text into stars."""

        assert protocol.redact("text", "") == "text"


class TestErrors:
    @pytest.mark.parametrize(
        ("failure", "text"),
        [
            (GreenApiError(), "A GREEN-API call did not succeed."),
            (RateLimited(None), RateLimited.__doc__),
            (RateLimited(7), f"{RateLimited.__doc__} (retry after 7 s)"),
            (Unreachable("refused"), f"{Unreachable.__doc__} (refused)"),
            (Rejected("bad", 400), f"{Rejected.__doc__} (status 400: bad)"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_text(self, failure, text):
        """The class's sentence is the message, with what is known in brackets."""

        assert text == str(failure)
        assert isinstance(failure, GreenApiError)
