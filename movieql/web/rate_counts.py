"""Counters of a rate limit: in this process, or in a Redis that replicas share.

The rules are those of the library `limits`: a window starts with the first hit and ends a minute
later. Its own memory storage starts a thread a hundred times a second and forgets no key before
its time; its Redis storage works with redis 8, though its extra forbids it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from cachetools import LRUCache
from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter as AwaitedFixedWindow
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from movieql.ports import Clock

CONNECTIONS_MAX = 20
"""Connections to the shared Redis; who gets none in time is judged here."""


class Counts(Protocol):
    """Counts what callers take."""

    async def take(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        """Count, and return None while that is within the item; else seconds to the window's end.

        What is refused is counted, too. Ends in bounded time and raises nothing.
        """
        ...


class MemoryCounts:
    """Counters of this process, at most `keys_max`; the longest unused go first."""

    def __init__(self, clock: Clock, keys_max: int) -> None:
        self._clock = clock
        self._storage = _BoundedStorage(clock, keys_max)
        self._windows = FixedWindowRateLimiter(self._storage)

    async def take(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        """Count without waiting for anything; see `Counts`."""
        if self._windows.hit(item, key, cost=amount):
            return None
        return self._storage.get_expiry(item.key_for(key)) - self._clock.monotonic_s()


class SharedCounts:
    """Counters in a Redis or Valkey; while it does not answer, `otherwise` counts.

    Counters that start empty refuse nobody whom the shared ones would have let through, so a dead
    Redis makes limits looser and never tighter. After a failure nothing is asked for `rest_s`, so
    that it costs one wait of `timeout_s` and not one per call. `note_failed` is called with
    the reason once, when a Redis that was well fails.
    """

    def __init__(
        self,
        url: str,
        otherwise: Counts,
        clock: Clock,
        note_failed: Callable[[str], None],
        timeout_s: float = 0.05,
        rest_s: float = 5.0,
    ) -> None:
        self._otherwise = otherwise
        self._clock = clock
        self._note_failed = note_failed
        self._timeout_s = timeout_s
        self._rest_s = rest_s
        self._resting_until_s = clock.monotonic_s()
        self._is_well = True
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
        )
        self._storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="movieql:limit",
            connection_pool=self._pool,  # type: ignore[arg-type]  # documented, and not typed
        )
        self._windows = AwaitedFixedWindow(self._storage)

    async def take(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        """Count in Redis, else here; see `Counts`."""
        if self._clock.monotonic_s() >= self._resting_until_s:
            try:
                async with asyncio.timeout(self._timeout_s):
                    left_s = await self._taken(item, key, amount)
            except (TimeoutError, OSError, RedisError) as error:
                self._rest(error)
            else:
                self._is_well = True
                return left_s
        return await self._otherwise.take(item, key, amount)

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()

    async def _taken(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        if await self._windows.hit(item, key, cost=amount):
            return None
        stats = await self._windows.get_window_stats(item, key)
        # Both ends of this difference are read off the wall clock within the same call.
        return stats.reset_time - self._clock.now().timestamp()

    def _rest(self, error: Exception) -> None:
        self._resting_until_s = self._clock.monotonic_s() + self._rest_s
        if self._is_well:
            self._note_failed(type(error).__name__)
        self._is_well = False


class _BoundedStorage(Storage):
    """What `limits` keeps its windows in: a count and an end in monotonic seconds, by key."""

    STORAGE_SCHEME = None  # made by its class, never by a URI

    def __init__(self, clock: Clock, keys_max: int) -> None:
        super().__init__()
        self._clock = clock
        self._windows: LRUCache[str, tuple[int, float]] = LRUCache(keys_max)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now_s = self._clock.monotonic_s()
        count, until_s = self._windows.get(key, (0, 0.0))
        if until_s <= now_s:
            count, until_s = 0, now_s + expiry
        self._windows[key] = (count + amount, until_s)
        return count + amount

    def get(self, key: str) -> int:
        count, until_s = self._windows.get(key, (0, 0.0))
        return count if until_s > self._clock.monotonic_s() else 0

    def get_expiry(self, key: str) -> float:
        return self._windows.get(key, (0, self._clock.monotonic_s()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)
