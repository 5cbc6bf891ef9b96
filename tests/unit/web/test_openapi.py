"""The document against the routes, and against the rules of OpenAPI 3.1.

No validator of the specification is installed; `assert_follows_the_rules` has those of its rules
that a document of ours could break.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from movieql.domain.errors import LimitExceededError, RateLimitedError, StoreError
from movieql.web.openapi import OPENAPI, description
from movieql.web.resources import REST_CODES, Resource
from movieql.web.rest import rest_routes
from tests.unit.web.rest_doors import FORGED, READER, WRITER, Reply, RestDoor

DOCS = Path(__file__).parents[3] / "docs" / "rest.md"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
ADA = {"username": "ada", "password": "right"}
GOOD_LINK = "/files?key=a&signature=good"
BROKEN = RuntimeError("a bug")
BUSY = RateLimitedError.after(1)
DOWN = StoreError()
FULL = LimitExceededError("The catalogue is full.")
LONG = {"a": "x" * 5_000}


@dataclass(frozen=True)
class Case:
    """A request; `failure`: of what is behind the route; `refuse_s`: see `RestDoor`."""

    target: str
    content: Any = b""
    token: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    content_type: str = "application/json"
    failure: Exception | None = None
    refuse_s: float | None = None
    absent: str | None = None
    endless: bool = False


def reads(path: str) -> dict[int, Case]:
    return {
        200: Case(path),
        304: Case(path, if_none_match='"file-1"'),
        400: Case(f"{path}?filename=x"),
        401: Case(path, token=FORGED),
        404: Case(path, absent="movies"),
        429: Case(path, refuse_s=1),
        500: Case(path, failure=BROKEN),
        503: Case(path, failure=DOWN),
    }


def writes(content: Any) -> dict[int, Case]:
    heat = "/api/movies/Heat/1995"
    return {
        400: Case("/api/movies/Heat/x", content, WRITER),
        401: Case(heat, content),
        403: Case(heat, content, READER),
        404: Case(heat, content, WRITER, absent="movies"),
        409: Case(heat, content, WRITER, if_match='"old"'),
        429: Case(heat, content, WRITER, refuse_s=1),
        500: Case(heat, content, WRITER, failure=BROKEN),
        503: Case(heat, content, WRITER, failure=DOWN),
    }


def sends(target: str, token: str | None) -> dict[int, Case]:
    return {
        408: Case(target, token=token, endless=True),
        413: Case(target, LONG, token),
        415: Case(target, {}, token, content_type="text/plain"),
    }


CASES: dict[str, dict[int, Case]] = {
    "get /api/movies": reads("/api/movies"),
    "get /api/movies/query": reads("/api/movies/query")
    | {404: Case("/api/movies/query?name=Ronin")},
    "put /api/movies/{name}/{year}": writes({})
    | sends("/api/movies/Heat/1995", WRITER)
    | {
        200: Case("/api/movies/Heat/1995", {}, WRITER),
        201: Case("/api/movies/Ronin/1998", {}, WRITER),
        507: Case("/api/movies/Heat/1995", {}, WRITER, failure=FULL),
    },
    "delete /api/movies/{name}/{year}": writes(b"")
    | {
        204: Case("/api/movies/Heat/1995", token=WRITER),
        404: Case("/api/movies/Ronin/1998", token=WRITER),
    },
    "post /login": sends("/login", None)
    | {
        200: Case("/login", ADA),
        400: Case("/login", {}),
        401: Case("/login", ADA | {"password": "wrong"}),
        404: Case("/login", ADA, absent="login"),
        429: Case("/login", ADA, failure=BUSY),
        500: Case("/login", ADA, failure=BROKEN),
    },
    "get /files": {
        200: Case(GOOD_LINK),
        400: Case("/files?key=a&signature=good&a=b"),
        403: Case("/files?key=a&signature=bad"),
        404: Case("/files?key=b&signature=good"),
        500: Case(GOOD_LINK, failure=BROKEN),
        503: Case(GOOD_LINK, failure=DOWN),
    },
    f"get {OPENAPI}": {200: Case(OPENAPI)},
}
"""A request for every status of every operation."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return description()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in item.keys() & METHODS:
            yield f"{method} {path}", item[method]


def routes() -> list[Route]:
    return rest_routes(lambda _: None)


async def answered(method: str, case: Case) -> Reply:
    """Ask over one movie and one file, with what the case says broken."""
    door = RestDoor()
    await door.send("PUT", "/api/movies/Heat/1995", {"genre": "Crime"})
    door.objects.bodies["a"] = b"rows"
    door.catalogue.failure = door.login.failure = door.objects.failure = case.failure
    door.refuse_s = case.refuse_s
    if case.absent is not None:
        setattr(door.app.state, case.absent, None)
    headers = {
        name: value
        for name in ("if_match", "if_none_match", "content_type")
        if (value := getattr(case, name)) is not None
    }
    if case.endless:
        return await door.call(method, case.target, None, case.token, **headers)
    return await door.send(method, case.target, case.content, case.token, **headers)


def test_it_has_every_route_and_every_method_and_no_other(document: dict[str, Any]) -> None:
    served = {
        f"{method.lower()} {re.sub(':[a-z]+}', '}', route.path)}"
        for route in routes()
        for method in (
            route.app.methods
            if isinstance(route.app, Resource)
            else (route.methods or set()) - {"HEAD"}
        )
    }
    assert {name for name, _ in operations(document)} == served


def test_there_is_a_case_for_every_status_and_no_other(document: dict[str, Any]) -> None:
    documented = {
        name: {int(status) for status in operation["responses"]}
        for name, operation in operations(document)
    }
    assert {name: set(cases) for name, cases in CASES.items()} == documented


