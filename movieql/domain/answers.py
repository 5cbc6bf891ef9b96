"""A provider's answer to one call, as a value: rows or nothing, how old, and what went wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from movieql.domain.movies import Row
from movieql.domain.reports import SourceError, SourceErrorCode, SourceReport, SourceStatus


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call to a provider gave.

    `rows` None: nothing to show, and without an `error` because the caller did not wait for it;
    `()` for a detail: the provider says it has no such movie.
    `as_of`: when the provider said so. `fresh`: within its fresh time, which ends at the
    monotonic second `fresh_until_s`; from `renew_s` on it is refreshed ahead when asked for.
    `error`: why it is not fresh. `latency_ms`: how long this caller waited for it.
    `connected`: False when not even a connection could be made. `sent`: False when a guard
    refused the call, so that the provider saw nothing of it.
    """

    rows: tuple[Row, ...] | None
    as_of: datetime | None = None
    fresh: bool = False
    fresh_until_s: float = 0.0
    renew_s: float = 0.0
    error: SourceError | None = None
    latency_ms: int = 0
    connected: bool = True
    sent: bool = True

    @property
    def status(self) -> SourceStatus:
        """Say how the provider took part (docs/semantics.md, Answers)."""
        if self.rows is not None:
            return SourceStatus.OK if self.fresh else SourceStatus.STALE
        if self.error is None:
            return SourceStatus.PENDING
        if self.error.code is SourceErrorCode.CIRCUIT_OPEN:
            return SourceStatus.SKIPPED
        return SourceStatus.FAILED

    def report(self, provider: str) -> SourceReport:
        """Return the report of this one call."""
        return SourceReport(provider, self.status, self.as_of, self.latency_ms, self.error)


PENDING: Final = Answer(rows=None)
"""What is asked for, and not waited for."""


def failed(
    code: SourceErrorCode,
    message: str,
    *,
    retryable: bool = True,
    retry_at_s: float | None = None,
    latency_ms: int = 0,
    connected: bool = True,
    sent: bool = True,
) -> Answer:
    """Return an answer that brings nothing but the reason."""
    return Answer(
        rows=None,
        error=SourceError(code, message, retryable, retry_at_s),
        latency_ms=latency_ms,
        connected=connected,
        sent=sent,
    )
