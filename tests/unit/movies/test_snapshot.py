"""Whatever changes, a snapshot is what one built from nothing would be."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import combinations, product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from movieql.domain.matching import Identities, match_listings
from movieql.domain.merge import ListedMovie
from movieql.domain.movies import Listing, ListingKey, MovieOrder, Row, unique_rows
from movieql.domain.selection import MovieFilter, Position
from movieql.movies.snapshot import ROWS_A_STEP, Snapshot
from movieql.waiting import exhausted
from tests.builders import row, shop
from tests.unit.domain.worlds import NUMBERED, ORDERS, PROFILES, may_be_one, movies_of

TITLES = (*3 * ("Alien", "Aliens"), "álien!", "The Aliens", "Alien & Co", "Alien and Co", None)
YEARS = (None, None, 1979, 1986)
AMOUNTS = (None, "9.5", "29.5", "123.5")
GENRES = ((), ("Drama",), ("Drama", "War"))
FILTERS = [
    MovieFilter(),
    MovieFilter(title="alien"),
    MovieFilter(year_from=1980),
    MovieFilter(genre="WAR"),
    MovieFilter(price_to=Decimal(30), year_to=1980),
]
SELLING = frozenset(each.id for each in PROFILES if each.sells)
QUESTIONS = list(product(ORDERS, FILTERS))
SETS = [
    frozenset(each.id for each in PROFILES),
    frozenset({"cinemaworld"}),
    frozenset({"princes", "corner"}),
    frozenset({"house", "filmworld", "corner"}),
]


IDS = {
    "cinemaworld": ("cw0000001", "cw0000002", "cw-x"),
    "filmworld": ("fw0000001", "fw0000002"),
    "princes": ("p1",),
    "corner": ("c1", "0000001"),
    "house": ("h1",),
}
"""So few that what has one title and what has one number is often just two listings."""


@st.composite
def a_row(draw: st.DrawFn, own_id: str) -> Row:
    return row(
        own_id,
        title=draw(st.sampled_from(TITLES)),
        year=draw(st.sampled_from(YEARS)),
        price=draw(st.sampled_from(AMOUNTS)),
    )


@st.composite
def some_rows(draw: st.DrawFn, provider: str) -> tuple[Row, ...]:
    own_ids = draw(st.lists(st.sampled_from(IDS[provider]), unique=True))
    return tuple(draw(a_row(own_id)) for own_id in sorted(own_ids))


some_lists = st.sampled_from([each.id for each in PROFILES]).flatmap(
    lambda provider: st.tuples(st.just(provider), some_rows(provider))
)
some_changes = st.sampled_from(
    [(shop, own_id) for shop, ids in IDS.items() for own_id in ids]
).flatmap(lambda key: st.tuples(st.just(key), st.none() | a_row(key[1])))
some_details = st.tuples(
    st.sampled_from([(shop, own_id) for shop, ids in IDS.items() for own_id in ids]),
    st.none()
    | st.builds(
        lambda amount, genres: row("x", price=amount, genres=genres),
        st.sampled_from(AMOUNTS),
        st.sampled_from(GENRES),
    ),
)


def run(steps: Iterable[None]) -> None:
    for _ in steps:
        pass


def seen(snapshot: Snapshot, number: int) -> dict[str, Any]:
    """Return what is read of a snapshot by the questions of a number, ids apart."""
    found: dict[str, Any] = {}
    for at, providers in enumerate(2 * SETS):
        order, narrowed = QUESTIONS[(number + 7 * at) % len(QUESTIONS)]
        view = exhausted(snapshot.view(providers))
        chosen = exhausted(view.select(narrowed, order, None, 1_000))
        # Ids, which decide between equals, depend on what was listed before.
        movies = sorted(repr(described(movie)) for movie in chosen.movies)
        values = [value for value, _ in chosen.places]
        found[f"{sorted(providers)} {order} {narrowed}"] = movies, values, chosen.total_count
    return found


def described(movie: ListedMovie) -> tuple[Any, ...]:
    return (
        movie.listings, movie.title, movie.year, movie.near_duplicate, movie.sort_key,
    )  # fmt: skip


class SnapshotMachine(RuleBasedStateMachine):
    """A snapshot beside one that is built from nothing after each change."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = Snapshot(PROFILES, Identities())
        self.lists: dict[str, tuple[Row, ...]] = {}
        self.details: dict[ListingKey, Row] = {}
        self.number = 0

    @initialize(number=st.integers(0, len(QUESTIONS)))
    def questions_begin_anywhere(self, number: int) -> None:
        self.number = number

    @rule(change=some_lists)
    def a_list_changes(self, change: tuple[str, tuple[Row, ...]]) -> None:
        self.list(*change)

    @rule(change=some_changes)
    def a_row_changes(self, change: tuple[ListingKey, Row | None]) -> None:
        (provider, own_id), new = change
        rows = [each for each in self.lists.get(provider, ()) if each.provider_movie_id != own_id]
        self.list(provider, tuple(rows if new is None else [*rows, new]))

    @rule(change=some_details)
    def a_detail_changes(self, change: tuple[ListingKey, Row | None]) -> None:
        key, detail = change
        self.snapshot.set_detail(*key, detail)
        self.details.pop(key, None)
        if detail is not None:
            self.details[key] = detail

    @rule(providers=st.sampled_from(SETS), order=st.sampled_from(ORDERS))
    def somebody_reads(self, providers: frozenset[str], order: MovieOrder) -> None:
        view = exhausted(self.snapshot.view(providers))
        exhausted(view.select(MovieFilter(), order, None, 3))

    @invariant()
    def it_has_the_movies_that_matching_makes(self) -> None:
        listings = [
            Listing(provider, each) for provider, rows in self.lists.items() for each in rows
        ]
        matched = {match.listings for match in match_listings(listings, NUMBERED)}
        movies = {
            tuple(sorted(movie.listings, key=lambda each: each.key)) for movie in self.all_movies()
        }
        assert movies == matched

    @invariant()
    def every_id_and_alias_finds_its_movie(self) -> None:
        movies = self.all_movies()
        assert len({movie.id for movie in movies}) == len(movies) == len(self.snapshot)
        ids = {movie.id for movie in movies}
        for movie in movies:
            assert self.snapshot.find(movie.id) is movie
            for alias in movie.aliases - ids:
                found = self.snapshot.find(alias)
                assert found is not None
                assert alias in found.aliases

    @invariant()
    def near_duplicates_are_marked(self) -> None:
        movies = self.all_movies()
        for movie in movies:
            assert movie.near_duplicate == any(
                may_be_one(movie, other, SELLING) for other in movies
            )

    @invariant()
    def it_is_what_one_built_from_nothing_is(self) -> None:
        anew = Snapshot(PROFILES, Identities())
        for provider, rows in self.lists.items():
            run(anew.set_list(provider, rows))
        for key, detail in self.details.items():
            anew.set_detail(*key, detail)
        self.number += 1
        assert seen(self.snapshot, self.number) == seen(anew, self.number)

    def list(self, provider: str, rows: tuple[Row, ...]) -> None:
        run(self.snapshot.set_list(provider, rows))
        listed = {each.provider_movie_id for each in rows}
        for key in list(self.details):
            if key[0] == provider and key[1] not in listed:
                del self.details[key]
        self.lists[provider] = rows

    def all_movies(self) -> tuple[ListedMovie, ...]:
        return movies_of(self.snapshot)


