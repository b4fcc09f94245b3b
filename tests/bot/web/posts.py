"""Form posts as Hypothesis invents them: every body format, honest, odd, broken, and packed."""

import gzip
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from hypothesis import strategies as st

LABELS = str.split(
    "name Name имя your-name ФИО phone tel tel-123 Телефон your-phone course курс email"
    " comment message Комментарий utm_source tranid submission_id formid test token"
    " fields[a][value] fields[a][title] days[] contact.phone [] [[ a.b. % & ="
)
VALUES = (
    *("+7 (900) 123-45-67", "89001234568", "79001234569", "9001234570; 9001234571"),
    *("+375 29 123 45 67", "0" * 5000, "телефон 8 900 123 45 72", "нет", "Анна", "acting"),
    *("театр", "ораторское, acting", "anna@school.example", "{{name}}", "<b>x</b>", "test"),
    *("'; DROP TABLE leads; --", "\u202eанна", "a\0b", "\ud800", "👩‍👩‍👧", "x" * 70_000),
)
TYPES = (
    *("application/json", "application/json; charset=windows-1251", "text/plain", "", "a/b;;=,"),
    *("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=cp1251"),
    *("multipart/form-data", "multipart/form-data; boundary=b", 'multipart/form-data; boundary="'),
    *("text/html", "application/json; charset=nonsense", "application/octet-stream", "; charset="),
)
CODECS = ("utf-8", "cp1251", "utf-16", "koi8-r")


@dataclass(frozen=True)
class Post:
    """A body and what its headers say of it."""

    body: bytes
    content_type: str
    encoding: str
    idempotency_key: str


texts = st.one_of(st.sampled_from(VALUES), st.text(max_size=40))
pairs = st.lists(st.tuples(st.one_of(st.sampled_from(LABELS), st.text(max_size=12)), texts))
scalars = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats())
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(LABELS), st.text(max_size=8)), inner, max_size=4),
    ),
    max_leaves=12,
)


def _json(tree: Any, ascii_only: bool) -> bytes:
    return json.dumps(tree, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def _fields(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in found]


def _urlencoded(found: list[tuple[str, str]], codec: str) -> bytes:
    quoted = [
        f"{quote_plus(name, errors='replace', encoding=codec)}"
        f"={quote_plus(value, errors='replace', encoding=codec)}"
        for name, value in found
    ]
    return "&".join(quoted).encode()


def _multipart(found: list[tuple[str, str]], codec: str) -> bytes:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (
            name.encode(codec, "replace"),
            b'; filename="a.png"' if number % 7 == 6 else b"",
            value.encode(codec, "replace"),
        )
        for number, (name, value) in enumerate(found)
    ]
    return b"".join(parts) + b"--b--\r\n"


def _lines(found: list[tuple[str, str]], codec: str) -> bytes:
    return "\n".join(f"{name}={value}" for name, value in found).encode(codec, "replace")


@st.composite
def _broken(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """A body with a piece cut out, doubled, or overwritten by noise."""
    body = draw(bodies)
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 40)))
    middle = draw(st.one_of(st.just(b""), st.just(body[start:end] * 2), st.binary(max_size=20)))
    return body[:start] + middle + body[end:]


codecs = st.sampled_from(CODECS)
honest = st.one_of(
    st.builds(_json, trees, st.booleans()),
    st.builds(_json, pairs.map(dict), st.booleans()),
    st.builds(_json, pairs.map(_fields), st.booleans()),
    st.builds(_urlencoded, pairs, codecs),
    st.builds(_multipart, pairs, codecs),
    st.builds(_lines, pairs, codecs),
)
bodies = st.one_of(honest, _broken(honest), st.binary(max_size=200))
packed = st.one_of(
    st.tuples(bodies, st.sampled_from(("", "", "", "gzip", "br", "utf-8"))),
    st.tuples(bodies.map(gzip.compress), st.sampled_from(("gzip", "gzip", ""))),
    st.tuples(_broken(bodies.map(gzip.compress)), st.just("gzip")),
)
posts = st.builds(
    lambda coded, content_type, key: Post(coded[0], content_type, coded[1], key),
    packed,
    st.sampled_from(TYPES),
    st.sampled_from(("", "", "", "key-1", "key-2", "\udcff" * 3, "k" * 900)),
)
