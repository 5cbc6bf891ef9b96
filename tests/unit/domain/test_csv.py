"""What is written is read by any CSV reader, and run by no spreadsheet."""

import csv
import io
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.csv_cells import (
    CELL_CHARACTERS_MAX,
    COLUMNS,
    cell_text,
    csv_lines,
    row_cells,
    text_cell,
)
from movieql.domain.export_rows import ExportRow
from movieql.domain.folding import OfferSummary
from movieql.domain.observations import milliseconds, moment

hostile = st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "'", "''", "\uff1d1", 'a"b', "a,b"]
)
texts = (
    st.text(max_size=40) | hostile | st.text("=+-@'\"\r\n\t\0,; \u200b\uff1d\ud800a", max_size=8)
)


def read(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode(), newline=""), strict=True))


def clean(text: str) -> str:
    return "".join(
        "\ufffd" if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} else character
        for character in text
    )


@given(st.lists(st.lists(texts, min_size=2, max_size=5), max_size=5))
def test_what_is_written_is_read(rows: list[list[str]]) -> None:
    written = csv_lines([[text_cell(text) for text in row] for row in rows])
    cells = read(written)
    assert [[cell_text(cell) for cell in row] for row in cells] == [
        [clean(text) for text in row] for row in rows
    ]
    assert written.count(b"\r\n") == len(rows) == written.count(b"\n")


@given(texts)
def test_no_text_is_run(text: str) -> None:
    bare = text_cell(text).lstrip(" \t\r\n\u00a0\u200b\u3000\ufeff")
    assert unicodedata.normalize("NFKC", bare)[:1] not in {"=", "+", "-", "@", "|", "%", "\t"}


@pytest.mark.parametrize(
    "text, cell",
    [
        ("Alien", "Alien"),
        ("", ""),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("  @x", "'  @x"),
        ("\uff0b1", "'\uff0b1"),
        ("\u22121", "'\u22121"),
        ("'tis", "''tis"),
        ("M*A*S*H - Part 1", "M*A*S*H - Part 1"),
        ("a\0b", "a\ufffdb"),
    ],
)
def test_texts_are_defused_by_an_apostrophe(text: str, cell: str) -> None:
    assert text_cell(text) == cell


def test_a_long_text_is_cut() -> None:
    cell = text_cell("=" * 5_000)
    assert len(cell) == CELL_CHARACTERS_MAX + 1
    assert cell.endswith("=…")


def test_numbers_are_not_touched_and_what_is_not_known_is_empty() -> None:
    offer = OfferSummary(
        "shop", "-1", "Alien", 1979, 1_000, 0, 1_500, Decimal("29.50"), 1, Decimal("9E+1"), None
    )
    cells = row_cells(ExportRow("tt1", "=Alien", -5, offer, "AUD", cheapest=True, stale=False))
    assert dict(zip(COLUMNS, cells, strict=True)) == {
        "movie_id": "tt1",
        "title": "'=Alien",
        "year": "-5",
        "provider": "shop",
        "provider_movie_id": "'-1",
        "price": "29.50",
        "currency": "AUD",
        "first_seen": "1970-01-01T00:00:00.000Z",
        "last_seen": "1970-01-01T00:00:01.500Z",
        "lowest_price": "90",
        "highest_price": "",
        "cheapest": "true",
        "stale": "false",
        "created_at": "1970-01-01T00:00:01.000Z",
    }


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001  # as hypothesis wants them
def test_every_time_is_written_as_iso_8601_to_the_millisecond(at: datetime) -> None:
    at_ms = milliseconds(at)
    offer = OfferSummary("shop", "1", None, None, None, at_ms, at_ms, None, None, None, None)
    cells = row_cells(ExportRow("tt1", None, None, offer, "AUD", cheapest=False, stale=False))
    written = cells[COLUMNS.index("first_seen")]
    assert written == moment(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(st.text(max_size=3) | texts)
def test_the_short_way_for_plain_texts_changes_nothing(text: str) -> None:
    longer = text_cell(text + "\u2028").removesuffix("\ufffd")  # never goes the short way
    assert text_cell(text) == (longer if text else "")
