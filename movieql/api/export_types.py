"""Exports as the schema shows them; everything is read once, but the link when it is asked for."""

from datetime import datetime
from enum import Enum
from typing import NewType

import strawberry

from movieql.api import types
from movieql.api.context import ContextInfo
from movieql.api.limits import LIST_SIZE, PAGE, PROVIDERS
from movieql.api.node import Node
from movieql.domain import exports as domain
from movieql.domain.callers import Scope, require
from movieql.domain.errors import ExportStateError, UnavailableError
from movieql.domain.observations import Milliseconds, moment
from movieql.services.exports import ExportPage, Exports

SCOPE: Scope = "exports"
"""The scope that any field about exports needs (docs/semantics.md, Access)."""

NO_EXPORTS = "This server makes no exports: it needs an object store and a queue in its settings."
"""What is said where the settings lack one of them."""

BigInt = NewType("BigInt", int)
"""A whole number that may be larger than GraphQL's Int."""

BIG_INT = strawberry.scalar(
    name="BigInt", description="A whole number, at most 2^53; a number in JSON.", serialize=int
)
"""How it is written."""

strawberry.enum(
    domain.ExportStatus,
    description="Where an export stands: READY, PARTIAL, FAILED, CANCELLED and EXPIRED are ends. "
    "RETRYING: an attempt broke off and another is made. PARTIAL: a provider was not seen in the "
    "window. EXPIRED: the file is no longer kept.",
)


@strawberry.enum(description="Whether a provider was seen in the window of an export.")
class ExportSourceState(Enum):
    """UNKNOWN: the export has no file, so nobody has looked."""

    OBSERVED = "OBSERVED"
    UNOBSERVED = "UNOBSERVED"
    UNKNOWN = "UNKNOWN"


@strawberry.type(description="How far the work on an export is.")
class ExportProgress:
    """See `domain.exports.JobState`."""

    done: int = strawberry.field(description="Rows so far; once there is a file, all of it.")
    total: int | None = strawberry.field(description="Null while nobody has counted.")
    percent: int = strawberry.field(description="0 to 100; 100 only once there is a file.")


@strawberry.type(description="What an export has of one provider.")
class ExportSource:
    """See `domain.exports.SourceState`."""

    provider_id: strawberry.ID
    state: ExportSourceState
    last_observed_at: datetime | None = strawberry.field(
        description="When it last was seen before the window's end."
    )
    rows: int = strawberry.field(description="How many of the file are of this provider.")

    @strawberry.field(description="Null when it is no longer configured.")
    def provider(self, info: ContextInfo) -> types.Provider | None:
        """Return the provider, if this server still has it."""
        return info.context.profiles.get(self.provider_id)  # type: ignore[return-value]  # by name


@strawberry.type(description="All movies on offer in a window of time, as a CSV file.")
class Export(Node):
    """See `domain.exports.Export`."""

    id: strawberry.ID
    status: domain.ExportStatus
    progress: ExportProgress
    attempts: int = strawberry.field(description="How often the work was begun.")
    since: datetime = strawberry.field(description="Start of the window, in it.")
    until: datetime = strawberry.field(description="End of the window, not in it.")
    gzip: bool = strawberry.field(description="Whether the file is compressed.")
    created_at: datetime
    finished_at: datetime | None = strawberry.field(description="Null until it has ended.")
    expires_at: datetime | None = strawberry.field(
        description="Until when the file is kept; null while there is none."
    )
    rows: int | None = strawberry.field(description="Of the file; null while there is none.")
    bytes: BigInt | None = strawberry.field(description="Of the file; null while there is none.")
    sha256: str | None = strawberry.field(description="Of the file's bytes, in hex digits.")
    sources: list[ExportSource] = strawberry.field(
        metadata={LIST_SIZE: PROVIDERS}, description="One per provider that was asked for."
    )
    error: str | None = strawberry.field(description="Why it failed.")
    retry_of: strawberry.ID | None = strawberry.field(description="The export that it repeats.")

    @strawberry.field(
        description="Where the file is to be had for at most 15 minutes by whoever has the "
        "address; made anew each time. Null while there is no file, or no longer."
    )
    async def download_url(self, info: ContextInfo) -> str | None:
        """Sign a link; see `Exports.link`. Raises StoreError."""
        if not self.status.has_data:
            return None
        caller = require(info.context.caller, SCOPE)
        try:
            return await exports_of(info).link(caller, self.id)
        except ExportStateError:  # its time ended in between
            return None

    @classmethod
    def of(cls, export: domain.Export) -> "Export":
        """Return an export as the schema shows it."""
        request, end = export.request, export.manifest
        file = end if end is not None and end.data_key is not None else None
        return cls(
            id=strawberry.ID(request.id),
            status=export.status,
            progress=_progress(export, file),
            attempts=_attempts(export),
            since=moment(request.window.since_ms),
            until=moment(request.window.until_ms),
            gzip=request.given.gzip,
            created_at=moment(request.created_ms),
            finished_at=None if end is None else moment(end.finished_ms),
            expires_at=_maybe_moment(export.expires_ms),
            rows=None if file is None else file.rows,
            bytes=None if file is None else BigInt(file.size_bytes),
            sha256=None if file is None else file.sha256,
            sources=_sources(export, file),
            error=None if end is None else end.error,
            retry_of=None if request.retry_of is None else strawberry.ID(request.retry_of),
        )


