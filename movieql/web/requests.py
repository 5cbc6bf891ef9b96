"""Around every request: an id, one log line, metrics, and headers that keep browsers strict."""

import re
from collections.abc import Callable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from movieql.ports import Clock
from movieql.web.bodies import error_response
from movieql.web.logs import REQUEST_ID, Logger
from movieql.web.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class FromState:
    """An ASGI app that the lifespan puts into `app.state` under a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        app: ASGIApp = getattr(scope["app"].state, self._name)
        await app(scope, receive, send)


class RequestMiddleware:
    """Gives each request an id (the caller's `x-request-id` if it looks like one) and a line.

    `shortcuts` are apps by path that are called without what is in between.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
        new_id: Callable[[], str],
        routes: frozenset[str],
        shortcuts: Mapping[str, ASGIApp],
    ) -> None:
        self._app = app
        self._shortcuts = shortcuts
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
        request_id = given_id(scope) or self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0  # nothing was answered yet

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    *_SECURITY_HEADERS,
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        started_s = self._clock.monotonic_s()
        token = REQUEST_ID.set(request_id)
        try:
            app = self._shortcuts.get(scope["path"], self._app)
            await app(scope, receive, answer)
        except Exception as error:
            if status:  # half an answer is out: only a broken connection can tell
                raise
            self._metrics.fault("http", error)
            await _fault(request_id)(scope, receive, answer)
        finally:
            self._note(scope, status or 500, self._clock.monotonic_s() - started_s)
            REQUEST_ID.reset(token)

    def _note(self, scope: Scope, status: int, elapsed_s: float) -> None:
        path = scope["path"]
        # Only known routes become labels: a scanner must not fill the registry.
        route = (
            path if path in self._routes else "/static" if path.startswith("/static/") else "other"
        )
        self._metrics.count_request(scope["method"], route, status, elapsed_s)
        self._logger.info(
            "request",
            method=scope["method"],
            path=path,
            status=status,
            elapsed_ms=round(elapsed_s * 1000, 1),
        )


def given_id(scope: Scope) -> str | None:
    """Return the id that a caller gave the request, if it looks like one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            return given if _REQUEST_ID.fullmatch(given) else None
    return None


def _fault(request_id: str) -> Response:
    message = f"Internal error; give this id when you report it: {request_id}"
    return error_response(500, message, {"code": "INTERNAL", "requestId": request_id})
