"""Errors as callers see them: one shape, a code in each, our own faults masked."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from movieql.domain.errors import (
    IncompleteSourcesError,
    MovieqlError,
    PersistedQueryNotFoundError,
    RateLimitedError,
)
from movieql.domain.movies import SourceReport

ERROR_CODES = {
    "GRAPHQL_PARSE_FAILED": "The document is not GraphQL.",
    "GRAPHQL_VALIDATION_FAILED": "The document does not fit the schema, or its variables do not.",
    "BAD_USER_INPUT": "An argument has a value that is not allowed; the message says what is.",
    "INCOMPLETE_SOURCES": "`requireComplete` was asked for and a provider did not answer freshly.",
    "LIMIT_EXCEEDED": "The operation is larger than this server answers; the message says where.",
    "PERSISTED_QUERY_NOT_FOUND": "No document with this hash is known: send it along once.",
    "UNAUTHENTICATED": "This needs a valid bearer token; the message says what is wrong.",
    "FORBIDDEN": "The token does not allow this; the message names the scope.",
    "RATE_LIMITED": "The caller asked for more than its share; `retryAfterMs` says when again.",
    "UNAVAILABLE": "A part that this needs does not answer now, or this server has none.",
    "INTERNAL": "A fault of ours; the request id is in the log beside what happened.",
}
"""Every `extensions.code` of an executed request, and what it means."""

LogFault = Callable[[BaseException], None]
"""Told of each error that is masked."""


def formatted_error(error: GraphQLError, request_id: str, log_fault: LogFault) -> dict[str, Any]:
    """Return an error as it goes out; a fault of ours is logged and masked."""
    cause = error.original_error
    shown = dict(error.formatted)
    if isinstance(cause, MovieqlError) and cause.code != "INTERNAL":
        return shown | {"message": str(cause), "extensions": _extensions(cause)}
    if cause is not None and not isinstance(cause, GraphQLError):
        log_fault(cause)
        return shown | {
            "message": f"Internal error; give this id when you report it: {request_id}",
            "extensions": {"code": "INTERNAL", "requestId": request_id},
        }
    syntax = isinstance(error, GraphQLSyntaxError)
    code = "GRAPHQL_PARSE_FAILED" if syntax else "GRAPHQL_VALIDATION_FAILED"
    return shown | {"extensions": {"code": code}}


def request_error(error: MovieqlError) -> dict[str, Any]:
    """Return the body for a request of which nothing was executed."""
    # Apollo's clients look for this very word in the message.
    is_unknown = isinstance(error, PersistedQueryNotFoundError)
    message = "PersistedQueryNotFound" if is_unknown else str(error)
    return {"errors": [{"message": message, "extensions": _extensions(error)}]}


def _extensions(cause: MovieqlError) -> dict[str, Any]:
    if isinstance(cause, IncompleteSourcesError):
        return {"code": cause.code, "sources": _sources(cause.sources)}
    if isinstance(cause, RateLimitedError):
        return {"code": cause.code, "retryAfterMs": round(cause.retry_after_s * 1000)}
    return {"code": cause.code}


def _sources(sources: Sequence[SourceReport]) -> list[dict[str, Any]]:
    return [
        {
            "provider": report.provider,
            "status": report.status.value,
            "asOf": None if report.as_of is None else report.as_of.isoformat(),
            "error": None
            if report.error is None
            else {"code": report.error.code.value, "message": report.error.message},
        }
        for report in sources
    ]
