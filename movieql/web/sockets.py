"""GraphQL over WebSocket: who may connect, how many may, and what is noted when they leave."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from movieql.domain.errors import MovieqlError, RateLimitedError
from movieql.web.admission import address_key, caller_key, refusal
from movieql.web.bodies import BAD_REQUEST, error_response
from movieql.web.socket_connection import GOING_AWAY, Connection, SocketParts
from movieql.web.socket_messages import PROTOCOL, SocketClosedError
from movieql.web.telemetry import REQUEST_ID, Logger

PEER_CODE = 3000
"""What is counted for a close code of the client's own: it may choose any of 3000 to 4999."""

_RETRY_AFTER = {"Retry-After": "5"}


class GraphQLSockets:
    """An ASGI app for WebSockets that speak graphql-transport-ws.

    `origins` may connect beside pages of our own host, all where it has "*". `address_of` returns
    where a connection comes from. `count` is called with the close code of each that was let in.
    """

    def __init__(
        self,
        parts: SocketParts,
        *,
        origins: frozenset[str],
        address_of: Callable[[Scope], str],
        logger: Logger,
        count: Callable[[int], None],
    ) -> None:
        self._parts = parts
        self._origins = origins
        self._address_of = address_of
        self._logger = logger
        self._count = count
        self._connections: set[Connection] = set()
        self._ended = asyncio.Event()
        self._by_address: Counter[str] = Counter()
        self._is_closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a connection with an HTTP error, or serve it to its end."""
        await receive()  # websocket.connect
        address = self._address_of(scope)
        refused = await self._without_budget(scope, address)
        refused = refused or self._refusal(scope, address_key(address))
        if refused is None:
            await self._serve(scope, receive, send, address)
        else:
            await refused(scope, receive, send)

    @property
    def open_count(self) -> int:
        """Return how many connections are open."""
        return len(self._connections)

    async def close(self) -> None:
        """Refuse newcomers, end all connections (1001) and wait until they have ended."""
        self._is_closed = True
        for connection in self._connections:
            connection.end(GOING_AWAY)
        while self._connections:
            self._ended.clear()
            await self._ended.wait()

    async def _without_budget(self, scope: Scope, address: str) -> Response | None:
        """Take a request from the caller's budget; return the refusal where nothing is left.

        An invalid token in the head is refused once the connection begins.
        """
        try:
            caller = await self._parts.callers.caller(scope)
        except MovieqlError:
            caller = None
        try:
            await self._parts.spend(caller_key(caller, address), 0)
        except RateLimitedError as error:
            return refusal(error).response()
        return None

    def _refusal(self, scope: Scope, place: str) -> Response | None:
        limits = self._parts.limits
        if not self._is_welcome(_header(scope, b"origin"), _header(scope, b"host")):
            return _refused(403, "Pages of this origin may not connect.", "FORBIDDEN")
        if PROTOCOL not in scope["subprotocols"]:
            return _refused(400, f"Ask for the subprotocol {PROTOCOL}.", BAD_REQUEST)
        if self._is_closed or len(self._connections) >= limits.connections_max:
            return _refused(503, "There is no room for more connections now.", "UNAVAILABLE")
        if self._by_address[place] >= limits.connections_per_address_max:
            most = limits.connections_per_address_max
            return _refused(429, f"One address has at most {most} connections.", "RATE_LIMITED")
        return None

    def _is_welcome(self, origin: str, host: str) -> bool:
        if not origin or "*" in self._origins or origin in self._origins:
            return True  # only browsers say where a page is from, and they always do
        try:
            own = urlsplit(origin).netloc
        except ValueError:
            return False
        return bool(own) and own.lower() == host.lower()

    async def _serve(self, scope: Scope, receive: Receive, send: Send, address: str) -> None:
        clock, place = self._parts.clock, address_key(address)
        request_id = REQUEST_ID.get() or ""
        connection = Connection(self._parts, scope, receive, send, address, request_id)
        self._connections.add(connection)
        self._by_address[place] += 1
        began_s = clock.monotonic_s()
        closed = SocketClosedError(1006, by_peer=True)
        try:
            await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            closed = await connection.run()
            await self._say_goodbye(closed, send)
        except OSError:  # the client left before it was let in
            return
        finally:
            self._leave(connection, place)
            is_own = closed.by_peer and closed.code >= PEER_CODE
            self._count(PEER_CODE if is_own else closed.code)
            elapsed_s = clock.monotonic_s() - began_s
            self._note(scope, closed.code, elapsed_s, connection.operations_count)

    async def _say_goodbye(self, closed: SocketClosedError, send: Send) -> None:
        if closed.by_peer:
            return
        message = {"type": "websocket.close", "code": closed.code, "reason": closed.reason}
        # A client that does not read gets no close frame; the server cuts the connection then.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await send(message)

    def _leave(self, connection: Connection, place: str) -> None:
        self._connections.discard(connection)
        self._by_address[place] -= 1
        if not self._by_address[place]:
            del self._by_address[place]
        self._ended.set()

    def _note(self, scope: Scope, code: int, elapsed_s: float, operations: int) -> None:
        self._logger.info(
            "websocket",
            path=scope["path"],
            code=code,
            elapsed_ms=round(elapsed_s * 1000, 1),
            operations=operations,
        )


def _refused(status: int, message: str, code: str) -> Response:
    headers = _RETRY_AFTER if status in {429, 503} else None
    return error_response(status, message, {"code": code}, headers)


def _header(scope: Scope, name: bytes) -> str:
    for given, value in scope["headers"]:
        if given == name:
            text: str = value.decode("latin-1")
            return text
    return ""
