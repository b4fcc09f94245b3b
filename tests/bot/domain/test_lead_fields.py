"""What a form's fields say about the lead."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bot.domain import forms, lead_fields
from bot.domain.courses import Course, Courses
from bot.domain.lead_fields import NO_PHONE, LeadRequest

COURSES = Courses.of(
    [
        Course("acting", "Актёрское мастерство", "Казбек Меретуков", ("актёрка",)),
        Course("oratory", "Ораторское искусство", "Ольга Штерц"),
    ]
)
SAMPLES = Path(__file__).parents[2] / "samples" / "forms"
INDEX: list[dict[str, Any]] = json.loads((SAMPLES / "index.json").read_text(encoding="utf-8"))
PHONE = ("phone", "+7 900 123-45-67")


def read(*pairs: tuple[str, str], key: str | None = None) -> LeadRequest:
    """The lead of some pairs."""
    return lead_fields.read(pairs, COURSES, idempotency_key=key)


@pytest.mark.parametrize("sample", INDEX, ids=[sample["file"] for sample in INDEX])
def test_recorded_sample_is_read(sample: dict[str, Any]) -> None:
    """Each sender's recorded body gives the lead written beside it."""
    form = forms.decode((SAMPLES / sample["file"]).read_bytes(), sample["content_type"])
    lead = lead_fields.read(form.pairs, COURSES)

    assert sample["lead"] == json.loads(json.dumps(asdict(lead)))


def test_every_sample_is_in_the_index() -> None:
    """No sample file is forgotten, none is missing."""
    listed = {sample["file"] for sample in INDEX} | {"index.json"}

    assert {path.name for path in SAMPLES.iterdir()} == listed


# --- names of fields ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        "name",
        "Name",
        "NAME*",
        "имя",
        "Имя:",
        "Ваше имя",
        "your-name",
        "your_name",
        "fio",
        "ФИО",
        "full_name",
        "contact.name",
        "Как вас зовут?",
        "Как к вам обращаться",
        "name-12",
        "No Label name",
        "user_name",
        "имя_клиента",
    ],
)
def test_name_is_known_by_its_label(label: str) -> None:
    """A name field is known without case, punctuation and courtesies."""
    lead = read((label, "Алиса"), PHONE)

    assert (lead.name, lead.extra) == ("Алиса", ())


@pytest.mark.parametrize(
    "label",
    [
        "phone",
        "Phone",
        "tel",
        "Тел.",
        "телефон",
        "Ваш телефон *",
        "your-phone",
        "tel-123",
        "phone_number",
        "mobile",
        "WhatsApp",
        "Номер телефона:",
        "contact.phone",
        "номер",
        "Телефон (WhatsApp)",
        "Телефон родителя",
        "lead[phone]",
        "form.phone",
    ],
)
def test_phone_is_known_by_its_label(label: str) -> None:
    """A phone field is known by its name, and is preferred to any other number."""
    lead = read(("заказ", "89007654321"), (label, "8 900 123 45 67"))

    assert (lead.phone, lead.extra) == ("79001234567", (("заказ", "89007654321"),))


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("course", "acting"),
        ("Курс", "актёрское мастерство"),
        ("Направление*", "Актерское  мастерство"),
        ("your-course", "АКТЁРКА"),
        ("Выберите курс", "acting, acting"),
        ("napravlenie", "Вокал, Актёрка"),
    ],
)
def test_course_is_known_by_key_title_or_alias(label: str, value: str) -> None:
    """A course field names a course by its key, title or alias, whatever the case."""
    lead = read(PHONE, (label, value))

    assert ("acting" if "Вокал" not in value else None) == lead.course


def test_unknown_course_is_shown() -> None:
    """A course that nobody configured is no course, and its text is kept."""
    lead = read(PHONE, ("курс", "Вокал"))

    assert (lead.course, lead.extra) == (None, (("курс", "Вокал"),))


def test_two_courses_are_left_to_the_manager() -> None:
    """A checkbox list of several courses is no one course, and is kept."""
    lead = read(PHONE, ("course", "Актёрское мастерство, Ораторское искусство"))

    assert (lead.course, lead.extra[0][1]) == (None, "Актёрское мастерство, Ораторское искусство")


@pytest.mark.parametrize("label", ["email", "E-mail", "Почта", "your-email", "Электронная почта"])
def test_email_is_known_by_its_label(label: str) -> None:
    """An e-mail field is known by its name."""
    assert read((label, "alice@example.com")).email == "alice@example.com"


@pytest.mark.parametrize(
    "label",
    ["comment", "Comments", "message", "Комментарий", "your-message", "Textarea", "Ваш вопрос", ""],
)
def test_comment_is_known_by_its_label(label: str) -> None:
    """A comment field is known by its name; a text without any name is a comment too."""
    assert read((label, "Перезвоните")).comment == "Перезвоните"


