"""What only the adapters in Redis have: outages, floods, and servers that will not do."""

import asyncio
import signal
import time

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from movieql.clock import SystemClock
from movieql.dev.valkey import PrivateValkey
from movieql.domain.errors import QueueError, SettingsError
from movieql.jobs.connections import SERVER_CONNECTION, async_client
from movieql.jobs.leases import RedisLeases
from movieql.jobs.names import KEY_PREFIX
from movieql.jobs.progress import ProgressRules, RedisProgressBoard
from movieql.jobs.queue import QueueRules, RqExportQueue
from movieql.jobs.server import check_server
from movieql.ports import ExportProgress
from tests.integration.jobs.conftest import ASTRAY_S, private_valkey
from tests.servers import until

HALF = ExportProgress(done=5, total=10, attempt=1)


async def test_a_queue_that_hangs_is_told_in_bounded_time(
    blocking: Redis, client: AsyncRedis, valkey: PrivateValkey
) -> None:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S, timeout_s=0.5))
    await queue.ping()
    valkey.signal(signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        for call in (queue.enqueue("a", 1), queue.live(["a"]), queue.ping()):
            with pytest.raises(QueueError):
                await call
        assert time.monotonic() - began_s < 3.0
    finally:
        valkey.signal(signal.SIGCONT)
        await queue.aclose()


async def test_a_flood_of_calls_to_a_queue_that_hangs_fails_in_bounded_time(
    blocking: Redis, client: AsyncRedis, valkey: PrivateValkey
) -> None:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S, timeout_s=0.5))
    valkey.signal(signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        calls = [queue.enqueue(f"a{n}", 1) for n in range(100)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in ended} == {QueueError}
        assert time.monotonic() - began_s < 3.0
    finally:
        valkey.signal(signal.SIGCONT)
        await queue.aclose()


async def test_jobs_outlive_a_kill_of_their_server(
    blocking: Redis, client: AsyncRedis, valkey: PrivateValkey
) -> None:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S))
    for number in range(50):
        await queue.enqueue(f"a{number}", 1)
    valkey.kill()
    valkey.start()
    assert (await queue.depth()).waiting == 50
    await queue.aclose()


async def test_an_overlong_queue_counts_as_live(blocking: Redis, client: AsyncRedis) -> None:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S, listed_max=3))
    for number in range(5):
        await queue.enqueue(f"a{number}", 1)
    assert await queue.live(["a0", "a4", "elsewhere"]) == {"a0", "a4", "elsewhere"}
    await queue.aclose()


async def test_asking_what_is_live_changes_nothing(blocking: Redis, client: AsyncRedis) -> None:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S))
    await queue.enqueue("a", 1)
    blocking.lpop("rq:queue:exports")
    blocking.hset("rq:job:exp-a-1", "status", "started")
    blocking.zadd("rq:wip:exports", {"exp-a-1:abandoned": 1})  # its lease ended long ago
    answers = await asyncio.gather(*(queue.live(["a"]) for _ in range(20)))
    assert set(answers) == {frozenset({"a"})}
    assert (await queue.depth()).waiting == 0
    await queue.aclose()


async def test_what_others_put_on_the_lists_is_passed_over(
    blocking: Redis, client: AsyncRedis
) -> None:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S))
    blocking.rpush("rq:queue:exports", b"\xff\xfe", b"exp--", b"odd")
    blocking.zadd("rq:wip:exports", {b"\xff": 1, b"odd": 1})
    assert await queue.live(["a"]) == frozenset()
    assert (await queue.depth()).waiting == 3
    await queue.aclose()


async def test_the_age_is_that_of_the_first_in_line(blocking: Redis, client: AsyncRedis) -> None:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S))
    await queue.enqueue("a", 1)
    await queue.enqueue("b", 1)
    blocking.hset("rq:job:exp-a-1", "enqueued_at", "2026-01-01T00:00:00.000000Z")
    assert (await queue.depth()).oldest_age_s > 3_600
    blocking.hset("rq:job:exp-a-1", "enqueued_at", "yesterday")
    assert (await queue.depth()).oldest_age_s == 0.0
    await queue.aclose()


# Progress


async def test_progress_is_forgotten_after_a_while(client: AsyncRedis) -> None:
    board = RedisProgressBoard(client, SystemClock(), ProgressRules(kept_s=60))
    await board.report("a", HALF)
    assert 0 < await client.ttl(f"{KEY_PREFIX}progress:a") <= 60


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b'{"done": 1}', b'{"done":"1","total":1,"attempt":1}'),
        *(b'{"done":1,"total":1,"attempt":2147483648}', b'{"done":-1,"total":1,"attempt":1}'),
    ],
)
async def test_progress_that_is_none_of_ours_is_none(client: AsyncRedis, body: bytes) -> None:
    board = RedisProgressBoard(client, SystemClock())
    await client.set(f"{KEY_PREFIX}progress:a", body)
    assert await board.progress(["a"]) == {}


async def test_a_watcher_sees_a_change_whose_message_got_lost(client: AsyncRedis) -> None:
    board = RedisProgressBoard(client, SystemClock(), ProgressRules(look_s=0.1))
    await board.report("a", HALF)
    changes = board.watch("a")
    assert await anext(changes) == HALF
    over = b'{"done":10,"total":10,"attempt":1,"over":true}'
    await client.set(f"{KEY_PREFIX}progress:a", over)
    async with asyncio.timeout(2.0):
        assert (await anext(changes)).over
    await changes.aclose()


async def test_a_watch_ends_with_an_error_when_redis_goes(
    client: AsyncRedis, valkey: PrivateValkey
) -> None:
    board = RedisProgressBoard(client, SystemClock(), ProgressRules(look_s=0.1, timeout_s=1.0))
    await board.report("a", HALF)
    changes = board.watch("a")
    await anext(changes)
    valkey.kill()
    async with asyncio.timeout(5.0):
        with pytest.raises(QueueError):
            await anext(changes)


async def test_watchers_leave_no_connections_behind(client: AsyncRedis, blocking: Redis) -> None:
    board = RedisProgressBoard(client, SystemClock())
    await board.report("a", HALF)
    for _ in range(20):
        changes = board.watch("a")
        await anext(changes)
        await changes.aclose()
    await until(lambda: not blocking.client_list(_type="pubsub"))
    assert len(blocking.client_list()) < 10


# Leases and servers


async def test_leases_that_cannot_be_reached_are_told(
    client: AsyncRedis, valkey: PrivateValkey
) -> None:
    valkey.kill()
    with pytest.raises(QueueError):
        await RedisLeases(client, timeout_s=1.0).hold("a", "me", 1.0)


async def test_the_private_valkey_is_what_the_queue_wants(client: AsyncRedis) -> None:
    assert await check_server(client) == []


async def test_a_server_that_may_lose_jobs_is_warned_of() -> None:
    with private_valkey("--appendonly", "no", "--maxmemory-policy", "allkeys-lru") as valkey:
        client = async_client(valkey.url, SERVER_CONNECTION)
        assert len(await check_server(client)) == 2
        await client.aclose()


async def test_a_server_in_cluster_mode_is_refused() -> None:
    with private_valkey("--cluster-enabled", "yes") as valkey:
        client = async_client(valkey.url, SERVER_CONNECTION)
        with pytest.raises(SettingsError, match="cluster mode"):
            await check_server(client)
        await client.aclose()


async def test_a_server_that_is_down_is_no_matter_of_settings(
    client: AsyncRedis, valkey: PrivateValkey
) -> None:
    valkey.kill()
    with pytest.raises(QueueError):
        await check_server(client)
