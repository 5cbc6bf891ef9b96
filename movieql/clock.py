"""The real clock."""

import asyncio
import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any


class SystemClock:
    """Time as the machine has it; the twin for tests is `memory.VirtualClock`."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(delay_s)

    async def wait(self, futures: "Collection[asyncio.Future[Any]]", timeout_s: float) -> None:
        """Wait until one of the futures has ended, at most so many seconds; cancel none."""
        if not futures:  # asyncio.wait refuses to wait for nothing
            await asyncio.sleep(timeout_s)
            return
        await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