TestSnapshot = SnapshotMachine.TestCase


def test_a_detail_may_come_before_its_list_and_goes_with_one_that_is_without_it() -> None:
    provider = PROFILES[0].id
    snapshot = Snapshot(PROFILES, Identities())
    for own_id in ("a1", "a2"):
        snapshot.set_detail(provider, own_id, row(own_id))
    run(snapshot.set_list(provider, (row("a1"),)))
    assert snapshot.knows((provider, "a1"))
    assert not snapshot.knows((provider, "a2"))


@given(st.lists(some_lists, max_size=4), st.lists(some_details, max_size=8), st.data())
def test_pages_of_any_size_are_the_list_in_order(
    lists: Sequence[tuple[str, tuple[Row, ...]]],
    details: Sequence[tuple[ListingKey, Row | None]],
    data: st.DataObject,
) -> None:
    snapshot = Snapshot(PROFILES, Identities())
    for provider, rows in lists:
        run(snapshot.set_list(provider, rows))
    for key, detail in details:
        snapshot.set_detail(*key, detail)
    view = exhausted(snapshot.view(data.draw(st.sampled_from(SETS))))
    order = data.draw(st.sampled_from(ORDERS))
    narrowed = data.draw(
        st.builds(MovieFilter, title=st.sampled_from([None, "alien", "co"]),
                  year_from=st.sampled_from([None, 1980]),
                  price_to=st.sampled_from([None, Decimal(30)]))
    )  # fmt: skip
    whole = exhausted(view.select(narrowed, order, None, 1_000))
    assert whole.total_count == len(whole.movies)
    present = [place for place in whole.places if place[0] is not None]
    values = [value for value, _ in present]
    assert values == sorted(values, reverse=order.descending)
    assert [value for value, _ in whole.places[len(present) :]] == [None] * (
        len(whole.places) - len(present)
    )
    first = data.draw(st.integers(1, 3))
    found: list[str] = []
    after: Position | None = None
    while True:
        page = exhausted(view.select(narrowed, order, after, first))
        found += [movie.id for movie in page.movies]
        assert page.total_count == whole.total_count
        if not page.has_next:
            break
        after = page.places[-1]
    assert found == [movie.id for movie in whole.movies]


