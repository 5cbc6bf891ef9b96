"""Expected failures of mutations about exports, typed."""

import strawberry

from movieql.api.mutation_errors import Failure, expected
from movieql.domain.errors import (
    ExportCorruptError,
    IdempotencyConflictError,
    MovieqlError,
    TooManyExportsError,
    UnavailableError,
)


@strawberry.type(description="The idempotency key was used before, with other input.")
class IdempotencyConflict(Failure):
    """See `domain.errors.IdempotencyConflictError`."""


@strawberry.type(description="The caller has as many exports that have not ended as it may have.")
class QuotaExceeded(Failure):
    """See `domain.errors.TooManyExportsError`."""

    limit: int = strawberry.field(description="How many it may have at once.")


@strawberry.type(description="The export runs or is well: beside this it is as it stands.")
class NotRetryable(Failure):
    """See `domain.errors.ExportStateError`."""


@strawberry.type(description="The export has ended otherwise: beside this it is as it did.")
class NotCancellable(Failure):
    """See `services.exports.Exports.cancel`."""


@strawberry.type(description="The object store does not answer, or this server makes no exports.")
class ExportsUnavailable(Failure):
    """See `domain.errors.UnavailableError`."""

    retryable: bool = strawberry.field(description="Whether trying again may help.")
    may_have_happened: bool = strawberry.field(
        description="True: nobody knows. With the same `idempotencyKey`, and for the other "
        "mutations always, trying again does nothing twice."
    )


EXPORT_ERROR_TYPES = [
    IdempotencyConflict,
    QuotaExceeded,
    NotRetryable,
    NotCancellable,
    ExportsUnavailable,
]
"""Every type of failure that only these mutations have; no field names them."""


def expected_of_export(error: MovieqlError, open_max: int) -> Failure:
    """Return a failure as the schema shows it. What is none is raised again."""
    match error:
        case IdempotencyConflictError():
            return IdempotencyConflict(message=str(error))
        case TooManyExportsError():
            return QuotaExceeded(message=str(error), limit=open_max)
        case UnavailableError():
            return ExportsUnavailable(
                message=str(error),
                retryable=not isinstance(error, ExportCorruptError),
                may_have_happened=error.may_have_happened,
            )
    return expected(error)
