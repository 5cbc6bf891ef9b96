"""A worker as a process of its own: `python -m tests.integration.jobs.worker_process`.

Every export writes what it does as lines of a file: what it is to do is the first word of its id.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from movieql.domain.errors import NothingObservedError
from movieql.jobs.connections import WORKER_CONNECTION, blocking_client
from movieql.jobs.export_worker import ExportWorker, WorkerRules, backing_off, worked
from movieql.jobs.housekeeping import Chore
from movieql.jobs.supervisor import SupervisorRules
from movieql.ports import ExportRun
from movieql.web.telemetry import make_logger
from movieql.worker import RunExport, Workers, log_failed, run_workers

BEAT_S = 0.1
LONG_S = 60.0


class Journal:
    """What happened, a JSON object a line; appending is atomic."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, event: str, run: ExportRun | None = None) -> None:
        line: dict[str, Any] = {"event": event, "pid": os.getpid(), "at": time.monotonic()}
        if run is not None:
            line |= {
                "id": run.export_id,
                "attempt": run.attempt,
                "parent": os.getppid(),
            }
        with self._path.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line) + "\n")

    def read(self) -> list[dict[str, Any]]:
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.read() if line["event"] == event]


def perform(journal: Journal, run: ExportRun) -> None:
    """Do what the first word of the export's id says."""
    journal.note("began", run)
    word = run.export_id.partition("-")[0]
    if word == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "murderer":
        os.kill(os.getppid(), signal.SIGKILL)
    if word == "fails":
        raise RuntimeError("This export fails.")
    if word == "waits":
        raise NothingObservedError
    seconds_s = {"quick": 0.0, "short": 2.0, "murderer": 1.0}.get(word, LONG_S)
    until_s = time.monotonic() + seconds_s
    while time.monotonic() < until_s:
        if word == "stubborn":
            with suppress(Exception):
                time.sleep(BEAT_S)
        else:
            time.sleep(BEAT_S)
        journal.note("beat", run)
    journal.note("ended", run)


def work(url: str, journal: Journal, rules: WorkerRules) -> int:
    """Be one worker, without a supervisor."""
    client = blocking_client(url, WORKER_CONNECTION)

    def body(run: ExportRun) -> None:
        perform(journal, run)

    patient = backing_off(body, random.Random(7), pause_s=0.1)
    journal.note("ready")
    name = f"worker-{os.getpid()}"
    note_failed = partial(log_failed, make_logger("info", "json"))
    return worked(lambda: ExportWorker(client, name, patient, rules, note_failed))


def supervise(url: str, journal: Journal, processes: int) -> int:
    """Be the supervisor of workers and a keeper."""

    @asynccontextmanager
    async def open_exports() -> AsyncIterator[RunExport]:
        async def run(run: ExportRun) -> None:
            await asyncio.to_thread(perform, journal, run)

        yield run

    @asynccontextmanager
    async def open_chores() -> AsyncIterator[Sequence[Chore]]:
        async def chore() -> None:
            journal.note("chore")

        yield [Chore("test", 0.2, chore, timeout_s=1.0)]

    return run_workers(
        Workers(
            queue_url=url,
            open_exports=open_exports,
            open_chores=open_chores,
            logger=make_logger("info", "json"),
            processes=processes,
            rules=WorkerRules(stop_grace_s=3.0),
            restarts=SupervisorRules(stop_s=8.0),
            lease_s=1.0,
        )
    )


def main() -> int:
    mode, url, journal, options = sys.argv[1:]
    given = json.loads(options)
    if mode == "work":
        return work(url, Journal(Path(journal)), WorkerRules(**given))
    return supervise(url, Journal(Path(journal)), **given)


if __name__ == "__main__":
    sys.exit(main())
