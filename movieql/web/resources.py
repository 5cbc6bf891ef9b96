"""What every REST route does alike: methods, one error shape, bounded bodies, strict queries."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from movieql.domain.errors import (
    BadInputError,
    CatalogueConflictError,
    ForbiddenError,
    InvalidInputError,
    LimitExceededError,
    MovieqlError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from movieql.domain.movies import is_exactly
from movieql.web import bodies
from movieql.web.admission import refusal
from movieql.web.bodies import (
    BAD_REQUEST,
    JSON,
    PARAMETERS_MAX,
    RequestRefusedError,
    bounded_body,
    check_body_headers,
    json_value,
)

NOT_FOUND = "NOT_FOUND"
"""`code` where there is nothing: no such movie, no such file, no such path."""

REST_CODES = frozenset(
    {BAD_REQUEST, NOT_FOUND, MovieqlError.code}
    | {
        error.code
        for error in (
            BadInputError,
            CatalogueConflictError,
            ForbiddenError,
            LimitExceededError,
            RateLimitedError,
            UnauthenticatedError,
            UnavailableError,
        )
    }
)
"""Every `code` that a REST error may have."""

RETRY_AFTER_S = 1
"""When to ask again while a part of ours does not answer; replicas see a write within 1 s."""

_FIRST_PARTS = frozenset({"api", "login", "files"})
_S = TypeVar("_S")

Handler = Callable[[_S, Request], Awaitable[Response]]
"""Answers a request with the service of its route."""


class RestError(RequestRefusedError):
    """A refusal in REST's shape: HTTP status, sentence, `code`, headers, and the path at fault."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
        *,
        path: Collection[str] = (),
    ) -> None:
        super().__init__(status, message, headers, code)
        self.path = path

    def response(self) -> Response:
        """Return `{"error": …, "code": …}`, with `path` where a part of the body is at fault."""
        body: dict[str, Any] = {"error": str(self), "code": self.code}
        if self.path:
            body["path"] = list(self.path)
        headers = {"Cache-Control": "no-store", **self.headers}
        return json_response(body, self.status, headers)


def rest_error(error: MovieqlError, *, with_token: bool) -> RestError:
    """Return what REST says of an error that may reach a caller. Others are raised again."""
    if isinstance(error, BadInputError):
        path = error.path if isinstance(error, InvalidInputError) else ()
        return RestError(400, str(error), error.code, path=path)
    if isinstance(error, LimitExceededError):
        return RestError(507, str(error), error.code)
    if isinstance(error, CatalogueConflictError):
        return RestError(409, "Version conflict", error.code, etag_header(error.current_version))
    if isinstance(error, UnavailableError):
        return RestError(503, str(error), error.code, {"Retry-After": str(RETRY_AFTER_S)})
    refused = refusal(error, with_token=with_token)
    return RestError(refused.status, str(refused), refused.code, refused.headers)


def etag_header(etag: str | None) -> dict[str, str]:
    """Return the header of a version without quotes, nothing where there is nothing."""
    return {} if etag is None else {"ETag": f'"{etag}"'}


