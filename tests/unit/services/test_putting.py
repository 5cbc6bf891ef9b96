"""How often a call to a store is made, and what is known of one that failed."""

import random

import pytest

from movieql.domain.errors import StoreError, StoreUnwritableError
from movieql.services.putting import Patience
from tests.unit.services.export_world import START, RunningClock


class Calls:
    """Raises one error after the other, and notes how many."""

    def __init__(self, *errors: StoreError) -> None:
        self._errors = [*errors]
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


def patience() -> Patience:
    return Patience(RunningClock(START), random.Random(0))


async def test_a_store_that_does_not_answer_is_asked_again() -> None:
    calls = Calls(StoreError(), StoreError())
    assert await patience().trying(calls) == "done"
    assert calls.made == 3


async def test_a_store_that_cannot_be_written_to_is_not_asked_again() -> None:
    calls = Calls(StoreUnwritableError())
    with pytest.raises(StoreUnwritableError):
        await patience().trying(calls)
    assert calls.made == 1


async def test_a_try_before_the_disk_was_full_may_have_taken_place() -> None:
    with pytest.raises(StoreError) as raised:
        await patience().trying(Calls(StoreError(), StoreUnwritableError()))
    assert not isinstance(raised.value, StoreUnwritableError)
