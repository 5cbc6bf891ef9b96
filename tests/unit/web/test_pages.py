from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from movieql.memory import VirtualClock
from movieql.web.logs import make_logger
from movieql.web.metrics import Metrics
from movieql.web.pages import Pages
from movieql.web.requests import RequestMiddleware


async def test_pages_that_are_not_built_say_how_to_build_them(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    await Pages(tmp_path / "static").graphiql({"type": "http", "method": "GET"}, receive, send)
    assert sent[0]["status"] == 503
    assert b"make client" in sent[1]["body"]


def over(folder: Path) -> TestClient:
    """Return a caller of an app that has the page for customers at its root."""
    pages = Pages(folder)
    return TestClient(
        Starlette(routes=[Route("/", pages.client), Mount("/static", pages.assets())])
    )


def directives(policy: str) -> dict[str, str]:
    """Return what a policy says of each kind of thing."""
    return {name: value for name, _, value in (part.partition(" ") for part in policy.split("; "))}


def test_a_client_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    reply = over(tmp_path / "static").get("/")
    assert reply.status_code == 503
    assert "make client" in reply.text


@pytest.mark.parametrize("path", ["/", "/static/index.html"])
def test_the_client_may_run_and_style_nothing_inline(tmp_path: Path, path: str) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    reply = over(tmp_path).get(path)
    assert reply.text == "<!doctype html>"
    assert reply.headers["cache-control"] == "no-cache"
    policy = reply.headers["content-security-policy"]
    assert "unsafe" not in policy
    said = directives(policy)
    assert said["default-src"] == "'none'"
    assert said["script-src"] == said["connect-src"] == "'self'"
    assert said["img-src"] == "'self' https: http:"
    assert said["frame-ancestors"] == "'none'"


def test_graphiql_keeps_its_own_policy(tmp_path: Path) -> None:
    (tmp_path / "graphiql.html").write_text("<!doctype html>", encoding="utf-8")
    policy = over(tmp_path).get("/static/graphiql.html").headers["content-security-policy"]
    assert directives(policy)["style-src"] == "'self' 'unsafe-inline'"


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
        routes=frozenset(),
        shortcuts={},
    )
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(ValueError, match="the rest is gone"):
        await app(scope, receive, send)
    assert len(sent) == 1  # a second start would mix two answers
