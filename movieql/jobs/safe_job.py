"""The only jobs that a worker runs.

RQ imports and calls whatever a job's hash names, also with its JSON serializer: who can write
Redis could run any command (measured with RQ 3.0). Here nothing is imported: a job is an export's
id, and the worker knows by itself what to do with one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from redis.exceptions import ResponseError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from movieql.domain.errors import JobRefusedError
from movieql.jobs.names import JOB_FUNCTION, QUEUE_NAME, is_id_part, parsed_job_id
from movieql.ports import ExportRun

RETRIES_MAX: Final = 4
"""Times that a job is tried again; so one that kills its worker ends after five."""

DATA_BYTES_MAX: Final = 1_000
"""Bytes of what a job's hash holds packed; ours has about 100."""

TTL_S_MAX: Final = 366 * 86_400
"""Longest life of an ended job in seconds; Redis refuses those past its range."""

_FIELDS: Final = frozenset(
    (
        *(b"data", b"status", b"retries_left", b"worker_name"),
        *(b"created_at", b"enqueued_at", b"started_at", b"ended_at", b"last_heartbeat"),
        *(b"result_ttl", b"failure_ttl"),
    )
)
"""What is read of a job's hash. RQ calls, imports, unpacks or waits for most of the others."""


class SafeJob(Job):
    """A job that runs `body`, which the worker sets, with the run that its id and data name."""

    body: Callable[[ExportRun], None] | None = None

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{**named, "serializer": JSONSerializer})

    @property
    def func(self) -> Callable[..., Any]:
        """Return what runs the job. Nothing is imported; raises JobRefusedError."""
        run = self.run()
        if self.body is None:
            raise JobRefusedError("A job runs in a worker only.")
        body = self.body
        return lambda *_: body(run)

    def run(self) -> ExportRun:
        """Return what the job is to do. Raises JobRefusedError for any but our own."""
        named = parsed_job_id(self.id)
        if named is None or self._asked() != [JOB_FUNCTION, None, [named[0]], {}]:
            raise JobRefusedError
        left = min(max(self.retries_left or 0, 0), RETRIES_MAX)
        return ExportRun(named[0], named[1], attempt=1 + RETRIES_MAX - left)

    def _asked(self) -> object:
        try:
            asked: object = JSONSerializer.loads(self.data)  # type: ignore[no-untyped-call]  # RQ's
        except (ValueError, RecursionError) as error:
            raise JobRefusedError from error
        return asked if _plain(asked) else None

    def refresh(self) -> None:
        """Read the job's hash. Raises NoSuchJobError also where no hash is."""
        try:
            super().refresh()  # type: ignore[no-untyped-call]  # RQ's
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            raise NoSuchJobError(f"The job {self.id} is no hash.") from error

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Take over what Redis holds, without what RQ would call or import besides the job.

        Raises NoSuchJobError for what no RQ wrote: RQ skips such a job, where any other error
        would end one worker after the other.
        """
        known = {name: value for name, value in raw_data.items() if name in _FIELDS}
        if len(known.get(b"data", b"")) > DATA_BYTES_MAX:
            known[b"data"] = b"null"
        try:
            super().restore(known)
        except Exception as error:  # RQ's parsers raise what they like, AssertionError too
            raise NoSuchJobError(f"The job {self.id} cannot be read.") from error
        self.origin = QUEUE_NAME
        self.result_ttl = _bounded_ttl(self.result_ttl)
        self.failure_ttl = _bounded_ttl(self.failure_ttl)
        self.retries_left = self._retries_left()

    def _retries_left(self) -> int:
        try:
            self.run()
        except JobRefusedError:
            return 0
        return min(self.retries_left or 0, RETRIES_MAX)


def _bounded_ttl(ttl_s: int | None) -> int:
    return min(max(ttl_s or 0, 1), TTL_S_MAX)


def _plain(asked: object) -> bool:
    """Say whether the one argument is an id; booleans and numbers equal each other in Python."""
    match asked:
        case [str(), None, [argument], {}]:
            return is_id_part(argument)
    return False
