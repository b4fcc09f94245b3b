"""Hours of trouble in minutes: random kills, and a week of random faults. Only by `make soak`.

What people and clients saw is taken from the emulators, what was promised from the answers of the
side-port and of the bot; at the end both must agree with the database.
"""

import asyncio
import os
import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.demo import telegram_faults
from bot.demo.stage import Stage, until
from bot.demo.telegram_chats import Impossible, Message, Press
from bot.demo.telegram_journal import Call
from greenapi import emulator as green_faults
from tests.scenarios.acts import (
    BACK,
    CALLED,
    COMMENT,
    COUNT_AS_SENT,
    NO,
    NO_ANSWER,
    NO_PAUSES,
    RESEND,
    TAKE,
    YES,
    database,
    sql,
)

pytestmark = pytest.mark.soak

KILLS = int(os.environ.get("SOAK_KILLS", "200"))
DAYS = int(os.environ.get("SOAK_DAYS", "7"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

# Buttons that people use here, as the data of a press names them, and what each of them leaves.
EVENTS = {"take": "taken", "called": "called", "noans": "no_answer", "back": "back"} | {
    word: word for word in ("yes", "no")
}
BUTTONS = (TAKE, CALLED, NO_ANSWER, YES, NO, BACK, COMMENT, RESEND, COUNT_AS_SENT)

SETTINGS = {
    **NO_PAUSES,
    "dispatch.batch_size": 100,
    "dispatch.interval_seconds": 120,
    "webhook.max_per_minute": 100_000,
    "webhook.max_per_minute_per_address": 100_000,
}


@dataclass
class Load:
    """Clients who fill in forms, and managers who press buttons, as fast as they are told to."""

    stage: Stage
    chance: random.Random
    pause: float  # seconds of the clock between two presses, on average; forms are half as many
    tried: int = 0  # clients who have filled in the form
    accepted: dict[int, int] = field(default_factory=dict)  # client: lead id they were told
    posts: int = 0
    presses: list[Press] = field(default_factory=list)
    comments: dict[str, Message] = field(default_factory=dict)  # by their text
    contradictions: list[str] = field(default_factory=list)
    confirmed: set[int] = field(default_factory=set)  # updates that Telegram gave up by our word

    async def note_confirmed(self, call: Call) -> None:
        """Telegram forgets what lies below the offset; a press also grows old by itself."""
        if call.method == "getUpdates":
            offset = int(call.params.get("offset") or 0)
            pending = self.stage.telegram.pending_updates
            self.confirmed |= {u["update_id"] for u in pending if u["update_id"] < offset}

    @contextmanager
    def running(self, group: asyncio.TaskGroup) -> Iterator[None]:
        """Let it happen in the background."""
        acts = (self._post, 2 * self.pause), (self._press, self.pause)
        tasks = [group.create_task(self._again(act, pause)) for act, pause in acts]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _again(self, act: Callable[[], Coroutine[Any, Any, None]], pause: float) -> None:
        while True:
            await self.stage.clock.sleep(self.chance.uniform(0, 2 * pause))
            await act()

    async def _post(self) -> None:
        """A new client mostly; else somebody's form builder sends once more."""
        waiting = [number for number in range(self.tried) if number not in self.accepted]
        if waiting and self.chance.random() < 0.5:
            number = waiting[0]  # was not answered: a form builder tries again
        elif self.tried and self.chance.random() < 0.3:
            number = self.chance.randrange(self.tried)
        else:
            number = self.tried
            self.tried += 1
        await self.send_form(number)

    async def send_form(self, number: int) -> None:
        """Post the form of one client, and believe the answer if there is one."""
        form = {"name": f"Клиент {number}", "phone": phone_of(number), "course": "acting"}
        key = {"Idempotency-Key": f"soak-{number}"}
        try:
            status, answer = await self.stage.post("/leads", json=form, headers=key)
        except (aiohttp.ClientError, IndexError, OSError):
            return  # dead, or not listening yet
        if status == 200:
            self.posts += 1
            known = self.accepted.setdefault(number, answer["lead_id"])
            if known != answer["lead_id"]:
                self.contradictions.append(f"client {number}: {known}, then {answer['lead_id']}")

    async def _press(self) -> None:
        """Somebody presses a button that is shown, or answers the bot's question."""
        stage, chance = self.stage, self.chance
        shown = [m for m in stage.group.messages[-25:] if m.from_bot]
        if not shown:
            return
        message, who = chance.choice(shown), chance.choice([stage.maria, stage.pyotr])
        if message.asks_for_reply:
            text = f"Замечание {len(self.comments)}"
            self.comments[text] = who.replies(message, text)
            return
        words = [text for row in message.buttons for text in row if text in BUTTONS]
        if words:
            try:
                self.presses.append(who.presses(message, chance.choice(words)))
            except Impossible:
                return


def phone_of(number: int) -> str:
    """The phone of a client."""
    return f"7900{number:07}"


# --- what must hold -----------------------------------------------------------------------------


async def settled(stage: Stage) -> None:
    """Wait until nothing is left to be done now."""

    for _ in range(3):  # a quiet moment may be a pause between two steps
        try:
            await until(lambda: _left(stage) == [0, 0, 0, 0], "all is done", seconds=120)
        except AssertionError:
            words = "updates pending, updates waiting, sends, cards"
            raise AssertionError(f"left to be done ({words}): {_left(stage)}") from None
        await stage.clock.sleep(40)


def _left(stage: Stage) -> list[int]:
    asked = (
        "SELECT count(*) FROM updates WHERE state = 'waiting'",
        "SELECT count(*) FROM whatsapp_queue WHERE status = 'sending'",
        "SELECT count(*) FROM posts WHERE kind = 'card' AND message_id IS NULL",
    )
    with database(stage) as db:
        counts = [db.execute(ask).fetchone()[0] for ask in asked]
    return [len(stage.telegram.pending_updates), *counts]


@dataclass
class Judgement:
    """What was lost, and what happened twice; each with a word about it."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


def judge(load: Load) -> Judgement:
    """Compare what was promised and seen with what is on disk."""
    found = Judgement(other=list(load.contradictions))
    _judge_leads(load, found)
    _judge_updates(load, found)
    _judge_presses(load, found)
    _judge_texts(load, found)
    with sqlite3.connect(load.stage.database) as db:
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            found.other.append("integrity_check")
        if stuck := db.execute("SELECT id FROM whatsapp_queue WHERE status = 'sending'").fetchall():
            found.other.append(f"still sending: {stuck}")
    return found


def _judge_leads(load: Load, found: Judgement) -> None:
    counts = Counter(row["name"] for row in sql(load.stage, "SELECT name FROM leads"))
    ids = {row["id"]: row["name"] for row in sql(load.stage, "SELECT id, name FROM leads")}
    for number, lead_id in load.accepted.items():
        if ids.get(lead_id) != f"Клиент {number}":
            found.lost.append(f"lead {lead_id} of client {number}")
    found.doubled += [f"lead of {name}" for name, times in counts.items() if times > 1]
    titles = [m.text for m in load.stage.group.messages if m.from_bot]
    carded = {int(t[8:].split(" ·")[0]) for t in titles if t.startswith("Заявка №") and " ·" in t}
    found.lost += [f"card of lead {lead_id}" for lead_id in ids.keys() - carded]


def _judge_updates(load: Load, found: Judgement) -> None:
    states = {r["update_id"]: r["state"] for r in sql(load.stage, "SELECT * FROM updates")}
    for update_id in load.confirmed:
        if states.get(update_id) != "done":
            found.lost.append(f"update {update_id} {states.get(update_id)}")


def _judge_presses(load: Load, found: Judgement) -> None:
    events = Counter(
        (row["lead_id"], row["kind"]) for row in sql(load.stage, "SELECT * FROM lead_events")
    )
    _count_presses(load, events, found)
    for (lead_id, kind), times in events.items():
        if kind == "taken" and times > 1:
            found.doubled.append(f"lead {lead_id} taken {times} times")
    for lead_id in {lead_id for lead_id, _ in events}:
        if events[lead_id, "yes"] + events[lead_id, "no"] > 1:
            found.doubled.append(f"outcome of lead {lead_id}")
        if events[lead_id, "called"] - events[lead_id, "back"] not in (0, 1):
            found.doubled.append(f"call of lead {lead_id}")
    notes = Counter(
        row["note"] for row in sql(load.stage, "SELECT * FROM lead_events WHERE kind = 'comment'")
    )
    found.doubled += [f"comment {text}" for text, times in notes.items() if times > 1]
    told = {m.reply_to for m in load.stage.group.messages if m.text == "Комментарий записан."}
    for text, message in load.comments.items():
        if message.id in told and not notes[text]:
            found.lost.append(f"comment {text}")


def _count_presses(load: Load, events: Counter[tuple[int, str]], found: Judgement) -> None:
    """An event needs a press of its own, and a press that was answered "done" has its event."""
    pressed: Counter[tuple[int, str]] = Counter()
    done: Counter[tuple[int, str]] = Counter()
    for press in load.presses:
        prefix, number, action = press.data.split(":")[:3]
        if prefix != "l" or action not in EVENTS:
            continue
        key = int(number), EVENTS[action]
        pressed[key] += 1
        done[key] += (press.answer or "").startswith(("Готово", "Рассылка начата", "Записано"))
    for key in pressed.keys() | events.keys():
        if key[1] == "taken":  # whoever took the lead hears "done" at every further press
            done[key] = min(done[key], 1)
        if key[1] not in EVENTS.values():
            continue
        if events[key] > pressed[key]:
            found.doubled.append(f"{key}: {events[key]} times by {pressed[key]} presses")
        if events[key] < done[key]:
            found.lost.append(f"{key}: {events[key]} times by {done[key]} presses that counted")


def _judge_texts(load: Load, found: Judgement) -> None:
    """A client has a text once, and once more for every press on "send again"."""
    stage = load.stage
    again: Counter[str] = Counter()
    for press in load.presses:
        prefix, number, action = press.data.split(":")[:3]
        if prefix == "q" and action == "resend":
            row = sql(stage, "SELECT * FROM whatsapp_queue WHERE id = ?", int(number))[0]
            again[f"{row['phone']}@c.us"] += 1
    spare: Counter[str] = Counter()
    for (chat_id, _), times in Counter((m.chat_id, m.text) for m in stage.green.delivered).items():
        spare[chat_id] += times - 1
    found.doubled += [f"text to {chat}" for chat, times in spare.items() if times > again[chat]]
    counted = {
        r["lead_id"] for r in sql(stage, "SELECT * FROM lead_events") if r["kind"] == "counted_sent"
    }
    seen = {(m.chat_id, m.text) for m in stage.green.accepted}
    for row in sql(stage, "SELECT * FROM whatsapp_queue WHERE status = 'sent'"):
        if (
            row["lead_id"] not in counted
            and (f"{row['phone']}@c.us", row["message_text"]) not in seen
        ):
            found.lost.append(f"row {row['id']} is sent, and nobody got it")


def report(load: Load, found: Judgement, **figures: object) -> None:
    """Print the figures of a run; then all must be well."""
    stage = load.stage
    told = {
        "seed": SEED,
        **figures,
        "leads": len(load.accepted),
        "posts accepted": load.posts,
        "presses": len(load.presses),
        "answered": sum(press.is_answered for press in load.presses),
        "updates confirmed": len(load.confirmed),
        "comments": len(load.comments),
        "messages": len(stage.green.delivered),
        "asked about": _questions(stage),
    }
    say("\n" + "\n".join(f"{name:>22}: {value}" for name, value in told.items()))
    say(f"{len(found.lost)} lost, {len(found.doubled)} doubled")
    assert Judgement() == found


def say(words: str) -> None:
    """A line for the person who runs the soak."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _questions(stage: Stage) -> int:
    return sum(" — неясно, ушло ли" in message.text for message in stage.group.messages)


# --- the runs -----------------------------------------------------------------------------------


async def test_random_kills(tmp_path: Path) -> None:
    """Killed 200 times at random under load, it loses and doubles nothing and is back soon."""
    chance = random.Random(SEED)
    say(f"\nseed {SEED}: SOAK_SEED={SEED} SOAK_KILLS={KILLS} repeats the run")
    async with Stage(tmp_path, rate=60, settings=SETTINGS, fork=True) as stage:
        load = Load(stage, random.Random(SEED + 1), pause=8)
        stage.telegram.on_call = load.note_confirmed
        back: list[float] = []
        await stage.start_daemon()
        async with asyncio.TaskGroup() as group:
            with load.running(group):
                for number in range(KILLS):
                    await _one_kill(stage, chance, back)
                    if number % max(5, KILLS // 8) == 4:
                        _next_morning(stage)
        if stage.daemon.is_dead:
            await stage.start_daemon()
        await _last_words(load)
        figures = {"rounds": KILLS, "slowest restart, s": f"{max(back):.2f}"}
        report(load, judge(load), **figures)
        assert [] == stage.telegram.unexpected
        assert max(back) < 5


async def _one_kill(stage: Stage, chance: random.Random, back: list[float]) -> None:
    """Live a moment, die, and mostly be waited for; now and then die while starting."""
    if chance.random() < 0.9:
        await asyncio.sleep(chance.uniform(0, 1))
    stage.daemon.kill()
    await stage.daemon.gone()
    began = time.monotonic()
    if chance.random() < 0.15:
        await stage.next_life().launch()
        await asyncio.sleep(chance.uniform(0, 0.4))
        return
    await stage.start_daemon()
    back.append(time.monotonic() - began)


def _next_morning(stage: Stage) -> None:
    tomorrow = stage.clock.now() + timedelta(days=1)
    stage.clock.jump_to(tomorrow.replace(hour=7, minute=5))


async def _last_words(load: Load) -> None:
    """Every client is answered at last, whatever is left to do is done, and the daemon ends."""
    for number in range(load.tried):
        if number not in load.accepted:
            await load.send_form(number)
    await settled(load.stage)
    load.stage.daemon.terminate()  # what has just become due is under way: it finishes that
    await load.stage.daemon.gone()


async def test_seven_days(tmp_path: Path) -> None:
    """A week of random faults at both services leaves nothing behind that grows."""
    chance = random.Random(SEED)
    say(f"\nseed {SEED}: SOAK_SEED={SEED} SOAK_DAYS={DAYS} repeats the run")
    async with Stage(tmp_path, rate=40, settings=SETTINGS, fork=True) as stage:
        load = Load(stage, random.Random(SEED + 1), pause=12)
        stage.telegram.on_call = load.note_confirmed
        await stage.start_daemon()
        daily: list[Weight] = []
        faults = 0
        for _ in range(DAYS):
            hourly = []
            for _ in range(24):
                async with asyncio.TaskGroup() as group:
                    with load.running(group):
                        faults += await _one_hour(stage, chance)
                hourly.append(weigh(stage))
            daily.append(Weight.most(hourly))
            say(f"day {len(daily)}: {daily[-1]}")
        await _last_words(load)
        report(load, judge(load), days=DAYS, faults=faults)
        assert [] == stage.telegram.unexpected
        _assert_flat(daily)


async def _one_hour(stage: Stage, chance: random.Random) -> int:
    """Some trouble for a minute or so of running time; then the rest of the hour at once."""
    number = 0
    if chance.random() < 0.7:
        for _ in range(chance.randint(1, 4)):
            fault = chance.choice(_TELEGRAM)()
            methods = ["sendMessage", "editMessageText", "answerCallbackQuery", "getUpdates"]
            stage.telegram.fail_next(chance.choice(methods), fault)
            number += 1
    if chance.random() < 0.5:
        stage.green.fail_next("sendMessage", chance.choice(_GREEN))
        number += 1
    if chance.random() < 0.1:
        stage.green.state = "notAuthorized"
        number += 1
    down = chance.random() < 0.1
    if down:
        await stage.telegram.down()
        number += 1
    await stage.clock.sleep(40)
    if down:
        await stage.telegram.up()
    stage.green.state = "authorized"
    await stage.clock.sleep(40)
    stage.telegram.heal()
    stage.green.release()
    stage.clock.jump(3600 - 80)
    return number


_TELEGRAM = (
    telegram_faults.bad_gateway,
    telegram_faults.reset_before,
    telegram_faults.garbage,
    telegram_faults.cut_body,
    telegram_faults.reset_after,
    lambda: telegram_faults.too_many_requests(5),
    lambda: telegram_faults.hang(acts=True),
)
_GREEN = (
    green_faults.status(500, "<html>"),
    green_faults.rate_limited(120),
    green_faults.ACCEPT_THEN_RESET,
    green_faults.RESET_BEFORE_ACCEPT,
    green_faults.WITHOUT_ID,
    green_faults.GARBAGE,
    green_faults.ACCEPT_THEN_HANG,
    green_faults.HANG,
    green_faults.STARTING,
    green_faults.QUOTA,
)


@dataclass(frozen=True)
class Weight:
    """What a process holds: memory and log in MB."""

    memory: float
    files: int
    threads: int
    wal: float

    @staticmethod
    def most(weights: Sequence["Weight"]) -> "Weight":
        """The most of each."""
        values = [(w.memory, w.files, w.threads, w.wal) for w in weights]
        return Weight(*(max(column) for column in zip(*values, strict=True)))


def weigh(stage: Stage) -> Weight:
    """What the daemon holds now."""
    child: Any = stage.daemon._process
    process = Path(f"/proc/{child._process.pid}")
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
    )
    wal = stage.database.with_name(stage.database.name + "-wal")
    return Weight(
        memory=int(status["VmRSS"].split()[0]) / 1024,
        files=len(list((process / "fd").iterdir())),
        threads=int(status["Threads"]),
        wal=wal.stat().st_size / 2**20 if wal.exists() else 0.0,
    )


def _assert_flat(daily: Sequence[Weight]) -> None:
    first, last = daily[0], daily[-1]
    # The first day fills pools and caches; 20 MB besides are a tenth of what a leak of one card a
    # post would take in a week.
    assert last.memory <= first.memory + 20
    # Connections come and go with the faults of the day; leaked, they would be hundreds.
    assert last.files <= first.files + 8
    assert last.threads <= first.threads + 1
    # SQLite checkpoints every 1,000 pages of 4 KB; twice that is a writer that got in between.
    assert max(day.wal for day in daily) <= 8
