"""A server that plays the API of exports, and fails as it is told to."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from movieql.clock import SystemClock
from movieql.commands.asking import Asked, KeyRules
from movieql.commands.credentials import Credentials, GivenToken
from movieql.commands.downloading import Downloads
from movieql.commands.exporting import Exporting, Order
from movieql.commands.patience import Patience
from movieql.commands.progress import Lines
from movieql.commands.records import ExportRecord
from movieql.commands.saving import Place
from movieql.commands.server import Server
from movieql.commands.wire import Wire
from tests.servers import listening_shop

TOKEN = "a.good.token"  # noqa: S105  # of these tests
CSV = b"movie_id,price\r\n" + b"tt0076759,29.5\r\n" * 5_000
Fault = Callable[[web.Request], web.StreamResponse]


def status(code: int, **headers: str) -> Fault:
    """Answer with this status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(status=code, headers=named)


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def errors(code: str, message: str = "No.", http: int = 200) -> Fault:
    """Answer with a GraphQL error of this code."""
    body = {"errors": [{"message": message, "extensions": {"code": code}}], "data": None}
    return lambda _: web.json_response(body, status=http)


@dataclass
class Api:
    """What the server has and does.

    `statuses`: what an export is at each look, the last one for ever. `faults` and
    `file_faults`: what the next calls get instead of an answer. `cuts`: bytes after which the
    next downloads break off.
    """

    statuses: list[str] = field(default_factory=lambda: ["QUEUED", "RUNNING", "READY"])
    file: bytes = CSV
    sha256: str | None = None
    ranges: bool = True
    error: str | None = None
    url_of_file: str | None = None
    missing: str | None = None
    faults: list[Fault] = field(default_factory=list)
    file_faults: list[Fault] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    refusal: dict[str, Any] | None = None
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    logins: int = 0
    ranges_asked: list[str | None] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/graphql", self._graphql)
        app.router.add_post("/login", self._login)
        app.router.add_get("/files", self._files)
        return app

    @property
    def keys(self) -> list[str]:
        """Return the idempotency keys that were sent."""
        return [each["idempotencyKey"] for each in self.asked]

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        if self.faults:
            return self.faults.pop(0)(request)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return errors("UNAUTHENTICATED", "This token has ended.", http=401)(request)
        sent = await request.json()
        name = sent["query"].split("(")[0].split()[-1]
        return web.json_response({"data": getattr(self, f"_{name}")(sent["variables"])})

    def _RequestExport(self, variables: dict[str, Any]) -> Any:  # noqa: N802  # of the document
        self.asked.append(variables["input"])
        if self.refusal is not None:
            return {"requestExport": {"export": None, "errors": [self.refusal]}}
        return {"requestExport": {"export": self._export(self.id_of(self.keys[-1])), "errors": []}}

    def _Export(self, variables: dict[str, Any]) -> Any:  # noqa: N802  # of the document
        known = {self.id_of(each) for each in self.keys}
        return {"export": self._export(variables["id"]) if variables["id"] in known else None}

    def _Exports(self, variables: dict[str, Any]) -> Any:  # noqa: N802  # of the document
        begun = int(variables["after"] or 0)
        end = begun + variables["first"]
        nodes = [self._export(f"{number:024x}") for number in range(120)][begun:end]
        return {
            "exports": {
                "nodes": nodes,
                "pageInfo": {"hasNextPage": end < 120, "endCursor": str(end)},
            }
        }

    @staticmethod
    def id_of(key: str) -> str:
        """Return the id of the export of a key."""
        return hashlib.sha256(key.encode()).hexdigest()[:24]

    def _export(self, export_id: str) -> dict[str, Any]:
        now = self.statuses[min(self.looks, len(self.statuses) - 1)]
        self.looks += 1
        has_file = now in {"READY", "PARTIAL"}
        return {
            "id": export_id,
            "status": now,
            "progress": {"done": 1, "total": 13, "percent": 7},
            "rows": 5_000 if has_file else None,
            "bytes": len(self.file) if has_file else None,
            "sha256": (self.sha256 or hashlib.sha256(self.file).hexdigest()) if has_file else None,
            "gzip": False,
            "since": "2026-01-01T00:00:00+00:00",
            "until": "2026-01-02T00:00:00+00:00",
            "createdAt": "2026-01-02T00:00:01+00:00",
            "expiresAt": "2026-01-09T00:00:00+00:00" if has_file else None,
            "downloadUrl": self._link() if has_file else None,
            "error": self.error,
            "sources": [self._source(each) for each in ("cinemaworld", "filmworld")],
        }

    def _link(self) -> str:
        return self.url_of_file or f"{self.url}/files?look={self.looks}"

    def _source(self, provider: str) -> dict[str, Any]:
        seen = provider != self.missing
        return {
            "providerId": provider,
            "state": "OBSERVED" if seen else "UNOBSERVED",
            "lastObservedAt": "2026-01-01T23:30:00+00:00" if seen else None,
            "rows": 2_500 if seen else 0,
        }

    async def _login(self, request: web.Request) -> web.Response:
        self.logins += 1
        given = await request.json()
        if given != {"username": "ann", "password": "right"}:
            return web.json_response({"error": "Bad username or password"}, status=401)
        self.tokens = {f"login.{self.logins}"}
        return web.json_response({"access_token": f"login.{self.logins}"})

    async def _files(self, request: web.Request) -> web.StreamResponse:
        assert "Authorization" not in request.headers  # whoever has the link needs no token
        self.ranges_asked.append(request.headers.get("Range"))
        if self.file_faults:
            return self.file_faults.pop(0)(request)
        begun = int((request.headers.get("Range") or "bytes=0-")[6:-1]) if self.ranges else 0
        response = web.StreamResponse(status=206 if begun else 200)
        response.content_length = len(self.file) - begun
        if begun:
            response.headers["Content-Range"] = f"bytes {begun}-{len(self.file) - 1}/*"
        await response.prepare(request)
        end = self.cuts.pop(0) if self.cuts else len(self.file)
        await response.write(self.file[begun:end])
        if end < len(self.file):
            await asyncio.sleep(0.05)  # else what was written goes down with the connection
            return hang_up(request)
        return response


