"""Names of the queue, its jobs, and what lies in Redis besides."""

import re
from typing import Final

QUEUE_NAME: Final = "exports"
"""The one queue: a worker with two has no intermediate list and loses jobs (RQ 3.0)."""

JOB_FUNCTION: Final = "movieql.worker.run_export"
"""The only function a job may name; it is compared, never imported."""

KEY_PREFIX: Final = "movieql:exports:"
"""Before every key of ours in the queue's Redis; RQ's own begin with `rq:`."""

DROPPED_KEY: Final = f"{KEY_PREFIX}dropped"
"""How many foreign entries workers took off the queue's lists."""

GENERATION_MAX: Final = 999_999
"""The highest generation that a job id has room for."""

_ID_PART = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_JOB_ID = re.compile(r"exp-([A-Za-z0-9_-]{1,64})-([1-9][0-9]{0,5})", re.ASCII)


def is_id_part(text: object) -> bool:
    """Return whether this can be part of a job id: 1 to 64 letters, digits, `-` and `_`."""
    return isinstance(text, str) and _ID_PART.fullmatch(text) is not None


def job_id_of(export_id: str, generation: int) -> str:
    """Return the job's id. Raises ValueError for what cannot be part of one."""
    if not is_id_part(export_id):
        raise ValueError("An export's id has 1 to 64 letters, digits, - and _.")
    if not 1 <= generation <= GENERATION_MAX:
        raise ValueError(f"A generation is a number from 1 to {GENERATION_MAX}.")
    return f"exp-{export_id}-{generation}"


def parsed_job_id(job_id: str) -> tuple[str, int] | None:
    """Return (export id, generation) of a job's id, None when it is none of ours."""
    found = _JOB_ID.fullmatch(job_id)
    return (found[1], int(found[2])) if found else None
