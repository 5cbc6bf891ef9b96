"""One contract for every cache, and what a broken Redis may cost."""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from movieql.cache.storage import ENTRY_BYTES, BoundedMemoryCache, SharedRedisCache
from movieql.clock import SystemClock
from movieql.domain.errors import CacheError
from movieql.memory import VirtualClock
from movieql.ports import Cache

pytestmark = pytest.mark.filterwarnings(
    # aiocache 0.12.3, the last release, calls what redis-py 8 has a new name for.
    r"ignore:Call to deprecated close\. \(Use aclose\(\) instead\):DeprecationWarning",
)

TIMEOUT_S = 0.05
REST_S = 0.3
SLACK_S = 0.25
"""What a busy machine may add to a wait of 50 ms."""


@dataclass
class Subject:
    """A cache under the contract, and the clock that its lifetimes run on."""

    cache: Cache
    clock: VirtualClock | None = None

    async def gone(self, key: str, within_s: float) -> None:
        """Wait until a key is not there."""
        if self.clock is not None:
            await self.clock.advance(within_s)
            assert await self.cache.get(key) is None
            return
        async with asyncio.timeout(within_s + 5.0):
            while await self.cache.get(key) is not None:  # noqa: ASYNC110  # it has no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def shared(url: str, **options: Any) -> AsyncIterator[SharedRedisCache]:
    cache = SharedRedisCache(url, SystemClock(), **options)
    try:
        yield cache
    finally:
        await cache.close()


