"""`ports.ExportQueue` on RQ.

Queueing is RQ's own, in threads, for it blocks. What is asked of the queue reads its keys
directly: RQ's `count` and `len` also clean up, and eight callers that do so at once queue an
abandoned job three to eight times (measured with RQ 3.0).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError
from rq.job import JobStatus
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from movieql.jobs.connections import answered
from movieql.jobs.names import JOB_FUNCTION, QUEUE_NAME, job_id_of, parsed_job_id
from movieql.jobs.safe_job import RETRIES_MAX, SafeJob
from movieql.jobs.threads import Threads
from movieql.ports import Clock, QueueDepth

_CHUNK = 100
"""Exports asked for in one round trip."""

_UNFINISHED = frozenset(
    status.value.encode()
    for status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED, JobStatus.CREATED)
)


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What the queue keeps and for how long; seconds and counts (docs/semantics.md, Exports).

    `job_s`: longest run of a job; `kept_s`: how long an ended job's id stays taken; `astray_s`:
    how long a job on no list is believed; `generations_max`: the highest there is;
    `listed_max`: jobs read of a list: where there are more, those not seen count as live.
    """

    job_s: int = 900
    kept_s: int = 7 * 86_400
    astray_s: float = 30.0
    generations_max: int = 5
    listed_max: int = 10_000
    timeout_s: float = 5.0


class BriefQueue(Queue):
    """The queue, with a lock of its maintenance that does not outlive a killed worker for long."""

    MAINTENANCE_LOCK_S = 5
    """RQ's own 899 s stop all recovery for 15 min when a worker is killed at it."""

    def acquire_maintenance_lock(self) -> bool:
        """Say whether the caller alone may clean up now."""
        return bool(
            self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=self.MAINTENANCE_LOCK_S)
        )


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
        rules: QueueRules | None = None,
        threads_max: int = 4,
    ) -> None:
        self._rules = rules or QueueRules()
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
        return (asked - missing) | self._believed(asked, unlisted)

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
            statuses = await pipe.execute()
        return {
            job[0] for job, status in zip(jobs, statuses, strict=True) if status in _UNFINISHED
        }

    def _believed(self, asked: frozenset[str], unlisted: frozenset[str]) -> frozenset[str]:
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
                waiting, running, oldest = await pipe.execute()
            return QueueDepth(waiting, running, await self._age_s(oldest))

    async def _age_s(self, job_id: bytes | None) -> float:
        if job_id is None:
            return 0.0
        key = SafeJob.key_for(_text(job_id))
        since = await _awaited(self._client.hget(key, "enqueued_at"))
        if since is None:
            return 0.0
        try:
            began = datetime.fromisoformat(since.decode()).astimezone(UTC)
        except ValueError:  # nothing that we wrote
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
