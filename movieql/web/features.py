"""`GET /client.json`: what the client may offer here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from movieql.web.resources import json_response

FEATURES = "/client.json"


@dataclass(frozen=True, slots=True)
class Knobs:
    """Where the knobs of simulated shops are, and the routes that answer there."""

    path: str
    routes: tuple[Route, ...]


def features(knobs: Knobs | None) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler. `login`: whether names and passwords are known here."""

    async def handle(request: Request) -> Response:
        told = {
            "login": request.app.state.login is not None,
            "knobs": None if knobs is None else knobs.path,
        }
        return json_response(told, 200, {"Cache-Control": "no-cache"})

    return handle