def test_several_comments_are_joined() -> None:
    """Comments of several fields stand below each other."""
    assert read(("comment", "раз"), ("message", "два")).comment == "раз\nдва"


@pytest.mark.parametrize(
    ("pairs", "name"),
    [
        ([("фамилия", "Иванова"), ("имя", "Алиса")], "Алиса Иванова"),
        ([("first_name", "Алиса"), ("last_name", "Иванова")], "Алиса Иванова"),
        (
            [("Имя", "Алиса"), ("Отчество", "Павловна"), ("Фамилия", "Иванова")],
            "Алиса Павловна Иванова",
        ),
        ([("Name.first", "Алиса"), ("Name.last", "Иванова")], "Алиса Иванова"),
        ([("name", "Алиса Иванова"), ("surname", "иванова")], "Алиса Иванова"),
        ([("lastname", "Иванова")], "Иванова"),
    ],
    ids=["Russian", "English", "with patronymic", "nested", "last name twice", "last name only"],
)
def test_name_is_put_together(pairs: list[tuple[str, str]], name: str) -> None:
    """First, middle and last name become one name, in this order."""
    lead = read(*pairs, PHONE)

    assert (name, ()) == (lead.name, lead.extra)


def test_second_name_is_shown() -> None:
    """Of two whole names the first is the lead's, the other is kept."""
    lead = read(("name", "Алиса"), ("имя", "Боб"), PHONE)

    assert (lead.name, lead.extra) == ("Алиса", (("имя", "Боб"),))


@pytest.mark.parametrize("label", ["form.name", "form_name", "company.name", "product.name"])
def test_name_of_something_else_is_not_the_clients(label: str) -> None:
    """The name of a form, a company or a product is no client's name."""
    lead = read((label, "Запись"), PHONE)

    assert ("", ((label, "Запись"),)) == (lead.name, lead.extra)


# --- phone --------------------------------------------------------------------------------------


def test_phone_is_found_by_its_shape() -> None:
    """Without a phone field, a value that is a number is the phone."""
    lead = read(("field_7", "8 (900) 123-45-67"))

    assert (lead.phone, lead.extra, lead.problems) == ("79001234567", (), ())


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("email", "79001234567@example.com"),
        ("E-mail", "79001234567"),
        ("tranid", "79001234567"),
        ("formid", "79001234567"),
        ("utm_term", "79001234567"),
        ("utm.term", "79001234567"),
        ("client_id", "79001234567"),
        ("COOKIES", "_ga=79001234567"),
        ("Дата", "9001234567"),
        ("ИНН", "7701234567"),
        ("company.phone", "79001234567"),
        ("page_url", "79001234567"),
        ("field", "https://example.com/79001234567"),
    ],
)
def test_other_digits_are_no_phone(label: str, value: str) -> None:
    """Identifiers, marks, addresses and the site's own data never become the phone."""
    lead = read((label, value))

    assert (lead.phone, lead.phone_raw, lead.problems) == (None, None, (NO_PHONE,))


def test_phone_is_found_in_the_comment() -> None:
    """A number inside a comment is the phone when there is no other; the comment stays."""
    lead = read(("comment", "звоните на +7 900 123-45-67 после шести"))

    assert (lead.phone, lead.comment) == ("79001234567", "звоните на +7 900 123-45-67 после шести")


def test_number_typed_for_a_name_is_the_phone() -> None:
    """A number in the name field is taken for the phone and not for the name."""
    lead = read(("name", "89001234567"))

    assert (lead.phone, lead.name, lead.extra) == ("79001234567", "", ())


def test_name_typed_with_a_number_is_kept() -> None:
    """A name field that holds a name and a number gives both."""
    lead = read(("name", "Анна 89001234567"))

    assert (lead.phone, lead.name) == ("79001234567", "Анна 89001234567")


def test_words_beside_the_number_are_kept() -> None:
    """A phone field that says more than the number is shown as it came."""
    lead = read(("phone", "8 900 123 45 67 (мама)"))

    assert (lead.phone, lead.extra) == ("79001234567", (("phone", "8 900 123 45 67 (мама)"),))


def test_first_understood_phone_counts() -> None:
    """Of several phone fields the first that is a number counts; the others are kept."""
    lead = read(("phone", "12-34"), ("tel", "89001234567"), ("mobile", "89007654321"))

    assert lead.phone == "79001234567"
    assert lead.extra == (("phone", "12-34"), ("mobile", "89007654321"))
    assert (lead.phone_raw, lead.problems) == (None, ())


