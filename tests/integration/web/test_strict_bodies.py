"""Every door that reads JSON of a caller refuses the same, and in its own error shape."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from movieql.web.openapi import description
from tests.integration.web.guarded import Guarded, Presented, bearer, guarded

DOORS = {
    "GraphQL": ("POST", "/graphql", b'{"query": "{ providers { id } }"}'),
    "REST": ("PUT", "/api/movies/Heat/1995", b'{"genre": "Crime"}'),
    "login": ("POST", "/login", b'{"username": "ada", "password": "wrong"}'),
}
TAKEN = {"GraphQL": {200}, "REST": {200, 201}, "login": {401}}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded(tmp_path) as server:
        yield server


def writer(server: Guarded) -> Presented:
    return bearer(server.mint.ours())


async def sent(server: Guarded, door: str, body: bytes, **headers: str) -> Any:
    method, path, _ = DOORS[door]
    given = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    token = {} if door == "login" else dict(writer(server).headers)
    return await server.call(method, path, data=body, headers=given | token)


def message(reply: Any, door: str) -> str:
    body = reply.json
    assert (body["errors"][0]["extensions"] if door == "GraphQL" else body)[
        "code"
    ] == "BAD_REQUEST"
    return str(body["errors"][0]["message"] if door == "GraphQL" else body["error"])


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf8",
        'application/json; charset="UTF-8"',
        "APPLICATION/JSON ; charset=utf-8 ; foo=bar",
    ],
)
async def test_utf_8_is_taken_however_it_is_said(
    server: Guarded, door: str, content_type: str
) -> None:
    reply = await sent(server, door, DOORS[door][2], content_type=content_type)
    assert reply.status in TAKEN[door]


@pytest.mark.parametrize("door", DOORS)
async def test_another_charset_is_refused(server: Guarded, door: str) -> None:
    charset = "application/json; charset=utf-16"
    reply = await sent(server, door, DOORS[door][2], content_type=charset)
    assert reply.status == 415
    assert "utf-8" in message(reply, door)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("coding", ["gzip", "br", "identity, deflate"])
async def test_an_encoded_body_is_refused_for_its_coding(
    server: Guarded, door: str, coding: str
) -> None:
    reply = await sent(server, door, b"\x1f\x8b\x08", content_encoding=coding)
    assert reply.status == 415
    assert coding.rsplit(", ", maxsplit=1)[-1] in message(reply, door)
    assert reply.headers["accept-encoding"] == "identity"
    as_it_is = await sent(server, door, DOORS[door][2], content_encoding="identity")
    assert as_it_is.status in TAKEN[door]


@pytest.mark.parametrize("door", DOORS)
async def test_a_key_that_is_there_twice_is_refused(server: Guarded, door: str) -> None:
    body = DOORS[door][2]
    first = body[1 : body.index(b",")] if b"," in body else body[1:-1]
    reply = await sent(server, door, b"{" + first + b", " + body[1:])
    assert reply.status == 400
    assert "twice" in message(reply, door)


@pytest.mark.parametrize("door", DOORS)
async def test_what_is_nested_too_deep_is_refused(server: Guarded, door: str) -> None:
    deep = b'{"variables": ' + b"[" * 300 + b"]" * 300 + b", " + DOORS[door][2][1:]
    reply = await sent(server, door, deep)
    assert reply.status == 400
    assert "nested" in message(reply, door)


@pytest.mark.parametrize(
    "query_string",
    [
        'query={a}&variables={"a":1,"a":2}',
        'query={a}&extensions={"a":{"b":1,"b":2}}',
        "query={a}&query={b}",
        "query={a}&operationName=A&operationName=A",
        "query={a}&variables={}&variables={}",
        "query={a}&variables=&variables={}",
    ],
)
async def test_nothing_is_there_twice_in_an_address(server: Guarded, query_string: str) -> None:
    reply = await server.call("GET", f"/graphql?{quote(query_string, safe='=&')}")
    assert reply.status == 400
    assert "twice" in message(reply, "GraphQL") or "once" in message(reply, "GraphQL")


@pytest.mark.parametrize("name", ["A%0AB", "%0A", "%00", "A%0D%0AB"])
async def test_a_name_with_a_line_break_is_refused_as_a_name(server: Guarded, name: str) -> None:
    path = f"/api/movies/{name}/2001"
    reply = await server.rest(writer(server), "PUT", path, data=b"{}", headers=JSON_TYPE)
    assert (reply.status, reply.json["path"]) == (400, ["name"])


JSON_TYPE = {"content-type": "application/json"}


def schema_of(method: str, name: str) -> dict[str, Any]:
    path = description()["paths"]["/api/movies/{name}/{year}"]
    (found,) = (each for each in path[method]["parameters"] if each["name"] == name)
    return dict(found["schema"])


@pytest.mark.parametrize(
    "year", ["1869", "1870", "2199", "2200", "0", "-1", "01977", "1977.0", "1e3", "999999999"]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_openapi_says_of_a_year_what_the_server_does(
    server: Guarded, method: str, year: str
) -> None:
    schema = schema_of(method.lower(), "year")
    try:
        number = json.loads(year)
    except ValueError:
        number = None
    fits = isinstance(number, int) and schema["minimum"] <= number <= schema["maximum"]
    body: dict[str, Any] = {"json": {}} if method == "PUT" else {}
    reply = await server.rest(writer(server), method, f"/api/movies/Heat/{year}", **body)
    assert (reply.status != 400) == fits
