"""A store that fails where it is told to, a clock that runs by itself, and exports on both."""

import hashlib
import io
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal, TypeVar

from movieql.domain.callers import Caller
from movieql.domain.errors import QueueError, StoreError, StoreUnwritableError
from movieql.domain.exports import ExportInput, Manifest
from movieql.domain.movies import Row
from movieql.memory import MemoryExportTally, RecordedTelemetry, VirtualClock
from movieql.ports import (
    LIST,
    Call,
    ExportProgress,
    ObjectStore,
    QueueDepth,
    StoredObject,
    UnfinishedUpload,
    Upload,
)
from movieql.services.compacting import CompactionRules, Compactor
from movieql.services.export_archive import ExportArchive
from movieql.services.export_ending import told_to
from movieql.services.export_folding import Folding, FoldLimits
from movieql.services.export_job import ExportJob
from movieql.services.export_rounds import Janitor, Reconciler, RoundRules
from movieql.services.exports import ExportRules, Exports, jobs_on
from movieql.services.observed import ObservationReader
from movieql.services.observing import Observer, ObserverLimits
from movieql.services.putting import Backoff, Patience
from tests.builders import row, shop

_T = TypeVar("_T")

START = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
ANALYST = Caller("analyst", frozenset({"exports"}))
OTHER = Caller("other", frozenset({"exports"}))
ADMIN = Caller("boss", frozenset({"admin"}))

LISTED = shop("corner", imdb_ids=False, detail_fields=frozenset())
DETAILED = shop("cinemaworld")
HOUSE = shop("house", sells=False)

WRITTEN_ONCE = ("manifests/", "requests/")
"""What the bucket takes with `If-None-Match` only."""


GRACE_S = 30.0
"""Seconds after which an export without a job is queued again."""


class Killed(BaseException):
    """The process ends here."""


class RunningClock(VirtualClock):
    """Whoever sleeps makes the time pass."""

    async def sleep(self, delay_s: float) -> None:
        """Let the time pass at once."""
        self._elapsed_s += delay_s

    def jump(self, **parts: float) -> None:
        """Let this much time pass."""
        self._elapsed_s += timedelta(**parts).total_seconds()


Fault = Literal["refused", "lost", "killed before", "killed after", "unwritable"]


class FaultyStore:
    """A store whose calls may fail; `calls` names them in order.

    `fault(number, name)` says what happens to a call: refused and not executed, executed and its
    answer lost, or the process killed before or after it, or a write that the disk refuses.
    """

    def __init__(self, inner: ObjectStore) -> None:
        self.inner = inner
        self.part_bytes_min = inner.part_bytes_min
        self.calls: list[str] = []
        self.fault: Callable[[int, str], Fault | None] = lambda _number, _name: None

    def heal(self) -> None:
        """Fail no longer, and count from 0."""
        self.calls = []
        self.fault = lambda _number, _name: None

    async def call(self, name: str, make: Callable[[], Awaitable[_T]]) -> _T:
        """Make a call, unless it fails."""
        self.calls.append(name)
        fault = self.fault(len(self.calls) - 1, name)
        if fault == "refused":
            raise StoreError
        if fault == "unwritable":
            raise StoreUnwritableError
        if fault == "killed before":
            raise Killed
        result = await make()
        if fault == "lost":
            raise StoreError
        if fault == "killed after":
            raise Killed
        return result

    async def put(self, key: str, body: bytes, **options: Any) -> str:
        # As the bucket's policy does (terraform/modules/store/policy.tf).
        assert not key.startswith(WRITTEN_ONCE) or options.get("if_absent"), key
        return await self.call(f"put {key}", lambda: self.inner.put(key, body, **options))

    async def get(self, key: str, *, bytes_max: int) -> tuple[bytes, str] | None:
        return await self.call(f"get {key}", lambda: self.inner.get(key, bytes_max=bytes_max))

    async def get_unless(
        self, key: str, etag: str, *, bytes_max: int
    ) -> tuple[bytes, str] | Literal["unchanged"] | None:
        return await self.inner.get_unless(key, etag, bytes_max=bytes_max)

    async def get_range(self, key: str, start: int, length: int) -> bytes | None:
        return await self.inner.get_range(key, start, length)

    async def head(self, key: str) -> StoredObject | None:
        return await self.call(f"head {key}", lambda: self.inner.head(key))

    async def list(
        self, prefix: str, *, after: str | None = None, limit: int = 1000
    ) -> Sequence[StoredObject]:
        return await self.call(
            f"list {prefix}", lambda: self.inner.list(prefix, after=after, limit=limit)
        )

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        await self.call(f"delete {key}", lambda: self.inner.delete(key, if_match=if_match))

    async def begin_upload(self, key: str, *, content_type: str) -> "FaultyUpload":
        upload = await self.call(
            f"begin {key}", lambda: self.inner.begin_upload(key, content_type=content_type)
        )
        return FaultyUpload(self, upload)

    async def unfinished_uploads(
        self, prefix: str, limit: int = 1000
    ) -> Sequence[UnfinishedUpload]:
        return await self.inner.unfinished_uploads(prefix, limit)

    async def abort_upload(self, key: str, upload_id: str) -> None:
        await self.inner.abort_upload(key, upload_id)

    async def link(self, key: str, *, lifetime_s: int, filename: str, content_type: str) -> str:
        return await self.inner.link(
            key, lifetime_s=lifetime_s, filename=filename, content_type=content_type
        )


