"""Three servers and two workers behind nginx: killed, and started again in turn, under load."""

import asyncio
import os

import aiohttp
import pytest

from movieql.dev.simulator import Simulator
from tests.e2e.load import HEAD, Load
from tests.e2e.rolling import fleet

ROUNDS = 5 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 1
STEADY_S = 2.0
EXPORTS_END_S = 60.0
PENDING = {"QUEUED", "RUNNING", "RETRYING"}


@pytest.mark.timeout(300)
async def test_no_request_and_no_export_is_lost_whatever_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with (
        Simulator() as simulator,
        # A connection for each request: what is tried are nginx's connections to the servers.
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
        fleet(simulator, session) as running,
    ):
        load = Load(running.url, session)
        await load.warm_up()
        async with load.phase("nothing happens"):
            await asyncio.sleep(STEADY_S)
        for _ in range(ROUNDS):
            async with load.phase("each is killed"):
                await running.kill_each()
            async with load.phase("rolled, nginx follows"):
                await running.roll(routed=True)
            async with load.phase("rolled, nginx does not"):
                await running.roll(routed=False)
        asked = sorted({each for phase in load.phases for each in phase.exports})
        statuses = await load.statuses(asked)
        async with asyncio.timeout(EXPORTS_END_S):
            while PENDING & set(statuses.values()):
                await asyncio.sleep(0.5)
                statuses = await load.statuses(asked)
    table = "\n".join([HEAD, *(phase.row(statuses) for phase in load.phases)])
    with capsys.disabled():
        print(f"\n{table}")  # noqa: T201  # the measurement
    for phase in load.phases:
        assert phase.lost == [], table
        if phase.name != "each is killed":
            assert phase.failures == [], table
    assert set(statuses.values()) == {"READY"}, statuses
