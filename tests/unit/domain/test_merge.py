from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.merge import Evidence, ListedMovie, merge_movie, shell
from movieql.domain.movies import (
    PENDING,
    Answer,
    Description,
    Listing,
    ListingKey,
    Money,
    Movie,
    SourceErrorCode,
    SourceStatus,
    failed,
    unique_rows,
)
from tests.builders import NOON, fresh, row, shop
from tests.unit.domain.worlds import LATE, World, may_be_one, stale, worlds

CINEMAWORLD = shop("cinemaworld", priority=1)
FILMWORLD = shop("filmworld", priority=2)
CORNER = shop("corner", imdb_ids=False, detail_fields=frozenset(), priority=3)
HOUSE = shop("house", sells=False, imdb_ids=False, detail_fields=frozenset(), priority=900)

CW, FW = "cw0000001", "fw0000001"
DOWN = failed(SourceErrorCode.UNAVAILABLE, "Refused.")
BEHIND_BREAKER = failed(SourceErrorCode.CIRCUIT_OPEN, "It kept failing.")


def aud(amount: str) -> Money:
    return Money(Decimal(amount), "AUD")


def both_list(**described: Any) -> dict[str, Answer]:
    return {"cinemaworld": fresh(row(CW, **described)), "filmworld": fresh(row(FW, **described))}


def both_ask(cinemaworld: str | None, filmworld: str | None) -> dict[ListingKey, Answer]:
    return {
        ("cinemaworld", CW): fresh(row(CW, price=cinemaworld)),
        ("filmworld", FW): fresh(row(FW, price=filmworld)),
    }


def merged(
    shelves: Mapping[str, Answer],
    details: Mapping[ListingKey, Answer] | None = None,
    *others: Any,
) -> Movie:
    """Merge the one movie that cinemaworld, filmworld and `others` list."""
    (movie,) = World((CINEMAWORLD, FILMWORLD, *others), shelves, details or {}).movies().values()
    return movie


# Prices and the cheapest


def test_the_cheapest_of_two_shops_is_final_when_both_answered_freshly() -> None:
    movie = merged(both_list(), both_ask("123.5", "29.5"))
    assert [(offer.provider, offer.price) for offer in movie.offers] == [
        ("cinemaworld", aud("123.5")),
        ("filmworld", aud("29.5")),
    ]
    assert movie.cheapest.offer == movie.offers[1]
    assert movie.cheapest.final
    assert movie.cheapest.saving == aud("94.0")


def test_at_one_price_the_shop_with_priority_is_named_and_nothing_is_saved() -> None:
    movie = merged(both_list(), both_ask("29.50", "29.5"))
    assert movie.cheapest.offer == movie.offers[0]
    assert movie.cheapest.saving == aud("0")


def test_nothing_is_saved_against_no_other_price() -> None:
    movie = merged(both_list(), both_ask(None, "29.5"))
    assert movie.cheapest.offer == movie.offers[1]
    assert movie.cheapest.saving is None


def test_the_saving_is_against_the_next_cheapest_of_several() -> None:
    shelves = both_list(year=1977) | {"corner": fresh(row("c1", price="30", year=1977))}
    movie = merged(shelves, both_ask("123.5", "29.5"), CORNER)
    assert movie.cheapest.saving == aud("0.5")


def test_a_list_that_is_still_being_read_offers_no_price() -> None:
    listing = Listing("corner", row("c1", price="9"))
    movie = ListedMovie("m", frozenset(), [listing])
    (offer,) = merge_movie(movie, Evidence((CORNER,), {"corner": fresh(listing.row)}, {})).offers
    assert offer.price == aud("9")
    (offer,) = merge_movie(movie, Evidence((CORNER,), {"corner": PENDING}, {})).offers
    assert (offer.price, offer.error) == (None, None)


def test_a_movie_that_only_one_shop_sells_is_final_when_the_other_answered() -> None:
    shelves = {"cinemaworld": fresh(row(CW)), "filmworld": fresh()}
    movie = merged(shelves, {("cinemaworld", CW): fresh(row(CW, price="129.5"))})
    assert movie.cheapest.final
    assert [offer.provider for offer in movie.offers] == ["cinemaworld"]


