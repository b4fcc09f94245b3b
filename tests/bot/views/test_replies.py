"""Short answers to presses, texts and commands."""

from collections.abc import Callable

import pytest

from bot.services.calls import Pressed, What
from bot.views import replies


@pytest.mark.parametrize("what", What)
@pytest.mark.parametrize(
    ("name", "number"),
    [("", 0), ("Мария", 3), ("👩‍👩‍👧‍👦" * 1000, 2**63), ("{name} {0} %s\n\u202e", 1)],
    ids=["bare", "usual", "huge", "hostile"],
)
def test_every_outcome_has_words(what: What, name: str, number: int) -> None:
    """Whatever came of a press can be said on one small screen, and nothing in it is read twice."""
    said = replies.pressed(Pressed(what, name, number))

    assert 0 < len(said.encode("utf-16-le")) // 2 <= 200
    assert "\u202e" not in said
    assert "\n" not in said


SAID = {
    "started": (Pressed(What.STARTED, number=4), "Рассылка начата: 4 сообщения."),
    "refused": (Pressed(What.REFUSED), "Записано, рассылки не будет."),
    "refused after": (
        Pressed(What.REFUSED_AFTER, number=1),
        "Записано, больше ничего не уйдёт. Уже ушло: 1 сообщение.",
    ),
    "stopped": (Pressed(What.STOPPED, number=3), "Рассылка остановлена, отменено: 3 сообщения."),
    "first": (Pressed(What.TAKEN_FIRST_BY, "Мария"), "Первым взял(а): Мария."),
    "late": (
        Pressed(What.LATE, "Мария"),
        "Это уже сделано или изменилось. Последнее действие: Мария.",
    ),
    "late, by nobody": (
        Pressed(What.LATE),
        "Это уже сделано или изменилось. Последнее действие: —.",
    ),
    "goes on": (Pressed(What.GOES_ON, number=7), "Рассылка по заявке №7 идёт дальше."),
    "running": (
        Pressed(What.ASK_RUNNING, number=7),
        "По этому номеру уже идёт рассылка (заявка №7).",
    ),
    "a name of braces": (Pressed(What.TAKEN_FIRST_BY, "{number}"), "Первым взял(а): {number}."),
}


@pytest.mark.parametrize(("pressed", "expected"), SAID.values(), ids=SAID)
def test_pressed(pressed: Pressed, expected: str) -> None:
    """An outcome is told with its name and number."""
    assert expected == replies.pressed(pressed)


ALERTS = {What.LATE, What.GONE, What.TAKEN_FIRST_BY, What.TOO_LATE_TO_UNDO, What.ASK_RUNNING}


@pytest.mark.parametrize("what", What)
def test_is_alert(what: What) -> None:
    """What has to be read is shown until it is closed."""
    assert (what in ALERTS) == replies.is_alert(Pressed(what))


@pytest.mark.parametrize(
    "text",
    [
        replies.NO_RIGHT,
        replies.NO_RIGHT_COMMAND,
        replies.ASK_AGAIN,
        replies.OLD_BUTTON,
        replies.FAILED,
        replies.SETTLED,
    ],
)
def test_answers_to_presses_are_short(text: str) -> None:
    """An answer shown over the chat has at most 200 characters."""
    assert 0 < len(text) <= 200


@pytest.mark.parametrize("ask", [replies.ask_phone, replies.ask_comment])
def test_questions_name_their_lead_and_the_way_out(ask: Callable[[int], str]) -> None:
    """A question for a text names its lead, and how to leave it."""
    asked = ask(17)

    assert "№17" in asked
    assert "/cancel" in asked


COMMANDS = {
    "stranger": (False, False, {"/start", "/help", "/id"}),
    "manager": (False, True, {"/start", "/help", "/id", "/cancel"}),
    "admin": (True, False, {"/start", "/help", "/id", "/cancel", "/here"}),
    "both": (True, True, {"/start", "/help", "/id", "/cancel", "/here"}),
}


@pytest.mark.parametrize(("admin", "manager", "commands"), COMMANDS.values(), ids=COMMANDS)
def test_help(admin: bool, manager: bool, commands: set[str]) -> None:
    """Help lists the commands that this person may give, and no others."""
    lines = replies.help_text(admin=admin, manager=manager).splitlines()

    assert commands == {line.split()[0] for line in lines if line.startswith("/")}


def test_start() -> None:
    """Managers are told what the bot does, others only whose it is."""
    assert "/help" in replies.start(manager=True)
    assert "заявки" not in replies.start(manager=False)


def test_ids() -> None:
    """In private a person's own id is told, in a group the chat's too."""
    assert "Ваш id: 101" == replies.ids(101, 101, private=True)
    assert "Ваш id: 101\nid этого чата: -100500" == replies.ids(101, -100500, private=False)
