"""Validation and HTML parsing of the emulated Bot API, as tables."""

from typing import Any

import pytest

from bot.demo import telegram_rules as rules
from bot.demo.telegram_html import parse_html
from bot.demo.telegram_wire import ApiError, Params


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    """A message entity."""
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        pytest.param("plain", "plain", [], id="plain"),
        pytest.param("<b>bold</b>", "bold", [entity("bold", 0, 4)], id="bold"),
        pytest.param("😀<i>x</i>", "😀x", [entity("italic", 2, 1)], id="utf16-offset"),
        pytest.param("<b>😀</b>", "😀", [entity("bold", 0, 2)], id="utf16-length"),
        pytest.param("a &lt;b&gt; &amp; &quot;", 'a <b> & "', [], id="named-references"),
        pytest.param("&#1071;&#x42F;", "ЯЯ", [], id="numeric-references"),
        pytest.param("A & B &nbsp;", "A & B &nbsp;", [], id="unknown-references-stay"),
        pytest.param(
            '<a href="https://a.example/?x=1">go</a>',
            "go",
            [entity("text_link", 0, 2, url="https://a.example/?x=1")],
            id="link",
        ),
        pytest.param(
            "<b>a<i>b</i></b>",
            "ab",
            [entity("italic", 1, 1), entity("bold", 0, 2)],
            id="nested",
        ),
        pytest.param(
            '<pre><code class="language-sql">x</code></pre>',
            "x",
            [entity("pre", 0, 1, language="sql"), entity("pre", 0, 1)],
            id="code-with-language",
        ),
        pytest.param(
            "<blockquote expandable>q</blockquote>",
            "q",
            [entity("expandable_blockquote", 0, 1)],
            id="expandable",
        ),
        pytest.param(
            '<span class="tg-spoiler">s</span>', "s", [entity("spoiler", 0, 1)], id="span"
        ),
        pytest.param("<b></b>x", "x", [], id="empty-tag"),
        pytest.param("<B>x</b >", "x", [entity("bold", 0, 1)], id="case-and-space"),
    ],
)
def test_html_becomes_text_and_entities(html: str, text: str, entities: list[Any]) -> None:
    """HTML that Telegram understands is turned into its text and entities."""
    assert (text, entities) == parse_html(html)


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("Я<div>x</div>", 'Unsupported start tag "div" at byte offset 2'),
        ("x<br/>y", 'Unsupported start tag "br" at byte offset 1'),
        ("1 < 2", "Unclosed start tag at byte offset 2"),
        ("1 < 2 > 0", 'Unsupported start tag "" at byte offset 2'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_malformed_html_is_refused(html: str, reason: str) -> None:
    """HTML that is not well-formed is refused with the server's words and byte offset."""
    with pytest.raises(ApiError) as caught:
        parse_html(html)

    assert f"Bad Request: can't parse entities: {reason}" == caught.value.description


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (
            entity("bold", 0, 4),
            "entity beginning at UTF-16 offset 0 ends after the end of the text",
        ),
        (entity("bold", 3, 1), "entity begins after the end of the text at UTF-16 offset 3"),
        (entity("bold", -1, 1), "receive an entity with incorrect offset -1"),
        (entity("bold", 0, 0), "receive an entity with incorrect length 0"),
        (entity("bold", 1, 2), "entity begins in a middle of a UTF-16 symbol"),
        (entity("bold", 0, 1), "ends in a middle of a UTF-16 symbol"),
        (entity("shiny", 0, 2), "can't parse MessageEntity: Unsupported type specified"),
        (entity("text_link", 0, 2), "can't parse MessageEntity: Can't find field \"url\""),
        ({"type": "bold", "length": 1}, "can't parse MessageEntity: Can't find field \"offset\""),
        (
            entity("bold", "0", 2),
            'can\'t parse MessageEntity: Field "offset" must be a valid Number',
        ),
        ("bold", "can't parse MessageEntity: expected an Object"),
    ],
)
def test_wrong_entities_are_refused(raw: Any, reason: str) -> None:
    """An entity that does not fit its text (an emoji of two units and a letter) is refused."""
    with pytest.raises(ApiError, match="Bad Request: ") as caught:
        rules.given_entities("😀x", [raw])

    assert reason in caught.value.description


