"""filmworld fails in every way there is, and the answer stays in time, whole and honest."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from movieql.dev.faults import Mode, Pace
from tests.servers import Reply, Stack, operation, running, until

BUDGET_S = 2.5
SLACK_S = 0.25
"""What an answer may take beyond the budget."""

QUESTION = operation("CheapestMovies").replace(
    "      offers {", "      offers {\n        asOf\n        providerMovieId"
)
"""The operation that people use, with a little more of each offer."""

SHORT_LIVES = {
    "fresh_s": 0.2,
    "fresh_jitter": 0,
    "stale_while_refresh_s": 0.2,
    "renew_share": 1,
}
"""Old after 0.2 s, not refreshed ahead, and then a question waits for the refresh."""

FAULTS: dict[Mode, str] = {
    Mode.REFUSE: "UNAVAILABLE",
    Mode.HANG: "TIMEOUT",
    Mode.DRIP: "TIMEOUT",
    Mode.HTTP_500: "UNAVAILABLE",
    Mode.HTTP_503: "UNAVAILABLE",
    Mode.HTTP_429: "RATE_LIMITED",
    Mode.HTTP_403: "UNAUTHORIZED",
    Mode.HTML: "BAD_RESPONSE",
    Mode.TRUNCATED: "BAD_RESPONSE",
    Mode.EMPTY: "BAD_RESPONSE",
    Mode.WRONG_SHAPE: "BAD_RESPONSE",
    Mode.RESET: "UNAVAILABLE",
    Mode.HUGE: "BAD_RESPONSE",
}
"""What is told of a shop in each mode, but for bad prices: there the list is well."""

ONLY_AT_CINEMAWORLD = {"tt2488496"}


@dataclass(frozen=True)
class Answer:
    """An answer to `QUESTION`, by its parts."""

    reply: Reply

    @property
    def page(self) -> Any:
        """Return the connection; there must be no errors."""
        assert self.reply.status == 200
        return self.reply.data["movies"]

    @property
    def movies(self) -> dict[str, Any]:
        """Return the movies by id."""
        return {movie["id"]: movie for movie in self.page["nodes"]}

    def source(self, provider: str) -> Any:
        """Return the report of a provider; there must be one for each."""
        reports = {report["provider"]["id"]: report for report in self.page["sources"]}
        assert reports.keys() == {"cinemaworld", "filmworld"}
        assert len(self.page["sources"]) == 2
        return reports[provider]

    def offers(self, provider: str) -> dict[str, Any]:
        """Return a provider's offers by movie."""
        return {
            movie_id: offer
            for movie_id, movie in self.movies.items()
            for offer in movie["offers"]
            if offer["provider"]["id"] == provider
        }

    @property
    def titles(self) -> dict[str, tuple[str, int]]:
        """Return what the movies are called."""
        return {
            movie_id: (movie["title"], movie["year"]) for movie_id, movie in self.movies.items()
        }

    @property
    def final(self) -> set[str]:
        """Return the movies whose cheapest price is certain."""
        return {movie_id for movie_id, movie in self.movies.items() if movie["cheapest"]["final"]}


async def asked(server: Stack) -> Answer:
    return Answer(await server.ask(QUESTION))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def healthy() -> Answer:
    """Return what the server answers when nothing is wrong."""
    async with running() as server:
        answer = await asked(server)
        assert answer.page["complete"]
        return answer


async def warmed(server: Stack) -> Answer:
    """Let a healthy question through, wait until what it brought is old, and return it."""
    answer = await asked(server)
    assert answer.page["complete"]
    keys = [
        (provider, offer["providerMovieId"])
        for provider in server.simulator.catalogues
        for offer in answer.offers(provider).values()
    ]
    # The lists came before the details, so they are old too.
    await until(lambda: not server.services.browse.kept_details(keys))
    return answer


def assert_in_time(answer: Answer) -> None:
    assert answer.reply.elapsed_s < BUDGET_S + SLACK_S


def without_times(offers: dict[str, Any]) -> dict[str, Any]:
    return {movie_id: offer | {"asOf": None} for movie_id, offer in offers.items()}


