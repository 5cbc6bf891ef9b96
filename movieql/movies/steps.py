"""Long work in steps, so that nobody holds the event loop for long."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

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
