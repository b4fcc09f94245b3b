"""What must never be printed, found in any text: tokens, and phone numbers, which are masked.

It works on the text alone and knows nothing of logging. Redacting twice changes nothing more.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

_HIDDEN = "***"
_SHORTEST_SECRET = 4  # shorter ones would eat ordinary words

# A number may begin after anything but a Latin letter, digit, `_` or `-` (so that hex ids, parts
# of a UUID and chat ids such as -1001234567890 stay whole), nor as a decimal fraction; it may
# begin after an escape that JSON put there, or a terminal's colour.
_START = r"(?:(?<![A-Za-z0-9_-])(?<!\d\.)|(?<=\\[nrt])|(?<=%2B)|(?<=\x1b\[\dm)|(?<=\x1b\[\d\dm))"
_END = r"(?!\d)(?![0-9A-Fa-f]{5})"  # more hex: an id that happens to begin with digits
_GAP = r"[ ()\-.\u00a0\u2009\u202f\u2010-\u2015]"
_RUSSIAN = rf"\+7(?:{_GAP}{{0,3}}\d){{10}}(?!\d)"
_INTERNATIONAL = rf"\+\d(?:{_GAP}{{0,3}}\d){{9,14}}(?!\d)"
_DIGITS_ALONE = rf"{_START}\d{{11,15}}{_END}"
# Russia and Kazakhstan as people write them: 8 (900) 123-45-67, 900 123-45-67, 9001234567
_DOMESTIC = (
    rf"{_START}(?:[78]{_GAP}{{0,3}}[34789]|9)\d{{2}}{_GAP}{{0,3}}\d{{3}}"
    rf"{_GAP}{{0,2}}\d{{2}}{_GAP}{{0,2}}\d{{2}}{_END}"
)
_PHONES = re.compile(f"{_RUSSIAN}|{_INTERNATIONAL}|{_DIGITS_ALONE}|{_DOMESTIC}")

# A header's name and value: as text, in a dict, in a list of pairs, in JSON within JSON. Brackets
# end a value, so that a rendered line stays what it was.
_HEADER = r"(?:authorization|x-webhook-token)"
_HELD = r"(?![:=])(?:[a-z]+\s+)?[^\s\"'\\,;(){}\[\]<>]+"
_TOKENS = (
    (re.compile(r"/bot\d+:[^/\s\"\\]+"), f"/bot{_HIDDEN}"),
    (re.compile(r"(/waInstance\d+/\w+/)[^/?\s\"\\]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
    (re.compile(rf"({_HEADER}[\"'\\]*\s*[:=]\s*[\"'\\]*){_HELD}", re.IGNORECASE), rf"\1{_HIDDEN}"),
    (
        re.compile(rf"([(\[]b?[\"'\\]+{_HEADER}[\"'\\]+,\s*b?[\"'\\]+){_HELD}", re.IGNORECASE),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"\b(bearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{_HIDDEN}"),
    (re.compile(r"(token=)[^&\s\"'\\]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
)


class Redactor:
    """Takes known secrets, anything shaped like a token, and phones out of a text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        usable = sorted((form for form in forms if len(form) >= _SHORTEST_SECRET), key=len)
        self._known = re.compile("|".join(map(re.escape, reversed(usable))) or r"(?!)")

    def __call__(self, text: str) -> str:
        """The text without them."""
        text = self._known.sub(_HIDDEN, text)
        for pattern, instead in _TOKENS:
            text = pattern.sub(instead, text)
        return _PHONES.sub(lambda found: mask_phone(found[0]), text)


def mask_phone(phone: str) -> str:
    """A phone, however written, as `+7900***4567`."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) == 10:
        digits = "7" + digits
    elif len(digits) == 11 and digits[0] == "8" and "+" not in phone:
        digits = "7" + digits[1:]  # 8 is how one dials out within Russia
    return f"+{digits[:4]}{_HIDDEN}{digits[-4:]}"


def _forms(secret: str) -> set[str]:
    """A secret as it may look inside a URL, JSON, or a quoted Python text."""
    as_json = json.dumps(secret), json.dumps(secret, ensure_ascii=False)
    return {secret, quote(secret), quote(secret, safe=""), repr(secret)[1:-1]} | {
        text[1:-1] for text in as_json
    }
