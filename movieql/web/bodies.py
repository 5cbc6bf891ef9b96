"""Reading and answering HTTP: bounded bodies, one error shape, strict requests."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Self
from urllib.parse import parse_qsl

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from movieql.domain.movies import is_exactly

BAD_REQUEST = "BAD_REQUEST"
"""`extensions.code` of a request that was not executed: it breaks GraphQL over HTTP."""

DISCARDED_BYTES_MAX = 16_000_000
"""Read and thrown away of a body that is too large: only then can its sender read the refusal."""

PARAMETERS_MAX = 20
"""Parameters of a query string; GraphQL over HTTP has four."""

JSON_DEPTH_MAX = 100
"""How deep lists and objects of a caller's JSON may be in each other; no input here needs ten."""

SHOWN_CHARACTERS_MAX = 100
"""Characters of a caller's number that are repeated to it."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARAMETERS = frozenset({"query", "operationName", "variables", "extensions"})
_UTF_8 = frozenset({"utf-8", "utf8"})
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # of RFC 9110 §5.6.2
_QUOTED = r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"'
_PARAMETER = re.compile(rf"[ \t]*+;[ \t]*+(?:({_TOKEN})=(?:({_TOKEN})|{_QUOTED}))?")
_MEDIA_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})((?:{_PARAMETER.pattern})*+)")

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

NO_PAGE_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""Of whatever is no page: a browser that shows it loads nothing, and frames it nowhere."""

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""Of every answer."""

NO_PAGE_HEADERS = ((b"cache-control", b"no-store"), NO_PAGE_POLICY, *SECURITY_HEADERS)
"""Of a refusal that no app has seen."""


class RequestRefusedError(Exception):
    """A request that is not executed; carries the HTTP status and what to do about it."""

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        code: str = BAD_REQUEST,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.headers = headers or {}

    def response(self) -> Response:
        """Return the refusal as JSON, in the one error shape."""
        extensions = {"code": self.code}
        return error_response(self.status, str(self), extensions, self.headers)


def error_response(
    status: int,
    message: str,
    extensions: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return one error in the shape that all errors have; no cache may keep it."""
    given = {"Cache-Control": "no-store", **(headers or {})}
    return Response(error_body(message, extensions), status, given, media_type=JSON)


def error_body(message: str, extensions: Mapping[str, str]) -> bytes:
    """Return the body of one error."""
    return orjson.dumps({"errors": [{"message": message, "extensions": extensions}]})


async def refused(_: Request, error: Exception) -> Response:
    """Answer what routing refuses (404, 405) like every other refusal."""
    if not isinstance(error, HTTPException):
        raise error
    message = {
        404: "There is nothing here: GraphQL is at /graphql.",
        405: f"This takes {(error.headers or {}).get('Allow', 'other methods')}.",
    }.get(error.status_code, error.detail)
    return RequestRefusedError(error.status_code, message, error.headers).response()


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a caller asks to be executed: a document, or the hash of one, or both."""

    query: str | None
    sha256: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


def check_body_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise RequestRefusedError (415) unless a body is said to be JSON in UTF-8, as it is.

    This is also what keeps other sites' forms out: a browser asks first before it sends JSON.
    """
    types, codings = [], []
    for name, value in headers:
        if name == b"content-type":
            types.append(value.decode("latin-1"))
        elif name == b"content-encoding":
            codings += value.decode("latin-1").split(",")
    if types != [JSON]:
        _check_media_type(types[0] if len(types) == 1 else "")
    refused = [each.strip() for each in codings if each.strip().lower() not in {"", "identity"}]
    if refused:
        raise RequestRefusedError(
            415,
            f"Send the body as it is: the content coding `{refused[0][:40]}` is not read here.",
            {"Accept-Encoding": "identity"},  # RFC 9110 §15.5.16
        )


def _check_media_type(content_type: str) -> None:
    """Raise RequestRefusedError unless it is JSON in UTF-8, by the grammar of RFC 9110 §8.3.1."""
    found = _MEDIA_TYPE.fullmatch(content_type.strip(" \t"))
    if found is None or found[1].lower() != JSON:
        raise RequestRefusedError(415, f"Send `content-type: {JSON}`, in UTF-8.")
    for name, bare, quoted in _PARAMETER.findall(found[2]):
        charset = bare or re.sub(r"\\(.)", r"\1", quoted)
        if name.lower() == "charset" and charset.lower() not in _UTF_8:
            raise RequestRefusedError(415, f"Send `content-type: {JSON}; charset=utf-8`.")


class SentDecimal(Decimal):
    """A number that no float is, as a caller sent it."""

    _text: str

    def __new__(cls, text: str) -> Self:
        """Return the number that a text is."""
        number = super().__new__(cls, text)
        number._text = text
        return number

    def __inspect__(self) -> str:
        """Return what graphql-core writes of it into an error: the number as it was sent."""
        more = self._text[SHOWN_CHARACTERS_MAX:] and "…"
        return self._text[:SHOWN_CHARACTERS_MAX] + more


def exact_float(text: str) -> float | Decimal:
    """Return a number as a float where that is the number to the last digit, else as a Decimal."""
    nearest = float(text)
    return nearest if is_exactly(nearest, text) else SentDecimal(text)


