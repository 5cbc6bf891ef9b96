"""The twins that tests rely on; what a port promises is in the contract suites."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from movieql.domain.movies import Answer, SourceErrorCode
from movieql.memory import MemoryProvider, RecordedTelemetry, VirtualClock
from movieql.ports import LIST, Call
from tests.builders import fresh, row

START = datetime(2026, 1, 1, tzinfo=UTC)


async def test_time_stands_still_until_it_is_advanced() -> None:
    clock = VirtualClock()
    await asyncio.sleep(0)
    assert (clock.now(), clock.monotonic_s()) == (START, 0.0)
    await clock.advance(1.5)
    assert (clock.now(), clock.monotonic_s()) == (START + timedelta(seconds=1.5), 1.5)


async def test_sleepers_wake_at_their_own_moments_in_order() -> None:
    clock = VirtualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *delays: float) -> None:
        for delay_s in delays:
            await clock.sleep(delay_s)
            woken.append((name, clock.monotonic_s()))

    tasks = [
        asyncio.ensure_future(sleeper("late", 3.0)),
        asyncio.ensure_future(sleeper("again", 1.0, 1.0)),
        asyncio.ensure_future(sleeper("early", 0.5)),
    ]
    await clock.advance(2.5)
    assert woken == [("early", 0.5), ("again", 1.0), ("again", 2.0)]
    await clock.advance(0.5)
    assert woken[-1] == ("late", 3.0)
    await asyncio.gather(*tasks)


async def test_a_sleeper_that_is_cancelled_disturbs_nobody() -> None:
    clock = VirtualClock()
    leaving, staying = (asyncio.ensure_future(clock.sleep(1.0)) for _ in range(2))
    await clock.settle()
    leaving.cancel()
    await clock.advance(1.0)
    assert leaving.cancelled()
    assert staying.done()


async def test_a_provider_says_what_it_is_told_and_counts_the_calls() -> None:
    clock = VirtualClock()
    listed, detail = fresh(row()), fresh(row(price="9"))
    provider = MemoryProvider(clock, {LIST: listed, Call("cw1"): lambda: detail})
    assert await provider.fetch(LIST, 1.0) is listed
    assert await provider.fetch(Call("cw1"), 1.0) is detail
    assert (await provider.fetch(Call("cw2"), 1.0)).rows == ()
    assert provider.calls == {LIST: 1, Call("cw1"): 1, Call("cw2"): 1}
    assert provider.peek(LIST) is None


async def test_a_provider_answers_after_its_delay() -> None:
    clock = VirtualClock()
    provider = MemoryProvider(clock, otherwise=fresh())
    provider.delay_s = 1.0
    asking = asyncio.ensure_future(provider.fetch(LIST, 2.0))
    await clock.advance(0.9)
    assert not asking.done()
    await clock.advance(0.1)
    assert (await asking).rows == ()


@pytest.mark.parametrize("until_s", [0.7, 0.0, -5.0])
async def test_a_provider_with_more_delay_than_time_is_a_timeout_in_time(until_s: float) -> None:
    clock = VirtualClock()
    provider = MemoryProvider(clock, otherwise=fresh())
    provider.delay_s = 1e6
    asking = asyncio.ensure_future(provider.fetch(LIST, until_s))
    await clock.advance(max(until_s, 0.0))
    answer = await asking
    assert answer.error is not None
    assert answer.error.code is SourceErrorCode.TIMEOUT
    assert provider.calls == {LIST: 1}


def test_telemetry_is_remembered_in_order() -> None:
    telemetry = RecordedTelemetry()
    answer, fault = Answer(rows=()), ValueError("no")
    telemetry.upstream_call("cinemaworld", LIST, answer, 0.5)
    telemetry.cache_read("cinemaworld", LIST, "miss")
    telemetry.cache_failed("get", "slow")
    telemetry.fault("somewhere", fault)
    assert telemetry == RecordedTelemetry(
        upstream=[("cinemaworld", LIST, answer)],
        reads=[("cinemaworld", "miss")],
        cache_failures=[("get", "slow")],
        faults=[fault],
    )
