from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.matching import Identified, Identities, match_listings
from movieql.domain.movies import Listing
from movieql.domain.titles import UNDATED
from tests.builders import listing
from tests.unit.domain.worlds import NUMBERED, some_listings


def identify(identities: Identities, *listings: Listing) -> list[Identified]:
    return identities.identify(match_listings(listings, NUMBERED))


def ids(identities: Identities, *listings: Listing) -> dict[str, str]:
    """Return the movie's id for each provider's own id."""
    return {
        each.row.provider_movie_id: movie.id
        for movie in identify(identities, *listings)
        for each in movie.listings
    }


CINEMAWORLD = listing("cinemaworld", "cw0000001", title="Dune", year=1984)
YEARLESS = listing("princes", "p1", title="Dune")
OF_1984 = listing("corner", "c1", title="Dune", year=1984)
OF_2021 = listing("corner", "c2", title="Dune", year=2021)


def test_a_movie_is_called_by_its_imdb_number_and_its_slugs_are_aliases() -> None:
    (movie,) = identify(Identities(), CINEMAWORLD, YEARLESS)
    assert movie.id == "tt0000001"
    assert movie.aliases == {"dune_1984", "dune_undated"}
    assert movie.listings == (CINEMAWORLD, YEARLESS)


def test_without_number_a_movie_is_called_by_title_and_year() -> None:
    (movie,) = identify(Identities(), OF_1984, YEARLESS)
    assert movie.id == "dune_1984"
    assert movie.aliases == {"dune_undated"}


def test_without_title_a_movie_is_called_by_its_shop_and_the_shops_id() -> None:
    untitled = listing("princes", "p1", title=None)
    lookalike = listing("corner", "c1", title="princes.p1")
    assert ids(Identities(), untitled, lookalike) == {
        "p1": "princes.p1",
        "c1": "princes-p1_undated",
    }


def test_a_title_like_an_imdb_id_never_takes_the_id_of_that_movie() -> None:
    impostor = listing("princes", "p1", title="tt0000001")
    assert ids(Identities(), CINEMAWORLD, impostor) == {
        "cw0000001": "tt0000001",
        "p1": "tt0000001_undated",
    }


def test_an_id_nobody_gave_out_is_unknown() -> None:
    identities = Identities()
    assert identities.canonical("tt0000001") == "tt0000001"
    assert identities.last_seen("tt0000001") is None


def test_a_slug_becomes_an_alias_when_a_shop_tells_the_number() -> None:
    identities = Identities()
    assert ids(identities, OF_1984) == {"c1": "dune_1984"}
    assert ids(identities, OF_1984, CINEMAWORLD) == {"c1": "tt0000001", "cw0000001": "tt0000001"}
    assert identities.canonical("dune_1984") == "tt0000001"


def test_a_number_stays_when_the_shop_that_knew_it_withdraws_the_movie() -> None:
    identities = Identities()
    identify(identities, OF_1984, YEARLESS, CINEMAWORLD)
    assert ids(identities, OF_1984, YEARLESS) == {"c1": "tt0000001", "p1": "tt0000001"}
    assert ids(identities, YEARLESS) == {"p1": "tt0000001"}
    assert ids(identities, OF_1984) == {"c1": "tt0000001"}


def test_a_year_stays_in_an_id_when_the_shop_that_knew_it_withdraws_the_movie() -> None:
    identities = Identities()
    assert ids(identities, OF_1984, YEARLESS)["p1"] == "dune_1984"
    assert ids(identities, YEARLESS) == {"p1": "dune_1984"}


def test_a_number_wins_over_a_slug_that_the_movie_was_called_by_before() -> None:
    identities = Identities()
    assert ids(identities, YEARLESS, OF_2021) == {"p1": "dune_2021", "c2": "dune_2021"}
    assert ids(identities, CINEMAWORLD, OF_1984) == {"cw0000001": "tt0000001", "c1": "tt0000001"}
    assert ids(identities, OF_1984, YEARLESS) == {"c1": "tt0000001", "p1": "tt0000001"}


@pytest.mark.parametrize("known", [CINEMAWORLD, OF_1984], ids=["tt0000001", "dune_1984"])
def test_an_id_of_one_year_never_becomes_the_id_of_a_movie_of_another_year(
    known: Listing,
) -> None:
    identities = Identities()
    (called,) = set(ids(identities, known, YEARLESS).values())
    assert ids(identities, YEARLESS) == {"p1": called}
    assert ids(identities, YEARLESS, OF_2021) == {"p1": "dune_2021", "c2": "dune_2021"}
    last = identities.last_seen(called)
    assert last is not None
    assert last.listings == (YEARLESS,)


def test_a_listing_that_parts_from_a_movie_leaves_its_id_to_the_movie() -> None:
    yearless = listing("corner", "c0", title="Dune")
    one, two = (listing("princes", f"p{year}", title="Dune", year=year) for year in (1984, 2021))
    identities = Identities()
    assert ids(identities, yearless, one) == {"c0": "dune_1984", "p1984": "dune_1984"}
    assert ids(identities, yearless, one, two) == {
        "c0": "dune_undated",
        "p1984": "dune_1984",
        "p2021": "dune_2021",
    }


def test_when_a_movie_parts_one_half_keeps_the_number_and_both_stay_known() -> None:
    identities = Identities()
    renamed = listing("filmworld", "fw0000001", title="Arrakis", year=1984)
    half = listing("princes", "p1", title="Arrakis", year=1984)
    identify(identities, CINEMAWORLD, renamed, OF_1984, half)
    assert ids(identities, OF_1984, half) == {"c1": "tt0000001", "p1": "arrakis_1984"}
    assert identities.canonical("dune_1984") == "tt0000001"
    assert identities.canonical("arrakis_1984") == "arrakis_1984"


