"""Writes that may be tried again because whoever reads can tell whose they are.

A conditional write whose answer was lost is refused when it is tried again: for being there
already. So what is there is read back, and if it is our own the write took place.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from movieql.domain.errors import PreconditionFailedError, StoreError, StoreUnwritableError
from movieql.ports import Clock, ObjectStore

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often something is tried, and the longest wait before try n: `base_s` * 2^n."""

    tries_max: int = 4
    base_s: float = 0.2
    wait_s_max: float = 5.0

    def wait_s(self, tried: int, rng: random.Random) -> float:
        """Return how long to wait after so many tries, with full jitter."""
        return rng.uniform(0, min(self.wait_s_max, self.base_s * 2**tried))


class Patience:
    """Tries calls to a store again while it does not answer."""

    def __init__(self, clock: Clock, rng: random.Random, backoff: Backoff | None = None) -> None:
        self._clock = clock
        self._rng = rng
        self._backoff = backoff or Backoff()

    async def trying(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Make a call that may be made twice. Raises what the last try raised.

        A store that cannot be written to is not tried again: nobody frees a disk in seconds.
        """
        tried = 0
        while True:
            try:
                return await call()
            except StoreUnwritableError as error:
                if tried == 0:
                    raise
                raise StoreError from error  # an earlier try may have taken place
            except StoreError:
                tried += 1
                if tried >= self._backoff.tries_max:
                    raise
            await self._clock.sleep(self._backoff.wait_s(tried, self._rng))

    async def put_once(
        self, store: ObjectStore, key: str, body: bytes, *, content_type: str, bytes_max: int
    ) -> bytes:
        """Write an object where none is, and return what is there then: ours, or another's.

        `body` must be unlike any other's, by a write id in it. Raises StoreError; the object
        may be there all the same.
        """

        async def put() -> bytes:
            try:
                await store.put(key, body, if_absent=True, content_type=content_type)
            except PreconditionFailedError as error:
                there = await store.get(key, bytes_max=bytes_max)
                if there is None:
                    raise StoreError("The object was there and is gone.") from error
                return there[0]
            return body

        return await self.trying(put)
