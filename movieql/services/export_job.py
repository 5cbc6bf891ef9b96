"""The body of an export's job: may run twice, be killed anywhere, and ends the export once."""

import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from movieql.domain.csv_cells import COLUMNS, csv_lines, row_cells
from movieql.domain.errors import (
    BadInputError,
    ExportCancelledError,
    LimitExceededError,
    MovieqlError,
    NothingObservedError,
    ObservationsCorruptError,
    UnavailableError,
    UploadGoneError,
)
from movieql.domain.exports import (
    ExportRequest,
    ExportStatus,
    Manifest,
    SourceState,
    owner_of,
)
from movieql.domain.observations import milliseconds
from movieql.ports import Clock, ObjectStore
from movieql.services.export_archive import ExportArchive, data_key
from movieql.services.export_folding import Fold, Folding
from movieql.services.export_writing import PART_BYTES, write_file
from movieql.services.observed import Found
from movieql.services.putting import Backoff

Progress: TypeAlias = Callable[[int, int], Awaitable[None]]
"""Told how many offers of how many are done; both are 0 while they are counted."""

_TOKEN = re.compile("[0-9A-Za-z_-]{1,64}")
_NOTHING_YET_S = 5.0
"""Seconds until it is looked again for anything observed. An export has 25 runs, five in each of
five generations: 125 s, and it waits for observations 90 s (`MOVIEQL_EXPORT_SETTLE_S`)."""

_TRIED_AGAIN = (UnavailableError, UploadGoneError)
_HOPELESS = (ObservationsCorruptError, LimitExceededError)


class ExportJob:
    """Writes exports. `backoff` is between tries within one job; `new_id` makes write ids."""

    def __init__(  # a composition, called in one place with names
        self,
        store: ObjectStore,
        archive: ExportArchive,
        folding: Folding,
        *,
        clock: Clock,
        rng: random.Random,
        new_id: Callable[[], str],
        backoff: Backoff | None = None,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._store = store
        self._archive = archive
        self._folding = folding
        self._clock = clock
        self._rng = rng
        self._new_id = new_id
        self._backoff = backoff or Backoff(tries_max=3, base_s=0.5)
        self._part_bytes = part_bytes

    async def run(self, export_id: str, token: str, progress: Progress) -> Manifest | None:
        """End an export and return how it ended, None when there is no such export.

        `token` is this attempt's alone. Raises UnavailableError or UploadGoneError when it
        could not be ended now: run it again later.
        """
        if _TOKEN.fullmatch(token) is None:
            raise BadInputError("A token is 1 to 64 letters, digits, - and _.")
        request, manifest = await self._archive.both(export_id)
        if request is None:
            return None
        if manifest is None:
            manifest = await self._ended(request, token, progress)
        await self._archive.end(owner_of(request.subject), request.id)
        return manifest

    async def _ended(self, request: ExportRequest, token: str, progress: Progress) -> Manifest:
        tried = 0
        while True:
            try:
                return await self._decided(request, f"{token}-{tried}", progress)
            except NothingObservedError:
                # More may come until the settling time is over. Tries that follow each other
                # at once would be used up before that, and the export blamed for breaking off.
                await self._clock.sleep(_NOTHING_YET_S)
                raise
            except _TRIED_AGAIN:
                tried += 1
                if tried >= self._backoff.tries_max:
                    raise
            await self._clock.sleep(self._backoff.wait_s(tried, self._rng))

    async def _decided(self, request: ExportRequest, token: str, progress: Progress) -> Manifest:
        """Make one attempt; what no other attempt can mend ends the export."""
        try:
            return await self._attempt(request, token, progress)
        except _HOPELESS as error:
            return await self._archive.commit(request, await self._failed(request, error))
        except NothingObservedError as error:
            if milliseconds(self._clock.now()) <= request.read_until_ms:
                raise  # more may be written down by then
            return await self._archive.commit(request, await self._failed(request, error))
        except ExportCancelledError:
            manifest = await self._archive.manifest(request.id)
            if manifest is None:
                raise
            return manifest

    async def _attempt(self, request: ExportRequest, token: str, progress: Progress) -> Manifest:
        found = await self._folding.reader.find(request.window.since_ms, request.read_until_ms)
        fold = self._folding.of(request.window, request.providers)
        key = data_key(request.id, token, gzip=request.given.gzip)

        async def go_on() -> None:
            if await self._archive.manifest(request.id) is not None:
                raise ExportCancelledError

        written = await write_file(
            self._store,
            key,
            _chunks(fold, found, progress),
            gzip=request.given.gzip,
            before_part=go_on,
            part_bytes=self._part_bytes,
        )
        sources = fold.sources()
        partial = any(not each.observed for each in sources)
        manifest = await self._manifest(
            request,
            ExportStatus.PARTIAL if partial else ExportStatus.READY,
            sources=sources,
            data_key=key,
            sha256=written.sha256,
            size_bytes=written.size_bytes,
            rows=sum(each.rows for each in sources),
        )
        there = await self._archive.commit(request, manifest)
        if there.write_id != manifest.write_id:
            await self._discard(key)
        return there

    async def _failed(self, request: ExportRequest, error: MovieqlError) -> Manifest:
        return await self._manifest(request, ExportStatus.FAILED, error=str(error))

    async def _manifest(  # the parts that differ
        self,
        request: ExportRequest,
        status: ExportStatus,
        *,
        sources: tuple[SourceState, ...] = (),
        data_key: str | None = None,
        sha256: str | None = None,
        size_bytes: int = 0,
        rows: int = 0,
        error: str | None = None,
    ) -> Manifest:
        pending = await self._archive.pending(owner_of(request.subject), request.id)
        return Manifest(
            export_id=request.id,
            status=status,
            write_id=self._new_id(),
            finished_ms=milliseconds(self._clock.now()),
            attempts=1 if pending is None else pending.generation,
            window=request.window,
            sources=sources,
            data_key=data_key,
            sha256=sha256,
            size_bytes=size_bytes,
            rows=rows,
            error=error,
        )

    async def _discard(self, key: str) -> None:
        try:
            await self._store.delete(key)
        except MovieqlError:
            return  # the janitor does it later


async def _chunks(fold: Fold, found: Found, progress: Progress) -> AsyncIterator[bytes]:
    await progress(0, 0)
    yield csv_lines([COLUMNS])
    async for rows in fold.rows(found):
        yield csv_lines(map(row_cells, rows))
        await progress(fold.done, fold.total)
    if not any(each.observed for each in fold.sources()):
        raise NothingObservedError  # an empty file would look like a shop without movies
