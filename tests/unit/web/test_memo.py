import tracemalloc
from hashlib import sha256

import orjson
import pytest

from movieql.web.caching import ENTRY_BYTES, AnswerMemo, KeptAnswer

ROOM = 100 * (ENTRY_BYTES + 10)


def key(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def kept(body: bytes = b"x" * 10, revision: int = 1, until_s: float = 60.0) -> KeptAnswer:
    return KeptAnswer(200, [], body, b'W/"1"', revision, until_s + 15, renew_s=until_s)


def test_the_longest_unused_go_first() -> None:
    memo = AnswerMemo(ROOM)
    for number in range(100):
        memo.put(key(number), kept())
    assert memo.get(key(0), 1, 0.0) is not None
    memo.put(key(100), kept())
    assert memo.get(key(1), 1, 0.0) is None
    assert memo.get(key(0), 1, 0.0) is not None


def test_an_answer_larger_than_a_tenth_of_the_room_is_not_kept() -> None:
    memo = AnswerMemo(ROOM)
    memo.put(key(0), kept(b"x" * (ROOM // 10)))
    assert memo.get(key(0), 1, 0.0) is None


def test_putting_again_takes_the_room_once() -> None:
    memo = AnswerMemo(ROOM)
    for _ in range(500):
        memo.put(key(0), kept())
    for number in range(1, 100):
        memo.put(key(number), kept())
    assert memo.get(key(0), 1, 0.0) is not None


def test_an_answer_ends_with_its_time_or_its_revision() -> None:
    memo = AnswerMemo(ROOM)
    memo.put(key(0), kept())
    assert memo.get(key(0), 1, 59.9) is not None
    assert memo.get(key(0), 2, 0.0) is None
    memo.put(key(0), kept())
    assert memo.get(key(0), 1, 60.0) is None


@pytest.mark.parametrize("body_bytes", [0, 30, 1_000, 20_000])
@pytest.mark.parametrize("header_bytes", [0, 20, 2_000])
def test_it_takes_no_more_memory_than_it_may(body_bytes: int, header_bytes: int) -> None:
    memo = AnswerMemo(500_000)
    tracemalloc.start()
    try:
        for number in range(500):
            value = str(number).encode() + b"x" * header_bytes
            headers = [(b"x-movieql-sources", value), (b"content-type", value + b"x")]
            body = orjson.dumps(str(number) + "x" * body_bytes)
            answer = KeptAnswer(200, headers, body, value[:32], 1, number + 0.5, number + 9.5)
            memo.put(key(number), answer)
        del headers, body, answer
        assert tracemalloc.get_traced_memory()[0] <= 500_000
    finally:
        tracemalloc.stop()
