"""Orders, pages and filters over the movies of some providers."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.merge import ListedMovie
from movieql.domain.movies import ListingKey, MovieOrder, Row
from movieql.domain.selection import CURSOR_CHARACTERS_MAX, MovieFilter, read_cursor, write_cursor
from movieql.domain.titles import sort_key
from movieql.movies.growth import Growth
from movieql.movies.views import MOVIES_SCANNED_A_STEP, Selected, View
from movieql.waiting import exhausted
from tests.builders import listing, row, shop
from tests.unit.domain.worlds import ORDERS, Field, listed, movies_of, some_listings

CORNER = shop("corner", detail_fields=frozenset())
CINEMAWORLD = shop("cinemaworld")
PROFILES = {each.id: each for each in (CORNER, CINEMAWORLD)}
ALL = MovieFilter()

ids = st.text(alphabet=st.characters(exclude_categories=()), max_size=3)
VALUES: dict[Field, st.SearchStrategy[Any]] = {
    "title": st.text(alphabet=st.characters(exclude_categories=()), max_size=2)
    | st.sampled_from("ab"),
    "year": st.integers(1979, 1982),
    "price": st.sampled_from(["9.5", "9.50", "29.5", "123.5", "1295.0", "0.3"])
    | st.decimals("0.000001", 10**9, places=6).map(str),
}

Entry = tuple[Any, str]
"""What a movie has of the value that it is ordered by, and its id."""


@st.composite
def ordered_lists(draw: st.DrawFn) -> tuple[list[Entry], MovieOrder]:
    order = draw(st.sampled_from(ORDERS))
    value = st.none() | VALUES[order.field]
    return draw(st.lists(st.tuples(value, ids), unique_by=lambda each: each[1])), order


def movie(movie_id: str, own_id: str = "1", **described: Any) -> ListedMovie:
    """Return a movie that the corner shop lists, with its price."""
    described.setdefault("title", "Star Wars")
    return ListedMovie(movie_id, frozenset(), [listing("corner", own_id, **described)])


def view_of(
    movies: Iterable[ListedMovie], details: Mapping[ListingKey, Row] | None = None
) -> View:
    view = View(frozenset(PROFILES), PROFILES, details or {}, Growth())
    for each in movies:
        view.put(each)
    return view


def entries_view(entries: Iterable[Entry], order: MovieOrder) -> View:
    return view_of(movie(movie_id, **{order.field: value}) for value, movie_id in entries)


def page(
    view: View,
    order: MovieOrder,
    after: str | None,
    first: int = 1_000,
    narrowed: MovieFilter = ALL,
) -> Selected:
    place = None if after is None else read_cursor(after, order)
    return exhausted(view.select(narrowed, order, place, first))


def shown(selected: Selected) -> list[str]:
    return [each.id for each in selected.movies]


def expected(entries: Sequence[Entry], order: MovieOrder) -> list[str]:
    """Sort without ranks: by id, then stably by value, then what has no value."""

    def value(entry: Entry) -> Any:
        if order.field == "title":
            return sort_key(entry[0])
        return Decimal(entry[0]) if order.field == "price" else entry[0]

    by_id = sorted(entries, key=lambda entry: entry[1])
    missing = {None, ""} if order.field == "title" else {None}
    present = [entry for entry in by_id if entry[0] not in missing]
    present.sort(key=value, reverse=order.descending)
    return [each for _, each in present + [entry for entry in by_id if entry[0] in missing]]


# Orders


@given(ordered_lists(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_pages_of_any_size_give_the_sorted_list_exactly_once(
    drawn: tuple[list[Entry], MovieOrder], size: int, chance: Random
) -> None:
    entries, order = drawn
    view = entries_view(chance.sample(entries, len(entries)), order)
    walked: list[str] = []
    after = None
    while (found := page(view, order, after, size)).movies:
        walked += shown(found)
        assert found.total_count == len(entries)
        assert found.has_next == (len(walked) < len(entries))
        after = write_cursor(found.places[-1], order)
    assert walked == expected(entries, order)


@given(ordered_lists(), st.data())
def test_an_order_is_kept_up_when_movies_come_and_go(
    drawn: tuple[list[Entry], MovieOrder], data: st.DataObject
) -> None:
    entries, order = drawn
    view = entries_view(entries[::2], order)
    page(view, order, None)
    for value, movie_id in entries[1::2]:
        view.put(movie(movie_id, **{order.field: value}))
    gone = data.draw(st.sets(st.sampled_from(entries))) if entries else set()
    for _, movie_id in gone:
        view.drop(movie_id)
    rest = [each for each in entries if each not in gone]
    assert shown(page(view, order, None)) == expected(rest, order)


@given(ordered_lists(), st.data())
def test_a_page_goes_on_where_it_was_when_the_movie_at_the_cursor_is_withdrawn(
    drawn: tuple[list[Entry], MovieOrder], data: st.DataObject
) -> None:
    entries, order = drawn
    view = entries_view(entries, order)
    if entries:
        at = data.draw(st.integers(0, len(entries) - 1))
        before = page(view, order, None)
        view.drop(before.movies[at].id)
        behind = page(view, order, write_cursor(before.places[at], order))
        assert shown(behind) == shown(before)[at + 1 :]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["title", "year", "price"])
def test_what_has_no_value_comes_last_in_both_directions_and_equals_by_id(
    field: Field, *, descending: bool
) -> None:
    values: dict[str, Any] = {"title": "Alien", "year": 1979, "price": "9.5"}
    entries = [(None, "d"), (values[field], "c"), (None, "a"), (values[field], "b")]
    order = MovieOrder(field, descending)
    assert shown(page(entries_view(entries, order), order, None)) == ["b", "c", "a", "d"]


def test_prices_are_ordered_as_numbers() -> None:
    amounts = {"b": "1295.0", "a": None, "d": "29.5", "c": "123.5"}
    view = view_of(movie(each, price=price) for each, price in amounts.items())
    for descending, ids_in_order in ((False, "dcba"), (True, "bcda")):
        order = MovieOrder("price", descending)
        assert "".join(shown(page(view, order, None))) == ids_in_order


def test_titles_are_ordered_without_case_and_accents() -> None:
    titles = ["alien", "Eden", "Élan", "Émile", "zulu"]
    view = view_of(movie(f"id{at}", title=each) for at, each in enumerate([*titles, None]))
    for descending in (False, True):
        found = page(view, MovieOrder("title", descending), None)
        in_order = titles[::-1] if descending else titles
        assert [each.title for each in found.movies] == [*in_order, None]


@given(some_listings(), st.sampled_from(ORDERS[:4]), st.randoms(use_true_random=False))
def test_an_order_does_not_depend_on_the_order_of_rows_or_of_arrival(
    listings: list[Any], order: MovieOrder, chance: Random
) -> None:
    def in_order(rows: list[Any]) -> list[str]:
        return [each.id for each in movies_of(listed(*rows), order=order)]

    assert in_order(chance.sample(listings, len(listings))) == in_order(listings)


def test_a_price_that_becomes_known_moves_a_movie() -> None:
    details: dict[ListingKey, Row] = {("cinemaworld", "cw1"): row("cw1", price="5")}
    cheap, dear = (
        ListedMovie(f"id{each}", frozenset(), [listing("cinemaworld", f"cw{each}")])
        for each in (1, 2)
    )
    view = view_of([cheap, dear], details)
    order = MovieOrder("price")
    assert shown(page(view, order, None)) == ["id1", "id2"]
    details["cinemaworld", "cw2"] = row("cw2", price="4", genres=("War",))
    view.refresh(dear)
    assert shown(page(view, order, None)) == ["id2", "id1"]
    assert shown(page(view, order, None, narrowed=MovieFilter(genre="WAR"))) == ["id2"]
    assert shown(page(view, order, None, narrowed=MovieFilter(price_to=Decimal("4.5")))) == ["id2"]
    del details["cinemaworld", "cw2"]
    view.refresh(dear)
    assert shown(page(view, order, None)) == ["id1", "id2"]
    assert shown(page(view, order, None, narrowed=MovieFilter(genre="War"))) == []


# Cursors in extreme lists


@pytest.mark.parametrize(
    "title, endings",
    [("a", "cab"), ("映", "cab"), ("𐐨", "cab"), ("!", "?!#"), ('"\\', "?!#"), ("\1", "?!#")],
)
@pytest.mark.parametrize("order", ORDERS[:2], ids=["asc", "desc"])
def test_pages_go_on_behind_a_title_of_any_length(
    title: str, endings: str, order: MovieOrder
) -> None:
    long = [movie(f"id{end}", title=title * 2_000 + end) for end in endings]
    view = view_of([*long, movie("short")])
    walked: list[str] = []
    after = None
    while (found := page(view, order, after, 1)).movies:
        walked += shown(found)
        after = write_cursor(found.places[0], order)
        assert len(after) <= CURSOR_CHARACTERS_MAX
    assert len(walked) == len(set(walked)) == 4


def test_pages_go_on_behind_a_movie_with_the_longest_id_a_shop_may_give() -> None:
    snapshot = listed(*(listing("princes", "映" * 199 + n, title=None) for n in "ab"))
    view = exhausted(snapshot.view(frozenset(snapshot.profiles)))
    both = page(view, MovieOrder(), None)
    after = write_cursor(both.places[0], MovieOrder())
    assert shown(page(view, MovieOrder(), after)) == shown(both)[1:]


EXTREME: dict[Field, st.SearchStrategy[Any]] = {
    "title": st.text(alphabet=st.characters(exclude_categories=())),
    "year": st.integers(),
    "price": st.decimals(allow_nan=False, allow_infinity=False),
}


@given(
    st.sampled_from(ORDERS).flatmap(
        lambda order: st.tuples(st.just(order), st.none() | EXTREME[order.field], ids)
    )
)
def test_behind_any_place_is_the_end_of_the_list(drawn: tuple[MovieOrder, Any, str]) -> None:
    order, value, movie_id = drawn
    view = view_of([movie("a"), movie("b", title="B", year=1980, price="29.5")])
    whole = shown(page(view, order, None))
    behind = shown(exhausted(view.select(ALL, order, (value, movie_id), 10)))
    assert behind == whole[len(whole) - len(behind) :]


# Filters


MOVIES = [
    movie("sw", "1", title="Star Wars", year=1977, price="29.5", genres=("Action", "Sci-Fi")),
    movie("st", "2", title="Star Trek", year=1979, price="9.5", genres=("Action",)),
    movie("jaws", "3", title="Jaws", year=1975, genres=("Thriller",)),
    movie("nothing", "4", title=None),
]


@pytest.mark.parametrize(
    "narrowed, found",
    [
        (MovieFilter(title="star"), ["st", "sw"]),
        (MovieFilter(title="star", year_from=1978), ["st"]),
        (MovieFilter(year_to=1977), ["jaws", "sw"]),
        (MovieFilter(year_from=1978, year_to=1976), []),
        (MovieFilter(genre="sci-fi"), ["sw"]),
        (MovieFilter(genre="sci"), []),
        (MovieFilter(genre="ACTION", price_to=Decimal(10)), ["st"]),
        (MovieFilter(price_from=Decimal(0)), ["st", "sw"]),
        (MovieFilter(genre="drama", price_to=Decimal(30)), []),
        (MovieFilter(ids=frozenset({"jaws", "nobody"})), ["jaws"]),
        (MovieFilter(ids=frozenset({"jaws", "st"}), title="trek"), ["st"]),
        (MovieFilter(ids=frozenset()), []),
    ],
)
@pytest.mark.parametrize("others", [0, 100], ids=["alone", "among others"])
def test_every_part_of_a_filter_must_hold(
    narrowed: MovieFilter, found: list[str], others: int
) -> None:
    view = view_of([*MOVIES, *(movie(f"x{n}", title="Other") for n in range(others))])
    selected = page(view, MovieOrder(), None, narrowed=narrowed)
    assert shown(selected) == found
    assert selected.total_count == len(found)


@pytest.mark.parametrize("others", [0, 100], ids=["alone", "among others"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("field", ["title", "year", "price"])
def test_a_filtered_list_comes_page_by_page(
    field: Field, size: int, others: int, *, descending: bool
) -> None:
    view = view_of([*MOVIES, *(movie(f"x{n}", title="Other") for n in range(others))])
    order, narrowed = MovieOrder(field, descending), MovieFilter(year_from=1975, year_to=1979)
    walked: list[str] = []
    after = None
    while (found := page(view, order, after, size, narrowed)).movies:
        walked += shown(found)
        assert (found.has_next, found.total_count) == (len(walked) < 3, 3)
        after = write_cursor(found.places[-1], order)
    in_order = {"title": "jaws st sw", "year": "jaws sw st", "price": "st sw jaws"}[field].split()
    if descending:
        in_order = ["sw", "st", "jaws"] if field == "price" else in_order[::-1]
    assert walked == in_order


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["year", "price"])
def test_a_list_is_walked_only_where_a_filter_lets_movies_pass(
    field: Field, *, descending: bool
) -> None:
    view = view_of(movie(f"id{n:03d}", str(n), year=n, price=str(n + 1)) for n in range(500))
    narrowed = (
        MovieFilter(year_from=100, year_to=400)
        if field == "year"
        else MovieFilter(price_from=Decimal(101), price_to=Decimal(401))
    )
    order = MovieOrder(field, descending)
    ends = [f"id{n:03d}" for n in ((400, 399) if descending else (100, 101))]
    first = page(view, order, None, 2, narrowed)
    assert (shown(first), first.total_count) == (ends, 301)
    last = 101 if descending else 399
    value = last if field == "year" else Decimal(last + 1)
    after = write_cursor((value, f"id{last:03d}"), order)
    behind = page(view, order, after, 2, narrowed)
    assert shown(behind) == ["id100" if descending else "id400"]
    assert not behind.has_next


def test_a_filter_is_right_though_movies_come_and_go_while_it_is_tested() -> None:
    many = [movie(f"id{n:05d}", str(n), year=n) for n in range(2 * MOVIES_SCANNED_A_STEP)]
    view = view_of(many)
    late = 0
    steps = view.select(MovieFilter(title="star"), MovieOrder("year"), None, 3)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Selected = end.value
            break
        if late < 10:  # more often than a filter is tested again
            view.drop(f"id{late:05d}")
            view.put(movie(f"late{late}", f"late{late}", title="Other", year=-1))
            late += 1
    assert shown(found) == [f"id{n:05d}" for n in range(late, late + 3)]
    assert found.total_count == len(many) - late
