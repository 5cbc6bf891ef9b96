"""The one tree of exceptions that may cross a layer; each class's docstring is its message."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

from movieql.domain.movies import SourceReport

if TYPE_CHECKING:  # which raises these errors
    from movieql.domain.catalogue import CatalogueEntry


class MovieqlError(Exception):
    """Something went wrong in movieql."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class BadInputError(MovieqlError):
    """The request asks for something that is not allowed; the message says what is."""

    code = "BAD_USER_INPUT"


class InvalidInputError(BadInputError):
    """A part of the input is not allowed; the message says what is."""

    path: tuple[str, ...] = ()

    @classmethod
    def at(cls, path: tuple[str, ...], message: str) -> Self:
        """Return the error of the part at `path`: names of fields, and places in lists."""
        error = cls(message)
        error.path = path
        return error


class IncompleteSourcesError(MovieqlError):
    """A provider did not answer freshly and the caller asked for nothing less."""

    code = "INCOMPLETE_SOURCES"
    sources: Sequence[SourceReport] = ()

    @classmethod
    def of(cls, sources: Sequence[SourceReport]) -> Self:
        """Return the error that carries what every provider did."""
        error = cls()
        error.sources = sources
        return error


class LimitExceededError(MovieqlError):
    """The operation is larger than this server answers; the message names the limit."""

    code = "LIMIT_EXCEEDED"


class PersistedQueryNotFoundError(MovieqlError):
    """No document with this hash is known here: send it along once."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class UnauthenticatedError(MovieqlError):
    """The request carries no token, or an invalid one; the message says which."""

    code = "UNAUTHENTICATED"


class ForbiddenError(MovieqlError):
    """The token is good and does not allow this; the message names the scope."""

    code = "FORBIDDEN"


class RateLimitedError(MovieqlError):
    """The caller asked for more than its share; it may ask again later."""

    code = "RATE_LIMITED"
    retry_after_s: float = 1.0

    @classmethod
    def after(cls, retry_after_s: float) -> Self:
        """Return the error that says after how many seconds to ask again."""
        error = cls(f"Too many requests: ask again in {retry_after_s:.0f} s.")
        error.retry_after_s = retry_after_s
        return error


class UnavailableError(MovieqlError):
    """A part that this needs does not answer now; nothing is known to have been changed."""

    code = "UNAVAILABLE"
    may_have_happened: ClassVar[bool] = False


class StoreError(UnavailableError):
    """The object store does not answer or refuses; what was asked may have happened or not."""

    may_have_happened = True


class StoreUnwritableError(StoreError):
    """The object store cannot be written to; nothing was written."""

    may_have_happened = False


class PreconditionFailedError(MovieqlError):
    """The object is not the version that the write was for; nothing was written."""


class UploadGoneError(MovieqlError):
    """The upload was aborted or completed by another; nothing was written."""


class CatalogueCorruptError(UnavailableError):
    """The catalogue's file cannot be read; it is left as it is until somebody mends it."""


class CatalogueConflictError(MovieqlError):
    """What was to be changed is another version by now; read it again and decide anew."""

    code = "VERSION_CONFLICT"
    current_version: str | None = None

    @classmethod
    def at(cls, current_version: str | None) -> Self:
        """Return the error that carries the version there is now, None if nothing is there."""
        error = cls()
        error.current_version = current_version
        return error


class NearDuplicateError(MovieqlError):
    """The catalogue has an entry that may be the same movie; nothing was written."""

    entries: "Sequence[CatalogueEntry]" = ()

    @classmethod
    def of(cls, entries: "Sequence[CatalogueEntry]") -> Self:
        """Return the error that carries the entries that there are."""
        names = ", ".join(f"{each.name!r} of {each.year}" for each in entries)
        error = cls(f"The catalogue has {names} already: is it the same movie?")
        error.entries = entries
        return error


class CatalogueBusyError(UnavailableError):
    """Too many write at once; nothing was written: try again."""


class QueueError(UnavailableError):
    """The queue does not answer; what was asked may have happened or not."""


class JobRefusedError(MovieqlError):
    """The queue holds a job that is none of ours; it was not run."""


class ObservationsCorruptError(UnavailableError):
    """A file of observations cannot be read; without it an export would have a hole."""

    @classmethod
    def of(cls, key: str, reason: str) -> Self:
        """Return the error that names the file's key and what is wrong with it."""
        return cls(f"The observations in {key} cannot be read: {reason}.")


class ObservationsIncompleteError(UnavailableError):
    """Observations were moved while they were read; read them again."""


class NothingObservedError(UnavailableError):
    """No provider was observed in the window, as far as it is written down by now."""


class ExportCorruptError(UnavailableError):
    """The record of an export cannot be read; the message names its key."""


class ExportCancelledError(MovieqlError):
    """The export was ended by another while it was being written."""


class ExportStateError(MovieqlError):
    """The export is not in a state that allows this; the message says which it is in."""

    code = "EXPORT_STATE"


class IdempotencyConflictError(MovieqlError):
    """The idempotency key was used before, with other input."""

    code = "IDEMPOTENCY_CONFLICT"


class TooManyExportsError(MovieqlError):
    """So many exports of one caller are open that no more may be; the message says how many."""

    code = "TOO_MANY_EXPORTS"


class CacheError(MovieqlError):
    """The shared cache did not answer, or not in time."""


class SettingsError(MovieqlError):
    """A setting is missing or wrong; the message names it and the way out."""
