"""GREEN-API that refuses: the instance, the pace, one message, or everything."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.demo.stage import Stage, until
from greenapi.emulator import (
    NOT_AUTHORIZED,
    QUOTA,
    STARTING,
    Fault,
    bad_request,
    rate_limited,
    status,
)
from tests.scenarios.acts import (
    NO_PAUSES,
    accepted,
    card_shows,
    dispatch,
    insert_lead,
    insert_row,
    moment,
    row,
    row_is,
    texts,
)

BAD_CHAT = "Validation failed. Details: 'chatId' must be one of the next formats"


@dataclass(frozen=True)
class Trouble:
    """Something about the instance: how it begins, and the words people read."""

    begin: Callable[[Stage], None]
    words: str
    asked: bool = True  # told by getStateInstance, so that nothing was sent at all


def _on_send(fault: Fault) -> Callable[[Stage], None]:
    return lambda stage: stage.green.fail_next("sendMessage", fault)


def _on_state(fault: Fault) -> Callable[[Stage], None]:
    return lambda stage: stage.green.fail_next("getStateInstance", fault)


def _state(state: str) -> Callable[[Stage], None]:
    def begin(stage: Stage) -> None:
        stage.green.state = state

    return begin


TROUBLES = {
    "401": Trouble(_on_send(status(401)), "GREEN-API не принимает токен", asked=False),
    "466": Trouble(_on_send(QUOTA), "исчерпан лимит тарифа", asked=False),
    "400 not authorized": Trouble(_on_send(NOT_AUTHORIZED), "WhatsApp не привязан", asked=False),
    "400 starting": Trouble(_on_send(STARTING), "инстанс GREEN-API запускается", asked=False),
    "state notAuthorized": Trouble(_state("notAuthorized"), "WhatsApp не привязан"),
    "state starting": Trouble(_state("starting"), "инстанс GREEN-API запускается"),
    "state 401": Trouble(_on_state(status(401)), "GREEN-API не принимает токен"),
    "state 404": Trouble(_on_state(status(404)), "неверный адрес GREEN-API"),
}


async def test_trouble_with_the_instance_stops_the_pass(stage: Stage) -> None:
    """Nothing more is tried, the rows stay, and once it is well each client gets it once."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")

    for number, trouble in enumerate(TROUBLES.values()):
        stage.clock.jump(61)  # what is known of the instance is old
        await _in_trouble(stage, number, trouble)
    assert len(TROUBLES) * 2 == len(stage.green.delivered)
    assert sorted(set(accepted(stage))) == sorted(accepted(stage))


async def _in_trouble(stage: Stage, number: int, trouble: Trouble) -> None:
    phones = [f"7900600{number:02}0{n}" for n in (1, 2)]
    sent_before = sum(call.method == "sendMessage" for call in stage.green.calls)
    trouble.begin(stage)
    ids = [insert_row(stage, insert_lead(stage, p), "Привет", stage.clock.now()) for p in phones]
    code, answer = await dispatch(stage)
    tried = sum(call.method == "sendMessage" for call in stage.green.calls) - sent_before
    assert ["pending", "pending"] == [row(stage, row_id)["status"] for row_id in ids]
    if trouble.asked:
        assert (503, "held", 0) == (code, answer["status"], tried)
        assert trouble.words in answer["reason"]
    else:
        assert (200, 0, 2, 1) == (code, answer["sent"], answer["pending"], tried)
        assert trouble.words in row(stage, ids[0])["error_message"]
        assert trouble.words in (await dispatch(stage))[1]["reason"]
    stage.green.state = "authorized"
    stage.clock.jump(61)
    for row_id in ids:
        await row_is(stage, row_id, "sent")


async def test_pace_and_refused_connection_are_waited_out(stage: Stage) -> None:
    """429 waits as long as it says, no connection a while; then each goes once."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    stage.green.fail_next("sendMessage", rate_limited(300))
    first = insert_row(stage, insert_lead(stage, "79007000001"), "Первое", stage.clock.now())
    asked_at = stage.clock.now()
    assert 1 == (await dispatch(stage))[1]["postponed"]
    waiting = row(stage, first)
    assert ("pending", "слишком частые запросы к GREEN-API") == (
        waiting["status"],
        waiting["error_message"],
    )
    assert timedelta(seconds=299) <= moment(waiting["scheduled_at"]) - asked_at

    second = insert_row(stage, insert_lead(stage, "79007000002"), "Второе", stage.clock.now())
    await stage.green.stop()
    code, answer = await dispatch(stage)
    assert (200, 1) == (code, answer["postponed"])
    assert "нет связи с GREEN-API" == row(stage, second)["error_message"]
    await card_shows(stage, 2, "(нет связи с GREEN-API)")
    await stage.green.start()
    stage.clock.jump(400)
    await dispatch(stage)
    for row_id in (first, second):
        await row_is(stage, row_id, "sent")

    assert [["Первое"], ["Второе"]] == [texts(stage, f"7900700000{n}") for n in (1, 2)]


async def test_refusal_of_one_message_fails_it_alone(stage: Stage) -> None:
    """The refused row is failed with a reason on its card; the other rows go out."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    stage.green.fail_next("sendMessage", bad_request(BAD_CHAT))
    ids = [
        insert_row(stage, insert_lead(stage, f"7900800000{n}"), f"Текст {n}", stage.clock.now())
        for n in (1, 2, 3)
    ]
    code, report = await dispatch(stage)

    assert (200, 1, 2) == (code, report["failed"], report["sent"])
    assert ["failed", "sent", "sent"] == [row(stage, row_id)["status"] for row_id in ids]
    await card_shows(stage, 1, "не отправлено: WhatsApp не принял сообщение: Validation failed.")
    await until(lambda: len(stage.green.delivered) == 2, "two messages")
