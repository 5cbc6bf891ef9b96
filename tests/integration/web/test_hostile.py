"""Requests meant to do harm: each is refused at once, in JSON, and harms nobody else.

Bodies that are small and no request at all are in `test_http.py`.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers import Stack, running

SLACK_S = 1.0
"""What a refusal may take on a busy machine; 100 ms are far too many on a quiet one."""

QUESTION = {"query": "{ providers { id } }"}
PROVIDERS = {"providers": [{"id": "cinemaworld"}, {"id": "filmworld"}]}


def bomb(links: int) -> str:
    """Return a query whose fragments spread each other twice: 2 to the power of `links` fields."""
    chain = " ".join(f"fragment F{n} on Movie {{ ...F{n + 1} ...F{n + 1} }}" for n in range(links))
    return f"{{ movies {{ nodes {{ ...F0 }} }} }} {chain} fragment F{links} on Movie {{ id }}"


def asking(query: str) -> bytes:
    return json.dumps({"query": query}).encode()


ALIASES = asking("{" + " ".join(f"a{n}: providers" for n in range(10_000)) + "}")
DIRECTIVES = asking("{ a " + "@a " * 5_000 + "}")
MEGABYTE = asking("{ a }".ljust(1_000_000))
DEEP = b"[" * 100_000 + b"]" * 100_000
DEEP_VARIABLES = b'{"query": "{a}", "variables": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001

HOSTILE: dict[str, tuple[bytes, int, str]] = {
    "fragment bomb": (asking(bomb(90)), 200, "LIMIT_EXCEEDED"),
    "aliases": (ALIASES, 413, "BAD_REQUEST"),
    "directives": (DIRECTIVES, 200, "GRAPHQL_PARSE_FAILED"),
    "megabyte": (MEGABYTE, 413, "BAD_REQUEST"),
    "5 megabytes": (asking(" " * 5_000_000), 413, "BAD_REQUEST"),
    "deep": (DEEP, 413, "BAD_REQUEST"),
    "deep document": (asking("{a" * 490 + "}" * 490), 200, "GRAPHQL_PARSE_FAILED"),
    "deep list": (asking("{a(a:" + "[" * 490 + "]" * 490 + ")}"), 200, "GRAPHQL_PARSE_FAILED"),
    "long number": (b"9" * 5_000, 400, "BAD_REQUEST"),
    "long variable": (
        b'{"query":"{a}","variables":{"a":' + b"9" * 5_000 + b"}}",
        400,
        "BAD_REQUEST",
    ),
    "null": (b"null", 400, "BAD_REQUEST"),
    "text": (b'"x"', 400, "BAD_REQUEST"),
    "not UTF-8": (b'{"query": "{ \xff\xfe }"}', 400, "BAD_REQUEST"),
}
"""Bodies, and the status and code that each is refused with."""

HUGE: dict[str, tuple[bytes, int, str]] = {
    "aliases": (ALIASES, 200, "GRAPHQL_PARSE_FAILED"),
    "megabyte": (MEGABYTE, 200, "GRAPHQL_PARSE_FAILED"),
    "deep": (DEEP, 400, "BAD_REQUEST"),
    "deep variables": (DEEP_VARIABLES, 400, "BAD_REQUEST"),
}
"""What the bytes of a body do not refuse when many are allowed."""

LONG = "9" * 5_000
LONG_NUMBERS = {
    "page size": f"{{ movies(first: {LONG}) {{ totalCount }} }}",
    "default": f"query ($a: Int = {LONG}) {{ movies(first: $a) {{ totalCount }} }}",
    "field of a filter": f"{{ movies(filter: {{yearFrom: {LONG}}}) {{ totalCount }} }}",
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it came over the wire."""

    status: int
    head: str
    body: Any
    elapsed_s: float

    @property
    def code(self) -> str:
        """Return the code of the only error."""
        (error,) = self.body["errors"]
        return str(error["extensions"]["code"])


@dataclass(frozen=True)
class Wire:
    """A connection of its own."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def answer(self) -> Answer:
        """Read one answer; its length has to be told."""
        began_s = time.monotonic()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        (length,) = [
            int(line.partition(":")[2])
            for line in head.splitlines()
            if line.startswith("content-length:")
        ]
        body = json.loads(await self.reader.readexactly(length))
        assert "content-type: application/json" in head
        return Answer(int(head.split()[1]), head, body, time.monotonic() - began_s)


async def connected(server: Stack) -> Wire:
    host, port = server.url.removeprefix("http://").split(":")
    return Wire(*await asyncio.open_connection(host, int(port)))


def head_of(length: int) -> bytes:
    return (
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


async def sent(server: Stack, body: bytes) -> Answer:
    """Post a body over a connection of its own."""
    wire = await connected(server)
    try:
        await wire.write(head_of(len(body)) + body)
        return await wire.answer()
    finally:
        wire.writer.close()
        await wire.writer.wait_closed()


async def assert_harmless(server: Stack) -> None:
    """Check that others are answered as if nothing had been, and that nothing of ours broke."""
    began_s = time.monotonic()
    assert (await server.post(QUESTION)).data == PROVIDERS
    assert time.monotonic() - began_s < SLACK_S
    assert "fault of ours" not in server.log


async def assert_refused(server: Stack, body: bytes, status: int, code: str) -> None:
    answer = await sent(server, body)
    assert (answer.status, answer.code) == (status, code)
    assert answer.elapsed_s < SLACK_S
    assert "data" not in answer.body
    await assert_harmless(server)


@pytest.fixture
async def generous() -> AsyncIterator[Stack]:
    """Run a server whose bodies may have 10 MB."""
    async with running({"request_bytes_max": 10_000_000}) as stack:
        yield stack


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_hostile_is_refused_at_once(server: Stack, name: str) -> None:
    await assert_refused(server, *HOSTILE[name])


@pytest.mark.parametrize("name", HUGE)
async def test_what_is_huge_is_refused_by_other_limits_too(generous: Stack, name: str) -> None:
    await assert_refused(generous, *HUGE[name])


@pytest.mark.parametrize("name", LONG_NUMBERS)
async def test_a_number_of_5000_digits_in_a_document_is_no_fault_of_ours(
    server: Stack, name: str
) -> None:
    answer = await sent(server, asking(LONG_NUMBERS[name]))
    assert answer.status == 200
    assert answer.code != "INTERNAL"
    await assert_harmless(server)


async def test_many_hostile_requests_at_once_leave_room_for_others(server: Stack) -> None:
    answers = await asyncio.gather(
        *(sent(server, body) for body, _, _ in HOSTILE.values()),
        *(sent(server, asking(bomb(90))) for _ in range(20)),
    )
    assert all(answer.code != "INTERNAL" for answer in answers)
    await assert_harmless(server)


async def test_a_client_that_sends_a_byte_a_second_is_not_waited_for() -> None:
    async with running({"request_body_s": 0.5}) as server:
        wire = await connected(server)
        body = asking("{ a }")

        async def drip() -> None:
            for byte in body:
                await wire.write(bytes([byte]))
                await asyncio.sleep(1.0)

        await wire.write(head_of(len(body)))
        dripping = asyncio.ensure_future(drip())
        try:
            await assert_harmless(server)  # others are served meanwhile
            answer = await wire.answer()
            assert (answer.status, answer.code) == (408, "BAD_REQUEST")
            assert "connection: close" in answer.head
            assert answer.elapsed_s < 0.5 + SLACK_S
            assert await wire.reader.read() == b""  # it hung up
        finally:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
            wire.writer.close()
        await assert_harmless(server)
