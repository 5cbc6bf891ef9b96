"""One contract for the queue, the board of progress and the leases, in memory and in Redis."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from movieql.clock import SystemClock
from movieql.dev.valkey import PrivateValkey
from movieql.domain.errors import QueueError
from movieql.domain.exports import ExportStatus
from movieql.jobs.connections import SERVER_CONNECTION, async_client
from movieql.jobs.leases import RedisLeases
from movieql.jobs.progress import ProgressRules, RedisProgressBoard
from movieql.jobs.queue import QueueRules, RqExportQueue, rq_queue
from movieql.jobs.tally import KEY, RedisExportTally
from movieql.memory import (
    MemoryExportQueue,
    MemoryExportTally,
    MemoryLeases,
    MemoryProgressBoard,
    VirtualClock,
)
from movieql.ports import (
    ExportProgress,
    ExportProgressBoard,
    ExportQueue,
    ExportTally,
    Leases,
    QueueDepth,
)
from tests.integration.jobs.conftest import ASTRAY_S

IMPLEMENTATIONS = ["memory", "redis"]
FAILED_S = 6.0
"""Longest wait for a queue that is down: the 5 s of its rules, and a busy machine's one."""


@dataclass
class World:
    """A queue, and what happens around it."""

    queue: ExportQueue
    take: Callable[[], object]
    end: Callable[[], object]
    lose: Callable[[], object]
    forget: Callable[[], object]
    fail: Callable[[], object]
    clock: VirtualClock = field(default_factory=VirtualClock)


def in_memory() -> World:
    clock = VirtualClock()
    queue = MemoryExportQueue(clock, ASTRAY_S)

    def end() -> None:
        run = queue.take()
        assert run is not None
        queue.end(run)

    def fail() -> None:
        queue.broken = True

    return World(queue, queue.take, end, queue.lose, queue.forget, fail, clock)


def in_redis(blocking: Redis, client: AsyncRedis, valkey: PrivateValkey) -> World:
    clock = VirtualClock()
    inside = rq_queue(blocking)

    def take() -> None:
        """Begin the first job that waits, with the keys that a worker writes."""
        job_id = inside.pop_job_id()
        assert job_id is not None
        blocking.hset(f"rq:job:{job_id}", "status", "started")
        blocking.zadd("rq:wip:exports", {f"{job_id}:execution": 2e9})

    def end() -> None:
        job_id = inside.pop_job_id()
        blocking.hset(f"rq:job:{job_id}", "status", "failed")

    def lose() -> None:
        """Leave a job as a worker does that dies just after it took it."""
        blocking.lmove(inside.key, inside.intermediate_queue_key)

    queue = RqExportQueue(blocking, client, clock, QueueRules(ASTRAY_S))
    return World(queue, take, end, lose, blocking.flushall, valkey.kill, clock)


