"""People's plain SQL beside the running daemon: what it changes, and what the tables refuse."""

import sqlite3
from datetime import timedelta

import pytest

from bot.demo.stage import Stage, until
from greenapi.emulator import RESET_BEFORE_ACCEPT
from tests.scenarios.acts import (
    CALLED,
    NO_PAUSES,
    buttons,
    card_shows,
    chat_says,
    dispatch,
    insert_lead,
    insert_row,
    lead,
    moment,
    row,
    row_is,
    sql,
    texts,
)


async def test_inserted_lead_gets_a_card_and_inserted_message_goes(stage: Stage) -> None:
    """A lead put in by SQL has its card within seconds; a message put in goes at the next pass."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")

    lead_id = insert_lead(stage, "79001110001", name="Белла")
    await card_shows(stage, lead_id, "👤 Белла", "📞 +79001110001", CALLED)
    row_id = insert_row(stage, lead_id, "Написано руками", stage.clock.now())
    await card_shows(stage, lead_id, "Рассылка идёт: отправлено 0, ждёт 1")
    status, report = await dispatch(stage)
    await card_shows(stage, lead_id, "Рассылка закончена: отправлено 1")

    counted = {"sent": 1, "failed": 0, "cancelled": 0, "postponed": 0, "unknown": 0, "pending": 0}
    assert (200, counted) == (status, report)
    assert ["Написано руками"] == texts(stage, "79001110001")
    assert "sent" == row(stage, row_id)["status"]
    assert 0 == lead(stage, lead_id)["whatsapp_campaign_active"]


async def test_changed_rows_are_obeyed(stage: Stage) -> None:
    """Status, text, time, template, target, campaign and phone count as they stand when due."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    names = ("time", "text", "cancelled", "revived", "template", "stopped", "target", "phone")
    far = stage.clock.now() + timedelta(days=5)
    leads = {name: insert_lead(stage, f"7900222000{n}") for n, name in enumerate(names)}
    values = {"template": {"message_template": "day3"}}
    ids = {
        name: insert_row(stage, leads[name], f"Текст: {name}", far, **values.get(name, {}))
        for name in names
    }

    sql(stage, "UPDATE whatsapp_queue SET message_text = 'Новый' WHERE id = ?", ids["text"])
    for name in ("cancelled", "revived"):
        sql(stage, "UPDATE whatsapp_queue SET status = 'cancelled' WHERE id = ?", ids[name])
    sql(stage, "UPDATE whatsapp_templates SET active = FALSE WHERE name = 'day3'")
    sql(stage, "UPDATE leads SET whatsapp_campaign_active = FALSE WHERE id = ?", leads["stopped"])
    sql(stage, "UPDATE leads SET is_target = FALSE WHERE id = ?", leads["target"])
    sql(stage, "UPDATE leads SET phone = '79002229999' WHERE id = ?", leads["phone"])
    sql(stage, "UPDATE whatsapp_queue SET scheduled_at = '2026-11-23 06:00:00'")
    sql(stage, "UPDATE whatsapp_queue SET status = 'pending' WHERE id = ?", ids["revived"])
    status, report = await dispatch(stage)

    assert (200, 4, 2, 1) == (status, *(report[key] for key in ("sent", "cancelled", "pending")))
    assert {
        **dict.fromkeys(("time", "text", "revived", "phone"), ("sent", None)),
        "cancelled": ("cancelled", None),
        "template": ("cancelled", "шаблон выключен"),
        "stopped": ("cancelled", "рассылка остановлена"),
        "target": ("pending", "клиент отмечен как нецелевой"),
    } == {name: _status_and_reason(stage, row_id) for name, row_id in ids.items()}
    assert ["Новый"] == texts(stage, "79002220001")
    assert ["Текст: phone"] == texts(stage, "79002229999")
    sql(stage, "UPDATE leads SET is_target = TRUE WHERE id = ?", leads["target"])
    assert 1 == (await dispatch(stage))[1]["sent"]
    assert 5 == len(stage.green.delivered)


