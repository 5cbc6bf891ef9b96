"""The worker: processes that run exports, and one that keeps house.

`run_workers` is a small supervisor. It forks `processes` workers and one keeper; a worker forks
again for every job. Nothing is open before a fork: every process opens its own composition, with
clients and threads of its own, by the openers that it was given.
"""

import asyncio
import os
import random
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass, field
from functools import partial

import uvloop
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError
from rq.timeouts import JobTimeoutException

from movieql.clock import SystemClock
from movieql.domain.errors import MovieqlError, NothingObservedError, SettingsError
from movieql.jobs.connections import (
    SERVER_CONNECTION,
    WORKER_CONNECTION,
    async_client,
    blocking_client,
)
from movieql.jobs.export_worker import (
    MISCONFIGURED,
    RESTART,
    STOPPED,
    ExportWorker,
    WorkerRules,
    backing_off,
    worked,
)
from movieql.jobs.housekeeping import Chore, Housekeeping
from movieql.jobs.leases import RedisLeases
from movieql.jobs.server import judged
from movieql.jobs.supervisor import Role, Supervisor, SupervisorRules
from movieql.ports import ExportRun
from movieql.web.telemetry import Logger

RunExport = Callable[[ExportRun], Awaitable[None]]
"""Runs an attempt at an export; it raises when another attempt is to be made."""

OpenExports = Callable[[], AbstractAsyncContextManager[RunExport]]
"""Opens what a job needs, in the job's own process."""

OpenChores = Callable[[], AbstractAsyncContextManager[Sequence[Chore]]]
"""Opens what the keeper needs, in the keeper's own process."""

_SOFT_SHARE = 0.95
"""Share of a job's longest run after which it is cancelled; at the end RQ's alarm goes off."""


@dataclass(frozen=True, slots=True)
class Workers:
    """What `run_workers` runs.

    `queue_url` may hold a password: it is in no repr. `credentials` sign in where it does not.
    """

    queue_url: str = field(repr=False)
    open_exports: OpenExports
    open_chores: OpenChores
    logger: Logger
    lease_s: float
    processes: int = 1
    rules: WorkerRules = field(default_factory=WorkerRules)
    restarts: SupervisorRules = field(default_factory=SupervisorRules)
    credentials: CredentialProvider | None = None


def run_workers(workers: Workers) -> int:
    """Run until SIGTERM or SIGINT; return the exit code: 0, or 78 for a Redis of no use.

    Call it in the main thread, while nothing is open and no event loop runs.
    """
    roles = [Role(f"worker-{n + 1}", partial(_work, workers)) for n in range(workers.processes)]
    keeper = Role("keeper", partial(_keep_house, workers))

    def note(role: str, event: str, number: int) -> None:
        workers.logger.info("process", role=role, event_=event, number=number)

    return Supervisor([*roles, keeper], note, workers.restarts).run()


def run_export(run: ExportRun, *, open_exports: OpenExports, timeout_s: float) -> None:
    """Run one attempt at an export in this process, with a composition of its own."""

    async def attempt() -> None:
        async with asyncio.timeout(timeout_s), open_exports() as export:
            await export(run)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(attempt())


def log_failed(logger: Logger, job_id: str, error: BaseException) -> None:
    """Log why an attempt at an export failed: a traceback stands for a bug and nothing else.

    An export of what nobody has observed yet waits, which is as it should be: INFO. A store that
    fails or a job that takes too long is tried again: WARNING.
    """
    if isinstance(error, NothingObservedError):
        logger.info("export waits", job=job_id, reason=str(error))
    elif isinstance(error, MovieqlError | TimeoutError | JobTimeoutException):
        reason = str(error) or type(error).__name__
        logger.warning("export attempt failed", job=job_id, reason=reason)
    else:
        logger.error("export attempt failed", job=job_id, exc_info=error)


def _work(workers: Workers) -> int:
    """Be a worker process."""
    client = blocking_client(workers.queue_url, WORKER_CONNECTION, workers.credentials)
    try:
        for warning in judged(client.info()):
            workers.logger.warning("queue", warning=warning)
    except SettingsError as error:
        workers.logger.critical("queue", error=str(error))
        return MISCONFIGURED
    except (RedisError, OSError) as error:
        workers.logger.warning("queue", error=type(error).__name__)
        return RESTART
    run = partial(
        run_export,
        open_exports=workers.open_exports,
        timeout_s=workers.rules.job_s * _SOFT_SHARE,
    )
    body = backing_off(run, random.Random())  # noqa: S311  # jitter is no secret
    note_failed = partial(log_failed, workers.logger)
    return worked(lambda: ExportWorker(client, _unique_name(), body, workers.rules, note_failed))


def _unique_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _keep_house(workers: Workers) -> int:
    """Be the keeper process."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_kept(workers))
    except MovieqlError as error:
        workers.logger.critical("keeper", error=str(error))
        return MISCONFIGURED if isinstance(error, SettingsError) else RESTART
    return STOPPED


async def _kept(workers: Workers) -> None:
    def note(chore: str, error: BaseException | None) -> None:
        if error is not None:
            workers.logger.warning("chore", chore=chore, error=repr(error))

    async with (
        aclosing(
            async_client(workers.queue_url, SERVER_CONNECTION, workers.credentials)
        ) as client,
        workers.open_chores() as chores,
    ):
        house = Housekeeping(
            chores,
            RedisLeases(client),
            SystemClock(),
            secrets.token_hex(8),
            note,
            workers.lease_s,
        )
        keeping = asyncio.ensure_future(house.run())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, keeping.cancel)
        with suppress(asyncio.CancelledError):
            await keeping
