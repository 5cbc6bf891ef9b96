"""RQ's worker with the lives and ends that exports need.

RQ's own defaults run a killed worker's job again after 804 s, these after 14 s at most: the lease
of a job ends 3 heartbeats (12 s) after the last one, and idle workers look every second or two.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker, worker_registration
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import now

from movieql.jobs.parents import die_with_parent
from movieql.jobs.queue import BriefQueue, drop_mistyped, rq_queue
from movieql.jobs.safe_job import SafeJob
from movieql.ports import ExportRun

STOPPED: Final = 0
"""Exit code of a worker that was told to stop."""

RESTART: Final = 75
"""Exit code of a worker that ended by itself: start it again (EX_TEMPFAIL of sysexits.h)."""

MISCONFIGURED: Final = 78
"""Exit code of one for which starting again is no use (EX_CONFIG of sysexits.h)."""


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """The lives and ends of a worker and its jobs, in seconds.

    `worker_ttl_s`: when RQ gives up a silent worker; `monitoring_s`: between two heartbeats of
    a job, whose lease is three times that; `maintenance_s`: between two looks for abandoned jobs;
    `dequeue_s`: longest wait for a job, during which nothing else is looked at; `job_s`: longest
    run of a job; `overrun_s`: after which one that runs on is killed; `stop_grace_s`: how long a
    job may go on when the worker is told to stop.
    """

    worker_ttl_s: int = 25
    monitoring_s: int = 4
    maintenance_s: int = 1
    dequeue_s: int = 1
    job_s: int = 900
    overrun_s: int = 10
    stop_grace_s: float = 20.0


NoteFailed = Callable[[str, BaseException], None]
"""Takes the id of a job whose attempt failed, and what it raised."""


class _Started(StartedJobRegistry):
    """Started jobs; what was abandoned goes back to our queue and not to RQ's."""

    def get_queue(self) -> Queue:
        """Return the queue."""
        return rq_queue(self.connection)


