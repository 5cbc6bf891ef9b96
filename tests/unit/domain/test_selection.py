import base64
import json
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movieql.domain.errors import BadInputError
from movieql.domain.index import IndexedMovie
from movieql.domain.money import Money
from movieql.domain.movies import Cheapest, Movie, MovieOrder, Offer
from movieql.domain.ordering import CURSOR_CHARACTERS_MAX, Position, sort_key, write_cursor
from movieql.domain.selection import MovieFilter
from tests.builders import listing
from tests.unit.domain.worlds import (
    indexed,
    listed_position,
    page_after,
    priced_position,
    some_listings,
)

Field = Literal["title", "year", "price"]
FIELDS: tuple[Field, ...] = ("title", "year", "price")
ORDERS = [MovieOrder(field, descending) for field in FIELDS for descending in (False, True)]
orders = st.sampled_from(ORDERS)


def listed(title: str | None = "Star Wars", year: int | None = None) -> IndexedMovie:
    return IndexedMovie.alone(listing(title=title, year=year))


def offered(*prices: str | None, genres: tuple[str, ...] = (), movie_id: str = "tt1") -> Movie:
    offers = tuple(
        Offer(f"shop{n}", "1", None if price is None else Money(Decimal(price), "AUD"))
        for n, price in enumerate(prices)
    )
    priced = [(offer.price.amount, offer) for offer in offers if offer.price is not None]
    cheapest = min(priced, key=lambda pair: pair[0])[1] if priced else None
    return Movie(
        id=movie_id,
        genres=genres,
        offers=offers,
        cheapest=Cheapest(cheapest, final=False),
        sources=(),
    )


# Filters


def test_a_filter_of_nothing_admits_everything() -> None:
    assert MovieFilter().admits_listed(listed(None))
    assert MovieFilter().admits(offered())
    assert MovieFilter().detail_fields == frozenset()


@pytest.mark.parametrize("text", ["star", "STAR WARS", "ar w", "Stár", "star-wars!", "", "  "])
def test_a_title_is_found_by_any_part_of_it_however_it_is_written(text: str) -> None:
    assert MovieFilter(title=text).admits_listed(listed("Star Wars: A New Hope"))


@pytest.mark.parametrize("text", ["trek", "wars star", "starwars"])
def test_a_title_without_that_part_is_not_found(text: str) -> None:
    assert not MovieFilter(title=text).admits_listed(listed("Star Wars: A New Hope"))


def test_a_title_of_signs_is_found_by_its_signs() -> None:
    assert MovieFilter(title="!!").admits_listed(listed("!!!"))
    assert not MovieFilter(title="?").admits_listed(listed("!!!"))


def test_a_movie_without_title_or_year_is_in_no_part_of_them() -> None:
    assert not MovieFilter(title="star").admits_listed(listed(None))
    assert not MovieFilter(year_from=1900).admits_listed(listed(year=None))
    assert not MovieFilter(year_to=2100).admits_listed(listed(year=None))


@pytest.mark.parametrize(
    "low, high, admitted",
    [
        (1977, 1977, True),
        (1977, None, True),
        (None, 1977, True),
        (1978, None, False),
        (None, 1976, False),
        (1978, 1976, False),
    ],
)
def test_both_ends_of_a_range_of_years_belong_to_it(
    low: int | None, high: int | None, *, admitted: bool
) -> None:
    assert MovieFilter(year_from=low, year_to=high).admits_listed(listed(year=1977)) is admitted


@pytest.mark.parametrize(
    "low, high, admitted",
    [
        ("29.5", "29.50", True),
        ("29.51", None, False),
        (None, "29.49", False),
        ("100", "200", False),
        (None, "0", False),
    ],
)
def test_a_range_of_prices_is_about_the_lowest_price(
    low: str | None, high: str | None, *, admitted: bool
) -> None:
    narrowed = MovieFilter(
        price_from=None if low is None else Decimal(low),
        price_to=None if high is None else Decimal(high),
    )
    assert narrowed.admits(offered("123.5", "29.5", None)) is admitted


