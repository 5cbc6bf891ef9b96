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


def padded(size: int, where: str) -> bytes:
    """Return a request whose head has exactly so many bytes."""
    lines = {
        "value": b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: %b\r\n\r\n",
        "name": b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx%b: 1\r\n\r\n",
        "blanks": b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx:%b1\r\n\r\n",
        "query": b"GET /?%b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    }[where]
    return lines % ((b" " if where == "blanks" else b"a") * (size - len(lines) + 2))


@pytest.mark.parametrize("where", ["value", "name", "blanks", "query"])
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in parts"])
@pytest.mark.parametrize(
    "size, status", [(20_000, 200), (20_001, 431), (70_000, 431), (300_000, 431), (900_000, 431)]
)
async def test_a_head_is_refused_exactly_above_its_bound(  # a table
    url: str,
    size: int,
    status: int,
    at_once: bool,  # noqa: FBT001  # pytest names it
    is_first: bool,  # noqa: FBT001  # pytest names it
    where: str,
) -> None:
    head = padded(size, where)
    assert len(head) == size
    before = [] if is_first else [GOOD.replace(b"connection: close\r\n", b"")]
    parts = [head] if at_once else [head[:9_000], head[9_000:19_999], head[19_999:]]
    reply = await answered(url, *before, *parts, pause_s=0.0 if is_first else 0.02)
    assert f"HTTP/1.1 {status} ".encode() in reply
    assert reply.count(b"HTTP/1.1") == 1 + len(before)


async def test_many_headers_are_one_head(url: str) -> None:
    many = GOOD.replace(b"host: a", b"host: a" + b"\r\nx: 1" * 4_000)
    assert (await answered(url, many)).startswith(b"HTTP/1.1 431")


async def test_a_later_head_does_not_break_into_an_answer_under_way(url: str) -> None:
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1"
    reply = await answered(url, head + padded(70_000, "value"))
    assert reply.startswith(b"HTTP/1.1 200")
    assert b"hello" + b"HTTP/1.1 431" in reply


KEPT = GOOD.replace(b"connection: close\r\n", b"")
POSTED = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b"
CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("before", [KEPT, POSTED % (1, b"1"), CHUNKED + b"1\r\na\r\n0\r\n\r\n"])
@pytest.mark.parametrize(
    "bad", [KEPT.replace(b"host: a\r\n", b""), b"GET / HTTP/1.1\r\nhost a\r\n\r\n", b"\x16\x03"]
)
async def test_what_came_before_a_bad_head_is_answered(
    url: str, before: bytes, bad: bytes
) -> None:
    reply = await answered(url, before * 2 + bad)
    assert reply.count(b"HTTP/1.1 200") == 2
    assert reply.count(b"HTTP/1.1 400") == 1


BAD_CHUNKS = [b"ZZ\r\n", b"-18\r\n", b"0x18\r\n", b"18 \r\n", b"1\na\r\n", b"1\r\nab\r\n"]


@pytest.mark.parametrize("before", [b"", KEPT * 2, POSTED % (1, b"1")])
@pytest.mark.parametrize("bad", BAD_CHUNKS)
async def test_a_bad_chunk_is_refused_after_what_came_before(
    url: str, before: bytes, bad: bytes
) -> None:
    reply = await answered(url, before + CHUNKED + bad)
    assert reply.count(b"HTTP/1.1 200") == before.count(b"HTTP/1.1")
    refusal = reply[reply.index(b"HTTP/1.1 400") :]
    assert_one_error(refusal, "Invalid HTTP request received.")
    later = await answered(url, before + CHUNKED, b"1\r\na\r\n", bad, pause_s=0.02)
    assert later.count(b"HTTP/1.1 400") == 1


@pytest.mark.parametrize("coding", [b"xchunked", b"gzip, chunked", b"gzip"])
async def test_another_transfer_coding_is_not_implemented(url: str, coding: bytes) -> None:
    reply = await answered(url, CHUNKED.replace(b"chunked", coding) + b"1\r\na\r\n0\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 501 Not Implemented")
    assert_one_error(reply, "The one transfer coding that is read here is `chunked`.")
    good = CHUNKED.replace(b": chunked", b": Chunked\r\nconnection: close") + b"0\r\n\r\n"
    assert b" 200 " in await answered(url, good)


async def test_a_refused_head_request_gets_no_body(url: str) -> None:
    reply = await answered(url, b"HEAD / HTTP/1.1\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400")
    assert reply.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "before",
    [
        KEPT * 1_000,
        POSTED % (19_000, b"a" * 19_000),
        POSTED % (19_000, b"a\r\n\r\n" * 3_800),
        CHUNKED + b"4a38\r\n" + b"a" * 19_000 + b"\r\n0\r\n\r\n",
        (POSTED % (9_000, b"a" * 9_000) + KEPT * 20) * 5,
    ],
    ids=["heads", "a body", "a body with blank lines", "a chunk", "bodies and heads"],
)
async def test_the_bound_is_of_each_head_whatever_came_before_it(url: str, before: bytes) -> None:
    sent = before.count(b"HTTP/1.1")
    reply = await answered(url, before + padded(6_000, "value"))
    assert reply.count(b"HTTP/1.1 200") == sent + 1
    reply = await answered(url, before + padded(300_000, "value"))
    assert reply.count(b"HTTP/1.1 200") == sent
    assert reply.count(b"HTTP/1.1 431") == 1


