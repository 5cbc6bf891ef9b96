import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount
from starlette.types import Message

from movieql.memory import VirtualClock
from movieql.web.pages import CLIENT_POLICY, MOVIE_PATH, Pages
from movieql.web.requests import RequestMiddleware
from movieql.web.telemetry import Metrics, make_logger
from tests.servers import ROOT

PAGE = "<!doctype html>"

AS_THEY_ARE = "!'()*~"
"""What JavaScript's encodeURIComponent leaves as it is, besides letters, digits and `-_.`."""

MOVIES = frozenset({"tt1", "a/b", "😀", "a\nb", "100%", "%2F", "q?#;,:@&=+$ !'()*~", ".a"})


async def test_pages_that_are_not_built_say_how_to_build_them(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    await Pages(tmp_path / "static").graphiql({"type": "http", "method": "GET"}, receive, send)
    assert sent[0]["status"] == 503
    assert b"make client" in sent[1]["body"]


async def asked(
    folder: Path,
    path: str,
    accept: str = "text/html,*/*;q=0.8",
    method: str = "GET",
    ranges: str | None = None,
) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of a page; the only movies are MOVIES."""
    pages = Pages(folder)
    app = Starlette(
        routes=[*pages.routes, Mount("/static", pages.assets())],
        exception_handlers={HTTPException: pages.refused},
    )

    async def is_missing(movie_id: str) -> bool:
        return movie_id not in MOVIES

    app.state.is_missing = is_missing
    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()  # the caller stays
        raise AssertionError

    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "headers": [
            (b"accept", accept.encode()),
            *([] if ranges is None else [(b"range", ranges.encode())]),
        ],
    }
    await app(scope, receive, send)
    start, *rest = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, b"".join(each["body"] for each in rest).decode()


def directives(policy: str) -> dict[str, str]:
    """Return what a policy says of each kind of thing."""
    return {name: value for name, _, value in (part.partition(" ") for part in policy.split("; "))}


async def test_a_client_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    status, _, text = await asked(tmp_path / "static", "/")
    assert status == 503
    assert "make client" in text


@pytest.mark.parametrize("path", ["/", "/static/index.html"])
async def test_the_client_may_run_and_style_nothing_inline(tmp_path: Path, path: str) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    status, headers, text = await asked(tmp_path, path)
    assert (status, text) == (200, "<!doctype html>")
    assert headers["cache-control"] == "no-cache"
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    said = directives(policy)
    assert said["default-src"] == said["frame-ancestors"] == "'none'"
    assert said["script-src"] == said["style-src"] == said["connect-src"] == "'self'"
    assert said["img-src"] == "'self' https: http:"


def test_every_page_of_the_client_has_a_route() -> None:
    text = (ROOT / "client" / "src" / "app" / "routes.ts").read_text(encoding="utf-8")
    paths = set(re.findall(r'^  \w+: "(/[^"]*)",$', text, re.MULTILINE))
    assert "/movie/:id" in paths
    for path in paths - {"/graphql"}:
        scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
        assert any(route.matches(scope)[0] is Match.FULL for route in Pages().routes), path


def client_in(folder: Path) -> Path:
    """Build a client of one line."""
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    return folder


@pytest.mark.parametrize("movie_id", sorted(MOVIES))
async def test_the_page_of_a_movie_opens_whatever_its_id_is(tmp_path: Path, movie_id: str) -> None:
    path = "/movie/" + quote(movie_id, safe=AS_THEY_ARE)
    status, headers, text = await asked(client_in(tmp_path), path)
    assert (status, text, headers["cache-control"]) == (200, PAGE, "no-cache")


@given(st.text(min_size=1))
async def test_every_id_that_can_be_encoded_is_read_as_it_was(movie_id: str) -> None:
    (route,) = (route for route in Pages().routes if route.path == MOVIE_PATH)
    path = "/movie/" + quote(movie_id, safe=AS_THEY_ARE)
    scope = {"type": "http", "method": "GET", "path": unquote(path), "root_path": ""}
    sent = scope | {"raw_path": path.encode()}
    # A server that leaves `raw_path` out has lost which slashes were encoded.
    for each in (sent,) if "/" in movie_id else (sent, scope):
        match, child = route.matches(each)
        assert match is Match.FULL
        assert unquote(child["path_params"]["id"]) == movie_id


@pytest.mark.parametrize(
    "path",
    [
        "/movie/tt9999999",
        "/movie/..",
        "/movie/%2e%2e",
        "/movie/%00",
        "/movie/%ff",
        "/movie/tt1/",
        "/movie/a/b",
        f"/movie/{'a' * 50_000}",
        "/nonsense",
        "/Exports",
        "/exports/",
        "/static/none.js",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_browser_gets_the_page_with_404_where_there_is_nothing(
    tmp_path: Path, path: str, method: str
) -> None:
    status, headers, text = await asked(client_in(tmp_path), path, method=method)
    assert (status, text) == (404, PAGE if method == "GET" else "")
    assert headers["cache-control"] == "no-store"
    assert headers["content-length"] == str(len(PAGE))
    assert headers["content-security-policy"] == CLIENT_POLICY


@pytest.mark.parametrize("path", ["/nonsense", "/movie/tt9999999", "/movie/%ff"])
@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html;q=0"])
async def test_what_is_no_browser_gets_the_error_as_json(
    tmp_path: Path, accept: str, path: str
) -> None:
    status, headers, text = await asked(client_in(tmp_path), path, accept)
    assert (status, headers["content-type"]) == (404, "application/json")
    assert headers["cache-control"] == "no-store"
    assert "There is nothing here" in text
    assert headers["vary"] == "Accept"


async def test_an_address_that_takes_no_post_is_no_page(tmp_path: Path) -> None:
    status, headers, _ = await asked(client_in(tmp_path), "/nonsense", method="POST")
    assert (status, headers["content-type"]) == (404, "application/json")


async def test_an_unknown_address_is_404_without_a_built_client_too(tmp_path: Path) -> None:
    status, _, text = await asked(tmp_path, "/nonsense")
    assert status == 404
    assert "There is nothing here" in text


@pytest.mark.parametrize("path", ["/", "/movie/tt1", "/static/index.html"])
@pytest.mark.parametrize(
    "ranges", ["foo", "bytes=", "bytes=5-1", "bytes=999999-", "bytes=0-1", "bytes=0-0,2-3"]
)
async def test_pages_and_files_are_sent_whole(tmp_path: Path, path: str, ranges: str) -> None:
    status, headers, text = await asked(client_in(tmp_path), path, ranges=ranges)
    assert (status, text) == (200, PAGE)
    assert headers["accept-ranges"] == "none"


async def test_graphiql_keeps_its_own_policy(tmp_path: Path) -> None:
    (tmp_path / "graphiql.html").write_text("<!doctype html>", encoding="utf-8")
    _, headers, _ = await asked(tmp_path, "/static/graphiql.html")
    said = directives(headers["content-security-policy"])
    assert said["style-src"] == "'self' 'unsafe-inline'"


async def test_a_fault_in_the_middle_of_an_answer_breaks_the_connection() -> None:
    async def half(_scope: object, _receive: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("the rest is gone")

    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    metrics = Metrics(make_logger("error", "json"))
    app = RequestMiddleware(
        half,
        clock=VirtualClock(),
        logger=make_logger("error", "json"),
        metrics=metrics,
        new_id=lambda: "request-1",
        routes=[],
        shortcuts={},
        hsts_s=0,
    )
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(ValueError, match="the rest is gone"):
        await app(scope, receive, send)
    assert len(sent) == 1  # a second start would mix two answers
