"""What a provider did for an answer: a value beside the data, never an exception."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SourceStatus(StrEnum):
    """How a provider took part in an answer.

    OK: it answered freshly. STALE: what is shown is older than its fresh time. PENDING: it was
    asked for something, and this answer did not wait for it. SKIPPED: not asked (left out by the
    caller, or its breaker is open and nothing is kept). FAILED: it did not answer and nothing is
    kept, or some of the details needed are missing.
    """

    OK = "OK"
    STALE = "STALE"
    PENDING = "PENDING"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class SourceErrorCode(StrEnum):
    """Why a provider did not answer freshly.

    TIMEOUT: not in time. UNAVAILABLE: refused, reset, or 5xx. CIRCUIT_OPEN: not asked because
    it kept failing. RATE_LIMITED: 429. UNAUTHORIZED: 401 or 403, our token is wrong.
    BAD_RESPONSE: an answer that cannot be used. INTERNAL: a fault of ours.
    """

    TIMEOUT = "TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    RATE_LIMITED = "RATE_LIMITED"
    UNAUTHORIZED = "UNAUTHORIZED"
    BAD_RESPONSE = "BAD_RESPONSE"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class SourceError:
    """Why something of a provider is missing or old.

    `retry_at_s`: the monotonic second before which it is not called again, None where nothing
    says so. A moment and not a wait, so that the error is the same one for as long as it holds.
    """

    code: SourceErrorCode
    message: str
    retryable: bool = True
    retry_at_s: float | None = None

    def retry_after_ms(self, now_s: float) -> int | None:
        """Return the milliseconds that are left until `retry_at_s`, 0 once it is over."""
        if self.retry_at_s is None:
            return None
        # Rounded up, so that nobody comes early; a float's last digits are no millisecond.
        return max(math.ceil(round((self.retry_at_s - now_s) * 1000, 3)), 0)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one provider did for one answer.

    `as_of` is when the oldest thing shown of it was seen; `latency_ms` is how long this answer
    waited for it (0 when nothing had to be waited for). `details_expected` counts the movies in
    its list that have a detail, and `details_known` those whose detail was read, however long
    ago; None in the report of one movie, while no list is known, and where it has everything.
    """

    provider: str
    status: SourceStatus
    as_of: datetime | None = None
    latency_ms: int = 0
    error: SourceError | None = None
    details_known: int | None = None
    details_expected: int | None = None


_WORST_LAST = (
    SourceStatus.OK,
    SourceStatus.STALE,
    SourceStatus.PENDING,
    SourceStatus.SKIPPED,
    SourceStatus.FAILED,
)


def worst(reports: Iterable[SourceReport]) -> SourceReport:
    """Return one report for several calls to one provider (at least one).

    The worst status with its error, the oldest `as_of`, the longest `latency_ms`. Of equally
    bad ones the first counts, so the list call speaks before the details.
    """
    several = tuple(reports)
    rank = max(_WORST_LAST.index(report.status) for report in several)
    speaker = next(report for report in several if _WORST_LAST.index(report.status) == rank)
    seen = [report.as_of for report in several if report.as_of is not None]
    return SourceReport(
        provider=speaker.provider,
        status=speaker.status,
        as_of=min(seen) if seen else None,
        latency_ms=max(report.latency_ms for report in several),
        error=speaker.error,
    )


def is_complete(reports: Iterable[SourceReport], left_out: frozenset[str]) -> bool:
    """Tell whether every provider that the caller did not leave out answered freshly."""
    return all(
        report.status is SourceStatus.OK for report in reports if report.provider not in left_out
    )