class Resource(Generic[_S]):
    """An ASGI app for one path: a handler per method, on a service that is in `app.state`.

    HEAD is answered like GET, OPTIONS with the methods. Every refusal is in the one shape; what
    is no refusal is a fault of ours, passed to `note_fault`. Where the service is None, the answer
    is 404 with the sentence `absent`.
    """

    def __init__(
        self,
        state: str,
        handlers: Mapping[str, Handler[_S]],
        absent: str,
        note_fault: Callable[[BaseException], None],
    ) -> None:
        self.methods = frozenset(handlers)
        self._state = state
        self._handlers = {**handlers, **({"HEAD": handlers["GET"]} if "GET" in handlers else {})}
        self._absent = absent
        self._note_fault = note_fault
        self._allow = ", ".join(sorted({*self._handlers, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._handled(request)
        except RestError as error:
            return error.response()
        except RequestRefusedError as error:
            return RestError(error.status, str(error), error.code, error.headers).response()
        except MovieqlError as error:
            return self._refused(error, request)
        except Exception as error:  # noqa: BLE001  # whatever it is, its caller gets the one shape
            return self._fault(error, request)

    async def _handled(self, request: Request) -> Response:
        handler = self._handlers.get(request.method)
        service = getattr(request.app.state, self._state)
        if handler is not None and service is not None:
            return await handler(service, request)
        # Handlers take a request from its caller's budget themselves.
        await request.app.state.admission.count(request.scope)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": self._allow})
        if handler is None:
            raise RestError(405, f"This takes {self._allow}.", headers={"Allow": self._allow})
        raise RestError(404, self._absent, NOT_FOUND)

    def _refused(self, error: MovieqlError, request: Request) -> Response:
        try:
            with_token = "authorization" in request.headers
            return rest_error(error, with_token=with_token).response()
        except MovieqlError as fault:
            return self._fault(fault, request)

    def _fault(self, error: Exception, request: Request) -> Response:
        self._note_fault(error)
        request_id = request.scope.get("state", {}).get("request_id", "none")
        message = f"Internal error; give this id when you report it: {request_id}"
        return RestError(500, message, MovieqlError.code).response()


async def refused(request: Request, error: Exception) -> Response:
    """Answer what routing refuses: below a REST path in REST's shape, else in GraphQL's."""
    # The path of `OPTIONS *` has no slash.
    is_rest = not _FIRST_PARTS.isdisjoint(request.scope["path"].split("/")[1:2])
    if isinstance(error, HTTPException) and is_rest:
        message = {
            404: "There is nothing here: /api/openapi.json says what there is.",
            405: f"This takes {(error.headers or {}).get('Allow', 'other methods')}.",
        }.get(error.status_code, error.detail)
        code = NOT_FOUND if error.status_code == 404 else BAD_REQUEST  # noqa: PLR2004  # HTTP's
        return RestError(error.status_code, message, code, error.headers).response()
    return await bodies.refused(request, error)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes of a body, and seconds in which all of it has to be here."""

    bytes_max: int
    body_s: float


async def json_object(request: Request, limits: BodyLimits) -> dict[str, Any]:
    """Return the body of a request. Raises RequestRefusedError: 400, 408, 413 or 415."""
    check_body_headers(request.scope["headers"])
    try:
        async with asyncio.timeout(limits.body_s):
            body = await bounded_body(request.receive, limits.bytes_max)
    except TimeoutError as error:
        message = f"The body has to be here within {limits.body_s:g} s."
        raise RestError(408, message, headers={"Connection": "close"}) from error
    parsed = json_value(body, "The body", _float)
    if not isinstance(parsed, dict):
        raise RestError(400, "The body must be one JSON object.")
    return parsed


def _float(text: str) -> float:
    number = float(text)
    if not is_exactly(number, text):
        said = "A number in the body has too many digits to be kept exactly: send it as text."
        raise RestError(400, said)
    return number


def json_response(content: Any, status: int, headers: Mapping[str, str]) -> Response:
    """Return an answer in JSON. What was read from a file may be more than orjson can write."""
    try:
        body = orjson.dumps(content)
    except orjson.JSONEncodeError:  # a number of more than 64 bits, half a character
        body = json.dumps(content).encode()
    return Response(body, status, headers, media_type=JSON)


def parameters(request: Request, known: Collection[str] = ()) -> dict[str, str]:
    """Return the query string's parameters. Raises RestError for what is not `known`.

    A misspelt one must not be without effect: a query without any gives everything.
    """
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError as error:
        raise RestError(400, "The query string cannot be read.") from error
    given = dict(pairs)
    if len(given) < len(pairs):
        raise RestError(400, "Send each parameter once.")
    if "filename" in given and "filename" not in known:
        raise RestError(400, "There is one catalogue: leave `filename` out.")
    if not given.keys() <= set(known):
        takes = " and ".join(f"`{name}`" for name in sorted(known)) or "no parameters"
        raise RestError(400, f"This takes {takes} in its query string.")
    return given
