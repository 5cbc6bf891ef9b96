"""A watcher's memory: folds fresh answers into facts, and says which are not written yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from movieql.domain.movies import ListingKey, Profile, Row
from movieql.domain.observations import (
    Marks,
    Milliseconds,
    OfferFacts,
    PriceRun,
    Run,
    milliseconds,
)

TITLE_CHARACTERS_MAX = 1_000
"""Characters of a title that are kept; an export's cell has no more."""


@dataclass(frozen=True, slots=True)
class RecorderLimits:
    """What a watcher may keep in memory.

    `offers_max`: offers. `runs_max` (6 or more): ended runs of one offer, and `marks_max`: marks
    of one provider, that are not written yet; past that the oldest are merged. `lag_s`: how long
    a price may be unconfirmed before it is written down as such, twice the time between two
    rounds of a quiet day's refresh (docs/semantics.md, Exports).
    """

    offers_max: int = 50_000
    runs_max: int = 100
    marks_max: int = 2_000
    lag_s: float = 1_800.0


@dataclass(frozen=True, slots=True)
class Drained:
    """Facts that are to be written, and what could not be kept apart.

    `refused`: offers beyond the bound that nobody recorded; `merged`: runs and marks that were
    merged because they waited for too long.
    """

    facts: tuple[OfferFacts, ...] = ()
    marks: tuple[Marks, ...] = ()
    refused: int = 0
    merged: int = 0


@dataclass(slots=True)
class _Offer:
    """One offer; `run` and `price` are open, `seen_ms` and `priced_ms` their last sights."""

    key: ListingKey
    described: tuple[str | None, int | None, Milliseconds | None] = (None, None, None)
    described_ms: Milliseconds = 0
    run: Run | None = None
    seen_ms: Milliseconds = 0
    price: PriceRun | None = None
    priced_ms: Milliseconds = 0
    ended_runs: list[Run] = field(default_factory=list)
    ended_prices: list[PriceRun] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.run is None and self.price is None

    def facts(self) -> OfferFacts:
        title, year, created_ms = self.described
        runs = (*self.ended_runs, *([self.run] if self.run else []))
        prices = (*self.ended_prices, *([self.price] if self.price else []))
        return OfferFacts(*self.key, title, year, created_ms, self.described_ms, runs, prices)


@dataclass(slots=True)
class _Shop:
    """What is known of a provider; `lists` and `prices` are marks that are not written yet."""

    profile: Profile
    offers: dict[str, _Offer] = field(default_factory=dict)
    lists: list[Milliseconds] = field(default_factory=list)
    prices: list[Milliseconds] = field(default_factory=list)
    list_ms: Milliseconds = 0
    price_ms: Milliseconds = 0

    @property
    def prices_in_list(self) -> bool:
        return "price" not in self.profile.detail_fields


