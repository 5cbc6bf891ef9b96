"""Which jobs are run, and which fields of a job are used."""

import pickle
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.serializers import JSONSerializer, PickleSerializer

from movieql.domain.errors import JobRefusedError
from movieql.jobs.names import JOB_FUNCTION, QUEUE_NAME
from movieql.jobs.safe_job import RETRIES_MAX, SafeJob
from movieql.ports import ExportRun

NOWHERE = Redis.from_url("unix:///nowhere")
OURS: list[Any] = [JOB_FUNCTION, None, ["a-1"], {}]


def stored(asked: object = OURS, job_id: str = "exp-a-1-3", **fields: str) -> SafeJob:
    """Return the job that Redis holds."""
    data = asked if isinstance(asked, bytes) else JSONSerializer.dumps(asked)  # type: ignore[no-untyped-call]  # RQ's
    fields.setdefault("retries_left", str(RETRIES_MAX))
    job = SafeJob(job_id, connection=NOWHERE)
    encoded = {name.encode(): value.encode() for name, value in fields.items()}
    created = {b"created_at": b"2026-01-01T00:00:00Z"}
    job.restore({b"data": zlib.compress(data), **created, **encoded})
    return job


def test_a_job_of_ours_runs_with_what_its_id_says() -> None:
    ran: list[ExportRun] = []
    job = stored()
    job.body = ran.append
    job.perform()
    assert ran == [ExportRun("a-1", generation=3, attempt=1)]


@pytest.mark.parametrize("left, attempt", [("4", 1), ("3", 2), ("0", 5), ("100", 1), ("-7", 5)])
def test_an_attempt_is_told_by_the_tries_left(left: str, attempt: int) -> None:
    assert stored(retries_left=left).run().attempt == attempt


@pytest.mark.parametrize(
    "asked",
    [
        ["os.system", None, ["a-1"], {}],
        [JOB_FUNCTION, None, ["b"], {}],
        [JOB_FUNCTION, None, ["a-1", "a-1"], {}],
        [JOB_FUNCTION, None, ["a-1"], {"timeout": 1}],
        [JOB_FUNCTION, "instance", ["a-1"], {}],
        [JOB_FUNCTION, None, "a-1", {}],
        [JOB_FUNCTION, None, [], {}],
        [JOB_FUNCTION, None, [True], {}],
        {"a": 1},
        None,
        b"",
        b"not JSON",
        b"\xff\xfe",
        b"[" * 900,
        pickle.dumps(OURS),
    ],
)
def test_what_is_none_of_ours_is_refused_and_not_tried_again(asked: object) -> None:
    job = stored(asked, retries_left="100")
    ran: list[ExportRun] = []
    job.body = ran.append
    with pytest.raises(JobRefusedError):
        job.perform()
    assert not ran
    assert not job.should_retry


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_whatever_json_it_holds_is_refused(asked: object) -> None:
    with pytest.raises(JobRefusedError):
        stored(asked).run()


def test_a_job_with_another_id_is_refused() -> None:
    with pytest.raises(JobRefusedError):
        stored(job_id="a-1").run()


def test_a_large_job_is_not_unpacked() -> None:
    with pytest.raises(JobRefusedError):
        stored(bytes(10_000_000)).run()


def test_what_rq_would_call_besides_is_forgotten() -> None:
    job = stored(
        success_callback_name="os.getcwd",
        failure_callback_name="os.getcwd",
        stopped_callback_name="os.getcwd",
        webhooks='[{"url": "http://localhost/", "job_status": "finished"}]',
        repeats_left="9",
        retry_intervals="[60]",
        repeat_intervals="[" * 10,
        timeout="long",
        group_id="other",
        exc_info="x",
        origin="other",
        dependency_ids='["other"]',
    )
    assert job.success_callback is None
    assert job.failure_callback is None
    assert job.stopped_callback is None
    assert not job.webhooks
    assert not job.repeats_left
    assert job.get_retry_interval() == 0
    assert job.group_id is None
    assert job.origin == QUEUE_NAME
    assert not job._dependency_ids  # noqa: SLF001  # the property asks Redis


@pytest.mark.parametrize(
    "fields",
    [
        {"enqueued_at": "yesterday"},
        {"retries_left": "many"},
        {"status": "odd"},
        {"failure_ttl": "long"},
    ],
)
def test_a_job_that_no_rq_wrote_is_as_good_as_none(fields: dict[str, str]) -> None:
    with pytest.raises(NoSuchJobError):
        stored(**fields)


def test_no_serializer_but_json_is_ever_used() -> None:
    named: dict[str, Any] = {"serializer": PickleSerializer}
    job = SafeJob("exp-a-1", connection=NOWHERE, **named)
    assert job.serializer is JSONSerializer


def test_a_job_runs_in_a_worker_only() -> None:
    with pytest.raises(JobRefusedError, match="worker"):
        stored().perform()
