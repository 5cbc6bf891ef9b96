"""Both clocks wait alike."""

import asyncio

import pytest

from movieql.clock import SystemClock
from movieql.domain.movies import SourceErrorCode, failed
from movieql.memory import MemoryProvider
from movieql.ports import LIST
from movieql.providers.guards import Hedged, RetryBudget, Room
from movieql.waiting import any_done
from tests.builders import fresh, row


@pytest.mark.parametrize("ended", [True, False])
async def test_waiting_ends_with_the_future_or_with_the_time(*, ended: bool) -> None:
    clock = SystemClock()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if ended:
        asyncio.get_running_loop().call_soon(future.set_result, None)
    assert await any_done({future}, clock.monotonic_s() + 0.02, clock) is ended
    assert not future.cancelled()


async def test_waiting_for_nothing_is_waiting_for_the_time() -> None:
    clock = SystemClock()
    assert await any_done(set(), clock.monotonic_s() + 0.01, clock) is False


async def test_a_shop_that_says_when_to_come_back_is_asked_again_on_the_real_clock() -> None:
    clock = SystemClock()
    busy = failed(SourceErrorCode.RATE_LIMITED, "429", retry_at_s=clock.monotonic_s() + 0.02)
    replies = iter((busy, fresh(row())))
    shop = MemoryProvider(clock, {LIST: lambda: next(replies)})
    guard = Hedged(
        shop, provider="filmworld", budget=RetryBudget(clock), room=Room(2, clock), clock=clock
    )
    assert (await guard.fetch(LIST, clock.monotonic_s() + 2)).error is None
