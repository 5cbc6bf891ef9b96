import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from movieql.clock import SystemClock
from movieql.web.server import ServerLimits, bind, configured
from movieql.web.socket_messages import PROTOCOL
from movieql.web.socket_transport import CUT_AFTER_S
from tests.servers import until
from tests.unit.web.socket_world import World

SLACK_S = 5.0


class Unsignalled(uvicorn.Server):
    """Leaves signals to the test run."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Served:
    """A world behind uvicorn, on a port."""

    world: World
    server: uvicorn.Server
    task: "asyncio.Task[None]"
    port: int

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator[ClientConnection]:
        options.setdefault("subprotocols", [Subprotocol(PROTOCOL)])
        url = f"ws://127.0.0.1:{self.port}/graphql"
        async with connect(url, close_timeout=0.1, proxy=None, **options) as client:
            yield client

    @asynccontextmanager
    async def greeted(self, **options: Any) -> AsyncIterator[ClientConnection]:
        async with self.connected(**options) as client:
            await say(client, {"type": "connection_init"})
            assert await heard(client) == {"type": "connection_ack"}
            yield client

    async def stop(self) -> None:
        self.server.should_exit = True
        await asyncio.wait_for(self.task, SLACK_S)


@asynccontextmanager
async def serving(ping_s: float = 20.0, **limits: Any) -> AsyncIterator[Served]:
    world = World(SystemClock(), **limits)
    app = Starlette(routes=[WebSocketRoute("/graphql", world.sockets)])
    with bind("127.0.0.1", 0) as bound:
        server = Unsignalled(configured(app, ServerLimits(1.0, socket_ping_s=ping_s)))
        task = asyncio.ensure_future(server.serve(sockets=[bound]))
        await until(lambda: server.started or task.done())
        served = Served(world, server, task, bound.getsockname()[1])
        try:
            yield served
        finally:
            world.gate.set()
            await served.stop()


async def say(client: ClientConnection, message: Any) -> None:
    await client.send(json.dumps(message))


async def heard(client: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(client.recv(), SLACK_S))


async def subscribe(client: ClientConnection, query: str, own_id: str = "1") -> None:
    await say(client, {"id": own_id, "type": "subscribe", "payload": {"query": query}})


async def closed(client: ClientConnection) -> tuple[int, str]:
    """Wait until the server has closed, and return with what."""
    await asyncio.wait_for(client.wait_closed(), SLACK_S)
    assert client.close_code is not None
    return client.close_code, client.close_reason or ""


async def test_operations_of_every_kind_run_beside_one_another() -> None:
    async with serving() as served, served.greeted() as client:
        assert client.subprotocol == PROTOCOL
        await subscribe(client, "mutation { slow }", "slow")
        await subscribe(client, "subscription { count(to: 2) }", "count")
        assert [(await heard(client))["type"] for _ in range(3)] == ["next", "next", "complete"]
        await subscribe(client, "{ hello }", "count")
        assert (await heard(client))["payload"] == {"data": {"hello": "hello"}}
        assert (await heard(client))["type"] == "complete"
        served.world.gate.set()
        assert await heard(client) == {
            "id": "slow",
            "type": "next",
            "payload": {"data": {"slow": 1}},
        }
    assert served.world.faults == []


async def test_a_client_that_goes_without_a_word_ends_what_it_began() -> None:
    async with serving() as served, served.greeted() as client:
        await subscribe(client, "subscription { wait }")
        await heard(client)
        client.transport.abort()
        await until(lambda: served.world.events == ["closed"] and served.world.ended)
        assert served.world.ended == [1005]


async def test_a_server_that_stops_says_so_and_ends_what_runs() -> None:
    async with serving() as served, served.greeted() as client:
        await subscribe(client, "subscription { wait }")
        await heard(client)
        await served.stop()
        assert (await closed(client))[0] == 1001
        assert served.world.events == ["closed"]
        assert served.world.ended == [1001]


async def test_the_composition_may_end_all_connections() -> None:
    async with serving() as served, served.greeted() as client:
        await asyncio.wait_for(served.world.sockets.close(), SLACK_S)
        assert await closed(client) == (1001, "The server stops.")


@pytest.mark.parametrize("size,code", [(65_000, 0), (65_537, 1009)])
async def test_messages_are_bounded(size: int, code: int) -> None:
    async with serving() as served, served.greeted() as client:
        await say(client, {"type": "ping", "payload": "x" * (size - 100)})
        if code:
            await client.send("x" * size)
            assert (await heard(client))["type"] == "pong"
            assert (await closed(client))[0] == code
        else:
            assert (await heard(client))["type"] == "pong"


async def test_a_message_in_pieces_is_bounded_too() -> None:
    async with serving() as served, served.greeted() as client:
        with pytest.raises(ConnectionClosed):
            await client.send("x" * 30_000 for _ in range(1_000))
        assert (await closed(client))[0] == 1009


async def test_the_codes_of_the_protocol_arrive() -> None:
    async with serving(init_s=0.1) as served:
        async with served.connected() as client:
            assert await closed(client) == (4408, "Connection initialisation timeout")
        async with served.connected() as client:
            await subscribe(client, "{ hello }")
            assert await closed(client) == (4401, "Unauthorized")
        async with served.connected() as client:
            await say(
                client, {"type": "connection_init", "payload": {"authorization": "Bearer x"}}
            )
            assert await closed(client) == (4403, "Forbidden: The token is not valid.")


@pytest.mark.parametrize(
    "options,status,code",
    [
        ({"origin": "https://evil.example"}, 403, "FORBIDDEN"),
        ({"subprotocols": [Subprotocol("graphql-ws")]}, 400, "BAD_REQUEST"),
        ({"subprotocols": None}, 400, "BAD_REQUEST"),
    ],
)
async def test_who_may_not_connect_is_told_why(
    options: dict[str, Any], status: int, code: str
) -> None:
    async with serving() as served:
        with pytest.raises(InvalidStatus) as refused:
            async with served.connected(**options):
                pass
        response = refused.value.response
        assert response.status_code == status
        assert response.headers["content-type"] == "application/json"
        (error,) = json.loads(response.body or b"")["errors"]
        assert error["extensions"]["code"] == code


async def test_a_page_of_our_own_may_connect() -> None:
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving())
        own = f"http://127.0.0.1:{served.port}"
        client = await stack.enter_async_context(served.connected(origin=own))
        await say(client, {"type": "ping"})
        assert await heard(client) == {"type": "pong"}


async def test_one_address_has_so_many_connections() -> None:
    async with serving(connections_per_address_max=1) as served, served.greeted() as first:
        with pytest.raises(InvalidStatus) as refused:
            async with served.connected():
                pass
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["retry-after"]
        await first.close()
        await until(lambda: 1000 in served.world.ended)
        async with served.greeted():
            pass


async def test_who_does_not_read_is_cut_off() -> None:
    async with serving(send_s=0.2) as served, served.greeted(max_queue=1) as client:
        client.transport.pause_reading()
        await subscribe(client, "subscription { large }")
        await until(lambda: served.world.ended == [1008])
        connections = served.server.server_state.connections
        await until(lambda: not connections, within_s=CUT_AFTER_S + SLACK_S)


def on_ping(client: ClientConnection, *, answers: bool) -> list[bytes]:
    """Return the pings that come from now on; the client answers them or is deaf to them."""
    pings: list[bytes] = []
    take = client.protocol.recv_frame

    def taken(frame: Frame) -> None:
        is_ping = frame.opcode is Opcode.PING
        if is_ping:
            pings.append(bytes(frame.data))
        if answers or not is_ping:
            take(frame)

    client.protocol.recv_frame = taken  # type: ignore[method-assign]  # no client is deaf itself
    return pings


async def test_who_does_not_answer_pings_is_cut_off() -> None:
    async with serving(ping_s=0.1) as served, served.greeted() as client:
        pings = on_ping(client, answers=False)
        await until(lambda: bool(served.world.ended))
        assert len(pings) == 1
    assert served.world.ended[0] in {1005, 1011}


async def test_who_answers_pings_stays() -> None:
    async with serving(ping_s=0.1) as served, served.greeted() as client:
        pings = on_ping(client, answers=True)
        await until(lambda: len(pings) > 5)
        await say(client, {"type": "ping"})
        assert await heard(client) == {"type": "pong"}
