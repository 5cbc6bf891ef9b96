"""What the commands say in the end: an export's file, what is missing in it, and lists."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TextIO

from rich.console import Console
from rich.table import Column, Table

from movieql.commands.records import ExportRecord, SourceRecord
from movieql.domain.exports import ExportStatus

HEADER = ("id", "status", "since", "until", "rows", "bytes", "created", "expires")
"""Columns of a list of exports."""


def summary(record: ExportRecord, target: str) -> str:
    """Return what was written where."""
    return (
        f"{target}: {record.rows} rows, {record.size_bytes} bytes, "
        f"{_time(record.since)} to {_time(record.until)}"
    )


def warnings(record: ExportRecord) -> Iterator[str]:
    """Say how old the prices of each shop are, and which shops are missing."""
    if record.status is ExportStatus.PARTIAL:
        missing = ", ".join(each.provider for each in record.sources if each.is_missing)
        yield f"PARTIAL: without {missing}, not seen in this window"
    for source in record.sources:
        yield f"{source.provider}: {source.rows} rows, {_age(source, record.until)}"


def _age(source: SourceRecord, until: datetime) -> str:
    if source.last_observed is None:
        return "never seen"
    age = max(until - source.last_observed, timedelta())
    return f"last seen {_spoken(age)} before the window's end ({_time(source.last_observed)})"


def _spoken(age: timedelta) -> str:
    seconds = round(age.total_seconds())
    if seconds < 120:  # noqa: PLR2004  # two minutes
        return f"{seconds} s"
    if seconds < 2 * 3_600:
        return f"{seconds // 60} min"
    return f"{seconds // 3_600} h"


def write_list(records: Sequence[ExportRecord], stream: TextIO, *, as_json: bool) -> None:
    """Write exports as JSON, as a table on a terminal, or else separated by tabs."""
    if as_json:
        stream.write(json.dumps([_fields(each) for each in records], indent=2) + "\n")
    elif Console(file=stream).is_terminal:
        Console(file=stream, markup=False, highlight=False).print(_table(records))
    else:
        stream.writelines("\t".join(row) + "\n" for row in [HEADER, *map(_cells, records)])


def _table(records: Sequence[ExportRecord]) -> Table:
    """Return a table that fits 80 columns with its ids whole, for those are what one copies."""
    names = ("status", "window (UTC)", "rows", "bytes", "created", "expires")
    table = Table(Column("id", no_wrap=True, min_width=24), *names, box=None, padding=(0, 1, 0, 0))
    for each in records:
        table.add_row(
            each.id,
            each.status.value,
            f"{_short(each.since)}\n{_short(each.until)}",
            _known(each.rows),
            _known(each.size_bytes),
            _short(each.created),
            "" if each.expires is None else _short(each.expires),
        )
    return table


def _cells(record: ExportRecord) -> tuple[str, ...]:
    return tuple("" if each is None else str(each) for each in _fields(record).values())


def _fields(record: ExportRecord) -> dict[str, str | int | None]:
    return {
        "id": record.id,
        "status": record.status.value,
        "since": _time(record.since),
        "until": _time(record.until),
        "rows": record.rows,
        "bytes": record.size_bytes,
        "created": _time(record.created),
        "expires": None if record.expires is None else _time(record.expires),
    }


def _known(count: int | None) -> str:
    return "" if count is None else str(count)


def _short(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
