"""The types of the domain: prices, rows that providers send, offers, movies, and reports.

What a provider did for an answer is a value beside the data, never an exception.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, Literal, Self

AMOUNT_MAX = Decimal(1_000_000_000)
"""The highest amount taken for a price; the dearest real one seen is 123343.5, and it stays."""

_AMOUNT_MIN = Decimal("0.000001")
_DECIMALS_MAX = 18
_DIGITS_MAX = 40  # before the point; written out, 1E+999999 would fill the memory

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_PLAIN_DECIMAL = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount, 0 or more, in a currency (ISO 4217, `"AUD"`)."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            message = f"an amount is a Decimal, not {type(self.amount).__name__}"
            raise TypeError(message)
        if not (self.amount.is_finite() and self.amount >= 0):
            message = f"{self.amount} is not an amount of money"
            raise ValueError(message)

    def __lt__(self, other: Self) -> bool:
        """Compare amounts of one currency; other currencies and other types raise."""
        return self.amount < self._comparable(other)

    def __sub__(self, other: Self) -> "Money":
        """Return how much more this is; it must not be less."""
        return Money(self.amount - self._comparable(other), self.currency)

    def _comparable(self, other: Self) -> Decimal:
        if not isinstance(other, Money):
            message = f"money compares with money, not with {type(other).__name__}"
            raise TypeError(message)
        if other.currency != self.currency:
            message = f"{self.currency} does not compare with {other.currency}"
            raise ValueError(message)
        return other.amount


PRICE_RULE = (
    f"A price is a number from {_AMOUNT_MIN} to {AMOUNT_MAX}, "
    f"with {_DECIMALS_MAX} decimals at most."
)
"""What `usable_amount` takes, as a sentence for callers."""


def exact_number(text: str) -> Decimal | None:
    """Return a number as JSON and GraphQL write it, exactly; None for an absurd one.

    Nobody means more than 40 digits on a side of the point, or an exponent of three: written
    out, `1e-999999999` would fill the memory.
    """
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def is_exactly(nearest: float, text: str) -> bool:
    """Return whether a float, written out, is the number that a text of JSON is."""
    try:
        return Decimal(repr(nearest)) == Decimal(text)
    except InvalidOperation as error:  # an exponent that no computer counts to
        message = "no such number"
        raise ValueError(message) from error


def plain_decimal(value: object) -> Decimal | None:
    """Return a number, 0 or more, exactly, as it is written out; None for anything else.

    Texts must be plain decimals ("123.5"), numbers whole or Decimal: a float is no exact number.
    Either is finite and has at most 40 digits before the point and 18 behind it.
    """
    number: Decimal | None = None
    if isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value.strip()):
        number = Decimal(value.strip())
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = Decimal(value)
    if number is None or not number.is_finite() or number < 0 or number.adjusted() >= _DIGITS_MAX:
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX:
        return None
    return Decimal(f"{number:f}")  # 1E+3 is a number, but nobody reads it as a price


def usable_amount(value: object) -> Decimal | None:
    """Return what a provider sent as a price if it is one, else None.

    A `plain_decimal` of a millionth to `AMOUNT_MAX`: 28 digits at most, which Decimal subtracts
    exactly. Blank, "N/A", negative, zero, NaN, infinite, "1,299.00" and booleans are no price,
    and never 0.
    """
    amount = plain_decimal(value)
    return amount if amount is not None and _AMOUNT_MIN <= amount <= AMOUNT_MAX else None


class SourceStatus(StrEnum):
    """How a provider took part in an answer.

    OK: it answered freshly. STALE: what is shown is older than its fresh time. PENDING: it was
    asked for something, and this answer did not wait for it. SKIPPED: not asked (left out by the
    caller, or its breaker is open and nothing is kept). FAILED: it did not answer and nothing is
    kept, or some of the details needed are missing.
    """

    OK = "OK"
    STALE = "STALE"
    PENDING = "PENDING"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class SourceErrorCode(StrEnum):
    """Why a provider did not answer freshly.

    TIMEOUT: not in time. UNAVAILABLE: refused, reset, or 5xx. CIRCUIT_OPEN: not asked because
    it kept failing. RATE_LIMITED: 429. UNAUTHORIZED: 401 or 403, our token is wrong.
    BAD_RESPONSE: an answer that cannot be used. INTERNAL: a fault of ours.
    """

    TIMEOUT = "TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    RATE_LIMITED = "RATE_LIMITED"
    UNAUTHORIZED = "UNAUTHORIZED"
    BAD_RESPONSE = "BAD_RESPONSE"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class SourceError:
    """Why something of a provider is missing or old.

    `retry_at_s`: the monotonic second before which it is not called again, None where nothing
    says so. A moment and not a wait, so that the error is the same one for as long as it holds.
    """

    code: SourceErrorCode
    message: str
    retryable: bool = True
    retry_at_s: float | None = None

    def retry_after_ms(self, now_s: float) -> int | None:
        """Return the milliseconds that are left until `retry_at_s`, 0 once it is over."""
        if self.retry_at_s is None:
            return None
        # Rounded up, so that nobody comes early; a float's last digits are no millisecond.
        return max(math.ceil(round((self.retry_at_s - now_s) * 1000, 3)), 0)


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one provider did for one answer.

    `as_of` is when the oldest thing shown of it was seen; `latency_ms` is how long this answer
    waited for it (0 when nothing had to be waited for). `details_expected` counts the movies in
    its list that have a detail, and `details_known` those whose detail was read, however long
    ago; None in the report of one movie, while no list is known, and where it has everything.
    """

    provider: str
    status: SourceStatus
    as_of: datetime | None = None
    latency_ms: int = 0
    error: SourceError | None = None
    details_known: int | None = None
    details_expected: int | None = None


