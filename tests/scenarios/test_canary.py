"""The canary: whatever happens, at DEBUG too, no line betrays a token, a client or a text."""

import re

from bot.demo import telegram_faults as faults
from bot.demo.stage import ADMIN_TOKEN, GREEN_TOKEN, LEADS_TOKEN, Stage, until
from bot.demo.telegram import TOKEN as TELEGRAM_TOKEN
from greenapi.emulator import (
    ACCEPT_THEN_RESET,
    GARBAGE,
    HTML,
    NOT_AUTHORIZED,
    bad_request,
    rate_limited,
    status,
)
from tests.scenarios.acts import (
    COMMENT,
    COUNT_AS_SENT,
    NO_PAUSES,
    TAKE,
    Expected,
    card_shows,
    chat_says,
    dispatch,
    insert_lead,
    insert_row,
    jump_past,
    lead_arrives,
    press,
    press_on,
    restarted,
    rows,
    say_yes,
    texts,
)

NAME = "Канарейкина"
WORDS = "ТайнаяПросьба"
PHONE = "79001234567"
FAULTS = (status(401), bad_request("Validation failed"), ACCEPT_THEN_RESET, GARBAGE, HTML)


async def test_no_line_betrays_anything(stage: Stage, expected: Expected) -> None:
    """A week with every kind of trouble, and two lives, leave nothing secret in the output."""
    expected.errors = {"update_parked"}  # one that no Bot API server would send
    stage.settings = {"log.level": "debug", "campaign.undo_seconds": 0, **NO_PAUSES}
    await stage.start_daemon()

    await _a_week(stage)
    await _hostile_forms(stage)
    await _trouble_with_green_api(stage)
    await _trouble_with_telegram(stage)
    await restarted(stage)
    status_code, _ = await dispatch(stage, json={"phone": PHONE, "message": f"{WORDS} проверка"})
    stage.daemon.terminate()
    await stage.daemon.gone()

    assert status_code in {200, 502}
    lines = [line for daemon in stage.daemons for line in daemon.output]
    assert 50 < len(lines)
    assert [] == [line for line in lines if _betrays(stage, line)]


def _betrays(stage: Stage, line: str) -> bool:
    fragments = {text[10:50] for text in texts(stage)} | {NAME, WORDS, "Здравствуйте"}
    secrets = {TELEGRAM_TOKEN, GREEN_TOKEN, LEADS_TOKEN, ADMIN_TOKEN}
    digits = re.sub(r"[\s()+-]", "", line)
    return any(word in line for word in fragments | secrets) or PHONE[1:] in digits


async def _a_week(stage: Stage) -> None:
    await lead_arrives(stage, name=NAME, phone="+7 (900) 123-45-67", comment=WORDS)
    await press(stage, 1, TAKE)
    await say_yes(stage, 1)
    await card_shows(stage, 1, "отправлено 1")
    await press(stage, 1, COMMENT)
    prompt = await chat_says(stage, "комментарием к заявке")
    stage.pyotr.replies(prompt, f"{WORDS} от менеджера {PHONE}")
    await chat_says(stage, "Комментарий записан.")
    for number, row in enumerate(rows(stage)[1:], start=2):
        jump_past(stage, row["id"])
        await card_shows(stage, 1, f"отправлено {number}")


async def _hostile_forms(stage: Stage) -> None:
    for body in (
        f'{{"name": "{NAME}", "phone": NaN, "comment": "{WORDS} {PHONE}"',
        "[" * 10_000 + PHONE,
        f"name={NAME}&phone={PHONE}00000&comment={WORDS}",
        f'{{"name": ["{NAME}", "\\ud800"], "tel": "8 (900) 123 45 67", "{WORDS}": "\\u0000"}}',
    ):
        await stage.post("/leads", data=body.encode(), headers={"X-Phone": PHONE})
    await stage.post(f"/leads?token={LEADS_TOKEN}x&phone={PHONE}", token="", data=b"x")
    await stage.ask("GET", f"/nowhere?token={ADMIN_TOKEN}&phone={PHONE}")


async def _trouble_with_green_api(stage: Stage) -> None:
    for number, fault in enumerate((*FAULTS, rate_limited(5), NOT_AUTHORIZED)):
        stage.clock.jump(61)
        await dispatch(stage)
        lead_id = insert_lead(stage, f"790077700{number:02}", name=NAME)
        insert_row(stage, lead_id, f"{WORDS} {number}", stage.clock.now())
        stage.green.fail_next("sendMessage", fault)
        await dispatch(stage)
    question = await chat_says(stage, "неясно, ушло ли.")
    await press_on(stage, question, COUNT_AS_SENT)
    await stage.green.stop()
    stage.clock.jump(61)
    await dispatch(stage)
    await stage.green.start()


async def _trouble_with_telegram(stage: Stage) -> None:
    for fault in (faults.bad_gateway(), faults.cut_body(), faults.garbage(), faults.reset_before()):
        stage.telegram.fail_next("sendMessage", fault)
        stage.telegram.fail_next("getUpdates", fault)
    stage.telegram.fail_next("editMessageText", faults.bad_request("something unheard of"))
    new = await lead_arrives(stage, name=NAME, phone="79007770099", comment=WORDS)
    await card_shows(stage, new, TAKE)
    stage.telegram.heal()
    stage.telegram.inject_update({"message": {"text": WORDS, "contact": PHONE}})
    await press(stage, new, TAKE)
    await until(lambda: not stage.telegram.pending_updates, "all updates taken")