@pytest.mark.parametrize("shelf", [DOWN, BEHIND_BREAKER, stale(), stale(row(FW)), None])
def test_while_another_shop_may_list_the_movie_its_price_is_not_final(
    shelf: Answer | None,
) -> None:
    shelves = {"cinemaworld": fresh(row(CW))}
    if shelf is not None:
        shelves["filmworld"] = shelf
    movie = merged(shelves, both_ask("129.5", "200"))
    assert movie.cheapest.offer is not None
    assert movie.cheapest.offer.provider == "cinemaworld"
    assert not movie.cheapest.final


@pytest.mark.parametrize(
    "detail", [DOWN, fresh(), stale(row(FW, price="200")), fresh(row(FW)), None]
)
def test_while_a_shop_that_lists_the_movie_has_no_fresh_price_nothing_is_final(
    detail: Answer | None,
) -> None:
    details = {("cinemaworld", CW): fresh(row(CW, price="129.5"))}
    if detail is not None:
        details["filmworld", FW] = detail
    movie = merged(both_list(), details)
    assert movie.cheapest.offer == movie.offers[0]
    assert not movie.cheapest.final


def test_an_old_price_counts_but_is_not_final() -> None:
    details = both_ask("123.5", None) | {("filmworld", FW): stale(row(FW, price="29.5"))}
    movie = merged(both_list(), details)
    offer = movie.offers[1]
    assert movie.cheapest.offer == offer
    assert not movie.cheapest.final
    assert (offer.stale, offer.as_of, offer.error) == (True, NOON, LATE)


def test_a_shop_with_prices_in_its_list_needs_no_detail() -> None:
    shelves = both_list(year=1977) | {"corner": fresh(row("c1", price="24.7", year=1977))}
    movie = merged(shelves, both_ask("123.5", "29.5"), CORNER)
    assert movie.cheapest.offer is not None
    assert movie.cheapest.offer.provider == "corner"
    assert movie.cheapest.final


def test_an_old_list_with_prices_makes_its_offers_old() -> None:
    shelves = both_list(year=1977) | {"corner": stale(row("c1", price="24.7", year=1977))}
    movie = merged(shelves, both_ask("123.5", "29.5"), CORNER)
    assert movie.offers[2].price == aud("24.7")
    assert movie.offers[2].stale
    assert not movie.cheapest.final


def test_the_house_catalogue_describes_and_reports_but_never_offers() -> None:
    shelves = both_list(year=1977) | {
        "house": fresh(row("h1", year=1977, price="1", plot="Ours."))
    }
    movie = merged(shelves, both_ask("123.5", "29.5"), HOUSE)
    assert [offer.provider for offer in movie.offers] == ["cinemaworld", "filmworld"]
    assert movie.plot == "Ours."
    assert movie.cheapest.final
    assert movie.sources[2].status is SourceStatus.OK


@pytest.mark.parametrize("shelf", [DOWN, stale(), None])
def test_the_house_catalogue_never_makes_a_price_uncertain(shelf: Answer | None) -> None:
    shelves = both_list() | ({} if shelf is None else {"house": shelf})
    assert merged(shelves, both_ask("123.5", "29.5"), HOUSE).cheapest.final


def test_a_movie_that_no_shop_sells_has_no_cheapest_price_for_certain() -> None:
    shelves = {"cinemaworld": fresh(), "filmworld": fresh(), "house": fresh(row("h1"))}
    movie = merged(shelves, {}, HOUSE)
    assert movie.offers == ()
    assert movie.cheapest.offer is None
    assert movie.cheapest.saving is None
    assert movie.cheapest.final


# Why there is no price


def test_an_unusable_price_is_said_on_its_offer_only() -> None:
    wrong = replace(row(FW), price_problem='The provider\'s price "N/A" is not a price.')
    details = both_ask("123.5", None) | {("filmworld", FW): fresh(wrong)}
    good, bad = merged(both_list(), details).offers
    assert good.error is None
    assert bad.price is None
    assert bad.error is not None
    assert bad.error.code is SourceErrorCode.BAD_RESPONSE
    assert '"N/A"' in bad.error.message
    assert not bad.error.retryable


def test_a_detail_without_price_says_so() -> None:
    offer = merged(both_list(), both_ask("123.5", None)).offers[1]
    assert offer.error is not None
    assert offer.error.message == "The provider sent no price."


def test_a_movie_that_is_listed_but_has_no_detail_says_so() -> None:
    details = both_ask("123.5", None) | {("filmworld", FW): fresh()}
    offer = merged(both_list(), details).offers[1]
    assert offer.price is None
    assert not offer.stale
    assert offer.error is not None
    assert "has no detail of it" in offer.error.message


