"""A lead's data, read out of a form's named texts.

Nothing a visitor wrote is lost: what is not understood stays in `extra` or in `phone_raw`, whole.
Knows neither how a body was encoded (`bot.domain.forms`) nor what becomes of the lead.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import phones
from bot.domain.courses import Courses
from bot.domain.field_names import Role, role

Pair = tuple[str, str]

NO_PHONE = "в заявке нет номера телефона"
_PHONE_UNKNOWN = "номер не распознан: «{text}»"

_SHOWN_CHARS = 60
_ID_CHARS = 200
_TEST_FIELDS = 10
_FIELDS_TRIED = 10  # of one kind; a form has two, and numbers take time to understand
_LIST_CHARS = 1_000
_NAMES = (Role.NAME, Role.FIRST_NAME, Role.MIDDLE_NAME, Role.LAST_NAME)
_READABLE = (*_NAMES, Role.MAYBE_PHONE, Role.COURSE, Role.COMMENT, Role.UNKNOWN)
_FREE_TEXT = (*_NAMES, Role.MAYBE_PHONE, Role.COMMENT)

# Control characters but for \n and \t; overrides of direction, which could forge a card's text;
# halves of surrogate pairs, which no UTF-8 can hold.
_DROPPED = dict.fromkeys(
    code
    for codes in ((0, 32), (127, 160), (0x202A, 0x202F), (0x2066, 0x206A), (0xD800, 0xE000))
    for code in range(*codes)
    if chr(code) not in "\n\t"
)


@dataclass(frozen=True, slots=True)
class LeadRequest:
    """What a form said; texts are stripped, of any length, empty if missing.

    `phone` is digits; `phone_raw` is what stood there when it was no number; `course` is a key.
    `extra` are all other fields as sent; `problems` are Russian sentences for the managers.
    """

    name: str = ""
    phone: str | None = None
    phone_raw: str | None = None
    course: str | None = None
    email: str = ""
    comment: str = ""
    extra: tuple[Pair, ...] = ()
    submission_id: str | None = None
    problems: tuple[str, ...] = ()
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class _Field:
    place: int
    label: str
    value: str
    role: Role


@dataclass(frozen=True, slots=True)
class _Found:
    """A value, and the places of the fields that are wholly told by it."""

    value: str
    places: frozenset[int] = frozenset()


def read(
    pairs: Sequence[Pair], courses: Courses, *, idempotency_key: str | None = None
) -> LeadRequest:
    """Read a lead out of `pairs`; never raises, whatever they hold.

    `idempotency_key` is the header of that name, used when the body has no submission id.
    """
    fields = _fields(pairs)
    phone, raw = _phone(fields)
    name, course = _name(fields), _course(fields, courses)
    email, comment = _email(fields), _comment(fields)
    submission = _submission(fields, idempotency_key)
    values = (phone, raw, name, course, email, comment, submission)
    told = frozenset[int]().union(*(found.places for found in values))
    return LeadRequest(
        name=name.value,
        phone=phone.value or None,
        phone_raw=raw.value or None,
        course=course.value or None,
        email=email.value,
        comment=comment.value,
        extra=tuple((field.label, field.value) for field in fields if field.place not in told),
        submission_id=submission.value or None,
        problems=() if phone.value else (_phone_problem(raw.value),),
        is_test=_is_test(fields),
    )


def clean(text: str) -> str:
    """`text` without control characters (except newline and tab) and outer spaces."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_DROPPED).strip()


def _fields(pairs: Sequence[Pair]) -> list[_Field]:
    """The fields that were filled in, in their order."""
    cleaned = [(clean(label), clean(value)) for label, value in pairs]
    return [
        _Field(place, label, value, role(label))
        for place, (label, value) in enumerate(cleaned)
        if value
    ]


def _of(fields: list[_Field], *roles: Role) -> list[_Field]:
    return [field for field in fields if field.role in roles]


# --- phone --------------------------------------------------------------------------------------


