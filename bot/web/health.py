"""`GET /healthz`: is the daemon whole?"""

from aiohttp import web

from bot.services.health import Health, Report


class HealthRoutes:
    """Green while the database answers and every loop beats."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_get("/healthz", self.healthz)

    async def healthz(self, _request: web.Request) -> web.Response:
        """Answer 200 while all is well, else 503 with what is wrong."""
        report = await self._health.report()
        return web.json_response(_as_json(report), status=503 if report.problems else 200)


def _as_json(report: Report) -> dict[str, object]:
    return {
        "status": "error" if report.problems else "ok",
        "problems": report.problems,
        "database": report.database or "ok",
        "loops": {
            loop.name: {"age_seconds": round(loop.age, 1), "limit_seconds": loop.limit}
            for loop in report.loops
        },
        "held": report.held,
    }
