"""GraphQL over HTTP, as the draft of August 2026 says: POST and GET on one path.

An ASGI app of its own: an answer that is kept goes out without anything being parsed.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from movieql.domain.callers import Caller
from movieql.domain.errors import RateLimitedError
from movieql.domain.movies import ContentRevision, SourceReport
from movieql.ports import NO_TRACES, Clock, Tracer
from movieql.web.admission import Admission, Admitted, refusal
from movieql.web.bodies import (
    GRAPHQL_RESPONSE,
    RequestRefusedError,
    accepted_media_type,
    bounded_body,
    check_body_headers,
    names_html,
    posted_request,
    queried_request,
)
from movieql.web.caching import (
    NO_STORE,
    AnswerMemo,
    KeptAnswer,
    cache_control,
    etag,
    matches,
    sources_header,
)

SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Methods that only read; HEAD is answered like GET, and the server leaves the body out."""

_METHODS = SAFE_METHODS | {"POST"}
_HEADERS = frozenset({b"if-none-match", b"traceparent"})
_QUERIES = frozenset({"query"})
_QUERIES_AND_MUTATIONS = frozenset({"query", "mutation"})


OVERLOADED = "OVERLOADED"
"""`extensions.code` where too many other queries are executed (`queries_max`)."""

Charge = Callable[[int, str], Awaitable[None]]
"""Takes the cost of an operation of a kind from its caller's budget. Raises RateLimitedError."""


class Facts(Protocol):
    """What an answer was made from."""

    sources: dict[str, SourceReport]
    fresh_until_s: float
    renew_s: float
    complete: bool

    @property
    def waited(self) -> bool:
        """Return whether the answer had to wait for a provider."""
        ...


class Answered(Protocol):
    """An answer of the engine."""

    @property
    def body(self) -> dict[str, Any]:
        """The body; without `data` when nothing was executed."""
        ...

    @property
    def facts(self) -> Facts:
        """What it was made from."""
        ...

    @property
    def kind(self) -> str | None:
        """Which kind of operation it was."""
        ...

    @property
    def is_allowed(self) -> bool:
        """False when the operation was not run because of its kind."""
        ...


