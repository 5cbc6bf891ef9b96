"""Closing what is open in bounded time, so that a process that is told to stop does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from movieql.web.logs import Logger


@asynccontextmanager
async def closed_within(seconds: float, logger: Logger) -> AsyncIterator[AsyncExitStack]:
    """Give a stack whose contents close in so many seconds; what is not done then is cut off.

    The rest closes all the same: what was opened first, and goes last, has bounds of its own.
    """
    stack = AsyncExitStack()
    try:
        yield stack
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds) as limit:
                await stack.aclose()
        if limit.expired():
            logger.warning("closing took too long", shutdown_s=seconds)
