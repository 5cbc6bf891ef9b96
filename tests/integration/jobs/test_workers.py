"""Real workers that are killed, stopped and fed with what is none of ours."""

import os
import pickle
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.worker import Worker

from movieql.clock import SystemClock
from movieql.dev.valkey import PrivateValkey
from movieql.jobs.export_worker import (
    MISCONFIGURED,
    RESTART,
    STOPPED,
    ExportWorker,
    WorkerRules,
)
from movieql.jobs.names import JOB_FUNCTION
from movieql.jobs.queue import QueueRules, RqExportQueue, drop_mistyped, rq_queue
from movieql.jobs.safe_job import RETRIES_MAX
from movieql.ports import ExportRun
from tests.integration.jobs.conftest import ASTRAY_S, private_valkey
from tests.integration.jobs.processes import Machine, alive, machine
from tests.servers import until

RECOVERED_S = 18.0
"""A killed worker's job runs again after 15 s (docs/decisions/0016), and a busy machine's 3 s."""


@pytest.fixture
def workers(valkey: PrivateValkey, tmp_path: Path) -> Iterator[Machine]:
    with machine(valkey.url, tmp_path) as running:
        yield running


@pytest.fixture
async def queue(blocking: Redis, client: AsyncRedis) -> AsyncIterator[RqExportQueue]:
    queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S))
    yield queue
    await queue.aclose()


def job(blocking: Redis, export_id: str) -> Job:
    job_id = f"exp-{export_id}-1"
    return Job.fetch(job_id, connection=blocking, serializer=JSONSerializer)


def executions(workers: Machine) -> dict[int, tuple[float, float]]:
    """Return each execution's process and its first and last sign of life."""
    spans: dict[int, tuple[float, float]] = {}
    for line in workers.journal.read():
        if "id" in line:
            began_s, _ = spans.get(line["pid"], (line["at"], 0.0))
            spans[line["pid"]] = (began_s, line["at"])
    return spans


def kill_tree(worker: "subprocess.Popen[bytes]", began: dict[str, Any]) -> None:
    os.kill(began["pid"], signal.SIGKILL)
    worker.kill()


def kill_parent(worker: "subprocess.Popen[bytes]", _: dict[str, Any]) -> None:
    worker.kill()


@pytest.mark.parametrize("kill", [kill_tree, kill_parent])
async def test_a_killed_workers_job_runs_again_soon_and_never_twice_at_once(
    workers: Machine,
    queue: RqExportQueue,
    kill: Callable[["subprocess.Popen[bytes]", dict[str, Any]], None],
) -> None:
    first = workers.start("work")
    workers.wait_for("ready")
    await queue.enqueue("long-1", 1)
    began = workers.wait_for("began")
    workers.start("work")
    workers.wait_for("ready", 2)
    # Just after a heartbeat is the worst moment: the lease is as long as it gets.
    await_heartbeat(workers, began)
    killed_s = time.monotonic()
    kill(first, began)
    again = workers.wait_for("began", 2, within_s=RECOVERED_S)
    print(f"again after {again['at'] - killed_s:.1f} s")  # noqa: T201  # a figure to keep
    assert again["at"] - killed_s <= RECOVERED_S
    assert again["attempt"] == 2
    assert not alive(began["pid"])
    spans = sorted(executions(workers).values())
    assert spans[0][1] < spans[1][0]
    assert await queue.live(["long-1"]) == {"long-1"}


def await_heartbeat(workers: Machine, began: dict[str, Any]) -> None:
    beats = began["at"] + 4.2
    while workers.journal.read()[-1]["at"] < beats:
        time.sleep(0.05)


async def test_a_jobs_process_ends_with_its_worker(workers: Machine, queue: RqExportQueue) -> None:
    worker = workers.start("work")
    await queue.enqueue("long-1", 1)
    began = workers.wait_for("began")
    worker.kill()
    await until(lambda: not alive(began["pid"]), within_s=1.0)


def test_a_worker_has_no_thread_that_a_job_could_inherit(blocking: Redis) -> None:
    worker = ExportWorker(blocking, "worker", print, WorkerRules(), print)
    before = threading.active_count()
    worker.bootstrap("WARNING")
    assert threading.active_count() == before
    worker.teardown()  # type: ignore[no-untyped-call]  # RQ's


