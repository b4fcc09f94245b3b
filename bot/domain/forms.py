"""The body of a form's post, whatever its format and charset, as named texts.

Nothing here raises, and every text that leaves can be stored as UTF-8: bytes come from strangers.
What the names mean is not known here (`bot.domain.lead_fields`).
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from bot.domain import multipart, nesting

Pair: TypeAlias = tuple[str, str]

UNREADABLE = "тело заявки не удалось разобрать, оно сохранено как есть"
TOO_MANY = ("…", "полей слишком много, остальные сохранены только в исходном виде")

_MOST_BYTES = 256 * 1024
_MOST_PAIRS = 200
_MOST_RAW = 1_500  # Elementor's advanced mode sends six keys for each field

# Only charsets that Russian senders declare: Python knows codecs that are slow, or no charsets.
_CHARSETS = {
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "iso-8859-5": "iso8859-5",
    "cp866": "cp866",
    "ibm866": "cp866",
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted, in its order; `problem` says in Russian why nobody could decode it."""

    pairs: tuple[Pair, ...]
    problem: str | None = None


def decode(body: bytes, content_type: str | None) -> Form:
    """Decode a body of at most 256 KiB (more is cut off); a wrong content type is survived.

    The shape counts first (`{`, `[`, a multipart delimiter), then the declared type. A body of
    plain text becomes one pair with an empty name; so does broken JSON, with a problem.
    """
    declared = (content_type or "").casefold()
    body = _without_bom(body[:_MOST_BYTES])
    start = body.lstrip()[:2]
    if start[:1] in (b"{", b"["):
        return _json_form(_decoded(body, declared))
    if start == b"--" or declared.startswith("multipart/"):
        raw = _multipart_pairs(body, content_type or "")
        if raw:
            return _form(nesting.flatten(nesting.grouped(raw)))
    if b"=" in body and start[:1] != b"<" and not _is_binary(body, declared):
        return _form(nesting.flatten(nesting.grouped(_urlencoded_pairs(body, declared))))
    return _plain_form(body, declared)


# --- text ---------------------------------------------------------------------------------------


def _without_bom(body: bytes) -> bytes:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace").encode(errors="replace")
    return body.removeprefix(b"\xef\xbb\xbf")


def _codec(data: bytes, declared: str) -> str:
    """The charset of a whole body: UTF-8 if it can be, else the declared one, else cp1251.

    A declared single-byte charset fits any bytes, so UTF-8, which does not, is asked first. A
    few broken characters (a text cut by bytes) do not turn the rest into gibberish.
    """
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    letters = sum(char > "\x7f" for char in text) - broken if broken else 0
    if not broken or letters > 4 * broken:
        return "utf-8"
    found = _CHARSET.search(declared)
    return _CHARSETS.get(found[1].casefold(), "cp1251") if found else "cp1251"


def _decoded(data: bytes, declared: str) -> str:
    return data.decode(_codec(data, declared), "replace")


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _form(pairs: Iterable[Pair]) -> Form:
    kept = [
        (_storable(label)[: nesting.LABEL_CHARS], _storable(value))
        for label, value in islice(pairs, _MOST_PAIRS + 1)
    ]
    if len(kept) > _MOST_PAIRS:
        kept[_MOST_PAIRS - 1 :] = [TOO_MANY]
    return Form(tuple(kept))


def _is_binary(body: bytes, declared: str) -> bool:
    return "urlencoded" not in declared and _BINARY.search(body) is not None


def _plain_form(body: bytes, declared: str) -> Form:
    if _BINARY.search(body):
        return Form((), UNREADABLE)
    text = _storable(_decoded(body, declared)).strip()
    expected_more = "json" in declared or "multipart" in declared or text.startswith("<")
    problem = UNREADABLE if text and expected_more else None
    return Form((("", text),) if text else (), problem)


# --- formats ------------------------------------------------------------------------------------


def _json_form(text: str) -> Form:
    try:
        root = json.loads(
            text,
            strict=False,  # raw control characters inside strings are survived
            object_pairs_hook=nesting.gathered,
            parse_int=str,  # as sent: leading digits matter, and 5,000 of them must not raise
            parse_float=str,
            parse_constant=str,
        )
    except (ValueError, RecursionError):
        return Form((("", _storable(text).strip()),), UNREADABLE)
    if isinstance(root, list) and len(root) == 1 and not nesting.as_field("", root[0]):
        root = root[0]
    return _form(nesting.flatten(root.items() if isinstance(root, dict) else [("", root)]))


def _urlencoded_pairs(body: bytes, declared: str) -> list[Pair]:
    """Pairs of a query string, or of the `name=value` lines of `enctype="text/plain"`."""
    body = body.strip()
    by_lines = declared.startswith("text/plain") and b"\n" in body
    chunks = body.split(b"\n" if by_lines else b"&", _MOST_RAW)[:_MOST_RAW]
    raw = [chunk.strip().partition(b"=") for chunk in chunks if chunk.strip()]
    named = [(name, value) for name, _, value in raw]
    if not by_lines:
        named = [(_unquoted(name), _unquoted(value)) for name, value in named]
    return _in_one_charset(named, declared)


def _unquoted(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" "))


def _multipart_pairs(body: bytes, content_type: str) -> list[Pair]:
    parts = list(multipart.parts(body, content_type, _MOST_RAW))
    charset = next((part.charset for part in parts if part.charset), "")
    declared = content_type if _CHARSET.search(content_type) else f"charset={charset}"
    return _in_one_charset([(part.name, part.value) for part in parts], declared)


def _in_one_charset(pairs: list[tuple[bytes, bytes]], declared: str) -> list[Pair]:
    codec = _codec(b"\n".join(data for pair in pairs for data in pair), declared)
    return [
        (name.decode(codec, "replace"), value.decode(codec, "replace")) for name, value in pairs
    ]