def json_value(
    text: bytes, what: str, parse_float: Callable[[str], float | Decimal] = exact_float
) -> Any:
    """Return what a caller sent as JSON; `what` it is, for people.

    Numbers are exact, whole ones of any size; `parse_float` reads the others. Raises
    RequestRefusedError (400) for what is not JSON in UTF-8, for what is nested more than
    `JSON_DEPTH_MAX` deep, for a number beyond the largest float, and for a key that an object
    has twice: readers differ in which of the two counts (RFC 8259 §4).
    """
    try:
        value = orjson.loads(text)  # strict: UTF-8, whole characters, numbers that are some
        if text.count(b"[") + text.count(b"{") > JSON_DEPTH_MAX and _is_too_deep(value):
            said = f"{what} is nested more than {JSON_DEPTH_MAX} deep."
            raise RequestRefusedError(400, said) from None
        return json.loads(text, object_pairs_hook=partial(_unique, what), parse_float=parse_float)
    except ValueError as error:
        is_number = "infinity" in str(error)  # orjson's word for a number that it does not read
        said = "has a number that is too large" if is_number else "is not JSON"
        # The cause would carry the text, which may hold a password.
        raise RequestRefusedError(400, f"{what} {said}.") from None


def _unique(what: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        said = f"{what} has a key twice in one object, and nobody can say which counts."
        raise RequestRefusedError(400, said)
    return found


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(JSON_DEPTH_MAX):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(inner, (dict, list)) for inner in level)


def posted_request(body: bytes) -> GraphQLRequest:
    """Read a POST's body. Raises RequestRefusedError for what GraphQL over HTTP forbids."""
    return checked_request(json_value(body, "The body"))


def queried_request(query_string: bytes) -> GraphQLRequest:
    """Read a GET's query string, in which variables and extensions are JSON."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError as error:
        raise RequestRefusedError(400, "The query string cannot be read.") from error
    payload: dict[str, Any] = {}
    for name, value in pairs:
        if name in _PARAMETERS and name in payload:
            raise RequestRefusedError(400, f"Send `{name}` once.")
        if name in {"query", "operationName"}:
            payload[name] = value
        elif name in {"variables", "extensions"}:
            payload[name] = json_value(value.encode(), f"`{name}`") if value else None
    return checked_request(payload)


async def bounded_body(receive: Receive, body_bytes_max: int) -> bytes:
    """Return the body of a request. Raises RequestRefusedError when it is too large."""
    body = bytearray()
    received = 0
    more = True
    while more and received <= body_bytes_max + DISCARDED_BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request":
            raise RequestRefusedError(400, "The client went away before its body ended.")
        chunk = message.get("body", b"")
        received += len(chunk)
        if received <= body_bytes_max:
            body += chunk
        more = message.get("more_body", False)
    if received > body_bytes_max:
        raise RequestRefusedError(
            413, f"The body may have {body_bytes_max} bytes.", {"Connection": "close"}
        )
    return bytes(body)


def checked_request(payload: Any) -> GraphQLRequest:
    """Return a request of what was read as JSON. Raises RequestRefusedError for what is none."""
    if not isinstance(payload, dict):
        raise RequestRefusedError(400, "The body must be one JSON object; batches are not taken.")
    query = payload.get("query")
    variables = payload.get("variables")
    operation_name = payload.get("operationName")
    extensions = payload.get("extensions")
    if variables is not None and not isinstance(variables, dict):
        raise RequestRefusedError(400, "`variables` must be an object.")
    if operation_name is not None and not isinstance(operation_name, str):
        raise RequestRefusedError(400, "`operationName` must be a text.")
    if extensions is not None and not isinstance(extensions, dict):
        raise RequestRefusedError(400, "`extensions` must be an object.")
    sha256 = _persisted_hash(extensions or {})
    if not isinstance(query, str) and (query is not None or sha256 is None):
        raise RequestRefusedError(400, "`query` must be the text of a GraphQL document.")
    # An empty name is what some clients send for "none".
    return GraphQLRequest(query, sha256, variables or {}, operation_name or None)


def _persisted_hash(extensions: dict[str, Any]) -> str | None:
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    sha256 = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise RequestRefusedError(400, "`persistedQuery` needs a `sha256Hash` of 64 hex digits.")
    return sha256


def accepted_media_type(accept: str) -> str:
    """Return the media type to answer with. Raises RequestRefusedError (406) for neither.

    The most specific range speaks for a type; of equal weights the first named wins, and JSON
    where only a wildcard speaks.
    """
    ranges = _ranges(accept)
    best_weight, best = 0.0, ""
    for name in (*ranges, JSON, GRAPHQL_RESPONSE):
        if name in {JSON, GRAPHQL_RESPONSE}:
            weight = ranges.get(name, ranges.get("application/*", ranges.get("*/*", 0.0)))
            if weight > best_weight:
                best_weight, best = weight, name
    if not best:
        raise RequestRefusedError(406, f"Accept `{GRAPHQL_RESPONSE}` or `{JSON}`.")
    return best


def names_html(accepts: Iterable[str]) -> bool:
    """Return whether an `Accept` header names HTML, as a browser's does that opens a page."""
    return any(_ranges(accept).get("text/html", 0.0) > 0 for accept in accepts)


def _ranges(accept: str) -> dict[str, float]:
    """Return the weight of each media range, in the order of their naming.

    Of one that is named with parameters and without, the greater weight counts.
    """
    ranges: dict[str, float] = {}
    for part in accept.split(",") if accept.strip(", ") else ["*/*"]:
        name, _, parameters = part.partition(";")
        name = name.strip().lower()
        ranges[name] = max(ranges.get(name, 0.0), _weight(parameters))
    return ranges


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