@strawberry.type(description="An export in a list, with its cursor.")
class ExportEdge:
    """One entry of a page."""

    cursor: str
    node: Export


@strawberry.type(description="A page of the caller's own exports, the latest first.")
class ExportConnection:
    """See `services.exports.ExportPage`."""

    nodes: list[Export] = strawberry.field(metadata={LIST_SIZE: PAGE})
    edges: list[ExportEdge] = strawberry.field(metadata={LIST_SIZE: PAGE})
    page_info: types.PageInfo

    @classmethod
    def of(cls, page: ExportPage, after: str | None) -> "ExportConnection":
        """Return a page as the schema shows it."""
        nodes = [Export.of(export) for export in page.exports]
        cursors = page.cursors
        return cls(
            nodes=nodes,
            edges=[
                ExportEdge(cursor=cursor, node=node)
                for cursor, node in zip(cursors, nodes, strict=True)
            ],
            page_info=types.PageInfo(
                has_next_page=page.has_next,
                has_previous_page=after is not None,
                start_cursor=cursors[0] if cursors else None,
                end_cursor=cursors[-1] if cursors else None,
            ),
        )


def exports_of(info: ContextInfo) -> Exports:
    """Return the service, and let no answer that it takes part in be kept.

    Raises UnavailableError on a server without.
    """
    info.context.facts.keep_nothing()
    if info.context.exports is None:
        raise UnavailableError(NO_EXPORTS)
    return info.context.exports


def _progress(export: domain.Export, file: domain.Manifest | None) -> ExportProgress:
    if file is not None:
        return ExportProgress(done=file.rows, total=file.rows, percent=100)
    job = export.job
    if job is None or job.total <= 0:
        return ExportProgress(done=0 if job is None else job.done, total=None, percent=0)
    percent = max(0, min(job.done * 100 // job.total, 99))
    return ExportProgress(done=job.done, total=job.total, percent=percent)


def _attempts(export: domain.Export) -> int:
    if export.manifest is not None:
        return export.manifest.attempts
    return 0 if export.job is None else export.job.attempts


def _sources(export: domain.Export, file: domain.Manifest | None) -> list[ExportSource]:
    found = {} if file is None else {each.provider: each for each in file.sources}
    return [_source(each, found.get(each)) for each in export.request.providers]


def _source(provider: str, state: domain.SourceState | None) -> ExportSource:
    own_id = strawberry.ID(provider)
    if state is None:
        return ExportSource(
            provider_id=own_id, state=ExportSourceState.UNKNOWN, last_observed_at=None, rows=0
        )
    return ExportSource(
        provider_id=own_id,
        state=ExportSourceState.OBSERVED if state.observed else ExportSourceState.UNOBSERVED,
        last_observed_at=_maybe_moment(state.last_observed_ms),
        rows=state.rows,
    )


def _maybe_moment(at_ms: Milliseconds | None) -> datetime | None:
    return None if at_ms is None else moment(at_ms)
