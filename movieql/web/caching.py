"""Headers for caches between us and a caller: how long an answer is good, and its version."""

from collections.abc import Mapping
from hashlib import blake2b

from movieql.domain.reports import SourceReport, SourceStatus

MAX_AGE_S_MAX = 3_600
"""Nothing is promised for longer, not even what no provider was needed for."""

NO_STORE = b"no-store"


def cache_control(*, left_s: float, is_private: bool = False) -> bytes:
    """Return the header of an answer fresh for `left_s` seconds (docs/semantics.md, Answers).

    `is_private`: only the caller's own cache may keep it, no proxy that others ask too.
    """
    if left_s <= 0:
        return NO_STORE
    audience = b"private" if is_private else b"public"
    return b"%s, max-age=%d" % (audience, min(left_s, MAX_AGE_S_MAX))


def etag(boot_id: bytes, revision: int, key: bytes) -> bytes:
    """Return the version of an answer: of this process, this content, and this request.

    Weak, because times and latencies in the body may differ. A revision is a process's own
    count, so `boot_id` keeps those of replicas apart.
    """
    digest = blake2b(key, digest_size=8).hexdigest().encode()
    return b'W/"%s-%d-%s"' % (boot_id, revision, digest)


def matches(if_none_match: bytes, version: bytes) -> bool:
    """Return whether a caller has this version already; comparison is weak (RFC 9110 §13.1.2)."""
    if if_none_match.strip() == b"*":
        return True
    bare = version.removeprefix(b"W/")
    return any(each.strip().removeprefix(b"W/") == bare for each in if_none_match.split(b","))


def sources_header(sources: Mapping[str, SourceReport]) -> bytes:
    """Return `cinemaworld=ok, filmworld=timeout`: a status, or why there is nothing."""
    return ", ".join(f"{name}={_said(report)}" for name, report in sources.items()).encode()


def _said(report: SourceReport) -> str:
    if report.status is SourceStatus.FAILED and report.error is not None:
        return report.error.code.value.lower()
    return report.status.value.lower()
