"""A cache in memory that fails when a test says so."""

from movieql.cache.storage import BoundedMemoryCache
from movieql.domain.errors import CacheError
from movieql.ports import Clock


class FailingCache(BoundedMemoryCache):
    """Fails every call while `broken`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, bytes_max=1_000_000)
        self.broken = False

    async def get(self, key: str) -> bytes | None:
        await self.ping()
        return await super().get(key)

    async def put(self, key: str, value: bytes, lifetime_s: float) -> None:
        await self.ping()
        await super().put(key, value, lifetime_s)

    async def drop(self, key: str) -> None:
        await self.ping()
        await super().drop(key)

    async def ping(self) -> None:
        if self.broken:
            raise CacheError
