"""`movieql lambda`: what Lambda asks is answered, whatever was asked before."""

import asyncio
import base64
import io
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from movieql.app import build_app
from movieql.clock import SystemClock
from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.serverless.events import answering
from movieql.serverless.runtime import LambdaRuntime, RuntimeApiError
from movieql.settings import Settings
from movieql.web.telemetry import make_logger
from tests.integration.serverless.runtime_api import RuntimeApi, http_event, runtime_api
from tests.servers import launched, ran, serve_env

QUESTION = json.dumps({"query": "{ movies(first: 3) { totalCount nodes { title } } }"})

BROKEN: list[Any] = [b"{", [], {"version": "1.0"}, {"version": "2.0"}]


@asynccontextmanager
async def functioning(app: Starlette, log: io.StringIO | None = None) -> AsyncIterator[RuntimeApi]:
    """Run an app as a function; gives the API that asks it."""
    logger = make_logger("info", "json", log or io.StringIO())
    async with (
        runtime_api() as api,
        app.router.lifespan_context(app),
        aiohttp.ClientSession() as session,
    ):
        runtime = LambdaRuntime(session, api.address, answering(app), SystemClock(), logger)
        running = asyncio.ensure_future(runtime.run())
        try:
            yield api
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@asynccontextmanager
async def movies(log: io.StringIO | None = None) -> AsyncIterator[RuntimeApi]:
    """Run the server over simulated shops as a function."""
    async with Simulator() as simulator:
        app = build_app(
            Settings(trusted_hops=2),
            simulated_providers(simulator),
            simulated_secrets(simulator),
            make_logger("info", "json", log or io.StringIO()),
        )
        async with functioning(app, log) as api:
            yield api


async def test_a_question_is_answered() -> None:
    async with movies() as api:
        event = http_event("POST", "/graphql", QUESTION, content_type="application/json")
        what, answer = await api.invoke(event)
    assert (what, answer["statusCode"]) == ("response", 200)
    assert answer["isBase64Encoded"] is False
    assert json.loads(answer["body"])["data"]["movies"]["totalCount"] == 7
    assert answer["headers"]["x-movieql-sources"] == "cinemaworld=ok, filmworld=ok"


async def test_a_question_by_get_and_one_in_base64_are_answered() -> None:
    async with movies() as api:
        _, by_get = await api.invoke(
            http_event("GET", "/graphql", query="query=%7Bproviders%7Bid%7D%7D")
        )
        event = http_event("POST", "/graphql", content_type="application/json")
        event |= {"body": base64.b64encode(QUESTION.encode()).decode(), "isBase64Encoded": True}
        _, in_base64 = await api.invoke(event)
    assert json.loads(by_get["body"])["data"]["providers"][0]["id"] == "cinemaworld"
    assert by_get["headers"]["cache-control"].startswith("public")
    assert json.loads(in_base64["body"])["data"]["movies"]["totalCount"] == 7


async def test_a_broken_event_is_an_error_and_the_next_one_is_answered() -> None:
    log = io.StringIO()
    async with movies(log) as api:
        for broken in BROKEN:
            what, told = await api.invoke(broken)
            assert what == "error"
            assert told["errorMessage"] == "The invocation failed; see the log."
        what, answer = await api.invoke(http_event("GET", "/healthz"))
    assert (what, answer["statusCode"]) == ("response", 200)
    faults = [json.loads(line) for line in log.getvalue().splitlines() if "fault of ours" in line]
    assert [fault["aws_request_id"] for fault in faults] == [f"request-{n}" for n in range(4)]


async def test_an_app_that_fails_fails_one_invocation_only() -> None:
    async def broken(_: Request) -> Response:
        raise RuntimeError

    async def well(_: Request) -> Response:
        return PlainTextResponse("well")

    app = Starlette(routes=[Route("/broken", broken), Route("/well", well)])
    async with functioning(app) as api:
        _, failed = await api.invoke(http_event("GET", "/broken"))
        _, answered = await api.invoke(http_event("GET", "/well"))
    assert failed["statusCode"] == 500
    assert (answered["statusCode"], answered["body"]) == (200, "well")


async def test_the_app_is_opened_once_for_all_invocations() -> None:
    opened: list[asyncio.AbstractEventLoop] = []
    asked: list[asyncio.AbstractEventLoop] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        opened.append(asyncio.get_running_loop())
        yield

    async def note(_: Request) -> Response:
        asked.append(asyncio.get_running_loop())
        return Response(status_code=204)

    async with functioning(Starlette(routes=[Route("/", note)], lifespan=lifespan)) as api:
        for _ in range(3):
            await api.invoke(http_event("GET", "/"))
    assert len(opened) == 1
    assert asked == opened * 3


async def test_an_invocation_that_takes_too_long_is_given_up_before_lambda_does() -> None:
    async def hang(_: Request) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def well(_: Request) -> Response:
        return PlainTextResponse("well")

    app = Starlette(routes=[Route("/hang", hang), Route("/well", well)])
    async with functioning(app) as api:
        what, told = await api.invoke(http_event("GET", "/hang"), within_s=0.7)
        _, answered = await api.invoke(http_event("GET", "/well"))
    assert (what, told["errorType"]) == ("error", "TimeoutError")
    assert answered["body"] == "well"


async def test_an_answer_that_is_too_large_is_an_error() -> None:
    async def large(_: Request) -> Response:
        return PlainTextResponse("x" * 2_000_000)

    async with functioning(Starlette(routes=[Route("/", large)])) as api:
        api.bytes_max = 1_000_000
        what, _ = await api.invoke(http_event("GET", "/"))
    assert what == "error"


async def test_without_a_runtime_api_the_function_ends() -> None:
    async def never(_: Any) -> dict[str, Any]:
        raise AssertionError

    async with aiohttp.ClientSession() as session:
        logger = make_logger("info", "json", io.StringIO())
        runtime = LambdaRuntime(session, "127.0.0.1:1", never, SystemClock(), logger)
        with pytest.raises(RuntimeApiError):
            await runtime.run()


async def test_the_command_answers_what_the_api_asks() -> None:
    async with Simulator() as simulator, runtime_api() as api:
        with tempfile.TemporaryDirectory() as folder:
            env = serve_env(simulator, Path(folder)) | {"AWS_LAMBDA_RUNTIME_API": api.address}
            with launched("lambda", env=env) as process:
                event = http_event("POST", "/graphql", QUESTION, content_type="application/json")
                _, answer = await api.invoke(event)
                assert process.process.poll() is None
    assert json.loads(answer["body"])["data"]["movies"]["totalCount"] == 7


def test_elsewhere_the_command_says_where_it_belongs() -> None:
    done = ran("lambda")
    assert done.returncode == 1
    assert "only AWS Lambda can run this: try `movieql serve`." in done.stderr


def test_a_secret_that_cannot_be_read_is_named() -> None:
    env = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1", "LAMBDA_SECRETS": '{"A_TOKEN": "no arn"}'}
    done = ran("lambda", env=env)
    assert done.returncode == 1
    assert "The secret no arn cannot be read: is it filled?" in done.stderr
