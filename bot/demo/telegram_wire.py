"""The envelope of the Bot API: how parameters arrive, how answers and refusals leave.

Knows HTTP and JSON, and nothing of methods or chats. The shapes are those of "Making requests" in
the Bot API documentation.
"""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

Json = dict[str, Any]


class ApiError(Exception):
    """A refusal, as the server words it."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters or {}


def bad_request(text: str) -> ApiError:
    """400 with the server's prefix."""
    return ApiError(400, f"Bad Request: {text}")


def forbidden(text: str) -> ApiError:
    """403 with the server's prefix."""
    return ApiError(403, f"Forbidden: {text}")


def conflict(text: str) -> ApiError:
    """409 with the server's prefix."""
    return ApiError(409, f"Conflict: {text}")


def too_many_requests(retry_after: int) -> ApiError:
    """429; `retry_after` in seconds, in the text, the parameters and the header."""
    text = f"Too Many Requests: retry after {retry_after}"
    return ApiError(429, text, {"retry_after": retry_after})


def not_found() -> ApiError:
    """404: a method that does not exist, never a chat that does not."""
    return ApiError(404, "Not Found")


def unauthorized() -> ApiError:
    """401: the token is wrong or revoked."""
    return ApiError(401, "Unauthorized")


def success(result: object) -> web.Response:
    """The envelope of a result."""
    return web.json_response({"ok": True, "result": result})


def refusal(error: ApiError) -> web.Response:
    """The envelope of an error; a flood error has the header `Retry-After`, too."""
    body: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    headers = {}
    if "retry_after" in error.parameters:
        headers["Retry-After"] = str(error.parameters["retry_after"])
    return web.json_response(body, status=error.code, headers=headers)


class Params:
    """The parameters of one call: typed when they came as JSON, text otherwise."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)

    def has(self, name: str) -> bool:
        """Whether the client sent it and meant something by it."""
        return self.values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """The text of that name; empty when absent."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """The integer of that name; `default` when absent, 0 for anything else."""
        if not self.has(name):
            return default
        try:
            return int(self.text(name))
        except ValueError:
            return 0

    def flag(self, name: str) -> bool:
        """The boolean of that name, false when absent."""
        return self.text(name).lower() in {"true", "yes", "1", "t", "y"}

    def json(self, name: str) -> Any:
        """The object or list of that name, None when absent."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None


async def read_params(request: web.Request) -> Params:
    """Gather the query and the body: form, multipart (files left out) or JSON."""
    values: Json = dict(request.query)
    if request.content_type == "application/json":
        values |= _object(await request.text())
    else:
        form = await request.post()
        values |= {name: value for name, value in form.items() if isinstance(value, str)}
    return Params(values)


def _object(body: str) -> Json:
    try:
        read = json.loads(body or "{}")
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise bad_request("can't parse JSON object")
    return read
