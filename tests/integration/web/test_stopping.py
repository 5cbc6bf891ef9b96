import asyncio
import io
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from movieql.app import build_app
from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.domain.errors import SettingsError
from movieql.settings import Settings
from movieql.web.server import ServerLimits, bind, serve
from movieql.web.telemetry import make_logger
from tests.servers import Client, until

GRACE_S = 1.0
SLACK_S = 2.0
PATIENT = Settings(budget_s=60, attempt_timeout_s=60, late_budget_s=60, shutdown_s=GRACE_S)


@pytest.fixture
def survived() -> Iterator[list[int]]:
    """Outlive the signals that uvicorn passes on once it has stopped."""
    received: list[int] = []
    before = {
        each: signal.signal(each, lambda number, _: received.append(number))
        for each in (signal.SIGTERM, signal.SIGINT)
    }
    yield received
    for each, handler in before.items():
        signal.signal(each, handler)


async def stopped_after_s(simulator: Simulator, path: str, mode: str) -> float:
    """Serve, ask while the shops do as the mode says, stop, and return how long that took."""
    logger = make_logger("info", "json", io.StringIO())
    providers, secrets = simulated_providers(simulator), simulated_secrets(simulator)
    app = build_app(PATIENT, providers, secrets, logger)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with bind("127.0.0.1", 0) as bound:
        limits = ServerLimits(PATIENT.shutdown_s)
        serving = asyncio.ensure_future(serve(app, bound, limits, ready.set_result))
        client_session = aiohttp.ClientSession()
        async with client_session:
            client = Client(await ready, client_session)
            for provider in simulator.catalogues:
                await simulator.turn(provider, mode)
            asked = asyncio.ensure_future(client.call("GET", path))
            await until(lambda: simulator.calls.total() >= 2)
            began_s = time.monotonic()
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(serving, GRACE_S + SLACK_S)
            elapsed_s = time.monotonic() - began_s
            await asyncio.gather(asked, return_exceptions=True)
            return elapsed_s


@pytest.mark.parametrize("mode", ["hang", "ok"])
async def test_it_stops_within_the_grace_time_while_a_question_is_open(
    survived: list[int], mode: str
) -> None:
    async with Simulator() as simulator:
        path = "/graphql?query={movies{nodes{cheapest{final}}}}"
        assert await stopped_after_s(simulator, path, mode) < GRACE_S + SLACK_S
    assert survived == [signal.SIGTERM]


async def test_a_server_that_cannot_start_says_so(survived: list[int]) -> None:
    @asynccontextmanager
    async def fails(_: Starlette) -> AsyncIterator[None]:
        raise ValueError("the store is gone")
        yield

    app = build_app(PATIENT, (), {}, make_logger("info", "json", io.StringIO()))
    app.router.lifespan_context = fails
    with bind("127.0.0.1", 0) as bound, pytest.raises(SettingsError, match="did not start"):
        await serve(app, bound, ServerLimits(1.0), lambda _: None)
    assert survived == []


REQUEST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"
DRAIN_S = 0.5


@dataclass(frozen=True)
class Ending:
    """A server that can be told to end; `elapsed_s` gives how long that took."""

    port: int
    elapsed_s: Callable[[], float]
    task: asyncio.Task[None]


@asynccontextmanager
async def about_to_end(
    at_end: Callable[[int], None] = lambda _: None, drain_s: float = 0.0
) -> AsyncIterator[Ending]:
    """Serve; `at_end` is called with the port when the server begins to end."""

    async def hello(_: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    app = Starlette(routes=[Route("/", hello, methods=["GET", "POST"])])
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    began_s: list[float] = []
    with bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]

        def ending() -> None:
            began_s.append(time.monotonic())
            at_end(port)

        limits = ServerLimits(GRACE_S, drain_s=drain_s)
        task = asyncio.ensure_future(serve(app, bound, limits, ready.set_result, ending))
        await ready
        yield Ending(port, lambda: time.monotonic() - began_s[0], task)
        await asyncio.wait_for(task, GRACE_S + SLACK_S)


