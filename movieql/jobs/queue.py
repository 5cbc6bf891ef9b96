"""`ports.ExportQueue` on RQ.

Queueing is RQ's own, in threads, for it blocks. What is asked of the queue reads its keys
directly: RQ's `count` and `len` also clean up, and eight callers that do so at once queue an
abandoned job three to eight times (measured with RQ 3.0).
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import ResponseError
from rq import Queue, Retry
from rq.exceptions import DequeueTimeout, DuplicateJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from movieql.domain.errors import JobRefusedError
from movieql.jobs.connections import answered
from movieql.jobs.names import (
    DROPPED_KEY,
    JOB_FUNCTION,
    QUEUE_NAME,
    is_id_part,
    job_id_of,
    parsed_job_id,
)
from movieql.jobs.safe_job import RETRIES_MAX, SafeJob
from movieql.jobs.tally import KEY as TALLY_KEY
from movieql.jobs.threads import Threads
from movieql.ports import Clock, ExportRun, QueueDepth

_CHUNK = 100
"""Exports asked for in one round trip."""

_NO_EXPIRY = -1
"""What TTL answers for a key that stays."""

_ENTRY_SHOWN = 100
"""Bytes that the log shows of a foreign entry."""

_LOG = logging.getLogger(__name__)
"""RQ's queue has class methods, to which nothing can be passed; the root's handler is ours."""

_UNFINISHED = frozenset(
    status.value.encode()
    for status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED, JobStatus.CREATED)
)


_TYPES = {
    Queue.redis_queues_keys: "set",
    REDIS_WORKER_KEYS: "set",
    WORKERS_BY_QUEUE_KEY % QUEUE_NAME: "set",
    f"{Queue.redis_queue_namespace_prefix}{QUEUE_NAME}": "list",
    f"{Queue.redis_queue_namespace_prefix}{QUEUE_NAME}:intermediate": "list",
    **{
        registry.key_template.format(QUEUE_NAME): "zset"
        for registry in (StartedJobRegistry, FinishedJobRegistry, FailedJobRegistry)
    },
    DROPPED_KEY: "string",
    TALLY_KEY: "hash",
}
"""The keys that workers share, with their types; commands on another type fail for good.

