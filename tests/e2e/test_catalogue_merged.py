"""The house catalogue among the shops: seen on every server at once, and missed by nobody."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.catalogue_callers import Caller, Stored, running_replicas, stored_in
from tests.e2e.stand_in import StandIn, standing_in
from tests.object_store import Faults
from tests.servers import Reply, operation, running

SEEN_S = 1.0
"""Within this a write is seen on every server that is asked."""

ASK_EACH_S = 0.02

PATIENCE_S = 0.5
"""Longest wait of a question for the catalogue's file: MOVIEQL_CATALOGUE_PATIENCE_S."""

SLACK_S = 0.25
"""What a busy machine may take besides."""

STAR_WARS = ("Star Wars: Episode IV - A New Hope", 1977)
SHOPS_OWN = {"cinemaworld": "cw0076759", "filmworld": "fw0076759"}

MERGED = """{
  movies(first: 200) {
    complete
    nodes {
      title plot
      offers { provider { id } price { amount } }
      cheapest { final offer { price { amount } } }
      catalogueEntry { name }
    }
    sources { provider { id } status error { code message } }
  }
}"""

SHORT_LIVES = {
    "MOVIEQL_FRESH_S": "1",
    "MOVIEQL_FRESH_JITTER": "0",
    "MOVIEQL_STALE_WHILE_REFRESH_S": "1",
    "MOVIEQL_CATALOGUE_WAIT_S": "2",
}
"""What the house said gets old soon, and writers who wait for the store are told so soon."""


async def merged(caller: Caller) -> dict[str, Any]:
    """Return the movies by title."""
    page = (await caller.ask(MERGED)).data["movies"]
    return {movie["title"]: movie for movie in page["nodes"]}


def has_plot(title: str, plot: str, seen: dict[str, Any]) -> bool:
    return bool(seen[title]["plot"] == plot)


async def seconds_until(caller: Caller, shown: Callable[[dict[str, Any]], bool]) -> float:
    """Ask again and again; return the seconds until the answer is as wanted."""
    began_s = time.monotonic()
    async with asyncio.timeout(20):
        while not shown(await merged(caller)):  # noqa: ASYNC110  # another process has no event
            await asyncio.sleep(ASK_EACH_S)
    return time.monotonic() - began_s


async def assert_seen_soon(callers: list[Caller], shown: Callable[[dict[str, Any]], bool]) -> None:
    waited_s = await asyncio.gather(*(seconds_until(caller, shown) for caller in callers))
    assert max(waited_s) < SEEN_S


async def test_a_write_is_merged_on_every_server_within_a_second(tmp_path: Path) -> None:
    with stored_in("files", tmp_path, Faults()) as stored:
        async with running_replicas(3, stored.env) as (simulator, _, callers):
            for shop, own_id in SHOPS_OWN.items():
                simulator.change(shop, own_id, Plot="N/A")
            title, year = STAR_WARS
            before = (await asyncio.gather(*map(merged, callers)))[0][title]
            assert before["plot"] is None
            assert len(before["offers"]) == 2

            for plot in ("A farm boy leaves home.", "Droids are followed."):
                assert (await callers[0].put(title, year, {"plot": plot})).status < 300
                await assert_seen_soon(callers, partial(has_plot, title, plot))
            star_wars = (await merged(callers[1]))[title]
            assert star_wars["offers"] == before["offers"]
            assert star_wars["cheapest"] == before["cheapest"]

            for _ in range(3):
                assert (await callers[0].put("Heat", 1995, {"genre": "Crime"})).status == 201
                await assert_seen_soon(callers, lambda seen: "Heat" in seen)
                heat = (await merged(callers[2]))["Heat"]
                assert (heat["offers"], heat["catalogueEntry"]) == ([], {"name": "Heat"})
                assert heat["cheapest"]["offer"] is None
                assert (await callers[0].delete("Heat", 1995)).status == 204
                await assert_seen_soon(callers, lambda seen: "Heat" not in seen)

            assert (await callers[0].delete(title, year)).status == 204
            await assert_seen_soon(callers, lambda seen: seen[title] == before)


async def test_who_wrote_sees_it_in_the_next_answer(tmp_path: Path) -> None:
    with stored_in("files", tmp_path, Faults()) as stored:
        async with running_replicas(1, stored.env) as (_, _, (caller,)):
            for number in range(10):
                await caller.put("Heat", 1995, {"plot": str(number)})
                assert (await merged(caller))["Heat"]["plot"] == str(number)
            await caller.delete("Heat", 1995)
            assert "Heat" not in await merged(caller)


@contextmanager
def store_down(stored: Stored, faults: Faults) -> Iterator[None]:
    """Let a store answer nothing until the block ends: not a folder any more, or not reached."""
    faults.down = True
    away = None
    if stored.folder is not None:
        away = stored.folder.with_name("away")
        if stored.folder.exists():
            stored.folder.rename(away)
        stored.folder.touch()
    try:
        yield
    finally:
        faults.down = False
        if away is not None and stored.folder is not None:
            stored.folder.unlink()
            if away.exists():
                away.rename(stored.folder)


