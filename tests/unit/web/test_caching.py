import pytest

from movieql.web.caching import matches


@pytest.mark.parametrize(
    "sent, same",
    [
        (b'W/"1-2-a"', True),
        (b'"1-2-a"', True),
        (b'"x", W/"1-2-a"', True),
        (b"*", True),
        (b'W/"1-3-a"', False),
        (b"", False),
        (b"garbage", False),
    ],
)
def test_versions_are_compared_weakly(sent: bytes, *, same: bool) -> None:
    assert matches(sent, b'W/"1-2-a"') is same
