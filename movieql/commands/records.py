"""Exports in a server's answers, parsed into values; the rest of an answer is ignored."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from movieql.commands.endings import NotNowError, printable
from movieql.domain.exports import ExportStatus, is_export_id

SOURCES_MAX = 100
"""Sources of an export that are read."""

_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What an export has of a provider; `last_observed`: when it was last seen by its end."""

    provider: str
    is_missing: bool
    last_observed: datetime | None
    rows: int


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """An export. `rows`, `size_bytes`, `sha256`, `expires`, `url` are those of its file, if any.

    `done` and `total` offers of the work, `total` None while nobody has counted.
    """

    id: str
    status: ExportStatus
    since: datetime
    until: datetime
    created: datetime
    gzip: bool = False
    done: int = 0
    total: int | None = None
    rows: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    expires: datetime | None = None
    url: str | None = None
    error: str | None = None
    sources: tuple[SourceRecord, ...] = ()


def export_record(told: Any) -> ExportRecord:
    """Read an export. Raises NotNowError for what is none."""
    try:
        return _record(told)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NotNowError("it answers with an export that cannot be read") from error


def _record(told: dict[str, Any]) -> ExportRecord:
    sha256, own_id = told.get("sha256"), told["id"]
    if not is_export_id(own_id) or not (sha256 is None or _SHA256.fullmatch(sha256)):
        raise ValueError
    progress = told.get("progress") or {}
    return ExportRecord(
        id=own_id,
        status=ExportStatus(told["status"]),
        since=datetime.fromisoformat(told["since"]),
        until=datetime.fromisoformat(told["until"]),
        created=datetime.fromisoformat(told["createdAt"]),
        gzip=told.get("gzip") is True,
        done=int(progress.get("done") or 0),
        total=_maybe_count(progress.get("total")),
        rows=_maybe_count(told.get("rows")),
        size_bytes=_maybe_count(told.get("bytes")),
        sha256=sha256,
        expires=_maybe_time(told.get("expiresAt")),
        url=told.get("downloadUrl"),
        error=told.get("error") and printable(told["error"]),
        sources=tuple(_source(each) for each in (told.get("sources") or [])[:SOURCES_MAX]),
    )


def _source(told: dict[str, Any]) -> SourceRecord:
    return SourceRecord(
        provider=printable(told["providerId"]),
        is_missing=told["state"] == "UNOBSERVED",
        last_observed=_maybe_time(told.get("lastObservedAt")),
        rows=int(told["rows"]),
    )


def _maybe_count(told: Any) -> int | None:
    return None if told is None else int(told)


def _maybe_time(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
