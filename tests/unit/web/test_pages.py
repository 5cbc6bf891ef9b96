import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Match, Mount, Route
from starlette.types import Message

from movieql.memory import VirtualClock
from movieql.web.logs import make_logger
from movieql.web.metrics import Metrics
from movieql.web.pages import CLIENT_PATHS, Pages
from movieql.web.requests import RequestMiddleware
from tests.servers import ROOT


async def test_pages_that_are_not_built_say_how_to_build_them(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    await Pages(tmp_path / "static").graphiql({"type": "http", "method": "GET"}, receive, send)
    assert sent[0]["status"] == 503
    assert b"make client" in sent[1]["body"]


async def asked(folder: Path, path: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of a page, the one for customers being at the root."""
    pages = Pages(folder)
    app = Starlette(routes=[Route("/", pages.client), Mount("/static", pages.assets())])
    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()  # the caller stays
        raise AssertionError

    await app({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)
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
    routes = [Route(path, lambda _: None) for path in CLIENT_PATHS]
    assert "/movie/:id" in paths
    for path in paths - {"/graphql"}:
        scope = {"type": "http", "method": "GET", "path": path, "root_path": ""}
        assert any(route.matches(scope)[0] is Match.FULL for route in routes), path


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