async def test_trailers_have_the_bound_of_a_head(url: str) -> None:
    chunked = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    for endless in (b"x: " + b"a" * 50_000, b"x: 1\r\n" * 10_000):
        assert (await answered(url, chunked + endless)).startswith(b"HTTP/1.1 431")
    short = chunked + b"x: 1\r\n\r\n"
    assert (await answered(url, short + GOOD)).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    "line, status",
    [
        (b"host: movies.example", 200),
        (b"Host: movies.example:8000", 200),
        (b"host: 127.0.0.1:8000", 200),
        (b"host: [::1]:8000", 200),
        (b"host: some_service", 200),
        (b"host:", 200),
        (b"x: 1", 400),
        (b"host: a\r\nhost: a", 400),
        (b"host: a\r\nHOST: b", 400),
        (b"host: a, b", 400),
        (b"host: a/b", 400),
        (b"host: user@a", 400),
        (b"host: a:b", 400),
        (b"host: a b", 400),
        (b"host: http://a", 400),
        (b"host: \xc3\xa9", 400),
    ],
)
async def test_a_request_names_one_host(url: str, line: bytes, status: int) -> None:
    reply = await answered(url, GOOD.replace(b"host: a", line))
    assert reply.startswith(f"HTTP/1.1 {status} ".encode())
    if status == 400:
        assert_one_error(reply, "A request needs one `Host` header, which names a host.")


async def test_only_http_1_0_may_name_none(url: str) -> None:
    old = GOOD.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert b" 200 " in (await answered(url, old.replace(b"host: a\r\n", b"")))[:20]
    twice = old.replace(b"host: a", b"host: a\r\nhost: a")
    assert b" 400 " in (await answered(url, twice))[:20]


async def test_an_upgrade_without_a_host_is_refused_too(url: str) -> None:
    upgrade = b"host: a\r\nhost: b\r\nupgrade: websocket\r\nsec-websocket-version: 13"
    head = GOOD.replace(b"host: a", upgrade).replace(b"close", b"upgrade")
    assert (await answered(url, head)).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"FETCH / HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_http_is_refused_in_the_same_shape(url: str, sent: bytes) -> None:
    reply = await answered(url, sent)
    assert reply.startswith(b"HTTP/1.1 400")
    assert_one_error(reply, "Invalid HTTP request received.")


def assert_one_error(reply: bytes, message: str) -> None:
    head, _, body = reply.partition(b"\r\n\r\n")
    error = {"message": message, "extensions": {"code": "BAD_REQUEST"}}
    assert json.loads(body) == {"errors": [error]}
    assert b"content-type: application/json" in head
    assert b"content-security-policy: default-src 'none'; frame-ancestors 'none'" in head


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
