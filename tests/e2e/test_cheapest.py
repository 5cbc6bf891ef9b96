import asyncio
from collections import Counter
from unittest.mock import Mock

import pytest

from tests.servers import operation, running

CHEAPEST = {
    "tt0076759": ("filmworld", "29.5", "94.0"),
    "tt0080684": ("cinemaworld", "13.5", "1281.5"),
    "tt0086190": ("filmworld", "69.5", "184.0"),
    "tt0120915": ("filmworld", "900.5", "122443.0"),
    "tt0121765": ("cinemaworld", "12.5", "1237.0"),
    "tt0121766": ("cinemaworld", "125.5", "4.4"),
    "tt2488496": ("cinemaworld", "129.5", None),
}
"""By movie: who is cheapest, for how much, and what that saves.

Worked out by hand from the details of both shops as they were captured from the real API
(`movieql/dev/data/*.json`); prices compared as text would be wrong for four of these.
"""


async def test_one_question_gets_every_movie_with_its_cheapest_offer() -> None:
    async with running() as server:
        query = {"query": operation("CheapestMovies")}
        reply = await server.call("GET", "/graphql", params=query)
    movies = reply.data["movies"]
    cheapest = {
        movie["id"]: (
            movie["cheapest"]["offer"]["provider"]["id"],
            movie["cheapest"]["offer"]["price"]["amount"],
            movie["cheapest"]["saving"] and movie["cheapest"]["saving"]["amount"],
        )
        for movie in movies["nodes"]
    }
    assert cheapest == CHEAPEST
    assert all(movie["cheapest"]["final"] for movie in movies["nodes"])
    assert (movies["totalCount"], movies["complete"]) == (7, True)
    assert [source["status"] for source in movies["sources"]] == ["OK", "OK"]


async def test_pages_put_together_are_the_whole_list_in_its_order() -> None:
    async with running() as server:
        whole = (await server.ask(operation("CheapestMovies"))).data["movies"]["nodes"]
        assert [movie["year"] for movie in whole] == sorted(movie["year"] for movie in whole)
        seen, after, more = [], None, True
        while more:
            page = await server.ask(operation("CheapestMovies"), {"first": 3, "after": after})
            seen += page.data["movies"]["nodes"]
            more = page.data["movies"]["pageInfo"]["hasNextPage"]
            after = page.data["movies"]["pageInfo"]["endCursor"]
        assert seen == whole


async def test_200_equal_questions_at_once_cost_one_call_each() -> None:
    # Time that a busy machine cannot use up: this counts calls, not seconds.
    async with running({"budget_s": 60, "attempt_timeout_s": 60, "fresh_s": 600}) as server:
        questions = (server.ask(operation("CheapestMovies")) for _ in range(200))
        replies = await asyncio.gather(*questions)
        assert {reply.text for reply in replies if not reply.data["movies"]["complete"]} == set()
        assert {len(reply.data["movies"]["nodes"]) for reply in replies} == {7}
        calls = server.simulator.calls
        assert set(calls.values()) == {1}
        endpoints = Counter((provider, endpoint) for provider, endpoint, _ in calls)
        assert endpoints == {
            ("cinemaworld", "list"): 1,
            ("filmworld", "list"): 1,
            ("cinemaworld", "detail"): 7,
            ("filmworld", "detail"): 6,
        }


QUICKLY_OLD = {"fresh_s": 0.05, "fresh_jitter": 0, "stale_while_refresh_s": 0.05}
PRICES = "{ movies { nodes { id title offers { price { amount } } } } }"


async def test_a_refresh_that_brings_the_same_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matching = Mock()
    async with running(QUICKLY_OLD) as server:
        first = (await server.ask(PRICES)).data
        services, calls = server.services, server.simulator.calls
        revision = services.revision.number
        monkeypatch.setattr("movieql.movies.snapshot.match_listings", matching)
        async with asyncio.timeout(20):
            while min(calls.values()) < 4:  # lists and details alike
                assert (await server.ask(PRICES)).data == first
        assert services.revision.number == revision
    matching.assert_not_called()


async def test_a_refresh_that_brings_another_price_is_told_and_counted() -> None:
    async with running(QUICKLY_OLD) as server:
        await server.ask(operation("CheapestMovies"))
        revision = server.services.revision.number
        server.simulator.change("cinemaworld", "cw0076759", Price="1.25")
        amount = None
        async with asyncio.timeout(20):
            while amount != "1.25":
                reply = await server.ask(
                    '{ movie(id: "tt0076759") { cheapest { offer { price { amount } } } } }'
                )
                amount = reply.data["movie"]["cheapest"]["offer"]["price"]["amount"]
        assert server.services.revision.number > revision