def test_a_failed_detail_says_why_on_its_offer_and_in_its_report() -> None:
    details = both_ask("123.5", None) | {("filmworld", FW): DOWN}
    movie = merged(both_list(), details)
    assert movie.offers[1].price is None
    assert movie.offers[1].error == DOWN.error
    assert not movie.offers[1].stale
    assert [report.status for report in movie.sources] == [SourceStatus.OK, SourceStatus.FAILED]
    assert movie.sources[1].error == DOWN.error


def test_an_old_detail_without_price_says_what_prevented_the_refresh() -> None:
    details = both_ask("123.5", None) | {("filmworld", FW): stale(row(FW))}
    offer = merged(both_list(), details).offers[1]
    assert (offer.price, offer.stale, offer.error) == (None, True, LATE)


def test_a_price_nobody_asked_for_is_missing_without_an_error() -> None:
    for offer in merged(both_list()).offers:
        assert (offer.price, offer.error, offer.stale, offer.as_of) == (None, None, False, None)


def test_a_price_without_currency_is_no_price() -> None:
    free = shop("princes", currency=None, imdb_ids=False, detail_fields=frozenset())
    shelves = both_list(year=1977) | {"princes": fresh(row("p1", price="1", year=1977))}
    movie = merged(shelves, both_ask("123.5", "29.5"), free)
    assert movie.offers[2].price is None
    assert movie.offers[2].error is not None


# Fields


def test_where_shops_disagree_the_priority_decides() -> None:
    shelves = {
        "cinemaworld": fresh(row(CW, title="A New Hope", year=1977)),
        "filmworld": fresh(row(FW, title="Star Wars", year=1978, poster="https://fw.example/1")),
    }
    movie = merged(shelves)
    assert (movie.title, movie.year) == ("A New Hope", 1977)
    assert movie.poster == "https://fw.example/1"


def test_a_list_wins_over_its_own_detail_but_not_over_a_shop_with_priority() -> None:
    shelves = {
        "cinemaworld": fresh(row(CW, title="A New Hope")),
        "filmworld": fresh(row(FW, title="Star Wars", plot="From filmworld's list.")),
    }
    details = {
        ("cinemaworld", CW): fresh(row(CW, title="A New Hope, in detail", plot="Cinemaworld's.")),
        ("filmworld", FW): fresh(row(FW, genres=("Action",))),
    }
    movie = merged(shelves, details)
    assert movie.title == "A New Hope"
    assert movie.plot == "Cinemaworld's."
    assert movie.genres == ("Action",)


def test_every_poster_is_kept_once_the_best_first() -> None:
    shelves = {
        "cinemaworld": fresh(row(CW, poster="http://c/1")),
        "filmworld": fresh(row(FW, poster="http://f/1")),
    }
    details = {
        ("cinemaworld", CW): fresh(row(CW, poster="http://c/1")),
        ("filmworld", FW): fresh(row(FW, poster="http://f/2")),
    }
    movie = merged(shelves, details)
    assert movie.poster == "http://c/1"
    assert movie.posters == ("http://c/1", "http://f/1", "http://f/2")


def test_nothing_known_is_nothing_invented() -> None:
    movie = merged({"cinemaworld": fresh(row(CW, title=None)), "filmworld": DOWN})
    assert (movie.title, movie.year, movie.genres, movie.votes) == (None, None, (), None)


# Reports


def test_every_configured_provider_is_reported_once_in_order() -> None:
    movie = merged({"cinemaworld": fresh(row(CW)), "filmworld": DOWN}, {}, CORNER, HOUSE)
    assert [(report.provider, report.status) for report in movie.sources] == [
        ("cinemaworld", SourceStatus.OK),
        ("filmworld", SourceStatus.FAILED),
        ("corner", SourceStatus.SKIPPED),
        ("house", SourceStatus.SKIPPED),
    ]
    assert movie.sources[2].error is None


def test_the_details_of_other_movies_are_not_in_the_report_of_a_movie() -> None:
    details = both_ask("123.5", "29.5") | {("cinemaworld", "cw0000002"): DOWN}
    movie = merged(both_list(), details)
    assert [report.status for report in movie.sources] == [SourceStatus.OK, SourceStatus.OK]


