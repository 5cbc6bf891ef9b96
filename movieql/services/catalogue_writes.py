"""Writes of the catalogue, together: whatever waits goes into one compare-and-set of the file.

Within a process one flush runs at a time, so the only rivals are other processes, and a write
waits for two flushes at most when there are none. A flush is: read the file, settle what an
earlier flush turns out to have written, apply the others in the order in which they came, put.

A put may fail although it took place: its answer was lost, or a lower layer tried it again and met
its own first try. So whatever a put answers, the next flush reads the file first: it has a ledger
with the number of each writer's last write. Compare-and-set makes that sure: once the file is
another version than the put was for, that put can no longer take place.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from movieql.domain.catalogue import CatalogueEntry, Document, JsonValue, check_version
from movieql.domain.errors import (
    CatalogueBusyError,
    CatalogueConflictError,
    CatalogueCorruptError,
    MovieqlError,
    PreconditionFailedError,
    StoreError,
    StoreUnwritableError,
    UnavailableError,
)
from movieql.ports import Clock
from movieql.services.catalogue_file import StoredFile, Version

BACKOFF_S = 0.02
"""Seconds before the second try at most, where the store failed; doubled for each further one."""

BACKOFF_S_MAX = 0.5
"""Seconds before a further try at most."""

PAUSE_FLUSHES = 2
"""Flushes of time that a winner leaves to its rivals, ± half."""

PAUSE_S_MAX = 0.25
"""Seconds that a winner pauses at most."""

SUPERSEDED = "superseded"
"""Instead of an ETag where the version that a write made is known to be no more."""

_MAY_BE = "The object store does not answer: the write may have happened or not; read it again."
_IS_NOT = "The object store does not answer: nothing was written."


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did.

    `entry`: as it was written, or what was deleted, None if there was nothing to delete.
    `created`: there was none before. `etag`: of the file with this write, and maybe others that
    were written with it; `SUPERSEDED` if it has changed since, "" if there is no file at all.
    """

    entry: CatalogueEntry | None
    created: bool
    etag: str


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create or change an entry; see `Catalogue.upsert`."""

    name: str
    year: int
    fields: dict[str, JsonValue]
    allow_near_duplicate: bool

    def apply(self, document: Document, write_id: str) -> "_Effect":
        """Change the document. Raises as `Document.upsert`."""
        entry, created = document.upsert(
            self.name,
            self.year,
            self.fields,
            write_id,
            allow_near_duplicate=self.allow_near_duplicate,
        )
        return _Effect(entry, created)


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an entry; see `Catalogue.delete`."""

    name: str
    year: int

    def apply(self, document: Document, write_id: str) -> "_Effect":
        """Change the document."""
        del write_id
        entry = document.delete(self.name, self.year)
        return _Effect(entry, created=False, changes=entry is not None)


