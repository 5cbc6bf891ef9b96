"""The cache: bounded memory of our own, or a Redis that replicas share, by aiocache.

Of aiocache 0.12.3 only `multi_get`, `exists`, `close` and its client of redis-py are used: its
`multi_set` has one lifetime for all, its decorators let a hung Redis cost 10 s a call, and its
memory has no bound. So bounds, time and formats are ours.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from cachetools import LRUCache
from redis.asyncio import ConnectionPool
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError

from movieql.domain.errors import CacheError
from movieql.ports import Clock
from movieql.waiting import any_done

FIRST_REST_S = 0.1
"""Seconds that a shared cache is left alone after its first failure."""

_CALLS_MAX = 50
"""Calls to the shared cache at once per process; redis-py refuses the 101st connection."""

_LATE_S = 0.01  # later than this a timer says that the process is busy
_WAITS_MAX = 4

_KEYS_MAX = 500
"""Keys of one call: half a megabyte of details, which takes a few milliseconds."""

_T = TypeVar("_T")
_Item = TypeVar("_Item")


ENTRY_BYTES = 400
"""Bytes of an entry in memory besides its key and value; measured."""


class BoundedMemoryCache:
    """Bytes in this process, at most `bytes_max` with their keys; the longest unused go first."""

    def __init__(self, clock: Clock, bytes_max: int) -> None:
        self._clock = clock
        self._entries: LRUCache[str, tuple[str, bytes, float]] = LRUCache(
            bytes_max, lambda entry: ENTRY_BYTES + sys.getsizeof(entry[0]) + len(entry[1])
        )

    async def get(self, key: str) -> bytes | None:
        """Return what was put; see `ports.Cache`."""
        _, value, until_s = self._entries.get(key, ("", b"", 0.0))
        return value if until_s > self._clock.monotonic_s() else None

    async def put(self, key: str, value: bytes, lifetime_s: float) -> None:
        """Keep a value, unless it is larger than all the room; see `ports.Cache`."""
        self._entries.pop(key, None)
        with suppress(ValueError):
            self._entries[key] = (key, value, self._clock.monotonic_s() + lifetime_s)

    async def claim(self, key: str, lifetime_s: float) -> bool:
        """Return whether nobody else has the key; see `ports.Cache`."""
        if await self.get(key) is not None:
            return False
        await self.put(key, b"", lifetime_s)
        return True

    async def drop(self, key: str) -> None:
        """Forget a key; see `ports.Cache`."""
        self._entries.pop(key, None)

    async def ping(self) -> None:
        """Do nothing: memory is always there."""

    async def close(self) -> None:
        """Forget everything."""
        self._entries.clear()


class SharedRedisCache:
    """Bytes in a Redis or Valkey; every call ends soon, by CacheError if need be.

    It waits at most `timeout_s` for its turn (`_CALLS_MAX` at once) and as long for its answer.

    What is asked for in one turn of the event loop is one call, of at most `_KEYS_MAX` keys.
    After a failure nothing is asked for `FIRST_REST_S`, and twice as long after each further one,
    `rest_s` at most, so that a dead cache costs few waits, and a slow moment is soon forgotten.
    `credentials` are asked at each connect; None: the URL says who we are.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        timeout_s: float = 0.05,
        rest_s: float = 5.0,
        credentials: CredentialProvider | None = None,
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._rest_s = rest_s
        self._slots = asyncio.Semaphore(_CALLS_MAX)
        self._resting_until_s = clock.monotonic_s()
        self._failed_rest_s = 0.0
        self._storage = RedisCache(
            serializer=NullSerializer(encoding=None),
            timeout=None,  # its own would not bound the calls of its client
            # aiocache takes a host and a port; a URL may also name a unix socket.
            connection_pool_class=lambda **_: ConnectionPool.from_url(
                url,
                socket_connect_timeout=timeout_s,
                socket_timeout=timeout_s,
                credential_provider=credentials,
            ),
        )
        self._gets: _Batcher[str, bytes | None] = _Batcher(self._get_all)
        self._sets: _Batcher[tuple[str, bytes, float, bool], bool] = _Batcher(self._set_all)
        self._drops: _Batcher[str, None] = _Batcher(self._drop_all)

    async def get(self, key: str) -> bytes | None:
        """Return what was put; see `ports.Cache`."""
        return await self._gets.result_of(key)

    async def put(self, key: str, value: bytes, lifetime_s: float) -> None:
        """Keep a value; see `ports.Cache`."""
        await self._sets.result_of((key, value, lifetime_s, False))

    async def claim(self, key: str, lifetime_s: float) -> bool:
        """Return whether nobody else has the key; see `ports.Cache`."""
        return await self._sets.result_of((key, b"", lifetime_s, True))

    async def ping(self) -> None:
        """Raise CacheError when Redis does not answer, also while resting."""
        self._resting_until_s = self._clock.monotonic_s()
        await self._guarded(self._storage.exists("ping"))

    async def close(self) -> None:
        """End the calls under way, and close the connections."""
        for calls in (self._gets, self._sets, self._drops):
            await calls.close()
        await self._storage.close()

    async def drop(self, key: str) -> None:
        """Forget a key; see `ports.Cache`."""
        await self._drops.result_of(key)

    async def _drop_all(self, keys: Sequence[str]) -> Sequence[None]:
        await self._guarded(self._storage.client.delete(*keys))
        return [None] * len(keys)

    async def _get_all(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        found: list[bytes | None] = await self._guarded(self._storage.multi_get(keys))
        return found

    async def _set_all(self, items: Sequence[tuple[str, bytes, float, bool]]) -> Sequence[bool]:
        async with self._storage.client.pipeline(transaction=False) as commands:
            for key, value, lifetime_s, only_new in items:
                commands.set(key, value, px=max(1, round(lifetime_s * 1000)), nx=only_new)
            return [bool(each) for each in await self._guarded(commands.execute())]

    async def _guarded(self, call: Awaitable[_T]) -> _T:
        await self._take_slot(call)
        try:
            if self._clock.monotonic_s() < self._resting_until_s:
                _abandon(call)
                raise CacheError("The shared cache rests after a failure.")
            found = await self._in_time(call)
        except (TimeoutError, OSError, RedisError) as error:
            self._rest()
            raise CacheError(f"The shared cache failed: {type(error).__name__}.") from error
        else:
            self._failed_rest_s = 0.0
            return found
        finally:
            self._slots.release()

    async def _in_time(self, call: Awaitable[_T]) -> _T:
        """Return what a call brings within `timeout_s`. Raises TimeoutError.

        It is waited for again where this process was too busy to look in time: then the answer
        may lie here unread.
        """
        task = asyncio.ensure_future(call)
        try:
            for _ in range(_WAITS_MAX):
                until_s = self._clock.monotonic_s() + self._timeout_s
                if await any_done({task}, until_s, self._clock):
                    return task.result()
                if self._clock.monotonic_s() < until_s + _LATE_S:
                    break
            raise TimeoutError
        finally:
            task.cancel()

    def _rest(self) -> None:
        """Ask nothing for twice as long as after the failure before, `rest_s` at most."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._resting_until_s:  # of several that fail at once one counts
            longer_s = max(2 * self._failed_rest_s, FIRST_REST_S)
            self._failed_rest_s = min(longer_s, self._rest_s)
            self._resting_until_s = now_s + self._failed_rest_s

    async def _take_slot(self, call: Awaitable[_T]) -> None:
        """Wait for a connection; that we ask too much at once is no failure of the cache."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._slots.acquire()
        except BaseException as error:
            _abandon(call)
            if isinstance(error, TimeoutError):
                raise CacheError("Too many calls to the shared cache wait.") from error
            raise


class _Batcher(Generic[_Item, _T]):
    """Makes what is asked for in one turn of the event loop one call."""

    def __init__(self, call: Callable[[Sequence[_Item]], Awaitable[Sequence[_T]]]) -> None:
        self._call = call
        self._next: tuple[list[_Item], asyncio.Task[Sequence[_T] | CacheError]] | None = None
        self._tasks: set[asyncio.Task[Sequence[_T] | CacheError]] = set()

    async def result_of(self, item: _Item) -> _T:
        """Return the result for an item. Raises CacheError."""
        if self._next is None or len(self._next[0]) == _KEYS_MAX:
            asked: list[_Item] = []
            self._next = asked, asyncio.create_task(self._called(asked))
            self._tasks.add(self._next[1])
            self._next[1].add_done_callback(self._tasks.discard)
        items, task = self._next
        at = len(items)
        items.append(item)
        results = await asyncio.shield(task)
        if isinstance(results, CacheError):
            raise CacheError(str(results))
        return results[at]

    async def close(self) -> None:
        """End the calls under way."""
        self._next = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _called(self, items: Sequence[_Item]) -> Sequence[_T] | CacheError:
        self._next = None
        try:
            return await self._call(items)
        except CacheError as error:
            return error  # raised, asyncio would log it where nobody waits any more


def _abandon(call: Any) -> None:
    call.close()  # a coroutine that is never awaited would warn
