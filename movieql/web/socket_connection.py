"""One GraphQL connection over a WebSocket, from its accepting to its end.

Whatever ends it - the client, a broken rule, a token's end, silence, the server - becomes one
SocketClosedError; then everything that runs is cancelled and waited for.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from movieql.domain.callers import Caller
from movieql.domain.errors import (
    LimitExceededError,
    MovieqlError,
    RateLimitedError,
    UnauthenticatedError,
)
from movieql.ports import Clock
from movieql.web.admission import Callers, caller_key
from movieql.web.graphql import Answered, Charge
from movieql.web.socket_messages import (
    ClientMessage,
    Complete,
    Init,
    Ping,
    SocketClosedError,
    Subscribe,
    acknowledged,
    completed,
    failed,
    following,
    pong,
    read,
)
from movieql.web.telemetry import REQUEST_ID

GOING_AWAY = SocketClosedError(1001, "The server stops.")
"""How connections end when the server does."""


class Engine(Protocol):
    """What runs requests of every kind."""

    def stream(
        self,
        query: str | None,
        sha256: str | None,
        variables: Mapping[str, Any],
        operation_name: str | None,
        make_context: Callable[[], Any],
        charge: Charge,
    ) -> AsyncGenerator[Answered, None]:
        """Answer once, or a subscription as often as it has an event."""
        ...


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Bounds of connections and of one connection (docs/semantics.md, Access).

    `init_s`: from accepting to the end of `connection_init`, the token's verification included.
    `idle_s`: without a message of the client's and without an operation. `send_s`: until a
    message has left for a client that reads slowly, and until cancelled operations have ended.
    """

    connections_max: int = 1_000
    connections_per_address_max: int = 5
    operations_max: int = 20
    init_s: float = 3.0
    idle_s: float = 300.0
    send_s: float = 10.0


@dataclass(frozen=True, slots=True)
class SocketParts:
    """What all connections share.

    `make_context` makes the context of an answer from its request id and its caller; `spend`
    takes a request of a caller's key and its cost from its budget or raises RateLimitedError,
    `charge` the cost of its operation; `note_fault` is called with faults of ours.
    """

    engine: Engine
    make_context: Callable[[str, Caller | None], Any]
    callers: Callers
    spend: Callable[[str, int], Awaitable[None]]
    charge: Callable[[str, int], Awaitable[None]]
    clock: Clock
    limits: SocketLimits
    note_fault: Callable[[BaseException], None]


