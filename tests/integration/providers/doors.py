"""Providers over real sockets, and a shop that sends whatever bytes a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

import aiohttp

from movieql.clock import SystemClock
from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.domain.movies import Answer
from movieql.memory import RecordedTelemetry
from movieql.ports import LIST, Call
from movieql.providers.contract import Contract, Operation
from movieql.providers.guards import Cooldown
from movieql.providers.http import HttpProvider
from movieql.providers.posting import HttpPosting

CINEMAWORLD = "cinemaworld"


@dataclass(frozen=True)
class Timed:
    """An answer, and how long it took on the wall's clock."""

    answer: Answer
    elapsed_s: float


@dataclass
class Door:
    """A provider, what posts to it, and the connections that both use."""

    provider: HttpProvider
    posting: HttpPosting
    connector: aiohttp.TCPConnector

    async def ask(self, call: Call = LIST, within_s: float = 5.0) -> Timed:
        """Make one attempt that has so much time."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        answer = await self.provider.fetch(call, SystemClock().monotonic_s() + within_s)
        return Timed(answer, loop.time() - started_s)

    @property
    def connections_in_use(self) -> int:
        """Return how many connections were taken and not given back."""
        return len(self.connector._acquired)  # noqa: SLF001  # aiohttp does not tell


@asynccontextmanager
async def opened(contract: Contract) -> AsyncIterator[Door]:
    """Open a provider; at the end no connection is in use and no task is left."""
    before = asyncio.all_tasks()
    connector = aiohttp.TCPConnector(limit=20)
    async with aiohttp.ClientSession(connector=connector) as session:
        clock, telemetry = SystemClock(), RecordedTelemetry()
        provider = HttpProvider(CINEMAWORLD, contract, session, clock, telemetry)
        cooldown = Cooldown(CINEMAWORLD)
        posting = HttpPosting(CINEMAWORLD, contract, session, clock, telemetry, cooldown)
        door = Door(provider, posting, connector)
        yield door
        assert door.connections_in_use == 0
    # Tasks of the shops' end with their connections; ours have to have ended.
    left = {task for task in asyncio.all_tasks() - before if "movieql.providers" in repr(task)}
    assert not left


def contract_of(simulator: Simulator, provider: str = CINEMAWORLD, **secrets: str) -> Contract:
    """Return a shop's contract, made of the example settings; `secrets` replaces some."""
    settings = {each.id: each for each in simulated_providers(simulator)}
    return settings[provider].contract(simulated_secrets(simulator) | secrets)


Send = Callable[["RawShop", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawShop:
    """A server that reads a request's head and then does what `send` does."""

    send: Send
    requests: list[bytes] = field(default_factory=list)
    bytes_sent: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def contract(self) -> Contract:
        """Return a contract with a wrapped list and details."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return Contract(
            f"http://127.0.0.1:{port}",
            Operation("/movies", wrapper="Movies"),
            {"id": "ID", "title": "Title", "price": "Price"},
            Operation("/movie/{id}"),
            body_bytes_max=1_000_000,
        )

    async def write(self, writer: asyncio.StreamWriter, chunk: bytes) -> None:
        """Send, and count what the caller's side has taken from us."""
        writer.write(chunk)
        await writer.drain()
        self.bytes_sent += len(chunk)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await self.send(self, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller has hung up, as some tests want
        finally:
            writer.close()


def sending(*chunks: bytes) -> Send:
    """Return what sends these bytes and then closes the connection."""

    async def send(shop: RawShop, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            await shop.write(writer, chunk)

    return send


def endless(head: bytes, chunk: bytes) -> Send:
    """Return what sends the head once and then the chunk until the caller hangs up."""

    async def send(shop: RawShop, writer: asyncio.StreamWriter) -> None:
        await shop.write(writer, head)
        while True:
            await shop.write(writer, chunk)

    return send


def head(status: str, *headers: str) -> bytes:
    """Return the head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()
