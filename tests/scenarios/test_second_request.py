"""A client who asks again while the campaign of the first request runs."""

from bot.demo.stage import Stage
from tests.scenarios.acts import (
    card_shows,
    dispatch,
    got,
    lead,
    lead_arrives,
    rows,
    say_no,
    say_yes,
    statuses,
    texts,
    welcomed,
)

ALICE, BORIS, VERA = "79001234501", "79001234502", "79001234503"


async def test_campaign_waits_for_the_new_call(stage: Stage) -> None:
    """Its rows wait; "yes" lets them go on, "no" cancels them, and so do 7 days without a call."""
    await stage.start_daemon()
    for phone in (ALICE, BORIS, VERA):
        await welcomed(stage, phone=phone)
    stage.clock.jump(3600)
    again = [await lead_arrives(stage, phone=phone) for phone in (ALICE, BORIS, VERA)]
    assert [4, 5, 6] == again
    shown = await card_shows(stage, 4, "🔁 Уже обращался: заявка №1")
    assert "целевой, отправлено 1 сообщение, рассылка идёт" in shown.text

    stage.clock.jump(86400)
    status, report = await dispatch(stage)
    assert (200, 0) == (status, report["sent"])
    for lead_id in (1, 2, 3):
        await card_shows(stage, lead_id, f"ждёт итога звонка по новой заявке №{lead_id + 3}")
    assert "Рассылка по заявке №1 идёт дальше." == await say_yes(stage, 4)
    await card_shows(stage, 4, "📨 Рассылка идёт по заявке №1")
    told = await say_no(stage, 5)
    assert "Записано, больше ничего не уйдёт. Уже ушло: 1 сообщение." == told
    assert 1 == (await dispatch(stage))[1]["sent"]
    await got(stage, 2, ALICE)
    await card_shows(stage, 2, "Рассылка отменена: отправлено 1")

    assert ["sent", "sent", "pending", "pending"] == statuses(stage, 1)
    assert ["sent", "cancelled", "cancelled", "cancelled"] == statuses(stage, 2)
    assert [] == rows(stage, 4)
    stage.clock.jump(7 * 86400)
    await card_shows(stage, 3, "Рассылка закончена: отправлено 1")
    assert ["sent", "cancelled", "cancelled", "cancelled"] == statuses(stage, 3)
    reason = "после новой заявки клиенту не позвонили за 7 дней"
    assert reason == rows(stage, 3)[1]["error_message"]
    assert 0 == lead(stage, 3)["whatsapp_campaign_active"]
    assert [1, 1] == [len(texts(stage, phone)) for phone in (BORIS, VERA)]