class Connection:
    """Speaks graphql-transport-ws over a socket that is accepted.

    `scope` is that of the upgrade request, whose `Authorization` counts when `connection_init`
    has none; `request_id` starts the id of each of its operations.
    """

    def __init__(
        self,
        parts: SocketParts,
        scope: Scope,
        receive: Receive,
        send: Send,
        address: str,
        request_id: str,
    ) -> None:
        self._parts = parts
        self._scope = scope
        self._receive = receive
        self._send_message = send
        self._address = address
        self._request_id = request_id
        loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[SocketClosedError] = loop.create_future()
        self._acknowledged: asyncio.Future[None] = loop.create_future()
        self._is_initialising = False
        self._caller: Caller | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._active_s = parts.clock.monotonic_s()
        self.operations_count = 0

    async def run(self) -> SocketClosedError:
        """Serve until the connection ends, and return why it did."""
        duties = [
            asyncio.ensure_future(self._dutifully(duty)) for duty in (self._read, self._watch)
        ]
        try:
            return await self._closed
        finally:
            await self._cancelled([*duties, *self._running])

    def end(self, closed: SocketClosedError) -> None:
        """Let the connection end, unless it does already."""
        if not self._closed.done():
            self._closed.set_result(closed)

    async def _cancelled(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        ended = asyncio.gather(*tasks, return_exceptions=True)
        await self._parts.clock.wait({ended}, self._parts.limits.send_s)
        if not ended.done():
            late = TimeoutError("An operation goes on after it was cancelled.")
            self._parts.note_fault(late)

    async def _dutifully(self, duty: Callable[[], Awaitable[None]]) -> None:
        try:
            await duty()
        except SocketClosedError as closed:
            self.end(closed)
        except Exception as error:  # noqa: BLE001  # the task's last chance to report it
            self._parts.note_fault(error)
            self.end(SocketClosedError(1011, "Internal error"))

    async def _watch(self) -> None:
        clock, limits = self._parts.clock, self._parts.limits
        await clock.wait({self._acknowledged}, limits.init_s)
        if not self._acknowledged.done():
            raise SocketClosedError(4408, "Connection initialisation timeout")
        while True:
            if self._running:
                self._active_s = clock.monotonic_s()
            idle_s = self._active_s + limits.idle_s - clock.monotonic_s()
            if idle_s <= 0:
                raise SocketClosedError(1000, "Nothing was asked for a while.")
            await clock.sleep(min(idle_s, self._token_left_s()))

    def _token_left_s(self) -> float:
        """Return the seconds for which the token is good. Raises SocketClosedError after them."""
        if self._caller is None:
            return float("inf")
        left_s = self._caller.expires_s - self._parts.clock.now().timestamp()
        if left_s <= 0:
            raise SocketClosedError(4403, "Forbidden: the token has expired")
        return left_s

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise SocketClosedError(message.get("code") or 1005, by_peer=True)
            text = message.get("text")
            if text is None:
                raise SocketClosedError(4400, "Messages are text.")
            self._active_s = self._parts.clock.monotonic_s()
            await self._take(read(text))

    async def _take(self, message: ClientMessage) -> None:
        match message:
            case Init():
                await self._initialise(message)
            case Ping():
                await self._send(pong(message.payload))
            case Subscribe():
                await self._subscribe(message)
            case Complete():
                operation = self._operations.pop(message.id, None)
                if operation is not None:
                    operation.cancel()

    async def _initialise(self, message: Init) -> None:
        if self._is_initialising:
            raise SocketClosedError(4429, "Too many initialisation requests")
        self._is_initialising = True
        scope = self._scope
        if message.authorization is not None:
            header = message.authorization.encode("latin-1", errors="replace")
            scope = {"headers": [(b"authorization", header)]}
        try:
            self._caller = await self._authenticated(scope)
        except MovieqlError as error:
            raise SocketClosedError(1013, str(error)) from error
        self._token_left_s()
        await self._send(acknowledged())
        self._acknowledged.set_result(None)

    async def _authenticated(self, scope: Scope) -> Caller | None:
        try:
            return await self._parts.callers.caller(scope)
        except UnauthenticatedError as error:
            # Guesses are taken from the budget of their address, as over HTTP.
            await self._parts.spend(caller_key(None, self._address), 1)
            raise SocketClosedError(4403, f"Forbidden: {error}") from error

    async def _subscribe(self, message: Subscribe) -> None:
        if not self._acknowledged.done():
            raise SocketClosedError(4401, "Unauthorized")
        if message.id in self._operations:
            raise SocketClosedError(4409, f"Subscriber for {message.id} already exists")
        # Those that end still count, so that ending many does not make room for many more.
        if len(self._running) >= self._parts.limits.operations_max:
            most = self._parts.limits.operations_max
            error = LimitExceededError(f"A connection runs at most {most} operations at once.")
            await self._send(failed(message.id, [_shown(error)]))
            return
        self.operations_count += 1
        request_id = f"{self._request_id}.{self.operations_count}"
        duty = partial(self._operate, message, request_id)
        operation = asyncio.ensure_future(self._dutifully(duty))
        self._operations[message.id] = operation
        self._running.add(operation)
        operation.add_done_callback(partial(self._ended, message.id))

    def _ended(self, operation_id: str, operation: "asyncio.Task[None]") -> None:
        self._running.discard(operation)
        self._active_s = self._parts.clock.monotonic_s()
        if self._operations.get(operation_id) is operation:
            del self._operations[operation_id]

    async def _operate(self, message: Subscribe, request_id: str) -> None:
        REQUEST_ID.set(request_id)  # this task's own
        try:
            errors = await self._answered(message, request_id)
        except RateLimitedError as error:
            errors = [_shown(error)]
        except SocketClosedError:
            raise
        except Exception as error:  # noqa: BLE001  # it is sent to the client, masked
            self._parts.note_fault(error)
            errors = [_masked(request_id)]
        # The client may use the id again as soon as it reads this.
        if self._operations.get(message.id) is asyncio.current_task():
            del self._operations[message.id]
        await self._send(completed(message.id) if errors is None else failed(message.id, errors))

    async def _answered(
        self, message: Subscribe, request_id: str
    ) -> list[Mapping[str, Any]] | None:
        """Send the results of an operation; return its errors when it did not run to its end."""
        parts, request = self._parts, message.request
        key = caller_key(self._caller, self._address)
        await parts.spend(key, 1)
        answers = parts.engine.stream(
            request.query,
            request.sha256,
            request.variables,
            request.operation_name,
            partial(parts.make_context, request_id, self._caller),
            lambda cost, _: parts.charge(key, cost),
        )
        async with aclosing(answers):
            async for answered in answers:
                if "data" not in answered.body:
                    errors: list[Mapping[str, Any]] = answered.body["errors"]
                    return errors
                await self._send(following(message.id, answered.body))
                await asyncio.sleep(0)  # a source that never waits holds nobody up
        return None

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._parts.limits.send_s):
                await self._send_message({"type": "websocket.send", "text": text})
        except TimeoutError as error:
            raise SocketClosedError(1008, "The client reads too slowly.") from error
        except OSError as error:  # what a server raises when the client is gone
            raise SocketClosedError(1006, by_peer=True) from error


def _shown(error: MovieqlError) -> Mapping[str, Any]:
    extensions: dict[str, Any] = {"code": error.code}
    if isinstance(error, RateLimitedError):
        extensions["retryAfterMs"] = round(error.retry_after_s * 1000)
    return {"message": str(error), "extensions": extensions}


def _masked(request_id: str) -> Mapping[str, Any]:
    message = f"Internal error; give this id when you report it: {request_id}"
    return {"message": message, "extensions": {"code": "INTERNAL", "requestId": request_id}}
