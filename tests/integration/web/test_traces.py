"""Spans of answers and of the calls in them: they arrive, or nobody waits for them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan

from movieql.app import build_app
from movieql.domain.errors import SettingsError
from movieql.settings import Settings
from movieql.settings.providers import parse_providers
from movieql.web.telemetry import make_logger
from tests.servers import Stack, listening_shop, running, serving, until
from tests.trace_receiver import Receiver, receiving

CANARY = "canary-0123456789-abcdefghij"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
QUESTION = "query Prices($first: Int) { movies(first: $first) { nodes { cheapest { final } } } }"
ARRIVED_S = 10.0


def traced(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"traces_url": receiver.url, "traces_share": 1, "traces_timeout_s": 1.0, **more}


async def arrived(receiver: Receiver, name: str, count: int = 1) -> list[Any]:
    await until(lambda: len(receiver.named(name)) >= count, ARRIVED_S)
    return receiver.named(name)


async def test_calls_are_within_the_answer_and_the_answer_in_the_callers_trace() -> None:
    async with receiving() as receiver, running(traced(receiver)) as server:
        await server.simulator.turn("filmworld", "500", "detail")
        payload = {"query": QUESTION, "variables": {"first": 3}}
        reply = await server.post(payload, traceparent=TRACEPARENT)
        (answer,) = await arrived(receiver, "query Prices")
        assert (answer.trace, answer.parent, answer.role) == (TRACE, PARENT, "server")
        assert answer.kind == SentSpan.SPAN_KIND_SERVER
        assert answer.facts == {
            "graphql.operation.type": "query",
            "graphql.operation.name": "Prices",
            "movieql.request_id": reply.headers["x-request-id"],
            "movieql.errors": 0,
            "movieql.complete": False,
        }
        calls = await arrived(receiver, "call cinemaworld", 4)
        assert {(call.trace, call.parent) for call in calls} == {(TRACE, answer.own)}
        assert all(call.kind == SentSpan.SPAN_KIND_CLIENT and not call.failed for call in calls)
        assert [call.facts for call in calls if call.facts["movieql.endpoint"] == "list"] == [
            {
                "movieql.provider": "cinemaworld",
                "movieql.endpoint": "list",
                "movieql.attempt": 1,
                "movieql.outcome": "ok",
            }
        ]
        await until(lambda: any(s.failed for s in receiver.named("call filmworld")), ARRIVED_S)
        failed = [span.facts for span in receiver.named("call filmworld") if span.failed]
        assert {facts["movieql.outcome"] for facts in failed} == {"unavailable"}
        assert {facts["movieql.attempt"] for facts in failed} > {1}


async def test_what_is_kept_whole_makes_no_span_and_what_is_refused_none_either() -> None:
    async with receiving() as receiver, running(traced(receiver)) as server:
        for _ in range(3):
            await server.ask("query Twice { movies { totalCount } }")
            await server.ask("query Wrong { nothing }")
        await server.ask("query Last { movies { totalCount } }")
        await arrived(receiver, "query Last")
        assert len(receiver.named("query Twice")) < 3
        assert receiver.named("query Wrong") == []


async def test_spans_tell_no_secret() -> None:
    async with receiving() as receiver:
        async with running(traced(receiver), token=CANARY) as server:
            await server.simulator.turn("filmworld", "403")
            search = "query ($text: String) { movies(filter: {title: $text}) { totalCount } }"
            headers = {"authorization": f"Bearer {CANARY}", "x-secret": CANARY}
            await server.post({"query": search, "variables": {"text": CANARY}}, **headers)
            await server.post({"query": search, "variables": {"text": CANARY}}, x_secret=CANARY)
        assert receiver.spans  # all that waited was sent at the end
        assert CANARY.encode() not in b"".join(receiver.bodies)


async def test_of_a_trace_that_its_beginning_does_not_keep_nothing_is_kept() -> None:
    async with receiving() as receiver, running(traced(receiver)) as server:
        await server.post({"query": QUESTION}, traceparent=TRACEPARENT[:-2] + "00")
        await server.post(
            {"query": "query Ours { movies { totalCount } }"}, traceparent="nonsense"
        )
        (ours,) = await arrived(receiver, "query Ours")
        assert ours.parent == ""
        assert receiver.named("query Prices") == []


async def test_no_share_is_nothing() -> None:
    async with receiving() as receiver:
        async with running(traced(receiver, traces_share=0)) as server:
            await server.post({"query": QUESTION}, traceparent=TRACEPARENT)
        assert receiver.bodies == []


# Third parties


SEEN = web.AppKey("seen", list[str | None])


async def shop(request: web.Request) -> web.Response:
    """Note what a shop is told."""
    request.app[SEEN].append(request.headers.get("traceparent"))
    return web.json_response({"id": "1"} if request.method == "POST" else [{"id": "1"}])


@pytest.fixture
async def listening() -> AsyncIterator[tuple[web.Application, str]]:
    app = web.Application()
    app[SEEN] = []
    app.router.add_route("*", "/movies", shop)
    async with listening_shop(app) as url:
        yield app, url


@pytest.mark.parametrize("told", [False, True])
async def test_a_provider_is_told_of_a_trace_only_where_a_setting_says_so(
    listening: tuple[web.Application, str], *, told: bool
) -> None:
    app, url = listening
    provider = {
        "id": "shop",
        "name": "Shop",
        "base_url": url,
        "sells": False,
        "list": {"path": "/movies", "fields": []},
        "keys": {"id": "id"},
    }
    async with receiving() as receiver:
        settings = traced(receiver, traces_to_providers=told)
        async with serving(parse_providers({"providers": [provider]}), {}, settings) as server:
            await server.post({"query": QUESTION}, traceparent=TRACEPARENT)
        (call,) = receiver.named("call shop")
        assert app[SEEN] == [f"00-{TRACE}-{call.own}-01" if told else None]


# Receivers that do not receive


async def answered_and_stopped(url: str, caplog: pytest.LogCaptureFixture) -> tuple[float, float]:
    """Ask a server that traces to a URL; return the slowest answer, and how long its end took."""
    caplog.set_level(logging.CRITICAL, "opentelemetry")
    settings = {"traces_url": url, "traces_share": 1, "traces_timeout_s": 1.0}
    slowest_s = 0.0
    async with running(settings) as server:
        for number in range(300):
            reply = await server.ask(f"{{ movies {{ totalCount }} }} # {number}")
            assert reply.data["movies"]["totalCount"] == 7
            slowest_s = max(slowest_s, reply.elapsed_s)
        await asyncio.sleep(1.2)  # a batch is under way
        for number in range(50):
            reply = await server.ask(f"{{ movies {{ totalCount }} }} # again {number}")
            slowest_s = max(slowest_s, reply.elapsed_s)
        began_s = time.monotonic()
    return slowest_s, time.monotonic() - began_s


async def test_a_receiver_that_hangs_makes_nobody_wait(caplog: pytest.LogCaptureFixture) -> None:
    async with receiving(answers=False) as receiver:
        slowest_s, end_s = await answered_and_stopped(receiver.url, caplog)
    assert slowest_s < 0.7
    assert end_s < 3.0


async def test_a_receiver_that_is_dead_makes_nobody_wait(caplog: pytest.LogCaptureFixture) -> None:
    slowest_s, end_s = await answered_and_stopped("http://127.0.0.1:9/v1/traces", caplog)
    assert slowest_s < 0.7
    assert end_s < 3.0


@pytest.mark.parametrize("missing", ["opentelemetry", "opentelemetry.exporter.otlp.proto.http"])
def test_without_the_extra_traces_are_refused_at_start(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "movieql.composition.tracing.find_spec",
        lambda name: None if name.startswith(missing) else object(),
    )
    settings = Settings(traces_url="http://collector:4318/v1/traces")
    with pytest.raises(SettingsError, match=r"pip install movieql\[tracing\]"):
        build_app(settings, (), {}, make_logger("info", "json"))


async def test_without_traces_nothing_of_them_is_there(server: Stack) -> None:
    reply = await server.post({"query": QUESTION}, traceparent=TRACEPARENT)
    assert "errors" not in reply.json
