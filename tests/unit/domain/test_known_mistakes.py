"""What customers of other comparers of the same two shops saw, and must not see here.

Numbers as in the survey of public solutions: 1 prices compared as text, 2 matched by title only,
3 one shop takes the page down, 4 inner join, 5 failure kept as data, 9 wrong shape assumed,
10 missing price and stale winner, 11 invented facts, 15 one breaker for all, 16 false 404.
"""

from decimal import Decimal
from typing import Any

import pytest

from movieql.domain.merge import Evidence, shell
from movieql.domain.movies import (
    Answer,
    Description,
    Movie,
    MovieOrder,
    Row,
    SourceErrorCode,
    SourceStatus,
    failed,
    is_complete,
    usable_amount,
)
from tests.builders import fresh, row, shop
from tests.unit.domain.worlds import World, stale

SHOPS = (shop("cinemaworld", priority=1), shop("filmworld", priority=2))
TIMEOUT = failed(SourceErrorCode.TIMEOUT, "Not in time.")


def movies(
    shelves: dict[str, Answer],
    *details: Row,
    order: MovieOrder = MovieOrder(),
    **answers: Answer,
) -> dict[str, Movie]:
    """Merge what both shops list with the details that came, found by their ids."""
    keys = {"cw": "cinemaworld", "fw": "filmworld"}
    came = {each.provider_movie_id: fresh(each) for each in details} | answers
    return World(
        SHOPS, shelves, {(keys[own_id[:2]], own_id): answer for own_id, answer in came.items()}
    ).movies(order)


def both(**described: Any) -> dict[str, Answer]:
    return {
        "cinemaworld": fresh(row("cw0080684", **described)),
        "filmworld": fresh(row("fw0080684", **described)),
    }


def cheapest(movie: Movie) -> tuple[str, str] | None:
    offer = movie.cheapest.offer
    if offer is None or offer.price is None:
        return None
    return (offer.provider, str(offer.price.amount))


def test_1_customers_were_sent_to_the_shop_that_asks_1295_instead_of_13_50() -> None:
    found = movies(both(), row("cw0080684", price="13.5"), row("fw0080684", price="1295.0"))
    assert cheapest(found["tt0080684"]) == ("cinemaworld", "13.5")
    found = movies(both(), row("cw0080684", price="123.5"), row("fw0080684", price="29.5"))
    assert cheapest(found["tt0080684"]) == ("filmworld", "29.5")


def test_1_customers_who_sorted_by_price_saw_1295_before_13_50_or_the_dearest_first() -> None:
    prices = {"cw1": "1295.0", "cw2": "13.5", "cw3": "129.5"}
    found = movies(
        {
            "cinemaworld": fresh(*(row(own_id, title=own_id) for own_id in prices)),
            "filmworld": fresh(),
        },
        *(row(own_id, price=price) for own_id, price in prices.items()),
        order=MovieOrder("price"),
    )
    assert [cheapest(each) for each in found.values()] == [
        ("cinemaworld", "13.5"),
        ("cinemaworld", "129.5"),
        ("cinemaworld", "1295.0"),
    ]


def test_2_customers_were_offered_the_remake_at_the_price_of_the_original() -> None:
    shops = tuple(shop(each, imdb_ids=False) for each in ("cinemaworld", "filmworld"))
    shelves = {
        "cinemaworld": fresh(row("a", title="Dune", year=1984)),
        "filmworld": fresh(row("b", title="Dune", year=2021)),
    }
    found = World(shops, shelves, {}).movies()
    assert {key: len(movie.offers) for key, movie in found.items()} == {
        "dune_1984": 1,
        "dune_2021": 1,
    }


def test_2_customers_saw_the_force_awakens_twice_because_shops_name_it_differently() -> None:
    shelves = {
        "cinemaworld": fresh(row("cw2488496", title="Star Wars: The Force Awakens", year=2015)),
        "filmworld": fresh(row("fw2488496", title="Episode VII - The Force Awakens")),
    }
    found = movies(shelves)
    assert len(found) == 1
    assert len(found["tt2488496"].offers) == 2


@pytest.mark.parametrize("down", ["cinemaworld", "filmworld"])
def test_3_customers_saw_nothing_at_all_because_one_shop_was_down(down: str) -> None:
    (movie,) = movies(
        both() | {down: TIMEOUT}, row("cw0080684", price="13.5"), row("fw0080684", price="1295.0")
    ).values()
    assert cheapest(movie) is not None
    assert movie.title == "Star Wars"
    assert not movie.cheapest.final


