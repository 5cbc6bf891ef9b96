"""Around every request: an id, one log line, metrics, and headers that keep browsers strict."""

import re
from collections.abc import Callable, Mapping, Sequence

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from movieql.ports import Clock
from movieql.web.bodies import NO_PAGE_POLICY, SECURITY_HEADERS, error_response
from movieql.web.telemetry import REQUEST_ID, Logger, Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})

SWITCHING = 101
"""HTTP status of a handshake that lets a WebSocket in."""


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

    `routes` are named in metrics. `shortcuts` are apps by path that are called without what is
    in between. `hsts_s`: for how many seconds browsers shall come by TLS alone (RFC 6797), 0 to
    say nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
        new_id: Callable[[], str],
        routes: Sequence[Route],
        shortcuts: Mapping[str, ASGIApp],
        hsts_s: int,
    ) -> None:
        self._app = app
        self._shortcuts = shortcuts
        self._clock = clock
        self._logger = logger
        self._metrics = metrics
        self._new_id = new_id
        # Finding a route by its pattern takes longer than by its path.
        self._paths = frozenset(each.path for each in routes if not each.param_convertors)
        self._patterns = tuple(each for each in routes if each.param_convertors)
        hsts = (b"strict-transport-security", b"max-age=%d" % hsts_s)
        self._headers = (*SECURITY_HEADERS, *((hsts,) if hsts_s else ()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3. A WebSocket's handshake is a request that may be refused as others are."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = given_id(scope) or self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0  # nothing was answered yet

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] in _STARTS:
                status = message["status"]
                self._add_headers(message, (b"x-request-id", request_id.encode()))
            elif message["type"] == "websocket.accept":
                status = SWITCHING
            await send(message)

        started_s = self._clock.monotonic_s()
        token = REQUEST_ID.set(request_id)
        try:
            is_http = scope["type"] == "http"
            app = self._shortcuts.get(scope["path"], self._app) if is_http else self._app
            await app(scope, receive, answer)
        except Exception as error:
            if status:  # half an answer is out: only a broken connection can tell
                raise
            self._metrics.fault("http", error)
            await _fault(request_id)(scope, receive, answer)
        finally:
            if status != SWITCHING:  # its end is noted where it is served
                self._note(scope, status or 500, self._clock.monotonic_s() - started_s)
            REQUEST_ID.reset(token)

    def _add_headers(self, message: Message, *more: tuple[bytes, bytes]) -> None:
        """Add what every answer has to one that starts; pages bring a policy of their own."""
        given = [*message.get("headers", ()), *self._headers, *more]
        if all(name != NO_PAGE_POLICY[0] for name, _ in given):
            given.append(NO_PAGE_POLICY)
        message["headers"] = given

    def _route(self, path: str) -> str:
        """Return a known route or `other`: a scanner must not fill the registry of metrics."""
        if path in self._paths:
            return path
        if path.startswith("/static/"):
            return "/static"
        found = (each.path_format for each in self._patterns if each.path_regex.match(path))
        return next(found, "other")

    def _note(self, scope: Scope, status: int, elapsed_s: float) -> None:
        path, method = scope["path"], scope.get("method", "GET")  # of a handshake always
        self._metrics.count_request(method, self._route(path), status, elapsed_s)
        self._logger.info(
            "request",
            method=method,
            path=path,
            status=status,
            elapsed_ms=round(elapsed_s * 1000, 1),
        )


def match_whole_paths(routes: Sequence[Route]) -> None:
    """Let patterns see line breaks in a path: Starlette's `.` does not, its `$` allows one."""
    for each in routes:
        pattern = each.path_regex.pattern.removesuffix("$") + r"\Z"
        each.path_regex = re.compile(pattern, re.DOTALL)


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
