from collections import Counter
from collections.abc import Collection, Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.matching import match_listings
from movieql.domain.movies import Listing
from movieql.domain.titles import imdb_id, match_key
from tests.builders import listing
from tests.unit.domain.worlds import NUMBERED, some_listings


def together(*listings: Listing, numbered: Collection[str] = NUMBERED) -> list[list[str]]:
    return [
        [each.row.provider_movie_id for each in match.listings]
        for match in match_listings(listings, numbered)
    ]


def titled(listing: Listing) -> tuple[str, int | None] | None:
    said = listing.row.description
    return None if said.title is None else (match_key(said.title), said.year)


def digits(listing: Listing) -> str | None:
    return imdb_id(listing.row.provider_movie_id) if listing.provider in NUMBERED else None


# Rule 1: digits


def test_two_shops_with_the_same_digits_sell_one_movie_whatever_they_call_it() -> None:
    one = listing("cinemaworld", "cw2488496", title="Star Wars: The Force Awakens", year=2015)
    two = listing("filmworld", "fw2488496", title="Episode VII - The Force Awakens", year=2016)
    (match,) = match_listings([one, two], NUMBERED)
    assert match.imdb == "tt2488496"
    assert match.listings == (one, two)


def test_digits_say_nothing_at_a_shop_whose_ids_are_its_own() -> None:
    one = listing("cinemaworld", "cw0000001", title="Alien")
    two = listing("princes", "p0000001", title="Aliens")
    assert together(one, two) == [["cw0000001"], ["p0000001"]]


def test_remakes_with_one_title_and_year_but_two_numbers_are_two_movies() -> None:
    one = listing("cinemaworld", "cw0000001", title="Pinocchio", year=2022)
    two = listing("filmworld", "fw0000002", title="Pinocchio", year=2022)
    assert together(one, two) == [["cw0000001"], ["fw0000002"]]


def test_a_shop_that_lists_one_number_twice_has_two_offers_of_one_movie() -> None:
    assert together(listing(own_id="cw0000001"), listing(own_id="cw1")) == [["cw0000001", "cw1"]]


def test_an_id_without_digits_is_matched_by_title_also_at_a_numbered_shop() -> None:
    one = listing("cinemaworld", "cw0000001", title="Alien", year=1979)
    two = listing("filmworld", "fw-x", title="ALIEN", year=1979)
    assert together(one, two) == [["cw0000001", "fw-x"]]


def test_a_listing_without_title_is_found_by_its_digits() -> None:
    one = listing("cinemaworld", "cw0000001", title="Alien", year=1979)
    two = listing("filmworld", "fw0000001", title=None)
    assert together(one, two) == [["cw0000001", "fw0000001"]]


# Rule 2: title and year


@pytest.mark.parametrize(
    "one, other",
    [
        ("Amélie", "AMELIE"),
        ("Spider-Man", "Spider Man"),
        ("नीर", "नीर!"),
        ("千と千尋の神隠し", "「千と千尋の神隠し」"),
        ("!!!", "!!!"),
        ("≠", "=\u0338"),
    ],
)
@pytest.mark.parametrize("year", [None, 2001])
def test_the_same_title_and_year_is_one_movie(one: str, other: str, year: int | None) -> None:
    sides = (
        listing("princes", "p1", title=one, year=year),
        listing("corner", "c1", title=other, year=year),
    )
    assert together(*sides) == [["c1", "p1"]]


@pytest.mark.parametrize("one, other", [("नीर", "नूर"), ("!!!", "???"), ("❤️", "☎️"), ("か", "が")])
@pytest.mark.parametrize("year", [None, 2001])
def test_titles_of_signs_and_of_other_scripts_are_kept_apart(
    one: str, other: str, year: int | None
) -> None:
    sides = (
        listing("princes", "p1", title=one, year=year),
        listing("corner", "c1", title=other, year=year),
    )
    assert together(*sides) == [["c1"], ["p1"]]


def test_the_same_title_of_another_year_is_another_movie() -> None:
    sides = (listing("princes", "p1", year=1977), listing("corner", "c1", year=1978))
    assert together(*sides) == [["c1"], ["p1"]]


def test_a_shop_without_numbers_joins_the_numbered_movie_of_its_title_and_year() -> None:
    one, two = listing("cinemaworld", "cw0000001", year=1977), listing("princes", "p1", year=1977)
    (match,) = match_listings([two, one], NUMBERED)
    assert match.imdb == "tt0000001"
    assert match.listings == (one, two)


def test_any_title_that_a_numbered_movie_goes_by_will_do() -> None:
    several = (
        listing("cinemaworld", "cw0000001", title="Star Wars", year=1977),
        listing("filmworld", "fw0000001", title="A New Hope", year=1977),
        listing("princes", "p1", title="A new hope!", year=1977),
    )
    assert together(*several) == [["cw0000001", "fw0000001", "p1"]]


def test_between_two_numbered_movies_of_its_title_and_year_a_listing_stays_alone() -> None:
    several = (
        listing("cinemaworld", "cw0000001", year=1977),
        listing("filmworld", "fw0000002", year=1977),
        listing("princes", "p1", year=1977),
    )
    assert together(*several) == [["cw0000001"], ["fw0000002"], ["p1"]]


# Rule 3: title alone


@pytest.mark.parametrize("shop, own_id", [("cinemaworld", "cw0000001"), ("corner", "c1")])
def test_a_yearless_listing_joins_the_only_movie_of_its_title(shop: str, own_id: str) -> None:
    dated, yearless = listing(shop, own_id, year=1977), listing("princes", "p1", year=None)
    assert together(dated, yearless) == [[own_id, "p1"]]


