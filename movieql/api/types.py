"""The GraphQL types. Resolvers hand out domain values; fields of the same name read them.

The literals of the scalar Decimal do not go through a float on their way. What is too large for
one is no number, as in JSON: `1e999999999` written out fills the memory.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from math import isinf
from typing import Any

import strawberry
from graphql import (
    GRAPHQL_MAX_INT,
    FloatValueNode,
    IntValueNode,
    StringValueNode,
    ValueNode,
    print_ast,
)
from strawberry.schema.types.base_scalars import DecimalDefinition

from movieql.api.catalogue_types import CatalogueEntry, shown
from movieql.api.context import ContextInfo
from movieql.api.limits import HISTORY, LIST_SIZE, PAGE, PROVIDERS
from movieql.api.node import Node
from movieql.domain import movies as domain
from movieql.domain.errors import BadInputError
from movieql.domain.movies import ListingKey
from movieql.movies.browse import Page
from movieql.services import price_history as history

_of_value: Any = DecimalDefinition.parse_value


def _of_literal(node: ValueNode, _: dict[str, Any] | None = None) -> Any:
    match node:
        case FloatValueNode(value=text) if isinf(float(text)):
            return Decimal("Infinity")
        case FloatValueNode(value=text) | IntValueNode(value=text) | StringValueNode(value=text):
            return _of_value(text)
    return _of_value(print_ast(node))  # which is no number


def _written(value: Decimal) -> str:
    return f"{Decimal(value):f}"  # 1E-18 is a number, but nobody reads it as an amount


DECIMAL = replace(DecimalDefinition, parse_literal=_of_literal, serialize=_written)
"""How it is read and written. A variable is exact as `web.bodies.json_value` reads it."""


strawberry.enum(domain.SourceStatus, description="How a provider took part in an answer.")
strawberry.enum(
    domain.SourceErrorCode,
    description=(
        "Why a provider did not answer freshly. More may come: treat an unknown one as INTERNAL."
    ),
)


@strawberry.type(description="A shop, or the house catalogue.")
class Provider(Node):
    """See `domain.movies.Profile`."""

    id: strawberry.ID = strawberry.field(description="Its name in arguments.")
    name: str = strawberry.field(description="Its name for people.")
    sells: bool = strawberry.field(
        description="Whether it has offers; one that does not gives fields only."
    )
    currency: str | None = strawberry.field(description="Currency of its prices (ISO 4217).")

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        """Return whether a value is a provider, for `node`."""
        return isinstance(value, domain.Profile)


@strawberry.type(description="An exact amount in a currency.")
class Money:
    """See `domain.movies.Money`."""

    amount: Decimal = strawberry.field(description="Exact decimal, as text: never a float.")
    currency: str = strawberry.field(description="ISO 4217.")


@strawberry.type(description="Why something of a provider is missing or old.")
class SourceError:
    """See `domain.movies.SourceError`."""

    code: domain.SourceErrorCode
    message: str
    retryable: bool = strawberry.field(description="Whether asking again may help.")

    @strawberry.field(
        description="Milliseconds, from this answer on, until the provider is called again."
    )
    @staticmethod
    def retry_after_ms(root: strawberry.Parent[Any], info: ContextInfo) -> int | None:
        """Return what is left of the wait now."""
        left_ms: int | None = root.retry_after_ms(info.context.monotonic_s())
        info.context.facts.waits_shown += left_ms is not None
        return left_ms


@strawberry.type(description="What one provider did for this answer.")
class SourceReport:
    """See `domain.movies.SourceReport`."""

    status: domain.SourceStatus
    as_of: datetime | None = strawberry.field(
        description="When the oldest thing shown of it was seen."
    )
    latency_ms: int = strawberry.field(
        description="How long this answer waited for it, in milliseconds; 0 from the cache."
    )
    error: SourceError | None = strawberry.field(
        description="What prevented a fresh answer; also beside STALE data."
    )
    details_known: int | None = strawberry.field(
        description="How many details of the movies in its list have been read, however long ago. "
        "Null in the report of one movie, while no list is known, and where a list has everything."
    )
    details_expected: int | None = strawberry.field(
        description="How many details there are to read; null where `detailsKnown` is."
    )

    @strawberry.field(description="Which provider.")
    @staticmethod
    def provider(root: strawberry.Parent[Any], info: ContextInfo) -> Provider:
        """Return the provider that the report is about."""
        return _provider(root.provider, info)


@strawberry.type(description="One provider's price for a movie.")
class Offer:
    """See `domain.movies.Offer`."""

    provider_movie_id: str = strawberry.field(description="The provider's own id of the movie.")
    price: Money | None = strawberry.field(
        description="Null: listed, but no usable price: `error` says why, and without one the "
        "price was not waited for, or not needed."
    )
    as_of: datetime | None = strawberry.field(description="When the price was seen.")
    stale: bool = strawberry.field(description="Whether the price is older than its fresh time.")
    error: SourceError | None = strawberry.field(
        description="Why there is no price, what prevented its refresh, or why it is in doubt: "
        "the provider lists the movie more than once, with different entries."
    )

    @strawberry.field(description="Who offers it.")
    @staticmethod
    def provider(root: strawberry.Parent[Any], info: ContextInfo) -> Provider:
        """Return the provider that makes the offer."""
        return _provider(root.provider, info)


@strawberry.type(description="The lowest usable price of a movie.")
class Cheapest:
    """See `domain.movies.Cheapest`."""

    offer: Offer | None = strawberry.field(description="Null when no price is known.")
    final: bool = strawberry.field(
        description="False while a shop that may undercut it has not answered freshly, "
        "contradicts itself, or sells a movie of nearly the same title that may be this one."
    )
    saving: Money | None = strawberry.field(description="Against the next-cheapest usable price.")


def _whole_number(name: str) -> Callable[[Any], int | None]:
    """Return a resolver for a number that a provider may have sent larger than an Int.

    graphql-core would make an error of it, and what a provider says is never an error of ours.
    """

    def resolve(root: strawberry.Parent[Any]) -> int | None:
        number: int | None = getattr(root, name)
        return None if number is None or number > GRAPHQL_MAX_INT else number

    return resolve


@strawberry.type(description="A price that was seen, from some time on.")
class PricePoint:
    """See `services.price_history.PricePoint`."""

    provider: Provider
    provider_movie_id: str = strawberry.field(description="The provider's own id of the movie.")
    price: Money
    at: datetime = strawberry.field(description="Since when this price was seen.")


@strawberry.type(description="A movie, merged from every provider that lists it.")
class Movie(Node):
    """See `domain.movies.Movie`."""

    id: strawberry.ID = strawberry.field(
        description="`tt…` where IMDb's number is known, else made of title and year. "
        "An id once printed always resolves."
    )
    title: str | None
    year: int | None
    poster: str | None = strawberry.field(description="Address of an image; it may not load.")
    posters: list[str] = strawberry.field(
        description="Every provider's image, best first: for when one does not load."
    )
    genres: list[str]
    director: str | None
    writers: list[str]
    actors: list[str]
    plot: str | None
    runtime_minutes: int | None = strawberry.field(resolver=_whole_number("runtime_minutes"))
    rated: str | None
    released: date | None
    languages: list[str]
    countries: list[str]
    awards: str | None
    rating: Decimal | None = strawberry.field(description="Of 10.")
    votes: int | None = strawberry.field(
        resolver=_whole_number("votes"), description="How many votes made the rating."
    )
    metascore: int | None = strawberry.field(
        resolver=_whole_number("metascore"), description="Of 100."
    )
    offers: list[Offer] = strawberry.field(
        metadata={LIST_SIZE: PROVIDERS}, description="One per listing of a provider that sells."
    )
    cheapest: Cheapest
    sources: list[SourceReport] = strawberry.field(
        metadata={LIST_SIZE: PROVIDERS},
        description="One per configured provider: what it did for this movie.",
    )

    @strawberry.field(
        description="The first by name of `catalogueEntries`; null when there is none."
    )
    @staticmethod
    def catalogue_entry(root: strawberry.Parent[Any], info: ContextInfo) -> CatalogueEntry | None:
        """Return one of the entries that took part in this movie; see `HouseEntries.of`."""
        return next(iter(_entries(root, info)), None)

    @strawberry.field(
        description="Every entry of the house catalogue that this movie is merged from, by name: "
        "names that differ only in punctuation may be one movie's. Empty when the house was "
        "left out."
    )
    @staticmethod
    def catalogue_entries(root: strawberry.Parent[Any], info: ContextInfo) -> list[CatalogueEntry]:
        """Return the entries that took part in this movie; see `HouseEntries.of`."""
        return _entries(root, info)

    @strawberry.field(
        metadata={LIST_SIZE: HISTORY},
        description="Every change of a price that was seen in 30 days, by time; of many the "
        "latest. The price that held at `since` comes first, with its own time.",
    )
    @staticmethod
    def price_history(
        root: strawberry.Parent[Any], info: ContextInfo, since: datetime | None = None
    ) -> list[PricePoint]:
        """Return what the index in memory has; see `PriceHistory.points`."""
        if since is not None and since.tzinfo is None:
            raise BadInputError("`since` needs its offset from UTC.")
        if info.context.history is None:
            return []
        points = info.context.history.points(_listings(root), since)
        return [_point(each, info) for each in points[-info.context.history_points_max :]]

    @strawberry.field(
        name="lowestIn30Days",
        description="The lowest price seen in the last 30 days; null when none was.",
    )
    @staticmethod
    def lowest_in_30_days(root: strawberry.Parent[Any], info: ContextInfo) -> PricePoint | None:
        """Return what the index in memory has; see `PriceHistory.lowest`."""
        if info.context.history is None:
            return None
        point = info.context.history.lowest(_listings(root), days=30)
        return None if point is None else _point(point, info)

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        """Tell whether a value is a movie, for `node`."""
        return isinstance(value, domain.Movie)


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's page info, forward only."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="A movie in a list, with its cursor.")
class MovieEdge:
    """One entry of a page."""

    cursor: str
    node: Movie


@strawberry.type(description="A page of movies, and what every provider did for it.")
class MovieConnection:
    """See `movies.browse.Page`."""

    page: strawberry.Private[Page]
    after: strawberry.Private[str | None]
    total_count: int = strawberry.field(description="How many movies pass the filter.")
    complete: bool = strawberry.field(
        description="Whether every provider that was not left out answered freshly."
    )
    sources: list[SourceReport] = strawberry.field(
        metadata={LIST_SIZE: PROVIDERS}, description="Exactly one per configured provider."
    )

    @classmethod
    def of(cls, page: Page, after: str | None) -> "MovieConnection":
        """Return a page as the schema shows it."""
        return cls(
            page=page,
            after=after,
            total_count=page.total_count,
            complete=page.complete,
            sources=page.sources,  # type: ignore[arg-type]  # domain values, read by name
        )

    @strawberry.field(metadata={LIST_SIZE: PAGE})
    def nodes(self) -> list[Movie]:
        """Return the movies alone."""
        return self.page.movies  # type: ignore[return-value]  # domain values, read by name

    @strawberry.field(metadata={LIST_SIZE: PAGE})
    def edges(self) -> list[MovieEdge]:
        """Return the movies with their cursors."""
        return [
            MovieEdge(cursor=cursor, node=movie)  # type: ignore[arg-type]  # as above
            for cursor, movie in zip(self.page.cursors, self.page.movies, strict=True)
        ]

    @strawberry.field
    def page_info(self) -> PageInfo:
        """Return where this page lies."""
        cursors = self.page.cursors
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


@strawberry.input(description="What a list is narrowed to; every part that is given must hold.")
class MovieFilter:
    """See `domain.selection.MovieFilter`."""

    title: str | None = strawberry.field(
        default=None,
        description="Text within the title; case, accents and punctuation do not count.",
    )
    year_from: int | None = strawberry.field(default=None, description="Inclusive.")
    year_to: int | None = strawberry.field(default=None, description="Inclusive.")
    genre: str | None = strawberry.field(default=None, description="One of the movie's genres.")
    price_from: Decimal | None = strawberry.field(
        default=None, description="Lowest cheapest price, inclusive."
    )
    price_to: Decimal | None = strawberry.field(
        default=None, description="Highest cheapest price, inclusive."
    )
    providers: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only these are asked, and only their movies listed."
    )


@strawberry.enum(description="What a list is ordered by; a missing value comes last.")
class MovieOrderField(Enum):
    """See `domain.movies.MovieOrder`; ordering by PRICE loads the details of all first."""

    TITLE = "title"
    YEAR = "year"
    PRICE = "price"


@strawberry.enum(description="Which way a list runs.")
class OrderDirection(Enum):
    """Ascending or descending."""

    ASC = "asc"
    DESC = "desc"


@strawberry.input(description="How a list is ordered.")
class MovieOrder:
    """See `domain.movies.MovieOrder`."""

    field: MovieOrderField = MovieOrderField.TITLE
    direction: OrderDirection = OrderDirection.ASC


def _entries(movie: domain.Movie, info: ContextInfo) -> list[CatalogueEntry]:
    catalogue = info.context.catalogue
    return [] if catalogue is None else [shown(entry) for entry in catalogue.of(movie)]


def _provider(provider_id: str, info: ContextInfo) -> Provider:
    return info.context.profiles[provider_id]  # type: ignore[return-value]  # read by name


def _listings(movie: domain.Movie) -> list[ListingKey]:
    """Return whose prices a movie's are: of the offers that it shows."""
    return [(offer.provider, offer.provider_movie_id) for offer in movie.offers]


def _point(point: history.PricePoint, info: ContextInfo) -> PricePoint:
    return PricePoint(
        provider=_provider(point.provider, info),
        provider_movie_id=point.provider_movie_id,
        price=Money(
            amount=point.amount, currency=info.context.profiles[point.provider].currency or ""
        ),
        at=point.at,
    )