class Recorder:
    """What one process saw of the selling providers among `profiles`."""

    def __init__(self, profiles: Iterable[Profile], limits: RecorderLimits | None = None) -> None:
        self._limits = limits or RecorderLimits()
        self._shops = {each.id: _Shop(each) for each in profiles if each.sells}
        self._changed: dict[ListingKey, _Offer] = {}
        self._offers = 0
        self._refused = 0
        self._merged = 0

    @property
    def has_news(self) -> bool:
        """Say whether anything is not written yet."""
        return bool(self._changed) or any(
            shop.lists or shop.prices for shop in self._shops.values()
        )

    def note_list(self, provider: str, rows: Sequence[Row], at_ms: Milliseconds) -> None:
        """Note a fresh list of `unique_rows`.

        An empty one says nothing; one older than the last comes too late.
        """
        shop = self._shops.get(provider)
        if shop is None or not rows or at_ms <= shop.list_ms:
            return
        for row in rows:
            offer = self._offer(shop, row, at_ms)
            if offer is not None:
                self._listed(shop, offer, row, at_ms)
        for offer in [each for each in shop.offers.values() if _is_missing(each, at_ms)]:
            self._withdraw(offer)
        shop.list_ms = at_ms
        self._mark(shop.lists, at_ms)
        if shop.prices_in_list:
            self._mark(shop.prices, at_ms)

    def note_detail(self, provider: str, rows: Sequence[Row], at_ms: Milliseconds) -> None:
        """Note a fresh detail; "no such movie" says nothing, only a list withdraws."""
        shop = self._shops.get(provider)
        if shop is None or shop.prices_in_list or not rows:
            return
        offer = self._offer(shop, rows[0], at_ms, only_if=rows[0].amount is not None)
        if offer is not None and at_ms > offer.priced_ms:
            self._price(offer, rows[0].amount, at_ms)

    def drain(self, now_ms: Milliseconds, *, everything: bool = False) -> Drained:
        """Return what is not written yet and take it for written.

        `everything`: all open offers, too, and when each provider was last seen: what a reader
        needs who reads nothing older.
        """
        for shop in self._shops.values():
            self._confirm_prices(shop, now_ms)
        if everything:
            self._restate()
        drained = Drained(
            tuple(offer.facts() for offer in self._changed.values()),
            tuple(_marks(shop, everything=everything) for shop in self._shops.values()),
            self._refused,
            self._merged,
        )
        self._forget_written()
        return drained

    def _offer(
        self, shop: _Shop, row: Row, at_ms: Milliseconds, *, only_if: bool = True
    ) -> _Offer | None:
        offer = shop.offers.get(row.provider_movie_id)
        if offer is None and only_if:
            if self._offers >= self._limits.offers_max:
                self._refused += 1
                return None
            offer = _Offer((shop.profile.id, row.provider_movie_id), _described(row), at_ms)
            shop.offers[row.provider_movie_id] = offer
            self._offers += 1
        return offer

    def _listed(self, shop: _Shop, offer: _Offer, row: Row, at_ms: Milliseconds) -> None:
        if offer.run is None:
            offer.run = Run(at_ms)
            self._change(offer)
        if offer.described != _described(row):
            offer.described, offer.described_ms = _described(row), at_ms
            self._change(offer)
        offer.seen_ms = at_ms
        if shop.prices_in_list:
            self._price(offer, row.amount, at_ms)

    def _price(self, offer: _Offer, amount: Decimal | None, at_ms: Milliseconds) -> None:
        if offer.price is not None and offer.price.amount != amount:
            self._end_price(offer)
        if offer.price is None and amount is not None:
            offer.price = PriceRun(amount, at_ms)
            self._change(offer)
        if amount is not None:
            offer.priced_ms = at_ms

    def _withdraw(self, offer: _Offer) -> None:
        if offer.run is not None:
            offer.ended_runs.append(Run(offer.run.start_ms, offer.seen_ms))
            offer.run = None
        self._end_price(offer)
        self._change(offer)

    def _end_price(self, offer: _Offer) -> None:
        if offer.price is not None:
            ended = PriceRun(offer.price.amount, offer.price.start_ms, offer.priced_ms)
            offer.ended_prices.append(ended)
            offer.price = None
            self._change(offer)

    def _change(self, offer: _Offer) -> None:
        self._changed[offer.key] = offer
        if len(offer.ended_runs) > self._limits.runs_max:
            first, second, *rest = offer.ended_runs
            offer.ended_runs = [Run(first.start_ms, second.end_ms), *rest]
            self._merged += 1
        if len(offer.ended_prices) > self._limits.runs_max:
            offer.ended_prices = _merged(offer.ended_prices)
            self._merged += 1

    def _mark(self, marks: list[Milliseconds], at_ms: Milliseconds) -> None:
        marks.append(at_ms)
        if len(marks) > self._limits.marks_max:
            self._merged += len(marks) // 2
            marks[:] = [marks[0], *marks[1 + len(marks) % 2 :: 2]]

    def _confirm_prices(self, shop: _Shop, now_ms: Milliseconds) -> None:
        """Mark up to when every open price was seen; those that lag behind are ended first."""
        if shop.prices_in_list:
            return
        late_ms = now_ms - round(self._limits.lag_s * 1000)
        for offer in shop.offers.values():
            if offer.price is not None and offer.priced_ms < late_ms:
                self._end_price(offer)
        priced = (each.priced_ms for each in shop.offers.values() if each.price is not None)
        confirmed_ms = min(priced, default=0)
        if confirmed_ms > shop.price_ms:
            shop.price_ms = confirmed_ms
            self._mark(shop.prices, confirmed_ms)

    def _restate(self) -> None:
        for shop in self._shops.values():
            for offer in shop.offers.values():
                offer.described_ms = max(offer.described_ms, offer.seen_ms)
                self._changed[offer.key] = offer

    def _forget_written(self) -> None:
        for offer in self._changed.values():
            offer.ended_runs, offer.ended_prices = [], []
            if offer.is_over:
                self._offers -= 1
                del self._shops[offer.key[0]].offers[offer.key[1]]
        for shop in self._shops.values():
            shop.lists, shop.prices = [], []
        self._changed = {}
        self._refused = self._merged = 0


def _is_missing(offer: _Offer, at_ms: Milliseconds) -> bool:
    return offer.seen_ms < at_ms and not offer.is_over


def _described(row: Row) -> tuple[str | None, int | None, Milliseconds | None]:
    created, title = row.created_at, row.description.title
    return (
        None if title is None else title[:TITLE_CHARACTERS_MAX],
        row.description.year,
        None if created is None else milliseconds(created),
    )


def _marks(shop: _Shop, *, everything: bool) -> Marks:
    lists, prices = set(shop.lists), set(shop.prices)
    if everything and shop.list_ms:
        lists.add(shop.list_ms)
    if everything and shop.price_ms:
        prices.add(shop.price_ms)
    return Marks(shop.profile.id, tuple(sorted(lists)), tuple(sorted(prices)))


def _merged(ended: Sequence[PriceRun]) -> list[PriceRun]:
    """Merge the oldest prices; of three different ones the middle goes, for nobody asks for it.

    The first stays, for it may have been written as open.
    """
    first, *rest = ended
    oldest: dict[Decimal, PriceRun] = {}
    for each in rest[:3]:
        known = oldest.get(each.amount, each)
        oldest[each.amount] = PriceRun(each.amount, known.start_ms, each.end_ms)
    kept = sorted(oldest.values(), key=lambda each: each.amount)
    if len(kept) > 2:  # noqa: PLR2004  # the lowest and the highest
        del kept[1]
    return [first, *sorted(kept, key=lambda each: each.start_ms), *rest[3:]]
