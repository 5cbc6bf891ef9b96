"""The records of exports as JSON, as they are in the object store."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from movieql.domain.errors import ExportCorruptError
from movieql.domain.exports import (
    ExportInput,
    ExportRequest,
    ExportStatus,
    Manifest,
    SourceState,
)
from movieql.domain.observations import Window

RECORD_VERSION = 1
"""Of the format; a record of another version is not read."""

RECORD_BYTES_MAX = 64 * 1024
"""Bytes of a record; the longest key and 100 providers make less than half of it."""


def encode_request(request: ExportRequest) -> bytes:
    """Return an intent as JSON."""
    given = request.given
    return _encoded(
        {
            "id": request.id,
            "subject": request.subject,
            "given": {
                "since": None if given.since is None else given.since.isoformat(),
                "until": None if given.until is None else given.until.isoformat(),
                "providers": given.providers,
                "idempotency_key": given.idempotency_key,
                "gzip": given.gzip,
            },
            "window": [request.window.since_ms, request.window.until_ms],
            "providers": request.providers,
            "created_ms": request.created_ms,
            "read_until_ms": request.read_until_ms,
            "write_id": request.write_id,
            "retry_of": request.retry_of,
        }
    )


def decode_request(key: str, body: bytes) -> ExportRequest:
    """Read an intent. Raises ExportCorruptError that names its key."""
    try:
        record = _decoded(body)
        given = record["given"]
        return ExportRequest(
            id=_text(record["id"]),
            subject=_text(record["subject"]),
            given=ExportInput(
                since=_time(given["since"]),
                until=_time(given["until"]),
                providers=None if given["providers"] is None else _texts(given["providers"]),
                idempotency_key=_maybe_text(given["idempotency_key"]),
                gzip=given["gzip"] is True,
            ),
            window=_window(record["window"]),
            providers=_texts(record["providers"]),
            created_ms=_whole(record["created_ms"]),
            read_until_ms=_whole(record["read_until_ms"]),
            write_id=_text(record["write_id"]),
            retry_of=_maybe_text(record["retry_of"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ExportCorruptError(f"The request {key} cannot be read.") from error


def encode_manifest(manifest: Manifest) -> bytes:
    """Return how an export ended as JSON."""
    return _encoded(
        {
            "export_id": manifest.export_id,
            "status": manifest.status.value,
            "write_id": manifest.write_id,
            "finished_ms": manifest.finished_ms,
            "attempts": manifest.attempts,
            "window": [manifest.window.since_ms, manifest.window.until_ms],
            "sources": [
                [each.provider, each.observed, each.last_observed_ms, each.rows]
                for each in manifest.sources
            ],
            "data_key": manifest.data_key,
            "sha256": manifest.sha256,
            "size_bytes": manifest.size_bytes,
            "rows": manifest.rows,
            "error": manifest.error,
        }
    )


def decode_manifest(key: str, body: bytes) -> Manifest:
    """Read how an export ended. Raises ExportCorruptError that names its key."""
    try:
        record = _decoded(body)
        return Manifest(
            export_id=_text(record["export_id"]),
            status=ExportStatus(record["status"]),
            write_id=_text(record["write_id"]),
            finished_ms=_whole(record["finished_ms"]),
            attempts=_whole(record["attempts"]),
            window=_window(record["window"]),
            sources=tuple(_source(*each) for each in record["sources"]),
            data_key=_maybe_text(record["data_key"]),
            sha256=_maybe_text(record["sha256"]),
            size_bytes=_whole(record["size_bytes"]),
            rows=_whole(record["rows"]),
            error=_maybe_text(record["error"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ExportCorruptError(f"The manifest {key} cannot be read.") from error


def _encoded(record: Mapping[str, Any]) -> bytes:
    return json.dumps({"version": RECORD_VERSION, **record}, indent=1).encode() + b"\n"


def _decoded(body: bytes) -> Mapping[str, Any]:
    record = json.loads(body)
    if not isinstance(record, dict) or record["version"] != RECORD_VERSION:
        raise ValueError("another version")
    return record


def _source(provider: Any, observed: Any, last_ms: Any, rows: Any) -> SourceState:
    last_observed_ms = None if last_ms is None else _whole(last_ms)
    return SourceState(_text(provider), observed is True, last_observed_ms, _whole(rows))


def _window(values: Any) -> Window:
    since_ms, until_ms = values
    return Window(_whole(since_ms), _whole(until_ms))


def _time(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(_text(value))


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(map(_text, values))


def _maybe_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is none")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("a number is none")
    return value
