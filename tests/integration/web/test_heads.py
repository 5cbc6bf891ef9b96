"""Heads of requests that are too large or too slow, byte by byte over a socket."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from movieql.web.server import ServerLimits
from tests.servers import listening

LIMITS = ServerLimits(shutdown_s=1.0, head_bytes_max=20_000, head_s=0.3)
SLACK_S = 3.0


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def hello(request: Request) -> PlainTextResponse:
        await request.body()
        return PlainTextResponse("hello")

    app = Starlette(routes=[Route("/", hello, methods=["GET", "POST"])])
    async with listening(app, LIMITS) as found:
        yield found


async def answered(url: str, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send parts, then read until the server closes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(SLACK_S):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
            return await reader.read()
    finally:
        writer.close()


GOOD = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


async def test_a_head_within_its_bounds_is_answered(url: str) -> None:
    padded = GOOD.replace(b"host: a", b"host: a\r\nx-pad: " + b"a" * 15_000)
    assert (await answered(url, padded)).startswith(b"HTTP/1.1 200")
    assert (await answered(url, GOOD[:10], GOOD[10:], pause_s=0.05)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "endless", [b"GET / HTTP/1.1\r\nx: " + b"a" * 50_000, b"GET /" + b"a" * 50_000]
)
async def test_a_head_that_does_not_end_is_refused(url: str, endless: bytes) -> None:
    reply = await answered(url, endless)
    assert reply.startswith(b"HTTP/1.1 431")
    body = json.loads(reply.partition(b"\r\n\r\n")[2])
    assert body["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.parametrize("start", [b"", b"GET / HTT", GOOD[:-2]])
async def test_a_head_that_does_not_come_is_given_up(url: str, start: bytes) -> None:
    assert (await answered(url, start)).startswith(b"HTTP/1.1 408")


async def test_a_later_head_that_does_not_come_is_given_up_too(url: str) -> None:
    reply = await answered(url, GOOD.replace(b"connection: close\r\n", b""), b"GET / HTT")
    assert reply.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in reply


async def test_a_body_is_no_head(url: str) -> None:
    body = b"a" * 60_000
    head = b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 60000\r\n\r\n"
    reply = await answered(url, head, body[:30_000], body[30_000:], pause_s=0.2)
    assert reply.startswith(b"HTTP/1.1 200")
