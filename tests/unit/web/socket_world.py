"""A schema to speak to over WebSockets, and a client in this process that speaks to it."""

import asyncio
import io
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import strawberry

from movieql.api.context import Context, ContextInfo
from movieql.api.engine import Engine
from movieql.api.execution import DocumentLimits, Executor
from movieql.api.limits import LimitCheck, OperationLimits
from movieql.api.persisted import PersistedDocuments
from movieql.api.schema import core_schema
from movieql.cache.storage import BoundedMemoryCache
from movieql.domain.callers import Caller
from movieql.domain.errors import UnauthenticatedError, UnavailableError
from movieql.memory import VirtualClock
from movieql.ports import Clock
from movieql.web.admission import Callers
from movieql.web.requests import given_id
from movieql.web.socket_connection import SocketLimits, SocketParts
from movieql.web.socket_messages import PROTOCOL
from movieql.web.sockets import GraphQLSockets
from movieql.web.telemetry import REQUEST_ID, make_logger
from tests.unit.api.asking import Api

TOKENS_S = 3_600
"""Seconds for which a token of `Verifier` is good."""


class Verifier:
    """Accepts the tokens that start with `good-`; what follows is the subject."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.hangs = False

    async def verify(self, token: str) -> Caller:
        if self.hangs:
            await asyncio.Event().wait()
        if not token.startswith("good-"):
            raise UnauthenticatedError("The token is not valid.")
        expires_s = self._clock.now().timestamp() + TOKENS_S
        return Caller(token.removeprefix("good-"), expires_s=expires_s)


class World:
    """Sockets over a test schema; `clock` is theirs."""

    def __init__(self, clock: Clock | None = None, **limits: Any) -> None:
        self.clock = clock or VirtualClock()
        self.verifier = Verifier(self.clock)
        self.gate = asyncio.Event()
        self.events: list[str] = []
        self.asked: list[tuple[str, Caller | None]] = []
        self.spent: list[tuple[str, int]] = []
        self.refuse_spending: Exception | None = None
        self.charged: list[tuple[str, int]] = []
        self.refuse_charging: Exception | None = None
        self.faults: list[BaseException] = []
        self.ended: list[int] = []
        self.log = io.StringIO()
        self.api = Api()
        core = core_schema(_schema(self))
        executor = Executor(
            core, DocumentLimits(), LimitCheck(core, OperationLimits(), page_size=50)
        )
        persisted = PersistedDocuments(BoundedMemoryCache(self.clock, 1_000_000))
        self.engine = Engine(executor, persisted, self.faults.append)
        parts = SocketParts(
            self.engine,
            self.context,
            Callers(self.verifier),
            self.spend,
            self.charge,
            self.clock,
            SocketLimits(**limits),
            self.faults.append,
        )
        self.sockets = GraphQLSockets(
            parts,
            origins=frozenset({"https://shop.example"}),
            address_of=lambda scope: str(scope["client"][0]),
            logger=make_logger("info", "json", self.log),
            count=self.ended.append,
        )

    def context(self, request_id: str, caller: Caller | None) -> Context:
        self.asked.append((request_id, caller))
        return self.api.context(request_id)

    async def spend(self, key: str, cost: int) -> None:
        if self.refuse_spending is not None:
            raise self.refuse_spending
        self.spent.append((key, cost))

    async def charge(self, key: str, cost: int) -> None:
        if self.refuse_charging is not None:
            raise self.refuse_charging
        self.charged.append((key, cost))

    @property
    def virtual(self) -> VirtualClock:
        assert isinstance(self.clock, VirtualClock)
        return self.clock

    async def connected(self, **options: Any) -> "Peer":
        """Return a client that is accepted and has not said anything."""
        peer = Peer(self, **options)
        await self.virtual.settle()
        return peer

    async def greeted(self, authorization: str | None = None, **options: Any) -> "Peer":
        """Return a client whose connection is acknowledged."""
        peer = await self.connected(**options)
        payload = {"Authorization": authorization} if authorization else {}
        assert await peer.say({"type": "connection_init", "payload": payload}) == [
            {"type": "connection_ack"}
        ]
        return peer


class Peer:
    """A client at the other end of an ASGI scope; `reads` False: it lets messages pile up."""

    def __init__(
        self,
        world: World,
        *,
        headers: dict[str, str] | None = None,
        protocols: tuple[str, ...] = (PROTOCOL,),
        address: str = "192.0.2.1",
    ) -> None:
        self._world = world
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._from_app: list[dict[str, Any]] = []
        self.opened: dict[str, Any] | None = None
        self.refused: tuple[int, dict[str, Any]] | None = None
        self.closed: tuple[int, str] | None = None
        self.on_message: Callable[[dict[str, Any]], None] = lambda _: None
        self.readable = asyncio.Event()
        self.readable.set()
        given = {"host": "movies.example"} | (headers or {})
        self.scope = {
            "type": "websocket",
            "path": "/graphql",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "subprotocols": list(protocols),
            "client": (address, 1234),
            "query_string": b"",
            "extensions": {"websocket.http.response": {}},
        }
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        REQUEST_ID.set(given_id(self.scope) or "connection-1")
        await self._world.sockets(self.scope, self._to_app.get, self._receive)

    async def _receive(self, message: Any) -> None:
        match message["type"]:
            case "websocket.accept":
                self.opened = message
            case "websocket.send":
                await self.readable.wait()
                self._from_app.append(json.loads(message["text"]))
                self.on_message(self._from_app[-1])
            case "websocket.close":
                self.closed = (message["code"], message["reason"])
            case "websocket.http.response.start":
                self.refused = (message["status"], {})
            case "websocket.http.response.body":
                assert self.refused is not None
                self.refused = (self.refused[0], json.loads(message["body"]))

    async def say(self, *messages: Any) -> list[dict[str, Any]]:
        """Send messages (a text as it is) and return what came until nothing moves."""
        for message in messages:
            self.put(message)
        return await self.heard()

    def put(self, message: Any) -> None:
        """Send a message (a text as it is) at once."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def say_bytes(self, sent: bytes) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "bytes": sent})
        await self.heard()

    async def leave(self, code: int = 1000) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code})
        await self._world.virtual.settle()

    async def subscribe(self, query: str, own_id: str = "1", **more: Any) -> list[dict[str, Any]]:
        payload = {"query": query, **more}
        return await self.say({"id": own_id, "type": "subscribe", "payload": payload})

    async def heard(self) -> list[dict[str, Any]]:
        """Return what came since the last time."""
        await self._world.virtual.settle()
        heard, self._from_app = self._from_app, []
        return heard