def test_4_customers_never_saw_the_force_awakens_because_only_one_shop_sells_it() -> None:
    shelves = {
        "cinemaworld": fresh(row("cw0080684"), row("cw2488496", title="The Force Awakens")),
        "filmworld": fresh(row("fw0080684")),
    }
    found = movies(
        shelves,
        row("cw0080684", price="13.5"),
        row("fw0080684", price="1295.0"),
        row("cw2488496", price="129.5"),
    )
    assert cheapest(found["tt2488496"]) == ("cinemaworld", "129.5")
    assert found["tt2488496"].cheapest.final


def test_5_customers_saw_a_movie_without_price_for_ten_minutes_after_one_failed_call() -> None:
    kept = stale(row("fw0080684", price="29.5"))
    (movie,) = movies(both(), row("cw0080684", price="123.5"), fw0080684=kept).values()
    assert cheapest(movie) == ("filmworld", "29.5")
    assert movie.sources[1].status is SourceStatus.STALE


def test_5_customers_were_told_a_shop_has_no_such_movie_when_its_call_had_failed() -> None:
    errors = []
    for detail in (TIMEOUT, fresh()):
        (movie,) = movies(both(), row("cw0080684", price="123.5"), fw0080684=detail).values()
        assert movie.offers[1].error is not None
        errors.append((movie.offers[1].error.code, movie.sources[1].status))
    assert errors == [
        (SourceErrorCode.TIMEOUT, SourceStatus.FAILED),
        (SourceErrorCode.BAD_RESPONSE, SourceStatus.OK),
    ]


@pytest.mark.parametrize("sent", ["24.7", Decimal("24.7")])
def test_9_customers_saw_an_error_because_the_price_came_as_text(sent: object) -> None:
    assert usable_amount(sent) == Decimal("24.7")


def test_10_customers_were_sent_to_the_shop_that_had_no_price() -> None:
    for missing in ("", "N/A", "0", None, -1, "NaN"):
        assert usable_amount(missing) is None
    found = movies(both(), row("cw0080684", price=None), row("fw0080684", price="1295.0"))
    assert cheapest(found["tt0080684"]) == ("filmworld", "1295.0")
    assert not found["tt0080684"].cheapest.final


def test_10_customers_saw_no_price_because_the_other_shop_had_none() -> None:
    found = movies(both(), row("cw0080684", price="13.5"), row("fw0080684", price=None))
    assert cheapest(found["tt0080684"]) == ("cinemaworld", "13.5")


def test_10_customers_were_sent_to_the_shop_that_was_the_cheapest_yesterday() -> None:
    dearer = movies(both(), row("cw0080684", price="13.5"), row("fw0080684", price="29.5"))
    assert cheapest(dearer["tt0080684"]) == ("cinemaworld", "13.5")
    cheaper = movies(both(), row("cw0080684", price="99.0"), row("fw0080684", price="29.5"))
    assert cheapest(cheaper["tt0080684"]) == ("filmworld", "29.5")


def test_11_customers_saw_twice_the_votes_and_an_average_that_nobody_gave() -> None:
    found = movies(
        both(),
        row("cw0080684", votes=915_459, rating=Decimal("8.7"), metascore=92),
        row("fw0080684", votes=915_461, rating=Decimal("8.1"), metascore=90),
    )
    movie = found["tt0080684"]
    assert (movie.votes, movie.rating, movie.metascore) == (915_459, Decimal("8.7"), 92)


def test_15_customers_lost_filmworld_because_cinemaworld_had_failed_too_often() -> None:
    broken = failed(SourceErrorCode.CIRCUIT_OPEN, "It kept failing.")
    (movie,) = movies(both() | {"cinemaworld": broken}, row("fw0080684", price="29.5")).values()
    assert cheapest(movie) == ("filmworld", "29.5")
    assert [each.status for each in movie.sources] == [SourceStatus.SKIPPED, SourceStatus.OK]


def test_16_customers_were_told_there_is_no_such_movie_while_the_shops_were_down() -> None:
    evidence = Evidence(SHOPS, dict.fromkeys(("cinemaworld", "filmworld"), TIMEOUT), {})
    movie = shell("tt0080684", Description(), evidence)
    assert movie.id == "tt0080684"
    assert not movie.cheapest.final
    assert not is_complete(movie.sources, frozenset())
    assert {each.error for each in movie.sources} == {TIMEOUT.error}
