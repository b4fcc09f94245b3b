"""A "yes" for a lead without a course, or without a phone that can be called."""

from bot.demo.stage import Stage
from tests.scenarios.acts import (
    BACK,
    CALLED,
    YES,
    buttons,
    card_shows,
    chat_says,
    lead,
    lead_arrives,
    press,
    rows,
    statuses,
    texts,
)

NEW_PHONE = "79007654321"


async def test_yes_without_a_course_asks_which(stage: Stage) -> None:
    """The card offers the configured courses; the chosen one decides the messages."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage, course="Вокал")
    await card_shows(stage, lead_id, "🎓 курс не указан", "▫️ course: Вокал")

    await press(stage, lead_id, CALLED)
    assert "Выберите курс на карточке." == await press(stage, lead_id, YES)
    asked = await card_shows(stage, lead_id, "На какой курс записать клиента?")
    assert ["Актёрское мастерство", "Ораторское искусство", BACK] == buttons(asked)
    await press(stage, lead_id, BACK)
    await press(stage, lead_id, YES)
    told = await press(stage, lead_id, "Ораторское искусство")
    assert "Рассылка начата: 4 сообщения." == told
    await card_shows(stage, lead_id, "🎓 Ораторское искусство", "отправлено 1, ждёт 3")

    assert "oratory" == lead(stage)["course"]
    assert "day1_oratory" == rows(stage)[1]["message_template"]
    assert "Ольга Штерц" in rows(stage)[1]["message_text"]


async def test_yes_without_a_phone_asks_for_it(stage: Stage) -> None:
    """A bad number is asked for again; a good one goes on with the "yes"; /cancel goes back."""
    await stage.start_daemon()
    lead_id = await lead_arrives(stage, phone="12-34")
    await card_shows(stage, lead_id, "📞 номер не распознан: «12-34»")
    await press(stage, lead_id, CALLED)

    assert "Ответьте номером на сообщение бота." == await press(stage, lead_id, YES)
    prompt = await chat_says(stage, f"номером клиента по заявке №{lead_id}")
    assert [BACK] == buttons(await card_shows(stage, lead_id, "Номер не распознан."))
    cancel = stage.pyotr.types_command(stage.group, "/cancel", addressed=True)
    await chat_says(stage, "Хорошо, больше не жду ответа.", after=cancel.id)
    await card_shows(stage, lead_id, "Клиент целевой и ему интересно?", YES)

    await press(stage, lead_id, YES)
    prompt = await chat_says(stage, f"номером клиента по заявке №{lead_id}", after=cancel.id)
    stage.pyotr.replies(prompt, "восемь девятьсот")
    again = await chat_says(stage, "Не получилось разобрать номер.")
    stage.pyotr.replies(again, "8 900")
    again = await chat_says(stage, "Не получилось разобрать номер.", after=again.id)
    assert again.asks_for_reply
    stage.pyotr.replies(again, "8 (900) 765-43-21")
    await chat_says(stage, "Рассылка начата: 4 сообщения.")
    await card_shows(stage, lead_id, f"📞 +{NEW_PHONE}", "отправлено 1, ждёт 3")

    assert (NEW_PHONE, None) == (lead(stage)["phone"], lead(stage)["phone_raw"])
    assert ["sent", "pending", "pending", "pending"] == statuses(stage)
    assert 1 == len(texts(stage, NEW_PHONE))
