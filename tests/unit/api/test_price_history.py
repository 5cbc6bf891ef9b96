from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import get_operation_ast, parse

from movieql.api.execution import PASSING, is_independent
from movieql.api.limits import OperationLimits
from movieql.domain.movies import ListingKey
from movieql.services.price_history import PricePoint
from tests.unit.api.asking import CORE_SCHEMA, cost_of
from tests.unit.api.exporting import ExportingApi, exporting

HISTORY = """query History($since: DateTime) { movie(id: "tt0076759") {
    lowestIn30Days { at price { amount currency } provider { id } providerMovieId }
    priceHistory(since: $since) { at price { amount } provider { id } }
} }"""

AMOUNTS = '{ movie(id: "tt0076759") { id priceHistory { price { amount } } } }'


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ExportingApi]:
    async with exporting(tmp_path / "store") as opened:
        yield opened


def amounts(movie: Any) -> list[str]:
    return [each["price"]["amount"] for each in movie["priceHistory"]]


async def test_a_movie_tells_what_it_cost_before(api: ExportingApi) -> None:
    await api.see_prices("first", "29.5", "19.5", "24.5")
    movie = await api.data(HISTORY)
    assert amounts(movie) == ["29.5", "19.5", "24.5"]
    assert movie["priceHistory"][1] == {
        "at": "2026-01-01T01:00:00+00:00",
        "price": {"amount": "19.5"},
        "provider": {"id": "filmworld"},
    }
    assert movie["lowestIn30Days"] == {
        "at": "2026-01-01T01:00:00+00:00",
        "price": {"amount": "19.5", "currency": "AUD"},
        "provider": {"id": "filmworld"},
        "providerMovieId": "fw0076759",
    }


@pytest.mark.parametrize(
    "since, shown",
    [
        ("2026-01-01T01:30:00Z", ["19.5", "24.5"]),
        ("2026-01-01T03:30:00+01:00", ["24.5"]),
        ("0001-01-01T00:00:00Z", ["29.5", "19.5", "24.5"]),
        (None, ["29.5", "19.5", "24.5"]),
    ],
)
async def test_the_price_that_held_then_comes_first(
    api: ExportingApi, since: str | None, shown: list[str]
) -> None:
    await api.see_prices("first", "29.5", "19.5", "24.5")
    assert amounts(await api.data(HISTORY, {"since": since})) == shown


async def test_a_time_without_an_offset_is_refused(api: ExportingApi) -> None:
    body = await api.ask(HISTORY, {"since": "2026-01-01T00:00:00"})
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_server_that_keeps_no_history_has_none(api: ExportingApi) -> None:
    api.history = None  # type: ignore[assignment]  # as on a server without a store
    movie = await api.data(HISTORY)
    assert movie == {"lowestIn30Days": None, "priceHistory": []}


async def test_prices_of_a_provider_that_was_left_out_are_too(api: ExportingApi) -> None:
    await api.see_prices("first", "29.5")
    query = (
        '{ movies(filter: {providers: ["cinemaworld"]}) '
        "{ nodes { priceHistory { at } lowestIn30Days { at } } } }"
    )
    (movie,) = (await api.data(query))["nodes"]
    assert movie == {"priceHistory": [], "lowestIn30Days": None}


class ManyPoints:
    """A history with as many points as one likes."""

    def __init__(self, api: ExportingApi, count: int) -> None:
        start = api.clock.now()
        self._points = [
            PricePoint(start + timedelta(hours=hour), "filmworld", "fw0076759", hour)  # type: ignore[arg-type]  # a number all the same
            for hour in range(count)
        ]

    def points(self, keys: list[ListingKey], since: object) -> list[PricePoint]:
        assert ("filmworld", "fw0076759") in keys
        assert since is None
        return self._points


async def test_of_many_prices_the_latest_are_shown(api: ExportingApi) -> None:
    api.history = ManyPoints(api, 60)  # type: ignore[assignment]  # in its place
    assert amounts(await api.data(AMOUNTS)) == [str(number) for number in range(10, 60)]


def test_a_history_costs_what_it_may_have() -> None:
    assert cost_of(AMOUNTS, limits=OperationLimits(history_points=20)) == 1 + 20 * 2


# What is kept


async def test_a_history_that_grows_is_shown_although_the_movie_is_kept(
    api: ExportingApi,
) -> None:
    kept = '{ movie(id: "tt0076759") { id title } }'
    await api.data(kept)
    await api.see_prices("first", "29.5")
    assert amounts(await api.data(AMOUNTS)) == ["29.5"]
    await api.see_prices("second", "17.5")
    assert amounts(await api.data(AMOUNTS)) == ["29.5", "17.5"]
    assert len(api.kept._kept) == 1  # noqa: SLF001  # the one without a history


@pytest.mark.parametrize(
    "query",
    [
        "{ movies { nodes { priceHistory { at } } } }",
        "{ movies { nodes { a: lowestIn30Days { at } } } }",
        "{ movies { nodes { ...A } } } fragment A on Movie { ... { priceHistory { at } } }",
    ],
)
def test_a_selection_with_a_history_is_not_kept(query: str) -> None:
    document = parse(query)
    operation = get_operation_ast(document, None)
    assert operation is not None
    assert not is_independent(document, operation)


def test_every_field_that_reads_the_history_is_known_to_pass() -> None:
    movie = CORE_SCHEMA.type_map["Movie"]
    fields = getattr(movie, "fields", {})
    assert {name for name, each in fields.items() if "PricePoint" in str(each.type)} == PASSING


async def test_a_whole_answer_is_kept_as_long_as_its_prices_are_fresh(api: ExportingApi) -> None:
    facts = (await api.run(AMOUNTS)).facts
    assert facts.complete
    assert facts.fresh_until_s <= 60