def test_white_space_around_is_cut_off() -> None:
    """Telegram trims a text, and the entities move along."""
    params = Params({"text": " \n x <b>y</b> ", "parse_mode": "HTML"})

    assert rules.Formatted("x y", (entity("bold", 2, 1),)) == rules.formatted(params)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "message text is empty"),
        ({"text": " \n"}, "text must be non-empty"),
        ({"text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
        ({"text": "x", "parse_mode": "XML"}, "unsupported parse_mode"),
        ({"text": "x", "entities": "[{"}, "can't parse entities JSON object"),
    ],
)
def test_texts_that_show_nothing_are_refused(values: dict[str, Any], reason: str) -> None:
    """A message needs a text that shows something, in a mode that exists."""
    with pytest.raises(ApiError) as caught:
        rules.formatted(Params(values))

    assert f"Bad Request: {reason}" == caught.value.description


def keyboard(*rows: list[Any]) -> dict[str, Any]:
    """An inline keyboard of these rows."""
    return {"inline_keyboard": list(rows)}


def key(data: str = "x", text: str = "Go") -> dict[str, Any]:
    """A button."""
    return {"text": text, "callback_data": data}


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        pytest.param(keyboard([key("x" * 65)]), "BUTTON_DATA_INVALID", id="65-bytes"),
        pytest.param(keyboard([key("я" * 33)]), "BUTTON_DATA_INVALID", id="66-bytes-cyrillic"),
        pytest.param(
            keyboard([key("")]),
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            id="no-data",
        ),
        pytest.param(
            keyboard([{"callback_data": "x"}]),
            "can't parse inline keyboard button: Can't find field \"text\"",
            id="no-text",
        ),
        pytest.param(
            keyboard([key(text=" ")]),
            "can't parse inline keyboard button: Text must be non-empty",
            id="blank-text",
        ),
        pytest.param(keyboard([key()] * 9), "reply markup is too long", id="wide"),
        pytest.param(keyboard(*[[key()]] * 101), "reply markup is too long", id="long"),
        pytest.param("x", "object expected as reply markup", id="no-object"),
        pytest.param(
            {"inline_keyboard": [key()]},
            'field "inline_keyboard" must be an Array of Arrays',
            id="no-rows",
        ),
    ],
)
def test_keyboards_beyond_the_limits_are_refused(markup: Any, reason: str) -> None:
    """A keyboard with a wrong button, or with too many, is refused."""
    with pytest.raises(ApiError) as caught:
        rules.reply_markup(markup)

    assert f"Bad Request: {reason}" == caught.value.description


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(keyboard(), None, id="no-rows"),
        pytest.param(keyboard([]), None, id="empty-row"),
        pytest.param(keyboard([key("я" * 32)]), keyboard([key("я" * 32)]), id="64-bytes"),
        pytest.param(keyboard(*[[key()] * 8] * 12), keyboard(*[[key()] * 8] * 12), id="96-buttons"),
        pytest.param({"force_reply": True}, {"force_reply": True}, id="force-reply"),
        pytest.param({"keyboard": [["a"]]}, {"keyboard": [["a"]]}, id="reply-keyboard"),
    ],
)
def test_keyboards_within_the_limits_are_kept(markup: Any, kept: Any) -> None:
    """A correct markup is kept, and an inline keyboard without buttons is none."""
    assert kept == rules.reply_markup(markup)


def test_an_edit_takes_no_other_markup() -> None:
    """Only an inline keyboard can be put on a message later."""
    with pytest.raises(ApiError, match="inline keyboard expected"):
        rules.edited_markup({"force_reply": True})


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([{"command": "Start", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "a" * 33, "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "", "description": "x"}], "command must be non-empty"),
        ([{"command": "start", "description": " "}], "command description must be non-empty"),
        (
            [{"command": "start", "description": "x" * 257}],
            "command description length must not exceed 256",
        ),
        ([{"command": "start", "description": "x"}] * 101, "BOT_COMMANDS_TOO_MUCH"),
        ("start", "can't parse commands JSON object"),
        (["start"], "can't parse BotCommand: expected an Object"),
    ],
)
def test_wrong_commands_are_refused(raw: Any, reason: str) -> None:
    """A menu with a wrong command is refused as a whole."""
    with pytest.raises(ApiError) as caught:
        rules.commands(raw)

    assert f"Bad Request: {reason}" == caught.value.description