class ExportWorker(Worker):
    """Runs `body` for every safe job, each in a process forked for it.

    Make it in the process that is to work, with no other thread running: what it forks inherits
    everything. `name` has to be unique, for a killed worker's name stays taken. `note_failed`
    is called in the job's process.
    """

    max_connection_wait_time = 2.0
    """Longest pause between two tries to reach Redis, in seconds; RQ's own 60 s delay recovery."""

    def __init__(
        self,
        connection: "Redis",
        name: str,
        body: Callable[[ExportRun], None],
        rules: WorkerRules,
        note_failed: NoteFailed,
    ) -> None:
        self._body = body
        self._note_failed = note_failed
        self._rules = rules
        self._worker_pid = os.getpid()
        self._queue_gone = False
        self.stop_asked = False
        super().__init__(
            [rq_queue(connection)],
            name=name,
            connection=connection,
            job_class=SafeJob,
            queue_class=BriefQueue,
            serializer=JSONSerializer,
            worker_ttl=rules.worker_ttl_s,
            job_monitoring_interval=rules.monitoring_s,
            maintenance_interval=rules.maintenance_s,
            log_job_description=False,
        )
        self.log_result_lifespan = False

    @property
    def dequeue_timeout(self) -> int:
        """Return the longest wait for a job, in seconds."""
        return self._rules.dequeue_s

    @property
    def connection_timeout(self) -> int:
        """Return the seconds after which RQ takes a Redis for hung; its own wait 10 s longer."""
        return self._rules.dequeue_s + 4

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        """Return the seconds that a job's lease lives on: three heartbeats, not RQ's 60 s more."""
        return 3 * self._rules.monitoring_s

    def subscribe(self) -> None:
        """Leave RQ's commands out: their thread would run while we fork."""

    def unsubscribe(self) -> None:
        """Leave RQ's commands out."""

    def register_birth(self) -> None:
        """Put the worker on RQ's lists."""
        drop_mistyped(self.connection)
        super().register_birth()  # type: ignore[no-untyped-call]  # RQ's

    def clean_registries(self) -> None:
        """Look for abandoned jobs, and forget what is long over."""
        drop_mistyped(self.connection)
        for queue in self.queues:
            if isinstance(queue, BriefQueue) and queue.acquire_maintenance_lock():
                try:
                    self._clean(queue)
                finally:
                    queue.release_maintenance_lock()  # type: ignore[no-untyped-call]  # RQ's
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ infers None

    def _clean(self, queue: BriefQueue) -> None:
        queue.drop_foreign()
        for registry in (_Started, FinishedJobRegistry, FailedJobRegistry):
            registry(
                queue.name,
                connection=queue.connection,
                job_class=SafeJob,
                serializer=JSONSerializer,
            ).cleanup()
        worker_registration.clean_worker_registry(queue)
        queue.intermediate_queue.cleanup(self, queue)

    def clean_group_registries(self) -> None:
        """Leave RQ's groups out: there are none."""

    # The job's process

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a job in a process of its own, for as long as we allow, whatever the job says."""
        if self.stop_asked:
            self._give_back(job, queue)
            return
        job.timeout = self._rules.job_s
        super().execute_job(job, queue)

    def setup_work_horse_signals(self) -> None:
        """Let the job's process end with ours, so that the job's next run is alone."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]  # RQ's
        die_with_parent(self._worker_pid, signal.SIGKILL)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Perform a job with our body."""
        if isinstance(job, SafeJob):
            job.body = self._body
        return super().perform_job(job, queue, execution)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Note why an attempt failed; RQ's own would log an error with a traceback for each."""
        self._note_failed(job.id, exc_info[1])

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Say that the job runs; kill one that its own alarm did not end."""
        began = job.started_at
        ran_s = (now() - began).total_seconds() if began else 0.0
        if ran_s > self._rules.job_s + self._rules.overrun_s:
            self.kill_horse()
            return
        super().maintain_heartbeats(job, execution)

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """Kill the job's process and what it started, and never our own group, as RQ's might."""
        with suppress(ProcessLookupError):
            try:
                os.killpg(self.horse_pid, sig)
            except ProcessLookupError:  # it has not made its group yet
                os.kill(self.horse_pid, sig)

    # The end

    def request_stop(self, signum: Any, frame: Any) -> None:
        """Stop after the job under way, which ends within the grace or is queued again."""
        self.stop_asked = True
        # No job begins any more, so a thread does no harm to what we fork.
        timer = threading.Timer(self._rules.stop_grace_s, self._end_job)
        timer.daemon = True
        timer.start()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ's

    def _shutdown(self) -> None:
        """Note the request.

        RQ raises here, in whatever the signal interrupts: a job just taken off the queue would
        be lost. It also writes what only a dashboard shows, for which a signal should not wait.
        """
        self._stop_requested = True

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Say whether to look for abandoned jobs.

        Raises StopRequested when told to stop: RQ asks before every wait for a job, and never
        with a job in hand.
        """
        if self.stop_asked:
            raise StopRequested
        return bool(super().should_run_maintenance_tasks)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Say that the worker lives; told to stop, do not wait for a Redis that is gone."""
        try:
            super().heartbeat(timeout, pipeline)
        except RedisError as error:
            if self.stop_asked:
                self._queue_gone = True
                raise StopRequested from error
            raise

    def register_death(self) -> None:
        """Take the worker off RQ's lists, unless Redis is gone: there it expires by itself."""
        if not self._queue_gone:
            super().register_death()  # type: ignore[no-untyped-call]  # RQ's

    def _give_back(self, job: Job, queue: Queue) -> None:
        """Put a job that we took and shall not begin back to the front of the queue."""
        with self.connection.pipeline() as pipe:
            pipe.lpush(queue.key, job.id)
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pipe.execute()

    def _end_job(self) -> None:
        """Kill the job's process; as after any crash the job is queued again at once."""
        if self.horse_pid:
            self.kill_horse()


def worked(make_worker: Callable[[], ExportWorker]) -> int:
    """Work until told to stop or something fails; return the process's exit code."""
    worker: ExportWorker | None = None
    try:
        worker = make_worker()
        worker.work(logging_level="WARNING")
    except (RedisError, OSError):
        pass
    except SystemExit:  # told twice
        return STOPPED
    return STOPPED if worker is not None and worker.stop_asked else RESTART


def backing_off(
    body: Callable[[ExportRun], None],
    rng: Random,
    sleep: Callable[[float], None] = time.sleep,
    pause_s: float = 2.0,
    pause_s_max: float = 30.0,
) -> Callable[[ExportRun], None]:
    """Return the body that waits before the third try, doubling, with full jitter.

    The second try comes at once: most often it is the worker that was killed. The wait lies in
    the job, since RQ's own intervals need a scheduler whose lock stays for 61 s after its death.
    """

    def run(run: ExportRun) -> None:
        if run.attempt > _AT_ONCE_MAX:
            longest_s = min(pause_s * 2 ** (run.attempt - _AT_ONCE_MAX - 1), pause_s_max)
            sleep(rng.uniform(0.0, longest_s))
        body(run)

    return run


_AT_ONCE_MAX = 2
