"""What was seen is written down when the server stops, and a store that hangs holds nobody up."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from movieql.dev.simulator import Simulator
from movieql.services.segment_names import OBSERVATIONS
from tests.e2e.stand_in import StandIn, standing_in
from tests.object_store import file_store
from tests.servers import Client, running, serve_env, started

PRICES = "{ movies { nodes { cheapest { final } } } }"


async def test_what_was_seen_is_written_down_at_the_end(tmp_path: Path) -> None:
    settings = {
        "store_folder": tmp_path / "store",
        "public_url": "http://127.0.0.1",
        "link_secret": "0123456789-abcdefghijklmnopqrstuvwxyz",
    }
    async with file_store(tmp_path / "store") as store:
        async with running(settings) as server:
            await server.ask(PRICES)
            assert not await store.list(OBSERVATIONS)
        assert await store.list(OBSERVATIONS)


async def test_a_store_that_hangs_does_not_keep_a_process_from_stopping(tmp_path: Path) -> None:
    stand_in = StandIn()
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator())
        store = await stack.enter_async_context(standing_in(stand_in))
        env = serve_env(simulator, tmp_path) | store | {"MOVIEQL_SHUTDOWN_S": "1"}
        process = started("serve", "--port", "0", env=env, ready='"url":"http')
        server = await asyncio.to_thread(stack.enter_context, process)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await Client(server.url, session).ask(PRICES)
        stand_in.answers.clear()
        code, elapsed_s = await asyncio.to_thread(server.stop, signal.SIGTERM)
        stand_in.answers.set()
        assert code == -signal.SIGTERM
        assert elapsed_s < 5.0
        assert "closing took too long" in server.output