The one string is a count: INCR on any other text fails, too.
"""

_DROP_MISTYPED = """
    local dropped = {}
    for i, key in ipairs(KEYS) do
        local found = redis.call('TYPE', key).ok
        local is_count = found ~= 'string' or type(redis.pcall('INCRBY', key, 0)) == 'number'
        if found ~= 'none' and (found ~= ARGV[i] or not is_count) then
            redis.call('DEL', key)
            dropped[#dropped + 1] = key
        end
    end
    return dropped
"""


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What the queue keeps and for how long; seconds and counts (docs/semantics.md, Exports).

    `astray_s`: how long a job that is on no list counts as live, for it may be between two;
    `job_s`: longest run of a job; `kept_s`: how long an ended job's id stays taken;
    `generations_max`: the highest there is;
    `listed_max`: jobs read of a list: where there are more, those not seen count as live.
    """

    astray_s: float
    job_s: int = 900
    kept_s: int = 7 * 86_400
    generations_max: int = 5
    listed_max: int = 10_000
    timeout_s: float = 5.0


class BriefQueue(Queue):
    """The queue, which drops what no worker can run.

    A foreign entry on a list, one that names no job of ours, ends RQ's workers: one after the
    other fails at it. The lock of its maintenance does not outlive a killed worker for long.
    """

    MAINTENANCE_LOCK_S = 5
    """RQ's own 899 s stop all recovery for 15 min when a worker is killed at it."""

    def acquire_maintenance_lock(self) -> bool:
        """Return whether the caller alone may clean up now."""
        key = self.registry_cleaning_key
        taken = bool(self.connection.set(key, 1, nx=True, ex=self.MAINTENANCE_LOCK_S))
        if not taken and self.connection.ttl(key) == _NO_EXPIRY:  # no worker's: theirs expire
            self.connection.delete(key)
        return taken

    @classmethod
    def lmove(
        cls, connection: "Redis", queue_key: str, timeout: int | None
    ) -> tuple[str, bytes] | None:
        """Take the next entry. Raises DequeueTimeout also where something foreign was dropped."""
        try:
            moved: tuple[str, bytes] | None = super().lmove(connection, queue_key, timeout)
        except ResponseError as error:
            if not drop_mistyped(connection):
                raise
            raise DequeueTimeout(timeout, queue_key) from error
        if moved is not None and parsed_job_id(_text(moved[1])) is None:
            _drop_listed(connection, queue_key, moved[1])
            raise DequeueTimeout(timeout, queue_key)
        return moved

    @classmethod
    def _fetch_dequeued_job(
        cls, connection: "Redis", queue_key: str, job_id: str, *args: Any, **named: Any
    ) -> tuple[Job, Queue] | None:
        fetched = super()._fetch_dequeued_job(connection, queue_key, job_id, *args, **named)
        if fetched is None or not _is_ours(fetched[0]):
            _drop_listed(connection, queue_key, job_id.encode())
            raise DequeueTimeout(0, queue_key)
        return fetched

    def drop_foreign(self) -> None:
        """Drop what is foreign where RQ's clean-up looks, and would fail at again and again."""
        redis: Any = self.connection  # redis-py types its answers as decoded, too
        for entry in redis.lrange(self.intermediate_queue_key, 0, -1):
            job_id = _text(entry)
            if parsed_job_id(job_id) is None or self.fetch_job(job_id) is None:
                _drop_listed(redis, self.key, entry)
        for entry in redis.zrange(_running_key(), 0, -1):
            job_id, _, execution_id = _text(entry).partition(":")
            if parsed_job_id(job_id) is None or not is_id_part(execution_id):
                redis.zrem(_running_key(), entry)
                _note_dropped(redis, entry)
        workers_key = WORKERS_BY_QUEUE_KEY % self.name
        for entry in redis.smembers(workers_key):
            if not entry.isascii():
                redis.srem(workers_key, entry)
                _note_dropped(redis, entry)

    def enqueue_dependents(self, *_: Any, **__: Any) -> dict[str, list[str]]:
        """Leave RQ's dependents out: there are none."""
        return {}


def drop_mistyped(connection: Any) -> bool:
    """Delete the workers' keys that somebody gave another type; return whether there was one.

    Exports that were queued in one are queued again, as after a loss of Redis.
    """
    dropped = connection.eval(_DROP_MISTYPED, len(_TYPES), *_TYPES, *_TYPES.values())
    for key in dropped:
        _note_dropped(connection, key + b" (a key of another type)")
    return bool(dropped)


def _is_ours(job: Job) -> bool:
    try:
        return isinstance(job, SafeJob) and isinstance(job.run(), ExportRun)
    except JobRefusedError:
        return False


def _drop_listed(connection: Any, queue_key: str, entry: bytes) -> None:
    """Drop an entry that was taken off the queue, with the job that it names."""
    job_id = _text(entry)
    with connection.pipeline() as pipe:
        pipe.lrem(IntermediateQueue.get_intermediate_queue_key(queue_key), 0, entry)
        if parsed_job_id(job_id) is not None:
            pipe.delete(SafeJob.key_for(job_id))
        pipe.execute()
    _note_dropped(connection, entry)


def _note_dropped(connection: Any, entry: bytes) -> None:
    connection.incr(DROPPED_KEY)
    _LOG.warning("A foreign entry of the queue was dropped: %r", entry[:_ENTRY_SHOWN])


def rq_queue(connection: "Redis") -> Queue:
    """Return the queue as RQ has it, for safe jobs only."""
    return BriefQueue(
        QUEUE_NAME, connection=connection, job_class=SafeJob, serializer=JSONSerializer
    )


class RqExportQueue:
    """Exports in RQ's queue; see `ports.ExportQueue`.

    The clients are the caller's to close, the threads are closed by `aclose`.
    """

    def __init__(
        self,
        blocking: "Redis",
        client: "AsyncRedis",
        clock: Clock,
        rules: QueueRules,
        threads_max: int = 4,
    ) -> None:
        self._rules = rules
        self._queue = rq_queue(blocking)
        self._client = client
        self._clock = clock
        self._threads = Threads(threads_max, self._rules.timeout_s, "movieql-queue")
        self._missed_s: dict[str, float] = {}

    async def enqueue(self, export_id: str, generation: int) -> None:
        """Queue a generation of an export; see `ports.ExportQueue`."""
        await self._threads.run(self._enqueue, export_id, job_id_of(export_id, generation))

    def _enqueue(self, export_id: str, job_id: str) -> None:
        try:
            self._queue.enqueue_call(
                JOB_FUNCTION,
                args=(export_id,),
                job_id=job_id,
                unique=True,
                timeout=self._rules.job_s,
                result_ttl=self._rules.kept_s,
                failure_ttl=self._rules.kept_s,
                retry=Retry(max=RETRIES_MAX),
            )
        except DuplicateJobError:
            return

    async def live(self, export_ids: Collection[str]) -> frozenset[str]:
        """Return those that a job waits for or works on; see `ports.ExportQueue`."""
        asked = frozenset(export_ids)
        async with answered(self._rules.timeout_s):
            listed, whole = await self._listed()
            missing = asked - listed if whole else frozenset()
            unlisted = await self._unfinished(missing)
        return (asked - missing) | self._presumed_queued(asked, unlisted)

    async def _listed(self) -> tuple[frozenset[str], bool]:
        """Return the exports on RQ's lists, and whether that is all of them."""
        last = self._rules.listed_max
        async with self._client.pipeline(transaction=True) as pipe:  # or a job is in between
            pipe.lrange(self._queue.key, 0, last)
            pipe.zrange(_running_key(), 0, last)
            waiting, running = await pipe.execute()
        entries = [*waiting, *(entry.rpartition(b":")[0] for entry in running)]
        return _exports(entries), max(len(waiting), len(running)) <= last

    async def _unfinished(self, export_ids: Iterable[str]) -> frozenset[str]:
        """Return those with a job that has not ended, by what the job's own hash says."""
        found: set[str] = set()
        remaining = iter(export_ids)
        while chunk := list(islice(remaining, _CHUNK)):
            found |= await self._unfinished_chunk(chunk)
        return frozenset(found)

    async def _unfinished_chunk(self, export_ids: Sequence[str]) -> set[str]:
        jobs = [
            (each, generation)
            for each in export_ids
            for generation in range(1, self._rules.generations_max + 1)
        ]
        async with self._client.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.hget(SafeJob.key_for(job_id_of(*job)), "status")
            # An error is the answer for one that is no hash; it must not hide the others.
            statuses = await pipe.execute(raise_on_error=False)
        return {
            job[0]
            for job, status in zip(jobs, statuses, strict=True)
            if isinstance(status, bytes) and status in _UNFINISHED
        }

    def _presumed_queued(self, asked: frozenset[str], unlisted: frozenset[str]) -> frozenset[str]:
        """Return those on no list that may still be on the way from one to the next."""
        now_s = self._clock.monotonic_s()
        for each in asked - unlisted:
            self._missed_s.pop(each, None)
        for each in unlisted:
            self._missed_s.setdefault(each, now_s)
        while len(self._missed_s) > self._rules.listed_max:
            del self._missed_s[next(iter(self._missed_s))]
        return frozenset(
            each
            for each in unlisted
            if now_s - self._missed_s.get(each, now_s) <= self._rules.astray_s
        )

    async def depth(self) -> QueueDepth:
        """Return how much is to be done; see `ports.ExportQueue`."""
        async with answered(self._rules.timeout_s):
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.llen(self._queue.key)
                pipe.zcard(_running_key())
                pipe.lindex(self._queue.key, 0)
                pipe.get(DROPPED_KEY)
                waiting, running, oldest, dropped = await pipe.execute()
            return QueueDepth(waiting, running, await self._age_s(oldest), int(dropped or 0))

    async def _age_s(self, entry: bytes | None) -> float:
        if entry is None or parsed_job_id(_text(entry)) is None:
            return 0.0
        try:
            since = await _awaited(self._client.hget(SafeJob.key_for(_text(entry)), "enqueued_at"))
            began = datetime.fromisoformat((since or b"").decode()).astimezone(UTC)
        except (ResponseError, ValueError):  # nothing that we wrote
            return 0.0
        return max((self._clock.now() - began).total_seconds(), 0.0)

    async def ping(self) -> None:
        """Raise QueueError when the queue does not answer."""
        async with answered(self._rules.timeout_s):
            await _awaited(self._client.ping())

    async def aclose(self) -> None:
        """End the threads."""
        await self._threads.aclose()


async def _awaited(call: Any) -> Any:
    return await call  # redis-py types these as for the blocking client, too


def _text(job_id: bytes) -> str:
    return job_id.decode("ascii", "replace")  # whoever can write Redis may put anything there


def _running_key() -> str:
    return StartedJobRegistry.key_template.format(QUEUE_NAME)


def _exports(job_ids: Iterable[bytes]) -> frozenset[str]:
    named = (parsed_job_id(_text(job_id)) for job_id in job_ids)
    return frozenset(each[0] for each in named if each is not None)
