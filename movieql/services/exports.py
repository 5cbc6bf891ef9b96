"""Asking for exports, seeing, cancelling and downloading them (docs/semantics.md, Exports)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from movieql.domain.callers import Caller
from movieql.domain.errors import (
    BadInputError,
    ExportStateError,
    ForbiddenError,
    IdempotencyConflictError,
    StoreUnwritableError,
    TooManyExportsError,
)
from movieql.domain.exports import (
    SYSTEM_SUBJECT,
    Export,
    ExportInput,
    ExportRequest,
    ExportStatus,
    JobState,
    Manifest,
    check_key,
    checked_providers,
    checked_window,
    daily_key,
    export_id,
    is_export_id,
    status_of,
)
from movieql.domain.observations import Milliseconds, Window, milliseconds, moment
from movieql.ports import Clock, ExportProgressBoard, ExportQueue, ObjectStore, Telemetry
from movieql.services.export_archive import ExportArchive, Listed
from movieql.services.export_writing import CSV_TYPE, GZIP_TYPE
from movieql.services.outages import tell

Jobs: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, JobState]]]
"""Return what is known of these exports' jobs; those of which nothing is known are left out."""

_CURSOR = re.compile("[0-9]{14}-[0-9a-f]{24}")
_RETRIED = frozenset(
    {ExportStatus.PARTIAL, ExportStatus.FAILED, ExportStatus.CANCELLED, ExportStatus.EXPIRED}
)


@dataclass(frozen=True, slots=True)
class ExportRules:
    """Times and bounds of exports.

    `kept_s`: how long a file is kept. `link_s`: how long a link to it works, 15 min at most
    (docs/semantics.md, Exports). `open_max`: of one caller, not ended. `page_max`: of a list.
    `settle_s`: how long after an export is asked for observations may still come in, more
    than between two flushes. `late_s`: files written later than this after a window are not read.
    """

    kept_s: float = 7 * 86_400.0
    link_s: int = 900
    open_max: int = 5
    page_max: int = 50
    settle_s: float = 90.0
    late_s: float = 6 * 3_600.0


@dataclass(frozen=True, slots=True)
class ExportPage:
    """A part of a caller's exports, the latest first; `cursors` has one for each."""

    exports: tuple[Export, ...]
    cursors: tuple[str, ...]
    has_next: bool


def jobs_on(board: ExportProgressBoard) -> Jobs:
    """Return what is known of jobs by what they report themselves."""

    async def jobs(export_ids: Sequence[str]) -> Mapping[str, JobState]:
        reported = await board.progress(export_ids)
        return {
            export_id: JobState(not each.over, each.attempt, each.done, each.total)
            for export_id, each in reported.items()
        }

    return jobs


