"""Exports as values: ids, input, states, records, and the rows that they have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.errors import ExportCorruptError, InvalidInputError
from movieql.domain.export_records import (
    decode_manifest,
    decode_request,
    encode_manifest,
    encode_request,
)
from movieql.domain.export_rows import ExportRow, RowRules, export_rows
from movieql.domain.exports import (
    ExportInput,
    ExportRequest,
    ExportStatus,
    JobState,
    Manifest,
    SourceState,
    check_key,
    checked_providers,
    checked_window,
    daily_key,
    export_id,
    is_export_id,
    owner_of,
    status_of,
)
from movieql.domain.folding import OfferSummary
from movieql.domain.movie_links import MovieLinks
from movieql.domain.observations import Window, milliseconds
from tests.builders import NOON, shop

DAY = timedelta(days=1)
WINDOW = Window(0, 86_400_000)
REQUEST = ExportRequest(
    "a" * 24,
    "somebody",
    ExportInput(NOON, None, ("cinemaworld",), "key", gzip=True),
    WINDOW,
    ("cinemaworld",),
    5,
    95,
    "write",
    retry_of="b" * 24,
)
MANIFEST = Manifest(
    "a" * 24,
    ExportStatus.PARTIAL,
    "write",
    1_000,
    2,
    WINDOW,
    (
        SourceState("cinemaworld", observed=True, last_observed_ms=7, rows=3),
        SourceState("filmworld", observed=False, last_observed_ms=None),
    ),
    "data/a/b.csv",
    "0" * 64,
    10,
    3,
)


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_an_id_is_of_one_subject_and_key(a: str, b: str, c: str, d: str) -> None:
    assert is_export_id(export_id(a, b))
    assert (export_id(a, b) == export_id(c, d)) == ((a, b) == (c, d))


def test_what_is_no_id_is_none() -> None:
    assert not any(map(is_export_id, ["", "a" * 23, "A" * 24, "../" * 8, "a" * 24 + "\n"]))
    assert daily_key(NOON) == "daily-2026-01-01"
    assert len(owner_of("a/../b\ud800")) == 32


def test_a_window_is_the_last_day_unless_told() -> None:
    now = milliseconds(NOON)
    assert checked_window(ExportInput(), NOON) == Window(now - 86_400_000, now)
    given_until = ExportInput(until=NOON - DAY)
    assert checked_window(given_until, NOON) == Window(now - 2 * 86_400_000, now - 86_400_000)


@pytest.mark.parametrize(
    "given_input, path",
    [
        (ExportInput(until=NOON + timedelta(seconds=1)), "until"),
        (ExportInput(since=NOON), "since"),
        (ExportInput(since=NOON + DAY), "since"),
        (ExportInput(since=NOON - timedelta(days=31, seconds=1)), "since"),
        (ExportInput(since=NOON - timedelta(microseconds=1), until=NOON), ""),
        (ExportInput(until=datetime(1, 1, 1, tzinfo=UTC)), "until"),
        (ExportInput(since=datetime(1999, 12, 31, tzinfo=UTC)), "since"),
        (ExportInput(since=datetime(2026, 1, 1)), "since"),  # noqa: DTZ001  # the point
    ],
)
def test_windows_that_are_refused(given_input: ExportInput, path: str) -> None:
    if not path:  # it lies between two milliseconds, and has one in it
        assert checked_window(given_input, NOON).until_ms == milliseconds(NOON)
        return
    with pytest.raises(InvalidInputError) as caught:
        checked_window(given_input, NOON)
    assert caught.value.path == (path,)


def test_a_window_within_one_millisecond_is_refused() -> None:
    until = NOON - timedelta(microseconds=100)
    with pytest.raises(InvalidInputError):
        checked_window(ExportInput(until - timedelta(microseconds=1), until), NOON)


def test_only_providers_that_sell_can_be_asked_for() -> None:
    selling = ("filmworld", "cinemaworld")
    assert checked_providers(ExportInput(), selling) == ("cinemaworld", "filmworld")
    twice = ExportInput(providers=("filmworld", "filmworld"))
    assert checked_providers(twice, selling) == ("filmworld",)
    for wrong in ((), ("house",), ("filmworld", ""), ("filmworld",) * 101):
        with pytest.raises(InvalidInputError):
            checked_providers(ExportInput(providers=wrong), selling)


def test_keys_that_are_refused() -> None:
    for right in (None, "a", "k" * 200, "é"):
        check_key(right)
    for wrong in ("", "k" * 201, "a\nb", "\0"):
        with pytest.raises(InvalidInputError):
            check_key(wrong)


@pytest.mark.parametrize(
    "job, status",
    [
        (None, "QUEUED"),
        (JobState(running=False), "QUEUED"),
        (JobState(running=True), "RUNNING"),
        (JobState(running=False, attempts=2), "RETRYING"),
        (JobState(running=True, attempts=2), "RETRYING"),
    ],
)
def test_what_has_no_manifest_is_as_its_job_is(job: JobState | None, status: str) -> None:
    assert status_of(None, job, 0, 10).value == status
    assert not status_of(None, job, 0, 10).is_terminal


@pytest.mark.parametrize("status", ["READY", "PARTIAL", "FAILED", "CANCELLED"])
def test_only_files_expire(status: str) -> None:
    manifest = replace(MANIFEST, status=ExportStatus(status))
    job = JobState(running=True)
    assert status_of(manifest, job, 1_009, 10).value == status
    later = status_of(manifest, job, 1_010, 10)
    assert later.value == ("EXPIRED" if manifest.status.has_data else status)
    assert later.is_terminal


def test_records_are_read_as_they_were_written() -> None:
    plain = replace(REQUEST, given=ExportInput(), retry_of=None)
    for request in (REQUEST, plain):
        assert decode_request("key", encode_request(request)) == request
    for manifest in (MANIFEST, replace(MANIFEST, error="It broke off.", data_key=None)):
        assert decode_manifest("key", encode_manifest(manifest)) == manifest


@pytest.mark.parametrize(
    "old, new",
    [
        ("{", "["),
        ('"version": 1', '"version": 2'),
        ('"window"', '"x"'),
        ('"write"', "5"),
        ("86400000", '"x"'),
    ],
)
def test_a_damaged_record_is_an_error_that_names_it(old: str, new: str) -> None:
    for encoded, decode in (
        (encode_request(REQUEST), decode_request),
        (encode_manifest(MANIFEST), decode_manifest),
    ):
        with pytest.raises(ExportCorruptError, match="the/key"):
            decode("the/key", encoded.decode().replace(old, new, 1).encode())


PROFILES = {
    "cinemaworld": shop("cinemaworld", priority=1),
    "filmworld": shop("filmworld", priority=2),
    "princes": shop("princes", priority=0, imdb_ids=False),
}
EVERYBODY = RowRules(PROFILES, frozenset(PROFILES), Window(0, 100), 10)


def summary(provider: str, own_id: str, title: str | None, **more: object) -> OfferSummary:
    plain = OfferSummary(provider, own_id, title, 1977, None, 1, 99)
    price = more.pop("price", None)
    if price is not None:
        more |= {"price": Decimal(str(price)), "price_ms": more.get("price_ms", 99)}
    return replace(plain, **more)  # type: ignore[arg-type]  # as named by the test


def rows_of(*summaries: OfferSummary, rules: RowRules = EVERYBODY) -> list[ExportRow]:
    return list(export_rows(summaries, rules))


def test_rows_are_by_movie_with_the_cheapest_named() -> None:
    rows = rows_of(
        summary("filmworld", "fw0076759", "Star Wars: A New Hope", price="29.5"),
        summary("cinemaworld", "cw0076759", "Star Wars", price="123.5"),
        summary("princes", "p1", "Alien"),
    )
    assert [(each.movie_id, each.title, each.offer.provider, each.cheapest) for each in rows] == [
        ("alien_1977", "Alien", "princes", False),
        ("tt0076759", "Star Wars", "cinemaworld", False),
        ("tt0076759", "Star Wars", "filmworld", True),
    ]


def test_who_is_asked_for_changes_which_rows_there_are_and_not_what_movies_are_called() -> None:
    offers = (
        summary("princes", "p1", "Star Wars", price="9.5"),
        summary("cinemaworld", "cw0076759", "Star Wars", price="5"),
    )
    rows = rows_of(*offers, rules=replace(EVERYBODY, asked=frozenset({"princes"})))
    assert [(each.movie_id, each.offer.provider, each.cheapest) for each in rows] == [
        ("tt0076759", "princes", True)
    ]


def test_equal_prices_are_both_the_cheapest_and_old_ones_are_stale() -> None:
    rows = rows_of(
        summary("cinemaworld", "cw0076759", "Star Wars", price="9.5", price_ms=89),
        summary("filmworld", "fw0076759", "Star Wars", price="9.50", price_ms=90),
        summary("princes", "p1", "Star Wars", last_ms=89),
    )
    assert [(each.offer.provider, each.cheapest, each.stale) for each in rows] == [
        ("princes", False, True),
        ("cinemaworld", True, True),
        ("filmworld", True, False),
    ]


offers = st.builds(
    lambda key, title, year: replace(summary(key[0], key[1], title), year=year),
    st.sampled_from(
        [("cinemaworld", f"cw000000{number}") for number in range(4)]
        + [("filmworld", f"fw000000{number}") for number in range(4)]
        + [("filmworld", "fw-x"), ("cinemaworld", "cw-x")]
        + [("princes", f"p{number}") for number in range(4)]
    ),
    st.sampled_from(["Alien", "alien!", "Aliens", "Brazil", "!!!", None]),
    st.sampled_from([None, 1977, 1979]),
)


@given(st.lists(offers, unique_by=lambda each: each.key, max_size=14), st.integers(1, 50))
def test_offers_may_be_matched_a_part_at_a_time(several: list[OfferSummary], parts: int) -> None:
    links = MovieLinks(EVERYBODY.imdb_providers)
    nodes = [links.add(each) for each in several]
    links.close()
    by_part: dict[int, list[OfferSummary]] = {}
    for node, each in zip(nodes, several, strict=True):
        by_part.setdefault(links.group(node) % parts, []).append(each)
    found = [row for part in by_part.values() for row in rows_of(*part)]
    assert {(row.movie_id, row.title, row.offer.key) for row in found} == {
        (row.movie_id, row.title, row.offer.key) for row in rows_of(*several)
    }
