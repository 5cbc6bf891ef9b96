import asyncio
import io
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from starlette.applications import Starlette

from movieql.app import build_app
from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.domain.errors import SettingsError
from movieql.settings import Settings
from movieql.web.logs import make_logger
from movieql.web.server import ServerLimits, bind, serve
from tests.servers import Client, until

GRACE_S = 1.0
SLACK_S = 2.0
PATIENT = Settings(budget_s=60, attempt_timeout_s=60, late_budget_s=60, shutdown_s=GRACE_S)


@pytest.fixture
def survived() -> Iterator[list[int]]:
    """Outlive SIGTERM, which uvicorn passes on once it has stopped."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    yield received
    signal.signal(signal.SIGTERM, before)


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