def test_what_was_one_movie_by_way_of_a_row_that_changes_is_matched_anew() -> None:
    snapshot = Snapshot(PROFILES, Identities())
    dated = row("cw0000001", title="Alien", year=1979)
    undated = row("fw0000001", title="Aliens")
    other = row("c1", title="Aliens", year=1986)
    for provider, each in (("cinemaworld", dated), ("filmworld", undated), ("corner", other)):
        run(snapshot.set_list(provider, (each,)))
    assert len(snapshot) == 2  # of 1979 by digits, and of 1986
    run(snapshot.set_list("cinemaworld", ()))
    (movie,) = movies_of(snapshot)  # the undated one may now be that of 1986
    assert {each.row for each in movie.listings} == {undated, other}


def test_a_movie_that_a_contradicted_row_may_mean_is_marked_for_as_long_as_it_may() -> None:
    snapshot = Snapshot(PROFILES, Identities())
    run(snapshot.set_list("corner", (row("c1", title="Foo"), row("c2", title="Baz"))))
    foo, bar = row("p1", title="Foo", price="8"), row("p1", title="Bar", price="3")
    run(snapshot.set_list("princes", unique_rows([foo, bar])))
    marked = {each.title: each.near_duplicate for each in movies_of(snapshot)}
    assert marked == {"Foo": True, "Bar": False, "Baz": False}
    run(snapshot.set_list("princes", (bar,)))
    assert not any(each.near_duplicate for each in movies_of(snapshot))


def test_what_is_listed_for_long_is_not_forgotten_for_what_comes_and_goes() -> None:
    snapshot = Snapshot(PROFILES, Identities(entries_max=4))
    run(snapshot.set_list("princes", (row("p1", title="Alien", year=1979),)))
    for year in range(1980, 1990):
        run(snapshot.set_list("corner", (row("c1", title="Jaws", year=year),)))
    run(snapshot.set_list("princes", ()))
    withdrawn = snapshot.last_seen("alien_1979")
    assert withdrawn is not None
    assert withdrawn.id == "alien_1979"


def test_a_view_that_is_let_go_while_it_is_filled_is_kept_up_for_who_fills_it() -> None:
    profiles = [shop(f"shop{n}", imdb_ids=False) for n in range(6)]
    snapshot = Snapshot(profiles, Identities())
    rows = tuple(row(f"x{n}", title=f"Movie {n}") for n in range(3 * ROWS_A_STEP))
    run(snapshot.set_list("shop0", rows))
    filling = snapshot.view(frozenset({"shop0", "shop1"}))
    next(filling)
    for first, second in combinations(range(1, 6), 2):  # more sets than are kept
        exhausted(snapshot.view(frozenset({f"shop{first}", f"shop{second}"})))
    run(snapshot.set_list("shop0", (*rows[1:-1], row("new", title="New"))))
    found = exhausted(exhausted(filling).select(MovieFilter(), MovieOrder(), None, 1_000))
    expected = {each.description.title for each in rows[1:-1]} | {"New"}
    assert {each.title for each in found.movies} == expected
    assert found.total_count == len(expected)
