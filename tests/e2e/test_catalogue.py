"""Three real servers on one catalogue: no write is lost, none happens twice."""

import asyncio
import os
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from movieql.dev.simulator import Simulator
from movieql.domain.catalogue import parse
from tests.e2e.catalogue_callers import (
    KEY,
    MOVIES,
    YEAR,
    Stored,
    Told,
    rest_writer,
    running_replicas,
    stored_in,
    update,
    writers,
)
from tests.e2e.stand_in import StandIn, standing_in
from tests.object_store import Faults
from tests.servers import ran, serve_env, until

PROCESSES = 3
IS_SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
UPDATES = 500 if IS_SOAK else 50
SHARE = 0.05
"""Of requests that the bucket refuses, and of those whose answer is lost."""


async def assert_all_is_there(stored: Stored, told: Told) -> None:
    """Compare the file with what was acknowledged."""
    document = parse((await stored.file())[0])  # which refuses a movie that is there twice
    lost = []
    for (name, field), value in [*told.written.items(), *told.counted.items()]:
        entry = document.find(name, YEAR)
        found = entry and entry.fields.get(field)
        if found not in (value, told.unanswered.get((name, field), value)):
            lost.append((name, field, value, found))
    assert lost == []


@pytest.mark.parametrize("kind", ["files", "an S3 that fails"])
@pytest.mark.timeout(1800 if IS_SOAK else 120)
async def test_writers_at_three_servers_lose_nothing(kind: str, tmp_path: Path) -> None:
    faults, told = Faults(seed=7), Told()
    with stored_in(kind, tmp_path, faults) as stored:
        async with running_replicas(PROCESSES, stored.env) as (_, _, callers):
            faults.refused_share = faults.lost_share = SHARE
            await asyncio.gather(
                *(
                    update(caller, writers(number, told), UPDATES, seed=number)
                    for number, caller in enumerate(callers)
                )
            )
        await assert_all_is_there(stored, told)
        document = parse((await stored.file())[0])
    assert told.failed == []
    assert len(document.file("").entries) == MOVIES
    assert max(told.created.values()) == 1
    assert told.counted.total() == PROCESSES * (4 * (UPDATES // 2) + UPDATES // 5)
    assert min(told.conflicts.values()) > 0


async def test_what_a_killed_server_acknowledged_is_there(tmp_path: Path) -> None:
    told = Told()
    with stored_in("files", tmp_path, Faults()) as stored:
        async with running_replicas(PROCESSES, stored.env) as (_, processes, callers):
            writing = [
                asyncio.create_task(
                    update(caller, [(rest_writer(told, f"p{n}t{t}"), 1) for t in range(16)], 40, n)
                )
                for n, caller in enumerate(callers)
            ]
            await until(lambda: len(told.written) > 16, 20)
            processes[0].process.kill()
            ended = await asyncio.gather(*writing, return_exceptions=True)
            assert isinstance(ended[0], aiohttp.ClientError)
            assert ended[1:] == [None, None]
        await assert_all_is_there(stored, told)
        async with running_replicas(1, stored.env) as (_, _, (caller,)):
            assert (await caller.put("After", YEAR, {})).status == 201
            assert len((await caller.call("GET", "/api/movies")).json) == MOVIES + 1
    assert told.failed == []


async def test_a_stale_etag_is_refused_with_the_one_there_is_and_not_tried_again() -> None:
    stand_in = StandIn()
    async with standing_in(stand_in) as env, running_replicas(2, env) as (_, _, (one, other)):
        first = await one.put("Heat", 1995, {"genre": "Crime"})
        second = await other.put("Heat", 1995, {"genre": "Drama"}, first.headers["etag"])
        assert (first.status, second.status, stand_in.puts[KEY]) == (201, 200, 2)

        stale = await one.put("Heat", 1995, {"genre": "Lost"}, first.headers["etag"])
        assert (stale.status, stale.json["code"]) == (409, "VERSION_CONFLICT")
        assert stale.headers["etag"] == second.headers["etag"]
        assert stand_in.puts[KEY] == 2

        entry = (await other.upsert("Heat", 1995, {"plot": "A heist."}))["entry"]
        assert (await one.upsert("Heat", 1995, {}, entry["version"]))["errors"] == []
        puts = stand_in.puts[KEY]
        (error,) = (await other.upsert("Heat", 1995, {"plot": "?"}, entry["version"]))["errors"]
        assert error["__typename"] == "VersionConflict"
        assert stand_in.puts[KEY] == puts
        again = await other.upsert("Heat", 1995, {"plot": "!"}, error["currentVersion"])
        assert again["errors"] == []
        (movie,) = (await one.call("GET", "/api/movies")).json
        assert (movie["genre"], movie["plot"]) == ("Drama", "!")


async def test_a_race_for_one_etag_has_one_winner_whatever_the_server() -> None:
    stand_in = StandIn()
    async with standing_in(stand_in) as env, running_replicas(2, env) as (_, _, callers):
        etag = (await callers[0].put("Heat", 1995, {})).headers["etag"]
        replies = await asyncio.gather(
            *(callers[n % 2].put("Heat", 1995, {"by": n}, etag) for n in range(8))
        )
    assert Counter(reply.status for reply in replies) == {200: 1, 409: 7}


async def test_a_server_does_not_start_on_a_store_that_ignores_conditions(tmp_path: Path) -> None:
    async with Simulator() as simulator, standing_in(StandIn(compares=False)) as store_env:
        env = store_env | serve_env(simulator, tmp_path)
        done = await asyncio.to_thread(lambda: ran("serve", "--port", "0", env=env))
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert "The object store ignores If-None-Match" in told
    assert "Use a store with conditional writes" in told
