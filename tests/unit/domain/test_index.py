import pytest

from movieql.domain.identities import Identified
from movieql.domain.index import Index, IndexedMovie
from tests.builders import listing, shop
from tests.unit.domain.worlds import indexed

CINEMAWORLD = listing("cinemaworld", "cw0000001", title="Dune", year=1984)
FILMWORLD = listing("filmworld", "fw0000001", title="Dune, the Movie", year=1985)


@pytest.mark.parametrize("name", ["tt0000001", "dune_1984", "dune-the-movie_1985"])
def test_a_movie_is_found_by_its_id_and_by_every_alias(name: str) -> None:
    index = indexed(CINEMAWORLD, FILMWORLD)
    (movie,) = index.movies
    assert index.find(name) is movie


def test_an_unknown_id_finds_nothing() -> None:
    assert indexed(CINEMAWORLD).find("dune") is None
    assert indexed().find("tt0000001") is None


@pytest.mark.parametrize("first", [0, 1])
def test_where_an_id_is_an_alias_of_another_movie_too_the_id_wins(first: int) -> None:
    own = Identified("dune_1984", frozenset(), (listing("princes", "p1"),))
    other = Identified("tt0000001", frozenset({"dune_1984"}), (CINEMAWORLD,))
    both = (own, other) if first == 0 else (other, own)
    profiles = {each: shop(each) for each in ("princes", "cinemaworld")}
    found = Index(both, profiles).find("dune_1984")
    assert found is not None
    assert found.id == "dune_1984"


def test_the_provider_with_the_lowest_priority_number_comes_first() -> None:
    profiles = (shop("cinemaworld", priority=2), shop("filmworld", priority=1))
    (movie,) = indexed(CINEMAWORLD, FILMWORLD, profiles=profiles).movies
    assert movie.listings == (FILMWORLD, CINEMAWORLD)
    assert (movie.title, movie.year) == ("Dune, the Movie", 1985)
    assert movie.sort_key == "dune the movie"
    assert movie.providers == {"cinemaworld", "filmworld"}


def test_between_equal_priorities_the_name_of_the_provider_decides() -> None:
    profiles = (shop("filmworld"), shop("cinemaworld"))
    (movie,) = indexed(FILMWORLD, CINEMAWORLD, profiles=profiles).movies
    assert movie.listings == (CINEMAWORLD, FILMWORLD)


def test_title_and_year_come_from_the_first_listing_that_has_them() -> None:
    untitled = listing("cinemaworld", "cw0000001", title=None, year=None)
    (movie,) = indexed(untitled, FILMWORLD).movies
    assert (movie.title, movie.year) == ("Dune, the Movie", 1985)


def test_a_movie_that_nobody_has_a_title_of_has_no_title_to_sort_by() -> None:
    (movie,) = indexed(listing(title=None)).movies
    assert (movie.title, movie.sort_key, movie.year) == (None, None, None)


def test_a_listing_can_be_looked_at_as_if_no_other_shop_had_the_movie() -> None:
    alone = IndexedMovie.alone(FILMWORLD)
    assert alone.listings == (FILMWORLD,)
    assert alone.providers == {"filmworld"}
    assert (alone.title, alone.year) == ("Dune, the Movie", 1985)
