"""Telegram's HTML parse mode: from marked-up text to plain text and entities.

Pure. Follows the parser of TDLib (`MessageEntity.cpp`, `do_parse_html`), which the official server
uses: a character scanner, not an HTML parser, so what browsers forgive is refused here. Date-time
tags are left out: the product sends none.
"""

import re
from dataclasses import dataclass

from bot.demo.telegram_wire import Json, bad_request

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]{2,4}));?")
_START = re.compile(r"<([^\s/>]*)([^>]*)>")
_END = re.compile(r"</([^\s>]*)\s*>")
_ATTRIBUTE = re.compile(r"""\s*([^\s=>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?\s*""")


def utf16_length(text: str) -> int:
    """The length in UTF-16 code units, in which entities are measured."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    attributes: dict[str, str]
    offset: int  # in UTF-16 units of the plain text


class _Scanner:
    """One pass over one text."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._at = 0
        self._plain: list[str] = []
        self._offset = 0
        self._open: list[_Tag] = []
        self._entities: list[Json] = []

    def scan(self) -> tuple[str, list[Json]]:
        while self._at < len(self._html):
            self._step()
        if self._open:
            name = self._open[-1].name
            raise self._fault(f'Can\'t find end tag corresponding to start tag "{name}"')
        return "".join(self._plain), self._entities

    def _step(self) -> None:
        if self._html.startswith("</", self._at):
            self._close_tag()
        elif self._html[self._at] == "<":
            self._open_tag()
        elif (found := _REFERENCE.match(self._html, self._at)) and (sign := _character(found)):
            self._take(sign, found.end())
        else:
            self._take(self._html[self._at], self._at + 1)

    def _take(self, sign: str, end: int) -> None:
        self._plain.append(sign)
        self._offset += utf16_length(sign)
        self._at = end

    def _open_tag(self) -> None:
        found = _START.match(self._html, self._at)
        if not found:
            raise self._fault("Unclosed start tag", here=True)
        name = found[1].lower()
        if name not in _KINDS:
            raise self._fault(f'Unsupported start tag "{name}"', here=True)
        attributes = _attributes(found[2])
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self._fault('Tag "span" must have class "tg-spoiler"', here=True)
        self._open.append(_Tag(name, attributes, self._offset))
        self._at = found.end()

    def _close_tag(self) -> None:
        if not self._open:
            raise self._fault("Unexpected end tag", here=True)
        found = _END.match(self._html, self._at)
        if not found:
            raise self._fault("Unclosed end tag", here=True)
        tag = self._open[-1]
        if found[1] and found[1].lower() != tag.name:
            place = f"at byte offset {self._byte()}"
            wanted = f'expected "</{tag.name}>", found "</{found[1]}>"'
            raise self._fault(f"Unmatched end tag {place}, {wanted}")
        self._open.pop()
        self._keep(tag)
        self._at = found.end()

    def _keep(self, tag: _Tag) -> None:
        length = self._offset - tag.offset
        if not length:
            return
        entity: Json = {"type": _KINDS[tag.name], "offset": tag.offset, "length": length}
        if tag.name == "a":
            if not (url := tag.attributes.get("href", "")):
                return  # a link to nowhere is plain text
            entity["url"] = url
        elif tag.name == "tg-emoji":
            entity["custom_emoji_id"] = tag.attributes.get("emoji-id", "")
        elif tag.name == "blockquote" and "expandable" in tag.attributes:
            entity["type"] = "expandable_blockquote"
        elif tag.name == "code" and self._names_language(tag):
            entity = entity | {"type": "pre", "language": tag.attributes["class"][9:]}
        self._entities.append(entity)

    def _names_language(self, tag: _Tag) -> bool:
        inside_pre = bool(self._open) and self._open[-1].name == "pre"
        return inside_pre and tag.attributes.get("class", "").startswith("language-")

    def _byte(self) -> int:
        return len(self._html[: self._at].encode())

    def _fault(self, text: str, here: bool = False) -> Exception:
        place = f" at byte offset {self._byte()}" if here else ""
        return bad_request(f"can't parse entities: {text}{place}")


def _character(found: re.Match[str]) -> str:
    """The character that a reference stands for; empty when it stands for itself."""
    hexadecimal, decimal, name = found.groups()
    if name:
        return _NAMED.get(name, "")
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if 0 < code <= 0x10FFFF else ""


def _attributes(text: str) -> dict[str, str]:
    return {
        found[1].lower(): next((value for value in found.groups()[1:] if value is not None), "")
        for found in _ATTRIBUTE.finditer(text.rstrip("/"))
    }


def parse_html(html: str) -> tuple[str, list[Json]]:
    """Plain text and its entities; what is not well-formed raises `ApiError` 400."""
    return _Scanner(html).scan()
