"""Bodies of form posts: every format, charset and nastiness."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import forms, lead_fields
from bot.domain.courses import Courses
from bot.domain.forms import TOO_MANY, UNREADABLE, Form

URLENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=XX"
ALICE = (("name", "Алиса"), ("phone", "79001234567"))
ALICE_JSON = '{"name": "Алиса", "phone": 79001234567}'.encode()
ALICE_URLENCODED = b"name=%D0%90%D0%BB%D0%B8%D1%81%D0%B0&phone=79001234567"
ALICE_MULTIPART = (
    '--XX\r\nContent-Disposition: form-data; name="name"\r\n\r\nАлиса\r\n'
    '--XX\r\nContent-Disposition: form-data; name="phone"\r\n\r\n79001234567\r\n--XX--\r\n'
).encode()


def pairs(body: bytes, content_type: str | None = None) -> tuple[tuple[str, str], ...]:
    """The pairs of a decoded body."""
    return forms.decode(body, content_type).pairs


@pytest.mark.parametrize(
    "content_type",
    [None, "", URLENCODED, JSON, MULTIPART, "multipart/form-data", "text/plain", "nonsense;;="],
)
@pytest.mark.parametrize(
    "body", [ALICE_JSON, ALICE_URLENCODED, ALICE_MULTIPART], ids=["json", "url", "multipart"]
)
def test_wrong_or_missing_content_type_is_survived(body: bytes, content_type: str | None) -> None:
    """The shape of a body counts more than the type it was declared to have."""
    assert Form(ALICE) == forms.decode(body, content_type)


JSON_BODIES: dict[str, tuple[object, tuple[tuple[str, str], ...]]] = {
    "nested keys": ({"a": {"b": {"c": "x"}}}, (("a.b.c", "x"),)),
    "array of scalars": ({"days": ["Пн", "", None, 2, True]}, (("days", "Пн, 2, да"),)),
    "array of objects": ({"a": [{"b": "x"}, "y"]}, (("a.0.b", "x"), ("a.1", "y"))),
    "no, null, empty": (
        {"a": False, "b": None, "c": [], "d": {}},
        (("a", "нет"), ("b", ""), ("c", ""), ("d", "")),
    ),
    "fields as objects": (
        [{"name": "Имя", "value": "Алиса"}, {"id": "f2", "type": "text", "value": ["x", "y"]}],
        (("Имя", "Алиса"), ("f2", "x, y")),
    ),
    "label before name": (
        {"fields": [{"id": "1", "name": "field_1", "label": "Телефон", "value": "1"}]},
        (("Телефон", "1"),),
    ),
    "field under its key": (
        {"Phone": {"value": "1", "field_type": "phone"}},
        (("Phone", "1"),),
    ),
    "several values": ([{"name": "курс", "values": ["Вокал"]}], (("курс", "Вокал"),)),
    "nested value": ([{"name": "ФИО", "value": {"first": "А"}}], (("ФИО.first", "А"),)),
    "a field named value": ({"name": "Алиса", "value": "5"}, (("name", "Алиса"), ("value", "5"))),
    "one object in an array": ([{"name": "Алиса"}], (("name", "Алиса"),)),
}


@pytest.mark.parametrize(("root", "expected"), JSON_BODIES.values(), ids=JSON_BODIES)
def test_json_becomes_named_texts(root: object, expected: tuple[tuple[str, str], ...]) -> None:
    """Every JSON shape that form senders use becomes flat pairs in their order."""
    assert Form(expected) == forms.decode(json.dumps(root).encode(), JSON)


URLENCODED_BODIES = {
    "plus is a space": (b"a=x+y", (("a", "x y"),)),
    "raw text by curl": ("имя=Алиса И&б=".encode(), (("имя", "Алиса И"), ("б", ""))),
    "no value": (b"a&b=1&&", (("a", ""), ("b", "1"))),
    "the same name twice": (b"a=1&a=2", (("a", "1"), ("a", "2"))),
    "PHP array": (b"d[]=1&d%5B%5D=2&e=3", (("d", "1, 2"), ("e", "3"))),
    "PHP nesting": (b"c[n]=A&c[p]=1", (("c.n", "A"), ("c.p", "1"))),
    "a text in the way of a group": (b"a[b]=1&a[b][c]=2", (("a.b", "1"), ("a.b.c", "2"))),
    "a group in the way of a text": (b"a[b][c]=1&a[b]=2", (("a.b.c", "1"), ("a.b", "2"))),
    "brackets in a label": (b"x+[y]=1", (("x [y]", "1"),)),
    "broken percent": (b"a=%zz%4", (("a", "%zz%4"),)),
}


@pytest.mark.parametrize(("body", "expected"), URLENCODED_BODIES.values(), ids=URLENCODED_BODIES)
def test_urlencoded_becomes_named_texts(body: bytes, expected: tuple[tuple[str, str], ...]) -> None:
    """Query strings are decoded, PHP's brackets gathered, and nothing else merged."""
    assert Form(expected) == forms.decode(body, URLENCODED)