def test_a_provider_was_waited_for_its_list_and_then_for_its_slowest_detail() -> None:
    shelf = replace(fresh(row(CW), row("cw1")), latency_ms=30)
    details = {
        ("cinemaworld", CW): replace(fresh(row(CW, price="1")), latency_ms=50),
        ("cinemaworld", "cw1"): replace(fresh(row("cw1", price="2")), latency_ms=80),
    }
    movie = merged({"cinemaworld": shelf, "filmworld": fresh()}, details)
    assert [report.latency_ms for report in movie.sources] == [110, 0]
    assert len(movie.offers) == 2


def test_a_report_is_as_old_as_the_oldest_thing_it_shows() -> None:
    old = replace(fresh(row(CW, price="1")), as_of=NOON - timedelta(minutes=2))
    shelves = {"cinemaworld": fresh(row(CW)), "filmworld": fresh()}
    movie = merged(shelves, {("cinemaworld", CW): old})
    assert movie.sources[0].as_of == old.as_of
    assert movie.offers[0].as_of == old.as_of


def test_one_shop_behind_a_breaker_leaves_the_other_as_it_is() -> None:
    movie = merged(
        {"cinemaworld": fresh(row(CW)), "filmworld": BEHIND_BREAKER},
        {("cinemaworld", CW): fresh(row(CW, price="129.5"))},
    )
    assert movie.offers[0].price == aud("129.5")
    assert [report.status for report in movie.sources] == [SourceStatus.OK, SourceStatus.SKIPPED]


def test_a_movie_nobody_lists_for_all_we_know_says_who_did_not_answer() -> None:
    evidence = Evidence((CINEMAWORLD, FILMWORLD), {"cinemaworld": fresh(), "filmworld": DOWN}, {})
    movie = shell("tt0000001", Description(title="Dune", year=1984), evidence)
    assert (movie.id, movie.title, movie.year, movie.offers) == ("tt0000001", "Dune", 1984, ())
    assert movie.cheapest.offer is None
    assert not movie.cheapest.final
    assert [report.status for report in movie.sources] == [SourceStatus.OK, SourceStatus.FAILED]


# Whatever is answered


@given(worlds())
def test_the_cheapest_is_the_true_minimum_and_the_saving_the_step_to_the_next(
    world: World,
) -> None:
    for movie in world.movies().values():
        amounts = sorted(each.price.amount for each in movie.offers if each.price is not None)
        offer, saving = movie.cheapest.offer, movie.cheapest.saving
        assert (offer is None) == (not amounts)
        if offer is not None:
            assert offer in movie.offers
            assert offer.price is not None
            assert offer.price.amount == amounts[0]
        assert (saving is None) == (len(amounts) < 2)
        if saving is not None:
            assert saving.amount == amounts[1] - amounts[0]


@given(worlds())
def test_a_price_is_final_exactly_when_no_shop_can_undercut_it(world: World) -> None:
    selling = [profile.id for profile in world.profiles if profile.sells]
    shelves = [world.shelves.get(provider) for provider in selling]
    every_shelf_is_fresh = all(shelf is not None and shelf.fresh for shelf in shelves)
    listed = {movie.id: movie for movie in world.listed()}
    for movie in world.movies().values():
        assert movie.cheapest.final == (
            every_shelf_is_fresh
            and all(each.price is not None and not each.stale for each in movie.offers)
            and not any(
                may_be_one(listed[movie.id], other, frozenset(selling))
                for other in listed.values()
            )
        )


@given(worlds())
def test_every_listing_of_a_shop_that_sells_is_exactly_one_offer(world: World) -> None:
    offered = [
        (offer.provider, offer.provider_movie_id)
        for movie in world.movies().values()
        for offer in movie.offers
    ]
    assert sorted(offered) == sorted(
        (profile.id, each.provider_movie_id)
        for profile in world.profiles
        if profile.sells and profile.id in world.shelves
        for each in world.shelves[profile.id].rows or ()
    )


@given(worlds())
def test_an_offer_without_price_or_with_an_old_one_says_why_if_it_was_asked_for(
    world: World,
) -> None:
    for movie in world.movies().values():
        for offer in movie.offers:
            if offer.as_of is not None:
                assert (offer.error is None) == (offer.price is not None and not offer.stale)


