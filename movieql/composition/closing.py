"""Closing what is open in bounded time, so that a process that is told to stop does."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from movieql.web.telemetry import Logger

REST_S = 1.0
"""Seconds that each thing that is left gets when the time for all of them is over."""


@asynccontextmanager
async def closed_within(seconds: float, logger: Logger) -> AsyncIterator[AsyncExitStack]:
    """Give a stack whose contents close in so many seconds; what hangs then is cut off.

    What was opened before it closes all the same, and has `REST_S` for it. Raises what closing
    raises.
    """
    stack = AsyncExitStack()
    try:
        yield stack
    finally:
        closing = asyncio.ensure_future(stack.aclose())
        await asyncio.wait([closing], timeout=seconds)
        if not closing.done():
            logger.warning("closing took too long", shutdown_s=seconds)
        while not closing.done():
            closing.cancel()
            await asyncio.wait([closing], timeout=REST_S)
        if not closing.cancelled():
            closing.result()


def run_beside(work: Coroutine[None, None, None], stack: AsyncExitStack) -> None:
    """Run something until the stack closes."""
    task = asyncio.ensure_future(work)

    async def end() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(end)
