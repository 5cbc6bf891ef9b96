"""Observations, exports, and the queue between the server and its workers."""

import random
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from movieql.composition.closing import run_beside
from movieql.composition.signing_in import queue_credentials
from movieql.domain.errors import QueueError
from movieql.domain.movies import Profile
from movieql.domain.observations import milliseconds
from movieql.domain.recording import RecorderLimits
from movieql.jobs.connections import SERVER_CONNECTION, async_client, blocking_client
from movieql.jobs.housekeeping import Chore, OncePerDay
from movieql.jobs.progress import ProgressRules, RedisProgressBoard
from movieql.jobs.queue import QueueRules, RqExportQueue
from movieql.jobs.server import check_server
from movieql.jobs.tally import RedisExportTally
from movieql.ports import (
    Clock,
    ExportProgress,
    ExportProgressBoard,
    ExportQueue,
    ExportRun,
    ExportTally,
    ObjectStore,
    Telemetry,
    Tracer,
)
from movieql.services.compacting import CompactionRules, Compactor
from movieql.services.export_archive import ExportArchive
from movieql.services.export_ending import told_to
from movieql.services.export_folding import Folding, FoldLimits
from movieql.services.export_job import ExportJob
from movieql.services.export_rounds import Janitor, Reconciler, RoundRules
from movieql.services.exports import ExportRules, Exports, jobs_on
from movieql.services.observed import ObservationReader, ReadingLimits
from movieql.services.observing import Observer, ObserverLimits
from movieql.services.price_history import PriceHistory, PriceHistoryLimits
from movieql.services.putting import Patience
from movieql.services.queue_watch import QueueSight, QueueWatch
from movieql.settings import Settings

REPORT_S = 0.5
"""Seconds between two reports of one job's progress."""

DAYS_CAUGHT_UP = 7
"""Days back for which a daily export that was missed is made."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue, the board on which jobs write how far they are, and what counts their ends."""

    exports: ExportQueue
    board: ExportProgressBoard
    tally: ExportTally


@dataclass(frozen=True, slots=True)
class Exporting:
    """What a server has of exports; `exports` and `queue` are None where there is no queue."""

    history: PriceHistory
    exports: Exports | None = None
    queue: Queue | None = None

    @property
    def board(self) -> ExportProgressBoard | None:
        """Return where jobs write how far they are."""
        return None if self.queue is None else self.queue.board


async def open_observer(
    settings: Settings,
    store: ObjectStore,
    profiles: Sequence[Profile],
    clock: Clock,
    telemetry: Telemetry,
    stack: AsyncExitStack,
) -> Observer:
    """Return what this process notes its sights with; the last of them are written at the end."""
    observer = Observer(
        store,
        profiles,
        watcher=secrets.token_hex(8),
        clock=clock,
        telemetry=telemetry,
        limits=ObserverLimits(
            settings.observation_flush_s,
            settings.observation_segment_bytes_max,
            RecorderLimits(offers_max=settings.observed_offers_max),
        ),
    )
    stack.push_async_callback(observer.flush)
    run_beside(observer.run(), stack)
    return observer


async def open_exporting(
    settings: Settings,
    store: ObjectStore,
    profiles: Sequence[Profile],
    clock: Clock,
    telemetry: Telemetry,
    stack: AsyncExitStack,
) -> Exporting:
    """Return what a server offers of exports. Raises SettingsError for a Redis of no use."""
    history = PriceHistory(
        _reader(settings, store),
        clock,
        telemetry,
        PriceHistoryLimits(
            settings.history_refresh_s,
            settings.history_days,
            settings.history_offers_max,
            settings.history_points_max,
        ),
    )
    run_beside(history.run(), stack)
    queue = await open_queue(settings, clock, telemetry, stack)
    if queue is None:
        return Exporting(history)
    exports = _exports(settings, store, profiles, queue, clock, telemetry)
    return Exporting(history, exports, queue)


async def open_exports(
    settings: Settings,
    store: ObjectStore,
    profiles: Sequence[Profile],
    clock: Clock,
    telemetry: Telemetry,
    stack: AsyncExitStack,
) -> Exports | None:
    """Return what asks for exports, None where there is no queue. Raises as `open_queue`."""
    queue = await open_queue(settings, clock, telemetry, stack)
    if queue is None:
        return None
    return _exports(settings, store, profiles, queue, clock, telemetry)