def _schema(world: World) -> strawberry.Schema:
    return strawberry.Schema(
        query=_Query, mutation=_mutation(world), subscription=_subscription(world)
    )


@strawberry.type(name="Query")
class _Query:
    @strawberry.field
    def hello(self) -> str:
        return "hello"

    @strawberry.field
    def fails(self) -> str:
        raise ValueError("a secret")


def _mutation(world: World) -> type:
    @strawberry.type
    class Mutation:
        @strawberry.mutation
        async def slow(self) -> int:
            world.events.append("began")
            try:
                await world.gate.wait()
            finally:
                world.events.append("ended")
            return 1

    return Mutation


def _subscription(world: World) -> type:
    @strawberry.type
    class Subscription(_Simple):
        @strawberry.subscription
        async def wait(self) -> AsyncGenerator[int, None]:
            try:
                yield 1
                await world.gate.wait()
                yield 2
            finally:
                await asyncio.sleep(0)
                world.events.append("closed")

        @strawberry.subscription
        async def stubborn(self) -> AsyncGenerator[int, None]:
            try:
                yield 1
                await asyncio.Event().wait()
            finally:
                await world.gate.wait()

    return Subscription


@strawberry.type
class _Simple:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int, None]:
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def breaks(self) -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("a secret")

    @strawberry.subscription
    async def fades(self) -> AsyncGenerator[int, None]:
        yield 1
        raise UnavailableError

    @strawberry.subscription
    async def request_ids(self, info: ContextInfo) -> AsyncGenerator[str, None]:
        yield info.context.request_id

    @strawberry.subscription
    async def large(self) -> AsyncGenerator[str, None]:
        while True:
            yield "x" * 100_000
