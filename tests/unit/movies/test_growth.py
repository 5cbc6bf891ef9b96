"""What is there to stay."""

import gc
from unittest.mock import Mock

import pytest

from movieql.movies.growth import NEW_A_FREEZE, Growth


def test_what_is_made_again_is_not_frozen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    freeze = Mock()
    monkeypatch.setattr(gc, "freeze", freeze)
    growth = Growth()
    for _ in range(5):
        for count in range(3 * NEW_A_FREEZE):
            growth.reach(count)
    assert freeze.call_count == 2
    growth.reach(3 * NEW_A_FREEZE)
    assert freeze.call_count == 3
