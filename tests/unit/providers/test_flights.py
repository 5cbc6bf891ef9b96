"""Equal calls that overlap share one task."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import pytest

from movieql.memory import VirtualClock
from movieql.waiting import Flights

PATIENCE_S = 1.5
FOREVER_S = 1e9


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def flights(clock: VirtualClock) -> Flights[str, str]:
    return Flights(clock, PATIENCE_S, flights_max=3)


class Trips:
    """Makes calls that take `delay_s` and counts them."""

    def __init__(self, clock: VirtualClock, delay_s: float = 1.0) -> None:
        self.clock, self.delay_s = clock, delay_s
        self.started = self.ended = 0

    async def __call__(self) -> str:
        self.started += 1
        await self.clock.sleep(self.delay_s)
        self.ended += 1
        return "landed"


async def waiting(
    flights: Flights[str, str],
    start: Callable[[], Awaitable[str]],
    until_s: float = FOREVER_S,
    key: str = "a",
) -> bool:
    flight = flights.join(key, start)
    assert flight is not None
    return await flight.landed(until_s)


async def test_any_number_of_equal_calls_are_one(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock)
    waiters = [asyncio.ensure_future(waiting(flights, trips)) for _ in range(50)]
    await clock.advance(1.0)
    assert await asyncio.gather(*waiters) == [True] * 50
    assert trips.started == 1


async def test_another_key_is_another_call(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock)
    waiters = [asyncio.ensure_future(waiting(flights, trips, key=key)) for key in "ab"]
    await clock.advance(1.0)
    assert await asyncio.gather(*waiters) == [True, True]
    assert trips.started == 2


async def test_a_call_that_ended_is_not_joined(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock)
    for _ in range(2):
        waiter = asyncio.ensure_future(waiting(flights, trips))
        await clock.advance(1.0)
        assert await waiter
    assert trips.started == 2


async def test_a_waiter_that_is_cancelled_leaves_the_flight_to_the_others(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock)
    leaving, staying = (asyncio.ensure_future(waiting(flights, trips)) for _ in range(2))
    await clock.advance(0.5)
    leaving.cancel()
    await clock.advance(0.5)
    assert leaving.cancelled()
    assert await staying
    assert trips.ended == 1


async def test_a_flight_lands_also_when_every_waiter_left(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock)
    waiter = asyncio.ensure_future(waiting(flights, trips))
    await clock.advance(0.5)
    waiter.cancel()
    await clock.advance(0.5)
    assert trips.ended == 1


async def test_nobody_waits_beyond_their_own_end(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock)
    waiter = asyncio.ensure_future(waiting(flights, trips, until_s=0.4))
    await clock.advance(0.4)
    assert waiter.done()
    assert not waiter.result()
    await clock.advance(0.6)
    assert trips.ended == 1


async def test_nobody_waits_beyond_the_patience_of_the_flight(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock, delay_s=10.0)
    first = asyncio.ensure_future(waiting(flights, trips))
    await clock.advance(1.0)
    second = asyncio.ensure_future(waiting(flights, trips))
    await clock.advance(0.5)
    assert (first.result(), second.result()) == (False, False)
    assert not await waiting(flights, trips)  # at once
    await clock.advance(8.5)
    assert trips.started == trips.ended == 1


async def test_a_landed_flight_has_landed_whatever_the_time(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    flight = flights.join("a", Trips(clock))
    assert flight is not None
    await clock.advance(100.0)
    assert await flight.landed(0.0)
    assert flight.task.result() == "landed"


async def test_flights_have_a_bound_and_those_under_way_can_still_be_joined(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    trips = Trips(clock)
    for key in "abc":
        assert flights.join(key, trips) is not None
    assert flights.join("d", trips) is None
    assert flights.join("a", trips) is not None
    await clock.advance(1.0)
    assert flights.join("d", trips) is not None
    await flights.close()
    assert trips.started == 4 - 1  # the last was cancelled before it began


async def test_a_renewed_call_is_as_old_as_its_last_flight(clock: VirtualClock) -> None:
    flights: Flights[str, str] = Flights(clock, PATIENCE_S, flights_max=3, renewing=True)
    trips = Trips(clock, delay_s=FOREVER_S)
    flights.join("a", trips)
    await clock.advance(1.0)
    flights.join("b", trips)
    await clock.advance(0.5)
    flights.join("a", trips)
    assert flights.oldest_s == 1.0
    await flights.close()


async def test_a_call_that_raises_leaves_no_flight_behind(
    clock: VirtualClock, flights: Flights[str, str]
) -> None:
    async def fails() -> str:
        await clock.sleep(0.1)
        raise ValueError("no")

    flight = flights.join("a", fails)
    assert flight is not None
    await clock.advance(0.1)
    assert await flight.landed(FOREVER_S)
    with pytest.raises(ValueError, match="no"):
        flight.task.result()
    assert flights.join("a", Trips(clock)) is not flight
    await flights.close()


async def test_closing_ends_every_flight(clock: VirtualClock, flights: Flights[str, str]) -> None:
    trips = Trips(clock)
    tasks = []
    for key in "ab":
        flight = flights.join(key, trips)
        assert flight is not None
        tasks.append(flight.task)
    await clock.settle()
    await flights.close()
    assert [task.cancelled() for task in tasks] == [True, True]
    assert trips.started == 2
    assert trips.ended == 0


async def test_closing_without_flights_is_nothing(flights: Flights[str, str]) -> None:
    await flights.close()


async def test_no_call_is_past_its_patience_while_its_answer_is_being_read(
    clock: VirtualClock,
) -> None:
    is_reading = True
    flights = Flights[str, str](
        clock, PATIENCE_S, flights_max=3, renewing=True, is_reading=lambda: is_reading
    )
    trips = Trips(clock, delay_s=100.0)
    flight = flights.join("a", trips)
    await clock.advance(2 * PATIENCE_S)
    assert flight is not None
    assert not flight.is_past_patience
    assert flights.join("a", trips) is flight
    is_reading = False
    assert flights.is_overdue("a")
    assert flights.join("a", trips) is not flight
    await flights.close()


async def test_a_call_is_waited_for_while_its_answer_is_being_read(clock: VirtualClock) -> None:
    flights = Flights[str, str](clock, PATIENCE_S, flights_max=3, is_reading=lambda: True)
    trips = Trips(clock, delay_s=PATIENCE_S + 0.5)
    landing = asyncio.ensure_future(waiting(flights, trips, until_s=PATIENCE_S + 1.0))
    await clock.advance(PATIENCE_S + 0.7)
    assert landing.done()
    assert landing.result()


class EarlyClock(VirtualClock):
    """Its timers end a millisecond early, as uvloop's may."""

    async def wait(self, futures: Collection[asyncio.Future[Any]], timeout_s: float) -> None:
        await super().wait(futures, timeout_s - 0.001)


async def test_a_call_is_past_its_patience_also_when_the_timer_was_early() -> None:
    clock = EarlyClock()
    flights = Flights[str, str](clock, PATIENCE_S, flights_max=3)
    flight = flights.join("a", Trips(clock, delay_s=100.0))
    assert flight is not None
    landing = asyncio.ensure_future(flight.landed(FOREVER_S))
    await clock.settle()
    while not landing.done():
        await clock.advance(0.001)
    assert not landing.result()
    assert clock.monotonic_s() < PATIENCE_S
    assert flight.is_past_patience
    await flights.close()