@pytest.fixture(params=["memory", "valkey"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        clock = VirtualClock()
        yield Subject(BoundedMemoryCache(clock, bytes_max=1_000_000), clock)
    else:
        valkey = request.getfixturevalue("valkey")
        async with shared(valkey.url, timeout_s=2.0) as shared_cache:
            yield Subject(shared_cache)


# The contract


async def test_of_many_who_claim_a_key_one_has_it_until_it_is_dropped(subject: Subject) -> None:
    claims = await asyncio.gather(*(subject.cache.claim("key", 60.0) for _ in range(20)))
    assert claims.count(True) == 1
    assert not await subject.cache.claim("key", 60.0)
    await subject.cache.drop("key")
    assert await subject.cache.claim("key", 60.0)
    assert await subject.cache.claim("other", 60.0)


async def test_a_claim_ends_by_itself(subject: Subject) -> None:
    assert await subject.cache.claim("key", 0.05)
    await subject.gone("key", 0.05)
    assert await subject.cache.claim("key", 60.0)


async def test_what_was_never_dropped_may_be_dropped(subject: Subject) -> None:
    await subject.cache.drop("key")
    assert await subject.cache.get("key") is None


async def test_many_keys_at_once_each_get_their_own_value(subject: Subject) -> None:
    values = {f"key {number}": f"value {number}".encode() for number in range(1_200)}
    await asyncio.gather(*(subject.cache.put(*each, 60.0) for each in values.items()))
    asked = [*values, "no such key"]
    found = await asyncio.gather(*map(subject.cache.get, asked))
    assert dict(zip(asked, found, strict=True)) == values | {"no such key": None}


async def test_what_was_never_put_is_not_there(subject: Subject) -> None:
    assert await subject.cache.get("key") is None


@pytest.mark.parametrize(
    "value", [b"", b"text", bytes(range(256)), b"\x00" * 300_000], ids=["", "text", "all", "long"]
)
async def test_bytes_come_back_as_they_were_put(subject: Subject, value: bytes) -> None:
    await subject.cache.put("key", value, 60.0)
    assert await subject.cache.get("key") == value


@pytest.mark.parametrize("key", ["a:b:c", "a b", "\u00e9\u4e2d", "x" * 500, "*", "a\nb"])
async def test_every_key_is_a_key_of_its_own(subject: Subject, key: str) -> None:
    await subject.cache.put(key, b"value", 60.0)
    assert await subject.cache.get(key) == b"value"
    assert await subject.cache.get(key + "x") is None


async def test_the_last_value_counts(subject: Subject) -> None:
    await subject.cache.put("key", b"first", 60.0)
    await subject.cache.put("key", b"second", 60.0)
    assert await subject.cache.get("key") == b"second"


async def test_a_value_ends_with_its_lifetime(subject: Subject) -> None:
    await subject.cache.put("short", b"value", 0.05)
    await subject.cache.put("long", b"value", 60.0)
    await subject.gone("short", within_s=0.1)
    assert await subject.cache.get("long") == b"value"


async def test_a_value_that_is_put_again_lives_anew(subject: Subject) -> None:
    await subject.cache.put("key", b"first", 0.05)
    await subject.cache.put("key", b"second", 60.0)
    await subject.cache.put("other", b"short", 0.06)
    await subject.gone("other", within_s=0.1)
    assert await subject.cache.get("key") == b"second"


async def test_a_lifetime_may_be_a_whole_number(subject: Subject) -> None:
    await subject.cache.put("key", b"value", 60)
    assert await subject.cache.get("key") == b"value"


async def test_a_cache_that_is_there_says_so(subject: Subject) -> None:
    await subject.cache.ping()


async def test_a_thousand_reads_at_once_are_answered(subject: Subject) -> None:
    await subject.cache.put("key", b"value", 60.0)
    values = await asyncio.gather(*(subject.cache.get("key") for _ in range(1000)))
    assert set(values) == {b"value"}


# Memory


def memory(entries: int) -> BoundedMemoryCache:
    """Return a cache with room for so many entries of a small key and value."""
    return BoundedMemoryCache(VirtualClock(), entries * (ENTRY_BYTES + 70))


async def test_memory_has_a_bound_and_the_longest_unused_goes_first() -> None:
    cache = memory(3)
    for key in "abc":
        await cache.put(key, key.encode(), 60.0)
    await cache.get("a")
    await cache.put("d", b"d", 60.0)
    assert [await cache.get(key) is not None for key in "abcd"] == [True, False, True, True]


async def test_a_key_that_is_put_again_takes_no_other_place() -> None:
    cache = memory(2)
    for key in "abbbb":
        await cache.put(key, b"value", 60.0)
    assert await cache.get("a") == b"value"


async def test_a_value_larger_than_all_the_room_is_not_kept_nor_what_it_replaces() -> None:
    cache = memory(2)
    await cache.put("key", b"value", 60.0)
    await cache.put("other", b"value", 60.0)
    await cache.put("key", b"x" * 2_000, 60.0)
    assert await cache.get("key") is None
    assert await cache.get("other") == b"value"


async def test_closed_memory_forgets_everything() -> None:
    cache = memory(10)
    await cache.put("a", b"value", 86_400.0)
    await cache.close()
    assert await cache.get("a") is None


@given(st.integers(0, 5_000), st.integers(1, 500), st.integers(1, 3))
def test_memory_takes_no_more_than_it_may(value_bytes: int, key_chars: int, wide: int) -> None:
    character = "x\u0416\U0001f600"[wide - 1]

    async def fill(cache: BoundedMemoryCache) -> None:
        for number in range(1_500):
            key = f"{number}{character * key_chars}"
            await cache.put(key, number.to_bytes(4) + b"x" * value_bytes, 60.0)

    cache = BoundedMemoryCache(VirtualClock(), 500_000)
    tracemalloc.start()
    try:
        asyncio.run(fill(cache))
        # A tenth more, for the loop and for what measures coverage.
        assert tracemalloc.get_traced_memory()[0] <= 550_000
    finally:
        tracemalloc.stop()


# A Redis in trouble


async def failing_s(cache: Cache) -> float:
    """Return how long a read takes to fail."""
    started_s = time.monotonic()
    with pytest.raises(CacheError):
        await cache.get("key")
    return time.monotonic() - started_s


async def test_a_hung_redis_costs_one_wait_and_then_rests(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=TIMEOUT_S, rest_s=60.0) as cache:
        await cache.put("key", b"value", 60.0)
        valkey.freeze()
        assert TIMEOUT_S * 0.9 <= await failing_s(cache) < TIMEOUT_S + SLACK_S
        started_s = time.monotonic()
        for _ in range(100):
            assert await failing_s(cache) < SLACK_S
        assert time.monotonic() - started_s < 1.0
        valkey.thaw()


async def test_a_slow_moment_of_a_redis_is_soon_forgotten_and_a_hung_one_asked_ever_more_rarely(
    valkey: Any,
) -> None:
    async with shared(valkey.url, timeout_s=TIMEOUT_S, rest_s=60.0) as cache:
        await cache.put("key", b"value", 60.0)
        waits: list[float] = []
        for failures in range(1, 4):
            valkey.freeze()
            while len(waits) < failures:
                waited_s = await failing_s(cache)
                if waited_s > TIMEOUT_S * 0.9:  # else it rests
                    waits.append(time.monotonic())
                await asyncio.sleep(0.01)
        assert waits[2] - waits[1] > 1.5 * (waits[1] - waits[0])
        valkey.thaw()
        async with asyncio.timeout(5):
            while await value(cache) != b"value":  # noqa: ASYNC110  # nothing tells of it
                await asyncio.sleep(0.01)


async def value(cache: Any) -> bytes | None:
    with suppress(CacheError):
        found: bytes | None = await cache.get("key")
        return found
    return None


async def test_a_hung_redis_costs_many_at_once_no_more_than_one(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=TIMEOUT_S, rest_s=60.0) as cache:
        valkey.freeze()
        started_s = time.monotonic()
        errors = await asyncio.gather(
            *(cache.get("key") for _ in range(200)), return_exceptions=True
        )
        assert time.monotonic() - started_s < 1.0  # one after the other it would be 10 s
        assert {type(error) for error in errors} == {CacheError}
        valkey.thaw()


async def test_a_killed_redis_costs_at_most_one_wait_and_then_rests(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=TIMEOUT_S, rest_s=60.0) as cache:
        await cache.put("key", b"value", 60.0)
        valkey.kill()
        assert await failing_s(cache) < TIMEOUT_S + SLACK_S
        assert await failing_s(cache) < SLACK_S


async def test_a_redis_that_comes_back_is_used_again(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=1.0, rest_s=REST_S) as cache:
        await cache.put("key", b"value", 60.0)
        valkey.kill()
        await failing_s(cache)
        valkey.start()
        async with asyncio.timeout(5):
            while True:
                try:
                    assert await cache.get("key") is None
                except CacheError:
                    await asyncio.sleep(0.01)
                else:
                    break


async def test_an_answer_that_came_too_late_is_never_taken_for_the_next_one(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=TIMEOUT_S, rest_s=0.001) as cache:
        for key in "ab":
            await cache.put(key, key.encode(), 60.0)
        for _ in range(5):
            valkey.freeze()
            with pytest.raises(CacheError):
                await cache.get("a")
            valkey.thaw()
            await asyncio.sleep(0.01)
            async with asyncio.timeout(5):
                while True:
                    try:
                        assert await cache.get("b") == b"b"
                    except CacheError:
                        await asyncio.sleep(0.01)
                    else:
                        break


async def test_a_caller_that_leaves_does_not_spoil_the_next_answer(
    valkey: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with shared(valkey.url, timeout_s=1.0) as cache:
        for key in "ab":
            await cache.put(key, key.encode(), 60.0)
        valkey.freeze()
        leaving = [asyncio.ensure_future(cache.get("a")) for _ in range(60)]
        await asyncio.sleep(0.05)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        assert not caplog.records
        valkey.thaw()
        assert await asyncio.gather(*(cache.get(key) for key in "ab" * 40)) == [b"a", b"b"] * 40


async def test_a_ping_asks_also_while_resting(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=1.0, rest_s=60.0) as cache:
        valkey.kill()
        await failing_s(cache)
        with pytest.raises(CacheError, match="failed"):
            await cache.ping()
        valkey.start()
        await cache.ping()
        assert await cache.get("key") is None


async def test_a_cache_error_says_no_address_and_no_password() -> None:
    async with shared("redis://:hunter2@127.0.0.1:1/0", timeout_s=1.0) as cache:
        with pytest.raises(CacheError) as raised:
            await cache.get("key")
    assert "hunter2" not in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)


async def test_a_caller_that_leaves_while_it_waits_for_its_turn_takes_no_turn(
    valkey: Any,
) -> None:
    async with shared(valkey.url, timeout_s=1.0) as cache:
        await cache.put("key", b"value", 60.0)
        valkey.freeze()
        leaving = [asyncio.ensure_future(cache.get("key")) for _ in range(300)]
        await asyncio.sleep(0.01)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        valkey.thaw()
        assert await asyncio.gather(*(cache.get("key") for _ in range(60))) == [b"value"] * 60


async def test_what_is_asked_for_at_once_is_one_round_trip(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=2.0) as cache, Redis.from_url(valkey.url) as probe:
        for calls in (
            [cache.put(f"key {number}", b"value", 60.0) for number in range(400)],
            [cache.get(f"key {number}") for number in range(400)],
            [cache.claim(f"claim {number}", 60.0) for number in range(400)],
        ):
            before = (await probe.info("stats"))["total_reads_processed"]
            await asyncio.gather(*calls)
            after = (await probe.info("stats"))["total_reads_processed"]
            assert after - before < 12  # reads of the socket; those of the probe are among them


async def test_one_who_leaves_takes_nothing_from_the_others(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=2.0) as cache:
        await cache.put("key", b"value", 60.0)
        leaving, staying = (asyncio.ensure_future(cache.get("key")) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == b"value"


async def test_a_fault_of_ours_is_not_taken_for_one_of_the_cache(valkey: Any) -> None:
    async with shared(valkey.url, timeout_s=2.0) as cache:
        with pytest.raises(UnicodeEncodeError):
            await cache.get("\ud800")
        assert await cache.get("key") is None


async def test_a_fault_of_ours_is_logged_when_nobody_waits_for_it(
    valkey: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with shared(valkey.url, timeout_s=2.0) as cache:
        leaving = asyncio.ensure_future(cache.get("\ud800"))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait({leaving})
        del leaving  # its traceback holds what asyncio logs when it goes
        async with asyncio.timeout(5):
            while "UnicodeEncodeError" not in caplog.text:
                await asyncio.sleep(0.01)
                gc.collect()
