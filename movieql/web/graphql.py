"""GraphQL over HTTP, as the draft of August 2026 says: POST and GET on one path."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response

from movieql.web.bodies import (
    GRAPHQL_RESPONSE,
    GraphQLRequest,
    RequestRefusedError,
    accepted_media_type,
    posted_request,
    queried_request,
)


class Engine(Protocol):
    """What runs a request."""

    def operation_kind(self, query: str, operation_name: str | None) -> str | None:
        """Return "query", "mutation" or "subscription"; None when nothing would run."""
        ...

    async def run(
        self,
        query: str,
        variables: Mapping[str, Any],
        operation_name: str | None,
        request_id: str,
    ) -> dict[str, Any]:
        """Return the body of the answer; without `data` when nothing was executed."""
        ...


SAFE_METHODS = frozenset({"GET", "HEAD"})
"""Methods that only read; HEAD is answered like GET, and the server leaves the body out."""

RenderIde = Callable[[Request], Awaitable[Response]]
"""Answers a browser that opens the endpoint."""


class GraphQLEndpoint:
    """Reads a request, runs it, and answers in the media type that the caller accepts."""

    def __init__(self, engine: Engine, render_ide: RenderIde | None, body_bytes_max: int) -> None:
        self._engine = engine
        self._render_ide = render_ide
        self._body_bytes_max = body_bytes_max

    async def handle(self, request: Request) -> Response:
        """Answer one request; refusals are JSON in the one error shape."""
        if self._render_ide is not None and _is_page_view(request):
            return await self._render_ide(request)
        try:
            return await self._answer(request)
        except RequestRefusedError as refusal:
            return refusal.response()

    async def _answer(self, request: Request) -> Response:
        media_type = accepted_media_type(",".join(request.headers.getlist("accept")))
        asked = (
            queried_request(request)
            if request.method in SAFE_METHODS
            else await posted_request(request, self._body_bytes_max)
        )
        self._refuse_what_http_forbids(asked, request.method)
        body = await self._engine.run(
            asked.query, asked.variables, asked.operation_name, request.state.request_id
        )
        # Only an answer without `data` is a bad request, and only to those who know the type.
        status = 400 if media_type == GRAPHQL_RESPONSE and "data" not in body else 200
        return Response(
            orjson.dumps(body),
            status,
            {"Vary": "Accept"},
            media_type=f"{media_type}; charset=utf-8",
        )

    def _refuse_what_http_forbids(self, asked: GraphQLRequest, method: str) -> None:
        kind = self._engine.operation_kind(asked.query, asked.operation_name)
        if kind == "subscription":
            raise RequestRefusedError(400, "Subscriptions need a WebSocket.")
        if kind == "mutation" and method in SAFE_METHODS:
            raise RequestRefusedError(405, "Mutations need POST.", {"Allow": "POST"})


def _is_page_view(request: Request) -> bool:
    """Tell a browser that opens the page from a client that asks by GET."""
    return (
        request.method in SAFE_METHODS
        and "query" not in request.query_params
        and "extensions" not in request.query_params
        and "text/html" in request.headers.get("accept", "").lower()
    )
