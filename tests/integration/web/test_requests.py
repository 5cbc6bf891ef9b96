import asyncio
import re

import pytest

from tests.servers import Stack, running, until

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


@pytest.mark.parametrize(
    "method, path",
    [
        ("PUT", "/api/movies/Heat/1995/"),
        ("DELETE", "/api/movies/Heat/1995/"),
        ("GET", "/api/movies/"),
        ("GET", "/api/movies/query/?name=x"),
        ("GET", "/api/openapi.json/"),
        ("POST", "/login/"),
        ("GET", "/files/"),
        ("GET", "/graphql/"),
        ("POST", "/graphql/"),
        ("OPTIONS", "/graphql/"),
        ("GET", "/movie/x/"),
        ("GET", "/exports/"),
        ("GET", "/catalogue/"),
        ("HEAD", "/catalogue/x/"),
        ("GET", "/static"),
        ("GET", "/static/"),
        ("GET", "/static/assets"),
        ("GET", "/healthz/"),
        ("GET", "/metrics/"),
        ("GET", "//evil.example/"),
        ("GET", "/healthz%0A"),
        ("GET", "/graphql%0A"),
    ],
)
async def test_no_path_is_redirected(server: Stack, method: str, path: str) -> None:
    headers = {"Host": "movies.example", "X-Forwarded-Proto": "https"}
    reply = await server.call(method, path, headers=headers)
    assert reply.status == 404
    assert "location" not in reply.headers
    assert reply.headers["content-type"] == "application/json"
    if method == "HEAD":
        return
    if path.startswith(("/api/", "/login", "/files")):
        assert reply.json["code"] == "NOT_FOUND"
        assert "/api/openapi.json" in reply.json["error"]
    else:
        (error,) = reply.json["errors"]
        assert error["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/graphql?query={providers{id}}"),
        ("PUT", "/graphql"),
        ("GET", "/nothing"),
        ("GET", "/api/openapi.json"),
        ("GET", "/api/movies"),
        ("POST", "/login"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/client.json"),
        ("GET", "/static/nothing.js"),
    ],
)
async def test_what_is_no_page_loads_nothing_in_a_browser(
    server: Stack, method: str, path: str
) -> None:
    policies = (await server.call(method, path)).headers.getall("content-security-policy")  # type: ignore[attr-defined]  # several are kept
    assert policies == ["default-src 'none'; frame-ancestors 'none'"]


async def test_pages_keep_their_own_policy(server: Stack) -> None:
    policies = (await server.call("GET", "/")).headers.getall("content-security-policy")  # type: ignore[attr-defined]  # several are kept
    assert len(policies) == 1
    assert "script-src 'self'" in policies[0]


async def test_an_upgrade_that_is_refused_has_the_headers_of_every_answer(server: Stack) -> None:
    headers = {"Upgrade": "websocket", "Connection": "upgrade", "Origin": "https://evil.example"}
    headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    reply = await server.call("GET", "/graphql", headers=headers)
    assert reply.status == 403
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/healthz", "/nothing", "/graphql?query={providers{id}}"])
async def test_browsers_are_told_to_use_tls_alone_where_that_is_set(
    server: Stack, path: str
) -> None:
    assert "strict-transport-security" not in (await server.call("GET", path)).headers
    async with running({"hsts_s": 31_536_000}) as strict:
        headers = (await strict.call("GET", path)).headers
        assert headers["strict-transport-security"] == "max-age=31536000"


async def test_no_text_of_a_caller_makes_a_long_log_line(server: Stack) -> None:
    await server.call("GET", "/" + "a" * 60_000)
    await server.call("GET", "/api/movies/" + "%C3%BC" * 9_000 + "/1999")
    await until(lambda: server.log.count('"event":"request"') == 2)
    lines = [line for line in server.log.splitlines() if '"event":"request"' in line]
    assert all(len(line) < 2_000 for line in lines)


@pytest.mark.parametrize(
    "method, path, route",
    [
        ("PUT", "/api/movies/Heat/1995", "/api/movies/{name}/{year}"),
        ("DELETE", "/api/movies/Either/Or/1995", "/api/movies/{name}/{year}"),
        ("GET", "/api/movies/query?name=x", "/api/movies/query"),
        ("GET", "/api/movies", "/api/movies"),
        ("POST", "/login", "/login"),
        ("GET", "/movie/tt0076759", "/movie/{id}"),
        ("GET", "/catalogue/heat_1995", "/catalogue/{id}"),
        ("GET", "/static/nothing.js", "/static"),
        ("GET", "/nothing", "other"),
        ("GET", "/api/movies/x", "other"),
    ],
)
async def test_metrics_name_the_route(server: Stack, method: str, path: str, route: str) -> None:
    reply = await server.call(method, path)
    labels = f'method="{method}",route="{route}",status="{reply.status}"'
    async with asyncio.timeout(5):  # a request is counted when its answer has left
        while labels not in (await server.call("GET", "/metrics")).text:  # noqa: ASYNC110  # a counter has no event
            await asyncio.sleep(0.01)
