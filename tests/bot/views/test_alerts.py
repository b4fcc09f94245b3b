"""The words of alerts."""

import pytest

from bot.services.alerts import Trouble
from bot.views import words
from bot.views.alerts import alert


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("over", [False, True], ids=["began", "over"])
def test_every_trouble_has_words(trouble: Trouble, over: bool) -> None:
    """Each trouble says in a short text what is wrong, or that it is over."""
    text = alert({"trouble": trouble, "details": "x" * 5000, "over": over}).render()[0]

    assert 20 < words.units(text) < 700


def test_what_is_wrong_and_what_to_do() -> None:
    """An alert names the trouble with its particulars, then what to do."""
    text = alert({"trouble": "disk_low", "details": "312 МБ", "over": False}).render()[0]

    assert [
        "🚨 На диске мало места: 312 МБ.",
        "Освободите место: меньше 50 МБ — и заявки с рассылкой остановятся.",
    ] == text.splitlines()
