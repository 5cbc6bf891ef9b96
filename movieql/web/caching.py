"""Answers that are given again: kept in this process, and headers for caches in front."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

from cachetools import LRUCache

from movieql.domain.movies import SourceReport, SourceStatus

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it goes out, but for the headers that say how long it is still good.

    It is good until the monotonic second `until_s`. It is given out again while the content
    revision is `revision`, and until `renew_s`: then somebody has to ask, so that what it was made
    from is refreshed before it is old.
    """

    status: int
    headers: Headers
    body: bytes
    etag: bytes
    revision: int
    until_s: float
    renew_s: float


ENTRY_BYTES = 1_100
"""Bytes of an entry besides its body, headers and key: the objects around them; measured."""


class AnswerMemo:
    """Answers by request, at most `bytes_max` bytes; the longest unused go first.

    The key is a digest of what the request means, never the request itself: then it has the same
    few bytes whatever a caller sends. All that an entry has in memory counts.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._answers: LRUCache[bytes, KeptAnswer] = LRUCache(bytes_max, _entry_bytes)

    def get(self, key: bytes, revision: int, now_s: float) -> KeptAnswer | None:
        """Return the answer to a request if it still holds."""
        answer = self._answers.get(key)
        if answer is None:
            return None
        if answer.revision != revision or now_s >= answer.renew_s:
            del self._answers[key]
            return None
        return answer

    def put(self, key: bytes, answer: KeptAnswer) -> None:
        """Keep an answer, unless it alone would take more than a tenth of the room."""
        if _entry_bytes(answer) * 10 <= self._bytes_max:
            # orjson leaves its buffer around what it wrote: 4 kB for 20 bytes, more for more.
            body = bytes(memoryview(answer.body))
            self._answers[key] = replace(answer, body=body)


def _entry_bytes(answer: KeptAnswer) -> int:
    headers = sum(len(name) + len(value) for name, value in answer.headers)
    return len(answer.body) + headers + ENTRY_BYTES


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
