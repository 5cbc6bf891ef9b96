"""Kept answers as bytes."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.movies import Description, Row
from movieql.movies.growth import ReadRows
from movieql.providers.envelope import Envelope, EnvelopeCodec
from movieql.waiting import exhausted

CODEC = EnvelopeCodec()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LISTS = st.lists(TEXTS, max_size=3).map(tuple)
MOMENTS = st.datetimes(timezones=st.just(UTC))
AMOUNTS = st.decimals(0, 10**9, allow_nan=False, allow_infinity=False)
DESCRIPTIONS = st.builds(
    Description,
    title=st.none() | TEXTS,
    year=st.none() | st.integers(1870, 2199),
    poster=st.none() | TEXTS,
    genres=LISTS,
    director=st.none() | TEXTS,
    writers=LISTS,
    actors=LISTS,
    plot=st.none() | TEXTS,
    runtime_minutes=st.none() | st.integers(0, 10**12),
    rated=st.none() | TEXTS,
    released=st.none() | st.dates(min_value=date(1, 1, 1)),
    languages=LISTS,
    countries=LISTS,
    awards=st.none() | TEXTS,
    rating=st.none() | AMOUNTS,
    votes=st.none() | st.integers(0, 10**12),
    metascore=st.none() | st.integers(0, 100),
)
ROWS = st.builds(
    Row,
    provider_movie_id=TEXTS.filter(bool),
    description=DESCRIPTIONS,
    amount=st.none() | AMOUNTS,
    price_problem=st.none() | TEXTS,
    created_at=st.none() | MOMENTS,
)


@given(
    st.lists(ROWS, max_size=3, unique_by=lambda row: row.provider_movie_id).map(tuple),
    MOMENTS,
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
)
def test_every_row_comes_back_as_it_was(
    rows: tuple[Row, ...], as_of: datetime, fresh_s: float
) -> None:
    envelope = Envelope(rows, as_of, fresh_s)
    assert exhausted(CODEC.decode(exhausted(CODEC.encode(envelope)))) == envelope


def test_a_long_list_comes_back_whole_and_what_is_known_as_the_same_objects() -> None:
    rows = tuple(Row(f"cw{n}", amount=Decimal(n)) for n in range(1, 1_001))
    stored = exhausted(CODEC.encode(Envelope(rows, NOON, 60.0)))
    whole = exhausted(CODEC.decode(stored))
    assert whole == Envelope(rows, NOON, 60.0)
    known = exhausted(CODEC.decode(stored, ReadRows(rows)))
    assert known is not None
    assert known.rows is rows
    assert len(list(CODEC.decode(stored))) >= 5  # steps


def test_what_is_not_newer_is_a_miss_after_its_first_line() -> None:
    rows = tuple(Row(f"cw{n}") for n in range(1_000))
    stored = exhausted(CODEC.encode(Envelope(rows, NOON, 60.0)))
    assert list(CODEC.decode(stored, newer_than=NOON)) == []
    assert exhausted(CODEC.decode(stored, newer_than=NOON)) is None
    assert exhausted(CODEC.decode(stored, newer_than=NOON - timedelta(seconds=1))) is not None


def test_half_of_what_was_stored_is_a_miss() -> None:
    rows = tuple(Row(f"cw{n}") for n in range(1_000))
    stored = exhausted(CODEC.encode(Envelope(rows, NOON, 60.0)))
    assert exhausted(CODEC.decode(stored[: len(stored) // 2])) is None


def test_a_price_comes_back_digit_by_digit() -> None:
    kept = Envelope((Row("cw1", amount=Decimal("29.50")),), NOON, 60.0)
    decoded = exhausted(CODEC.decode(exhausted(CODEC.encode(kept))))
    assert decoded is not None
    assert str(decoded.rows[0].amount) == "29.50"


GOOD = json.loads(exhausted(CODEC.encode(Envelope((Row("cw1", amount=Decimal(1)),), NOON, 60.0))))


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\x80\x04\x95pickle",
        b"{" * 10_000,
        json.dumps(GOOD | {"as_of": "2026-01-01T12:00:00"}).encode(),
        json.dumps(GOOD | {"as_of": "soon"}).encode(),
        json.dumps(GOOD | {"fresh_s": float("inf")}).encode(),
        json.dumps(GOOD | {"fresh_s": float("nan")}).encode(),
        json.dumps(GOOD | {"fresh_s": "long"}).encode(),
        json.dumps(GOOD | {"rows": None}).encode(),
        json.dumps(GOOD | {"rows": [{"provider_movie_id": 1}]}).encode(),
        json.dumps(GOOD | {"rows": [{"provider_movie_id": "a", "amount": "NaN"}]}).encode(),
    ],
)
def test_what_is_no_envelope_is_a_miss(stored: bytes) -> None:
    assert exhausted(CODEC.decode(stored)) is None


@given(st.binary(max_size=100))
def test_no_bytes_whatsoever_raise(stored: bytes) -> None:
    assert exhausted(CODEC.decode(stored)) is None


def test_the_bytes_that_these_tests_spoil_are_an_envelope() -> None:
    assert exhausted(CODEC.decode(json.dumps(GOOD).encode())) is not None
