"""The composition root: builds everything from the settings, runs it, stops it in reverse order.

One TaskGroup holds every long-lived coroutine. A loop that dies or returns takes the process down,
and the service manager starts it anew: half a daemon would lose leads in silence.
"""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot import handlers
from bot.clock import Clock
from bot.conditions import about_disk, about_sending, about_telegram
from bot.domain.courses import Course, Courses
from bot.domain.delivery import Rules
from bot.domain.quiet_hours import Window
from bot.errors import StartError
from bot.loops.dispatcher import DispatchLoop
from bot.loops.housekeeping import keep_house
from bot.loops.inbox import PollLoop, handle_updates
from bot.loops.outbox import keep_chats_true
from bot.loops.watch import watch
from bot.loops.watchdog import Watchdog
from bot.services import whatsapp
from bot.services.alerts import Alerts, Condition, Trouble
from bot.services.bells import Bells
from bot.services.calls import Calls
from bot.services.campaigns import Campaigns
from bot.services.disk import Disk
from bot.services.dispatch import Dispatch, Policy
from bot.services.gate import Gate
from bot.services.health import Health
from bot.services.hold import Hold
from bot.services.intake import Intake
from bot.services.meters import Meters, Stopwatch, counted
from bot.services.pulse import Pulse
from bot.services.screen import Screen
from bot.services.second_sender import SecondSender
from bot.services.sender import Sender
from bot.services.unknowns import Unknowns
from bot.services.way import Way
from bot.settings import Settings
from bot.systemd import Notifier
from bot.telegram.access import Access
from bot.telegram.fsm import SqlStorage
from bot.telegram.manager_chat import ManagerChat
from bot.telegram.outbox import Outbox
from bot.telegram.pacer import Pacer
from bot.telegram.poller import Poller
from bot.telegram.worker import Worker
from bot.views.card import Look
from bot.web.dispatch import DispatchRoutes
from bot.web.health import HealthRoutes
from bot.web.leads import FormSettings, LeadRoutes
from bot.web.metrics import MetricsRoutes, Sources
from bot.web.noise import Noise
from bot.web.server import Server
from greenapi.client import GreenApi, open_session
from greenapi.models import Credentials
from storage.dialect import version_problems
from storage.errors import StorageError
from storage.lock import Lock
from storage.storage import Storage

# Of the 10 s in which the daemon has to end, a send that is under way gets these.
_LAST_SENDS_SECONDS = 8.0

# The longest that a loop which is well may take to come round, in seconds of running time: its
# longest nap and its slowest call, and as much again. A service that is away must fit in.
_ROUNDS = {
    "dispatcher": 120.0,  # naps of 30 s
    "outbox": 300.0,  # naps of 5 s; a call of 15 s, which may have to wait for its chat
    "poller": 300.0,  # polls of 40 s, rests of 30 s; at the start several calls of a minute
    "inbox": 120.0,  # naps of 30 s
    "housekeeping": 7 * 3600.0,  # naps of 6 h
    "watch": 180.0,  # naps of 30 s; asks GREEN-API, 30 s a call
}

_log = structlog.get_logger()


@dataclass(frozen=True)
class _Ground:
    """What everything stands on."""

    settings: Settings
    clock: Clock
    bells: Bells
    storage: Storage
    pulse: Pulse
    meters: Meters
    notifier: Notifier


async def run(
    settings: Settings,
    *,
    clock: Clock,
    lock: Lock | None = None,
    notifier: Notifier | None = None,
) -> None:
    """Run the daemon until a signal stops it; `lock` is the database's, if it was taken early.

    Raises `StartError` when it cannot start; any other error is a loop that died.
    """
    ground = _Ground(
        settings,
        clock,
        Bells(),
        Storage(settings.storage.url, lock),
        Pulse(clock.running),
        Meters(Stopwatch(clock.running)),
        notifier or Notifier(),
    )
    _stop_on_signals(ground.bells)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(ground.storage.close)
        await _open_storage(ground.storage)
        session = await stack.enter_async_context(open_session())
        bot, pacer = _bot(ground)
        stack.push_async_callback(bot.session.close)
        timed = ground.meters.green_api.time
        green = GreenApi(session, _credentials(settings), timeout=clock.timeout, timed=timed)
        whatsapp_side = await _whatsapp_side(ground, green)
        server = _server(ground, whatsapp_side)
        stack.push_async_callback(server.close)
        _log.info("side_port_open", port=await _listen(server))
        await _live(ground, server, await _loops(ground, whatsapp_side, bot, pacer))
    _log.info("stopped")


async def _live(
    ground: _Ground, server: Server, loops: dict[str, Coroutine[Any, Any, None]]
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_for_ever(loop, name, ground.bells), name=name)
            for name, loop in loops.items()
        ]
        group.create_task(_stop(ground, server, tasks), name="stop")
        _log.info("started")
        ground.notifier.ready()


