"""The REST routes in this process, over services that do as they are told."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from limits import RateLimitItem
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Scope

from movieql.domain.callers import Caller
from movieql.domain.catalogue import CatalogueEntry, CatalogueFile
from movieql.domain.errors import (
    CatalogueConflictError,
    ForbiddenError,
    InvalidInputError,
    UnauthenticatedError,
)
from movieql.ports import StoredObject
from movieql.services.catalogue_writes import Written
from movieql.web.admission import Admission, Budgets, Callers, RateLimits
from movieql.web.files import Files
from movieql.web.login import LoginDoor
from movieql.web.requests import match_whole_paths
from movieql.web.resources import BodyLimits, refused
from movieql.web.rest import Movies, rest_routes

WRITER = "writer"
"""A token that may write."""

READER = "reader"
"""A token that may not."""

FORGED = "forged"
"""An invalid token."""

BODY_BYTES_MAX = 1_000
ADDRESS = "192.0.2.7"


class MemoryCatalogue:
    """Movies in a dictionary; `failure` is raised by whatever is called next."""

    def __init__(self) -> None:
        self.movies: dict[tuple[str, int], CatalogueEntry] = {}
        self.writes = 0
        self.failure: Exception | None = None

    @property
    def etag(self) -> str | None:
        return f"file-{self.writes}" if self.writes else None

    async def read(self) -> CatalogueFile:
        if self.failure is not None:
            raise self.failure
        return CatalogueFile(tuple(self.movies.values()), self.etag)

    async def query(
        self, name: str | None, year: int | None
    ) -> tuple[CatalogueFile, Sequence[CatalogueEntry]]:
        file = await self.read()
        return file, [
            movie
            for movie in file.entries
            if (name is None or movie.name.lower() == name.lower()) and year in {None, movie.year}
        ]

    async def upsert(
        self,
        name: str,
        year: int,
        fields: Mapping[str, Any],
        *,
        if_version: str | None = None,
        if_file: str | None = None,
        allow_near_duplicate: bool = False,
    ) -> Written:
        assert allow_near_duplicate  # the address names the movie exactly
        old = await self._checked(name, year, if_version, if_file)
        if "year" in fields:
            raise InvalidInputError.at(("year",), "The body may not change the year.")
        self.writes += 1
        kept = old.fields if old else {}
        movie = CatalogueEntry(
            f"{name}-{year}",
            old.name if old else name,
            year,
            f"movie-{self.writes}",
            {**kept, **fields},
        )
        self.movies[name.lower(), year] = movie
        return Written(movie, old is None, f"file-{self.writes}")

    async def delete(
        self, name: str, year: int, *, if_version: str | None = None, if_file: str | None = None
    ) -> Written:
        old = await self._checked(name, year, if_version, if_file)
        if old is not None:
            self.writes += 1
            del self.movies[name.lower(), year]
        return Written(old, created=False, etag=self.etag or "")

    async def _checked(
        self, name: str, year: int, if_version: str | None, if_file: str | None
    ) -> CatalogueEntry | None:
        await self.read()
        old = self.movies.get((name.lower(), year))
        if if_file not in {None, self.etag}:
            raise CatalogueConflictError.at(self.etag)
        if if_version is not None and (old is None or old.version != if_version):
            raise CatalogueConflictError.at(self.etag)
        return old


class Verifier:
    """Accepts two tokens."""

    async def verify(self, token: str) -> Caller:
        if token == WRITER:
            return Caller("ada", frozenset({"movies:write"}))
        if token == READER:
            return Caller("bob")
        raise UnauthenticatedError("The token is not valid.")


@dataclass(frozen=True)
class Token:
    token: str
    expires_in_s: int


class OneUser:
    """A login for one user."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, str]] = []
        self.failure: Exception | None = None

    async def token(self, username: str, password: str, address: str) -> Token:
        self.attempts.append((username, address))
        if self.failure is not None:
            raise self.failure
        if (username, password) != ("ada", "right"):
            raise UnauthenticatedError("The user name or the password is wrong.")
        return Token("a.b.c", 3600)


@dataclass(frozen=True)
class Link:
    key: str
    headers: Mapping[str, str]


def opened(query: Mapping[str, str]) -> Link:
    """Accept links whose signature is `good`."""
    if query.get("signature") != "good":
        raise ForbiddenError("The link is not one of ours.")
    headers = {"content-type": "text/csv", "content-disposition": "attachment"}
    return Link(query["key"], headers)


class MemoryObjects:
    """Objects in a dictionary; `reads` are the ranges that were read."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.reads: list[tuple[int, int]] = []
        self.failure: Exception | None = None

    async def head(self, key: str) -> StoredObject | None:
        if self.failure is not None:
            raise self.failure
        body = self.bodies.get(key)
        if body is None:
            return None
        return StoredObject(key, "v1", len(body), datetime(2026, 1, 1, tzinfo=UTC))

    async def get_range(self, key: str, start: int, length: int) -> bytes | None:
        self.reads.append((start, length))
        body = self.bodies.get(key)
        return None if body is None else body[start : start + length]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Headers
    body: bytes
    chunks: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RestDoor:
    """The routes and what is behind them; for `refuse_s` there are no more requests."""

    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    login: OneUser = field(default_factory=OneUser)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    spent: list[str] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    refuse_s: float | None = None
    body_s: float = 0.05

    def __post_init__(self) -> None:
        self.limits = RateLimits(Budgets(), self)
        admission = Admission(Callers(Verifier()), self.limits, trusted_hops=0)
        routes = rest_routes(self.faults.append)
        match_whole_paths(routes)
        self.app = Starlette(routes=routes, exception_handlers={HTTPException: refused})
        self.app.state.admission = admission
        self.app.state.movies = Movies(
            self.catalogue, admission, BodyLimits(BODY_BYTES_MAX, self.body_s)
        )
        self.app.state.login = LoginDoor(self.login, self.limits, body_s=self.body_s)
        self.app.state.files = Files(opened, self.objects, chunk_bytes=10)

    async def take(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        """Count, and refuse; see `rate_counts.Counts`."""
        if item.namespace == "requests":
            self.spent.append(key)
        assert amount == 1
        return self.refuse_s

    async def call(
        self,
        method: str,
        target: str,
        body: bytes | None = b"",
        token: str | None = None,
        **headers: str,
    ) -> Reply:
        """Send a request; a body of None never ends."""
        path, _, query = target.partition("?")
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode("latin-1"))
                for name, value in headers.items()
            ],
            "client": (ADDRESS, 1),
            "state": {"request_id": "id-1"},
        }
        return await _answered(self.app, scope, body)

    async def send(
        self, method: str, target: str, content: Any, token: str | None = WRITER, **headers: str
    ) -> Reply:
        """Send JSON, or bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers.setdefault("content_type", "application/json")
        return await self.call(method, target, body, token, **headers)


async def _answered(app: Starlette, scope: Scope, body: bytes | None) -> Reply:
    sent: list[Message] = []
    incoming = [{"type": "http.request", "body": body or b"", "more_body": body is None}]

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        await _forever()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    bodies = [message.get("body", b"") for message in sent[1:]]
    content = b"" if scope["method"] == "HEAD" else b"".join(bodies)  # as servers do
    return Reply(sent[0]["status"], Headers(raw=sent[0]["headers"]), content, len(bodies))


async def _forever() -> None:
    await asyncio.Event().wait()