def test_a_movie_without_price_is_in_no_range_of_prices() -> None:
    assert not MovieFilter(price_from=Decimal(0)).admits(offered(None))
    assert not MovieFilter(price_to=Decimal(10)).admits(offered())


def test_a_genre_is_one_whole_genre_in_any_case() -> None:
    movie = offered(genres=("Action", "Sci-Fi"))
    assert MovieFilter(genre="sci-fi").admits(movie)
    assert not MovieFilter(genre="sci").admits(movie)
    assert not MovieFilter(genre="action").admits(offered())


def test_every_part_of_a_filter_must_hold() -> None:
    movie = offered("29.5", genres=("Action",))
    assert MovieFilter(genre="action", price_to=Decimal(30)).admits(movie)
    assert not MovieFilter(genre="action", price_to=Decimal(20)).admits(movie)
    assert not MovieFilter(genre="drama", price_to=Decimal(30)).admits(movie)
    assert not MovieFilter(title="trek", year_from=1977).admits_listed(listed(year=1977))


def test_only_genre_and_price_need_details() -> None:
    listed_parts = MovieFilter(title="a", year_from=1, year_to=2, providers=frozenset({"x"}))
    assert listed_parts.detail_fields == frozenset()
    assert MovieFilter(genre="drama").detail_fields == {"genres"}
    assert MovieFilter(price_from=Decimal(1)).detail_fields == {"price"}
    assert MovieFilter(genre="drama", price_to=Decimal(1)).detail_fields == {"genres", "price"}


# Orders


def test_prices_are_ordered_as_numbers_and_a_missing_one_comes_last() -> None:
    movies = [
        offered("1295.0", movie_id="b"),
        offered(None, movie_id="a"),
        offered("29.5", movie_id="d"),
        offered("123.5", movie_id="c"),
    ]
    for descending, order in ((False, "dcba"), (True, "bcda")):
        by_price = MovieOrder("price", descending)
        assert (
            "".join(each.id for each in page_after(movies, priced_position, by_price, None))
            == order
        )


def test_titles_are_ordered_without_case_and_accents() -> None:
    index = indexed(
        *(
            listing("princes", title, title=title, year=year)
            for title, year in [("zulu", 1), ("Élan", 2), ("Eden", 3), ("alien", 4), ("Émile", 5)]
        ),
        listing("princes", "p", title=None),
    )
    up, down = MovieOrder("title"), MovieOrder("title", descending=True)
    ascending = page_after(index.movies, lambda each: listed_position(each, up), up, None)
    descending = page_after(index.movies, lambda each: listed_position(each, down), down, None)
    titles = ["alien", "Eden", "Élan", "Émile", "zulu"]
    assert [each.title for each in ascending] == [*titles, None]
    assert [each.title for each in descending] == [*reversed(titles), None]


def test_a_movie_stands_by_its_year_when_years_are_asked_for() -> None:
    (movie,) = indexed(listing(own_id="cw1", year=1977)).movies
    assert listed_position(movie, MovieOrder("year")) == (1977, "tt0000001")
    assert listed_position(movie, MovieOrder("title")) == ("star wars", "tt0000001")


# Pages

ids = st.text(alphabet=st.characters(exclude_categories=()), max_size=3)
VALUES: dict[Field, st.SearchStrategy[Any]] = {
    "title": st.text(alphabet=st.characters(exclude_categories=()), max_size=2)
    | st.sampled_from("ab"),
    "year": st.integers(1979, 1982),
    "price": st.sampled_from(["9.5", "9.50", "29.5", "123.5", "1295.0", "0.3"]).map(Decimal)
    | st.decimals("0.000001", 10**9, places=6),
}