def _phone(fields: list[_Field]) -> tuple[_Found, _Found]:
    """The number, by name first and by shape second; else the text that was no number."""
    named = _of(fields, Role.PHONE)
    for field in (*named, *_of(fields, Role.MAYBE_PHONE))[:_FIELDS_TRIED]:
        if number := phones.parse(field.value):
            return _number(number, field), _Found("")
    for field in _of(fields, *_READABLE):
        if phones.looks_like_phone(field.value) and (number := phones.find(field.value)):
            return _number(number, field), _Found("")
    for field in _of(fields, *_FREE_TEXT)[:_FIELDS_TRIED]:
        if number := phones.find(field.value):
            return _Found(number), _Found("")
    raw = named[0] if named else None
    return _Found(""), _Found(raw.value, frozenset({raw.place})) if raw else _Found("")


def _number(number: str, field: _Field) -> _Found:
    """A number found; its field stays shown if it says anything besides."""
    rest = phones.says_more(field.value)
    return _Found(number, frozenset() if rest else frozenset({field.place}))


def _phone_problem(raw: str) -> str:
    if not raw:
        return NO_PHONE
    short = raw if len(raw) <= _SHOWN_CHARS else raw[: _SHOWN_CHARS - 1] + "…"
    return _PHONE_UNKNOWN.format(text=short)


# --- the rest -----------------------------------------------------------------------------------


def _name(fields: list[_Field]) -> _Found:
    """First, middle and last name in this order; a number typed for a name is none."""
    parts: list[str] = []
    places: set[int] = set()
    for wanted in ((Role.NAME, Role.FIRST_NAME), (Role.MIDDLE_NAME,), (Role.LAST_NAME,)):
        named = [field for field in _of(fields, *wanted) if not _is_number(field.value)]
        for field in named[:1]:
            places.add(field.place)
            if field.value.casefold() not in " ".join(parts).casefold().split():
                parts.append(field.value)
    return _Found(" ".join(parts), frozenset(places))


def _is_number(text: str) -> bool:
    return phones.looks_like_phone(text) and not phones.says_more(text)


def _course(fields: list[_Field], courses: Courses) -> _Found:
    """The first course that is named; of a checkbox list, if it names just one."""
    for field in _of(fields, Role.COURSE)[:_FIELDS_TRIED]:
        whole = courses.find(field.value)
        parts = [courses.find(part) for part in field.value[:_LIST_CHARS].split(",")]
        keys = {whole.key} if whole else {part.key if part else "" for part in parts}
        if len(keys) == 1 and (key := keys.pop()):
            return _Found(key, frozenset({field.place}))
    return _Found("")


def _email(fields: list[_Field]) -> _Found:
    found = _of(fields, Role.EMAIL)[:1]
    return _Found(found[0].value, frozenset({found[0].place})) if found else _Found("")


def _comment(fields: list[_Field]) -> _Found:
    found = _of(fields, Role.COMMENT)
    text = "\n".join(field.value for field in found)
    return _Found(text, frozenset(field.place for field in found))


def _submission(fields: list[_Field], idempotency_key: str | None) -> _Found:
    """What makes a repeat known as one: `formid:tranid`, `tranid`, or `key:…` of the header."""
    own = _of(fields, Role.SUBMISSION)[:1]
    scope = [f"{field.value}:" for field in _of(fields, Role.FORM)[:1]]
    key = clean(idempotency_key or "")
    if own:
        return _Found(_short("".join(scope) + own[0].value), frozenset({own[0].place}))
    return _Found(_short(f"key:{key}")) if key else _Found("")


def _short(key: str) -> str:
    """The key itself, or its SHA-256 if it is longer than an index likes."""
    if len(key) <= _ID_CHARS:
        return key
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def _is_test(fields: list[_Field]) -> bool:
    """Tilda's connection test: `test=test`, and nothing that a person could have typed."""
    said = [field for field in fields if field.role not in (Role.SUBMISSION, Role.FORM)]
    tests = [field for field in said if (field.label.casefold(), field.value) == ("test", "test")]
    rest = [field for field in said if field.role is not Role.TECHNICAL]
    return bool(tests) and not rest and len(fields) <= _TEST_FIELDS
