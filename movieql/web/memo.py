"""Whole answers, kept while nothing that they were made from changes."""

from dataclasses import dataclass, replace

from cachetools import LRUCache

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
