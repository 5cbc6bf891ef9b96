"""What providers may send, and what is made of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.movies import Description, Row
from movieql.movies.growth import ReadRows
from movieql.providers.contract import Contract, Operation
from movieql.providers.reading import (
    UnusableBodyError,
    read_created,
    read_detail,
    read_list,
)
from movieql.waiting import exhausted

KEYS: Mapping[str, str] = {
    "id": "ID",
    "title": "Title",
    "year": "Year",
    "poster": "Poster",
    "price": "Price",
    "genres": "Genre",
    "director": "Director",
    "writers": "Writer",
    "actors": "Actors",
    "plot": "Plot",
    "runtime_minutes": "Runtime",
    "rated": "Rated",
    "released": "Released",
    "languages": "Language",
    "countries": "Country",
    "awards": "Awards",
    "rating": "Rating",
    "votes": "Votes",
    "metascore": "Metascore",
    "created_at": "CreatedAt",
}
WRAPPED = Contract(
    base_url="http://shop.test",
    list=Operation("/movies", wrapper="Movies"),
    keys=KEYS,
    detail=Operation("/movie/{id}"),
)
BARE = replace(WRAPPED, list=Operation("/movies"))
WRAPPED_DETAIL = replace(WRAPPED, detail=Operation("/movie/{id}", wrapper="Movie"))


def shown(value: object) -> str:
    """Return the name of a parameter: types differ, and a long one is not told to its end."""
    return repr(value)[:40]


DEEP = "[" * 100_000 + "]" * 100_000


def listed(*entries: Any, before: tuple[Row, ...] = ()) -> tuple[Row, ...]:
    return exhausted(
        read_list(json.dumps({"Movies": entries}).encode(), WRAPPED, ReadRows(before))
    )


def detailed(**fields: Any) -> Row:
    body = json.dumps({"ID": "cw1", "Title": "Jaws", **fields})
    (row,) = read_detail(body.encode(), WRAPPED, "cw1")
    return row


def priced(price_json: str) -> Row:
    """Return the row of a detail whose price is this piece of JSON."""
    body = f'{{"ID": "cw1", "Title": "Jaws", "Price": {price_json}}}'
    (row,) = read_detail(body.encode(), WRAPPED, "cw1")
    return row


# A list


def test_a_list_under_its_wrapper_is_read() -> None:
    assert listed({"ID": "cw1", "Title": "Jaws", "Year": "1975"}) == (
        Row("cw1", Description(title="Jaws", year=1975)),
    )


def test_a_bare_list_is_read() -> None:
    assert exhausted(read_list(b'[{"ID": "cw1"}]', BARE)) == (Row("cw1"),)


def test_keys_are_found_in_any_case() -> None:
    body = b'{"mOVIES": [{"id": "cw1", "TITLE": "Jaws", "pRiCe": "9.5"}]}'
    (row,) = exhausted(read_list(body, WRAPPED))
    assert (row.provider_movie_id, row.description.title, row.amount) == (
        "cw1",
        "Jaws",
        Decimal("9.5"),
    )


def test_what_the_contract_does_not_name_is_left_out() -> None:
    assert listed({"ID": "cw1", "Password": "x", "Title": None}) == (Row("cw1"),)


def test_the_order_of_a_list_says_nothing() -> None:
    first, second = {"ID": "cw1", "Title": "Jaws"}, {"ID": "cw2", "Title": "Alien"}
    rows = listed(first, second)
    assert set(listed(second, first)) == set(rows)
    assert listed(second, first, before=rows) is rows


def test_of_a_list_that_changed_the_rows_that_did_not_stay_the_same_objects() -> None:
    jaws, alien = {"ID": "cw1", "Title": "Jaws"}, {"ID": "cw2", "Title": "Alien"}
    before = listed(jaws, alien)
    after = listed({**jaws, "Title": "Jaws 2"}, alien, before=before)
    assert after[0].description.title == "Jaws 2"
    assert after[1] is before[1]
    assert [row.provider_movie_id for row in listed(jaws, before=before)] == ["cw1"]
    assert len(listed(jaws, jaws, before=before)) == 1


def test_a_list_that_contradicts_itself_in_the_same_way_again_is_the_same() -> None:
    entries = [{"ID": "a", "Price": price} for price in ("9", "8", "7")] + [{"ID": "b"}] * 2
    rows = listed(*entries)
    assert [(str(row.amount), row.contradicted) for row in rows] == [("7", True), ("None", False)]
    assert listed(*entries[::-1], before=rows) is rows


def test_an_id_that_comes_any_number_of_times_is_one_row_with_its_lowest_price() -> None:
    entries = [{"ID": "a", "Title": f"T{n % 3}", "Price": str(1_000 - n)} for n in range(990)]
    (row,) = listed(*entries)
    assert (str(row.amount), row.contradicted, len(row.also)) == ("11", True, 2)


def test_a_long_list_is_read_in_many_steps_and_whole() -> None:
    entries = [{"ID": f"cw{n}", "Title": f"Movie {n}"} for n in range(1_000)]
    assert [row.provider_movie_id for row in listed(*entries)] == [f"cw{n}" for n in range(1_000)]
    steps = list(read_list(json.dumps({"Movies": entries}).encode(), WRAPPED))
    assert len(steps) >= 10


@pytest.mark.parametrize(
    "body",
    [
        '{"Movies": [{"ID": "cw1"}]} x',
        '{"Movies": [{"ID": "cw1"},]}',
        '{"Movies": [{"ID": "cw1"} {"ID": "cw2"}]}',
        '{"Movies": [{"ID": "cw1"}], }',
        '{"Movies": [{"ID": "cw1"}]',
        '{"Movies": [{"ID": "cw1"}',
        '{"Movies" [{"ID": "cw1"}]}',
        '{"Movies": {"ID": "cw1"}}',
        '{1: 2, "Movies": [{"ID": "cw1"}]}',
        '[{"ID": "cw1"}]',
        '"Movies"',
        "{}",
        "",
    ],
)
def test_a_list_that_is_broken_anywhere_is_no_list(body: str) -> None:
    with pytest.raises(UnusableBodyError):
        exhausted(read_list(body.encode(), WRAPPED))


def test_what_surrounds_a_list_is_passed_over() -> None:
    body = ' {"total": {"Movies": 3}, "Movies" : [ {"ID":"cw1"} , {"ID":"cw2"} ] , "page": 1} '
    assert [row.provider_movie_id for row in exhausted(read_list(body.encode(), WRAPPED))] == [
        "cw1",
        "cw2",
    ]


def test_two_lists_in_one_answer_contradict_each_other_like_two_entries() -> None:
    body = '{"Movies": [{"ID": "cw1", "Title": "A"}], "movies": [{"ID": "cw1", "Title": "B"}]}'
    (row,) = exhausted(read_list(body.encode(), WRAPPED))
    assert row.contradicted


def test_an_id_that_is_listed_twice_is_one_row_that_says_so() -> None:
    once, again = {"ID": "cw1", "Title": "Jaws"}, {"ID": "cw1", "Title": "Alien"}
    assert [row.contradicted for row in listed(once, again)] == [True]
    assert [row.contradicted for row in listed(once, once)] == [False]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><title>Sorry</title>",
        b'{"Movies": [{"ID": "cw1", "Ti',
        b'{"Movies": [{"ID": "cw1"}]} trailing',
        b"\xff\xfe\x00garbage",
        b'{"Movies": [{"ID": "\xe9"}]}',
        b"\x1f\x8b\x08 packed",
        b"null",
        b"42",
        b'"Movies"',
        b"[]",
        b"{}",
        b'{"status": "ok", "data": 42}',
        b'{"Movies": null}',
        b'{"Movies": {}}',
        b'{"Movies": "none"}',
        b'{"Movies": []}',
        b'{"Movies": [1, null, "x", [], {}]}',
        b'{"Movies": [{"Title": "without an id"}]}',
        DEEP.encode(),
        b'{"Movies": ' + DEEP.encode() + b"}",
    ],
    ids=shown,
)
def test_a_body_that_is_not_a_list_of_movies_is_unusable(body: bytes) -> None:
    with pytest.raises(UnusableBodyError):
        exhausted(read_list(body, WRAPPED))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_is_read_in_every_encoding_that_json_ever_had(encoding: str) -> None:
    body = '{"Movies": [{"ID": "cw1", "Title": "Amélie"}]}'.encode(encoding)
    assert exhausted(read_list(body, WRAPPED)) == (Row("cw1", Description(title="Amélie")),)


def test_an_empty_list_is_an_answer_only_where_the_settings_say_so() -> None:
    assert exhausted(read_list(b"[]", replace(BARE, may_be_empty=True))) == ()
    with pytest.raises(UnusableBodyError, match="empty"):
        exhausted(read_list(b"[]", BARE))


def test_entries_that_cannot_be_used_do_not_spoil_the_others() -> None:
    rows = listed(None, {"ID": None}, {"Title": "no id"}, {"ID": "cw1"}, [{"ID": "cw2"}])
    assert rows == (Row("cw1"),)


def test_a_list_has_a_bound() -> None:
    contract = replace(BARE, rows_max=2)
    assert len(exhausted(read_list(b'[{"ID": 1}, {"ID": 2}]', contract))) == 2
    with pytest.raises(UnusableBodyError, match="more than 2"):
        exhausted(read_list(b'[{"ID": 1}, {"ID": 2}, {"ID": 3}]', contract))


# Ids


@pytest.mark.parametrize(
    "own_id",
    [
        "",
        ".",
        "..",
        "a\nb",
        "a\x00b",
        "a\x1b[31m",
        "\ud800",
        "\u202e",
        "x" * 201,
        True,
        1.5,
        [],
        {},
    ],
    ids=shown,
)
def test_an_absurd_id_is_none(own_id: Any) -> None:
    with pytest.raises(UnusableBodyError, match="no entry"):
        listed({"ID": own_id, "Title": "Jaws"})


@pytest.mark.parametrize(
    "own_id",
    [
        "cw0076759",
        "\u06cc\u200c\u0627",
        "../../etc/passwd",
        "a/b?c#d%2e",
        "...",
        "naïve",
        "a b",
        "x" * 200,
    ],
    ids=shown,
)
def test_an_odd_id_stays_as_it_is(own_id: str) -> None:
    assert listed({"ID": own_id})[0].provider_movie_id == own_id


@pytest.mark.parametrize("own_id", [" cw1", "cw1\n", "\ufeffcw1", "\u200bcw1\u00a0"], ids=shown)
def test_an_id_has_no_blanks_around_it(own_id: str) -> None:
    assert listed({"ID": own_id})[0].provider_movie_id == "cw1"
    assert read_detail(json.dumps({"ID": own_id, "Title": "Jaws"}).encode(), WRAPPED, "cw1")


def test_a_number_is_an_id() -> None:
    assert listed({"ID": 42})[0].provider_movie_id == "42"


def test_an_id_of_5000_digits_spoils_only_its_own_entry() -> None:
    body = f'{{"Movies": [{{"ID": {"9" * 5000}}}, {{"ID": "cw1"}}]}}'
    assert exhausted(read_list(body.encode(), WRAPPED)) == (Row("cw1"),)


# Prices


@pytest.mark.parametrize(
    "price, amount",
    [
        ('"29.5"', "29.5"),
        ("29.5", "29.5"),
        ("29.50", "29.50"),
        ("0.1", "0.1"),
        ("1e1", "10"),
        ('" 123343.5 "', "123343.5"),
        ("7", "7"),
    ],
    ids=shown,
)
def test_a_usable_price_is_exact(price: str, amount: str) -> None:
    row = priced(price)
    assert (str(row.amount), row.price_problem) == (amount, None)


@pytest.mark.parametrize(
    "price",
    [
        "null",
        "true",
        '""',
        '"N/A"',
        '"free"',
        '"1,299.00"',
        '"-1"',
        "-1",
        "0",
        '"0"',
        "0.0",
        '"NaN"',
        "NaN",
        "Infinity",
        "-Infinity",
        "1e309",
        '"1e309"',
        "1e99999999999999999999",
        "1e-999999999",
        "-1e-999999999",
        "9" * 5000,
        "0." + "0" * 5000 + "1",
        "[]",
        "{}",
        '{"amount": 1}',
        "[" * 200 + "]" * 200,
        '"' + "9" * 100_000 + '"',
    ],
    ids=shown,
)
def test_a_bad_price_is_no_price_and_spoils_nothing_else(price: str) -> None:
    row = priced(price)
    assert row.amount is None
    assert row.price_problem is not None
    assert len(row.price_problem) < 150
    assert row.price_problem.isascii()
    assert row.description.title == "Jaws"


def test_one_absurd_price_does_not_take_a_whole_list_away() -> None:
    body = f'[{{"ID": "cw1", "Price": {"9" * 5000}}}, {{"ID": "cw2", "Price": 9.5}}]'
    absurd, good = exhausted(read_list(body.encode(), BARE))
    assert absurd.amount is None
    assert good.amount == Decimal("9.5")


def test_a_missing_price_is_no_problem_of_a_price() -> None:
    row = detailed()
    assert (row.amount, row.price_problem) == (None, None)


def test_a_price_problem_shows_what_was_sent() -> None:
    assert priced('"N/A"').price_problem == 'The provider\'s price "N/A" is not a price.'
    assert priced("null").price_problem == "The provider's price null is not a price."


# Descriptions


def test_everything_that_the_real_shops_send_is_understood() -> None:
    row = detailed(
        Year="1977",
        Poster="https://images.test/a.jpg",
        Genre="Action, Adventure, Action",
        Director="George Lucas",
        Writer="George Lucas",
        Actors="Mark Hamill, Harrison Ford",
        Plot="Luke\tSkywalker  joins\nforces.",
        Runtime="121 min",
        Rated="PG",
        Released="25 May 1977",
        Language="English",
        Country="USA, UK",
        Awards="Won 6 Oscars.",
        Rating="8.7",
        Votes="915,459",
        Metascore="92",
        Price="123.5",
        CreatedAt="2021-01-26T00:00:00.000Z",
    )
    assert row == Row(
        "cw1",
        Description(
            title="Jaws",
            year=1977,
            poster="https://images.test/a.jpg",
            genres=("Action", "Adventure"),
            director="George Lucas",
            writers=("George Lucas",),
            actors=("Mark Hamill", "Harrison Ford"),
            plot="Luke Skywalker joins forces.",
            runtime_minutes=121,
            rated="PG",
            released=date(1977, 5, 25),
            languages=("English",),
            countries=("USA", "UK"),
            awards="Won 6 Oscars.",
            rating=Decimal("8.7"),
            votes=915_459,
            metascore=92,
        ),
        amount=Decimal("123.5"),
        created_at=datetime(2021, 1, 26, tzinfo=UTC),
    )


@pytest.mark.parametrize("nothing", ["N/A", "", "  ", None, 5, [], {}])
def test_a_blank_text_is_missing(nothing: Any) -> None:
    assert detailed(Director=nothing).description.director is None


@pytest.mark.parametrize("title", ["Unknown", "None", "Null"])
def test_no_word_takes_a_title_away(title: str) -> None:
    assert listed({"ID": "cw1", "Title": title})[0].description.title == title


def test_a_title_may_be_a_number() -> None:
    assert listed({"ID": "cw1", "Title": 1917})[0].description.title == "1917"


def test_texts_and_addresses_are_decoded_once() -> None:
    described = detailed(
        Title="Fast &amp;amp; Furious",
        Director="R&#233;my",
        Genre="Sci-Fi &amp; Fantasy, Drama",
        Poster="https://images.test/a.jpg?b=1&amp;c=2",
    ).description
    assert described == Description(
        title="Fast &amp; Furious",
        director="Rémy",
        genres=("Sci-Fi & Fantasy", "Drama"),
        poster="https://images.test/a.jpg?b=1&c=2",
    )


def test_a_number_that_is_not_understood_is_missing_and_never_another_one() -> None:
    described = detailed(
        Runtime="1.5 h", Votes="1.234", Rating="740", Metascore="7600", Year="20111"
    ).description
    assert described == Description(title="Jaws")


# A detail


def test_a_detail_under_its_wrapper_is_read() -> None:
    assert read_detail(b'{"movie": {"Title": "Jaws"}}', WRAPPED_DETAIL, "cw1") == (
        Row("cw1", Description(title="Jaws")),
    )


@pytest.mark.parametrize("body", [b'{"Title": "Jaws"}', b'{"ID": null, "Title": "Jaws"}'])
def test_a_detail_need_not_repeat_the_id(body: bytes) -> None:
    assert read_detail(body, WRAPPED, "cw1")[0].provider_movie_id == "cw1"


def test_a_detail_of_another_movie_is_unusable() -> None:
    with pytest.raises(UnusableBodyError, match="another movie"):
        read_detail(b'{"ID": "cw2", "Title": "Alien"}', WRAPPED, "cw1")


def test_a_detail_with_a_number_for_an_id_is_the_same_movie() -> None:
    assert read_detail(b'{"ID": 42, "Title": "Jaws"}', WRAPPED, "42")[0].provider_movie_id == "42"


def test_a_detail_without_a_usable_id_is_unusable() -> None:
    with pytest.raises(UnusableBodyError, match="no usable id"):
        read_detail(b'{"Title": "Jaws"}', WRAPPED, "..")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"Title": "Ja',
        b"[]",
        b"null",
        b"{}",
        b'{"status": "ok", "data": 42}',
        b'{"ID": "cw1", "Year": "1975"}',
        b'{"ID": ' + DEEP.encode() + b"}",
    ],
    ids=shown,
)
def test_a_body_that_is_no_movie_is_unusable(body: bytes) -> None:
    with pytest.raises(UnusableBodyError):
        read_detail(body, WRAPPED, "cw1")


def test_a_detail_without_a_contract_for_details_is_the_body_itself() -> None:
    contract = replace(WRAPPED, detail=None)
    assert len(read_detail(b'{"Title": "Jaws"}', contract, "cw1")) == 1


# A movie that was posted


def test_a_stored_movie_is_read() -> None:
    assert read_created(b'{"ID": "cw9", "Title": "Jaws"}', WRAPPED)[0].provider_movie_id == "cw9"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"Title": "Jaws"}', b"<html>"])
def test_a_stored_movie_without_an_id_is_unusable(body: bytes) -> None:
    with pytest.raises(UnusableBodyError):
        read_created(body, WRAPPED)


# Whatever comes

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["1e999999999", "NaN", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00+12:00"]
    )
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*KEYS.values(), "movies", "x"]), inner, max_size=6)
    ),
    max_leaves=20,
)
_entries = st.lists(
    st.dictionaries(st.sampled_from([*KEYS.values(), "x"]), _json, max_size=8), max_size=3
)
_bodies = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")),
    _json.map(lambda value: json.dumps(value).encode()),
    _entries.map(lambda entries: json.dumps({"Movies": entries}).encode()),
    _entries.map(lambda entries: json.dumps(entries).encode()),
    st.builds(
        lambda body, at: body[:at], _entries.map(lambda e: json.dumps(e).encode()), st.integers(0)
    ),
    st.integers(1, 3000).map(lambda depth: b'{"Title": ' + b"[" * depth + b"]" * depth + b"}"),
    st.integers(1, 1500).map(lambda depth: b'{"Price": ' + b'{"a":' * depth + b"1" + b"}" * depth),
    st.from_regex(
        rb'\A\[\{"ID":"a","Price":-?[0-9]{1,3}(\.[0-9]{1,3})?[eE][+-]?[0-9]{1,20}\}\]\Z'
    ),
)


@given(body=_bodies, contract=st.sampled_from([WRAPPED, BARE, WRAPPED_DETAIL]))
def test_no_bytes_whatsoever_raise_anything_but_unusable(body: bytes, contract: Contract) -> None:
    reads: tuple[Callable[[], tuple[Row, ...]], ...] = (
        lambda: exhausted(read_list(body, contract)),
        partial(read_detail, body, contract, "a"),
        partial(read_created, body, contract),
    )
    for read in reads:
        try:
            rows = read()
        except UnusableBodyError:
            continue
        for row in rows:
            assert row.provider_movie_id
            assert row.amount is None or (row.amount > 0 and len(str(row.amount)) < 200)
            json.dumps([row.provider_movie_id, str(row.description)]).encode()
