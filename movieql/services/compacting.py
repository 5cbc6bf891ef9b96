"""Keeping the files of observations few: closed hours are put together, old days are removed.

Facts mean the same in whatever file, also twice, so any number of processes may do this at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from movieql.domain.errors import PreconditionFailedError
from movieql.domain.observations import Marks, milliseconds
from movieql.domain.segments import encode_segment
from movieql.ports import Clock, ObjectStore, StoredObject
from movieql.services.observed import ObservationReader
from movieql.services.observing import SEGMENT_TYPE
from movieql.services.segment_names import (
    OBSERVATIONS,
    SegmentName,
    compacted_key,
    day_prefix,
    read_name,
)

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class CompactionRules:
    """When what happens to files of observations.

    `settle_s`: after its end an hour is closed, so that late files are in. `bytes_max`: of a
    compacted file. `sources_kept_s`: how long files that were put together stay, because an
    export may be reading them; more than an export may take. `kept_days`: how long all are kept.
    `files_max`: read or deleted in one round.
    """

    settle_s: float = 900.0
    bytes_max: int = 4 * 1024 * 1024
    sources_kept_s: float = 2 * 86_400.0
    kept_days: int = 32
    files_max: int = 2_000


class Compactor:
    """Compacts a day's closed hours, removes sources and what is too old."""

    def __init__(
        self,
        store: ObjectStore,
        reader: ObservationReader,
        clock: Clock,
        rules: CompactionRules | None = None,
    ) -> None:
        self._store = store
        self._reader = reader
        self._clock = clock
        self._rules = rules or CompactionRules()
        self._left = 0

    async def round(self) -> None:
        """Do a bounded part of what there is to do. Raises StoreError, as reading does."""
        self._left = self._rules.files_max
        now = self._clock.now()
        await self._remove_old(now)
        for ago in range(4):  # a day is looked at until its sources are gone
            await self._compact_day(now - timedelta(days=ago), now)

    async def _compact_day(self, day: datetime, now: datetime) -> None:
        objects = [each async for each in self._reader.listed(day_prefix(day))]
        names = [name for each in objects if (name := read_name(each.key)) is not None]
        if all(name.is_compacted for name in names):
            return
        modified = {each.key: each for each in objects}
        covered: set[str] = set()
        for name in names:
            if name.is_compacted and self._may_go_on():
                sources = (await self._reader.segment(name.key)).sources
                covered.update(sources)
                await self._remove_sources(sources, modified, modified[name.key], now)
        closed_ms = milliseconds(now) - round(self._rules.settle_s * 1000)
        plain = [each for each in names if not each.is_compacted and each.key not in covered]
        for hour, several in groupby(plain, key=lambda each: each.written_ms // _HOUR_MS):
            if (hour + 1) * _HOUR_MS <= closed_ms:
                await self._compact_hour(list(several), modified)

    async def _compact_hour(
        self, names: Sequence[SegmentName], objects: dict[str, StoredObject]
    ) -> None:
        group: list[str] = []
        size_bytes = 0
        for name in names:
            own_bytes = objects[name.key].size_bytes
            if group and size_bytes + own_bytes > self._rules.bytes_max:
                await self._compact(group)
                group, size_bytes = [], 0
            group.append(name.key)
            size_bytes += own_bytes
        await self._compact(group)

    async def _compact(self, keys: list[str]) -> None:
        if len(keys) < 2 or self._left < len(keys):  # noqa: PLR2004  # one is compact
            return
        self._left -= len(keys)
        lines: dict[tuple[str, bytes], None] = {}  # a set that keeps its order
        marks: list[tuple[str, Marks]] = []
        for key in keys:
            segment = await self._reader.segment(key)
            lines.update(dict.fromkeys(segment.lines))
            marks += segment.marks
        body = encode_segment(keys, sorted(lines, key=lambda pair: pair[0]), _joined_marks(marks))
        try:
            await self._store.put(
                compacted_key(keys), body, if_absent=True, content_type=SEGMENT_TYPE
            )
        except PreconditionFailedError:
            return  # another process was as quick

    async def _remove_sources(
        self,
        sources: Sequence[str],
        objects: dict[str, StoredObject],
        compacted: StoredObject,
        now: datetime,
    ) -> None:
        if (now - compacted.modified).total_seconds() < self._rules.sources_kept_s:
            return
        for key in sources:
            if key in objects and self._may_go_on():
                await self._store.delete(key)

    async def _remove_old(self, now: datetime) -> None:
        oldest = day_prefix(now - timedelta(days=self._rules.kept_days))
        page = await self._store.list(OBSERVATIONS, limit=max(self._left, 1))
        for each in page:
            if each.key >= oldest or not self._may_go_on():
                return
            await self._store.delete(each.key)

    def _may_go_on(self) -> bool:
        self._left -= 1
        return self._left >= 0


def _joined_marks(marks: Sequence[tuple[str, Marks]]) -> list[tuple[str, Marks]]:
    lists: dict[tuple[str, str], set[int]] = {}
    prices: dict[tuple[str, str], set[int]] = {}
    for watcher, each in marks:
        lists.setdefault((watcher, each.provider), set()).update(each.lists)
        prices.setdefault((watcher, each.provider), set()).update(each.prices)
    return [
        (watcher, Marks(provider, tuple(sorted(lists[key])), tuple(sorted(prices[key]))))
        for key in sorted(lists)
        for watcher, provider in [key]
    ]