class HastyClock(SystemClock):
    """Waits a hundredth of the time, and remembers how long it was to wait."""

    def __init__(self) -> None:
        self.waits_s: list[float] = []

    async def sleep(self, delay_s: float) -> None:
        self.waits_s.append(delay_s)
        await super().sleep(delay_s / 100)


class Sink:
    """What progress says."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@dataclass
class Commanding:
    """Runs the work of `export` against an API, as often as is wanted."""

    api: Api
    session: aiohttp.ClientSession
    clock: HastyClock
    said: Sink
    timeout_s: float = 5.0
    credentials: Credentials = field(default_factory=lambda: GivenToken(TOKEN))
    made: int = 0

    def exporting(
        self,
        path: Path | None,
        asked: Asked | None = None,
        keys: KeyRules | None = None,
        export_id: str | None = None,
    ) -> Exporting:
        place = None if path is None else Place(path)
        order = Order(self.api.url, asked or Asked(), keys or KeyRules(), export_id, place)
        return Exporting(
            order, self.server, self.progress, clock=self.clock, new_key=self._new_key
        )

    async def get(self, path: Path, **options: Any) -> ExportRecord:
        """Wait for the file and download it."""
        exporting = self.exporting(path, **options)
        with path.with_name("stdout").open("wb") as sink:
            return await exporting.finish(self.downloads(exporting), 20.0, sink)

    def downloads(self, exporting: Exporting) -> Downloads:
        return Downloads(self.session, exporting.look_at_file, self.progress, self.patience)

    @property
    def progress(self) -> Lines:
        return Lines(self.said)  # type: ignore[arg-type]  # all of a stream that is used

    @property
    def patience(self) -> Patience:
        note = self.progress.note
        return Patience(self.clock, random.Random(7), note, self.timeout_s)

    @property
    def server(self) -> Server:
        return Server(Wire(self.session, self.api.url), self.credentials, self.patience)

    def _new_key(self) -> str:
        self.made += 1
        return f"made {self.made}"


@asynccontextmanager
async def commanding(api: Api) -> AsyncIterator[Commanding]:
    """Let an API listen."""
    async with listening_shop(api.app()) as api.url, aiohttp.ClientSession() as session:
        yield Commanding(api, session, HastyClock(), Sink())


def at(text: str) -> datetime:
    """Return a time."""
    return datetime.fromisoformat(text)
