"""Telephone numbers as people type them."""

import pytest

from bot.domain import phones

ALICE = "79001234567"

TYPED = {
    "international": "+7 900 123-45-67",
    "eight": "8 (900) 123-45-67",
    "local": "9001234567",
    "digits": "79001234567",
    "zeros for the plus": "0079001234567",
    "zeros with spaces": "007 900 123 45 67",
    "Russian exit code": "8 10 7 900 1234567",
    "words around": "тел: 8-900-123-45-67 (Анна)",
    "full-width digits": "＋７９００１２３４５６７",
    "Arabic digits": "٧٩٠٠١٢٣٤٥٦٧",
    "hard spaces and hyphens": "+7\u00a0900\u2011123\u201145\u201167",
    "open bracket": "+7(9001234567",
    "extension": "8 900 123 45 67 доб. 12",
    "two by comma": "89001234567, 89007654321",
    "two by slash": "89001234567/89007654321",
    "two by semicolon": "8 900 123-45-67; +7 900 765-43-21",
    "a bad one first": "12-34, 89001234567",
    "slashes inside": "8/900/123/45/67",
    "commas inside": "8,900,123,45,67",
    "plus before eight": "+8 900 123 45 67",
    "plus before nine": "+9001234567",
    "eight after seven": "+7 (8900) 123-45-67",
    "spaces outside": "  89001234567\n",
    "a number of JSON": "79001234567.0",
}


@pytest.mark.parametrize("text", TYPED.values(), ids=TYPED)
def test_typed_number_is_understood(text: str) -> None:
    """Every usual way to type a Russian number gives the same digits."""
    assert phones.parse(text) == ALICE


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("+44 20 7946 0958", "442079460958"),
        ("+375 29 123-45-67", "375291234567"),
        ("00 44 20 7946 0958", "442079460958"),
        ("375 29 123-45-67", "375291234567"),
        ("380501234567", "380501234567"),
        ("8 701 123 45 67", "77011234567"),
    ],
    ids=[
        "Britain",
        "Belarus",
        "Britain by zeros",
        "Belarus without plus",
        "Ukraine without plus",
        "Kazakhstan",
    ],
)
def test_foreign_number_keeps_its_country(text: str, digits: str) -> None:
    """A number of another country is understood as that country's."""
    assert digits == phones.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "12-34",
        "1234567",
        "+7 900 123-45-6",
        "24.09.2025",
        "24.09.2025 10:00",
        "нет телефона",
        "+376 312345",
        "1700000000",
        "8900123456789",
        "\x00�",
    ],
)
def test_text_without_number_is_none(text: str) -> None:
    """What no numbering plan has, or is shorter than ten digits, is no number."""
    assert phones.parse(text) is None


@pytest.mark.parametrize(
    "text",
    ["5" * 5_000, "1," * 50_000, "+7" * 50_000, "(" * 100_000, "8 900 12 34 " * 9_000],
    ids=["digits", "commas", "pluses", "brackets", "halves"],
)
def test_huge_text_is_cut_before_parsing(text: str) -> None:
    """Only the beginning of a huge text is read: a number behind it is not found."""
    assert phones.parse(text + " +79001234567") is None


def test_number_before_huge_text_is_found() -> None:
    """A number at the beginning is understood, whatever follows it."""
    assert phones.parse("8 900 123 45 67" + " " * 100_000) == ALICE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 900 123-45-67", True),
        ("Анна 89001234567", True),
        ("alice79001234567@example.com", False),
        ("https://t.me/+79001234567", False),
        ("_ga=79001234567", False),
        ("89001234567 " + "12 " * 10, False),
        ("Звоните мне вечером 89001234567", False),
        ("24.09.2025", False),
        ("203.0.113.7", False),
        ("1101000:2202000001", False),
        ("1700000000", False),
        ("Позвоните мне, пожалуйста, на 89001234567 после шести вечера", False),
    ],
)
def test_shape_tells_a_number_from_other_values(text: str, expected: bool) -> None:
    """Only a value that is little more than a number has the shape of one."""
    assert expected == phones.looks_like_phone(text)


def test_number_is_found_in_free_text() -> None:
    """A number inside a sentence is found."""
    assert phones.find("Позвоните мне, пожалуйста, на 89001234567 после шести") == ALICE


def test_mistyped_number_is_not_found_in_free_text() -> None:
    """Free text is not forgiven what a phone field is: digits there may be anything."""
    assert phones.find("заказ 375291234567") is None


@pytest.mark.parametrize(
    ("digits", "masked"),
    [
        ("79001234567", "+7900***4567"),
        ("442079460958", "+4420***0958"),
        ("3729001234", "+372***1234"),
        ("1234567", "+***4567"),
        ("12345", "+***45"),
        ("123", "+***"),
        ("", ""),
    ],
)
def test_mask_hides_at_least_three_digits(digits: str, masked: str) -> None:
    """A mask keeps the ends of a number and hides three digits or more."""
    assert masked == phones.mask(digits)


@pytest.mark.parametrize(("digits", "shown"), [("79001234567", "+79001234567"), ("", "")])
def test_shown_number_has_its_plus(digits: str, shown: str) -> None:
    """A number is shown whole with a plus; no number is shown as nothing."""
    assert shown == phones.show(digits)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("+7 (900) 123-45-67", False), ("8900… Анна", True), ("89001234567, 89007654321", True)],
    ids=["a number", "a name", "a second number"],
)
def test_words_beside_a_number_are_noticed(text: str, expected: bool) -> None:
    """A text says more than its number if it has words or another number."""
    assert expected == phones.says_more(text)
