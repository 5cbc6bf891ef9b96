"""Observations that a store is filled with, and the rows that exports of them have to have."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from movieql.domain.observations import OfferFacts, PriceRun, Run, milliseconds
from movieql.domain.segments import encode_segment, offer_line
from movieql.ports import ObjectStore
from movieql.services.observing import SEGMENT_TYPE
from movieql.services.segment_names import segment_key

SHOPS = {"cinemaworld": "cw", "filmworld": "fw"}
"""The shops, and what their ids start with; the digits after it are the same for one movie."""

HOURS = 10
"""Hours of observations; the last of them ended hours ago, so nothing seen now is read."""

SEGMENTS_PER_HOUR = 6
"""Files of an hour, each of a watcher of its own."""

MOVIES_PER_SEGMENT = 5
LONG_TITLE_CHARACTERS = 900
"""Of the bulk's titles: a few thousand of them are more than one part of an upload."""

BULK_HOUR = HOURS - 1
"""The hour in which the bulk was seen; windows that end before it have small files."""

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A movie at one shop, seen once."""

    provider: str
    provider_movie_id: str
    title: str
    price: Decimal
    seen_ms: int

    @property
    def facts(self) -> OfferFacts:
        """Return it as an observation."""
        return OfferFacts(
            self.provider,
            self.provider_movie_id,
            self.title,
            2001,
            None,
            self.seen_ms,
            (Run(self.seen_ms, self.seen_ms),),
            (PriceRun(self.price, self.seen_ms, self.seen_ms),),
        )


@dataclass(frozen=True, slots=True)
class Past:
    """What was observed from `since` on: `segments` of offers, by (hour, watcher)."""

    since: datetime
    segments: dict[tuple[int, str], Sequence[Offer]]

    def window(self, first_hour: int, hours: int) -> tuple[datetime, datetime]:
        """Return a window's start and its end."""
        since = self.since + timedelta(hours=first_hour)
        return since, since + timedelta(hours=hours)

    def rows(self, since: datetime, until: datetime) -> set[tuple[str, ...]]:
        """Return what an export of a window has to say of each offer."""
        by_movie: dict[str, list[Offer]] = defaultdict(list)
        for offers in self.segments.values():
            for offer in offers:
                if milliseconds(since) <= offer.seen_ms < milliseconds(until):
                    by_movie[offer.title].append(offer)
        return {row for offers in by_movie.values() for row in _rows(offers)}


def _rows(offers: Sequence[Offer]) -> Iterator[tuple[str, ...]]:
    lowest = min(offer.price for offer in offers)
    for offer in offers:
        cheapest = "true" if offer.price == lowest else "false"
        yield (offer.provider, offer.provider_movie_id, offer.title, str(offer.price), cheapest)


def rows_of(body: bytes) -> list[tuple[str, ...]]:
    """Return of each row of a file what `Past.rows` says."""
    columns = ("provider", "provider_movie_id", "title", "price", "cheapest")
    reader = csv.DictReader(io.StringIO(body.decode(), newline=""))
    return [tuple(row[column] for column in columns) for row in reader]


def made_past(now: datetime, bulk_movies: int) -> Past:
    """Return observations of some hours, `bulk_movies` of them with long titles in one hour."""
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS + 8)
    segments: dict[tuple[int, str], Sequence[Offer]] = {}
    number = 0
    for hour in range(HOURS):
        seen_ms = milliseconds(since + timedelta(hours=hour, minutes=10))
        for watcher in range(SEGMENTS_PER_HOUR):
            numbers = range(number, number + MOVIES_PER_SEGMENT)
            segments[hour, f"watcher{watcher}"] = _offers(numbers, seen_ms, "")
            number += MOVIES_PER_SEGMENT
    seen_ms = milliseconds(since + timedelta(hours=BULK_HOUR, minutes=20))
    bulk = range(number, number + bulk_movies)
    segments[BULK_HOUR, "bulk"] = _offers(bulk, seen_ms, "x" * LONG_TITLE_CHARACTERS)
    return Past(since, segments)


def _offers(numbers: range, seen_ms: int, filling: str) -> Sequence[Offer]:
    return [
        Offer(
            shop,
            f"{prefix}{number:07d}",
            f"Movie {number} {filling}".strip(),
            Decimal(500 + number * factor % 1_000) / 100 + Decimal("0.00"),
            seen_ms,
        )
        for number in numbers
        for factor, (shop, prefix) in zip((3, 7), SHOPS.items(), strict=True)
    ]


async def put_past(store: ObjectStore, past: Past) -> None:
    """Write the observations as their watchers would have."""
    numbers: dict[str, int] = defaultdict(int)
    for (_, watcher), offers in past.segments.items():
        for lines in _packed([offer_line(offer.facts) for offer in offers]):
            numbers[watcher] += 1
            written_ms = offers[0].seen_ms + _MINUTE_MS + numbers[watcher]
            key = segment_key(written_ms, watcher, numbers[watcher])
            body = encode_segment([key], ((watcher, line) for line in lines), ())
            await store.put(key, body, if_absent=True, content_type=SEGMENT_TYPE)


def _packed(lines: Sequence[bytes], lines_max: int = 1_000) -> Iterator[Sequence[bytes]]:
    for first in range(0, len(lines), lines_max):
        yield lines[first : first + lines_max]
