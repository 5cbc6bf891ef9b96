"""What goes round: queue again what has been lost, end what cannot be, remove what is over.

Any number of processes may do any of this at once.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from movieql.domain.errors import MovieqlError
from movieql.domain.exports import ExportRequest, ExportStatus, Manifest, is_export_id
from movieql.domain.observations import Milliseconds, milliseconds
from movieql.ports import Clock, ExportQueue, ObjectStore, StoredObject, Telemetry
from movieql.services.compacting import Compactor
from movieql.services.export_archive import DATA, ExportArchive, Pending, export_of_data
from movieql.services.outages import tell


@dataclass(frozen=True, slots=True)
class RoundRules:
    """When what happens to exports.

    `grace_s`: how long after it was queued a job may be in no list. `generations_max`: how often
    a job is queued. `open_s_max`: how long an export may take, after that it failed.
    `upload_s_max`: age of an upload that nobody can be writing. `orphan_s`: age of a file that no
    manifest names. `kept_s`: how long a file is kept. `records_kept_s`: how long a record is, and
    with it the promise that a key is not used twice. `objects_max`: looked at in one round.
    """

    grace_s: float
    generations_max: int = 5
    open_s_max: float = 86_400.0
    upload_s_max: float = 3_600.0
    orphan_s: float = 86_400.0
    kept_s: float = 7 * 86_400.0
    records_kept_s: float = 90 * 86_400.0
    objects_max: int = 500


class Reconciler:
    """Queues exports that have not ended and have no job; gives up at last."""

    def __init__(  # a composition, called in one place with names
        self,
        archive: ExportArchive,
        *,
        queue: ExportQueue,
        new_id: Callable[[], str],
        clock: Clock,
        telemetry: Telemetry,
        rules: RoundRules,
    ) -> None:
        self._archive = archive
        self._queue = queue
        self._new_id = new_id
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules
        self._after: str | None = None

    async def round(self) -> None:
        """Look after the next `objects_max` exports. Raises StoreError and QueueError.

        What fails for one of them, also to queue it, is told of and tried again next time.
        """
        page = await self._archive.all_pending(self._after, self._rules.objects_max)
        self._after = page[-1][0] if len(page) == self._rules.objects_max else None
        live = (
            await self._queue.live([export_id for _, _, export_id in page])
            if page
            else frozenset()
        )
        for _, owner, export_id in page:
            try:
                await self._reconcile(owner, export_id, is_live=export_id in live)
            except Exception as error:  # noqa: BLE001  # one of them must not hold up the others
                tell(self._telemetry, "reconciler", error)

    async def _reconcile(self, owner: str, export_id: str, *, is_live: bool) -> None:
        request, manifest = await self._archive.both(export_id)
        pending = await self._archive.pending(owner, export_id)
        if pending is None:
            return
        if manifest is not None:
            await self._archive.end(owner, export_id)
            return
        now_ms = milliseconds(self._clock.now())
        if request is None:  # it was never written, or is just being
            if self._over(pending.queued_ms, self._rules.open_s_max, now_ms):
                await self._archive.end(owner, export_id)
            return
        await self._archive.enter(request)
        if self._over(request.created_ms, self._rules.open_s_max, now_ms):
            await self._give_up(request, pending, "It took too long.")
        elif not is_live and self._over(pending.queued_ms, self._rules.grace_s, now_ms):
            await self._queue_again(request, pending, now_ms)

    async def _queue_again(
        self, request: ExportRequest, pending: Pending, now_ms: Milliseconds
    ) -> None:
        if pending.generation >= self._rules.generations_max:
            await self._give_up(request, pending, f"It broke off {pending.generation} times.")
            return
        # In this order: a queue that is down must not use the generations up.
        await self._queue.enqueue(request.id, pending.generation + 1)
        await self._archive.next_generation(pending, now_ms)

    async def _give_up(self, request: ExportRequest, pending: Pending, why: str) -> None:
        await self._archive.commit(
            request,
            Manifest(
                export_id=request.id,
                status=ExportStatus.FAILED,
                write_id=self._new_id(),
                finished_ms=milliseconds(self._clock.now()),
                attempts=pending.generation,
                window=request.window,
                error=why,
            ),
        )
        await self._archive.end(pending.owner, request.id)

    def _over(self, since_ms: Milliseconds, seconds: float, now_ms: Milliseconds) -> bool:
        return now_ms - since_ms >= seconds * 1000


class Janitor:
    """Removes what nothing refers to and what is over; keeps observations few."""

    def __init__(
        self,
        store: ObjectStore,
        archive: ExportArchive,
        compactor: Compactor,
        *,
        clock: Clock,
        telemetry: Telemetry,
        rules: RoundRules,
    ) -> None:
        self._store = store
        self._archive = archive
        self._compactor = compactor
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules
        self._after: dict[str, str | None] = {}

    async def round(self) -> None:
        """Do a bounded part of each. Never raises: what fails is told of and done next time."""
        for part in (self._uploads, self._files, self._records, self._compactor.round):
            await self._tried(part)

    async def _tried(self, part: Callable[[], Awaitable[None]]) -> None:
        try:
            await part()
        except MovieqlError as error:
            tell(self._telemetry, "janitor", error)

    async def _uploads(self) -> None:
        now = self._clock.now()
        for each in await self._store.unfinished_uploads(DATA, self._rules.objects_max):
            if (now - each.started).total_seconds() >= self._rules.upload_s_max:
                await self._store.abort_upload(each.key, each.upload_id)

    async def _files(self) -> None:
        for each in await self._next(DATA):
            await self._tried(partial(self._look_at_file, each))

    async def _look_at_file(self, file: StoredObject) -> None:
        export_id = export_of_data(file.key)
        manifest = None if export_id is None else await self._archive.manifest(export_id)
        if self._may_go(file, manifest, self._clock.now()):
            await self._store.delete(file.key)

    def _may_go(self, file: StoredObject, manifest: Manifest | None, now: datetime) -> bool:
        if manifest is not None and manifest.data_key == file.key:
            return milliseconds(now) >= manifest.finished_ms + self._rules.kept_s * 1000
        return (now - file.modified).total_seconds() >= self._rules.orphan_s

    async def _records(self) -> None:
        """Forget exports that ended long ago; the manifest goes last, for it leads here."""
        now = self._clock.now()
        for each in await self._next("manifests/"):
            export_id = each.key.removeprefix("manifests/").removesuffix(".json")
            old = (now - each.modified).total_seconds() >= self._rules.records_kept_s
            if old and is_export_id(export_id):
                await self._tried(partial(self._archive.forget, export_id))

    async def _next(self, prefix: str) -> Sequence[StoredObject]:
        limit = self._rules.objects_max
        page = await self._store.list(prefix, after=self._after.get(prefix), limit=limit)
        self._after[prefix] = page[-1].key if len(page) == limit else None
        return page
