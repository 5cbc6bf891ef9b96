"""How an object is cut into parts."""

import pytest

from movieql.domain.errors import StoreError
from movieql.storage.parts import PARTS_MAX, PartCount


def test_parts_are_numbered_from_one() -> None:
    count = PartCount(2)
    assert [count.next(part) for part in (b"ab", b"abc", b"a")] == [1, 2, 3]
    assert count.last == 3


def test_only_the_last_part_may_be_short() -> None:
    count = PartCount(2)
    count.next(b"a")
    with pytest.raises(StoreError, match="Only the last"):
        count.next(b"ab")
    assert count.last == 1


def test_there_are_no_more_parts_than_s3_takes() -> None:
    count = PartCount(1)
    for _ in range(PARTS_MAX):
        count.next(b"a")
    with pytest.raises(StoreError, match="10000 parts"):
        count.next(b"a")
