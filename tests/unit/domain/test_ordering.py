"""Cursors: what was written is read again, and anything else is refused."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movieql.domain.errors import BadInputError
from movieql.domain.movies import MovieOrder
from movieql.domain.selection import CURSOR_CHARACTERS_MAX, Position, read_cursor, write_cursor
from tests.unit.domain.worlds import ORDERS, Field

TEXTS = st.text(alphabet=st.characters(exclude_categories=()), max_size=3)
VALUES: dict[Field, st.SearchStrategy[Any]] = {
    "title": TEXTS,
    "year": st.integers(1979, 1982),
    "price": st.sampled_from(["9.5", "9.50", "0.3"]).map(Decimal)
    | st.decimals("0.000001", 10**9, places=6),
}
places = st.sampled_from(ORDERS).flatmap(
    lambda order: st.tuples(st.tuples(st.none() | VALUES[order.field], TEXTS), st.just(order))
)


def encoded(body: str) -> str:
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


@given(places)
def test_a_cursor_says_where_it_stands_and_survives_a_url(
    drawn: tuple[Position, MovieOrder],
) -> None:
    place, order = drawn
    cursor = write_cursor(place, order)
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert read_cursor(cursor, order) == place


@pytest.mark.parametrize("theirs", ORDERS, ids=str)
@pytest.mark.parametrize("ours", ORDERS, ids=str)
def test_a_cursor_of_another_order_is_refused(theirs: MovieOrder, ours: MovieOrder) -> None:
    cursor = write_cursor((None, "tt0000001"), theirs)
    if theirs == ours:
        assert read_cursor(cursor, ours) == (None, "tt0000001")
    else:
        with pytest.raises(BadInputError, match="`after` is not a cursor of this list"):
            read_cursor(cursor, ours)


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
            read_cursor(encoded(body), order)


def test_a_cursor_that_is_not_even_text_of_ours_is_refused() -> None:
    for cursor in ("", "=", "====", "a", "aaaaa", "\ud800", "é", "\0", "[" * 2_000, "W1tb" * 500):
        with pytest.raises(BadInputError):
            read_cursor(cursor, MovieOrder())


def test_a_cursor_longer_than_any_of_ours_is_refused() -> None:
    with pytest.raises(BadInputError):
        read_cursor(write_cursor((None, "a" * CURSOR_CHARACTERS_MAX), MovieOrder()), MovieOrder())


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
    st.sampled_from(ORDERS),
)
@example("W1tb" * 400, ORDERS[0])
def test_any_other_text_is_a_cursor_or_bad_input_and_nothing_else(
    cursor: str, order: MovieOrder
) -> None:
    try:
        value, movie_id = read_cursor(cursor, order)
    except BadInputError:
        return
    kinds = {"title": str, "year": int, "price": Decimal}
    assert value is None or isinstance(value, kinds[order.field])
    assert isinstance(movie_id, str)