def assert_cinemaworld_untouched(answer: Answer, healthy: Answer) -> None:
    assert answer.source("cinemaworld")["status"] == "OK"
    assert answer.source("cinemaworld")["error"] is None
    assert without_times(answer.offers("cinemaworld")) == without_times(
        healthy.offers("cinemaworld")
    )
    assert answer.page["totalCount"] == 7
    assert answer.titles == healthy.titles


@pytest.mark.parametrize("mode", FAULTS)
async def test_a_shop_that_fails_cold_is_named_and_leaves_no_price_certain(
    mode: Mode, healthy: Answer
) -> None:
    async with running() as server:
        await server.simulator.turn("filmworld", mode)
        answer = await asked(server)
    assert_in_time(answer)
    assert_cinemaworld_untouched(answer, healthy)
    source = answer.source("filmworld")
    assert (source["status"], source["error"]["code"]) == ("FAILED", FAULTS[mode])
    assert source["asOf"] is None
    assert answer.offers("filmworld") == {}
    assert answer.final == set()
    assert answer.page["complete"] is False


@pytest.mark.parametrize("mode", FAULTS)
async def test_a_shop_that_fails_warm_is_served_from_what_it_last_said(
    mode: Mode, healthy: Answer
) -> None:
    async with running(SHORT_LIVES) as server:
        before = await warmed(server)
        await server.simulator.turn("filmworld", mode)
        answer = await asked(server)
    assert_in_time(answer)
    assert_cinemaworld_untouched(answer, healthy)
    source = answer.source("filmworld")
    assert (source["status"], source["error"]["code"]) == ("STALE", FAULTS[mode])
    assert source["asOf"] == before.source("filmworld")["asOf"]
    assert_last_prices_of_filmworld(answer, before)
    assert answer.final == set()
    assert answer.page["complete"] is False


async def test_bad_prices_cold_are_no_prices_and_the_shop_is_well(healthy: Answer) -> None:
    async with running() as server:
        await server.simulator.turn("filmworld", "bad-prices")
        answer = await asked(server)
    assert_in_time(answer)
    assert_cinemaworld_untouched(answer, healthy)
    assert answer.source("filmworld")["status"] == "OK"
    assert answer.source("filmworld")["error"] is None
    offers = answer.offers("filmworld")
    assert offers.keys() == healthy.offers("filmworld").keys()
    assert {offer["price"] for offer in offers.values()} == {None}
    assert {offer["error"]["code"] for offer in offers.values()} == {"BAD_RESPONSE"}
    assert answer.final == ONLY_AT_CINEMAWORLD


async def test_bad_prices_warm_do_not_replace_good_ones(healthy: Answer) -> None:
    async with running(SHORT_LIVES) as server:
        before = await warmed(server)
        await server.simulator.turn("filmworld", "bad-prices")
        answer = await asked(server)
    assert_in_time(answer)
    assert_cinemaworld_untouched(answer, healthy)
    source = answer.source("filmworld")
    assert (source["status"], source["error"]["code"]) == ("STALE", "BAD_RESPONSE")
    assert_last_prices_of_filmworld(answer, before)
    assert answer.final == ONLY_AT_CINEMAWORLD


def assert_last_prices_of_filmworld(answer: Answer, before: Answer) -> None:
    offers, good = answer.offers("filmworld"), before.offers("filmworld")
    assert offers.keys() == good.keys()
    for movie_id, offer in offers.items():
        assert offer["price"] == good[movie_id]["price"]
        assert offer["asOf"] == good[movie_id]["asOf"]
        assert offer["stale"]
        assert offer["error"]
    for movie_id, movie in answer.movies.items():
        cheapest = movie["cheapest"]["offer"]
        assert cheapest["price"] == before.movies[movie_id]["cheapest"]["offer"]["price"]
        assert cheapest["stale"] is (cheapest["provider"]["id"] == "filmworld")


DETAIL_FAULTS = {mode: code for mode, code in FAULTS.items() if mode != "refuse"}


@pytest.mark.parametrize("mode", DETAIL_FAULTS)
async def test_a_shop_whose_details_fail_still_lists_its_movies(
    mode: Mode, healthy: Answer
) -> None:
    async with running() as server:
        await server.simulator.turn("filmworld", mode, "detail")
        answer = await asked(server)
    assert_in_time(answer)
    assert_cinemaworld_untouched(answer, healthy)
    source = answer.source("filmworld")
    assert (source["status"], source["error"]["code"]) == ("FAILED", DETAIL_FAULTS[mode])
    offers = answer.offers("filmworld")
    assert offers.keys() == healthy.offers("filmworld").keys()
    assert {offer["price"] for offer in offers.values()} == {None}
    assert all(offer["error"] for offer in offers.values())
    assert answer.final == ONLY_AT_CINEMAWORLD


