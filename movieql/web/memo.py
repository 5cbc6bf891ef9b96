"""Whole answers, kept while nothing that they were made from changes."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

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


class AnswerMemo:
    """Answers by request, at most `bytes_max` bytes; the longest unused go first.

    The key is the request as it came, byte for byte: document, operation, variables, media type
    and whatever decides what the caller may see.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._answers: OrderedDict[Hashable, KeptAnswer] = OrderedDict()

    def get(self, key: Hashable, revision: int, now_s: float) -> KeptAnswer | None:
        """Return the answer to a request if it still holds."""
        answer = self._answers.get(key)
        if answer is None:
            return None
        if answer.revision != revision or now_s >= answer.renew_s:
            self._forget(key)
            return None
        self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: KeptAnswer) -> None:
        """Keep an answer, unless it alone would take more than a tenth of the room."""
        if len(answer.body) * 10 > self._bytes_max:
            return
        if key in self._answers:
            self._forget(key)
        self._answers[key] = answer
        self._bytes += len(answer.body)
        while self._bytes > self._bytes_max:
            self._forget(next(iter(self._answers)))

    def _forget(self, key: Hashable) -> None:
        self._bytes -= len(self._answers.pop(key).body)