def test_elementor_field_is_called_by_its_title_or_id() -> None:
    """Advanced mode gives a title and a value for each field; its other keys say nothing."""
    body = (
        b"form[id]=7&fields[a][id]=a&fields[a][title]=Name&fields[a][value]=Bob"
        b"&fields[b][id]=b&fields[b][title]=&fields[b][value]=1&fields[b][raw_value]=1"
        b"&meta[date][title]=Date&meta[date][value]=today"
    )

    assert pairs(body) == (("form.id", "7"), ("Name", "Bob"), ("b", "1"), ("Date", "today"))


def test_text_plain_form_is_read_by_lines() -> None:
    """A form with enctype text/plain has a line per field and no escapes."""
    body = "name=Алиса & Боб\r\nnote=1+1=2\r\n".encode()

    assert pairs(body, "text/plain") == (("name", "Алиса & Боб"), ("note", "1+1=2"))


# --- multipart ----------------------------------------------------------------------------------


def part(head: str, value: bytes) -> bytes:
    """One part of a multipart body."""
    return f"--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"


MULTIPART_BODIES = {
    "file": (part(r'name="f"; filename="C:\dir\a.jpg"', b"\0\xff"), (("f", "a.jpg"),)),
    "no file chosen": (part('name="f"; filename=""', b""), (("f", ""),)),
    "quotes in a name": (part('name="a%22b"', b"1") + part(r'name="c\"d"', b"2"), None),
    "name without quotes": (part("name=a", b"1"), (("a", "1"),)),
    "value of several lines": (part('name="a"', b"1\r\n\r\n2"), (("a", "1\r\n\r\n2"),)),
    "boundary inside a value": (part('name="a"', b"x --XX y"), (("a", "x --XX y"),)),
    "part without a name": (part("x=y", b"1") + part('name="a"', b"2"), (("a", "2"),)),
    "part without a head": (b"--XX\r\nabc\r\n" + part('name="a"', b"2"), (("a", "2"),)),
    "PHP nesting": (part('name="c[p]"', b"1"), (("c.p", "1"),)),
}


@pytest.mark.parametrize(("body", "expected"), MULTIPART_BODIES.values(), ids=MULTIPART_BODIES)
def test_multipart_becomes_named_texts(
    body: bytes, expected: tuple[tuple[str, str], ...] | None
) -> None:
    """Each part is a pair; a file is kept as its name."""
    assert (expected or (('a"b', "1"), ('c"d', "2"))) == pairs(body + b"--XX--\r\n", MULTIPART)


def test_cut_multipart_keeps_what_came() -> None:
    """Without its closing delimiter a body still gives its parts."""
    assert pairs(part('name="a"', b"1") + part('name="b"', b"2")) == (("a", "1"), ("b", "2"))


def test_text_after_the_closing_delimiter_is_no_field() -> None:
    """What follows the end of a multipart body is not looked at."""
    body = part('name="a"', b"1") + b"--XX--\r\n" + part('name="b"', b"2")

    assert pairs(body, MULTIPART) == (("a", "1"),)


def test_quoted_boundary_is_understood() -> None:
    """A boundary may be declared in quotes, and need not stand first in the body."""
    content_type = 'multipart/form-data; charset=utf-8; boundary="XX"'

    assert pairs(b"preamble\r\n" + part('name="a"', b"1"), content_type) == (("a", "1"),)


# --- charsets -----------------------------------------------------------------------------------