@pytest.mark.parametrize(
    "name, status", [(name, status) for name, cases in CASES.items() for status in cases]
)
async def test_every_documented_status_is_answered_as_documented(
    document: dict[str, Any], name: str, status: int
) -> None:
    reply = await answered(name.split(maxsplit=1)[0].upper(), CASES[name][status])
    assert reply.status == status
    response = dict(operations(document))[name]["responses"][str(status)]
    for header in response.get("headers", {}):
        assert header in reply.headers
    content = response.get("content")
    if content is None:
        assert reply.body == b""
    elif "application/json" in content:
        assert reply.headers["content-type"] == "application/json"
        assert_fits(reply.json, content["application/json"]["schema"], document)


def test_the_page_for_people_has_every_route_and_every_code(document: dict[str, Any]) -> None:
    page = DOCS.read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([A-Z]+) ([^`?]+)", page, re.MULTILINE))
    routed = {tuple(name.split()) for name, _ in operations(document)}
    assert {(method.lower(), path) for method, path in told} == routed
    codes = set(re.findall(r"^\| `([A-Z_]+)` \| [0-9]{3}", page, re.MULTILINE))
    assert codes == REST_CODES


@pytest.mark.parametrize(
    "if_match",
    ["*", '"file-1"', '"x"', '"x', 'W/"x"', "x", '""', '"a b"', '"a", "b"', f'"{"x" * 257}"', ""],
)
async def test_it_says_of_a_condition_what_the_server_does(
    if_match: str, document: dict[str, Any]
) -> None:
    put = document["paths"]["/api/movies/{name}/{year}"]["put"]
    (schema,) = (each["schema"] for each in put["parameters"] if each["name"] == "If-Match")
    fits = re.search(schema["pattern"], if_match) is not None
    door = RestDoor()
    reply = await door.send("PUT", "/api/movies/Heat/1995", {}, if_match=if_match)
    assert (reply.status != 400) == fits


async def test_it_is_served_as_it_is(document: dict[str, Any]) -> None:
    reply = await RestDoor().call("GET", OPENAPI)
    assert reply.json == document
    assert (await RestDoor().call("HEAD", OPENAPI)).headers == reply.headers


def test_it_follows_the_rules(document: dict[str, Any]) -> None:
    assert_follows_the_rules(json.loads(json.dumps(document)))


BROKEN_BY = {
    "version": ("openapi",),
    "title": ("info", "title"),
    "responses": ("paths", "/login", "post", "responses"),
    "description": ("paths", "/login", "post", "responses", "401", "description"),
    "operation id": ("paths", "/login", "post", "operationId"),
    "path parameters": ("paths", "/api/movies/{name}/{year}", "parameters"),
    "schema": ("components", "schemas", "Error"),
    "header": ("components", "headers", "ETag"),
    "security": ("components", "securitySchemes", "bearer"),
}
"""What is taken out of the document, by what that breaks."""


@pytest.mark.parametrize("name", BROKEN_BY)
def test_the_rules_see_what_is_missing(name: str) -> None:
    document = json.loads(json.dumps(description()))
    *parents, last = BROKEN_BY[name]
    del resolved("/".join(["#", *(each.replace("/", "~1") for each in parents)]), document)[last]
    with pytest.raises((AssertionError, KeyError)):
        assert_follows_the_rules(document)


def assert_follows_the_rules(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.[0-9]+", document["openapi"])
    assert all(isinstance(document["info"][name], str) for name in ("title", "version"))
    for reference in references(document):
        assert resolved(reference, document) is not None
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for path, item in document["paths"].items():
        assert path.startswith("/")
        assert item.keys() <= METHODS | {"parameters", "summary", "description", "servers"}
        for method in item.keys() & METHODS:
            _assert_operation(item[method], path, item.get("parameters", []), document)


def _assert_operation(
    operation: dict[str, Any], path: str, shared: list[Any], document: dict[str, Any]
) -> None:
    parameters = [*shared, *operation.get("parameters", [])]
    keys = [(parameter["in"], parameter["name"]) for parameter in parameters]
    assert len(set(keys)) == len(keys)
    in_path = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", path))
    for parameter in parameters:
        assert parameter["in"] in {"path", "query", "header", "cookie"}
        assert "schema" in parameter
        assert parameter["in"] != "path" or parameter["required"] is True
        # These three are said elsewhere and ignored as parameters.
        assert parameter["name"].lower() not in {"accept", "content-type", "authorization"}
    assert operation["responses"]
    for status, response in operation["responses"].items():
        assert re.fullmatch("[1-5][0-9]{2}", status)
        assert isinstance(response["description"], str)
    for requirement in operation["security"]:
        assert requirement.keys() <= document["components"]["securitySchemes"].keys()


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(reference: str, document: dict[str, Any]) -> Any:
    node: Any = document
    for part in reference.removeprefix("#").split("/")[1:]:
        node = node[part.replace("~1", "/")]  # RFC 6901
    return node


KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
}


def assert_fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Check a value against the keywords of JSON Schema that the document uses."""
    if "$ref" in schema:
        schema = resolved(schema["$ref"], document)
    if "type" in schema:
        assert isinstance(value, KINDS[schema["type"]]), (value, schema)
    assert value in schema.get("enum", [value])
    assert value == schema.get("const", value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        assert set(schema.get("required", ())) <= value.keys()
        for name, each in value.items():
            # What the document does not name is only where it says that anything may be.
            assert name in properties or schema.get("additionalProperties", not properties), name
            assert_fits(each, properties.get(name, {}), document)
    elif isinstance(value, list):
        for each in value:
            assert_fits(each, schema.get("items", {}), document)