async def test_both_shops_down_are_two_reports_and_no_error() -> None:
    async with running() as server:
        for provider in ("cinemaworld", "filmworld"):
            await server.simulator.turn(provider, "refuse")
        answer = await asked(server)
    assert_in_time(answer)
    assert answer.page["nodes"] == []
    assert (answer.page["totalCount"], answer.page["complete"]) == (0, False)
    assert [source["status"] for source in answer.page["sources"]] == ["FAILED", "FAILED"]


async def test_an_outage_is_not_a_movie_that_does_not_exist() -> None:
    query = '{ movie(id: "tt9999999") { id title sources { status } } }'
    async with running(SHORT_LIVES) as server:
        assert (await server.ask(query)).data == {"movie": None}
        await server.simulator.turn("filmworld", "503")

        async def met_the_outage() -> dict[str, object] | None:
            movie: dict[str, object] | None = (await server.ask(query)).data["movie"]
            return movie

        async with asyncio.timeout(10):
            while (movie := await met_the_outage()) is None:
                pass
    assert (movie["id"], movie["title"]) == ("tt9999999", None)
    assert movie["sources"] == [{"status": "OK"}, {"status": "STALE"}]


async def test_the_budget_covers_the_list_and_the_details_together(healthy: Answer) -> None:
    async with running(pace=Pace(latency_s=1.1)) as server:
        await server.simulator.turn("filmworld", "hang", "detail")
        answer = await asked(server)
    assert_in_time(answer)
    assert_cinemaworld_untouched(answer, healthy)
    assert answer.source("filmworld")["status"] == "PENDING"  # its details were asked for late


async def test_who_does_not_wait_is_answered_at_once_and_finds_the_rest_later() -> None:
    query = """query Impatient($maxWaitMs: Int) {
        movies(maxWaitMs: $maxWaitMs) {
            complete
            nodes { id offers { price { amount } error { code } } }
            sources { status error { code } detailsKnown detailsExpected }
        }
    }"""
    async with running(pace=Pace(latency_s=0.3)) as server:
        first = await server.ask(query, {"maxWaitMs": 0})
        assert first.elapsed_s < SLACK_S
        assert first.headers["cache-control"] == "no-store"
        assert first.headers["x-movieql-sources"] == "cinemaworld=pending, filmworld=pending"
        nothing = {"error": None, "detailsKnown": None, "detailsExpected": None}
        pending = [{"status": "PENDING", **nothing}] * 2
        assert first.data["movies"] == {"complete": False, "nodes": [], "sources": pending}
        async with asyncio.timeout(20):
            while True:
                last = (await server.ask(query, {"maxWaitMs": 0})).data["movies"]
                assert not [
                    each for movie in last["nodes"] for each in movie["offers"] if each["error"]
                ]
                if last["complete"]:
                    break
                await asyncio.sleep(0.1)  # as a page does
    assert len(last["nodes"]) == 7
    assert all(offer["price"] for movie in last["nodes"] for offer in movie["offers"])
    read = {"status": "OK", "error": None, "detailsKnown": 7, "detailsExpected": 7}
    assert last["sources"] == [read, {**read, "detailsKnown": 6, "detailsExpected": 6}]


async def test_what_comes_too_late_for_one_question_serves_the_next() -> None:
    async with running(pace=Pace(slow_s=1.8)) as server:
        await server.simulator.turn("filmworld", "slow")
        first = await asked(server)
        assert not first.page["complete"]
        async with asyncio.timeout(20):
            while not (answer := await asked(server)).page["complete"]:
                assert_in_time(answer)
    assert len(answer.final) == 7


async def test_a_shop_that_heals_is_certain_again() -> None:
    async with running(SHORT_LIVES) as server:
        await server.simulator.turn("filmworld", "403")
        assert (await asked(server)).final == set()
        await server.simulator.heal()
        async with asyncio.timeout(20):
            while not (answer := await asked(server)).page["complete"]:
                pass
    assert len(answer.final) == 7