class Exports:
    """A caller's exports. Every method raises StoreError when the object store does not answer.

    For a caller who is neither the owner nor an admin an export is as if it were not there.
    """

    def __init__(  # noqa: PLR0913  # a composition, called in one place with names
        self,
        store: ObjectStore,
        archive: ExportArchive,
        *,
        selling: Sequence[str],
        queue: ExportQueue,
        jobs: Jobs,
        new_id: Callable[[], str],
        clock: Clock,
        telemetry: Telemetry,
        rules: ExportRules | None = None,
    ) -> None:
        self._store = store
        self._archive = archive
        self._selling = tuple(selling)
        self._queue = queue
        self._ask_jobs = jobs
        self._new_id = new_id
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules or ExportRules()

    async def request(self, caller: Caller, given: ExportInput) -> Export:
        """Write an intent and queue a job for it; the same key and input give the same export.

        A queue that is down is no error: the intent lasts. Raises InvalidInputError,
        IdempotencyConflictError, TooManyExportsError.
        """
        if caller.subject == SYSTEM_SUBJECT:
            raise ForbiddenError("This subject is reserved.")
        check_key(given.idempotency_key)
        return await self._requested(caller.subject, given)

    async def daily(self, day: datetime) -> Export:
        """Ask for the export of a whole day in UTC; however many do so, there is one."""
        since = day.replace(hour=0, minute=0, second=0, microsecond=0)
        given = ExportInput(since, since + timedelta(days=1), idempotency_key=daily_key(since))
        return await self._requested(SYSTEM_SUBJECT, given, limited=False)

    async def get(self, caller: Caller, wanted_id: str) -> Export | None:
        """Return an export of the caller's."""
        found = await self._owned(caller, wanted_id)
        return None if found is None else await self._seen(*found)

    async def page(self, caller: Caller, first: int, after: str | None = None) -> ExportPage:
        """Return up to `first` of the caller's own exports. Raises BadInputError."""
        if not 0 < first <= self._rules.page_max:
            raise BadInputError(f"`first` is 1 to {self._rules.page_max}.")
        if after is not None and _CURSOR.fullmatch(after) is None:
            raise BadInputError("`after` is no cursor of this list.")
        listed = await self._archive.entered(caller.subject, after, first + 1)
        shown = listed[:first]
        found = await asyncio.gather(*(self._archive.both(each.export_id) for each in shown))
        jobs = await self._jobs([each.export_id for each in shown])
        pairs = [
            (self._view(request, manifest, jobs.get(request.id)), place)
            for place, (request, manifest) in zip(shown, found, strict=True)
            if request is not None
        ]
        return _page(pairs, has_next=len(listed) > first)

    async def cancel(self, caller: Caller, wanted_id: str) -> Export | None:
        """End an export, unless it has ended: then it is returned as it did."""
        found = await self._owned(caller, wanted_id)
        if found is None:
            return None
        request, manifest = found
        if manifest is None:
            manifest = await self._archive.commit(
                request,
                Manifest(
                    export_id=request.id,
                    status=ExportStatus.CANCELLED,
                    write_id=self._new_id(),
                    finished_ms=self._now_ms(),
                    attempts=0,
                    window=request.window,
                ),
            )
        return self._view(request, manifest, None)

    async def retry(self, caller: Caller, wanted_id: str) -> Export | None:
        """Ask for an export once more, of the same window; asking twice gives the same one.

        Raises ExportStateError while it runs or when there is nothing to mend, and as `request`.
        """
        found = await self._owned(caller, wanted_id)
        if found is None:
            return None
        request, manifest = found
        view = self._view(request, manifest, None)
        if view.status not in _RETRIED:
            raise ExportStateError(f"The export is {view.status.value}: it cannot be retried.")
        # No key of a caller's has a line's end in it.
        new_id = export_id(caller.subject, f"retry\n{request.id}")
        given = replace(request.given, idempotency_key=None)
        again = self._intent(
            new_id, caller.subject, given, request.window, request.providers, request.id
        )
        return await self._known(new_id, given) or await self._begun(again)

    async def link(self, caller: Caller, wanted_id: str) -> str | None:
        """Return a URL that downloads the file for `link_s`, None for what is not there.

        Raises ExportStateError when the export has no file, or no longer.
        """
        found = await self._owned(caller, wanted_id)
        if found is None:
            return None
        request, manifest = found
        status = self._view(request, manifest, None).status
        if manifest is None or manifest.data_key is None or not status.has_data:
            raise ExportStateError(f"The export is {status.value}: it has no file.")
        gzip = request.given.gzip
        until = moment(request.window.until_ms)
        return await self._store.link(
            manifest.data_key,
            lifetime_s=self._rules.link_s,
            filename=f"movies-{until:%Y%m%dT%H%M%SZ}.csv{'.gz' if gzip else ''}",
            content_type=GZIP_TYPE if gzip else CSV_TYPE,
        )

    async def _requested(
        self, subject: str, given: ExportInput, *, limited: bool = True
    ) -> Export:
        key = given.idempotency_key
        new_id = self._new_id() if key is None else export_id(subject, key)
        known = None if key is None else await self._known(new_id, given)
        if known is not None:
            return known
        window = checked_window(given, self._clock.now())
        providers = checked_providers(given, self._selling)
        intent = self._intent(new_id, subject, given, window, providers, None)
        return await self._begun(intent, limited=limited)

    async def _known(self, wanted_id: str, given: ExportInput) -> Export | None:
        """Return the export there is for a key, put right if its beginning broke off."""
        request, manifest = await self._archive.both(wanted_id)
        if request is None:
            return None
        _check_same(request, given)
        await self._archive.enter(request)
        if manifest is None:
            await self._archive.begin(request)
        return await self._seen(request, manifest)

    def _intent(  # the parts of an intent
        self,
        new_id: str,
        subject: str,
        given: ExportInput,
        window: Window,
        providers: tuple[str, ...],
        retry_of: str | None,
    ) -> ExportRequest:
        now_ms = self._now_ms()
        settled_ms = now_ms + round(self._rules.settle_s * 1000)
        late_ms = window.until_ms + round(self._rules.late_s * 1000)
        return ExportRequest(
            id=new_id,
            subject=subject,
            given=given,
            window=window,
            providers=providers,
            created_ms=now_ms,
            read_until_ms=min(settled_ms, late_ms),
            write_id=self._new_id(),
            retry_of=retry_of,
        )

    async def _begun(self, intent: ExportRequest, *, limited: bool = True) -> Export:
        open_max = self._rules.open_max
        if limited and not await self._archive.admit(intent, open_max):
            raise TooManyExportsError(
                f"You have {open_max} open exports, which is all you may have at once."
            )
        # First, so that whatever breaks off from here on, somebody finds what is left.
        await self._archive.begin(intent)
        request = await self._archive.write_request(intent)
        _check_same(request, intent.given)
        try:
            await self._archive.enter(request)
        except StoreUnwritableError as error:  # the intent lasts and is entered later
            tell(self._telemetry, "export list", error)
        try:
            await self._queue.enqueue(request.id, 1)
        except Exception as error:  # noqa: BLE001  # the intent lasts and is queued later
            tell(self._telemetry, "export queue", error)
        return await self._seen(request, None)

    async def _owned(
        self, caller: Caller, wanted_id: str
    ) -> tuple[ExportRequest, Manifest | None] | None:
        # What is no id is looked for as one, so that it takes as long.
        looked_for = wanted_id if is_export_id(wanted_id) else "0" * 24
        request, manifest = await self._archive.both(looked_for)
        if request is None or not _may_see(caller, request):
            return None
        return request, manifest

    async def _seen(self, request: ExportRequest, manifest: Manifest | None) -> Export:
        jobs = {} if manifest is not None else await self._jobs([request.id])
        return self._view(request, manifest, jobs.get(request.id))

    async def _jobs(self, ids: Sequence[str]) -> Mapping[str, JobState]:
        try:
            return await self._ask_jobs(ids)
        except Exception as error:  # noqa: BLE001  # only progress is not known then
            tell(self._telemetry, "export queue", error)
            return {}

    def _view(
        self, request: ExportRequest, manifest: Manifest | None, job: JobState | None
    ) -> Export:
        kept_ms = round(self._rules.kept_s * 1000)
        has_file = manifest is not None and manifest.status.has_data
        return Export(
            request=request,
            manifest=manifest,
            status=status_of(manifest, job, self._now_ms(), kept_ms),
            job=None if manifest is not None else job,
            expires_ms=manifest.finished_ms + kept_ms if manifest and has_file else None,
        )

    def _now_ms(self) -> Milliseconds:
        return milliseconds(self._clock.now())


def _may_see(caller: Caller, request: ExportRequest) -> bool:
    own = caller.subject == request.subject != SYSTEM_SUBJECT
    return own or "admin" in caller.scopes


def _check_same(request: ExportRequest, given: ExportInput) -> None:
    if request.given != given:
        raise IdempotencyConflictError


def _page(pairs: Sequence[tuple[Export, Listed]], *, has_next: bool) -> ExportPage:
    return ExportPage(
        tuple(export for export, _ in pairs),
        tuple(place.cursor for _, place in pairs),
        has_next,
    )