def test_between_two_numbers_of_its_title_and_year_a_listing_keeps_a_slug() -> None:
    identities = Identities()
    remake = listing("filmworld", "fw0000002", title="Dune", year=1984)
    assert ids(identities, CINEMAWORLD, remake, OF_1984) == {
        "cw0000001": "tt0000001",
        "fw0000002": "tt0000002",
        "c1": "dune_1984",
    }
    assert identities.canonical("dune_1984") == "dune_1984"


def test_a_withdrawn_movie_is_remembered_as_it_was_last_listed() -> None:
    identities = Identities()
    identify(identities, CINEMAWORLD, YEARLESS)
    identify(identities)
    for name in ("tt0000001", "dune_1984", "dune_undated"):
        last = identities.last_seen(name)
        assert last is not None
        assert last.listings == (CINEMAWORLD, YEARLESS)


def test_past_the_bound_the_ids_longest_not_named_are_forgotten() -> None:
    identities = Identities(entries_max=4)
    old, new = listing(own_id="cw1", title="Old"), listing(own_id="cw2", title="New")
    identify(identities, old)
    identify(identities, new)
    identify(identities, old)
    identify(identities, listing(own_id="cw3", title="Newest"))
    assert identities.canonical("old_undated") == "tt0000001"
    assert identities.last_seen("tt0000001") is not None
    assert identities.canonical("new_undated") == "new_undated"
    assert identities.last_seen("new_undated") is None


def test_a_movie_named_again_is_remembered_longer() -> None:
    identities = Identities(entries_max=3)
    for number in (1, 2, 3, 1, 4):
        identify(identities, listing("princes", f"p{number}", title=None))
    known = [number for number in range(1, 5) if identities.last_seen(f"princes.p{number}")]
    assert known == [1, 3, 4]


def test_no_more_movies_are_remembered_than_the_bound() -> None:
    identities = Identities(entries_max=3)
    for number in range(1, 11):
        untitled = listing("princes", f"p{number}", title=None)
        identify(identities, untitled)
    known = [number for number in range(1, 11) if identities.last_seen(f"princes.p{number}")]
    assert known == [8, 9, 10]


# Whatever is listed and withdrawn

histories = st.lists(some_listings(), min_size=1, max_size=6)
remakes = some_listings(titles=["Alien", "alien!"])


@st.composite
def withdrawals(draw: st.DrawFn) -> list[list[Listing]]:
    """Draw moments of shops that change nothing about a movie but whether they list it."""
    pool = draw(remakes)
    moments = st.lists(st.sampled_from(pool), unique=True) if pool else st.just([])
    return draw(st.lists(moments, min_size=1, max_size=8))


@given(histories | withdrawals())
def test_an_id_once_printed_always_resolves(history: Sequence[list[Listing]]) -> None:
    identities = Identities()
    printed: set[str] = set()
    for listings in history:
        identified = identify(identities, *listings)
        printed |= {movie.id for movie in identified}
        for name in printed:
            assert identities.last_seen(name)


@given(histories | withdrawals())
def test_every_movie_has_an_id_of_its_own(history: Sequence[list[Listing]]) -> None:
    identities = Identities()
    for listings in history:
        identified = identify(identities, *listings)
        assert len({movie.id for movie in identified}) == len(identified)
        for movie in identified:
            assert movie.id not in movie.aliases
            assert identities.canonical(movie.id) == movie.id
            assert identities.last_seen(movie.id) == movie


@given(histories | withdrawals())
def test_an_alias_leads_to_a_movie_that_has_it(history: Sequence[list[Listing]]) -> None:
    identities = Identities()
    for listings in history:
        identified = {movie.id: movie for movie in identify(identities, *listings)}
        for name in {name for movie in identified.values() for name in movie.aliases}:
            found = identified[identities.canonical(name)]
            assert name in {found.id, *found.aliases}


@given(withdrawals())
def test_a_number_never_goes_back_to_a_slug_while_the_movie_is_listed(
    history: Sequence[list[Listing]],
) -> None:
    identities = Identities()
    before: dict[Listing, str] = {}
    years_by_id: dict[str, set[int]] = {}
    for listings in history:
        identified = identify(identities, *listings)
        now = {each: movie.id for movie in identified for each in movie.listings}
        for movie in identified:
            years = _years(movie)
            for each in movie.listings:
                was = before.get(each, "")
                if was.startswith("tt") and was not in now.values():
                    theirs = years_by_id[was]
                    assert movie.id.startswith("tt") or (
                        each.row.description.year is None and not years & theirs
                    )
        for movie in identified:
            years_by_id.setdefault(movie.id, set()).update(_years(movie))
        before = now


def _years(movie: Identified) -> set[int]:
    years = {each.row.description.year for each in movie.listings}
    return {year for year in years if year is not None}


@given(histories | withdrawals())
def test_a_slug_of_a_year_only_ever_names_movies_of_that_year(
    history: Sequence[list[Listing]],
) -> None:
    identities = Identities()
    for listings in history:
        unnumbered = [each for each in listings if each.provider not in NUMBERED]
        for movie in identify(identities, *unnumbered):
            _, dated, year = movie.id.partition("_")
            if dated and year != UNDATED:
                assert _years(movie) <= {int(year)}


@given(histories, st.randoms(use_true_random=False))
def test_ids_do_not_depend_on_the_order_of_rows_or_of_arrival(
    history: Sequence[list[Listing]], chance: Random
) -> None:
    one, other = Identities(), Identities()
    for listings in history:
        shuffled = chance.sample(listings, len(listings))
        assert identify(one, *listings) == identify(other, *shuffled)