@pytest.fixture(params=IMPLEMENTATIONS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield in_memory()
        return
    valkey = request.getfixturevalue("valkey")
    client = async_client(valkey.url, SERVER_CONNECTION)
    world = in_redis(request.getfixturevalue("blocking"), client, valkey)
    yield world
    assert isinstance(world.queue, RqExportQueue)
    await world.queue.aclose()
    await client.aclose()


# The queue


async def test_what_is_queued_is_live(world: World) -> None:
    await world.queue.enqueue("a", 1)
    assert await world.queue.live(["a", "b"]) == {"a"}


async def test_what_runs_is_live(world: World) -> None:
    await world.queue.enqueue("a", 2)
    world.take()
    assert await world.queue.live(["a"]) == {"a"}


async def test_what_ended_is_not_live(world: World) -> None:
    await world.queue.enqueue("a", 1)
    world.end()
    assert await world.queue.live(["a"]) == frozenset()


async def test_a_later_generation_is_live_though_the_earlier_ended(world: World) -> None:
    await world.queue.enqueue("a", 1)
    world.end()
    await world.queue.enqueue("a", 2)
    assert await world.queue.live(["a"]) == {"a"}


async def test_ids_that_look_alike_are_told_apart(world: World) -> None:
    await world.queue.enqueue("a-1", 1)
    assert await world.queue.live(["a", "a-1", "1", "a-1-1"]) == {"a-1"}


async def test_twenty_enqueues_of_one_generation_are_one_job(world: World) -> None:
    await asyncio.gather(*(world.queue.enqueue("a", 1) for _ in range(20)))
    assert (await world.queue.depth()).waiting == 1


async def test_a_generation_that_ended_is_not_queued_again(world: World) -> None:
    await world.queue.enqueue("a", 1)
    world.end()
    await world.queue.enqueue("a", 1)
    assert (await world.queue.depth()).waiting == 0


async def test_a_job_on_no_list_counts_as_live_for_a_while(world: World) -> None:
    await world.queue.enqueue("a", 1)
    world.lose()
    assert await world.queue.live(["a"]) == {"a"}
    await world.clock.advance(ASTRAY_S)
    assert await world.queue.live(["a"]) == {"a"}
    await world.clock.advance(0.1)
    assert await world.queue.live(["a"]) == frozenset()


async def test_another_generation_of_a_lost_job_is_live(world: World) -> None:
    await world.queue.enqueue("a", 1)
    world.lose()
    await world.queue.live(["a"])
    await world.clock.advance(ASTRAY_S + 1.0)
    await world.queue.enqueue("a", 2)
    assert await world.queue.live(["a"]) == {"a"}


async def test_asking_for_others_does_not_keep_a_lost_job_longer(world: World) -> None:
    await world.queue.enqueue("a", 1)
    world.lose()
    await world.queue.live(["a"])
    await world.clock.advance(ASTRAY_S * 0.7)
    await world.queue.live(["b"])
    await world.clock.advance(ASTRAY_S * 0.7)
    assert await world.queue.live(["a", "b"]) == frozenset()


async def test_nothing_is_live_after_everything_was_forgotten(world: World) -> None:
    for export_id in ("waits", "runs"):
        await world.queue.enqueue(export_id, 1)
    world.take()
    world.forget()
    assert await world.queue.live(["waits", "runs"]) == frozenset()
    await world.queue.enqueue("waits", 1)
    assert await world.queue.live(["waits"]) == {"waits"}


async def test_the_depth_says_how_much_is_to_be_done(world: World) -> None:
    assert await world.queue.depth() == QueueDepth(0, 0, 0.0)
    for export_id in ("a", "b", "c"):
        await world.queue.enqueue(export_id, 1)
    world.take()
    depth = await world.queue.depth()
    assert (depth.waiting, depth.running) == (2, 1)
    assert depth.oldest_age_s >= 0.0


@pytest.mark.parametrize("export_id", ["", "a b", "a:b", "é", "x" * 65])
async def test_an_id_that_cannot_be_one_is_refused(world: World, export_id: str) -> None:
    with pytest.raises(ValueError, match="64 letters"):
        await world.queue.enqueue(export_id, 1)


async def test_a_generation_that_cannot_be_one_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="generation"):
        await world.queue.enqueue("a", 0)


async def fails_soon(call: Awaitable[object]) -> None:
    """Check that a call fails as it should, in bounded time."""
    async with asyncio.timeout(FAILED_S):
        with pytest.raises(QueueError):
            await call


async def test_a_queue_that_is_down_is_told_in_bounded_time(world: World) -> None:
    await world.queue.ping()
    world.fail()
    await fails_soon(world.queue.ping())
    await fails_soon(world.queue.enqueue("a", 1))
    await fails_soon(world.queue.live(["a"]))
    await fails_soon(world.queue.depth())


# Progress


@pytest.fixture(params=IMPLEMENTATIONS)
def board(request: pytest.FixtureRequest) -> ExportProgressBoard:
    clock = SystemClock()
    if request.param == "memory":
        return MemoryProgressBoard(clock, watch_s_max=1.0, watchers_max=2)
    rules = ProgressRules(watch_s_max=1.0, watchers_max=2)
    return RedisProgressBoard(request.getfixturevalue("client"), clock, rules)


HALF = ExportProgress(done=5, total=10, attempt=1)
WHOLE = ExportProgress(done=10, total=10, attempt=1, over=True)


async def test_what_was_reported_last_is_known(board: ExportProgressBoard) -> None:
    await board.report("a", HALF)
    await board.report("b", HALF)
    await board.report("b", WHOLE)
    assert await board.progress(["a", "b", "c"]) == {"a": HALF, "b": WHOLE}
    assert await board.progress([]) == {}


async def watched(board: ExportProgressBoard, export_id: str) -> list[ExportProgress]:
    return [each async for each in board.watch(export_id)]


async def test_a_watch_of_what_is_over_ends_at_once(board: ExportProgressBoard) -> None:
    await board.report("a", WHOLE)
    assert await watched(board, "a") == [WHOLE]


