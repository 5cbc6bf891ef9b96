"""Single flight: equal calls that overlap share one task, which outlives whoever waits for it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from movieql.ports import Clock
from movieql.waiting import any_done

_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


def nothing_is_read() -> bool:
    """Return False, of what has nothing that is long to read."""
    return False


@dataclass(frozen=True, slots=True)
class Flight(Generic[_T]):
    """A call under way; nobody should wait for it beyond the monotonic second `patience_s`."""

    task: "asyncio.Task[_T]"
    patient_until_s: float
    clock: Clock
    is_reading: Callable[[], bool]

    @property
    def is_past_patience(self) -> bool:
        """Tell whether it takes too long, and not because what came is long to read."""
        return self.clock.monotonic_s() >= self.patient_until_s and not self.is_reading()

    async def landed(self, until_s: float) -> bool:
        """Wait for the call, but not beyond `until_s` or its patience; tell whether it ended.

        A waiter that is cancelled leaves the call running.
        """
        return await any_done({self.task}, min(until_s, self.patient_until_s), self.clock)


class Flights(Generic[_K, _T]):
    """The calls under way, by key, at most `flights_max` at once.

    A call that is past its patience goes on. Where `renewing`, whoever asks then gets a new one:
    a call that hangs must not keep its key from being asked for as long as it is let hang. None
    is past its patience while `is_reading`.
    """

    def __init__(
        self,
        clock: Clock,
        patience_s: float,
        flights_max: int,
        *,
        renewing: bool = False,
        is_reading: Callable[[], bool] = nothing_is_read,
    ) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._flights_max = flights_max
        self._renewing = renewing
        self._is_reading = is_reading
        self._flights: dict[_K, Flight[_T]] = {}
        self._tasks: set[asyncio.Task[_T]] = set()

    def join(self, key: _K, start: Callable[[], Awaitable[_T]]) -> Flight[_T] | None:
        """Return the flight for a key, started now if there is none; None when all are taken."""
        flight = self._flights.get(key)
        if flight is not None and not (self._renewing and flight.is_past_patience):
            return flight
        if len(self._tasks) >= self._flights_max:
            return flight
        task = asyncio.ensure_future(start())
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._landed(key, ended))
        until_s = self._clock.monotonic_s() + self._patience_s
        self._flights.pop(key, None)  # the oldest comes first
        self._flights[key] = Flight(task, until_s, self._clock, self._is_reading)
        return self._flights[key]

    @property
    def oldest_s(self) -> float | None:
        """Return the monotonic second at which the oldest call under way began, None: none is."""
        oldest = next(iter(self._flights.values()), None)
        return None if oldest is None else oldest.patient_until_s - self._patience_s

    def is_overdue(self, key: _K) -> bool:
        """Return whether a call is under way that nobody should wait for any more."""
        flight = self._flights.get(key)
        return flight is not None and flight.is_past_patience

    async def close(self) -> None:
        """Cancel every flight and wait until all have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: _K, ended: "asyncio.Task[_T]") -> None:
        self._tasks.discard(ended)
        flight = self._flights.get(key)
        if flight is not None and flight.task is ended:
            del self._flights[key]
