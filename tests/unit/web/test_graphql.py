import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from movieql.web.graphql import GraphQLEndpoint


class FixedEngine:
    """Every document is of the kind that its first word says; `asked` is what was run."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any], str | None]] = []

    def operation_kind(self, query: str, operation_name: str | None) -> str | None:  # noqa: ARG002
        return query.split(maxsplit=1)[0] if query else None

    async def run(
        self,
        query: str,
        variables: Mapping[str, Any],
        operation_name: str | None,
        request_id: str,  # noqa: ARG002  # as the protocol says
    ) -> dict[str, Any]:
        self.asked.append((query, variables, operation_name))
        return {"data": {}}


async def page(_: Request) -> Response:
    return PlainTextResponse("the page")


def request(method: str, query_string: bytes = b"", body: bytes = b"", accept: str = "*/*") -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": method,
        "path": "/graphql",
        "query_string": query_string,
        "headers": [(b"content-type", b"application/json"), (b"accept", accept.encode())],
        "state": {"request_id": "request-1"},
    }
    return Request(scope, receive)


async def answered(engine: FixedEngine, asked: Request) -> Response:
    return await GraphQLEndpoint(engine, page, body_bytes_max=1_000).handle(asked)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_mutation_needs_post_and_is_not_run_without(method: str) -> None:
    engine = FixedEngine()
    response = await answered(engine, request(method, b"query=mutation%20%7Ba%7D"))
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert engine.asked == []


async def test_a_mutation_by_post_is_run() -> None:
    engine = FixedEngine()
    response = await answered(engine, request("POST", body=b'{"query": "mutation {a}"}'))
    assert response.status_code == 200
    assert engine.asked == [("mutation {a}", {}, None)]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_is_told_where_it_belongs(method: str) -> None:
    engine = FixedEngine()
    asked = request(method, b"query=subscription", b'{"query": "subscription"}')
    response = await answered(engine, asked)
    assert response.status_code == 400
    assert b"WebSocket" in bytes(response.body)
    assert engine.asked == []


async def test_variables_and_the_name_come_from_the_address_of_a_get() -> None:
    engine = FixedEngine()
    await answered(
        engine, request("GET", b"query=query&variables=%7B%22a%22:1%7D&operationName=A")
    )
    assert engine.asked == [("query", {"a": 1}, "A")]


@pytest.mark.parametrize("name", [None, ""])
async def test_no_name_is_no_name_however_it_is_written(name: str | None) -> None:
    engine = FixedEngine()
    body = json.dumps({"query": "query", "operationName": name, "variables": None}).encode()
    await answered(engine, request("POST", body=body))
    assert engine.asked == [("query", {}, None)]


@pytest.mark.parametrize(
    "query_string, accept, shown",
    [
        (b"", "text/html,*/*;q=0.8", True),
        (b"", "TEXT/HTML", True),
        (b"", "*/*", False),
        (b"", "application/json", False),
        (b"query=query", "text/html,*/*;q=0.8", False),
        (b"extensions=%7B%7D", "text/html,*/*;q=0.8", False),
    ],
)
async def test_only_a_browser_that_opens_the_address_gets_the_page(
    query_string: bytes, accept: str, *, shown: bool
) -> None:
    response = await answered(FixedEngine(), request("GET", query_string, accept=accept))
    assert (bytes(response.body) == b"the page") is shown
