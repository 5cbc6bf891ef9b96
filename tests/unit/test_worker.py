"""A job opens what it needs, in its own process, and closes it again."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from rq.timeouts import JobTimeoutException

from movieql.domain.errors import (
    JobRefusedError,
    NothingObservedError,
    StoreError,
    UploadGoneError,
)
from movieql.jobs.housekeeping import Chore
from movieql.jobs.names import JOB_FUNCTION
from movieql.ports import ExportRun
from movieql.web.telemetry import make_logger
from movieql.worker import RunExport, Workers, log_failed, run_export

RUN = ExportRun("a", generation=2, attempt=3)


class Exports:
    """Notes what a job opens, runs and closes."""

    def __init__(self, error: BaseException | None = None, takes_s: float = 0.0) -> None:
        self.events: list[object] = []
        self._error = error
        self._takes_s = takes_s

    @asynccontextmanager
    async def open(self) -> AsyncIterator[RunExport]:
        self.events.append("opened")
        try:
            yield self._run
        finally:
            self.events.append("closed")

    async def _run(self, run: ExportRun) -> None:
        await asyncio.sleep(self._takes_s)
        self.events.append(run)
        if self._error is not None:
            raise self._error


def test_the_queue_names_what_runs_an_export() -> None:
    assert f"{run_export.__module__}.{run_export.__qualname__}" == JOB_FUNCTION


def test_a_job_runs_in_what_it_opened_itself() -> None:
    exports = Exports()
    run_export(RUN, open_exports=exports.open, timeout_s=5.0)
    assert exports.events == ["opened", RUN, "closed"]


def test_a_job_that_fails_says_so_after_it_closed_everything() -> None:
    exports = Exports(RuntimeError("It is broken."))
    with pytest.raises(RuntimeError, match="broken"):
        run_export(RUN, open_exports=exports.open, timeout_s=5.0)
    assert exports.events[-1] == "closed"


def test_a_job_that_takes_too_long_is_cancelled_and_closes_everything() -> None:
    exports = Exports(takes_s=60.0)
    with pytest.raises(TimeoutError):
        run_export(RUN, open_exports=exports.open, timeout_s=0.05)
    assert exports.events == ["opened", "closed"]


@pytest.mark.parametrize(
    "error, level",
    [
        (NothingObservedError(), "info"),
        (StoreError(), "warning"),
        (UploadGoneError(), "warning"),
        (JobRefusedError(), "warning"),
        (TimeoutError(), "warning"),
        (JobTimeoutException(), "warning"),
        (RuntimeError("It is broken."), "error"),
        (KeyError("offers"), "error"),
    ],
)
def test_an_attempt_that_failed_is_logged_as_what_it_was(error: Exception, level: str) -> None:
    log = io.StringIO()
    log_failed(make_logger("info", "json", log), "exp-a-1", error)
    line = json.loads(log.getvalue())
    assert line["level"] == level
    assert line["job"] == "exp-a-1"
    assert ("exception" in line) == (level == "error")
    assert line.get("reason") or level == "error"


def test_the_queues_address_is_in_no_repr() -> None:
    @asynccontextmanager
    async def open_chores() -> AsyncIterator[list[Chore]]:
        yield []

    workers = Workers(
        queue_url="redis://:secret@queue",
        open_exports=Exports().open,
        open_chores=open_chores,
        logger=make_logger("info", "json"),
        lease_s=5.0,
    )
    assert "secret" not in repr(workers)
