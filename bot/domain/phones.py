"""What a person typed as a telephone number, as digits; and how digits are shown.

Numbering plans are those of `phonenumbers`. Knows nothing of forms, leads or messengers.
"""

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumber

_REGION = "RU"
_SHORTEST, _LONGEST = 10, 15  # digits; E.164 allows 15, and shorter ones are never mobile here
_READ_CHARS = 1_000  # of any text: the rest is not looked at, whatever somebody posted
_SHAPE_CHARS = 40  # a value that is a number, perhaps with a name beside it
_MATCHES_TRIED = 50
_PARTS_TRIED = 10

_SEPARATORS = re.compile(r"[,/;|\n]")
_INTERNATIONAL_00 = re.compile(r"^[^\w+]*00(?=\s?[-(]?[1-9])")
_LETTER = re.compile(r"[^\W\d_]")
_NOT_A_NUMBER = re.compile(r"[@=]|://")


def _digits(number: PhoneNumber) -> str | None:
    """The number as digits, if its numbering plan has it and its length suits us."""
    if not phonenumbers.is_valid_number(number):
        return None
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = shown.removeprefix("+")
    return digits if _SHORTEST <= len(digits) <= _LONGEST else None


def _whole(text: str) -> str | None:
    """The number that `text` is."""
    try:
        return _digits(phonenumbers.parse(text, _REGION))
    except phonenumbers.NumberParseException:
        return None


def _within(text: str) -> str | None:
    """The first number that stands somewhere in `text`."""
    matches = phonenumbers.PhoneNumberMatcher(text, _REGION, max_tries=_MATCHES_TRIED)
    return next(filter(None, (_digits(match.number) for match in matches)), None)


def _strictly(text: str) -> str | None:
    text = _INTERNATIONAL_00.sub("+", text.strip())
    return _whole(text) or _within(text)


def _mistyped(text: str) -> str | None:
    """A number whose country code was mistyped: `+8 900 …`, or `375 29 …` without its plus."""
    if _LETTER.search(text):
        return None
    digits = phonenumbers.normalize_digits_only(text)
    return _whole(digits) or (_whole(f"+{digits}") if len(digits) > _SHORTEST else None)


def _readings(text: str) -> Iterator[str | None]:
    """Every reading of `text`, the most certain first, lazily."""
    for part in _SEPARATORS.split(text, _PARTS_TRIED):
        yield _strictly(part)
        yield _mistyped(part)
    yield _strictly(text)
    yield _whole(phonenumbers.normalize_digits_only(text))


def parse(text: str) -> str | None:
    """The first number in `text`, as 10 to 15 digits without `+`; None if there is none.

    Numbers without a country code are Russian. Only the first 1,000 characters are read.
    """
    return next(filter(None, _readings(text[:_READ_CHARS])), None)


def find(text: str) -> str | None:
    """A number that stands in free text, as `parse` gives it, but without forgiving mistypes."""
    return _strictly(text[:_READ_CHARS])


def looks_like_phone(text: str) -> bool:
    """Whether a value is a telephone number by its shape, whatever its field was called.

    A word or two beside the number are allowed; e-mail addresses, links and cookies are not.
    """
    text = text.strip()
    if len(text) > _SHAPE_CHARS or _NOT_A_NUMBER.search(text):
        return False
    digits = sum(map(str.isdigit, text))
    return digits >= max(_SHORTEST, len(_LETTER.findall(text))) and find(text) is not None


def says_more(text: str) -> bool:
    """Whether `text` holds more than one number: words, or a second number."""
    return bool(_LETTER.search(text)) or sum(map(str.isdigit, text)) > _LONGEST


def show(digits: str) -> str:
    """`+79001234567`; nothing for nothing."""
    return f"+{digits}" if digits else ""


def mask(digits: str) -> str:
    """`+7900***4567`; at least three digits are always hidden, of a short number more is."""
    head = max(0, min(4, len(digits) - 7))
    tail = max(0, min(4, len(digits) - 3 - head))
    return f"+{digits[:head]}***{digits[len(digits) - tail :]}" if digits else ""
