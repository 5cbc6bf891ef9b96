"""From files of observations to the rows of an export, in bounded memory whatever their number.

Three rounds through scratch files: offers are dealt out by key and folded a bucket at a time;
then titles that IMDb digits link are known, and the folded offers are dealt out anew so that
whatever may be one movie is in one bucket; then movies are matched a bucket at a time.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from movieql.domain.errors import ObservationsCorruptError
from movieql.domain.export_rows import ExportRow, RowRules, export_rows
from movieql.domain.exports import SourceState
from movieql.domain.folding import (
    AllMarks,
    fold_offers,
    read_summary,
    summary_line,
)
from movieql.domain.movie_links import MovieLinks
from movieql.domain.movies import Profile
from movieql.domain.observations import Milliseconds, OfferFacts, Window
from movieql.domain.segments import HASH_CHARACTERS, read_offer
from movieql.services.observed import Found, ObservationReader
from movieql.services.scratch import Dealt, OpenScratch

_NODE_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class FoldLimits:
    """`bucket_bytes`: of what is folded at a time, about; `stale_s`: see `RowRules`, in seconds.

    `buckets_max`: past that, buckets grow.
    """

    bucket_bytes: int = 512 * 1024
    buckets_max: int = 512
    stale_s: float = 3_600.0


class Fold:
    """One export's way from files to rows; read `rows` to their end, then `sources`."""

    def __init__(
        self,
        reader: ObservationReader,
        rules: RowRules,
        open_scratch: OpenScratch,
        limits: FoldLimits,
    ) -> None:
        self._reader = reader
        self._rules = rules
        self._open_scratch = open_scratch
        self._limits = limits
        self._marks = AllMarks()
        self._last_ms: dict[str, Milliseconds] = {}
        self._rows: Counter[str] = Counter()
        self.done = 0
        self.total = 0

    async def rows(self, found: Found) -> AsyncIterator[Sequence[ExportRow]]:
        """Return the rows, some at a time. Raises what `ObservationReader.read` does."""
        with ExitStack() as stack:
            dealt = self._dealt(stack, found.size_bytes)
            keys = await self._deal(found, dealt)
            folded = self._dealt(stack, 0)
            links = await self._fold(dealt, keys, folded)
            dealt.close()
            self.total = folded.count
            by_movie = self._by_movie(stack, folded, links)
            folded.close()
            for bucket in range(len(by_movie)):
                lines = [line[_NODE_CHARACTERS:] for line in by_movie.lines(bucket)]
                rows = list(export_rows(map(read_summary, lines), self._rules))
                self._rows.update(row.offer.provider for row in rows)
                self.done += len(lines)
                yield rows
                await asyncio.sleep(0)  # others may want to run

    def sources(self) -> tuple[SourceState, ...]:
        """Return what is known of the providers asked for, by id."""
        window = self._rules.window
        states = []
        for provider in sorted(self._rules.asked):
            listed_ms = self._marks.last_list_ms(provider, window.until_ms)
            seen_ms = self._last_ms.get(provider)
            last_ms = max(
                (each for each in (listed_ms, seen_ms) if each is not None), default=None
            )
            observed = last_ms is not None and last_ms >= window.since_ms
            states.append(SourceState(provider, observed, last_ms, self._rows[provider]))
        return tuple(states)

    def _dealt(self, stack: ExitStack, size_bytes: int) -> Dealt:
        buckets = min(size_bytes // self._limits.bucket_bytes + 1, self._limits.buckets_max)
        return stack.enter_context(closing(Dealt(self._open_scratch, buckets)))

    async def _deal(self, found: Found, dealt: Dealt) -> Sequence[str]:
        keys: list[str] = []
        async for name, segment in self._reader.read(found):
            for watcher, marks in segment.marks:
                self._marks.add(watcher, marks)
            for watcher, line in segment.lines:
                bucket = _hash_of(name.key, line) % len(dealt)
                dealt.add(bucket, b"%d %s %s" % (len(keys), watcher.encode(), line))
            keys.append(name.key)
        return keys

    async def _fold(self, dealt: Dealt, keys: Sequence[str], folded: Dealt) -> MovieLinks:
        links = MovieLinks(self._rules.imdb_providers)
        for bucket in range(len(dealt)):
            facts = self._facts(dealt.lines(bucket), keys)
            for summary in fold_offers(facts, self._marks, self._rules.window):
                known_ms = self._last_ms.get(summary.provider, 0)
                self._last_ms[summary.provider] = max(known_ms, summary.last_ms)
                folded.add(0, b"%08x" % links.add(summary) + summary_line(summary))
            await asyncio.sleep(0)
        links.close()
        return links

    def _facts(
        self, lines: Iterable[bytes], keys: Sequence[str]
    ) -> Iterator[tuple[str, OfferFacts]]:
        for each in lines:
            number, watcher, line = each.split(b" ", 2)
            try:
                facts = read_offer(line)
            except (ValueError, RecursionError) as error:
                raise ObservationsCorruptError.of(keys[int(number)], str(error)) from error
            if facts.provider in self._rules.profiles:
                yield watcher.decode(), facts

    def _by_movie(self, stack: ExitStack, folded: Dealt, links: MovieLinks) -> Dealt:
        by_movie = self._dealt(stack, folded.size_bytes)
        for line in folded.lines(0):
            group = links.group(int(line[:_NODE_CHARACTERS], 16))
            by_movie.add(group % len(by_movie), line)
        return by_movie


class Folding:
    """Makes the fold of an export."""

    def __init__(
        self,
        reader: ObservationReader,
        profiles: Mapping[str, Profile],
        open_scratch: OpenScratch,
        limits: FoldLimits | None = None,
    ) -> None:
        self.reader = reader
        self._profiles = {key: each for key, each in profiles.items() if each.sells}
        self._open_scratch = open_scratch
        self._limits = limits or FoldLimits()

    def of(self, window: Window, asked: Iterable[str]) -> Fold:
        """Return a fold of this window for these providers."""
        stale_ms = round(self._limits.stale_s * 1000)
        rules = RowRules(self._profiles, frozenset(asked), window, stale_ms)
        return Fold(self.reader, rules, self._open_scratch, self._limits)


def _hash_of(key: str, line: bytes) -> int:
    try:
        return int(line[:HASH_CHARACTERS], 16)
    except ValueError as error:
        raise ObservationsCorruptError.of(key, "an offer has no hash") from error
