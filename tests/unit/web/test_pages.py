from pathlib import Path
from typing import Any

import pytest

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
