"""The types of the domain: rows that providers send, offers, and the movie made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from movieql.domain.money import Money
from movieql.domain.reports import SourceError, SourceReport


@dataclass(frozen=True, slots=True)
class Profile:
    """What merging has to know of a provider.

    `priority`: the lowest number's descriptive fields win. `imdb_ids`: the digits of its ids
    are IMDb's. `detail_fields`: names of `Row` fields that only its detail call gives.
    `currency`: of its prices, None when it does not sell.
    """

    id: str
    name: str
    sells: bool = True
    currency: str | None = None
    priority: int = 100
    imdb_ids: bool = False
    detail_fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Description:
    """The descriptive fields of a movie; anything may be missing.

    `runtime_minutes` in minutes, `rating` of 10, `metascore` of 100, `votes` a count.
    """

    title: str | None = None
    year: int | None = None
    poster: str | None = None
    genres: tuple[str, ...] = ()
    director: str | None = None
    writers: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    plot: str | None = None
    runtime_minutes: int | None = None
    rated: str | None = None
    released: date | None = None
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    awards: str | None = None
    rating: Decimal | None = None
    votes: int | None = None
    metascore: int | None = None


DESCRIPTIVE_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Description))
"""Names of the fields that describe a movie, in the order of `Description`."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a provider says of one movie, in its list or in its detail.

    `amount` is the usable price, without currency; `price_problem` says why there is none
    although the provider sent something. Both None: this row carries no price at all.
    `contradicted`: the provider's list has the id again, with something else; `also`: under which
    other titles and years; see `unique_rows`.
    """

    provider_movie_id: str
    description: Description = Description()
    amount: Decimal | None = None
    price_problem: str | None = None
    created_at: datetime | None = None
    contradicted: bool = False
    also: frozenset[tuple[str | None, int | None]] = frozenset()


def unique_rows(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return one row per id, in the order of ids, whatever the order of `rows`.

    An id that is listed again with something else keeps the row with the lowest price (without
    prices the one that says most) and is `contradicted`: nobody knows which row is meant.
    """
    by_id: dict[str, Row] = {}
    again: dict[str, list[Row]] = {}
    for row in rows:
        known = by_id.setdefault(row.provider_movie_id, row)
        if known is not row:
            again.setdefault(row.provider_movie_id, [known]).append(row)
    by_id |= {own_id: one_row(several) for own_id, several in again.items()}
    return tuple(by_id[own_id] for own_id in sorted(by_id))


def one_row(rows: Sequence[Row]) -> Row:
    """Return the row of an id that several rows have; see `unique_rows`."""
    kept = min(rows, key=_rank)
    names = {(row.description.title, row.description.year) for row in rows}
    names -= {(kept.description.title, kept.description.year)}
    also = frozenset(names.union(*(row.also for row in rows)))
    contradicted = any(row.contradicted or row != kept for row in rows)
    return replace(kept, contradicted=contradicted, also=also)


def _rank(row: Row) -> tuple[Any, ...]:
    """Sort the lowest price first, then the row that says most, then by anything that differs."""
    described = sum(value not in {None, ()} for value in astuple(row.description))
    return (row.amount is None, row.amount or 0, -described, repr(row))


@dataclass(frozen=True, slots=True)
class Listing:
    """A row of a provider's shelf."""

    provider: str
    row: Row

    @property
    def key(self) -> "ListingKey":
        """Identify the listing: (provider, the provider's own movie id)."""
        return (self.provider, self.row.provider_movie_id)


ListingKey = tuple[str, str]
"""(provider id, the provider's own movie id)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One provider's price for a movie.

    `price` None: listed, but no usable price, and `error` says why. `as_of`: when the price was
    seen. `stale`: older than its fresh time, `error` says what prevented the refresh. A fresh
    price with an `error` is one that the provider contradicts itself about.
    """

    provider: str
    provider_movie_id: str
    price: Money | None = None
    as_of: datetime | None = None
    stale: bool = False
    error: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The lowest usable price.

    `final` only when no selling provider can undercut it for all we know; `saving` against the
    next-cheapest usable price.
    """

    offer: Offer | None
    final: bool
    saving: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Movie(Description):
    """A movie merged from every provider that lists it, with a report per provider.

    `posters`: every provider's, best first; `poster` is the first of them.
    """

    id: str
    offers: tuple[Offer, ...]
    cheapest: Cheapest
    sources: tuple[SourceReport, ...]
    posters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MovieOrder:
    """How a list is ordered; a missing value comes last in both directions."""

    field: Literal["title", "year", "price"] = "title"
    descending: bool = False