def test_phone_not_understood_is_kept_raw() -> None:
    """A text in the phone field that is no number is kept, and said to be none."""
    lead = read(("phone", "12-34"))

    assert (lead.phone, lead.phone_raw, lead.extra) == (None, "12-34", ())
    assert lead.problems == ("номер не распознан: «12-34»",)


def test_second_phone_not_understood_is_shown() -> None:
    """Of several phone fields without a number the first is the raw one, the others are kept."""
    lead = read(("phone", "12-34"), ("tel", "нет"))

    assert (lead.phone_raw, lead.extra) == ("12-34", (("tel", "нет"),))


def test_long_text_for_a_phone_is_cut_only_in_the_problem() -> None:
    """The problem quotes the beginning; the text itself stays whole."""
    lead = read(("phone", "5" * 5_000))

    assert lead.phone_raw == "5" * 5_000
    assert (f"номер не распознан: «{'5' * 59}…»",) == lead.problems


def test_empty_form_has_no_phone() -> None:
    """Nothing at all is a lead without a phone, and no test."""
    assert LeadRequest(problems=(NO_PHONE,)) == read()


# --- identity, noise, texts ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "key", "expected"),
    [
        ([("tranid", "1:2"), ("formid", "form7")], None, "form7:1:2"),
        ([("TranId", "1:2")], "k", "1:2"),
        ([("submission_id", "a"), ("form.id", "7")], None, "7:a"),
        ([("Submission ID", "a")], None, "a"),
        ([("entry_id", "42"), ("form_id", "17")], None, "17:42"),
        ([("formid", "form7")], " k ", "key:k"),
        ([("formid", "form7")], None, None),
        ([("tranid", " ")], "", None),
    ],
    ids=["Tilda", "no form", "Elementor", "label", "entry", "header", "form only", "empty"],
)
def test_submission_id_is_scoped(
    pairs: list[tuple[str, str]], key: str | None, expected: str | None
) -> None:
    """A submission is known by its own id within its form, else by the header."""
    assert expected == read(*pairs, PHONE, key=key).submission_id


def test_long_submission_id_is_hashed() -> None:
    """An id longer than 200 characters is replaced by its SHA-256."""
    long = "x" * 201

    assert (
        f"sha256:{hashlib.sha256(long.encode()).hexdigest()}"
        == read(("tranid", long)).submission_id
    )
    assert read(("tranid", "x" * 200)).submission_id == "x" * 200


def test_other_fields_are_kept_in_order() -> None:
    """Marks, ids and unknown fields stay as sent; empty ones and the submission id do not."""
    noise = (("utm_source", "vk"), ("Возраст ребёнка", "12"), ("formid", "f1"), ("gclid", "z"))

    assert noise == read(*noise, ("empty", " "), ("tranid", "1"), PHONE).extra


@pytest.mark.parametrize(
    "pairs",
    [
        [("test", "test")],
        [("Test", "test"), ("formid", "form7"), ("tranid", "1:2"), ("COOKIES", "a=b")],
        [("test", "test"), ("name", ""), ("phone", " ")],
    ],
    ids=["alone", "with technical fields", "with empty fields"],
)
def test_connection_test_is_known(pairs: list[tuple[str, str]]) -> None:
    """Tilda's `test=test` with nothing that a person typed is a test."""
    assert read(*pairs).is_test


@pytest.mark.parametrize(
    "pairs",
    [
        [("test", "test"), PHONE],
        [("test", "test"), ("name", "Алиса")],
        [("test", "test"), ("comment", "x")],
        [("test", "yes")],
        [("name", "test"), ("phone", "test")],
        [("test", "test"), *((f"utm_{mark}", "x") for mark in range(10))],
    ],
    ids=["phone", "name", "comment", "other value", "a person's test", "too much"],
)
def test_lead_is_no_connection_test(pairs: list[tuple[str, str]]) -> None:
    """Whatever a person may have typed is a lead."""
    assert not read(*pairs).is_test


def test_control_characters_are_dropped() -> None:
    """Texts lose control characters and outer spaces, and keep newlines and tabs."""
    lead = read(("na\x07me", " Али\0са\u202e\ud800\n"), ("comment", "\x85a\r\nb\rc\td\x7f"))

    assert (lead.name, lead.comment) == ("Алиса", "a\nb\nc\td")


def test_long_texts_stay_whole() -> None:
    """Names and comments are not cut: the card's view does that."""
    lead = read(("name", "А" * 100_000), ("comment", "б" * 100_000))

    assert (len(lead.name), len(lead.comment)) == (100_000, 100_000)


def test_many_nasty_fields_are_bounded() -> None:
    """Only the first few phone fields and texts are searched for a number."""
    nasty = [(f"phone{number}", "1," * 500) for number in range(10)]

    assert read(*nasty, ("phone", "12"), ("tel", "89001234567 x" + "y" * 40)).phone is None
