"""Exports as values: what was asked for, and how it ended (docs/semantics.md, Exports)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256

from movieql.domain.errors import InvalidInputError
from movieql.domain.observations import Milliseconds, Window, milliseconds

WINDOW_MAX = timedelta(days=31)
"""The longest window of an export."""

WINDOW_DEFAULT = timedelta(hours=24)
"""The window of an export that is asked for without one (docs/semantics.md, Exports)."""

KEY_CHARACTERS_MAX = 200
"""Characters of an idempotency key."""

PROVIDERS_MAX = 100
"""Ids that an export may be asked for."""

YEAR_MIN = 2000
"""The first year that a window may have."""

SYSTEM_SUBJECT = "movieql:system"
"""Who daily exports belong to; no caller may be called so."""

_ID = re.compile("[0-9a-f]{24}")


class ExportStatus(Enum):
    """Where an export stands (docs/semantics.md, Exports)."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    READY = "READY"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"

    @property
    def is_terminal(self) -> bool:
        """Say whether nothing more happens to it but that it expires."""
        return self not in {ExportStatus.QUEUED, ExportStatus.RUNNING, ExportStatus.RETRYING}

    @property
    def has_data(self) -> bool:
        """Say whether there is a file to download."""
        return self in {ExportStatus.READY, ExportStatus.PARTIAL}


@dataclass(frozen=True, slots=True)
class ExportInput:
    """What a caller asks for, as given; None is what was left out.

    `since`, `until`: moments with a zone. `providers`: ids. `gzip`: compress the file.
    """

    since: datetime | None = None
    until: datetime | None = None
    providers: tuple[str, ...] | None = None
    idempotency_key: str | None = None
    gzip: bool = False


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """An intent, written down before anything else happens, and never changed.

    `window` and `providers` are what `given` meant at `created_ms`. Segments written by
    `read_until_ms` are read. `retry_of`: the export that this one repeats. `write_id`: of the
    call that wrote it, by which a lost answer is recognised.
    """

    id: str
    subject: str
    given: ExportInput
    window: Window
    providers: tuple[str, ...]
    created_ms: Milliseconds
    read_until_ms: Milliseconds
    write_id: str
    retry_of: str | None = None


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of a provider in the window.

    `observed`: it was seen in it. `last_observed_ms`: when it last was before the window's end,
    as far as was read. `rows`: of the file.
    """

    provider: str
    observed: bool
    last_observed_ms: Milliseconds | None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """How an export ended; only this ends it.

    `status`: READY, PARTIAL (a provider was not observed), FAILED or CANCELLED. `data_key`,
    `sha256`, `size_bytes` and `rows` are of the file, which only the first two have.
    `attempts`: how often it was begun.
    """

    export_id: str
    status: ExportStatus
    write_id: str
    finished_ms: Milliseconds
    attempts: int
    window: Window
    sources: tuple[SourceState, ...] = ()
    data_key: str | None = None
    sha256: str | None = None
    size_bytes: int = 0
    rows: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """What the queue knows of an export's job: `done` and `total` offers, attempts so far."""

    running: bool
    attempts: int = 1
    done: int = 0
    total: int = 0


def export_id(subject: str, idempotency_key: str) -> str:
    """Return the id of the export that a subject asks for with a key: 24 hex digits."""
    # The length keeps ("ab", "c") and ("a", "bc") apart.
    return _digest(f"{len(subject)}:{subject}{idempotency_key}")[:24]


def is_export_id(text: str) -> bool:
    """Say whether a text may be the id of an export."""
    return _ID.fullmatch(text) is not None


def daily_key(day: datetime) -> str:
    """Return the idempotency key of the export of a day."""
    return f"daily-{day:%Y-%m-%d}"


def owner_of(subject: str) -> str:
    """Return what a subject's exports are listed under: 32 hex digits that do not tell it."""
    return _digest(subject)[:32]


def status_of(
    manifest: Manifest | None, job: JobState | None, now_ms: Milliseconds, kept_ms: Milliseconds
) -> ExportStatus:
    """Return where an export stands; its file is kept for `kept_ms` after it was made."""
    if manifest is not None:
        over = manifest.status.has_data and now_ms >= manifest.finished_ms + kept_ms
        return ExportStatus.EXPIRED if over else manifest.status
    if job is None:
        return ExportStatus.QUEUED
    if job.attempts > 1:
        return ExportStatus.RETRYING
    return ExportStatus.RUNNING if job.running else ExportStatus.QUEUED


def checked_window(given: ExportInput, now: datetime) -> Window:
    """Return the window that is meant. Raises InvalidInputError."""
    until = now if given.until is None else _zoned("until", given.until)
    since = until - WINDOW_DEFAULT if given.since is None else _zoned("since", given.since)
    if until > now:
        raise InvalidInputError.at(("until",), "The window must not end in the future.")
    if since >= until:
        raise InvalidInputError.at(("since",), "The window must start before it ends.")
    if until - since > WINDOW_MAX:
        raise InvalidInputError.at(
            ("since",), f"The window may have at most {WINDOW_MAX.days} days."
        )
    window = Window(milliseconds(since), milliseconds(until))
    if window.since_ms == window.until_ms:
        raise InvalidInputError.at(("since",), "The window must have at least a millisecond.")
    return window


def checked_providers(given: ExportInput, selling: Collection[str]) -> tuple[str, ...]:
    """Return the ids that are meant, in order, each once. Raises InvalidInputError."""
    if given.providers is None:
        return tuple(sorted(selling))
    if not 0 < len(given.providers) <= PROVIDERS_MAX:
        raise InvalidInputError.at(("providers",), f"1 to {PROVIDERS_MAX} providers are needed.")
    for number, provider in enumerate(given.providers):
        if provider not in selling:
            raise InvalidInputError.at(
                ("providers", str(number)), "No provider that sells has this id."
            )
    return tuple(sorted(set(given.providers)))


def check_key(key: str | None) -> None:
    """Raise InvalidInputError for what is no idempotency key."""
    if key is not None and not (0 < len(key) <= KEY_CHARACTERS_MAX and key.isprintable()):
        raise InvalidInputError.at(
            ("idempotencyKey",), f"A key has 1 to {KEY_CHARACTERS_MAX} printable characters."
        )


def _digest(text: str) -> str:
    # A token may hold halves of surrogate pairs.
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _zoned(name: str, given: datetime) -> datetime:
    if given.tzinfo is None:
        raise InvalidInputError.at((name,), "A time needs its offset from UTC.")
    if given.year < YEAR_MIN:
        raise InvalidInputError.at((name,), f"No shop was watched before {YEAR_MIN}.")
    return given


@dataclass(frozen=True, slots=True)
class Export:
    """An export as its owner sees it.

    `job`: what the queue knows, None when it knows nothing or is not needed. `expires_ms`: when
    its file goes, None while there is none.
    """

    request: ExportRequest
    manifest: Manifest | None
    status: ExportStatus
    job: JobState | None = None
    expires_ms: Milliseconds | None = None