def _status_and_reason(stage: Stage, row_id: int) -> tuple[str, str | None]:
    found = row(stage, row_id)
    return found["status"], found["error_message"]


async def test_unknown_rows_are_settled_by_sql(stage: Stage) -> None:
    """`unknown` set to pending is sent once more; set to sent it counts from its attempt."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    stage.green.fail_next("sendMessage", RESET_BEFORE_ACCEPT, times=2)
    again, counted = (
        insert_row(stage, insert_lead(stage, phone), "Привет", stage.clock.now())
        for phone in ("79003330001", "79003330002")
    )
    assert 2 == (await dispatch(stage))[1]["unknown"]
    question = await chat_says(stage, "Заявка №1, клиент: «сообщение 1» — неясно, ушло ли.")
    assert 2 == len(buttons(question))

    sql(stage, "UPDATE whatsapp_queue SET status = 'pending' WHERE id = ?", again)
    sql(stage, "UPDATE whatsapp_queue SET status = 'sent' WHERE id = ?", counted)
    assert 1 == (await dispatch(stage))[1]["sent"]
    await row_is(stage, again, "sent")
    settled = await chat_says(stage, "Заявка №1, клиент: «сообщение 1» — отправлено.")

    assert [] == buttons(settled)
    assert ["Привет"] == texts(stage, "79003330001")
    assert [] == texts(stage, "79003330002")
    sent = row(stage, counted)
    assert sent["attempted_at"] == sent["sent_at"]
    assert sent["sent_at"] == lead(stage, 2)["last_whatsapp_sent_at"]
    assert stage.clock.now() > moment(sent["sent_at"])


REFUSED = {
    "sent stays sent": "UPDATE whatsapp_queue SET status = 'pending' WHERE id = 1",
    "sent is not cancelled": "UPDATE whatsapp_queue SET status = 'cancelled' WHERE id = 1",
    "only the daemon sends": "UPDATE whatsapp_queue SET status = 'sending' WHERE id = 2",
    "pending is not sent by hand": "UPDATE whatsapp_queue SET status = 'sent' WHERE id = 2",
    "no such status": "UPDATE whatsapp_queue SET status = 'done' WHERE id = 2",
    "no such moment": "UPDATE whatsapp_queue SET scheduled_at = '2026-02-30 10:00:00' WHERE id = 2",
    "another format": "UPDATE whatsapp_queue SET scheduled_at = '23.11.2026' WHERE id = 2",
    "no such lead": "INSERT INTO whatsapp_queue (lead_id, message_text, scheduled_at)"
    " VALUES (99, 'x', datetime('now'))",
    "no text": "INSERT INTO whatsapp_queue (lead_id, scheduled_at) VALUES (1, datetime('now'))",
    "no such call status": "UPDATE leads SET call_status = 'later' WHERE id = 1",
    "not digits": "UPDATE leads SET phone = '+7 900' WHERE id = 1",
}


async def test_tables_refuse_what_would_break_the_contract(stage: Stage) -> None:
    """Statements that the contract forbids fail, and nothing has changed."""
    stage.settings = NO_PAUSES
    await stage.start_daemon()
    await stage.daemon.until_said("pass_done")
    lead_id = insert_lead(stage, "79004440001")
    insert_row(stage, lead_id, "Первое", stage.clock.now())
    insert_row(stage, lead_id, "Второе", stage.clock.now() + timedelta(days=1))
    await dispatch(stage)
    await until(lambda: row(stage, 1)["status"] == "sent", "the first is sent")

    for statement in REFUSED.values():
        with pytest.raises(sqlite3.IntegrityError):
            sql(stage, statement)

    assert ["sent", "pending"] == [row(stage, n)["status"] for n in (1, 2)]
    assert 1 == (await dispatch(stage))[1]["pending"]
