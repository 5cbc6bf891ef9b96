"""The CSV of an export: RFC 4180, UTF-8, and no cell that a spreadsheet would run.

A text that starts like a formula, or with an apostrophe, gets an apostrophe in front; whoever
reads the file takes one leading apostrophe off every text and has what was there. Numbers, times
and true/false are never touched.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from movieql.domain.export_rows import ExportRow
from movieql.domain.observations import Milliseconds

COLUMNS: tuple[str, ...] = (
    "movie_id",
    "title",
    "year",
    "provider",
    "provider_movie_id",
    "price",
    "currency",
    "first_seen",
    "last_seen",
    "lowest_price",
    "highest_price",
    "cheapest",
    "stale",
    "created_at",
)
"""The header."""

CELL_CHARACTERS_MAX = 1_000
"""Characters of a text; a longer one is cut and ends in "…". Spreadsheets take 32,767."""

_DEFUSE = "'"
# What Excel, LibreOffice and Sheets take for the start of a formula (OWASP, "CSV injection"),
# also full-width, as a minus sign, and after blanks, which some of them strip.
_RUNS = re.compile(
    r"[\s\u200b-\u200f\u2060\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63]"
)
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_DAY_MS = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def text_cell(text: str) -> str:
    """Return a text that is safe in a spreadsheet.

    Control characters, line separators and halves of surrogate pairs become U+FFFD each.
    """
    if text[:1].isalnum() and text.isprintable() and len(text) <= CELL_CHARACTERS_MAX:
        return text  # nearly all are such; what follows would change nothing
    clean = _NO_TEXT.sub(_REPLACEMENT, text)
    if len(clean) > CELL_CHARACTERS_MAX:
        clean = clean[: CELL_CHARACTERS_MAX - 1] + "…"
    return _DEFUSE + clean if clean.startswith(_DEFUSE) or _RUNS.match(clean) else clean


def cell_text(cell: str) -> str:
    """Return the text that `text_cell` made safe: the rule for readers, as code."""
    return cell.removeprefix(_DEFUSE)


def csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows of cells as lines that end in CRLF."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def row_cells(row: ExportRow) -> Sequence[str]:
    """Return the cells of a row, in the order of `COLUMNS`; what is not known is empty."""
    offer = row.offer
    return (
        text_cell(row.movie_id),
        text_cell(row.title or ""),
        "" if row.year is None else str(row.year),
        text_cell(offer.provider),
        text_cell(offer.provider_movie_id),
        _amount(offer.price),
        text_cell(row.currency),
        _time(offer.first_ms),
        _time(offer.last_ms),
        _amount(offer.lowest),
        _amount(offer.highest),
        _truth(row.cheapest),
        _truth(row.stale),
        _time(offer.created_ms),
    )


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


def _time(at_ms: Milliseconds | None) -> str:
    if at_ms is None:
        return ""
    # Millions of these are written: a date and integers are quicker than a datetime.
    days, rest_ms = divmod(at_ms, _DAY_MS)
    minutes, rest_ms = divmod(rest_ms, 60_000)
    day = date.fromordinal(_EPOCH_ORDINAL + days)
    clock = (minutes // 60, minutes % 60, rest_ms // 1000, rest_ms % 1000)
    return "%sT%02d:%02d:%02d.%03dZ" % (day, *clock)  # noqa: UP031  # faster than an f-string


def _truth(value: bool) -> str:  # noqa: FBT001  # it is what is written
    return "true" if value else "false"
