"""Tokens and phones taken out of texts, and what must stay as it is."""

import pytest

from bot.redaction import Redactor

SECRETS = ("1234567890:AAcanary", "green-canary", 'we"ird \\тoken canary', "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("79001234567", "+7900***4567", id="digits"),
        pytest.param("+79001234567", "+7900***4567", id="plus"),
        pytest.param("89001234567", "+7900***4567", id="eight"),
        pytest.param("9001234567", "+7900***4567", id="ten digits"),
        pytest.param("+7 900 123-45-67", "+7900***4567", id="spaces and dashes"),
        pytest.param("8(900)123-45-67", "+7900***4567", id="brackets"),
        pytest.param("8 (900) 123 45 67", "+7900***4567", id="brackets and spaces"),
        pytest.param("8-900-123-45-67", "+7900***4567", id="dashes"),
        pytest.param("(900) 123-45-67", "(+7900***4567", id="no country"),
        pytest.param("+7\u00a0900\u2011123\u201145\u201167", "+7900***4567", id="typography"),
        pytest.param("+7 (495) 123-45-67", "+7495***4567", id="landline"),
        pytest.param("+375 29 123-45-67", "+3752***4567", id="another country"),
        pytest.param("phone +79001234567 100 rub", "phone +7900***4567 100 rub", id="number after"),
        pytest.param("79001234567@c.us", "+7900***4567@c.us", id="chat id of a client"),
        pytest.param("тел79001234567", "тел+7900***4567", id="glued to a Russian word"),
        pytest.param('"a\\n79001234567"', '"a\\n+7900***4567"', id="after an escape"),
        pytest.param("?p=%2B79001234567&", "?p=%2B+7900***4567&", id="in a query"),
        pytest.param("\x1b[35m79001234567\x1b[0m", "\x1b[35m+7900***4567\x1b[0m", id="coloured"),
        pytest.param("79001234567, 79007654321", "+7900***4567, +7900***4321", id="two"),
    ],
)
def test_phone_is_masked(text: str, expected: str) -> None:
    """A phone, however written, is shown by its beginning and end only."""
    assert expected == Redactor()(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-06T10:00:00.123456+03:00",
        "2026-10-06 10:00:00",
        "lead 7 2026-10-06T10:00:00",
        "[06/Oct/2026:10:00:00 +0000]",
        "-1001234567890",
        "3EB0C767D097B7C7C030",
        "12345678901ABCDEF012345",
        "550e8400-e29b-41d4-a716-446655440000",
        "1101000001",
        "attempt 8 1101000001",
        "0.12345678901234",
        "127.0.0.1:8080",
        "instance authorized: yes",
        "tokens left: 3",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    """Times, ids, hex and fractions stay as they are."""
    assert text == Redactor(SECRETS)(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x 1234567890:AAcanary y", "x *** y", id="known"),
        pytest.param("1234567890%3AAAcanary", "***", id="known, in a URL"),
        pytest.param('{"a": "we\\"ird \\\\тoken canary"}', '{"a": "***"}', id="known, in JSON"),
        pytest.param('we\\"ird \\\\\\u0442oken canary', "***", id="known, in ASCII JSON"),
        pytest.param("/bot42:canary/getMe", "/bot***/getMe", id="Bot API path"),
        pytest.param("/file/bot42:canary", "/file/bot***", id="Bot API file"),
        pytest.param(
            "/waInstance1101000001/sendMessage/canary?a=1",
            "/waInstance1101000001/sendMessage/***?a=1",
            id="GREEN-API path",
        ),
        pytest.param("Authorization: Bearer canary", "Authorization: ***", id="header"),
        pytest.param("{'authorization': 'canary'}", "{'authorization': '***'}", id="in a dict"),
        pytest.param(
            "[(b'Authorization', b'Basic canary')]", "[(b'Authorization', b'***')]", id="in pairs"
        ),
        pytest.param(
            '"{\\"Authorization\\": \\"Bearer canary\\"}"',
            '"{\\"Authorization\\": \\"***\\"}"',
            id="JSON in JSON",
        ),
        pytest.param("X-Webhook-Token: canary", "X-Webhook-Token: ***", id="our header"),
        pytest.param("said bearer canary-canary", "said bearer ***", id="scheme alone"),
        pytest.param("/leads?token=canary&a=1", "/leads?token=***&a=1", id="query"),
        pytest.param("/leads?TOKEN=canary", "/leads?TOKEN=***", id="query in capitals"),
    ],
)
def test_token_is_hidden(text: str, expected: str) -> None:
    """A known secret, and whatever stands where tokens stand, is hidden."""
    assert expected == Redactor(SECRETS)(text)


def test_longer_secret_goes_first() -> None:
    """A secret that begins with another one leaves no rest behind."""
    assert "***" == Redactor(("canary", "canary-long"))("canary-long")


def test_very_short_secret_does_not_eat_words() -> None:
    """A secret of three letters is no secret, and is not cut out of ordinary words."""
    assert "abcdef" == Redactor(SECRETS)("abcdef")


@pytest.mark.parametrize("text", ["8 (900) 123-45-67", "/bot42:canary/x", "token=canary"])
def test_redacting_twice_changes_nothing(text: str) -> None:
    """What was redacted once stays as it is."""
    once = Redactor(SECRETS)(text)

    assert once == Redactor(SECRETS)(once)