async def _for_ever(loop: Coroutine[Any, Any, None], name: str, bells: Bells) -> None:
    """A loop ends only with the daemon."""
    await loop
    if not bells.stopping.is_set():
        raise RuntimeError(f"the loop {name} has ended")


async def _stop(ground: _Ground, server: Server, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for the signal; then take nothing new, and give what is under way a last while."""
    await ground.bells.stopping.wait()
    _log.info("stopping")
    ground.notifier.stopping()
    closing = asyncio.create_task(server.close())
    try:
        async with ground.clock.timeout(_LAST_SENDS_SECONDS):
            await asyncio.wait(tasks)
    except TimeoutError:
        _log.warning("stopped_waiting", loops=[t.get_name() for t in tasks if not t.done()])
    for task in tasks:
        task.cancel()
    await closing


def _stop_on_signals(bells: Bells) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, bells.stop)


# --- what the parts are made of -----------------------------------------------------------------


@dataclass(frozen=True)
class _WhatsAppSide:
    """Everything about messages to clients."""

    rules: Rules
    courses: Courses
    gate: Gate
    sender: Sender
    dispatch: Dispatch
    second_sender: SecondSender
    way: Way
    hold: Hold
    disk: Disk


async def _open_storage(storage: Storage) -> None:
    warning, usable = version_problems()
    if not usable:
        raise StartError(warning)
    if warning:
        _log.warning("sqlite_version", advice=warning)
    try:
        await storage.open()
    except StorageError as error:
        raise StartError(str(error)) from None


async def _listen(server: Server) -> int:
    try:
        return await server.open()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StartError(f"the side-port cannot be opened (webhook.host, port): {reason}") from None


def _credentials(settings: Settings) -> Credentials:
    green = settings.greenapi
    return Credentials(green.url, green.instance, green.token.get_secret_value())


def _bot(ground: _Ground) -> tuple[Bot, Pacer]:
    telegram = ground.settings.telegram
    session = AiohttpSession(
        api=TelegramAPIServer.from_base(telegram.api_url),
        proxy=telegram.proxy.get_secret_value() if telegram.proxy else None,
    )
    pacer = Pacer(ground.clock, ground.meters.messages)
    session.middleware(pacer)
    defaults = DefaultBotProperties(link_preview_is_disabled=True)
    return Bot(telegram.token.get_secret_value(), session=session, default=defaults), pacer


async def _whatsapp_side(ground: _Ground, green: GreenApi) -> _WhatsAppSide:
    settings, bells, clock = ground.settings, ground.bells, ground.clock
    rules = _rules(settings)
    gate = Gate(green, clock)
    send = counted(partial(whatsapp.send, green), ground.meters.sends)
    sender = Sender(ground.storage, send, gate, rules, bells, clock)
    policy = Policy(
        rules=rules,
        batch_size=settings.dispatch.batch_size,
        min_pause_seconds=settings.dispatch.min_pause_seconds,
        max_pause_seconds=settings.dispatch.max_pause_seconds,
        admins=settings.telegram.admin_ids,
    )
    hold = Hold(ground.storage, bells, clock, settings.campaign.zone)
    await hold.load(settings.telegram.admin_ids)
    disk = Disk(ground.storage.path, clock)
    way = Way(gate, hold.stopped_because, disk.stopped_because)
    dispatch = Dispatch(ground.storage, sender, way, policy, bells, clock)
    await dispatch.recover()
    courses = Courses.of(
        Course(c.key, c.title, c.instructor_name, tuple(c.aliases)) for c in settings.course_list
    )
    second_sender = SecondSender(green, ground.storage, gate.closed_because, clock)
    return _WhatsAppSide(rules, courses, gate, sender, dispatch, second_sender, way, hold, disk)


def _rules(settings: Settings) -> Rules:
    campaign = settings.campaign
    opens, closes = campaign.window_minutes
    return Rules(
        window=Window(campaign.zone, opens, closes, campaign.weekday_numbers),
        gap=timedelta(hours=campaign.min_gap_hours),
        max_late=timedelta(hours=campaign.max_late_hours),
        give_up=timedelta(hours=settings.dispatch.give_up_hours),
    )


def _server(ground: _Ground, side: _WhatsAppSide) -> Server:
    webhook = ground.settings.webhook
    form = FormSettings(
        token=webhook.token.get_secret_value(),
        max_per_minute=webhook.max_per_minute,
        allowed_origins=tuple(webhook.allowed_origins),
        thanks_url=webhook.thanks_url,
        max_per_minute_per_address=webhook.max_per_minute_per_address,
        trusted_proxies=tuple(webhook.trusted_proxies),
    )
    intake = Intake(ground.storage, side.courses, ground.bells, ground.clock, side.disk)
    screen = Screen(
        intake,
        side.courses,
        ground.clock,
        honeypot=webhook.honeypot,
        max_per_hour_per_phone=webhook.max_per_hour_per_phone,
    )
    noise = Noise(ground.clock)
    admin_token = webhook.admin_token.get_secret_value()
    groups = (
        LeadRoutes(screen, form, ground.clock, noise, ground.meters.leads),
        DispatchRoutes(side.dispatch, side.sender, admin_token, ground.clock),
        *_watching(ground, side),
    )
    return Server(groups, webhook.host, webhook.port, noise=noise)


def _watching(ground: _Ground, side: _WhatsAppSide) -> tuple[HealthRoutes, MetricsRoutes]:
    storage, pulse, clock = ground.storage, ground.pulse, ground.clock

    def held() -> str | None:
        return side.way.why

    sources = Sources(
        meters=ground.meters,
        pulse=pulse,
        held=held,
        pass_seconds=lambda: side.dispatch.pass_seconds,
        read_counts=lambda now: storage.read(lambda unit: unit.figures.read(now)),
    )
    health = Health(storage.ping, pulse, held, clock)
    return HealthRoutes(health), MetricsRoutes(sources, clock)


async def _loops(
    ground: _Ground, side: _WhatsAppSide, bot: Bot, pacer: Pacer
) -> dict[str, Coroutine[Any, Any, None]]:
    settings, storage, bells, clock = ground.settings, ground.storage, ground.bells, ground.clock
    beat = {name: ground.pulse.watch(name, within=limit) for name, limit in _ROUNDS.items()}
    chat = ManagerChat(storage, settings.telegram.manager_chat_id)
    await chat.load()
    outbox = Outbox(storage, bot, chat, pacer, _look(settings, side.courses), clock)
    poller = Poller(bot, storage, bells, clock)
    poll = PollLoop(poller, bot, settings.telegram.admin_ids, bells, clock, beat["poller"])
    dispatcher = _dispatcher(ground, side, bot, chat, pacer)
    worker = Worker(dispatcher, bot, storage, bells, clock, ground.meters.updates)
    interval = timedelta(seconds=settings.dispatch.interval_seconds)
    passes = DispatchLoop(side.dispatch, bells, clock, beat["dispatcher"], interval=interval)
    raw_days = settings.storage.raw_days
    return {
        "dispatcher": passes.run(),
        "outbox": keep_chats_true(outbox, bells, clock, beat["outbox"]),
        "poller": poll.run(),
        "inbox": handle_updates(worker, bells, clock, beat["inbox"]),
        "housekeeping": keep_house(storage, bells, clock, beat["housekeeping"], raw_days=raw_days),
        "watch": watch(_alerts(ground, side, poll, outbox), bells, clock, beat["watch"]),
        "watchdog": _watchdog(ground).run(),
    }


def _look(settings: Settings, courses: Courses) -> Look:
    campaign = settings.campaign
    late_hours = int(campaign.max_late_hours)
    return Look(courses, campaign.zone, campaign.undo_seconds > 0, late_hours)


def _dispatcher(
    ground: _Ground, side: _WhatsAppSide, bot: Bot, chat: ManagerChat, pacer: Pacer
) -> Dispatcher:
    telegram, storage, bells = ground.settings.telegram, ground.storage, ground.bells
    undo = timedelta(seconds=ground.settings.campaign.undo_seconds)
    campaigns = Campaigns(side.courses, side.rules, undo)
    return handlers.build(
        SqlStorage(storage),
        access=Access(telegram.admin_ids, telegram.manager_ids, chat, bot, ground.clock),
        calls=Calls(storage, campaigns, bells, ground.clock),
        unknowns=Unknowns(storage, bells, ground.clock),
        hold=side.hold,
        chat=chat,
        pacer=pacer,
        bells=bells,
    )


def _alerts(ground: _Ground, side: _WhatsAppSide, poll: PollLoop, outbox: Outbox) -> Alerts:
    settings, clock = ground.settings, ground.clock
    interval = timedelta(seconds=settings.dispatch.interval_seconds)
    conditions = (
        *about_sending(side.gate, side.way, side.dispatch, clock, interval),
        Condition(Trouble.SECOND_SENDER, side.second_sender.look),
        *about_telegram(poll, outbox, ground.storage),
        *about_disk(side.disk),
    )
    return Alerts(ground.storage, conditions, settings.telegram.admin_ids, ground.bells, clock)


def _watchdog(ground: _Ground) -> Watchdog:
    async def ask_database() -> None:
        """A reader is asked: another program's write lock is no reason to be killed."""
        await ground.storage.read(lambda unit: unit.memory.find("ping"))

    return Watchdog(ground.pulse, ask_database, ground.notifier, ground.bells, ground.clock)
