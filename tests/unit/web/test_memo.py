from movieql.web.memo import AnswerMemo, KeptAnswer


def kept(body: bytes = b"x" * 10, revision: int = 1, until_s: float = 60.0) -> KeptAnswer:
    return KeptAnswer(200, [], body, b'W/"1"', revision, until_s + 15, renew_s=until_s)


def test_the_longest_unused_go_first() -> None:
    memo = AnswerMemo(100)
    for number in range(10):
        memo.put(number, kept())
    assert memo.get(0, 1, 0.0) is not None
    memo.put(10, kept())
    assert memo.get(1, 1, 0.0) is None
    assert memo.get(0, 1, 0.0) is not None


def test_an_answer_larger_than_a_tenth_of_the_room_is_not_kept() -> None:
    memo = AnswerMemo(100)
    memo.put("large", kept(b"x" * 11))
    assert memo.get("large", 1, 0.0) is None


def test_putting_again_takes_the_room_once() -> None:
    memo = AnswerMemo(100)
    for _ in range(50):
        memo.put("same", kept())
    for number in range(9):
        memo.put(number, kept())
    assert memo.get("same", 1, 0.0) is not None


def test_an_answer_ends_with_its_time_or_its_revision() -> None:
    memo = AnswerMemo(100)
    memo.put("a", kept())
    assert memo.get("a", 1, 59.9) is not None
    assert memo.get("a", 2, 0.0) is None
    memo.put("a", kept())
    assert memo.get("a", 1, 60.0) is None
