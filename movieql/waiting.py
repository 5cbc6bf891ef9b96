"""Waiting for others, and letting others run, on the clock that is passed in."""

import asyncio
from collections.abc import Collection, Generator
from typing import Any, TypeVar

from movieql.ports import Clock

TURN_S = 0.004
"""Work is done for so long before others run; a step takes about 1 ms."""

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