@st.composite
def ordered_lists(draw: st.DrawFn) -> tuple[list[Position], MovieOrder]:
    order = draw(orders)
    value = st.none() | VALUES[order.field]
    return draw(st.lists(st.tuples(value, ids), unique_by=lambda each: each[1])), order


def expected(entries: Sequence[Position], order: MovieOrder) -> list[Position]:
    """Sort without `sort_key`: by id, then stably by value, then what has no value."""
    by_id = sorted(entries, key=lambda entry: entry[1])
    present = [entry for entry in by_id if entry[0] is not None]
    present.sort(key=lambda entry: entry[0], reverse=order.descending)
    return present + [entry for entry in by_id if entry[0] is None]


def page(entries: Sequence[Position], order: MovieOrder, after: str | None) -> Sequence[Position]:
    return page_after(entries, lambda entry: entry, order, after)


@given(ordered_lists(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_pages_of_any_size_give_the_sorted_list_exactly_once(
    drawn: tuple[list[Position], MovieOrder], size: int, chance: Random
) -> None:
    entries, order = drawn
    walked: list[Position] = []
    after = None
    while behind := page(chance.sample(entries, len(entries)), order, after)[:size]:
        walked += behind
        after = write_cursor(behind[-1], order)
    assert walked == expected(entries, order)


@given(ordered_lists(), st.data())
def test_a_page_goes_on_where_it_was_when_the_movie_at_the_cursor_is_withdrawn(
    drawn: tuple[list[Position], MovieOrder], data: st.DataObject
) -> None:
    entries, order = drawn
    if entries:
        gone = data.draw(st.sampled_from(entries))
        rest = [entry for entry in entries if entry != gone]
        in_order = expected(entries, order)
        behind = page(rest, order, write_cursor(gone, order))
        assert behind == in_order[in_order.index(gone) + 1 :]


@given(some_listings(), st.sampled_from(ORDERS[:4]), st.randoms(use_true_random=False))
def test_pages_do_not_depend_on_the_order_of_rows_or_of_arrival(
    listings: list[Any], order: MovieOrder, chance: Random
) -> None:
    def shown(rows: list[Any]) -> list[str]:
        movies = indexed(*rows).movies
        in_order = page_after(movies, lambda each: listed_position(each, order), order, None)
        return [each.id for each in in_order]

    assert shown(chance.sample(listings, len(listings))) == shown(listings)


@pytest.mark.parametrize(
    "title, endings",
    [("a", "cab"), ("映", "cab"), ("𐐨", "cab"), ("!", "?!#"), ('"\\', "?!#"), ("\1", "?!#")],
)
@pytest.mark.parametrize("order", ORDERS[:2], ids=["asc", "desc"])
def test_pages_go_on_behind_a_title_of_any_length(
    title: str, endings: str, order: MovieOrder
) -> None:
    long = [listing("princes", end, title=title * 2_000 + end) for end in endings]
    movies = indexed(*long, listing()).movies
    walked: list[str] = []
    after = None
    while behind := page_after(movies, lambda each: listed_position(each, order), order, after):
        walked.append(behind[0].id)
        after = write_cursor(listed_position(behind[0], order), order)
        assert len(after) <= CURSOR_CHARACTERS_MAX
    assert len(walked) == len(set(walked)) == 4


def test_pages_go_on_behind_a_movie_with_the_longest_id_a_shop_may_give() -> None:
    movies = indexed(*(listing("princes", "映" * 199 + n, title=None) for n in "ab")).movies
    order = MovieOrder()
    first, second = page_after(movies, lambda each: listed_position(each, order), order, None)
    after = write_cursor(listed_position(first, order), order)
    assert page_after(movies, lambda each: listed_position(each, order), order, after) == [second]


# Cursors


def encoded(body: str) -> str:
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


@given(ordered_lists())
def test_a_cursor_says_where_it_stands_and_survives_a_url(
    drawn: tuple[list[Position], MovieOrder],
) -> None:
    entries, order = drawn
    for entry in entries:
        cursor = write_cursor(entry, order)
        assert cursor.isascii()
        assert cursor.replace("-", "").replace("_", "").isalnum()
        assert [each for each in entries if sort_key(each, order) > sort_key(entry, order)] == [
            each for each in entries if each in page(entries, order, cursor)
        ]


@pytest.mark.parametrize("theirs", ORDERS, ids=str)
@pytest.mark.parametrize("ours", ORDERS, ids=str)
def test_a_cursor_of_another_order_is_refused(theirs: MovieOrder, ours: MovieOrder) -> None:
    cursor = write_cursor((None, "tt0000001"), theirs)
    if theirs == ours:
        assert page([(None, "tt0000002")], ours, cursor) == [(None, "tt0000002")]
    else:
        with pytest.raises(BadInputError, match="`after` is not a cursor of this list"):
            page([], ours, cursor)


NO_CURSORS: list[Any] = [None, 5, "abc", [], {"a": 1, "b": 2, "c": 3}]
NO_CURSORS += [["ORDER"], ["ORDER", None], ["ORDER", None, None], ["ORDER", None, 5]]
NO_CURSORS += [["ORDER", None, "x", 1], [["ORDER"], None, "x"], ["order", None, "x"]]
NO_VALUES: dict[Field, list[Any]] = {
    "title": [1, 1.5, True, [], {}, ["a"]],
    "year": ["1977", 1977.5, True, [], {}],
    "price": [
        *("", "cheap", "NaN", "sNaN", "Infinity", "1E+9999999999999999999"),
        *([0, [1], 0], [], {}, True, 5, float("nan"), float("inf")),
    ],
}


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_cursor_that_we_did_not_write_is_refused(order: MovieOrder) -> None:
    name = f"{order.field} {'desc' if order.descending else 'asc'}"
    bodies = [json.dumps(body).replace("ORDER", name) for body in NO_CURSORS]
    bodies += [json.dumps([name, value, "x"]) for value in NO_VALUES[order.field]]
    for body in bodies:
        with pytest.raises(BadInputError):
            page([(None, "a")], order, encoded(body))


def test_a_cursor_that_is_not_even_text_of_ours_is_refused() -> None:
    for cursor in ("", "=", "====", "a", "aaaaa", "\ud800", "é", "\0", "[" * 2_000, "W1tb" * 500):
        with pytest.raises(BadInputError):
            page([], MovieOrder(), cursor)


def test_a_cursor_longer_than_any_of_ours_is_refused() -> None:
    with pytest.raises(BadInputError):
        page([], MovieOrder(), write_cursor((None, "a" * CURSOR_CHARACTERS_MAX), MovieOrder()))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
bodies = st.tuples(
    st.sampled_from([f"{each.field} {'desc' if each.descending else 'asc'}" for each in ORDERS])
    | json_values,
    json_values | st.decimals().map(str) | st.from_regex(r"[0-9]{1,3}[eE][+-]?[0-9]{1,20}"),
    json_values,
).map(lambda body: encoded(json.dumps(body)))


@given(
    st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()) | bodies,
    orders,
)
@example("W1tb" * 400, ORDERS[0])
def test_any_other_text_is_a_cursor_or_bad_input_and_nothing_else(
    cursor: str, order: MovieOrder
) -> None:
    values: dict[Field, Any] = {"title": "b", "year": 1980, "price": Decimal("29.5")}
    entries = [(values[order.field], "b"), (None, "a")]
    try:
        behind = page(entries, order, cursor)
    except BadInputError:
        return
    assert behind == entries[len(entries) - len(behind) :]


def test_a_filter_finds_every_movie_by_its_whole_title() -> None:
    for title in ("Star Wars", "!!!", "नीर", "❤️", "Ⅳ", "\u0301"):
        assert MovieFilter(title=title).admits_listed(listed(title))