class Engine(Protocol):
    """What runs a request."""

    async def run(
        self,
        query: str | None,
        sha256: str | None,
        variables: Mapping[str, Any],
        operation_name: str | None,
        make_context: Callable[[], Any],
        kinds: frozenset[str],
        charge: Charge,
    ) -> Answered:
        """Answer a request whose operation is one of `kinds`; other kinds are not run."""
        ...


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """Bytes of a body, seconds in which it must arrive, and queries executed at once."""

    body_bytes_max: int
    body_s: float
    queries_max: int


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """Called for each answer: kept from before, made, or shared with an equal request."""

    kept: Callable[[], None]
    made: Callable[[], None]
    shared: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A query that is being executed; `answer` is None when it came to nothing.

    `revision`: of the content when it began.
    """

    cost: int
    revision: int
    answer: "asyncio.Future[KeptAnswer | None]"


class _Head(NamedTuple):
    """The headers that an answer depends on, found in one pass."""

    accept: str
    if_none_match: bytes | None
    traceparent: bytes | None

    @classmethod
    def of(cls, scope: Scope) -> "_Head":
        accept: list[str] = []
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name == b"accept":
                accept.append(value.decode("latin-1"))
            elif name in _HEADERS:
                found.setdefault(name, value)
        return cls(
            ",".join(accept),
            found.get(b"if-none-match"),
            found.get(b"traceparent"),
        )


class _Asked(NamedTuple):
    """A request and who sent it: equal ones get equal answers.

    `subject` and `scopes`: the caller's, None and none for somebody without a token.
    `media_type`: of the answer. `sent`: the body, or a GET's query string.
    """

    is_read: bool
    subject: str | None
    scopes: frozenset[str]
    media_type: str
    sent: bytes

    @classmethod
    def by(cls, caller: Caller | None, media_type: str, sent: bytes, *, is_read: bool) -> "_Asked":
        if caller is None:
            return cls(is_read, None, frozenset(), media_type, sent)
        return cls(is_read, caller.subject, caller.scopes, media_type, sent)

    @property
    def digest(self) -> bytes:
        """Return what the answer is kept by: the same 32 bytes for equal requests alone."""
        who = (self.is_read, self.subject, sorted(self.scopes), self.media_type)
        # The text of a tuple ends where it ends, whatever a subject has in it.
        return hashlib.sha256(repr(who).encode() + b"\n" + self.sent).digest()

    @property
    def is_private(self) -> bool:
        """Return whether the answer is for one caller alone."""
        return self.subject is not None


class GraphQLEndpoint:
    """Reads a request, runs it, and answers in the media type that the caller accepts.

    `is_current`: whether kept answers may be given out before anybody has looked whether what
    they were made from has changed.
    """

    def __init__(  # noqa: PLR0913  # a composition, called in one place with names
        self,
        engine: Engine,
        *,
        make_context: Callable[[str, Caller | None], Any],
        admission: Admission,
        memo: AnswerMemo,
        is_current: Callable[[], bool],
        revision: ContentRevision,
        clock: Clock,
        limits: EndpointLimits,
        boot_id: bytes,
        ide: ASGIApp | None,
        count: AnswerCount,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        self._engine = engine
        self._make_context = make_context
        self._admission = admission
        self._memo = memo
        self._is_current = is_current
        self._revision = revision
        self._clock = clock
        self._limits = limits
        self._boot_id = boot_id
        self._ide = ide
        self._count = count
        self._tracer = tracer
        self._under_way: dict[bytes, _UnderWay] = {}
        self._queries: set[asyncio.Future[KeptAnswer | None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; refusals are JSON in the one error shape."""
        try:
            await self._answer(scope, receive, send)
        except RequestRefusedError as refusal:
            await refusal.response()(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        admitted = await self._admission.admitted(scope)
        method = scope["method"]
        if method not in _METHODS:
            raise RequestRefusedError(
                405, "GraphQL takes GET and POST.", {"Allow": "GET, HEAD, POST"}
            )
        head = _Head.of(scope)
        if self._ide is not None and _is_page_view(method, scope["query_string"], head.accept):
            await self._ide(scope, receive, send)
            return
        is_read = method in SAFE_METHODS
        sent = scope["query_string"] if is_read else await self._body(scope, receive)
        media_type = accepted_media_type(head.accept)
        asked = _Asked.by(admitted.caller, media_type, sent, is_read=is_read)
        key, kept = asked.digest, None
        if self._is_current():  # may advance the revision
            kept = self._memo.get(key, self._revision.number, self._clock.monotonic_s())
            if kept is not None:
                self._count.kept()
            else:
                kept = await self._of_equal_request(key, admitted)
        if kept is None:
            with self._tracer.continuing((head.traceparent or b"").decode("latin-1")):
                kept = await self._executed(asked, key, admitted, scope["state"]["request_id"])
        known = head.if_none_match if is_read else None
        await self._send(kept, send, known, is_private=asked.is_private)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        check_body_headers(scope["headers"])
        try:
            async with asyncio.timeout(self._limits.body_s):
                return await bounded_body(receive, self._limits.body_bytes_max)
        except TimeoutError as error:
            raise RequestRefusedError(
                408,
                f"The body has to be here within {self._limits.body_s:g} s.",
                {"Connection": "close"},
            ) from error

    async def _of_equal_request(self, key: bytes, admitted: Admitted) -> KeptAnswer | None:
        """Return the answer of an equal query under way, None when there is none.

        One that began before the content changed is not joined, for it may not show the change.
        Whoever waits is charged for the cost, too.
        """
        under_way = self._under_way.get(key)
        if under_way is None or under_way.revision != self._revision.number:
            return None
        try:
            await self._admission.charge(admitted, under_way.cost)
        except RateLimitedError as error:
            raise refusal(error) from error
        answer = await asyncio.shield(under_way.answer)
        if answer is not None:
            self._count.shared()
        return answer

    async def _executed(
        self, asked: _Asked, key: bytes, admitted: Admitted, request_id: str
    ) -> KeptAnswer:
        self._count.made()
        answer: asyncio.Future[KeptAnswer | None] = asyncio.get_running_loop().create_future()
        charge = partial(self._begin, key, answer, admitted)
        try:
            made = await self._run(asked, key, admitted, request_id, charge)
            answer.set_result(made)
            return made
        finally:
            self._queries.discard(answer)
            if not answer.done():
                answer.set_result(None)
            if key in self._under_way and self._under_way[key].answer is answer:
                del self._under_way[key]

    async def _begin(
        self,
        key: bytes,
        answer: "asyncio.Future[KeptAnswer | None]",
        admitted: Admitted,
        cost: int,
        kind: str,
    ) -> None:
        """Charge for an operation that is about to be executed, and let equal queries join it.

        Mutations are bounded where they write, and wait for stores rather than for a processor.
        """
        if kind == "query":
            if len(self._queries) >= self._limits.queries_max:
                said = "The server is overloaded: try again in a moment."
                raise RequestRefusedError(503, said, {"Retry-After": "1"}, OVERLOADED)
            self._queries.add(answer)
        await self._admission.charge(admitted, cost)
        if kind == "query":
            self._under_way[key] = _UnderWay(cost, self._revision.number, answer)

    async def _run(
        self, asked: _Asked, key: bytes, admitted: Admitted, request_id: str, charge: Charge
    ) -> KeptAnswer:
        request = queried_request(asked.sent) if asked.is_read else posted_request(asked.sent)
        revision = self._revision.number
        try:
            answered = await self._engine.run(
                request.query,
                request.sha256,
                request.variables,
                request.operation_name,
                partial(self._make_context, request_id, admitted.caller),
                _QUERIES if asked.is_read else _QUERIES_AND_MUTATIONS,
                charge,
            )
        except RateLimitedError as error:
            raise refusal(error) from error
        self._refuse_other_kinds(answered)
        if answered.kind == "mutation":  # exports have no revision
            self._under_way.clear()
        answer = self._written(answered, asked, revision)
        # An answer that waited says so in its latencies: the next one need not.
        if answer.etag and answered.kind == "query" and not answered.facts.waited:
            self._memo.put(key, answer)
        return answer

    @staticmethod
    def _refuse_other_kinds(answered: Answered) -> None:
        if not answered.is_allowed:
            if answered.kind == "subscription":
                raise RequestRefusedError(400, "Subscriptions need a WebSocket.")
            raise RequestRefusedError(405, "Mutations need POST.", {"Allow": "POST"})

    def _written(self, answered: Answered, asked: _Asked, revision: int) -> KeptAnswer:
        body, facts, media_type = answered.body, answered.facts, asked.media_type
        # Only an answer without `data` is a bad request, and only to those who know the type.
        status = 400 if media_type == GRAPHQL_RESPONSE and "data" not in body else 200
        headers = [
            (b"content-type", f"{media_type}; charset=utf-8".encode()),
            (b"vary", b"Accept, Authorization"),
        ]
        if facts.sources:
            headers.append((b"x-movieql-sources", sources_header(facts.sources)))
        # What is degraded may be better any moment; only whole answers have a version.
        is_whole = facts.complete and "errors" not in body and answered.kind == "query"
        return KeptAnswer(
            status,
            headers,
            orjson.dumps(body),
            self._version(asked, revision) if is_whole else b"",
            revision,
            facts.fresh_until_s,
            facts.renew_s,
        )

    def _version(self, asked: _Asked, revision: int) -> bytes:
        # A cache that has what everybody may see is never told that this is the private answer.
        audience = b"public" if asked.subject is None else asked.subject.encode()
        key = b"\n".join((audience, asked.media_type.encode(), asked.sent))
        return etag(self._boot_id, revision, key)

    async def _send(
        self, answer: KeptAnswer, send: Send, known: bytes | None, *, is_private: bool
    ) -> None:
        left_s = answer.until_s - self._clock.monotonic_s()
        headers = list(answer.headers)
        if answer.etag:
            headers.append((b"etag", answer.etag))
            allowed = cache_control(left_s=left_s, is_private=is_private)
            headers.append((b"cache-control", allowed))
        else:
            headers.append((b"cache-control", NO_STORE))
        status, body = answer.status, answer.body
        # In its last second the body goes along: nginx takes a 304 with max-age=0 for leave to
        # keep what it has for as long as the first answer said.
        if known is not None and answer.etag and left_s >= 1 and matches(known, answer.etag):
            status, body = 304, b""
        else:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _is_page_view(method: str, query_string: bytes, accept: str) -> bool:
    """Return whether a browser opens the page, rather than a client sending a query by GET."""
    return (
        method in SAFE_METHODS
        and b"query=" not in query_string
        and b"extensions=" not in query_string
        and names_html([accept])
    )
