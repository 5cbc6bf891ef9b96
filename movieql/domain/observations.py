"""What selling providers offered and when it was seen: facts that merge in any order.

Whoever watches a shop (a *watcher*: one process) writes down facts and nothing else. A fact is a
run: from the first to the last sight without a break, open while it goes on. Between its ends a
run was seen at every *mark* of its watcher: the times of the provider's fresh lists, and for
prices the times up to which all of them were confirmed. So an offer that does not change costs
nothing, and a set of facts means the same in any order, twice, or put into other files.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar

from movieql.domain.movies import ListingKey

Milliseconds: TypeAlias = int
"""A moment: milliseconds since 1970 in UTC."""


def milliseconds(moment: datetime) -> Milliseconds:
    """Return a moment with its zone as milliseconds, rounded down."""
    seconds, microseconds = int(moment.replace(microsecond=0).timestamp()), moment.microsecond
    return seconds * 1000 + microseconds // 1000


def moment(at_ms: Milliseconds) -> datetime:
    """Return the moment in UTC."""
    seconds, rest_ms = divmod(at_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest_ms * 1000)


@dataclass(frozen=True, slots=True)
class Run:
    """Seen from `start_ms` to `end_ms`, both included; `end_ms` None: still going on."""

    start_ms: Milliseconds
    end_ms: Milliseconds | None = None


@dataclass(frozen=True, slots=True)
class PriceRun:
    """A price without currency, and when it was seen; as `Run`."""

    amount: Decimal
    start_ms: Milliseconds
    end_ms: Milliseconds | None = None


_R = TypeVar("_R", Run, PriceRun)


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What a watcher knows of one offer.

    `described_ms`: when title, year and `created_ms` were said. `runs`: in lists; `prices`: with
    this price. Either may be empty: a price may be seen by one who never sees the list.
    """

    provider: str
    provider_movie_id: str
    title: str | None
    year: int | None
    created_ms: Milliseconds | None
    described_ms: Milliseconds
    runs: tuple[Run, ...] = ()
    prices: tuple[PriceRun, ...] = ()

    @property
    def key(self) -> ListingKey:
        """Identify the offer: (provider, the provider's own movie id)."""
        return (self.provider, self.provider_movie_id)


@dataclass(frozen=True, slots=True)
class Marks:
    """When a watcher confirmed everything it had open of a provider, ascending.

    `lists`: its fresh lists. `prices`: every open price was seen at that time or later.
    """

    provider: str
    lists: tuple[Milliseconds, ...] = ()
    prices: tuple[Milliseconds, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """From `since_ms` up to, and without, `until_ms`."""

    since_ms: Milliseconds
    until_ms: Milliseconds


@dataclass(frozen=True, slots=True)
class Sights:
    """When something was seen in a window, and last before its end."""

    first_ms: Milliseconds | None
    last_ms: Milliseconds

    @property
    def in_window(self) -> bool:
        """Say whether it was seen in the window at all."""
        return self.first_ms is not None


def sights(run: Run | PriceRun, marks: Sequence[Milliseconds], window: Window) -> Sights | None:
    """Return when a run was seen, None if only after the window; `marks` are its watcher's.

    Three bisections, however many marks there are.
    """
    if run.start_ms >= window.until_ms:
        return None
    end_ms = window.until_ms - 1 if run.end_ms is None else run.end_ms
    first = bisect_left(marks, max(run.start_ms, window.since_ms))
    beyond = bisect_right(marks, min(end_ms, window.until_ms - 1))
    seen = [run.start_ms]
    if first < beyond:
        seen += [marks[first], marks[beyond - 1]]
    elif beyond and marks[beyond - 1] >= run.start_ms:  # before the window
        seen.append(marks[beyond - 1])
    if run.end_ms is not None and run.end_ms < window.until_ms:
        seen.append(run.end_ms)
    inside = [at_ms for at_ms in seen if at_ms >= window.since_ms]
    return Sights(min(inside, default=None), max(seen))


def joined(facts: Iterable[OfferFacts]) -> OfferFacts:
    """Put together what one watcher wrote of one offer, in any order; there must be some.

    Of runs with the same start the one that ended counts; the later description counts.
    """
    several = list(facts)
    runs: dict[int, Run] = {}
    prices: dict[tuple[int, Decimal], PriceRun] = {}
    for each in several:
        for run in each.runs:
            runs[run.start_ms] = _later(runs.get(run.start_ms), run)
        for price in each.prices:
            key = (price.start_ms, price.amount)
            prices[key] = _later(prices.get(key), price)
    return replace(
        last_described(several),
        runs=tuple(runs[key] for key in sorted(runs)),
        prices=tuple(prices[key] for key in sorted(prices)),
    )


def last_described(facts: Iterable[OfferFacts]) -> OfferFacts:
    """Return the facts with the latest description; of equally late ones always the same."""
    return max(facts, key=lambda each: (each.described_ms, each.title or "", each.year or 0))


def _later(known: _R | None, run: _R) -> _R:
    """Return the one that ended; a longer one where both did, which only a merge makes."""
    if known is None or known.end_ms is None:
        return run
    return known if run.end_ms is None or run.end_ms < known.end_ms else run
