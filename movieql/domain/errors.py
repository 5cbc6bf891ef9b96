"""The one tree of exceptions that may cross a layer; each class's docstring is its message."""

from collections.abc import Sequence
from typing import ClassVar, Self

from movieql.domain.reports import SourceReport


class MovieqlError(Exception):
    """Something went wrong in movieql."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class BadInputError(MovieqlError):
    """The request asks for something that is not allowed; the message says what is."""

    code = "BAD_USER_INPUT"


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


class CacheError(MovieqlError):
    """The shared cache did not answer, or not in time."""


class SettingsError(MovieqlError):
    """A setting is missing or wrong; the message names it and the way out."""