async def test_a_killed_jobs_process_is_followed_by_another_at_once(
    workers: Machine, queue: RqExportQueue
) -> None:
    workers.start("work")
    await queue.enqueue("long-1", 1)
    os.kill(workers.wait_for("began")["pid"], signal.SIGKILL)
    killed_s = time.monotonic()
    again = workers.wait_for("began", 2, within_s=5.0)
    print(f"again after {again['at'] - killed_s:.2f} s")  # noqa: T201  # a figure to keep
    assert again["attempt"] == 2


async def test_a_poisonous_job_ends_after_five_tries(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    worker = workers.start("work")
    await queue.enqueue("poison-1", 1)
    workers.wait_for("began", 5)
    await until(lambda: job(blocking, "poison-1").get_status() == JobStatus.FAILED, 10.0)
    assert await queue.live(["poison-1"]) == frozenset()
    await queue.enqueue("quick-1", 1)
    workers.wait_for("ended")
    assert [line["attempt"] for line in workers.journal.events("began")] == [1, 2, 3, 4, 5, 1]
    assert worker.poll() is None


async def test_a_job_that_raises_is_tried_five_times(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    workers.start("work")
    await queue.enqueue("fails-1", 1)
    workers.wait_for("began", 5)
    await until(lambda: job(blocking, "fails-1").get_status() == JobStatus.FAILED, 10.0)
    assert len(workers.journal.events("began")) == 5


async def test_only_an_attempt_that_a_bug_ended_is_logged_with_a_traceback(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    workers.start("work")
    await queue.enqueue("waits-1", 1)
    await until(lambda: job(blocking, "waits-1").get_status() == JobStatus.FAILED, 20.0)
    log = workers.log.read_text(encoding="utf-8")
    assert log.count('"export waits"') == RETRIES_MAX + 1
    assert "Traceback" not in log
    await queue.enqueue("fails-1", 1)
    await until(lambda: job(blocking, "fails-1").get_status() == JobStatus.FAILED, 20.0)
    assert "RuntimeError: This export fails." in workers.log.read_text(encoding="utf-8")


async def test_a_job_over_its_time_ends(workers: Machine, queue: RqExportQueue) -> None:
    workers.start("work", job_s=1)
    await queue.enqueue("long-1", 1)
    first = workers.wait_for("began")
    assert workers.wait_for("began", 2)["at"] - first["at"] < 5.0


async def test_a_job_that_does_not_end_when_told_is_killed(
    workers: Machine, queue: RqExportQueue
) -> None:
    workers.start("work", job_s=1, overrun_s=1, monitoring_s=1)
    await queue.enqueue("stubborn-1", 1)
    first = workers.wait_for("began")
    workers.wait_for("began", 2, within_s=10.0)
    assert not alive(first["pid"])


# Stopping


async def test_an_idle_worker_stops_at_once(workers: Machine, blocking: Redis) -> None:
    worker = workers.start("work")
    # RQ puts a worker on its list before it listens to signals.
    name = f"rq:worker:worker-{worker.pid}"
    await until(lambda: blocking.hget(name, "state") == b"idle", 20.0)
    worker.terminate()
    assert worker.wait(5.0) == STOPPED
    assert blocking.scard("rq:workers") == 0


async def test_a_worker_that_is_told_to_stop_ends_its_job_first(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    worker = workers.start("work")
    await queue.enqueue("short-1", 1)
    await queue.enqueue("quick-2", 1)
    workers.wait_for("began")
    worker.terminate()
    assert worker.wait(10.0) == STOPPED
    assert [line["id"] for line in workers.journal.events("ended")] == ["short-1"]
    assert job(blocking, "short-1").get_status() == JobStatus.FINISHED
    assert await queue.live(["short-1", "quick-2"]) == {"quick-2"}


def test_a_job_taken_by_a_worker_that_is_to_stop_is_given_back(blocking: Redis) -> None:
    ran: list[ExportRun] = []
    worker = ExportWorker(blocking, "worker", ran.append, WorkerRules(), print)
    queue = rq_queue(blocking)
    for job_id in ("exp-a-1", "exp-b-1"):
        queue.enqueue_call(JOB_FUNCTION, args=(job_id[4],), job_id=job_id)
    taken = worker.dequeue_job_and_maintain_ttl(1)
    assert taken is not None
    worker.stop_asked = True
    worker.execute_job(*taken)
    assert not ran
    assert queue.get_job_ids() == ["exp-a-1", "exp-b-1"]
    assert queue.intermediate_queue.get_job_ids() == []


async def test_workers_that_are_stopped_under_load_lose_and_repeat_nothing(
    workers: Machine, queue: RqExportQueue
) -> None:
    names = [f"quick-{number}" for number in range(150)]
    for name in names:
        await queue.enqueue(name, 1)
    for stop in range(1, 5):
        worker = workers.start("work")
        workers.wait_for("ended", stop * 15)
        worker.terminate()
        assert worker.wait(10.0) == STOPPED
    workers.start("work")
    workers.wait_for("ended", len(names), within_s=60.0)
    assert sorted(line["id"] for line in workers.journal.events("ended")) == sorted(names)
    assert [line["attempt"] for line in workers.journal.events("began")] == [1] * len(names)


async def test_a_job_longer_than_the_grace_is_queued_again_at_once(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    worker = workers.start("work", stop_grace_s=0.5)
    await queue.enqueue("long-1", 1)
    began = workers.wait_for("began")
    worker.terminate()
    assert worker.wait(8.0) == STOPPED
    assert not alive(began["pid"])
    assert job(blocking, "long-1").get_status() == JobStatus.QUEUED
    assert (await queue.depth()).waiting == 1


async def test_an_idle_worker_outlives_its_queue(
    workers: Machine, valkey: PrivateValkey, queue: RqExportQueue, blocking: Redis
) -> None:
    worker = workers.start("work")
    await until(lambda: blocking.scard("rq:workers") == 1, 20.0)
    valkey.kill()
    valkey.start()
    await queue.enqueue("quick-1", 1)
    workers.wait_for("ended", within_s=20.0)
    assert worker.poll() is None


@pytest.mark.parametrize("name", ["short-1", "fails-1"])
async def test_a_worker_outlives_the_loss_of_everything_in_its_queue(
    workers: Machine, queue: RqExportQueue, blocking: Redis, name: str
) -> None:
    worker = workers.start("work")
    await queue.enqueue(name, 1)
    workers.wait_for("began")
    blocking.flushall()
    await queue.enqueue("quick-2", 1)
    await until(lambda: workers.journal.events("ended")[-1:] != [], 10.0)
    await until(lambda: workers.journal.events("ended")[-1]["id"] == "quick-2", 10.0)
    assert worker.poll() is None


async def test_a_job_outlives_a_restart_of_its_queue(
    workers: Machine, valkey: PrivateValkey, queue: RqExportQueue, blocking: Redis
) -> None:
    worker = workers.start("work", monitoring_s=1)
    await queue.enqueue("short-1", 1)
    workers.wait_for("began")
    valkey.kill()
    workers.wait_for("beat", 15)  # heartbeats fail meanwhile
    valkey.start()
    workers.wait_for("ended")
    await until(lambda: job(blocking, "short-1").get_status() == JobStatus.FINISHED, 10.0)
    assert len(workers.journal.events("began")) == 1
    assert worker.poll() is None


async def test_a_worker_stops_when_told_while_its_queue_is_down(
    workers: Machine, valkey: PrivateValkey, blocking: Redis
) -> None:
    worker = workers.start("work")
    # It listens to signals by the time that it looks for work.
    await until(lambda: [each.get_state() for each in Worker.all(blocking)] == ["idle"], 20.0)
    valkey.kill()
    worker.terminate()
    assert worker.wait(30.0) == STOPPED


async def test_a_worker_that_loses_its_queue_at_work_asks_to_be_started_again(
    workers: Machine, valkey: PrivateValkey, queue: RqExportQueue
) -> None:
    worker = workers.start("work")
    await queue.enqueue("long-1", 1)
    began = workers.wait_for("began")
    valkey.kill()
    assert worker.wait(60.0) == RESTART
    await until(lambda: not alive(began["pid"]), within_s=1.0)


# What is none of ours


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    return tmp_path / "trap"


def plant(blocking: Redis, job_id: str, data: bytes, **fields: str) -> None:
    """Write a job as somebody would who can write Redis."""
    at = "2026-01-01T00:00:00Z"
    stored: dict[Any, Any] = {"data": data, "status": "queued", "origin": "exports"}
    stored |= {"timeout": "60", "created_at": at, "enqueued_at": at, **fields}
    blocking.hset(f"rq:job:{job_id}", mapping=stored)
    blocking.rpush("rq:queue:exports", job_id)


def touching(trap: Path) -> list[Any]:
    return ["os.system", None, [f"touch {trap}"], {}]


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, trap: Path) -> None:
        self._trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self._trap}",))


def sprung(trap: Path) -> bool:
    """Say whether a planted command ran."""
    return trap.exists()


def planted_command(trap: Path) -> bytes:
    return bytes(JSONSerializer.dumps(touching(trap)))  # type: ignore[no-untyped-call]  # RQ's


def planted_pickle(trap: Path) -> bytes:
    return pickle.dumps(Bomb(trap))


@pytest.mark.parametrize("data_of", [planted_command, planted_pickle])
async def test_a_job_that_is_none_of_ours_is_refused(
    workers: Machine,
    queue: RqExportQueue,
    blocking: Redis,
    trap: Path,
    data_of: Callable[[Path], bytes],
) -> None:
    plant(blocking, "exp-quick-1-1", data_of(trap), retries_left="100")
    await queue.enqueue("quick-2", 1)
    workers.start("work")
    workers.wait_for("ended")
    assert not sprung(trap)
    assert [line["id"] for line in workers.journal.events("began")] == ["quick-2"]
    assert not blocking.exists("rq:job:exp-quick-1-1")


async def test_a_job_that_no_rq_wrote_ends_no_worker(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    plant(blocking, "exp-quick-1-1", b"{}", retries_left="many", timeout="long")
    blocking.rpush("rq:queue:exports:intermediate", "exp-quick-1-1")
    await queue.enqueue("quick-2", 1)
    worker = workers.start("work")
    workers.wait_for("ended")
    await until(lambda: blocking.llen("rq:queue:exports:intermediate") == 0, 10.0)
    assert worker.poll() is None


FOREIGN: list[bytes] = [
    b"exp-../../x-1",
    b"\xff\xfe\x00",
    b"",
    b"exp-missing-1",
    b"exp-short-2-1:" + b"0" * 32,
    b"exp-string-1",
    b"x" * 1_000_000,
]
"""Entries of a list that no worker can run."""


def plant_everywhere(blocking: Redis) -> None:
    """Write what is none of ours wherever a worker looks."""
    blocking.set("rq:job:exp-string-1", "no hash")
    for entry in FOREIGN:
        blocking.rpush("rq:queue:exports", entry)
        blocking.rpush("rq:queue:exports:intermediate", entry)
        blocking.zadd("rq:wip:exports", {entry: 1, entry + b":1": 1, entry + b":1:2": 1})
        blocking.sadd("rq:workers:exports", entry)


async def test_foreign_entries_are_dropped_and_exports_among_them_run(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    await queue.enqueue("quick-1", 1)
    plant_everywhere(blocking)
    await queue.enqueue("quick-2", 1)
    worker = workers.start("work")
    await until(lambda: len(workers.journal.events("ended")) == 2, 20.0)
    await until(lambda: blocking.llen("rq:queue:exports:intermediate") == 0, 10.0)
    await until(lambda: blocking.zcard("rq:wip:exports") == 0, 10.0)
    assert blocking.llen("rq:queue:exports") == 0
    assert worker.poll() is None
    assert {line["id"] for line in workers.journal.events("ended")} == {"quick-1", "quick-2"}
    log = workers.log.read_text(encoding="utf-8")
    assert "exp-../../x-1" in log
    assert "Traceback" not in log
    assert (await queue.depth()).dropped >= len(FOREIGN)


SHARED_KEYS = [
    *("rq:queue:exports", "rq:queue:exports:intermediate", "rq:queues"),
    *("rq:wip:exports", "rq:finished:exports", "rq:failed:exports"),
    *("rq:workers", "rq:workers:exports"),
    *("movieql:exports:dropped", "movieql:exports:ended"),
]


def plant_mistyped(blocking: Redis) -> None:
    """Give every key that workers share another type, all at once: a worker reads meanwhile."""
    with blocking.pipeline() as pipe:
        for key in SHARED_KEYS:
            pipe.delete(key)
            pipe.xadd(key, {"a": "b"})
        pipe.execute()


async def test_keys_of_another_type_are_dropped_before_a_worker_begins(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    plant_mistyped(blocking)
    worker = workers.start("work")
    await until(lambda: blocking.type("movieql:exports:dropped") == b"string", 10.0)
    await queue.enqueue("quick-1", 1)
    workers.wait_for("ended")
    assert worker.poll() is None
    assert (await queue.depth()).dropped == len(SHARED_KEYS)
    log = workers.log.read_text(encoding="utf-8")
    assert all(key in log for key in SHARED_KEYS)
    assert "Traceback" not in log


async def test_keys_of_another_type_are_dropped_while_a_worker_waits(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    worker = workers.start("work")
    await queue.enqueue("quick-1", 1)
    await until(lambda: blocking.zcard("rq:finished:exports"), 10.0)
    plant_mistyped(blocking)
    await until(lambda: blocking.type("movieql:exports:dropped") == b"string", 10.0)
    await queue.enqueue("quick-2", 1)
    workers.wait_for("ended", 2)
    assert worker.poll() is None
    assert "Traceback" not in workers.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("count", ["many", "007", "9" * 20])
def test_a_count_that_is_no_number_begins_anew(blocking: Redis, count: str) -> None:
    blocking.set("movieql:exports:dropped", count)
    assert drop_mistyped(blocking)
    assert blocking.get("movieql:exports:dropped") == b"1"
    assert not drop_mistyped(blocking)


def test_a_lock_of_nobody_that_does_not_expire_stops_recovery_for_a_round_only(
    blocking: Redis,
) -> None:
    blocking.set("rq:clean_registries:exports", "for ever")
    assert not rq_queue(blocking).acquire_maintenance_lock()
    assert rq_queue(blocking).acquire_maintenance_lock()


async def test_an_abandoned_job_with_fields_that_redis_refuses_ends_no_worker(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    ours = JSONSerializer.dumps([JOB_FUNCTION, None, ["fails-1"], {}])  # type: ignore[no-untyped-call]  # RQ's
    plant(blocking, "exp-fails-1-1", ours, status="started", failure_ttl="9" * 30)
    blocking.zadd("rq:wip:exports", {"exp-fails-1-1:a": 1})
    blocking.sadd("rq:job:exp-fails-1-1:dependents", b"\xff")
    worker = workers.start("work")
    await until(lambda: blocking.hget("rq:job:exp-fails-1-1", "status") == b"failed", 20.0)
    await until(lambda: blocking.zcard("rq:wip:exports") == 0, 10.0)
    await queue.enqueue("quick-2", 1)
    workers.wait_for("ended")
    assert worker.poll() is None


async def test_the_queue_answers_while_its_jobs_are_unreadable(
    queue: RqExportQueue, blocking: Redis
) -> None:
    plant_everywhere(blocking)
    await queue.enqueue("quick-1", 1)
    assert await queue.live(["string", "quick-1", "missing-2"]) == {"string", "quick-1"}
    assert (await queue.depth()).oldest_age_s == 0.0


def test_a_lock_that_a_killed_worker_left_stops_recovery_for_seconds_only(blocking: Redis) -> None:
    assert rq_queue(blocking).acquire_maintenance_lock()
    assert 0 < blocking.ttl("rq:clean_registries:exports") <= 5


async def test_callbacks_and_webhooks_of_a_job_are_not_called(
    workers: Machine, queue: RqExportQueue, blocking: Redis, trap: Path
) -> None:
    ours = JSONSerializer.dumps(["movieql.worker.run_export", None, ["quick-1"], {}])  # type: ignore[no-untyped-call]  # RQ's
    named = "os.getcwd"
    plant(
        blocking,
        "exp-quick-1-1",
        ours,
        success_callback_name=named,
        failure_callback_name=named,
        repeats_left="3",
        repeat_intervals="[0]",
    )
    workers.start("work")
    workers.wait_for("ended")
    await queue.enqueue("quick-2", 1)
    workers.wait_for("ended", 2)
    assert not sprung(trap)
    # A callback that had been called with RQ's arguments would have failed the job.
    assert blocking.hget("rq:job:exp-quick-1-1", "status") == b"finished"
    assert [line["id"] for line in workers.journal.events("began")] == ["quick-1", "quick-2"]


# The supervisor


async def test_a_supervisor_starts_a_killed_worker_again(
    workers: Machine, queue: RqExportQueue
) -> None:
    supervisor = workers.start("supervise", processes=1)
    await queue.enqueue("long-1", 1)
    began = workers.wait_for("began")
    killed_s = time.monotonic()
    os.kill(began["parent"], signal.SIGKILL)
    again = workers.wait_for("began", 2, within_s=RECOVERED_S)
    print(f"again after {again['at'] - killed_s:.1f} s")  # noqa: T201  # a figure to keep
    assert again["parent"] != began["parent"]
    supervisor.terminate()
    assert supervisor.wait(15.0) == STOPPED
    assert not alive(again["pid"])
    assert not alive(again["parent"])


async def test_a_job_that_kills_its_worker_ends_after_five_tries(
    workers: Machine, queue: RqExportQueue, blocking: Redis
) -> None:
    # With short leases, for this is about the end of the tries.
    for _ in range(5):
        worker = workers.start("work", monitoring_s=1)
        if not workers.journal.events("began"):
            await queue.enqueue("murderer-1", 1)
        worker.wait(20.0)
    workers.start("work", monitoring_s=1)
    await until(lambda: job(blocking, "murderer-1").get_status() == JobStatus.FAILED, 10.0)
    assert [line["attempt"] for line in workers.journal.events("began")] == [1, 2, 3, 4, 5]


async def test_workers_begin_when_their_queue_comes_up_after_them(
    workers: Machine, valkey: PrivateValkey, queue: RqExportQueue
) -> None:
    valkey.kill()
    supervisor = workers.start("supervise", processes=1)
    workers.wait_for("chore")  # what needs no queue is done without one
    valkey.start()
    await queue.enqueue("quick-1", 1)
    workers.wait_for("ended", within_s=40.0)
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(15.0) == STOPPED


async def test_workers_end_when_their_supervisor_is_killed(
    workers: Machine, queue: RqExportQueue
) -> None:
    supervisor = workers.start("supervise", processes=2)
    await queue.enqueue("short-1", 1)
    began = workers.wait_for("began")
    keeper = workers.wait_for("chore")
    supervisor.kill()
    workers.wait_for("ended")  # a worker may finish what it does
    await until(lambda: not alive(began["parent"]) and not alive(keeper["pid"]), 10.0)


async def test_one_keeper_of_two_keeps_house(workers: Machine) -> None:
    first = workers.start("supervise", processes=1)
    workers.wait_for("chore")
    workers.start("supervise", processes=1)
    workers.wait_for("chore", 10)
    assert len({line["pid"] for line in workers.journal.events("chore")}) == 1
    first.terminate()
    assert first.wait(10.0) == STOPPED
    known = len(workers.journal.events("chore"))
    workers.wait_for("chore", known + 5)
    assert len({line["pid"] for line in workers.journal.events("chore")}) == 2


def test_a_redis_in_cluster_mode_ends_the_supervisor(tmp_path: Path) -> None:
    with (
        private_valkey("--cluster-enabled", "yes") as valkey,
        machine(valkey.url, tmp_path) as workers,
    ):
        supervisor = workers.start("supervise", processes=1)
        assert supervisor.wait(20.0) == MISCONFIGURED
        assert "cluster mode" in workers.log.read_text(encoding="utf-8")
