"""`progrev demo`: one client's week, played on the real daemon between both emulators.

The form is posted, the buttons are pressed and the messages are sent over HTTP, as in production;
only the clock runs faster.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import SystemClock, sleep
from bot.demo.console import MOSCOW, Console
from bot.demo.stage import MONDAY_10_MOSCOW, Stage
from bot.demo.telegram_chats import Message

_FORM = {
    "Name": "Анна",
    "Phone": "+7 (900) 123-45-67",
    "Курс": "Актёрское мастерство",
    "Комментарий": "Хочу попробовать, но немного страшно",
    "tranid": "1101:5500001",
    "formid": "form100",
    "utm_source": "yandex",
}
_PHONE = "79001234567"
_DAYS = (1, 3, 7)

_RATE = 30.0  # seconds of the story a real second, while something happens
_HOUR = timedelta(hours=1)
_GLIMPSE_SECONDS = 0.03  # real time that the daemon has for each hour that is skipped


def main() -> int:
    """Play the story; 0 if it went as it should."""
    return asyncio.run(_play_in_a_folder())


async def _play_in_a_folder() -> int:
    with tempfile.TemporaryDirectory(prefix="progrev-demo-") as folder:
        async with Stage(Path(folder), rate=1.0) as stage:
            return await Story(stage, Console()).play()


class Story:
    """Anna asks, Maria calls, the week goes by."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self._stage = stage
        self._console = console

    async def play(self) -> int:
        """All of it."""
        self._console.title("progrev demo: a lead, a card, a call, and a week of WhatsApp")
        self._console.note(
            "the real daemon on SQLite; Telegram and GREEN-API are emulators on HTTP"
        )
        await self._stage.start_daemon()
        self._stage.clock.jump_to(MONDAY_10_MOSCOW)
        self._stage.clock.run_at(_RATE)
        await self._request()
        await self._call()
        for number, day in enumerate(_DAYS, start=2):
            await self._day(day, number)
        self._stage.daemon.terminate()
        code = await self._stage.daemon.gone()
        return self._ending(code)

    @property
    def _now(self) -> datetime:
        return self._stage.clock.now()

    async def _request(self) -> None:
        self._console.act(self._now, "Anna leaves a request on the school's site")
        for name, value in _FORM.items():
            self._console.note(f"{name}: {value}")
        status, answer = await self._stage.post("/leads", data=_FORM)
        self._console.note(f"the side-port answers {status} {answer}")
        await self._card("Позвонил клиенту")
        self._show_chat()

    async def _call(self) -> None:
        self._console.act(self._now, "Maria calls Anna and presses «📞 Позвонил клиенту»")
        await self._press("📞 Позвонил клиенту")
        await self._card("Клиент целевой и ему интересно?")
        self._show_chat()
        self._console.act(self._now, "Anna is interested: «✅ Да, целевой и интересно»")
        await self._press("✅ Да, целевой и интересно")
        await self._card("↩️ Отменить")
        self._show_chat()
        await self._stage.daemon.until_said("message")
        await self._card("отправлено 1")
        self._console.act(self._now, "the welcome has left, after the seconds for «↩️ Отменить»")
        self._show_phone(last=1)

    async def _day(self, day: int, number: int) -> None:
        """Skip to a few minutes after the same time of that day; a pass then finds the message."""
        await self._skip_to(MONDAY_10_MOSCOW + timedelta(days=day, minutes=5))
        await self._stage.daemon.until_said("message", number)
        await self._card(f"отправлено {number}")
        self._console.act(self._now, f"day {day}: a pass of the dispatcher sends the next message")
        self._show_phone(last=1)
        self._show_chat()

    async def _skip_to(self, moment: datetime) -> None:
        """Hour by hour, so that the daemon makes its passes."""
        real = SystemClock()
        while (left := moment - self._now) > timedelta():
            self._stage.clock.jump(min(left, _HOUR).total_seconds())
            await sleep(real, _GLIMPSE_SECONDS)

    async def _press(self, button: str) -> None:
        press = self._stage.maria.presses(self._stage.group.messages[0], button)
        answer = await self._stage.telegram.answered(press)
        self._console.note(f"the bot answers «{answer}»")

    async def _card(self, words: str) -> None:
        """Wait until the card, or one of its buttons, says that."""

        def said() -> bool:
            card: Message = self._stage.group.messages[0]
            texts = [card.text, *(button for row in card.buttons for button in row)]
            return any(words in text for text in texts)

        await self._stage.telegram.until(said)

    def _show_chat(self) -> None:
        card = self._stage.group.messages[0]
        buttons = ["".join(f"[ {button} ]" for button in row) for row in card.buttons]
        self._console.chat("\n".join([card.text, "", *buttons]))

    def _show_phone(self, last: int = 0) -> None:
        shown = [
            f"{message.at.astimezone(MOSCOW).strftime('%a %d %b')}\n{message.text}"
            for message in self._stage.green.phone(_PHONE)[-last:]
        ]
        self._console.phone("Anna's phone", "\n\n".join(shown))

    def _ending(self, code: int) -> int:
        self._console.act(self._now, "the week is over; this is what Anna's phone shows")
        self._show_phone()
        texts = Counter(message.text for message in self._stage.green.delivered)
        good = code == 0 and len(texts) == 1 + len(_DAYS) and set(texts.values()) == {1}
        told = f"{texts.total()} messages sent, {texts.total() - len(texts)} twice"
        self._console.verdict(f"{told}; the daemon stopped with exit code {code}", good=good)
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
