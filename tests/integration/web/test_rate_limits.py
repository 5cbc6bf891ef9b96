import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from movieql.clock import SystemClock
from movieql.domain.errors import RateLimitedError
from movieql.web.admission import Budgets, MemoryCounts, RateLimits, SharedCounts
from tests.integration.cache.conftest import Valkey
from tests.integration.cache.conftest import valkey as valkey  # noqa: PLC0414  # a fixture

TIMEOUT_S = 0.2
"""Of a Redis that hangs; longer than in life, for the machine of a test is busy."""

PATIENCE_S = 5.0
"""Of one that answers, however many others ask and whatever else the machine does."""


class Replica:
    """A process's limits over the shared counters, and the failures that it told of."""

    def __init__(
        self, url: str, rest_s: float = 5.0, timeout_s: float = PATIENCE_S, **budgets: int
    ) -> None:
        self.failures: list[str] = []
        self.clock = SystemClock()
        self.counts = SharedCounts(
            url,
            MemoryCounts(self.clock, 100),
            self.clock,
            self.failures.append,
            timeout_s=timeout_s,
            rest_s=rest_s,
        )
        self.limits = RateLimits(Budgets(**budgets), self.counts)

    async def spent(self, times: int) -> int:
        """Spend so many times at once, and return how many of them were refused."""
        spending = (self.limits.spend("a", 1) for _ in range(times))
        outcomes = await asyncio.gather(*spending, return_exceptions=True)
        for outcome in outcomes:
            assert outcome is None or isinstance(outcome, RateLimitedError)
        return sum(outcome is not None for outcome in outcomes)


@asynccontextmanager
async def replica(url: str, **options: float) -> AsyncIterator[Replica]:
    made = Replica(url, **options)  # type: ignore[arg-type]  # whole numbers but for seconds
    try:
        yield made
    finally:
        await made.counts.close()


async def test_replicas_share_one_budget(valkey: Valkey) -> None:
    async with replica(valkey.url, requests=3) as one, replica(valkey.url, requests=3) as other:
        assert await one.spent(2) == 0
        assert await other.spent(2) == 1
        assert await one.spent(1) == 1
        with pytest.raises(RateLimitedError) as refused:
            await one.limits.spend("a", 1)
        assert 1 <= refused.value.retry_after_s <= 60
        assert one.failures == other.failures == []


async def test_many_at_once_are_all_counted(valkey: Valkey) -> None:
    async with replica(valkey.url, requests=50) as own:
        assert await own.spent(60) == 10
        assert own.failures == []


async def test_a_redis_that_hangs_costs_one_short_wait_and_is_told_of_once(
    valkey: Valkey,
) -> None:
    async with replica(valkey.url, timeout_s=TIMEOUT_S, requests=3) as own:
        await own.spent(3)
        valkey.freeze()
        try:
            began_s = time.monotonic()
            assert await own.spent(3) == 0  # what this process counted itself
            assert await own.spent(1) == 1
            assert time.monotonic() - began_s < TIMEOUT_S * 3
        finally:
            valkey.thaw()
        assert len(own.failures) == 1


async def test_a_dead_redis_limits_attempts_to_log_in_by_process(valkey: Valkey) -> None:
    valkey.kill()
    async with replica(valkey.url, login_attempts=1) as own:
        await own.limits.login_attempt("ada", "192.0.2.1")
        with pytest.raises(RateLimitedError):
            await own.limits.login_attempt("ada", "192.0.2.1")
        assert own.failures == ["ConnectionError"]


async def test_a_redis_that_is_back_is_asked_again(valkey: Valkey) -> None:
    valkey.kill()
    async with replica(valkey.url, rest_s=0.0, requests=1) as own:
        assert await own.spent(1) == 0
        valkey.socket.unlink(missing_ok=True)
        valkey.start()
        assert await own.spent(1) == 0  # the shared counters start empty
        assert await own.spent(1) == 1
        valkey.kill()
        await own.spent(1)
        assert len(own.failures) == 2
