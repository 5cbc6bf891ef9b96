"""Waiting for tasks, but not beyond a moment of the clock that was passed in."""

import asyncio
from collections.abc import Collection
from typing import Any

from movieql.ports import Clock


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