class FaultyUpload:
    """An upload of a faulty store."""

    def __init__(self, store: FaultyStore, inner: Upload) -> None:
        self._store = store
        self._inner = inner
        self.upload_id = inner.upload_id

    async def add(self, part: bytes) -> None:
        await self._store.call("add", lambda: self._inner.add(part))

    async def complete(self) -> str:
        return await self._store.call("complete", self._inner.complete)

    async def abort(self) -> None:
        await self._store.call("abort", self._inner.abort)


@dataclass
class Queue:
    """What jobs are queued: (export's id, generation), each once.

    `down`: nothing is answered; `full`: nothing is taken.
    """

    jobs: dict[tuple[str, int], None] = field(default_factory=dict)
    reported: dict[str, ExportProgress] = field(default_factory=dict)
    down: bool = False
    full: bool = False

    async def enqueue(self, export_id: str, generation: int) -> None:
        """Queue a job; see `ports.ExportQueue`."""
        if self.full:
            raise QueueError
        await self.ping()
        self.jobs[export_id, generation] = None

    async def live(self, export_ids: Collection[str]) -> frozenset[str]:
        """Return those that have a job; see `ports.ExportQueue`."""
        await self.ping()
        return frozenset(each for each, _ in self.jobs).intersection(export_ids)

    async def depth(self) -> QueueDepth:
        """Return how much is to be done; see `ports.ExportQueue`."""
        return QueueDepth(len(self.jobs), 0, 0.0)

    async def ping(self) -> None:
        """Raise QueueError while `down`; see `ports.ExportQueue`."""
        if self.down:
            raise QueueError

    async def report(self, export_id: str, progress: ExportProgress) -> None:
        """Replace what is known of a job; see `ports.ExportProgressBoard`."""
        self.reported[export_id] = progress

    async def progress(self, export_ids: Sequence[str]) -> Mapping[str, ExportProgress]:
        """Return what is known of jobs; see `ports.ExportProgressBoard`."""
        await self.ping()
        return {each: self.reported[each] for each in export_ids if each in self.reported}

    async def watch(self, export_id: str) -> AsyncGenerator[ExportProgress, None]:
        """Return what is known of a job now; see `ports.ExportProgressBoard`."""
        yield self.reported[export_id]