def source(reply: Reply, provider: str = "house") -> Any:
    reports = {each["provider"]["id"]: each for each in reply.data["movies"]["sources"]}
    return reports[provider]


async def until_house_is(caller: Caller, *statuses: str) -> Reply:
    async with asyncio.timeout(20):
        while True:
            reply = await caller.ask(operation("CheapestMovies"))
            if source(reply)["status"] in statuses:
                return reply
            await asyncio.sleep(ASK_EACH_S)


def prices(reply: Reply) -> list[Any]:
    """Return the movies that shops sell, with everything but times and ports."""
    movies = [movie for movie in reply.data["movies"]["nodes"] if movie["offers"]]
    for movie in movies:
        del movie["cheapest"]["offer"]["asOf"], movie["poster"]
    return movies


async def without_a_house() -> list[Any]:
    async with running() as server:
        return prices(await server.ask(operation("CheapestMovies")))


async def assert_unavailable(caller: Caller) -> None:
    refused = await caller.put("Heat", 1995, {"genre": "Lost"})
    assert (refused.status, refused.json["code"]) == (503, "UNAVAILABLE")
    assert refused.headers["retry-after"] == "1"
    assert (await caller.call("GET", "/api/movies")).status == 503
    (error,) = (await caller.upsert("Heat", 1995, {"plot": "Lost"}))["errors"]
    assert error["__typename"] == "CatalogueUnavailable"
    assert error["retryable"] is True


KINDS = pytest.mark.parametrize("kind", ["files", "S3"])


@KINDS
async def test_prices_are_whole_while_the_store_is_down_and_all_heals(
    kind: str, tmp_path: Path
) -> None:
    expected, faults = await without_a_house(), Faults()
    with stored_in(kind, tmp_path / "store", faults) as stored:
        async with running_replicas(1, stored.env | SHORT_LIVES) as (_, _, (caller,)):
            await caller.put("Alien", 1979, {"plot": "In space."})
            well = await until_house_is(caller, "OK")
            assert prices(well) == expected
            assert well.data["movies"]["complete"] is True
            with store_down(stored, faults):
                down = await until_house_is(caller, "STALE")
                assert prices(down) == expected
                assert source(down)["error"]["code"] == "UNAVAILABLE"
                assert down.data["movies"]["complete"] is False
                assert "Alien" in await merged(caller)
                for shop in ("cinemaworld", "filmworld"):
                    assert source(down, shop)["status"] == "OK"
                assert "house=stale" in down.headers["x-movieql-sources"]
                await assert_unavailable(caller)
            healed = await until_house_is(caller, "OK")
            assert prices(healed) == expected
            assert (await caller.put("Heat", 1995, {"genre": "Crime"})).status == 201
            assert {"Alien", "Heat"} <= (await merged(caller)).keys()


@KINDS
async def test_a_server_that_started_while_the_store_was_down_serves_prices_and_heals(
    kind: str, tmp_path: Path
) -> None:
    expected, faults = await without_a_house(), Faults()
    with stored_in(kind, tmp_path / "store", faults) as stored:
        async with AsyncExitStack() as stack:
            with store_down(stored, faults):
                servers = running_replicas(1, stored.env | SHORT_LIVES)
                _, _, (caller,) = await stack.enter_async_context(servers)
                reply = await until_house_is(caller, "FAILED")
                assert prices(reply) == expected
                assert source(reply)["error"]["code"] == "UNAVAILABLE"
                assert "house=unavailable" in reply.headers["x-movieql-sources"]
                await assert_unavailable(caller)
            assert (await caller.put("Heat", 1995, {"genre": "Crime"})).status == 201
            assert "Heat" in await merged(caller)
            await until_house_is(caller, "OK")


async def test_a_store_that_hangs_keeps_no_question_waiting_for_long() -> None:
    stand_in = StandIn()
    statuses: set[str] = set()
    waited_s: list[float] = []
    async with (
        standing_in(stand_in) as env,
        running_replicas(1, env | SHORT_LIVES) as (_, _, (caller,)),
    ):
        await caller.put("Heat", 1995, {"plot": "A heist."})
        await until_house_is(caller, "OK")
        stand_in.answers.clear()
        async with asyncio.timeout(20):
            while len(statuses) < 2 or len(waited_s) < 100:
                reply = await caller.ask(operation("CheapestMovies"))
                statuses.add(source(reply)["status"])
                waited_s.append(reply.elapsed_s)
                await asyncio.sleep(ASK_EACH_S)
        refused = await caller.put("Heat", 1995, {"plot": "Lost."})
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert refused.json["error"] == "The object store does not answer: nothing was written."
        stand_in.answers.set()
        await until_house_is(caller, "OK")
        assert (await merged(caller))["Heat"]["plot"] == "A heist."
        assert (await caller.put("Heat", 1995, {"plot": "Two."})).status == 200
    assert statuses == {"OK", "STALE"}
    assert max(waited_s) < PATIENCE_S + SLACK_S
    assert sum(each > PATIENCE_S / 2 for each in waited_s) <= 2  # not each of them anew