CHARSETS = {
    "utf-8": ("имя=Алиса".encode(), URLENCODED),
    "utf-8 with BOM": ("\ufeffимя=Алиса".encode(), URLENCODED),
    "utf-16 with BOM": ("имя=Алиса".encode("utf-16"), URLENCODED),
    "cp1251 by guess": ("имя=Алиса".encode("cp1251"), URLENCODED),
    "cp1251 percent-encoded": (b"%E8%EC%FF=%C0%EB%E8%F1%E0", URLENCODED),
    "cp1251 declared": ("имя=Алиса".encode("cp1251"), URLENCODED + "; charset=windows-1251"),
    "cp1251 declared, utf-8 sent": ("имя=Алиса".encode(), URLENCODED + "; charset=windows-1251"),
    "koi8-r declared": ("имя=Алиса".encode("koi8-r"), URLENCODED + '; charset="KOI8-R"'),
    "latin declared": ("имя=Алиса".encode("cp1251"), URLENCODED + "; charset=iso-8859-1"),
    "no charset at all": ("имя=Алиса".encode(), URLENCODED + "; charset=zip\0"),
    "json in cp1251": ('{"имя": "Алиса"}'.encode("cp1251"), JSON),
    "json with BOM": ('\ufeff{"имя": "Алиса"}'.encode(), JSON),
    "multipart in cp1251": (
        (
            b'--XX\r\nContent-Disposition: form-data; name="\xe8\xec\xff"\r\n\r\n'
            b"\xc0\xeb\xe8\xf1\xe0\r\n"
        ),
        MULTIPART,
    ),
    "multipart part in koi8-r": (
        b'--XX\r\nContent-Disposition: form-data; name="'
        + "имя".encode("koi8-r")
        + b'"\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n'
        + "Алиса".encode("koi8-r"),
        MULTIPART,
    ),
}


@pytest.mark.parametrize(("body", "content_type"), CHARSETS.values(), ids=CHARSETS)
def test_charset_is_found_out(body: bytes, content_type: str) -> None:
    """UTF-8 is tried first, then the declared charset, then cp1251."""
    assert pairs(body, content_type) == (("имя", "Алиса"),)


def test_charset_is_decided_for_the_whole_body() -> None:
    """A value that could be UTF-8 by chance is cp1251 when the rest of the body is."""
    body = b"a=%D0%B0&b=" + "Актёрское мастерство".encode("cp1251")

    assert pairs(body) == (("a", "Р°"), ("b", "Актёрское мастерство"))


def test_one_broken_character_spoils_only_itself() -> None:
    """UTF-8 cut in the middle of a letter stays UTF-8."""
    assert pairs("имя=Алиса".encode()[:-1]) == (("имя", "Алис\ufffd"),)


# --- nastiness ----------------------------------------------------------------------------------

SURVIVED = {
    "NaN": (b'{"a": NaN, "b": -Infinity}', (("a", "NaN"), ("b", "-Infinity"))),
    "5,000 digits": (b'{"a": ' + b"9" * 5_000 + b"}", (("a", "9" * 5_000),)),
    "digits as sent": (b'{"a": 1.10, "b": 1E400}', (("a", "1.10"), ("b", "1E400"))),
    "duplicate keys": (b'{"a": 1, "a": "x", "a": 2}', (("a", "1, x, 2"),)),
    "NUL": (b'{"a": "x\\u0000y"}', (("a", "x\ufffdy"),)),
    "raw NUL": (b'{"a": "x\0y"}', (("a", "x\ufffdy"),)),
    "percent-encoded NUL": (b"a=x%00y", (("a", "x\ufffdy"),)),
    "lone surrogate": (b'{"a\\ud800": "\\udfff"}', (("a\ufffd", "\ufffd"),)),
    "surrogate pair": (b'{"a": "\\ud83d\\ude00"}', (("a", "😀"),)),
    "raw newline": (b'{"a": "x\ny"}', (("a", "x\ny"),)),
    "deep array": (b'{"a":' + b"[" * 500 + b"1" + b"]" * 500 + b"}", None),
    "deep title": (b'[{"title":' + b"[" * 500 + b"]" * 500 + b',"value":1}, 2]', None),
    "deep value": (b'[{"value":' * 300 + b"1" + b"}]" * 300, None),
    "deep brackets": (b"a" + b"[b]" * 50_000 + b"=1", None),
    "unclosed brackets": (b"a" + b"[" * 200_000 + b"=1", None),
    "percents": (b"a=" + b"%" * 200_000, (("a", "%" * 200_000),)),
    "ampersands": (b"&" * 200_000 + b"a=1", None),
    "long key over many": (
        b'{"' + b"k" * 100_000 + b'":{"a":1,"b":2}}',
        (("k" * 200, "1"), ("k" * 200, "2")),
    ),
    "boundaries": (b"--XX\r\n" * 40_000, None),
    "names never closed": (b"--XX\r\n;" + b'name="\\"' * 30_000, None),
}


