import asyncio

from movieql.domain.movies import SourceErrorCode
from movieql.memory import MemoryProvider, VirtualClock
from movieql.ports import Call
from movieql.providers.guards import Bulkhead, Room
from tests.builders import fresh, row


def guarded(clock: VirtualClock, delay_s: float) -> tuple[Bulkhead, MemoryProvider]:
    inner = MemoryProvider(clock, otherwise=fresh(row()))
    inner.delay_s = delay_s
    return Bulkhead(inner, provider="filmworld", room=Room(20, clock)), inner


async def test_twenty_calls_go_out_and_the_rest_wait_their_turn() -> None:
    clock = VirtualClock()
    guard, inner = guarded(clock, delay_s=1.0)
    calls = [asyncio.ensure_future(guard.fetch(Call(str(n)), 10.0)) for n in range(50)]
    await clock.settle()
    assert inner.calls.total() == 20
    await clock.advance(1)
    assert inner.calls.total() == 40
    await clock.advance(2)
    assert all(call.result().fresh for call in calls)


async def test_waiting_ends_with_the_time_there_is() -> None:
    clock = VirtualClock()
    guard, inner = guarded(clock, delay_s=100.0)
    busy = [asyncio.ensure_future(guard.fetch(Call(str(n)), 200.0)) for n in range(20)]
    late = asyncio.ensure_future(guard.fetch(Call("late"), 2.5))
    await clock.advance(2.5)
    error = late.result().error
    assert error is not None
    assert error.code is SourceErrorCode.TIMEOUT
    assert inner.calls[Call("late")] == 0
    await clock.advance(100)
    assert all(call.done() for call in busy)


async def test_whoever_leaves_the_queue_takes_no_room() -> None:
    clock = VirtualClock()
    guard, inner = guarded(clock, delay_s=1.0)
    busy = [asyncio.ensure_future(guard.fetch(Call(str(n)), 10.0)) for n in range(20)]
    leaving = [asyncio.ensure_future(guard.fetch(Call("leaves"), 10.0)) for _ in range(10)]
    await clock.settle()
    for call in leaving:
        call.cancel()
    await clock.advance(1)
    again = [asyncio.ensure_future(guard.fetch(Call(str(n)), 10.0)) for n in range(20)]
    await clock.settle()
    assert inner.calls.total() == 40
    await clock.advance(1)
    assert all(call.done() for call in busy + again)


async def test_one_saturated_provider_does_not_slow_the_other() -> None:
    clock = VirtualClock()
    saturated, _ = guarded(clock, delay_s=100.0)
    other, _ = guarded(clock, delay_s=0.1)
    stuck = [asyncio.ensure_future(saturated.fetch(Call(str(n)), 200.0)) for n in range(100)]
    quick = asyncio.ensure_future(other.fetch(Call("1"), 10.0))
    await clock.advance(0.1)
    assert quick.result().fresh
    for call in stuck:
        call.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
