"""Many leads at once."""

from datetime import timedelta

from bot.demo.stage import Stage
from tests.scenarios.acts import TAKE, answer_to, card, card_shows, lead_arrives

LEADS = 100


async def test_burst_of_100_leads(stage: Stage) -> None:
    """A hundred cards come in order, never over 20 a minute, and a press is not kept waiting."""
    await stage.start_daemon()
    stage.clock.run_at(50)

    for number in range(LEADS):
        await lead_arrives(stage, name=f"Клиент {number}", phone=f"7900123{number:04}")
    await card_shows(stage, 10, TAKE)
    pressed = stage.pyotr.presses(card(stage, 3), TAKE)
    assert "Готово" == await answer_to(stage, pressed)
    await card_shows(stage, 3, "🙋 Взял(а): Пётр")
    written = stage.telegram.journal.of("sendMessage", "editMessageText", chat_id=stage.group.id)
    after_press = [call for call in written if call.at > pressed.answered_at]
    # One card may have been on its way already.
    assert "editMessageText" in [call.method for call in after_press[:2]]
    last = await stage.telegram.until(lambda: card(stage, LEADS), timeout_real=20)

    titles = [f"Заявка №{number} " for number in range(1, LEADS + 1)]
    shown = [message.text for message in stage.group.messages]
    assert LEADS == len(shown)
    assert all(text.startswith(title) for text, title in zip(shown, titles, strict=True))
    assert 20 >= stage.telegram.most_per_minute(stage.group.id)
    assert [] == [call for call in stage.telegram.journal if call.ok is False and call.chat_id]
    assert timedelta(minutes=15) > last.sent_at - pressed.pressed_at
