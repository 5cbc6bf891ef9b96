import asyncio
import json
from typing import Any

import pytest
from multidict import CIMultiDict

from tests.servers import ROOT, Reply, Stack, running

QUESTION = "{ providers { id } }"
PROVIDERS = {"providers": [{"id": "cinemaworld"}, {"id": "filmworld"}]}
GRAPHQL_RESPONSE = "application/graphql-response+json"


def assert_refused(reply: Reply, status: int) -> str:
    """Check that a refusal has the one error shape, and return its message."""
    assert reply.status == status, reply.text
    assert reply.headers["content-type"].startswith("application/json")
    (error,) = reply.json["errors"]
    assert error.keys() == {"message", "extensions"}
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert error["message"]
    return str(error["message"])


# What is executed


async def test_a_question_is_answered_by_post_and_by_get(server: Stack) -> None:
    assert (await server.ask(QUESTION)).json == {"data": PROVIDERS}
    got = await server.call("GET", "/graphql", params={"query": QUESTION})
    assert got.json == {"data": PROVIDERS}


async def test_variables_are_taken_by_get(server: Stack) -> None:
    reply = await server.call(
        "GET",
        "/graphql",
        params={
            "query": "query A($n: Int) { movies(first: $n) { nodes { id } } }"
            "query B { providers { id } }",
            "variables": '{"n": 2}',
            "operationName": "A",
        },
    )
    assert len(reply.data["movies"]["nodes"]) == 2


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
async def test_the_answer_has_the_type_that_was_accepted(server: Stack, accept: str) -> None:
    reply = await server.post({"query": QUESTION}, accept=accept)
    assert reply.status == 200
    assert reply.headers["content-type"] == f"{accept}; charset=utf-8"
    assert reply.headers["vary"] == "Accept, Authorization"
    documented = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"| `Vary: {reply.headers['vary']}` |" in documented


async def test_weights_and_several_accept_lines_are_read(server: Stack) -> None:
    headers = CIMultiDict(
        [
            ("content-type", "application/json"),
            ("accept", "text/html"),
            ("accept", f"application/json;q=0.1, {GRAPHQL_RESPONSE};q=0.2"),
        ]
    )
    body = json.dumps({"query": QUESTION}).encode()
    reply = await server.call("POST", "/graphql", data=body, headers=headers)
    assert reply.headers["content-type"].startswith(GRAPHQL_RESPONSE)


@pytest.mark.parametrize("accept, status", [("application/json", 200), (GRAPHQL_RESPONSE, 400)])
@pytest.mark.parametrize(
    "payload",
    [
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": "query A { providers { id } } query B { providers { id } }"},
        {"query": "query A { providers { id } }", "operationName": "B"},
        {"query": "query ($id: ID!) { movie(id: $id) { id } }"},
    ],
    ids=["syntax", "field", "two operations", "unknown name", "variable"],
)
async def test_a_document_that_cannot_run_has_no_data(
    server: Stack, payload: Any, accept: str, status: int
) -> None:
    reply = await server.post(payload, accept=accept)
    assert reply.status == status
    assert "data" not in reply.json
    assert reply.json["errors"][0]["extensions"]["code"].startswith("GRAPHQL_")


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
async def test_a_field_that_fails_is_in_an_answer_with_data(server: Stack, accept: str) -> None:
    reply = await server.post({"query": "{ movies(first: -1) { complete } }"}, accept=accept)
    assert reply.status == 200
    assert reply.json["data"] is None


async def test_head_is_get_without_the_body(server: Stack) -> None:
    got = await server.call("GET", "/graphql", params={"query": QUESTION})
    head = await server.call("HEAD", "/graphql", params={"query": QUESTION})
    assert (head.status, head.text) == (200, "")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["content-type"] == got.headers["content-type"]


# What is refused