_WORST_LAST = (
    SourceStatus.OK,
    SourceStatus.STALE,
    SourceStatus.PENDING,
    SourceStatus.SKIPPED,
    SourceStatus.FAILED,
)


def worst(reports: Iterable[SourceReport]) -> SourceReport:
    """Return one report for several calls to one provider (at least one).

    The worst status with its error, the oldest `as_of`, the longest `latency_ms`. Of equally
    bad ones the first counts, so the list call speaks before the details.
    """
    several = tuple(reports)
    rank = max(_WORST_LAST.index(report.status) for report in several)
    speaker = next(report for report in several if _WORST_LAST.index(report.status) == rank)
    seen = [report.as_of for report in several if report.as_of is not None]
    return SourceReport(
        provider=speaker.provider,
        status=speaker.status,
        as_of=min(seen) if seen else None,
        latency_ms=max(report.latency_ms for report in several),
        error=speaker.error,
    )


def is_complete(reports: Iterable[SourceReport], left_out: frozenset[str]) -> bool:
    """Tell whether every provider that the caller did not leave out answered freshly."""
    return all(
        report.status is SourceStatus.OK for report in reports if report.provider not in left_out
    )


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
    own_name = (kept.description.title, kept.description.year)
    also = frozenset(names.union(*(row.also for row in rows)) - {own_name})
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call to a provider gave.

    `rows` None: nothing to show, and without an `error` because the caller did not wait for it;
    `()` for a detail: the provider says it has no such movie.
    `as_of`: when the provider said so. `fresh`: within its fresh time, which ends at the
    monotonic second `fresh_until_s`; from `renew_s` on it is refreshed ahead when asked for.
    `error`: why it is not fresh. `latency_ms`: how long this caller waited for it.
    `connected`: False when not even a connection could be made. `sent`: False when a guard
    refused the call, so that the provider saw nothing of it.
    """

    rows: tuple[Row, ...] | None
    as_of: datetime | None = None
    fresh: bool = False
    fresh_until_s: float = 0.0
    renew_s: float = 0.0
    error: SourceError | None = None
    latency_ms: int = 0
    connected: bool = True
    sent: bool = True

    @property
    def status(self) -> SourceStatus:
        """Say how the provider took part (docs/semantics.md, Answers)."""
        if self.rows is not None:
            return SourceStatus.OK if self.fresh else SourceStatus.STALE
        if self.error is None:
            return SourceStatus.PENDING
        if self.error.code is SourceErrorCode.CIRCUIT_OPEN:
            return SourceStatus.SKIPPED
        return SourceStatus.FAILED

    def report(self, provider: str) -> SourceReport:
        """Return the report of this one call."""
        return SourceReport(provider, self.status, self.as_of, self.latency_ms, self.error)


PENDING: Final = Answer(rows=None)
"""What is asked for, and not waited for."""


def failed(
    code: SourceErrorCode,
    message: str,
    *,
    retryable: bool = True,
    retry_at_s: float | None = None,
    latency_ms: int = 0,
    connected: bool = True,
    sent: bool = True,
) -> Answer:
    """Return an answer that brings nothing but the reason."""
    return Answer(
        rows=None,
        error=SourceError(code, message, retryable, retry_at_s),
        latency_ms=latency_ms,
        connected=connected,
        sent=sent,
    )


class ContentRevision:
    """Counts changes of membership, fields, prices or states (docs/architecture.md).

    A refresh that brings what was there already does not advance it, so whatever was computed
    from the content may be kept for as long as `number` stays.
    """

    def __init__(self) -> None:
        self.number = 0

    def advance(self) -> None:
        """Note that the content changed."""
        self.number += 1
