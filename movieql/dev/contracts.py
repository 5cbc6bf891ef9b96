"""What a healthy shop answers, under each of the two contracts.

Sources: contract A from clients and logs of the original API, contract B read from the source of
the service that had that API (not called).
"""

import hmac
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import Any, ClassVar, Protocol

import orjson
from aiohttp import web

from movieql.dev.catalogues import BareCatalogue, Catalogue, Stock
from movieql.dev.sigv4 import Signed, SigningKey, is_signed_by

Sleep = Callable[[float], Awaitable[object]]
"""Waits for so many seconds, as `asyncio.sleep` does."""

Clock = Callable[[], datetime]
"""Gives the time, with its zone."""


class Contract(StrEnum):
    """Which API the shops speak."""

    A = "a"
    B = "b"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the JSON that goes with it."""

    status: int
    content: Any


@dataclass(frozen=True, slots=True)
class Route:
    """One path of a shop, below its base; `endpoint` is `list`, `detail` or `create`."""

    method: str
    path: str
    endpoint: str


class Api(Protocol):
    """One shop in health."""

    base_path: ClassVar[str]
    """What comes before the shop's name in a path."""
    routes: ClassVar[tuple[Route, ...]]
    price_key: ClassVar[str]
    empty_list: ClassVar[Any]

    @property
    def stock(self) -> Stock:
        """What the shop sells."""

    async def answer(self, request: web.Request) -> Answer:
        """Answer a call that came by one of `routes`."""


@dataclass(frozen=True, slots=True)
class ApiA:
    """Contract A: the token in `x-access-token`, else 403; an unknown movie is a 404.

    `base_url` is where posters are; a refusal takes `forbidden_s` seconds. No error body of the
    original was ever captured, so these are made up.
    """

    base_path: ClassVar[str] = "/api"
    routes: ClassVar[tuple[Route, ...]] = (
        Route("GET", "/movies", "list"),
        Route("GET", "/movie/{id}", "detail"),
    )
    price_key: ClassVar[str] = "Price"
    empty_list: ClassVar[Any] = {"Movies": []}

    stock: Catalogue
    base_url: str
    token: str
    forbidden_s: float
    sleep: Sleep

    async def answer(self, request: web.Request) -> Answer:
        """Answer the list or a detail."""
        sent = request.headers.get("x-access-token", "")
        if not hmac.compare_digest(sent.encode(errors="replace"), self.token.encode()):
            await self.sleep(self.forbidden_s)
            return Answer(403, {"message": "Forbidden"})
        if "id" not in request.match_info:
            return Answer(200, self.stock.list_response(self.base_url))
        movie = self.stock.detail_response(request.match_info["id"], self.base_url)
        return Answer(200, movie) if movie else Answer(404, {"message": "Unknown movie"})


@dataclass(frozen=True, slots=True)
class ApiB:
    """Contract B: reads need nothing, `POST /movie` needs SigV4 with `key`.

    The documented detail path `/movies/{id}` never works, `/movie/{id}` does.
    """

    base_path: ClassVar[str] = "/dev"
    routes: ClassVar[tuple[Route, ...]] = (
        Route("GET", "/movies", "list"),
        Route("GET", "/movies/{documented_id}", "detail"),
        Route("GET", "/movie/{id}", "detail"),
        Route("POST", "/movie", "create"),
    )
    price_key: ClassVar[str] = "price"
    empty_list: ClassVar[Any] = []

    stock: BareCatalogue
    key: SigningKey
    random: Random
    now: Clock

    async def answer(self, request: web.Request) -> Answer:
        """Answer the list, a detail, or a POST."""
        if request.method == "POST":
            return await self._create(request)
        if "documented_id" in request.match_info:
            return Answer(502, {"message": "Internal server error"})
        if "id" not in request.match_info:
            return Answer(200, self.stock.list_response())
        item = self.stock.detail_response(request.match_info["id"])
        return Answer(200, item) if item else Answer(404, {"error": "Post not found"})

    async def _create(self, request: web.Request) -> Answer:
        if "Authorization" not in request.headers:
            return Answer(403, {"message": "Missing Authentication Token"})
        body = await request.read()
        url = f"{request.scheme}://{request.host}{request.raw_path}"
        if not is_signed_by(self.key, Signed(request.method, url, request.headers, body)):
            return Answer(403, {"message": "The request signature we calculated does not match"})
        return self._stored(body)

    def _stored(self, body: bytes) -> Answer:
        try:
            posted = orjson.loads(body)
            blank = not all((posted.get(key) or "").strip() for key in ("title", "body"))
        except (orjson.JSONDecodeError, AttributeError):  # as `.trim()` of no text in the original
            return Answer(502, {"message": "Internal server error"})
        if blank:
            error = "Movie must have a title and body and they must not be empty"
            return Answer(400, {"error": error})
        made_up = uuid.UUID(int=self.random.getrandbits(128), version=4)
        return Answer(201, self.stock.add(str(made_up), self.now(), posted))