@given(worlds())
def test_every_provider_has_one_report_and_a_gap_a_reason(world: World) -> None:
    for movie in world.movies().values():
        assert [each.provider for each in movie.sources] == [each.id for each in world.profiles]
        for report in movie.sources:
            if report.status in {SourceStatus.STALE, SourceStatus.FAILED}:
                assert report.error is not None
            assert (report.status is SourceStatus.SKIPPED) == (
                report.provider not in world.shelves
            )


@given(worlds())
def test_every_field_is_what_some_provider_said(world: World) -> None:
    said = {
        (name, getattr(each.description, name))
        for answer in (*world.shelves.values(), *world.details.values())
        for each in answer.rows or ()
        for name in ("title", "year", "votes", "poster", "plot")
    }
    for movie in world.movies().values():
        for name in ("title", "year", "votes", "poster", "plot"):
            value = getattr(movie, name)
            assert value is None or (name, value) in said


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_arrival_changes_no_movie(world: World, chance: Random) -> None:
    def shuffled(answers: Mapping[Any, Answer]) -> dict[Any, Answer]:
        return {
            key: replace(
                answers[key],
                rows=rows and tuple(chance.sample(rows, len(rows))),
            )
            for key in chance.sample(list(answers), len(answers))
            for rows in (answers[key].rows,)
        }

    again = World(world.profiles, shuffled(world.shelves), shuffled(world.details))
    assert again.movies() == world.movies()


def test_the_movie_takes_the_id_it_is_given() -> None:
    evidence = Evidence((CINEMAWORLD,), {"cinemaworld": fresh(row(CW))}, {})
    assert (
        merge_movie(
            ListedMovie("tt9", frozenset(), (Listing("cinemaworld", row(CW)),)), evidence
        ).id
        == "tt9"
    )


# What may be another movie's, or contradicts itself


def sold_alone(one: str, other: str, *years: int | None) -> dict[str, Movie]:
    """Merge a movie that only `one` sells with one that only `other` sells, by title."""
    shops = tuple(
        shop(each, imdb_ids=False, detail_fields=frozenset()) for each in ("one", "two", "three")
    )
    shelves = {
        "one": fresh(row("1", title=one, year=years[0], price="20")),
        "two": fresh(row("2", title=other, year=years[1], price="5")),
        "three": fresh(row("3", title="Unrelated", year=2001, price="9")),
    }
    return {str(each.title): each for each in World(shops, shelves, {}).movies().values()}


@pytest.mark.parametrize("years", [(2009, 2009), (2009, None), (None, None)])
@pytest.mark.parametrize(
    "one, other", [("Fast & Furious", "Fast and Furious"), ("мой", "мои"), ("The Dig", "Dig")]
)
def test_of_two_movies_that_may_be_one_neither_is_final(
    one: str, other: str, years: tuple[int | None, int | None]
) -> None:
    found = sold_alone(one, other, *years)
    assert len(found) == 3
    assert [found[each].cheapest.final for each in (one, other, "Unrelated")] == [
        False,
        False,
        True,
    ]


def test_movies_of_nearly_one_title_and_of_other_years_are_final() -> None:
    found = sold_alone("Fast & Furious", "Fast and Furious", 2009, 2001)
    assert all(each.cheapest.final for each in found.values())


def test_what_one_shop_tells_apart_is_final() -> None:
    corner = replace(CORNER, currency="AUD")
    titles = ("Fast & Furious", "Fast and Furious")
    rows = [row(f"c{at}", title=each, price="5") for at, each in enumerate(titles)]
    movies = World((corner,), {"corner": fresh(*rows)}, {}).movies().values()
    assert [each.cheapest.final for each in movies] == [True, True]


def test_a_house_entry_beside_a_movie_that_is_sold_never_touches_its_price() -> None:
    shelves = {
        "corner": fresh(row("c1", title="Fast & Furious", price="5")),
        "house": fresh(row("h1", title="Fast and Furious")),
    }
    house, sold = World((CORNER, HOUSE), shelves, {}).movies().values()
    assert sold.cheapest.final
    assert not house.cheapest.final  # nobody sells it, unless it is the other


def test_a_shop_that_lists_an_id_twice_counts_with_its_lower_price_and_is_not_final() -> None:
    rows = unique_rows([row("c1", price="8"), row("c1", price="10")])
    (movie,) = World((CORNER,), {"corner": fresh(*rows)}, {}).movies().values()
    (offer,) = movie.offers
    assert offer.price == aud("8")
    assert offer.error is not None
    assert offer.error.code is SourceErrorCode.BAD_RESPONSE
    assert not movie.cheapest.final
