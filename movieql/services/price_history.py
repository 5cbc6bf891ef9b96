"""What offers cost before: a bounded index in memory, brought up to date from time to time."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from movieql.domain.errors import MovieqlError, ObservationsCorruptError
from movieql.domain.movies import ListingKey
from movieql.domain.observations import Milliseconds, milliseconds, moment
from movieql.domain.segments import Segment, read_offer
from movieql.ports import Clock, Telemetry
from movieql.services.observed import ObservationReader
from movieql.services.outages import tell

_LATE_MS = 3_600_000  # a file may be written so long after the time in its name
_Start = tuple[Milliseconds, Decimal]  # from when on which price was seen


@dataclass(frozen=True, slots=True)
class PricePoint:
    """From `at` on the provider asked `amount`, as far as was seen; without currency."""

    at: datetime
    provider: str
    provider_movie_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PriceHistoryLimits:
    """`refresh_s`: how old the index may get; `days`: how far back it goes.

    `offers_max`: offers, and `points_max`: changes of one offer's price, of which the latest are
    kept; about 150 bytes each.
    """

    refresh_s: float = 60.0
    days: int = 30
    offers_max: int = 20_000
    points_max: int = 50


class PriceHistory:
    """Prices of the last `days`. Reading never waits for the store: call `refresh` beside it."""

    def __init__(
        self,
        reader: ObservationReader,
        clock: Clock,
        telemetry: Telemetry,
        limits: PriceHistoryLimits | None = None,
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._telemetry = telemetry
        self._limits = limits or PriceHistoryLimits()
        self._starts: dict[ListingKey, list[_Start]] = {}
        self._read: dict[str, Milliseconds] = {}
        self._since_ms: Milliseconds | None = None

    async def run(self) -> None:
        """Refresh every `refresh_s` until cancelled."""
        while True:
            await self.refresh()
            await self._clock.sleep(self._limits.refresh_s)

    async def refresh(self) -> None:
        """Read what was written since the last time. Never raises: it is tried again."""
        now_ms = milliseconds(self._clock.now())
        oldest_ms = now_ms - self._limits.days * 86_400_000
        try:
            found = await self._reader.find(self._since_ms or oldest_ms, now_ms)
            for name in sorted(found.names, key=lambda name: name.written_ms):
                if name.key not in self._read:
                    self._take(name.key, await self._reader.segment(name.key))
                    self._read[name.key] = name.written_ms
                    await asyncio.sleep(0)
        except MovieqlError as error:
            tell(self._telemetry, "price history", error)
            return
        self._since_ms = now_ms - _LATE_MS
        self._forget(oldest_ms)

    def points(
        self, keys: Iterable[ListingKey], since: datetime | None = None
    ) -> Sequence[PricePoint]:
        """Return every change of price of these offers since then, by time.

        The price that held at `since` is the first point of its offer, with its own earlier time.
        """
        since_ms = 0 if since is None else milliseconds(since)
        return sorted(
            (point for key in keys for point in self._points(key, since_ms)),
            key=lambda point: (point.at, point.provider, point.provider_movie_id),
        )

    def lowest(self, keys: Iterable[ListingKey], days: int = 30) -> PricePoint | None:
        """Return the lowest price of these offers in so many days, the latest of equal ones."""
        since = self._clock.now() - timedelta(days=days)
        points = self.points(keys, since)
        return min(reversed(points), key=lambda point: point.amount, default=None)

    def _take(self, key: str, segment: Segment) -> None:
        starts: list[tuple[Milliseconds, Decimal, ListingKey]] = []
        for _, line in segment.lines:
            try:
                facts = read_offer(line)
            except (ValueError, RecursionError) as error:
                raise ObservationsCorruptError.of(key, str(error)) from error
            starts += ((run.start_ms, run.amount, facts.key) for run in facts.prices)
        for at_ms, amount, own in sorted(starts):
            self._add(own, (at_ms, amount))

    def _add(self, key: ListingKey, start: _Start) -> None:
        """Note a price; whoever else saw the same one, at another time, adds nothing."""
        if key not in self._starts and len(self._starts) >= self._limits.offers_max:
            return
        starts = self._starts.setdefault(key, [])
        place = bisect_left(starts, start)
        if place and starts[place - 1][1] == start[1]:
            return
        if place < len(starts) and starts[place][1] == start[1]:
            starts[place] = start
        else:
            starts.insert(place, start)
        del starts[: -self._limits.points_max]

    def _points(self, key: ListingKey, since_ms: Milliseconds) -> Sequence[PricePoint]:
        starts = self._starts.get(key, [])
        held = max(bisect_right(starts, since_ms, key=lambda start: start[0]) - 1, 0)
        points = [PricePoint(moment(at_ms), *key, amount) for at_ms, amount in starts[held:]]
        return [
            point
            for before, point in zip([None, *points], points, strict=False)
            if before is None or before.amount != point.amount
        ]

    def _forget(self, oldest_ms: Milliseconds) -> None:
        since_ms = self._since_ms or 0
        day_ms = since_ms - since_ms % 86_400_000
        self._read = {key: at for key, at in self._read.items() if at >= day_ms}
        for key, starts in list(self._starts.items()):
            # The one before the oldest moment is the price that held then.
            while len(starts) > 1 and starts[1][0] <= oldest_ms:
                del starts[0]
            if not starts:
                del self._starts[key]
