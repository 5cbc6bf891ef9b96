"""The root fields that write.

Each needs the scope `movies:write`, asked for before anything else. Who lacks it gets a top-level
error, UNAUTHENTICATED or FORBIDDEN; every other expected failure is data in `errors`. Root fields
may be null, so that one which fails takes no other along.
"""

from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any

import strawberry

from movieql.api import types
from movieql.api.catalogue_types import CatalogueEntry, UpsertMovieInput, shown
from movieql.api.context import Context, ContextInfo
from movieql.api.mutation_errors import (
    CatalogueUnavailable,
    Failure,
    NotFound,
    ValidationFailed,
    expected,
    refused,
)
from movieql.api.queries import TEXT_CHARACTERS_MAX, found_movie
from movieql.domain import movies
from movieql.domain.additions import Addition, checked_addition
from movieql.domain.callers import Caller, Scope, require
from movieql.domain.catalogue import CatalogueEntry as Entry
from movieql.domain.errors import MovieqlError
from movieql.domain.money import Money

SCOPE: Scope = "movies:write"
"""The scope that any of these fields needs (docs/semantics.md, Access)."""

NO_CATALOGUE = "This server has no house catalogue: it needs an object store in its settings."
NO_ADDITIONS = "This server posts no movies to providers."


@strawberry.type(description="What became of an entry that was written.")
class UpsertMoviePayload:
    """Either `entry`, or the reasons in `errors`."""

    entry: CatalogueEntry | None = strawberry.field(description="As it was written.")
    created: bool = strawberry.field(description="Whether there was no such entry before.")
    errors: list[Failure]

    @strawberry.field(description="The merged movie that the entry is part of now.")
    @staticmethod
    async def movie(root: strawberry.Parent[Any], info: ContextInfo) -> types.Movie | None:
        """Answer with what came within the budget of the request; see `Browse.movie`."""
        return None if root.entry is None else await found_movie(info, root.entry.id)


@strawberry.type(description="What became of an entry that was to be deleted.")
class DeleteMoviePayload:
    """Either `entry`, or the reasons in `errors`."""

    entry: CatalogueEntry | None = strawberry.field(description="As it was before.")
    errors: list[Failure]


@strawberry.type(description="A movie as a provider says that it stored it.")
class AddedMovie:
    """See `domain.movies.Row`."""

    provider: types.Provider
    provider_movie_id: str = strawberry.field(description="The provider's own id of the movie.")
    title: str | None
    year: int | None
    plot: str | None
    price: types.Money | None = strawberry.field(description="Null: it stored no usable price.")
    created_at: datetime | None


@strawberry.type(description="What became of a movie that was posted to a provider.")
class AddMoviePayload:
    """Either `added`, or the reasons in `errors`."""

    added: AddedMovie | None = strawberry.field(
        description="What the provider stored; it is in the merged list once that was read again."
    )
    errors: list[Failure]


@strawberry.input(
    description="A movie for a provider's own shelf; only the fields that it has a place for."
)
class AddMovieInput:
    """Becomes `Row` fields."""

    title: str
    plot: str | None = None
    price: Decimal | None = strawberry.field(
        default=None, description="In the provider's currency; sent exactly."
    )
    year: int | None = None
    director: str | None = None
    genres: list[str] | None = None
    actors: list[str] | None = None
    poster: str | None = None
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="The same for every try of one addition: where the provider honours keys, "
        "tries with the same key add one movie.",
    )

    def fields(self) -> dict[str, object]:
        """Return what is given, checked. Raises InvalidInputError."""
        names = ("title", "plot", "price", "year", "director", "genres", "actors", "poster")
        given = {name: getattr(self, name) for name in names}
        return checked_addition({name: each for name, each in given.items() if each is not None})


