"""Expected failures of mutations, typed: what the caller can do about each is in its fields."""

from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from movieql.api import types
from movieql.api.catalogue_types import CatalogueEntry, shown
from movieql.api.context import ContextInfo
from movieql.domain.additions import Addition
from movieql.domain.catalogue_fields import FIELD_NAMES
from movieql.domain.errors import (
    BadInputError,
    CatalogueConflictError,
    CatalogueCorruptError,
    InvalidInputError,
    LimitExceededError,
    MovieqlError,
    NearDuplicateError,
    UnavailableError,
)
from movieql.domain.movies import SourceError, SourceErrorCode


@strawberry.interface(
    name="MutationError",
    description="Why a mutation did not do what was asked. More types may come: show `message`.",
)
class Failure:
    """What every failure has."""

    message: str


@strawberry.type(description="What was to be changed is another version by now.")
class VersionConflict(Failure):
    """See `domain.errors.CatalogueConflictError`."""

    current_version: str | None = strawberry.field(description="Null when there is nothing.")


@strawberry.type(description="A part of the input is not allowed.")
class ValidationFailed(Failure):
    """See `domain.errors.InvalidInputError`."""

    path: list[str] = strawberry.field(
        description="From the argument to the field and, in a list, the place: `input`, `genres`."
    )


@strawberry.type(description="There is nothing of this id.")
class NotFound(Failure):
    """No entry of the catalogue, with its movie, and no export of the caller's has the id."""


@strawberry.type(
    description="The catalogue has entries of that year with nearly the same name; nothing was "
    "written. With `allowNearDuplicate` the entry is created all the same."
)
class NearDuplicate(Failure):
    """See `domain.errors.NearDuplicateError`."""

    entries: list[CatalogueEntry] = strawberry.field(description="These exist; at most 10.")


@strawberry.type(description="The catalogue, or this entry, is as large as it may be.")
class CatalogueFull(Failure):
    """See `domain.errors.LimitExceededError`."""


@strawberry.type(description="The house catalogue cannot be written now, or there is none.")
class CatalogueUnavailable(Failure):
    """See `domain.errors.UnavailableError`."""

    retryable: bool = strawberry.field(description="Whether trying again may help.")
    may_have_happened: bool = strawberry.field(
        description="True: nobody knows whether it was written; read before trying again."
    )


@strawberry.type(description="A provider did not take the movie, or nobody knows whether it did.")
class ProviderRefused(Failure):
    """See `domain.additions.Addition`."""

    provider_id: strawberry.Private[str]
    code: SourceErrorCode
    status: int | None = strawberry.field(
        description="The HTTP status of its answer; null when there was none."
    )
    retryable: bool = strawberry.field(
        description="Whether trying again may help and cannot add the movie twice."
    )
    retry_after_ms: int | None = strawberry.field(
        description="Milliseconds, from this answer on, until the provider is called again."
    )
    may_have_happened: bool = strawberry.field(
        description="True: it was sent, and nobody knows whether it was carried out."
    )

    @strawberry.field(description="Which provider.")
    def provider(self, info: ContextInfo) -> types.Provider:
        """Return the provider that was asked."""
        return info.context.profiles[self.provider_id]  # type: ignore[return-value]  # by name


ERROR_TYPES: list[Any] = [
    VersionConflict,
    ValidationFailed,
    NotFound,
    NearDuplicate,
    CatalogueFull,
    CatalogueUnavailable,
    ProviderRefused,
]
"""Every type of failure; none is named by a field, so the schema has to be told."""


def expected(error: MovieqlError) -> Failure:
    """Return a failure as the schema shows it. What is none is raised again: a fault of ours."""
    match error:
        case CatalogueConflictError():
            return VersionConflict(message=str(error), current_version=error.current_version)
        case NearDuplicateError():
            message = f"{error} To create it all the same, send `allowNearDuplicate: true`."
            return NearDuplicate(message=message, entries=list(map(shown, error.entries)))
        case InvalidInputError():
            return ValidationFailed(message=str(error), path=_path(error.path))
        case BadInputError():
            return ValidationFailed(message=str(error), path=["input"])
        case LimitExceededError():
            return CatalogueFull(message=str(error))
        case UnavailableError():
            return _unavailable(error)
    raise error


def refused(provider: str, addition: Addition, now_s: float) -> ProviderRefused:
    """Return an addition that brought nothing as the schema shows it, at a monotonic second."""
    error = addition.error or SourceError(SourceErrorCode.INTERNAL, "The outcome is not known.")
    return ProviderRefused(
        message=error.message,
        provider_id=provider,
        code=error.code,
        status=addition.status,
        retryable=error.retryable,
        retry_after_ms=error.retry_after_ms(now_s),
        may_have_happened=addition.may_have_happened,
    )


def _unavailable(error: UnavailableError) -> CatalogueUnavailable:
    return CatalogueUnavailable(
        message=str(error),
        retryable=not isinstance(error, CatalogueCorruptError),
        may_have_happened=error.may_have_happened,
    )


def _path(path: tuple[str, ...]) -> list[str]:
    """Return where in the argument a field of the file or of a row is."""
    ours = [to_camel_case(FIELD_NAMES.get(each, each)) for each in path]
    return ["input", *ours]
