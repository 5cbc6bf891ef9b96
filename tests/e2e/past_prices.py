"""Prices that shops asked on earlier days, for the history that a page shows."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from movieql.clock import SystemClock
from movieql.domain.observations import OfferFacts, PriceRun, Run, milliseconds
from movieql.domain.segments import encode_segment, offer_line
from movieql.services.observing import SEGMENT_TYPE
from movieql.services.segment_names import segment_key
from movieql.storage.files import FileStore

WATCHER = "earlier"


def write_past_prices(data: Path, now: datetime, prices: Mapping[str, Sequence[str]]) -> None:
    """Write, into the data folder of `movieql dev`, that prices held a day each, up to now.

    `prices`: by `provider/its own movie id`, the latest last.
    """
    facts = [_seen(name.split("/"), amounts, now) for name, amounts in prices.items()]
    folder = data / "store"
    folder.mkdir(parents=True)
    asyncio.run(_put(folder, facts, milliseconds(now) - 1_000))


def _seen(name: list[str], amounts: Sequence[str], now: datetime) -> OfferFacts:
    provider, movie_id = name
    starts = [now - timedelta(days=days) for days in range(len(amounts), 0, -1)]
    ends = [*starts[1:], now - timedelta(minutes=1)]
    runs = tuple(
        PriceRun(Decimal(amount), milliseconds(start), milliseconds(end))
        for amount, start, end in zip(amounts, starts, ends, strict=True)
    )
    first_ms, last_ms = milliseconds(starts[0]), milliseconds(ends[-1])
    seen = (Run(first_ms, last_ms),)
    return OfferFacts(provider, movie_id, "", None, None, last_ms, seen, runs)


async def _put(folder: Path, facts: Sequence[OfferFacts], written_ms: int) -> None:
    key = segment_key(written_ms, WATCHER, 1)
    body = encode_segment([key], [(WATCHER, offer_line(each)) for each in facts], ())
    async with aclosing(
        FileStore(
            folder, clock=SystemClock(), sign_link=_unsigned, call_timeout_s=30.0, threads_max=10
        )
    ) as store:
        await store.put(key, body, if_absent=True, content_type=SEGMENT_TYPE)


def _unsigned(*_: object) -> str:
    raise AssertionError("nobody downloads here")