@strawberry.type
class MovieMutation:
    """What can be changed about movies."""

    @strawberry.field(
        description="Create or change a movie of the house catalogue. Needs `movies:write`."
    )
    @staticmethod
    async def upsert_movie(
        info: ContextInfo,
        fields: Annotated[UpsertMovieInput, strawberry.argument(name="input")],
        if_match: Annotated[
            str | None,
            strawberry.argument(description="Only if the entry is this version of itself."),
        ] = None,
    ) -> UpsertMoviePayload | None:
        """See `services.catalogue.Catalogue.upsert`."""
        require(info.context.caller, SCOPE)
        if info.context.catalogue is None:
            return UpsertMoviePayload(entry=None, created=False, errors=[_no_catalogue()])
        try:
            written = await info.context.catalogue.upsert(
                fields.name, fields.year, fields.fields(), if_match
            )
        except MovieqlError as error:
            return UpsertMoviePayload(entry=None, created=False, errors=[expected(error)])
        return UpsertMoviePayload(entry=shown(written.entry), created=written.created, errors=[])

    @strawberry.field(
        description="Delete a movie of the house catalogue, by the entry's id or the merged "
        "movie's; what shops sell stays. Needs `movies:write`."
    )
    @staticmethod
    async def delete_movie(
        info: ContextInfo,
        id: strawberry.ID,  # noqa: A002  # named by GraphQL
        if_match: Annotated[
            str | None,
            strawberry.argument(description="Only if the entry is this version of itself."),
        ] = None,
    ) -> DeleteMoviePayload | None:
        """See `HouseEntries.delete`."""
        require(info.context.caller, SCOPE)
        try:
            entry = await _deleted(info.context, id, if_match)
        except MovieqlError as error:
            return DeleteMoviePayload(entry=None, errors=[expected(error)])
        if isinstance(entry, Failure):
            return DeleteMoviePayload(entry=None, errors=[entry])
        return DeleteMoviePayload(entry=shown(entry), errors=[])

    @strawberry.field(
        description="Post a movie to a provider's own API, once. Needs `movies:write`."
    )
    @staticmethod
    async def add_movie(
        info: ContextInfo,
        provider: strawberry.ID,
        fields: Annotated[AddMovieInput, strawberry.argument(name="input")],
    ) -> AddMoviePayload | None:
        """See `services.additions.Additions.add`."""
        caller = require(info.context.caller, SCOPE)
        additions = info.context.additions
        if additions is None:
            failure = ValidationFailed(message=NO_ADDITIONS, path=["provider"])
            return AddMoviePayload(added=None, errors=[failure])
        try:
            key = _key(caller, provider, fields.idempotency_key)
            addition = await additions.add(provider, fields.fields(), key)
        except MovieqlError as error:
            return AddMoviePayload(added=None, errors=[expected(error)])
        return _added(info.context, provider, addition)


async def _deleted(context: Context, movie_id: str, if_match: str | None) -> Entry | Failure:
    if context.catalogue is None:
        return _no_catalogue()
    too_long = len(movie_id) > TEXT_CHARACTERS_MAX * 3
    entry = (
        None
        if too_long
        else await context.catalogue.delete(movie_id, if_match, context.until_s, context.load)
    )
    return entry or NotFound(message="The house catalogue has no such movie.")


def _no_catalogue() -> Failure:
    return CatalogueUnavailable(message=NO_CATALOGUE, retryable=False, may_have_happened=False)


def _key(caller: Caller, provider: str, key: str | None) -> str | None:
    """Return a key of this caller's for this provider: others may have thought of the same."""
    if key is None:
        return None
    mine = f"{caller.subject}\n{provider}\n{key}"
    return sha256(mine.encode(errors="replace")).hexdigest()


def _added(context: Context, provider: str, addition: Addition) -> AddMoviePayload:
    row = addition.row
    if row is None:
        failure = refused(provider, addition, context.monotonic_s())
        return AddMoviePayload(added=None, errors=[failure])
    profile: movies.Profile = context.profiles[provider]
    price = None
    if row.amount is not None and profile.currency is not None:
        price = Money(row.amount, profile.currency)
    added = AddedMovie(
        provider=profile,  # type: ignore[arg-type]  # a domain value, read by name
        provider_movie_id=row.provider_movie_id,
        title=row.description.title,
        year=row.description.year,
        plot=row.description.plot,
        price=price,  # type: ignore[arg-type]  # as above
        created_at=row.created_at,
    )
    return AddMoviePayload(added=added, errors=[])