@pytest.mark.parametrize(("body", "expected"), SURVIVED.values(), ids=SURVIVED)
def test_nasty_body_is_survived(body: bytes, expected: tuple[tuple[str, str], ...] | None) -> None:
    """Hostile bodies are decoded, bounded, into what can be stored as UTF-8."""
    form = forms.decode(body, None)

    assert (expected or form.pairs) == form.pairs
    assert all(label.encode() is not None and len(label) <= 200 for label, _ in form.pairs)
    assert len(form.pairs) <= 200


UNDECODABLE = {
    "depth bomb": b"[" * 200_000,
    "depth bomb of objects": b'{"a":' * 50_000,
    "cut JSON": b'{"name": "Bob", "phone": "79001234567"',
    "JSON and more": b'{"name": "Bob"} {"phone": 1}',
    "a bare JSON text": b'"79001234567"',
    "XML": b'<lead phone="79001234567"/>',
}


@pytest.mark.parametrize("body", UNDECODABLE.values(), ids=UNDECODABLE)
def test_undecodable_text_is_kept_raw(body: bytes) -> None:
    """What nobody can decode is one nameless text, and a problem."""
    assert Form((("", body.decode()),), UNREADABLE) == forms.decode(body, JSON)


@pytest.mark.parametrize("content_type", [None, JSON, MULTIPART, "image/png"])
def test_binary_body_has_no_pairs(content_type: str | None) -> None:
    """Bytes that are no text at all are a problem and no gibberish."""
    assert Form((), UNREADABLE) == forms.decode(b"\x1f\x8b\x08\0\0=\xff\x9c", content_type)


@pytest.mark.parametrize("content_type", [JSON, MULTIPART])
def test_text_declared_as_something_else_is_a_problem(content_type: str) -> None:
    """Plain text where a format was promised is kept, and said to be unreadable."""
    assert Form((("", "Боб"),), UNREADABLE) == forms.decode("Боб".encode(), content_type)


def test_plain_text_is_one_nameless_pair() -> None:
    """A body of plain text is a text without a name, and no problem."""
    body = "Алиса, +7 900 123-45-67\nактёрское".encode()

    assert Form((("", body.decode()),)) == forms.decode(body, "text/plain")


@pytest.mark.parametrize("body", [b"", b" \r\n", b"\xef\xbb\xbf", b"{}"])
def test_empty_body_is_an_empty_form(body: bytes) -> None:
    """No bytes, or nothing in them, are no pairs and no problem."""
    assert Form(()) == forms.decode(body, JSON)


def test_surplus_fields_are_mentioned() -> None:
    """Of more than two hundred fields the first are kept, and the last says so."""
    found = pairs(b"&".join(b"f%d=1" % number for number in range(300)))

    assert (len(found), found[198], found[199]) == (200, ("f198", "1"), TOO_MANY)


def test_two_hundred_fields_are_all_kept() -> None:
    """Exactly two hundred fields fit."""
    found = pairs(b"&".join(b"f%d=1" % number for number in range(200)))

    assert (len(found), found[199]) == (200, ("f199", "1"))


def test_body_over_the_limit_is_cut() -> None:
    """No more than 256 KiB of a body is ever looked at."""
    assert pairs(b"a=" + b"x" * 1_000_000) == (("a", "x" * (256 * 1024 - 2)),)


NASTY_CHUNKS = st.sampled_from(
    (
        ALICE_JSON,
        ALICE_URLENCODED,
        ALICE_MULTIPART,
        b"--XX\r\n",
        b'{"value":',
        b"phone=8900",
        b"\\ud800",
        b"\x00",
        b"\xd0",
        b"\xff\xfe",
        b'"',
        b"{",
        b"[",
        b"]",
        b"}",
        b"&",
        b"=",
        b"%",
    )
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    body=st.one_of(st.binary(max_size=300), st.lists(NASTY_CHUNKS, max_size=12).map(b"".join)),
    content_type=st.one_of(
        st.none(), st.text(max_size=40), st.sampled_from([JSON, URLENCODED, MULTIPART])
    ),
)
def test_any_bytes_become_a_storable_lead(body: bytes, content_type: str | None) -> None:
    """Whatever comes is decoded and read without an error into text that UTF-8 can hold."""
    form = forms.decode(body, content_type)
    lead = lead_fields.read(form.pairs, Courses(()), idempotency_key=content_type)

    texts = [text for pair in (*form.pairs, *lead.extra) for text in pair]
    texts += [lead.name, lead.phone_raw or "", lead.email, lead.comment, *lead.problems]
    texts += [lead.submission_id or ""]
    assert "".join(texts) == "".join(texts).encode().decode()
    assert not any("\0" in text for text in texts)