async def exchanged(reader: asyncio.StreamReader) -> str:
    """Return the head of one answer of which the body is `hello`."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(5) == b"hello"
    return head.decode()


@pytest.mark.parametrize("requests", [0, 1], ids=["new", "kept alive"])
async def test_a_request_that_was_sent_just_before_the_server_ended_is_answered(
    survived: list[int], requests: int
) -> None:
    writers: list[asyncio.StreamWriter] = []

    def send(_: int) -> None:
        writers[0].write(REQUEST)

    async with about_to_end(send) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(requests):
            writer.write(REQUEST)
            assert "connection: close" not in await exchanged(reader)
        writers.append(writer)
        signal.raise_signal(signal.SIGTERM)
        assert "connection: close" in await exchanged(reader)
        assert await reader.read() == b""
        writer.close()
    assert survived == [signal.SIGTERM]


async def test_a_connection_that_waits_to_be_taken_is_not_reset(survived: list[int]) -> None:
    clients: list[socket.socket] = []

    def connect(port: int) -> None:
        client = socket.create_connection(("127.0.0.1", port), 1.0)
        client.sendall(REQUEST)
        clients.append(client)

    async with about_to_end(connect) as server:
        signal.raise_signal(signal.SIGTERM)
        await until(lambda: clients)
        reader, writer = await asyncio.open_connection(sock=clients[0])
        assert "connection: close" in await exchanged(reader)
        writer.close()
        await server.task
    assert survived == [signal.SIGTERM]


async def test_a_head_that_has_begun_is_waited_for(survived: list[int]) -> None:
    async with about_to_end() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(REQUEST[:20])
        await asyncio.sleep(0.05)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.4)
        writer.write(REQUEST[20:])
        assert "connection: close" in await exchanged(reader)
        writer.close()
    assert survived == [signal.SIGTERM]


async def test_a_connection_that_does_nothing_does_not_hold_the_end_up(
    survived: list[int],
) -> None:
    async with about_to_end() as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        signal.raise_signal(signal.SIGTERM)
        await server.task
        assert server.elapsed_s() < GRACE_S
        writer.close()
    assert survived == [signal.SIGTERM]


async def test_it_goes_on_for_a_while_and_lets_nobody_stay(survived: list[int]) -> None:
    async with about_to_end(drain_s=DRAIN_S) as server, aiohttp.ClientSession() as session:
        client = Client(f"http://127.0.0.1:{server.port}", session)
        assert "connection" not in (await client.call("GET", "/")).headers
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)  # uvicorn looks each 0.1 s
        for _ in range(3):
            reply = await client.call("GET", "/")
            assert (reply.status, reply.headers["connection"]) == (200, "close")
        await server.task
        assert server.elapsed_s() >= DRAIN_S
    assert survived == [signal.SIGTERM]


async def test_who_presses_ctrl_c_does_not_wait(survived: list[int]) -> None:
    async with about_to_end(drain_s=60.0):
        signal.raise_signal(signal.SIGINT)
    assert survived == [signal.SIGINT]


async def test_a_server_that_ends_is_unready(survived: list[int]) -> None:
    logger = make_logger("info", "json", io.StringIO())
    app = build_app(PATIENT, (), {}, logger)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    ending = asyncio.Event()

    def end() -> None:
        app.state.readiness.end()
        ending.set()

    limits = ServerLimits(GRACE_S, drain_s=DRAIN_S)
    with bind("127.0.0.1", 0) as bound:
        serving = asyncio.ensure_future(serve(app, bound, limits, ready.set_result, end))
        async with aiohttp.ClientSession() as session:
            client = Client(await ready, session)
            assert (await client.call("GET", "/readyz")).status == 200
            signal.raise_signal(signal.SIGTERM)
            await ending.wait()
            reply = await client.call("GET", "/readyz")
            assert (reply.status, reply.json["ready"]) == (503, False)
            assert "server" in reply.json["failing"]
            assert (await client.call("GET", "/healthz")).status == 200
        await serving
    assert survived == [signal.SIGTERM]
