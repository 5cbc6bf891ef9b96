"""Single flight: equal calls that overlap share one task, which outlives whoever waits for it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from movieql.ports import Clock

_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Flight(Generic[_T]):
    """A call under way; nobody should wait for it beyond the monotonic second `patience_s`."""

    task: "asyncio.Task[_T]"
    patient_until_s: float
    clock: Clock

    async def landed(self, until_s: float) -> bool:
        """Wait for the call, but not beyond `until_s` or its patience; tell whether it ended.

        A waiter that is cancelled leaves the call running.
        """
        left_s = min(until_s, self.patient_until_s) - self.clock.monotonic_s()
        if self.task.done() or left_s <= 0:
            return self.task.done()
        timer = asyncio.ensure_future(self.clock.sleep(left_s))
        try:
            await asyncio.wait({self.task, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return self.task.done()


class Flights(Generic[_K, _T]):
    """The calls under way, by key, at most `flights_max` at once."""

    def __init__(self, clock: Clock, patience_s: float, flights_max: int) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._flights_max = flights_max
        self._flights: dict[_K, Flight[_T]] = {}

    def join(self, key: _K, start: Callable[[], Awaitable[_T]]) -> Flight[_T] | None:
        """Return the flight for a key, started now if there is none; None when all are taken."""
        flight = self._flights.get(key)
        if flight is None and len(self._flights) < self._flights_max:
            task = asyncio.ensure_future(start())
            task.add_done_callback(lambda _: self._flights.pop(key, None))
            until_s = self._clock.monotonic_s() + self._patience_s
            flight = self._flights[key] = Flight(task, until_s, self._clock)
        return flight

    async def close(self) -> None:
        """Cancel every flight and wait until all have ended."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
