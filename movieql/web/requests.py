"""Around every request: an id, one log line, metrics, and headers that keep browsers strict."""

import re
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from movieql.ports import Clock
from movieql.web.bodies import error_response
from movieql.web.logs import Logger
from movieql.web.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class FromState:
    """An ASGI app that the lifespan puts into `app.state` under a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        app: ASGIApp = getattr(scope["app"].state, self._name)
        await app(scope, receive, send)


class RequestMiddleware:
    """Gives each request an id (the caller's `x-request-id` if it looks like one) and a line."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
        new_id: Callable[[], str],
        routes: frozenset[str],
    ) -> None:
        self._app = app
        self._clock = clock
        self._logger = logger
        self._metrics = metrics
        self._new_id = new_id
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0  # nothing was answered yet

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        started_s = self._clock.monotonic_s()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            except Exception as error:
                if status:  # half an answer is out: only a broken connection can tell
                    raise
                self._metrics.fault("http", error)
                await _fault(request_id)(scope, receive, answer)
            finally:
                self._note(scope, status or 500, self._clock.monotonic_s() - started_s)

    def _note(self, scope: Scope, status: int, elapsed_s: float) -> None:
        path = scope["path"]
        # Only known routes become labels: a scanner must not fill the registry.
        route = (
            path if path in self._routes else "/static" if path.startswith("/static/") else "other"
        )
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(elapsed_s)
        self._logger.info(
            "request",
            method=scope["method"],
            path=path,
            status=status,
            elapsed_ms=round(elapsed_s * 1000, 1),
        )


def _fault(request_id: str) -> Response:
    message = f"Internal error; give this id when you report it: {request_id}"
    return error_response(500, message, {"code": "INTERNAL", "requestId": request_id})
