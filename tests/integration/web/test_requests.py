import re

import pytest

from tests.servers import Stack, running

QUESTION = "{ movies { totalCount } }"


async def test_a_request_id_is_echoed_and_logged(server: Stack) -> None:
    reply = await server.post({"query": QUESTION}, x_request_id="trace-4.2_A")
    assert reply.headers["x-request-id"] == "trace-4.2_A"
    (line,) = [line for line in server.log_lines if line["event"] == "request"]
    assert line["request_id"] == "trace-4.2_A"
    assert (line["method"], line["path"], line["status"]) == ("POST", "/graphql", 200)
    assert line["elapsed_ms"] >= 0


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space", "with:colon!", "ümlaut-12"]
)
async def test_an_id_that_is_none_is_replaced_by_one(server: Stack, given: str) -> None:
    reply = await server.post({"query": QUESTION}, x_request_id=given)
    made = reply.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", made)
    assert [line["request_id"] for line in server.log_lines] == [made]


async def test_every_request_gets_an_id_of_its_own(server: Stack) -> None:
    ids = {(await server.ask(QUESTION)).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


async def test_what_a_shop_did_is_logged_beside_the_request_that_met_it(server: Stack) -> None:
    await server.simulator.turn("filmworld", "500", "list")
    await server.post({"query": QUESTION}, x_request_id="trace-0001")
    warnings = [line for line in server.log_lines if line["event"] == "provider failed"]
    assert warnings
    for line in warnings:
        assert (line["level"], line["provider"], line["endpoint"]) == (
            "warning",
            "filmworld",
            "list",
        )
        assert line["request_id"] == "trace-0001"


@pytest.mark.parametrize(
    "method, path", [("GET", "/healthz"), ("GET", "/nothing"), ("PUT", "/graphql"), ("GET", "/")]
)
async def test_every_answer_keeps_browsers_strict(server: Stack, method: str, path: str) -> None:
    headers = (await server.call(method, path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-request-id"]
    assert "server" not in headers


async def test_a_browser_gets_graphiql_with_a_policy(server: Stack) -> None:
    reply = await server.call("GET", "/graphql", headers={"accept": "text/html"})
    assert reply.status == 200
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["vary"] == "Accept"
    assert reply.headers["cache-control"] == "no-cache"


async def test_graphiql_can_be_turned_off() -> None:
    async with running({"graphiql": False}) as server:
        reply = await server.call("GET", "/graphql", headers={"accept": "text/html"})
        assert reply.status == 406


async def test_files_with_a_hash_in_their_name_are_kept_for_a_year(server: Stack) -> None:
    page = await server.call("GET", "/graphql", headers={"accept": "text/html"})
    (script, *_) = re.findall(r'src="(/static/assets/[^"]+\.js)"', page.text)
    headers = (await server.call("GET", script)).headers
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"]
)
async def test_no_file_outside_of_the_pages_is_served(server: Stack, path: str) -> None:
    assert (await server.call("GET", path)).status == 404
