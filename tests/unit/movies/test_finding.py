"""Which movie an id leads to, and which listing of it comes first."""

import pytest

from tests.builders import listing, shop
from tests.unit.domain.worlds import listed, movies_of

CINEMAWORLD = listing("cinemaworld", "cw0000001", title="Dune", year=1984)
FILMWORLD = listing("filmworld", "fw0000001", title="Dune, the Movie", year=1985)


@pytest.mark.parametrize("name", ["tt0000001", "dune_1984", "dune-the-movie_1985"])
def test_a_movie_is_found_by_its_id_and_by_every_alias(name: str) -> None:
    snapshot = listed(CINEMAWORLD, FILMWORLD)
    (movie,) = movies_of(snapshot)
    assert snapshot.find(name) is movie


def test_an_unknown_id_finds_nothing() -> None:
    assert listed(CINEMAWORLD).find("dune") is None
    assert listed().find("tt0000001") is None


def test_where_an_id_is_an_alias_of_another_movie_too_the_id_wins() -> None:
    undated = listing("princes", "p1", title="Dune", year=1984)
    other = listing("cinemaworld", "cw0000002", title="Dune", year=1984)
    found = listed(CINEMAWORLD, other, undated).find("dune_1984")
    assert found is not None
    assert (found.id, found.listings) == ("dune_1984", (undated,))


def test_a_movie_is_found_by_each_of_its_listings() -> None:
    snapshot = listed(CINEMAWORLD, FILMWORLD)
    (movie,) = movies_of(snapshot)
    assert snapshot.of(CINEMAWORLD.key) is snapshot.of(FILMWORLD.key) is movie
    assert snapshot.of(("filmworld", "cw0000001")) is None
    assert snapshot.of(None) is None


def test_the_provider_with_the_lowest_priority_number_comes_first() -> None:
    profiles = (shop("cinemaworld", priority=2), shop("filmworld", priority=1))
    (movie,) = movies_of(listed(CINEMAWORLD, FILMWORLD, profiles=profiles))
    assert movie.listings == (FILMWORLD, CINEMAWORLD)
    assert (movie.title, movie.year) == ("Dune, the Movie", 1985)
    assert movie.sort_key == "dune the movie"
    assert movie.providers == {"cinemaworld", "filmworld"}


def test_between_equal_priorities_the_name_of_the_provider_decides() -> None:
    profiles = (shop("filmworld"), shop("cinemaworld"))
    (movie,) = movies_of(listed(FILMWORLD, CINEMAWORLD, profiles=profiles))
    assert movie.listings == (CINEMAWORLD, FILMWORLD)


def test_title_and_year_come_from_the_first_listing_that_has_them() -> None:
    untitled = listing("cinemaworld", "cw0000001", title=None, year=None)
    (movie,) = movies_of(listed(untitled, FILMWORLD))
    assert (movie.title, movie.year) == ("Dune, the Movie", 1985)


def test_a_movie_that_nobody_has_a_title_of_has_no_title_to_sort_by() -> None:
    (movie,) = movies_of(listed(listing(title=None)))
    assert (movie.title, movie.sort_key, movie.year) == (None, None, None)


def test_a_movie_restricted_to_some_providers_is_as_if_no_other_had_it() -> None:
    (movie,) = movies_of(listed(CINEMAWORLD, FILMWORLD))
    restricted = movie.restricted_to(frozenset({"filmworld", "corner"}))
    assert restricted is not None
    assert restricted.id == movie.id
    assert restricted.listings == (FILMWORLD,)
    assert restricted.providers == {"filmworld"}
    assert (restricted.title, restricted.year) == ("Dune, the Movie", 1985)
    assert movie.restricted_to(frozenset({"corner"})) is None
