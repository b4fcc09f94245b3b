"""What becomes of the variables of a template."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.templates import LONGEST_MESSAGE, VARIABLES, RenderError, render

VALUES = {
    "name": "Анна",
    "course": "Актёрское мастерство",
    "instructor_name": "Казбек Меретуков",
    "phone": "+79001234567",
}
NOBODY = dict.fromkeys(VALUES, "")

RENDERED = {
    "name": ("{{name}}", VALUES, "Анна"),
    "course": ("{{course}}", VALUES, "Актёрское мастерство"),
    "instructor": ("{{instructor_name}}", VALUES, "Казбек Меретуков"),
    "phone": ("{{phone}}", VALUES, "+79001234567"),
    "several": ("{{name}}, {{course}}. {{name}}!", VALUES, "Анна, Актёрское мастерство. Анна!"),
    "fallback not needed": ("{{name|друг}}", VALUES, "Анна"),
    "fallback for empty": ("Привет, {{name|друг}}!", NOBODY, "Привет, друг!"),
    "fallback for missing": ("{{name|друг}}", {}, "друг"),
    "fallback for blanks": ("{{name|друг}}", {"name": " \n\t "}, "друг"),
    "fallback of several words": ("{{course|нашей школы}}", NOBODY, "нашей школы"),
    "spaces around": ("{{ name }} и {{ course | курс }}", {"name": "Анна"}, "Анна и курс"),
    "value with a variable": ("{{name}}", {"name": "{{phone}}"}, "{{phone}}"),
    "value with a fallback": ("{{name}}", {"name": "{{x|y}}"}, "{{x|y}}"),
    "value of a pattern's escapes": ("{{name}}", {"name": r"\g<0>\1"}, r"\g<0>\1"),
    "newlines in a name": ("{{name}}!", {"name": " Анна\r\nПетрова\n"}, "Анна Петрова!"),
    "many spaces in a name": ("{{name}}", {"name": "Анна   Петрова"}, "Анна Петрова"),
    "long value": ("{{name}}", {"name": "я" * 101}, "я" * 100),
    "long value cut at a space": ("{{name}}!", {"name": "я" * 99 + " яя"}, "я" * 99 + "!"),
    "no variables": ("Добрый день!\n\nЖдём вас.", VALUES, "Добрый день!\n\nЖдём вас."),
    "percent, dollar, format": (
        "100 % $name {name} %(name)s",
        VALUES,
        "100 % $name {name} %(name)s",
    ),
    "left open": ("{{name", VALUES, "{{name"),
    "never opened": ("name}}", VALUES, "name}}"),
    "one brace": ("{name}", VALUES, "{name}"),
    "closed by one": ("{{name}", VALUES, "{{name}"),
    "three braces": ("{{{name}}}", VALUES, "{Анна}"),
    "broken, then whole": ("{{name {{name}}", VALUES, "{{name Анна"),
    "markup stays": ("*{{name}}* <b>", {"name": "<i>"}, "*<i>* <b>"),
    "a bar in a fallback": ("{{name|a|b}}", NOBODY, "a|b"),
    "empty text": ("", VALUES, ""),
}


@pytest.mark.parametrize(("text", "values", "expected"), RENDERED.values(), ids=RENDERED)
def test_render(text: str, values: dict[str, str], expected: str) -> None:
    """Variables are filled in, and nothing else in a text is interpreted."""
    assert expected == render(text, values)


REFUSED = {
    "empty value": ("{{name}}", NOBODY, "не заполнено: имя клиента ({{name}})"),
    "missing value": ("{{course}}", {}, "не заполнено: название курса ({{course}})"),
    "blank value": (
        "{{instructor_name}}",
        {"instructor_name": "  "},
        "не заполнено: имя преподавателя ({{instructor_name}})",
    ),
    "empty fallback": ("{{phone|}}", NOBODY, "не заполнено: телефон клиента ({{phone}})"),
    "blank fallback": ("{{name|  }}", NOBODY, "не заполнено: имя клиента ({{name}})"),
    "unknown variable": ("{{surname}}", VALUES, "в шаблоне неизвестная переменная {{surname}}"),
    "unknown, with a fallback": ("{{x|y}}", VALUES, "в шаблоне неизвестная переменная {{x}}"),
    "unknown, though given": ("{{x}}", {"x": "y"}, "в шаблоне неизвестная переменная {{x}}"),
    "case counts": ("{{Name}}", VALUES, "в шаблоне неизвестная переменная {{Name}}"),
    "no name": ("{{}}", VALUES, "в шаблоне неизвестная переменная {{}}"),
    "too long": ("я" * (LONGEST_MESSAGE + 1), VALUES, "текст длиннее 20000 символов"),
    "too long when filled": (
        "{{name}}" + "я" * LONGEST_MESSAGE,
        VALUES,
        "текст длиннее 20000 символов",
    ),
}


@pytest.mark.parametrize(("text", "values", "reason"), REFUSED.values(), ids=REFUSED)
def test_render_refuses(text: str, values: dict[str, str], reason: str) -> None:
    """What cannot be made says why, in Russian."""
    with pytest.raises(RenderError) as caught:
        render(text, values)

    assert reason == str(caught.value)


def test_longest_text_is_allowed() -> None:
    """The limit itself is not too long."""
    assert LONGEST_MESSAGE == len(render("я" * LONGEST_MESSAGE, VALUES))


def test_variables_are_the_contracts() -> None:
    """There are the contract's four variables, each with a meaning."""
    meanings = {variable.name: variable.meaning for variable in VARIABLES}

    assert {"instructor_name", "name", "course", "phone"} == set(meanings)
    assert all(meanings.values())


_braces = st.text(alphabet="{}|ab name", max_size=40)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(_braces)
def test_values_are_never_interpreted(name: str) -> None:
    """A name of any braces stands in the text as it was written, but for its spaces."""
    expected = " ".join(name.split()) or "друг"

    assert f"<{expected}>" == render("<{{name|друг}}>", {"name": name})


@settings(deadline=None, derandomize=True, max_examples=300)
@given(_braces)
def test_any_text_is_rendered_or_refused(text: str) -> None:
    """No arrangement of braces breaks the rendering; without pairs of them nothing changes."""
    try:
        rendered = render(text, VALUES)
    except RenderError:
        assert "{{" in text
    else:
        assert text == rendered or "{{" in text