def test_a_yearless_numbered_listing_gives_its_number_to_the_only_movie_of_its_title() -> None:
    yearless, dated = listing(own_id="cw0000001", year=None), listing("corner", "c1", year=1977)
    (match,) = match_listings([dated, yearless], NUMBERED)
    assert match.imdb == "tt0000001"
    assert match.listings == (yearless, dated)


def test_a_yearless_listing_with_two_candidates_stays_alone() -> None:
    several = (
        listing("cinemaworld", "cw0000001", title="Dune", year=1984),
        listing("corner", "c1", title="Dune", year=2021),
        listing("princes", "p1", title="Dune", year=None),
    )
    assert together(*several) == [["cw0000001"], ["c1"], ["p1"]]


def test_two_yearless_numbered_movies_leave_the_dated_one_alone() -> None:
    several = (
        listing("cinemaworld", "cw0000001", year=None),
        listing("filmworld", "fw0000002", year=None),
        listing("corner", "c1", year=1977),
    )
    assert together(*several) == [["cw0000001"], ["c1"], ["fw0000002"]]


def test_two_numbers_stay_two_movies_also_when_one_has_no_year() -> None:
    one = listing("cinemaworld", "cw0000001", year=1977)
    two = listing("filmworld", "fw0000002", year=None)
    assert together(one, two) == [["cw0000001"], ["fw0000002"]]


def test_yearless_shops_find_each_other_when_their_title_has_two_candidates() -> None:
    several = (
        listing("cinemaworld", "cw0000001", year=1977),
        listing("filmworld", "fw0000002", year=1999),
        listing("corner", "c1", year=None),
        listing("princes", "p1", year=None),
    )
    assert together(*several) == [["cw0000001"], ["c1", "p1"], ["fw0000002"]]


def test_a_title_that_belongs_to_two_dated_movies_by_other_names_is_ambiguous() -> None:
    several = (
        listing("cinemaworld", "cw0000001", title="Alien", year=1979),
        listing("cinemaworld", "cw0000002", title="Director's Cut", year=2003),
        listing("filmworld", "fw0000002", title="Alien", year=2003),
        listing("princes", "p1", title="Alien", year=None),
    )
    assert together(*several) == [["cw0000001"], ["cw0000002", "fw0000002"], ["p1"]]


# Nothing is lost


def test_a_movie_only_one_shop_sells_stays() -> None:
    only = listing("cinemaworld", "cw2488496", title="Star Wars: The Force Awakens", year=2015)
    assert together(only, listing("filmworld", "fw0076759")) == [["cw2488496"], ["fw0076759"]]


def test_listings_without_title_and_digits_are_movies_of_their_own() -> None:
    untitled = (listing("princes", "p1", title=None), listing("princes", "p2", title=None))
    assert together(*untitled, listing("corner", "p1", title=None)) == [["p1"], ["p1"], ["p2"]]


def test_nothing_listed_is_no_movie() -> None:
    assert match_listings([], NUMBERED) == []


# Whatever is listed


@given(some_listings(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_of_arrival_matters(
    listings: list[Listing], chance: Random
) -> None:
    shuffled = chance.sample(listings, len(listings))
    assert match_listings(shuffled, NUMBERED) == match_listings(listings, NUMBERED)


@given(some_listings())
def test_every_listing_is_in_exactly_one_movie_and_none_is_invented(
    listings: list[Listing],
) -> None:
    matched = [each for match in match_listings(listings, NUMBERED) for each in match.listings]
    assert Counter(matched) == Counter(listings)


@given(some_listings())
def test_a_movie_is_of_one_number_and_a_number_is_one_movie(listings: list[Listing]) -> None:
    matches = match_listings(listings, NUMBERED)
    numbers = [each.imdb for each in matches if each.imdb is not None]
    assert len(numbers) == len(set(numbers))
    for match in matches:
        assert {number for each in match.listings if (number := digits(each))} == (
            {match.imdb} - {None}
        )


@given(some_listings())
def test_without_digits_another_year_or_another_title_is_another_movie(
    listings: list[Listing],
) -> None:
    for match in match_listings(listings, NUMBERED):
        if match.imdb is None:
            known = [title for each in match.listings if (title := titled(each))]
            assert len({title for title, _ in known}) <= 1
            assert len({year for _, year in known} - {None}) <= 1
            assert known or len(match.listings) == 1


@given(some_listings())
def test_a_listing_without_digits_is_only_where_its_title_is_known(
    listings: list[Listing],
) -> None:
    for match in match_listings(listings, NUMBERED):
        named = [each for each in match.listings if digits(each) is None]
        for each, others in ((each, set(match.listings) - {each}) for each in named):
            title = titled(each)
            known = [other for other in map(titled, others) if other is not None]
            assert not others or title is not None
            assert not others or any(
                title[0] == other[0] and (title[1] == other[1] or None in {title[1], other[1]})
                for other in known
                if title is not None
            )


@given(some_listings())
def test_shops_without_digits_and_with_one_title_and_year_sell_one_movie(
    listings: list[Listing],
) -> None:
    def movies_by_title(numbered: Iterable[str]) -> Counter[tuple[str, int | None]]:
        return Counter(
            title
            for match in match_listings(listings, list(numbered))
            for title in {titled(each) for each in match.listings if digits(each) is None}
            if title is not None
        )

    assert all(count == 1 for count in movies_by_title(NUMBERED).values())