async def open_queue(
    settings: Settings, clock: Clock, telemetry: Telemetry, stack: AsyncExitStack
) -> Queue | None:
    """Return the queue, None where the settings name none.

    Raises SettingsError for a Redis that it cannot run on; one that is down may come back.
    """
    if settings.queue_url is None:
        return None
    credentials = queue_credentials(settings, clock)
    blocking = blocking_client(settings.queue_url, SERVER_CONNECTION, credentials)
    stack.callback(blocking.close)
    client = async_client(settings.queue_url, SERVER_CONNECTION, credentials)
    stack.push_async_callback(client.aclose)
    try:
        for warning in await check_server(client, settings.queue_timeout_s):
            telemetry.queue_failed(warning)
    except QueueError as error:
        telemetry.queue_failed(str(error))
    rules = QueueRules(
        job_s=settings.export_job_s,
        kept_s=settings.queue_kept_s,
        astray_s=settings.queue_astray_s,
        generations_max=settings.export_generations_max,
        listed_max=settings.queue_listed_max,
        timeout_s=settings.queue_timeout_s,
    )
    exports = RqExportQueue(blocking, client, clock, rules)
    stack.push_async_callback(exports.aclose)
    watching = ProgressRules(
        watch_s_max=settings.export_watch_s,
        watchers_max=settings.export_watchers_max,
        timeout_s=settings.queue_timeout_s,
    )
    board = RedisProgressBoard(client, clock, watching)
    return Queue(exports, board, RedisExportTally(client))


@asynccontextmanager
async def open_job(
    settings: Settings,
    store: ObjectStore,
    profiles: Sequence[Profile],
    clock: Clock,
    telemetry: Telemetry,
    tracer: Tracer,
) -> AsyncIterator[Callable[[ExportRun], Awaitable[None]]]:
    """Give what runs one attempt at an export; it raises when there has to be another."""
    async with AsyncExitStack() as stack:
        queue = await open_queue(settings, clock, telemetry, stack)
        job = ExportJob(
            store,
            _archive(store, queue, clock, telemetry),
            Folding(
                _reader(settings, store),
                {profile.id: profile for profile in profiles},
                tempfile.TemporaryFile,
                FoldLimits(stale_s=settings.export_stale_s),
            ),
            clock=clock,
            rng=random.Random(),  # noqa: S311  # jitter is no secret
            new_id=new_export_id,
            part_bytes=settings.store_part_bytes,
        )

        async def run(attempt: ExportRun) -> None:
            token = f"{attempt.generation}-{attempt.attempt}-{secrets.token_hex(4)}"
            report = Reports(queue, attempt, clock)
            with tracer.span(
                "export",
                "job",
                export_id=attempt.export_id,
                generation=attempt.generation,
                attempt=attempt.attempt,
            ) as span:
                await report.begin()
                try:
                    manifest = await job.run(attempt.export_id, token, report.progress)
                finally:
                    await report.end()
                if manifest is not None:
                    span.note(status=manifest.status.value.lower(), rows=manifest.rows)

        yield run


class Reports:
    """Tells the board how far a job is, not too often, and not at any price."""

    def __init__(self, queue: Queue | None, attempt: ExportRun, clock: Clock) -> None:
        self._board = None if queue is None else queue.board
        self._export_id = attempt.export_id
        self._attempt = attempt.generation + attempt.attempt - 1
        self._clock = clock
        self._next_s = 0.0
        self._last = (0, 0)

    async def begin(self) -> None:
        """Count this attempt after the last that was reported, and tell that it has begun.

        A job that is queued again counts its own attempts from 1.
        """
        if self._board is None:
            return
        with suppress(QueueError):
            known = await self._board.progress([self._export_id])
            last = max((each.attempt for each in known.values()), default=0)
            self._attempt = max(self._attempt, last + 1)
        await self._tell(over=False)

    async def progress(self, done: int, total: int) -> None:
        """Note how far it is, and tell it if it is time."""
        self._last = (done, total)
        now_s = self._clock.monotonic_s()
        if now_s >= self._next_s:
            self._next_s = now_s + REPORT_S
            await self._tell(over=False)

    async def end(self) -> None:
        """Tell that this attempt is over."""
        await self._tell(over=True)

    async def _tell(self, *, over: bool) -> None:
        if self._board is None:
            return
        with suppress(QueueError):  # what counts is in the object store
            told = ExportProgress(*self._last, self._attempt, over)
            await self._board.report(self._export_id, told)