def _down(change: "Change") -> UnavailableError:
    """Return what is known of a change whose store does not answer."""
    return StoreError(_MAY_BE) if change.tried else UnavailableError(_IS_NOT)


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a change does to a document."""

    entry: CatalogueEntry | None
    created: bool
    changes: bool = True


@dataclass(frozen=True, slots=True)
class _Flush:
    """A put that was tried: what it was for, and what it would make true."""

    number: int
    version: Version
    body: bytes


@dataclass(slots=True)
class Change:
    """A change on its way, with the conditions under which it may be made."""

    action: Upsert | Delete
    if_version: str | None = None
    if_file: str | None = None
    ended: "asyncio.Future[Written]" = field(default_factory=asyncio.Future)
    tries: int = 0
    tried: dict[int, tuple[_Flush, _Effect]] = field(default_factory=dict)

    def effect(
        self, document: Document, version: Version, write_id: str
    ) -> _Effect | MovieqlError:
        """Make the change in a document that will follow a version, or say why not."""
        action = self.action
        try:
            if self.if_file is not None and self.if_file != version.etag:
                raise CatalogueConflictError.at(version.etag)  # one way out
            check_version(document.find(action.name, action.year), self.if_version)
            return action.apply(document, write_id)
        except MovieqlError as error:
            return error

    def may_come(self, version: Version) -> bool:
        """Tell whether one of its puts may still take place, this being the version now."""
        return any(flush.version.etag == version.etag for flush, _ in self.tried.values())

    def succeed(self, effect: _Effect, etag: str) -> None:
        """Tell the caller, who may have gone away."""
        if not self.ended.done():
            self.ended.set_result(Written(effect.entry, effect.created, etag))

    def fail(self, error: BaseException) -> None:
        """Tell the caller, who may have gone away."""
        if not self.ended.done():
            self.ended.set_exception(error)


class Writes:
    """The changes of one process, flushed together; see `Catalogue` for the arguments."""

    def __init__(
        self,
        file: StoredFile,
        *,
        clock: Clock,
        rng: random.Random,
        writer: str,
        tries_max: int,
        wait_s_max: float,
        waiting_max: int,
        note_written: Callable[[], None],
    ) -> None:
        self._file = file
        self._clock = clock
        self._rng = rng
        self._writer = writer
        self._tries_max = tries_max
        self._wait_s_max = wait_s_max
        self._waiting_max = waiting_max
        self._note_written = note_written
        self._number = 0
        self._losses = 0
        self._own_etag: str | None = None
        self._has_rivals = self._is_race = False
        self._turn_s = 0.0
        self._waiting: deque[Change] = deque()
        self._under_way: list[Change] = []
        self._flusher: asyncio.Task[None] | None = None

    async def made(self, change: Change) -> Written:
        """Make a change and return what it did; see `Catalogue.upsert` for what it raises."""
        if len(self._waiting) + len(self._under_way) >= self._waiting_max:
            raise CatalogueBusyError
        self._waiting.append(change)
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.ensure_future(self._flush_all())
        try:
            await self._clock.wait({change.ended}, self._wait_s_max)
        finally:
            if not change.ended.done():  # nobody waits: it is not tried again
                change.ended.cancel()
        if change.ended.cancelled():
            raise _down(change) if change.tries else CatalogueBusyError()
        return change.ended.result()

    async def aclose(self) -> None:
        """End what is under way; see `Catalogue.aclose`."""
        if self._flusher is not None:
            self._flusher.cancel()
            with suppress(asyncio.CancelledError):
                await self._flusher
        for change in (*self._under_way, *self._waiting):
            change.fail(_down(change))
        self._waiting.clear()

    async def _flush_all(self) -> None:
        await self._give_way()
        while batch := self._batch():
            self._under_way = batch
            started_s = self._clock.monotonic_s()
            try:
                left = await self._flush(batch)
            except Exception as error:  # noqa: BLE001  # a fault of ours must not leave them waiting
                for change in batch:
                    change.fail(error)
                left = ()
            self._waiting.extendleft(reversed(left))
            self._under_way = []
            self._losses = self._losses + 1 if left else 0
            await self._take_turns(self._clock.monotonic_s() - started_s)

    def _batch(self) -> list[Change]:
        """Take what waits; a change that is for a version of the file goes alone."""
        batch: list[Change] = []
        while self._waiting and not (batch and self._waiting[0].if_file is not None):
            change = self._waiting.popleft()
            if change.ended.done():  # its caller went away
                continue
            batch.append(change)
            if change.if_file is not None:
                break
        return batch

    async def _take_turns(self, flush_s: float) -> None:
        """Leave rivals time for a flush after a win, try again soon after a lost race.

        Else who has just won is the first to read again, and wins again; and who backs off for
        long meets the others only seldom. A store that fails is left alone for longer each time.
        """
        if self._losses:
            limit_s = min(BACKOFF_S_MAX, BACKOFF_S * 2 ** min(self._losses - 1, 10))
            if self._is_race:
                limit_s = min(limit_s, flush_s)
            await self._clock.sleep(self._rng.uniform(0, limit_s))
        elif self._has_rivals:
            pause_s = min(PAUSE_S_MAX, flush_s * PAUSE_FLUSHES * self._rng.uniform(0.5, 1.5))
            self._turn_s = self._clock.monotonic_s() + pause_s
            await self._give_way()

    async def _give_way(self) -> None:
        left_s = self._turn_s - self._clock.monotonic_s()
        if left_s > 0:
            await self._clock.sleep(left_s)

    async def _flush(self, batch: Sequence[Change]) -> Sequence[Change]:
        """Make one try; return the changes that have to be tried again."""
        for change in batch:
            change.tries += 1
        try:
            version = await self._file.current()
        except CatalogueCorruptError as error:
            corrupt = error  # Python forgets `error` with its block
            return self._ended(batch, lambda each: StoreError(_MAY_BE) if each.tried else corrupt)
        except StoreError:
            self._is_race = False
            return self._given_up(batch, _down)
        self._has_rivals = self._own_etag is not None and version.etag != self._own_etag
        # Who went away meanwhile was told that nothing was written.
        here = [change for change in batch if not change.ended.done()]
        left = self._given_up(
            [change for change in here if not self._has_landed(change, version)],
            lambda each: StoreError(_MAY_BE) if each.may_come(version) else CatalogueBusyError(),
            tries=self._tries_max + 1,
        )
        return await self._put(version, left) if left else ()

    async def _put(self, version: Version, batch: Sequence[Change]) -> Sequence[Change]:
        self._number += 1
        document = version.document.copy()
        effects = [
            change.effect(document, version, f"{self._writer}.{self._number}.{index}")
            for index, change in enumerate(batch)
        ]
        if not any(isinstance(effect, _Effect) and effect.changes for effect in effects):
            # A put under way may still bring what cannot be made of this version any more.
            verdicts = [
                StoreError(_MAY_BE)
                if isinstance(effect, MovieqlError) and change.may_come(version)
                else effect
                for change, effect in zip(batch, effects, strict=True)
            ]
            self._settle(batch, verdicts, version.etag or "")
            return ()
        document.sign(self._writer, self._number)
        flush = _Flush(self._number, version, document.serialise())
        for change, effect in zip(batch, effects, strict=True):
            if isinstance(effect, _Effect):
                change.tried[flush.number] = (flush, effect)
        try:
            written = await self._file.replace(version, document, flush.body)
        except StoreUnwritableError as error:
            for change in batch:
                change.tried.pop(flush.number, None)
            refused = UnavailableError(str(error))
            return self._ended(batch, lambda each: StoreError(_MAY_BE) if each.tried else refused)
        except (PreconditionFailedError, StoreError) as error:
            self._is_race = isinstance(error, PreconditionFailedError)
            return batch  # the next flush finds out what has happened
        self._own_etag = written.etag
        self._settle(batch, effects, written.etag or "")
        self._note_written()
        return ()

    def _settle(
        self, batch: Sequence[Change], effects: Sequence[_Effect | MovieqlError], etag: str
    ) -> None:
        for change, effect in zip(batch, effects, strict=True):
            if isinstance(effect, _Effect):
                change.succeed(effect, etag)
            else:
                change.fail(effect)

    def _has_landed(self, change: Change, version: Version) -> bool:
        """Tell the caller if an earlier try turns out to have taken place."""
        flush, effect = change.tried.get(version.document.landed(self._writer), (None, None))
        if flush is None or effect is None:
            return False
        is_last = version.document.serialise() == flush.body
        change.succeed(effect, version.etag if is_last and version.etag else SUPERSEDED)
        self._note_written()
        return True

    def _given_up(
        self,
        batch: Sequence[Change],
        error: Callable[[Change], UnavailableError],
        tries: int | None = None,
    ) -> Sequence[Change]:
        """End the changes that were tried often enough; return the others."""
        enough = self._tries_max if tries is None else tries
        self._ended([change for change in batch if change.tries >= enough], error)
        return [change for change in batch if change.tries < enough]

    @staticmethod
    def _ended(
        batch: Sequence[Change], error: Callable[[Change], MovieqlError]
    ) -> Sequence[Change]:
        for change in batch:
            change.fail(error(change))
        return ()
