"""Reading observations back: which files there are, and what is in them, without a hole."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass

from movieql.domain.errors import (
    LimitExceededError,
    ObservationsCorruptError,
    ObservationsIncompleteError,
)
from movieql.domain.observations import Milliseconds
from movieql.domain.segments import Segment, decode_segment
from movieql.ports import ObjectStore, StoredObject
from movieql.services.segment_names import SegmentName, day_prefix, days, read_name

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """What one reading may take: `segments_max` files of `segment_bytes_max` bytes each."""

    segments_max: int = 50_000
    segment_bytes_max: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """Files to be read, compacted ones first, and how many bytes they have together."""

    names: tuple[SegmentName, ...]
    size_bytes: int


class ObservationReader:
    """The files of observations in an object store."""

    def __init__(self, store: ObjectStore, limits: ReadingLimits | None = None) -> None:
        self._store = store
        self._limits = limits or ReadingLimits()

    async def find(self, since_ms: Milliseconds, read_until_ms: Milliseconds) -> Found:
        """Return the files that tell of the time from `since_ms` on, written by `read_until_ms`.

        Watchers tell everything anew each day, so nothing before the first day is needed.
        Compacted files count whenever they were made: they say nothing that is not in others.
        Raises StoreError, LimitExceededError.
        """
        found: list[tuple[SegmentName, int]] = []
        for day in days(since_ms, read_until_ms):
            async for each in self.listed(day_prefix(day)):
                name = read_name(each.key)
                if name is not None:
                    found.append((name, each.size_bytes))
                self._check_room(len(found))
        # What is in a compacted file may be the sequel of one that is not.
        compacted = (name.written_ms for name, _ in found if name.is_compacted)
        until_ms = max(compacted, default=read_until_ms)
        until_ms = max(until_ms, read_until_ms)
        found = [pair for pair in found if pair[0].written_ms <= until_ms]
        found.sort(key=lambda pair: (not pair[0].is_compacted, pair[0].key))
        return Found(tuple(name for name, _ in found), sum(size for _, size in found))

    async def read(self, found: Found) -> AsyncIterator[tuple[SegmentName, Segment]]:
        """Read the files, none whose content was in a compacted one before.

        Raises StoreError, ObservationsCorruptError, and ObservationsIncompleteError when a file
        is missing: then find them anew.
        """
        covered: set[str] = set()
        for name in found.names:
            if name.key in covered:
                continue
            segment = await self.segment(name.key)
            if name.is_compacted and covered.issuperset(segment.sources):
                continue
            covered.update(segment.sources)
            yield name, segment
        _check_whole(covered)

    def _check_room(self, count: int) -> None:
        if count > self._limits.segments_max:
            raise LimitExceededError(
                f"More than {self._limits.segments_max} files of observations are in "
                "this window; ask for a shorter one."
            )

    async def segment(self, key: str) -> Segment:
        """Read a file; raises as `read`."""
        there = await self._store.get(key, bytes_max=self._limits.segment_bytes_max)
        if there is None:
            raise ObservationsIncompleteError
        return decode_segment(key, there[0])

    async def listed(self, prefix: str) -> AsyncIterator[StoredObject]:
        """Return all objects under a prefix, page by page. Raises StoreError."""
        after: str | None = None
        while True:
            page = await self._store.list(prefix, after=after, limit=_PAGE)
            for each in page:
                yield each
            if len(page) < _PAGE:
                return
            after = page[-1].key


def _check_whole(keys: Iterable[str]) -> None:
    """Raise ObservationsIncompleteError where the files of a watcher have a gap."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for key in keys:
        name = read_name(key)
        if name is None:
            raise ObservationsCorruptError.of(key, "it is the name of no file")
        if name.watcher is not None:
            numbers[name.watcher].append(name.number)
    for own in numbers.values():
        if _has_gap(own):
            raise ObservationsIncompleteError


def _has_gap(numbers: Collection[int]) -> bool:
    return max(numbers) - min(numbers) + 1 != len(set(numbers))