async def export_chores(
    settings: Settings,
    store: ObjectStore,
    profiles: Sequence[Profile],
    refresh: Callable[[], Awaitable[object]],
    clock: Clock,
    telemetry: Telemetry,
    stack: AsyncExitStack,
) -> Sequence[Chore]:
    """Return what the keeper does; `refresh` asks all shops for everything."""
    queue = await open_queue(settings, clock, telemetry, stack)
    if queue is None:
        return ()
    archive, reader = _archive(store, queue, clock, telemetry), _reader(settings, store)
    rules = RoundRules(
        grace_s=settings.export_grace_s,
        generations_max=settings.export_generations_max,
        open_s_max=settings.export_open_s_max,
        upload_s_max=settings.export_upload_s_max,
        orphan_s=settings.export_orphan_s,
        kept_s=settings.export_kept_s,
        records_kept_s=settings.export_records_kept_s,
    )
    reconciler = Reconciler(
        archive,
        queue=queue.exports,
        new_id=new_export_id,
        clock=clock,
        telemetry=telemetry,
        rules=rules,
    )
    compactor = Compactor(store, reader, clock, CompactionRules(kept_days=settings.observed_days))
    janitor = Janitor(store, archive, compactor, clock=clock, telemetry=telemetry, rules=rules)
    exports = _exports(settings, store, profiles, queue, clock, telemetry)

    async def tell_depth() -> None:
        telemetry.queue_depth(await queue.exports.depth())

    chores = [
        Chore("reconcile", settings.reconcile_s, reconciler.round, timeout_s=60.0),
        Chore("janitor", settings.janitor_s, janitor.round, timeout_s=900.0),
        Chore("queue depth", settings.queue_log_s, tell_depth, timeout_s=30.0),
        Chore("refresh", settings.refresh_s, refresh, timeout_s=settings.refresh_s),
    ]
    if settings.daily_export:

        async def missed(today: date) -> None:
            await catch_up(exports, reader, today)

        daily = OncePerDay(clock, settings.daily_export_hour, missed)
        chores.append(Chore("daily export", 30.0, daily, timeout_s=120.0))
    return chores


async def catch_up(exports: Exports, reader: ObservationReader, today: date) -> None:
    """Ask for the exports of the last days of which anything is known; each is made once."""
    for back in range(DAYS_CAUGHT_UP, 0, -1):
        day = datetime.combine(today - timedelta(days=back), time(), UTC)
        end_ms = milliseconds(day + timedelta(days=1))
        found = await reader.find(milliseconds(day), end_ms - 1)
        if found.names:
            await exports.daily(day)


def watch_queue(
    settings: Settings,
    queue: Queue,
    clock: Clock,
    telemetry: Telemetry,
    note: Callable[[QueueSight | None], None],
    stack: AsyncExitStack,
) -> None:
    """Look at the queue in the background until the stack closes; `note` is told."""
    watch = QueueWatch(queue.exports, queue.tally, clock, telemetry, note, settings.queue_look_s)
    run_beside(watch.run(), stack)


def new_export_id() -> str:
    """Return an id that no other export, and no other write, has: 24 hex digits."""
    return secrets.token_hex(12)


def _exports(
    settings: Settings,
    store: ObjectStore,
    profiles: Sequence[Profile],
    queue: Queue,
    clock: Clock,
    telemetry: Telemetry,
) -> Exports:
    rules = ExportRules(
        kept_s=settings.export_kept_s,
        link_s=settings.link_lifetime_s,
        open_max=settings.exports_open_max,
        page_max=settings.exports_page_max,
        settle_s=settings.export_settle_s,
        late_s=settings.export_late_s,
    )
    return Exports(
        store,
        _archive(store, queue, clock, telemetry),
        selling=[profile.id for profile in profiles if profile.sells],
        queue=queue.exports,
        jobs=jobs_on(queue.board),
        new_id=new_export_id,
        clock=clock,
        telemetry=telemetry,
        rules=rules,
    )


def _archive(
    store: ObjectStore, queue: Queue | None, clock: Clock, telemetry: Telemetry
) -> ExportArchive:
    rng = random.Random()  # noqa: S311  # jitter is no secret
    tally, board = (None, None) if queue is None else (queue.tally, queue.board)
    return ExportArchive(store, Patience(clock, rng), told_to(telemetry, tally), board)


def _reader(settings: Settings, store: ObjectStore) -> ObservationReader:
    return ObservationReader(store, ReadingLimits(settings.observation_segments_max))