@dataclass
class World:
    """A store, one process that watches shops, and everything that makes exports."""

    store: FaultyStore
    clock: RunningClock = field(default_factory=lambda: RunningClock(START))
    queue: Queue = field(default_factory=Queue)
    telemetry: RecordedTelemetry = field(default_factory=RecordedTelemetry)
    tally: MemoryExportTally = field(default_factory=MemoryExportTally)
    first_id: int = 1

    def __post_init__(self) -> None:
        self._ids = count(self.first_id)
        self._tokens = count(1)
        self.reader = ObservationReader(self.store)
        rng = random.Random(1)
        patience = Patience(self.clock, rng, Backoff(tries_max=3))
        self.archive = ExportArchive(
            self.store, patience, told_to(self.telemetry, self.tally), self.queue
        )
        profiles = {each.id: each for each in (LISTED, DETAILED, HOUSE)}
        limits = FoldLimits(bucket_bytes=2_000)
        self.folding = Folding(self.reader, profiles, io.BytesIO, limits)
        self.job = ExportJob(
            self.store,
            self.archive,
            self.folding,
            clock=self.clock,
            rng=rng,
            new_id=self.new_id,
            part_bytes=300,
        )
        self.exports = Exports(
            self.store,
            self.archive,
            selling=[LISTED.id, DETAILED.id],
            queue=self.queue,
            jobs=jobs_on(self.queue),
            new_id=self.new_id,
            clock=self.clock,
            telemetry=self.telemetry,
            rules=ExportRules(open_max=3),
        )
        self.reconciler = Reconciler(
            self.archive,
            queue=self.queue,
            new_id=self.new_id,
            clock=self.clock,
            telemetry=self.telemetry,
            rules=RoundRules(grace_s=GRACE_S),
        )
        self.compactor = Compactor(self.store, self.reader, self.clock, CompactionRules())
        self.janitor = Janitor(
            self.store,
            self.archive,
            self.compactor,
            clock=self.clock,
            telemetry=self.telemetry,
            rules=RoundRules(grace_s=GRACE_S),
        )
        self.observer = self.another_observer("first")

    def new_id(self) -> str:
        """Return ids like random ones, each time the same."""
        return hashlib.sha256(str(next(self._ids)).encode()).hexdigest()[:24]

    def another_observer(self, watcher: str, **limits: Any) -> Observer:
        """Return another process that watches."""
        return Observer(
            self.store,
            [LISTED, DETAILED, HOUSE],
            watcher=watcher,
            clock=self.clock,
            telemetry=self.telemetry,
            limits=ObserverLimits(**limits),
        )

    def see(self, provider: str, *rows: Row, call: Call = LIST) -> None:
        """Let the process see an answer now."""
        self.observer.note(provider, call, rows, self.clock.now())

    async def watch_both(self) -> None:
        """Let both shops be seen an hour ago, with some movies, and written down."""
        self.see(
            "corner",
            *(row(f"c{number}", title=f"Movie {number}", price="9.5") for number in range(40)),
        )
        self.see("cinemaworld", row("cw0000001", title="Movie 1"))
        detail = row("cw0000001", title="Movie 1", price="5")
        self.see("cinemaworld", detail, call=Call("cw0000001"))
        await self.observer.flush()
        self.clock.jump(minutes=30)

    async def run_jobs(self) -> list[Manifest | None]:
        """Run every queued job once."""
        ended = []
        while self.queue.jobs:
            export_id, generation = next(iter(self.queue.jobs))
            del self.queue.jobs[export_id, generation]
            ended.append(await self.run_job(export_id))
        return ended

    async def run_job(self, export_id: str) -> Manifest | None:
        """Run a job."""
        return await self.job.run(export_id, f"t{next(self._tokens)}", no_progress)

    async def body(self, manifest: Manifest) -> bytes:
        """Return an export's file."""
        assert manifest.data_key is not None
        found = await self.store.inner.get(manifest.data_key, bytes_max=10_000_000)
        assert found is not None
        return found[0]

    async def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that there are."""
        return [each.key for each in await self.store.inner.list(prefix)]

    async def exported(self, given: ExportInput | None = None) -> tuple[Manifest, bytes]:
        """Ask for an export, run it, and return how it ended and its file."""
        export = await self.exports.request(ANALYST, given or ExportInput())
        await self.run_jobs()
        manifest = await self.archive.manifest(export.request.id)
        assert manifest is not None
        return manifest, await self.body(manifest)


async def no_progress(done: int, total: int) -> None:
    """Tell nobody."""
