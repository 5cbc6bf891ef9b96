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
from movieql.api.found import movie_left, movie_of_entry
from movieql.api.mutation_errors import (
    CatalogueUnavailable,
    Failure,
    NotFound,
    ValidationFailed,
    expected,
    refused,
)
from movieql.domain import movies
from movieql.domain.additions import Addition, checked_addition
from movieql.domain.callers import Caller, Scope, require
from movieql.domain.errors import MovieqlError
from movieql.domain.movies import Money
from movieql.services.entries import Deleted

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
        if root.entry is None:
            return None
        return await movie_of_entry(info, root.entry)  # type: ignore[return-value]  # by name


@strawberry.input(description="Which entry of the house catalogue is to be deleted.")
class DeleteMovieInput:
    """Becomes the arguments of `HouseEntries.delete`."""

    id: strawberry.ID = strawberry.field(
        description="Of the entry; or of its merged movie, if that has only one entry or "
        "`ifMatch` is the version of one of them."
    )
    if_match: str | None = strawberry.field(
        default=None, description="The `version` of the entry: deleted only if it is this one."
    )


@strawberry.type(description="What became of an entry that was to be deleted.")
class DeleteMoviePayload:
    """Either `entry`, or the reasons in `errors`."""

    entry: CatalogueEntry | None = strawberry.field(description="As it was before.")
    movie_id: strawberry.Private[str | None]
    errors: list[Failure]

    @strawberry.field(
        description="The merged movie as it is without the entry; null when nothing of it is left."
    )
    @staticmethod
    async def movie(root: strawberry.Parent[Any], info: ContextInfo) -> types.Movie | None:
        """Answer with what came within the budget of the request; see `Browse.movie`."""
        if root.movie_id is None:
            return None
        return await movie_left(info, root.movie_id)  # type: ignore[return-value]  # by name

    @classmethod
    def failed(cls, failure: Failure) -> "DeleteMoviePayload":
        """Return the payload of what was not deleted."""
        return cls(entry=None, movie_id=None, errors=[failure])


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
    description="A movie to post to a provider's API, with the fields that it takes."
)
class AddMovieInput:
    """Becomes `Row` fields."""

    provider: strawberry.ID = strawberry.field(description="The provider to post it to.")
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
    ) -> UpsertMoviePayload | None:
        """See `services.catalogue.Catalogue.upsert`."""
        require(info.context.caller, SCOPE)
        if info.context.catalogue is None:
            return UpsertMoviePayload(entry=None, created=False, errors=[_no_catalogue()])
        try:
            written = await info.context.catalogue.upsert(
                fields.name,
                fields.year,
                fields.fields(),
                fields.if_match,
                allow_near_duplicate=fields.allow_near_duplicate,
            )
        except MovieqlError as error:
            return UpsertMoviePayload(entry=None, created=False, errors=[expected(error)])
        entry = None if written.entry is None else shown(written.entry)
        return UpsertMoviePayload(entry=entry, created=written.created, errors=[])

    @strawberry.field(
        description="Delete an entry of the house catalogue; what shops sell stays. "
        "Needs `movies:write`."
    )
    @staticmethod
    async def delete_movie(
        info: ContextInfo,
        given: Annotated[DeleteMovieInput, strawberry.argument(name="input")],
    ) -> DeleteMoviePayload | None:
        """See `HouseEntries.delete`."""
        require(info.context.caller, SCOPE)
        try:
            deleted = await _deleted(info.context, given)
        except MovieqlError as error:
            return DeleteMoviePayload.failed(expected(error))
        if isinstance(deleted, Failure):
            return DeleteMoviePayload.failed(deleted)
        return DeleteMoviePayload(entry=shown(deleted.entry), movie_id=deleted.movie_id, errors=[])

    @strawberry.field(
        description="Post a movie to a provider's own API, once. Needs `movies:write`."
    )
    @staticmethod
    async def add_movie(
        info: ContextInfo,
        fields: Annotated[AddMovieInput, strawberry.argument(name="input")],
    ) -> AddMoviePayload | None:
        """See `services.additions.Additions.add`."""
        caller = require(info.context.caller, SCOPE)
        additions = info.context.additions
        if additions is None:
            failure = ValidationFailed(message=NO_ADDITIONS, path=["input", "provider"])
            return AddMoviePayload(added=None, errors=[failure])
        try:
            key = _key(caller, fields.provider, fields.idempotency_key)
            addition = await additions.add(fields.provider, fields.fields(), key)
        except MovieqlError as error:
            return AddMoviePayload(added=None, errors=[expected(error)])
        return _added(info.context, fields.provider, addition)


async def _deleted(context: Context, given: DeleteMovieInput) -> Deleted | Failure:
    if context.catalogue is None:
        return _no_catalogue()
    deleted = await context.catalogue.delete(
        given.id, given.if_match, context.until_s, context.load
    )
    return deleted or NotFound(message="The house catalogue has no such entry.")


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
