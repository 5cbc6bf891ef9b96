"""Waiting for others, one call for equal ones, and letting others run, on a clock passed in."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Generator, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from movieql.ports import Clock

TIMER_S = 0.005
"""A timer may be early by so much: uvloop's counts whole milliseconds."""

_LOOK_S = 0.05

TURN_S = 0.004
"""Work is done for so long before others run; a step takes about 1 ms."""

_K = TypeVar("_K", bound=Hashable)
_T = TypeVar("_T")


async def in_steps(steps: Generator[None, None, _T], clock: Clock) -> _T:
    """Return what a generator returns, and let others run after each `TURN_S`."""
    turn_s = clock.monotonic_s()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result
        if clock.monotonic_s() - turn_s >= TURN_S:
            await asyncio.sleep(0)
            turn_s = clock.monotonic_s()


def exhausted(steps: Generator[None, None, _T]) -> _T:
    """Return what steps lead to, all at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result


async def any_done(
    futures: Collection["asyncio.Future[Any]"], until_s: float, clock: Clock
) -> bool:
    """Wait until one of the futures has ended or `until_s` has come; tell whether one has.

    None of them is cancelled, also not when whoever waits here is.
    """
    left_s = until_s - clock.monotonic_s()
    if left_s > 0 and not any(future.done() for future in futures):
        await clock.wait(futures, left_s)
    return any(future.done() for future in futures)


def nothing_is_read() -> bool:
    """Return False, of what has nothing that is long to read."""
    return False


@dataclass(frozen=True, slots=True)
class Flight(Generic[_T]):
    """A call under way; nobody should wait for it beyond the monotonic `patient_until_s`."""

    task: "asyncio.Task[_T]"
    patient_until_s: float
    clock: Clock
    is_reading: Callable[[], bool]

    @property
    def is_past_patience(self) -> bool:
        """Tell whether it takes too long, and not because what came is long to read."""
        is_over = self.clock.monotonic_s() >= self.patient_until_s - TIMER_S
        return is_over and not self.is_reading()

    async def landed(self, until_s: float) -> bool:
        """Wait for the call, but not beyond `until_s` or its patience; tell whether it ended.

        A waiter that is cancelled leaves the call running.
        """
        is_done = await any_done({self.task}, min(until_s, self.patient_until_s), self.clock)
        while not is_done and self.is_reading() and self.clock.monotonic_s() < until_s:
            look_s = min(until_s, self.clock.monotonic_s() + _LOOK_S)
            is_done = await any_done({self.task}, look_s, self.clock)
        return is_done


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
