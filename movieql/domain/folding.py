"""What was on offer in a window, folded from the facts of all watchers.

Everything is computed from sights in the window, and sights of several watchers are one set; so
it does not matter how many watched, which of them saw what, or in which files it is.
"""

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from movieql.domain.movies import ListingKey
from movieql.domain.observations import (
    Marks,
    Milliseconds,
    OfferFacts,
    PriceRun,
    Sights,
    Window,
    joined,
    last_described,
    sights,
)

Watched: TypeAlias = tuple[str, str]
"""(watcher, provider)."""


@dataclass(frozen=True, slots=True)
class OfferSummary:
    """An offer in a window.

    `first_ms`, `last_ms`: its first and last sight in it. `price`: the last one seen before the
    window's end, at `price_ms`; `lowest` and `highest` of those seen in the window, and that last
    one where none was. All None: no usable price was ever seen.
    """

    provider: str
    provider_movie_id: str
    title: str | None
    year: int | None
    created_ms: Milliseconds | None
    first_ms: Milliseconds
    last_ms: Milliseconds
    price: Decimal | None = None
    price_ms: Milliseconds | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None

    @property
    def key(self) -> ListingKey:
        """Identify the offer."""
        return (self.provider, self.provider_movie_id)


class AllMarks:
    """The marks of every watcher, 8 bytes each, as they are read; add all, then ask."""

    def __init__(self) -> None:
        self._lists: dict[Watched, array[int]] = {}
        self._prices: dict[Watched, array[int]] = {}
        self._ascending: set[int] = set()

    def add(self, watcher: str, marks: Marks) -> None:
        """Take in what a segment says."""
        watched = (watcher, marks.provider)
        self._lists.setdefault(watched, array("q")).extend(marks.lists)
        self._prices.setdefault(watched, array("q")).extend(marks.prices)
        self._ascending.clear()

    def lists(self, watched: Watched) -> Sequence[Milliseconds]:
        """Return the times of a watcher's fresh lists of a provider, ascending."""
        return self._sorted(self._lists, watched)

    def prices(self, watched: Watched) -> Sequence[Milliseconds]:
        """Return when a watcher had confirmed all prices of a provider, ascending."""
        return self._sorted(self._prices, watched)

    def last_list_ms(self, provider: str, before_ms: Milliseconds) -> Milliseconds | None:
        """Return when anybody last had a fresh list of a provider."""
        return max(
            (
                at_ms
                for (_, own), marks in self._lists.items()
                for at_ms in marks
                if own == provider and at_ms < before_ms
            ),
            default=None,
        )

    def _sorted(
        self, marks: dict[Watched, "array[int]"], watched: Watched
    ) -> Sequence[Milliseconds]:
        found = marks.get(watched)
        if found is None:
            return ()
        if id(found) not in self._ascending:
            found = marks[watched] = array("q", sorted(set(found)))
            self._ascending.add(id(found))
        return found


def fold_offers(
    facts: Iterable[tuple[str, OfferFacts]], marks: AllMarks, window: Window
) -> Iterator[OfferSummary]:
    """Fold (watcher, facts) into every offer seen in the window, by key.

    All facts of an offer have to be among them; other offers may be missing.
    """
    by_key: dict[ListingKey, dict[str, list[OfferFacts]]] = {}
    for watcher, each in facts:
        by_key.setdefault(each.key, {}).setdefault(watcher, []).append(each)
    for key in sorted(by_key):
        watched = {watcher: joined(several) for watcher, several in by_key[key].items()}
        summary = _summary(watched, marks, window)
        if summary is not None:
            yield summary


def _summary(
    watched: Mapping[str, OfferFacts], marks: AllMarks, window: Window
) -> OfferSummary | None:
    seen: list[Sights] = []
    priced: list[tuple[Sights, PriceRun]] = []
    for watcher, facts in watched.items():
        by = (watcher, facts.provider)
        seen += _sights(facts.runs, marks.lists(by), window)
        for run in facts.prices:
            found = sights(run, marks.prices(by), window)
            if found is not None:
                priced.append((found, run))
    seen += [found for found, _ in priced]
    inside = [each for each in seen if each.first_ms is not None]
    if not inside:
        return None
    last = last_described(
        [each for each in watched.values() if each.described_ms < window.until_ms]
        or watched.values()
    )
    price, price_ms, lowest, highest = _prices(priced)
    return OfferSummary(
        last.provider,
        last.provider_movie_id,
        last.title,
        last.year,
        last.created_ms,
        min(each.first_ms for each in inside if each.first_ms is not None),
        max(each.last_ms for each in inside),
        price,
        price_ms,
        lowest,
        highest,
    )


def _sights(runs: Iterable[Any], marks: Sequence[Milliseconds], window: Window) -> list[Sights]:
    found = (sights(run, marks, window) for run in runs)
    return [each for each in found if each is not None]


def _prices(
    priced: Sequence[tuple[Sights, PriceRun]],
) -> tuple[Decimal | None, Milliseconds | None, Decimal | None, Decimal | None]:
    if not priced:
        return None, None, None, None
    last_ms = max(found.last_ms for found, _ in priced)
    # Two prices at the very same moment: the lower one, whoever saw it.
    last = min((price.amount for found, price in priced if found.last_ms == last_ms), key=_exact)
    amounts = [price.amount for found, price in priced if found.in_window] or [last]
    return last, last_ms, min(amounts, key=_exact), max(amounts, key=_exact)


def _exact(amount: Decimal) -> tuple[Decimal, str]:
    """Order amounts, and the same amount written in two ways, too."""
    return amount, str(amount)


def summary_line(summary: OfferSummary) -> bytes:
    """Return a summary as one line without its end, for `read_summary`."""
    plain = [
        str(value) if isinstance(value, Decimal) else value
        for value in (getattr(summary, name) for name in OfferSummary.__slots__)
    ]
    return json.dumps(plain, separators=(",", ":")).encode()


def read_summary(line: bytes) -> OfferSummary:
    """Read what `summary_line` returned; only for lines of this very process."""
    provider, own_id, title, year, created_ms, first_ms, last_ms, *prices = json.loads(line)
    price, price_ms, lowest, highest = prices
    return OfferSummary(
        provider,
        own_id,
        title,
        year,
        created_ms,
        first_ms,
        last_ms,
        _decimal(price),
        price_ms,
        _decimal(lowest),
        _decimal(highest),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