async def test_a_watcher_sees_what_is_known_and_each_change(board: ExportProgressBoard) -> None:
    await board.report("a", HALF)
    async with asyncio.timeout(5.0), aclosing(board.watch("a")) as changes:
        assert await anext(changes) == HALF
        await board.report("a", HALF)  # no change
        await board.report("b", WHOLE)
        later = asyncio.ensure_future(anext(changes))
        await board.report("a", WHOLE)
        assert await later == WHOLE
        with pytest.raises(StopAsyncIteration):
            await anext(changes)


async def test_a_slow_watcher_skips_to_what_is_now(board: ExportProgressBoard) -> None:
    await board.report("a", HALF)
    async with aclosing(board.watch("a")) as changes:
        await anext(changes)
        for done in range(6, 9):
            await board.report("a", ExportProgress(done, 10, 1))
        assert await anext(changes) == ExportProgress(8, 10, 1)


async def test_a_watch_ends_after_its_longest_time(board: ExportProgressBoard) -> None:
    async with asyncio.timeout(4.0):
        assert await watched(board, "a") == []


async def test_too_many_watchers_are_refused_and_those_who_leave_make_room(
    board: ExportProgressBoard,
) -> None:
    await board.report("a", HALF)
    async with aclosing(board.watch("a")) as first, aclosing(board.watch("a")) as second:
        assert [await anext(first), await anext(second)] == [HALF, HALF]
        with pytest.raises(QueueError):
            await anext(board.watch("a"))
    await board.report("a", WHOLE)
    assert await watched(board, "a") == [WHOLE]


# The tally


@pytest.fixture(params=IMPLEMENTATIONS)
def tally(request: pytest.FixtureRequest) -> ExportTally:
    if request.param == "memory":
        return MemoryExportTally()
    return RedisExportTally(request.getfixturevalue("client"))


async def test_each_export_is_counted_once_by_its_end(tally: ExportTally) -> None:
    assert await tally.counts() == {}
    await asyncio.gather(*(tally.count(f"e{n % 5}", ExportStatus.READY) for n in range(20)))
    await tally.count("other", ExportStatus.FAILED)
    await tally.count("other", ExportStatus.READY)  # an end is the only one
    assert await tally.counts() == {ExportStatus.READY: 5, ExportStatus.FAILED: 1}


async def test_a_tally_in_which_others_wrote_is_read_all_the_same(
    client: AsyncRedis, blocking: Redis
) -> None:
    tally = RedisExportTally(client)
    await tally.count("a", ExportStatus.PARTIAL)
    blocking.hset(KEY, mapping={"PARTIALLY": "1", "FAILED": "many", b"\xff": "1"})
    assert await tally.counts() == {ExportStatus.PARTIAL: 1}


async def test_a_tally_that_is_down_is_told_in_bounded_time(
    client: AsyncRedis, valkey: PrivateValkey
) -> None:
    tally = RedisExportTally(client)
    await tally.count("a", ExportStatus.READY)
    valkey.signal(signal.SIGSTOP)
    try:
        await fails_soon(tally.count("b", ExportStatus.READY))
        await fails_soon(tally.counts())
    finally:
        valkey.signal(signal.SIGCONT)


# Leases


@pytest.fixture(params=IMPLEMENTATIONS)
def leases(request: pytest.FixtureRequest) -> Leases:
    if request.param == "memory":
        return MemoryLeases(SystemClock())
    return RedisLeases(request.getfixturevalue("client"))


async def test_a_name_has_one_holder(leases: Leases) -> None:
    tokens = [f"token {n}" for n in range(20)]
    held = await asyncio.gather(*(leases.hold("a", token, 60.0) for token in tokens))
    assert held.count(True) == 1
    assert await leases.hold("b", "token", 60.0)


async def test_a_holder_may_keep_its_name(leases: Leases) -> None:
    assert await leases.hold("a", "me", 0.2)
    assert await leases.hold("a", "me", 60.0)
    await asyncio.sleep(0.25)
    assert not await leases.hold("a", "you", 60.0)


async def test_a_lease_ends_by_itself(leases: Leases) -> None:
    assert await leases.hold("a", "me", 0.05)
    await asyncio.sleep(0.1)
    assert await leases.hold("a", "you", 60.0)
    assert not await leases.hold("a", "me", 60.0)


async def test_only_the_holder_gives_a_name_back(leases: Leases) -> None:
    assert await leases.hold("a", "me", 60.0)
    await leases.release("a", "you")
    assert not await leases.hold("a", "you", 60.0)
    await leases.release("a", "me")
    assert await leases.hold("a", "you", 60.0)
    await leases.release("unheld", "me")