BODIES = {
    "nothing": b"",
    "text": b'"x"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "array": b"[]",
    "batch": b'[{"query": "{ providers { id } }"}]',
    "not UTF-8": b'{"query": "\xff"}',
    "UTF-16": '{"query": "{ providers { id } }"}'.encode("utf-16"),
    "half": b'{"query": "{ prov',
    "NaN": b'{"query": "{ providers { id } }", "variables": {"a": NaN}}',
    "lone surrogate": b'{"query": "\\ud800"}',
    "deep": b"[" * 40_000 + b"]" * 40_000,
    "deep variables": b'{"query": "{a}", "variables": ' + b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "long number": b"9" * 5_000,
    "long variable": b'{"query": "{a}", "variables": {"a": ' + b"9" * 5_000 + b"}}",
    "no query": b"{}",
    "query is null": b'{"query": null}',
    "query is a number": b'{"query": 1}',
    "variables are a list": b'{"query": "{a}", "variables": []}',
    "variables are a text": b'{"query": "{a}", "variables": "{}"}',
    "name is a number": b'{"query": "{a}", "operationName": 1}',
    "extensions are a text": b'{"query": "{a}", "extensions": "x"}',
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_body_that_is_no_request_is_a_bad_request(server: Stack, body: str) -> None:
    assert_refused(await server.post(BODIES[body]), 400)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"variables": "{}"},
        {"query": QUESTION, "variables": "1"},
        {"query": QUESTION, "variables": "{"},
    ],
    ids=str,
)
async def test_an_address_that_is_no_request_is_a_bad_request(
    server: Stack, parameters: dict[str, str]
) -> None:
    assert_refused(await server.call("GET", "/graphql", params=parameters), 400)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/jsonx",
        "application/json-patch+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
    ],
)
async def test_only_json_in_utf_8_is_taken(server: Stack, content_type: str) -> None:
    reply = await server.post({"query": QUESTION}, content_type=content_type)
    assert "application/json" in assert_refused(reply, 415)


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", "APPLICATION/JSON"])
async def test_the_type_of_a_body_is_read_as_http_says(server: Stack, content_type: str) -> None:
    assert (await server.post({"query": QUESTION}, content_type=content_type)).status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_type_that_we_do_not_speak_is_not_acceptable(server: Stack, method: str) -> None:
    reply = await server.call(
        method,
        "/graphql",
        params={"query": QUESTION},
        data=b"{}" if method == "POST" else None,
        headers={"accept": "application/xml", "content-type": "application/json"},
    )
    assert GRAPHQL_RESPONSE in assert_refused(reply, 406)


async def sent_raw(server: Stack, request: bytes) -> bytes:
    """Send bytes, all of them before anything is read, and return the answer to its end."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


async def test_who_sends_too_much_can_read_how_much_may_be_sent(server: Stack) -> None:
    body = b'{"query": "' + b" " * 5_000_000 + b'"}'
    head = (
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    for _ in range(5):  # a reset would race with the answer
        answer = await sent_raw(server, head.encode() + body)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"may have 100000 bytes" in answer
    assert "100000 bytes" in assert_refused(await server.post(body), 413)


async def test_a_body_may_have_as_much_as_is_allowed() -> None:
    async with running({"request_bytes_max": 100}) as server:
        exact = json.dumps({"query": QUESTION}).encode().ljust(100)
        assert (await server.post(exact)).status == 200
        assert_refused(await server.post(exact + b" "), 413)


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("PUT", "/graphql", {"GET", "HEAD", "POST"}),
        ("DELETE", "/graphql", {"GET", "HEAD", "POST"}),
        ("OPTIONS", "/graphql", {"GET", "HEAD", "POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("PUT", "/metrics", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_is_not_taken_is_told_which_are(
    server: Stack, method: str, path: str, allowed: set[str]
) -> None:
    reply = await server.call(method, path)
    assert_refused(reply, 405)
    assert set(reply.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", ["/nothing", "/graphql/x", "/static/nothing.js", "/%2e%2e/etc"])
async def test_what_is_not_there_is_said_in_the_one_shape(
    server: Stack, method: str, path: str
) -> None:
    reply = await server.call(method, path)
    assert_refused(reply, 405 if path.startswith("/static") and method != "GET" else 404)


@pytest.mark.parametrize("path", ["/nothing", "/graphql"])
async def test_a_refused_head_has_the_headers_of_the_refusal(server: Stack, path: str) -> None:
    reply = await server.call("HEAD", path)
    assert (reply.status, reply.text) == (404 if path == "/nothing" else 400, "")
    assert reply.headers["content-type"].startswith("application/json")


async def test_a_mutation_is_not_run_by_get(server: Stack) -> None:
    reply = await server.call(
        "GET",
        "/graphql",
        params={"query": "mutation { __typename }"},
        headers={"accept": GRAPHQL_RESPONSE},
    )
    assert 400 <= reply.status < 500
    assert "data" not in reply.json


async def test_a_client_that_leaves_before_its_body_ended_harms_nobody(server: Stack) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b'content-length: 100\r\n\r\n{"query"'
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await server.ask(QUESTION)).status == 200
    assert "fault of ours" not in server.log


# Faults of ours


async def test_a_fault_of_ours_is_masked_in_the_one_shape(server: Stack) -> None:
    class Broken:
        async def __call__(self, *_: object) -> None:
            raise ValueError("canary-0123456789")

    server.app.state.graphql = Broken()
    reply = await server.call("GET", "/graphql", headers={"x-request-id": "request-0001"})
    assert reply.status == 500
    (error,) = reply.json["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "request-0001"}
    assert "request-0001" in error["message"]
    assert "canary" not in reply.text
    assert reply.headers["x-request-id"] == "request-0001"
    assert reply.headers["x-content-type-options"] == "nosniff"
    (fault,) = [line for line in server.log_lines if line["event"] == "fault of ours"]
    assert fault["request_id"] == "request-0001"
    assert "canary-0123456789" in fault["exception"]
    assert 'movieql_faults_total{where="http"} 1.0' in (await server.call("GET", "/metrics")).text
