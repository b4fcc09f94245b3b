"""`POST /leads`: the form post of a site, stored before it is answered."""

from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Protocol

import structlog
from aiohttp import web

from bot.clock import Clock
from bot.domain.rate import Cap
from bot.services.intake import FormPost, Receipt, Status
from bot.services.meters import Tally
from bot.services.screen import Robot, TooOften
from bot.web.bodies import read_body
from bot.web.guard import Meter, error, has_token, refused
from bot.web.noise import Noise
from bot.web.sender import Network, counted_as, sender_of
from storage.errors import StorageError

_MINUTE = timedelta(minutes=1)
_BODY_FAULTS = {400: "broken_body", 408: "slow_body", 413: "long_body"}
_LONGEST_HEADER = 1000  # characters of a header that are worth keeping

_THANKS = (
    "<!doctype html><html lang=ru><meta charset=utf-8>"
    "<meta name=viewport content='width=device-width,initial-scale=1'>"
    "<title>{title}</title><body style='font:18px/1.5 sans-serif;max-width:30em;margin:20vh auto;"
    "padding:0 1em;text-align:center'><h1>{title}</h1><p>{text}</p>"
)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FormSettings:
    """What the configuration says of form posts."""

    token: str
    max_per_minute: int
    allowed_origins: tuple[str, ...]
    thanks_url: str | None
    max_per_minute_per_address: int = 60
    trusted_proxies: tuple[Network, ...] = ()


class Taker(Protocol):
    """What form posts are handed to: the screen, or the intake behind it."""

    async def accept(self, post: FormPost) -> Receipt:
        """Store a form post."""
        ...


class LeadRoutes:
    """The way in for leads."""

    def __init__(
        self,
        taker: Taker,
        settings: FormSettings,
        clock: Clock,
        noise: Noise | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._taker = taker
        self._settings = settings
        self._meter = Meter(settings.max_per_minute, clock)
        self._addresses = Cap(settings.max_per_minute_per_address, _MINUTE)
        self._clock = clock
        self._noise = noise or Noise(clock)
        self._tally = tally or Tally()

    def add_to(self, app: web.Application) -> None:
        """Register the routes; people and form builders like to end an address with a slash."""
        for path in ("/leads", "/leads/"):
            app.router.add_post(path, self.post)
            app.router.add_options(path, self.options)

    async def options(self, request: web.Request) -> web.Response:
        """Let pages of the allowed origins post directly."""
        if not self._allows(request):
            return error(403, "this origin is not in webhook.allowed_origins")
        headers = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, "
            "X-Requested-With, X-Webhook-Token",
            "Access-Control-Max-Age": "86400",
        }
        return web.Response(status=204, headers=headers | self._cors(request))

    async def post(self, request: web.Request) -> web.Response:
        """Take a lead in."""
        try:
            response = await self._post(request)
        except web.HTTPException as fault:
            self._noise.heard(_BODY_FAULTS.get(fault.status, "other"))
            response = refused(fault)
        response.headers.update(self._cors(request))
        return response

    async def _post(self, request: web.Request) -> web.Response:
        if not has_token(request, self._settings.token):
            self._noise.heard("wrong_token")
            return error(401, "no token, or not the token of webhook.token")
        sender = self._sender(request)
        if (too_often := self._too_often(sender)) is not None:
            return too_often
        body = await read_body(request, self._clock)
        try:
            receipt = await self._taker.accept(_form_post(request, body, sender))
        except Robot:
            self._noise.heard("robot")
            return self._answer(request, Receipt(Status.OK))  # as if it were taken
        except TooOften as refusal:
            return self._later("phone", refusal.seconds)
        except StorageError as trouble:
            self._tally.add("not_stored")
            _log.error("lead_not_stored", error=str(trouble))
            return error(503, "not stored, try again", **{"Retry-After": "5"})
        self._tally.add(receipt.status)
        _log.info("lead_received", result=receipt.status, lead_id=receipt.lead_id)
        return self._answer(request, receipt)

    def _sender(self, request: web.Request) -> str:
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return sender_of(request.remote or "", forwarded, self._settings.trusted_proxies)

    def _too_often(self, sender: str) -> web.Response | None:
        """Count a request, or refuse it; what one sender has too many of is no use of the rest."""
        key, now = counted_as(sender), self._clock.now()
        if key is not None:
            if (seconds := self._addresses.wait(key, now)) is not None:
                return self._later("address", seconds)
            self._addresses.count(key, now)
        if (seconds := self._meter.take()) is not None:
            return self._later("all", seconds)
        return None

    def _later(self, cap: str, seconds: int) -> web.Response:
        self._noise.heard(f"too_often_{cap}")
        return error(429, "too many requests", **{"Retry-After": str(seconds)})

    def _answer(self, request: web.Request, receipt: Receipt) -> web.Response:
        if "text/html" in request.headers.get("Accept", ""):
            return self._thank()
        answer: dict[str, object] = {"status": receipt.status}
        if receipt.lead_id is not None:
            answer["lead_id"] = receipt.lead_id
        if receipt.problems:
            answer["problems"] = receipt.problems
        return web.json_response(answer)

    def _thank(self) -> web.Response:
        """What a visitor sees whose browser posted the form itself."""
        if self._settings.thanks_url:
            return web.Response(status=303, headers={"Location": self._settings.thanks_url})
        page = _THANKS.format(
            title=escape("Спасибо!"), text=escape("Заявка принята. Скоро мы вам позвоним.")
        )
        # The page's address may hold the token.
        quiet = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return web.Response(text=page, content_type="text/html", headers=quiet)

    def _allows(self, request: web.Request) -> bool:
        return request.headers.get("Origin") in self._settings.allowed_origins

    def _cors(self, request: web.Request) -> dict[str, str]:
        vary = {"Vary": "Origin"} if self._settings.allowed_origins else {}
        if not self._allows(request):
            return vary
        return vary | {"Access-Control-Allow-Origin": request.headers["Origin"]}


def _form_post(request: web.Request, body: bytes, sender: str) -> FormPost:
    return FormPost(
        body=body,
        content_type=_header(request, "Content-Type") or "",
        sender=sender,
        idempotency_key=_header(request, "Idempotency-Key"),
    )


def _header(request: web.Request, name: str) -> str | None:
    """A header as text that a database can hold."""
    value = request.headers.get(name)
    if not value:
        return None
    return value[:_LONGEST_HEADER].encode("utf-8", "replace").decode("utf-8")
