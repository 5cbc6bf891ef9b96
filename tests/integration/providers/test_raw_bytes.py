"""What no web framework would send: broken HTTP, bombs, endless bodies, several faults at once."""

import asyncio
import gzip
import random
import socket
import struct
import time
import tracemalloc
import zlib

import pytest

from movieql.domain.movies import SourceErrorCode, SourceStatus
from movieql.ports import LIST, Call
from tests.integration.providers.doors import RawShop, Send, endless, head, opened, sending

JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
GOOD = b'{"Movies": [{"ID": "cw1", "Title": "Jaws"}]}'
PROMPT_S = 1.0


def good_head(length: int = len(GOOD), *headers: str) -> bytes:
    return head("200 OK", JSON, f"Content-Length: {length}", *headers)


async def code_of(send: Send, call: Call = LIST, within_s: float = 5.0) -> SourceErrorCode | None:
    async with RawShop(send) as shop, opened(shop.contract) as door:
        timed = await door.ask(call, within_s)
        assert timed.elapsed_s < within_s + 0.25
        return None if timed.answer.error is None else timed.answer.error.code


async def test_the_raw_shop_of_these_tests_can_be_well() -> None:
    assert await code_of(sending(good_head(), GOOD)) is None


@pytest.mark.parametrize(
    "chunks",
    [
        (good_head(), GOOD[:10]),
        (good_head(len(GOOD) + 1), GOOD),
        (head("200 OK", JSON, CHUNKED), b"2c\r\n", GOOD[:20]),
        (head("200 OK", JSON, CHUNKED), b"nonsense\r\n"),
        (good_head(4, "Content-Encoding: gzip"), b"oops"),
        (good_head(len(GOOD), "Content-Encoding: deflate"), GOOD),
        (good_head(len(GOOD), "Content-Encoding: br"), GOOD),
        (b"HTTP/1.1 banana\r\n\r\n",),
        (b"SSH-2.0-OpenSSH_9.2\r\n",),
        (b"\x00\xff\xfe\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",),
        (head("200 OK", "Content-Length: many"), GOOD),
        (head("200 OK", "Content-Length: -5"), GOOD),
        (head("204 No Content"),),
        (good_head(),),
        (good_head(0),),
    ],
    ids=[
        "cut off",
        "one byte short",
        "chunk cut off",
        "bad chunk",
        "not gzip",
        "not deflate",
        "not br",
        "no status",
        "another protocol",
        "binary",
        "endless header",
        "length of text",
        "negative length",
        "no content",
        "no body",
        "empty body",
    ],
)
async def test_an_answer_that_is_broken_is_a_bad_response(chunks: tuple[bytes, ...]) -> None:
    assert await code_of(sending(*chunks)) is SourceErrorCode.BAD_RESPONSE


async def test_a_connection_that_closes_without_a_word_is_unavailable() -> None:
    assert await code_of(sending()) is SourceErrorCode.UNAVAILABLE


@pytest.mark.parametrize("before", [b"", good_head(), good_head() + GOOD[:5]])
async def test_a_reset_is_a_failure_wherever_it_comes(before: bytes) -> None:
    async def send(shop: RawShop, writer: asyncio.StreamWriter) -> None:
        await shop.write(writer, before)
        linger_not = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        writer.transport.abort()

    assert await code_of(send) in {SourceErrorCode.UNAVAILABLE, SourceErrorCode.BAD_RESPONSE}


# Two faults at once: the status is what counts


@pytest.mark.parametrize(
    "status, code",
    [
        ("403 Forbidden", SourceErrorCode.UNAUTHORIZED),
        ("429 Too Many Requests", SourceErrorCode.RATE_LIMITED),
        ("503 Service Unavailable", SourceErrorCode.UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("fault", ["truncated", "endless", "silent", "not gzip"])
async def test_a_refusal_is_told_by_its_status_whatever_its_body(
    status: str, code: SourceErrorCode, fault: str
) -> None:
    async def silent(shop: RawShop, writer: asyncio.StreamWriter) -> None:
        await shop.write(writer, head(status, "Content-Length: 10"))
        await asyncio.sleep(2)  # the caller has gone long before

    send = {
        "truncated": sending(head(status, "Content-Length: 1000"), b"Sor"),
        "endless": endless(head(status, CHUNKED), b"10000\r\n" + b"a" * 0x10000 + b"\r\n"),
        "silent": silent,
        "not gzip": sending(head(status, "Content-Length: 4", "Content-Encoding: gzip"), b"oops"),
    }[fault]
    assert await code_of(send, within_s=PROMPT_S) is code


async def test_retry_after_is_read_also_when_the_body_is_huge() -> None:
    refusal = head("429 Too Many Requests", CHUNKED, "Retry-After: 7")
    shop = RawShop(endless(refusal, b"10000\r\n" + b"a" * 0x10000 + b"\r\n"))
    async with shop, opened(shop.contract) as door:
        answer = (await door.ask()).answer
    assert answer.error is not None
    assert 6_000 < (answer.error.retry_after_ms(time.monotonic()) or 0) <= 7_000


async def test_a_404_without_a_usable_body_is_still_no_such_movie() -> None:
    send = sending(head("404 Not Found", "Content-Length: 1000"), b"Sor")
    assert await code_of(send, Call("cw1")) is None


async def test_a_redirect_is_not_followed() -> None:
    async with RawShop(sending(good_head(), GOOD)) as thief:
        location = f"Location: {thief.contract.base_url}/movies"
        send = sending(head("302 Found", location, "Content-Length: 0"))
        assert await code_of(send) is SourceErrorCode.BAD_RESPONSE
        assert thief.requests == []


# Bodies without end


async def test_a_body_without_end_is_left_at_the_bound() -> None:
    stream = endless(head("200 OK", JSON, CHUNKED), b"10000\r\n" + b" " * 0x10000 + b"\r\n")
    async with RawShop(stream) as shop, opened(shop.contract) as door:
        timed = await door.ask()
        assert timed.answer.error is not None
        assert "too large" in timed.answer.error.message
        assert timed.elapsed_s < PROMPT_S
        # The buffers of both sockets may hold a few megabytes more.
        assert shop.bytes_sent < 20_000_000


@pytest.mark.parametrize("format_name", ["gzip", "deflate", "gzip of gzip"])
async def test_a_bomb_is_not_unpacked(format_name: str) -> None:
    plain = b"[" + b" " * 200_000_000 + b"]"
    packed = zlib.compress(plain, 9) if format_name == "deflate" else gzip.compress(plain, 9)
    if format_name == "gzip of gzip":
        packed = gzip.compress(packed, 9)
    del plain
    encoding = f"Content-Encoding: {format_name.split(maxsplit=1)[0]}"
    async with (
        RawShop(sending(good_head(len(packed), encoding), packed)) as shop,
        opened(shop.contract) as door,
    ):
        tracemalloc.start()
        try:
            timed = await door.ask()
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert timed.answer.error is not None
    assert timed.answer.error.code is SourceErrorCode.BAD_RESPONSE
    assert peak_bytes < 50_000_000
    assert timed.elapsed_s < 3 * PROMPT_S


async def test_a_packed_body_is_read() -> None:
    packed = gzip.compress(GOOD)
    assert await code_of(sending(good_head(len(packed), "Content-Encoding: gzip"), packed)) is None


# Whatever comes


async def test_no_bytes_whatsoever_raise_or_leave_a_connection_behind() -> None:
    chance = random.Random(7)  # has to be repeatable
    well = good_head() + GOOD
    sent = b""

    async def send(shop: RawShop, writer: asyncio.StreamWriter) -> None:
        await shop.write(writer, sent)

    async with RawShop(send) as shop, opened(shop.contract) as door:
        for _ in range(200):
            spoilt = bytearray(
                well[: chance.randrange(len(well))] if chance.random() < 0.3 else well
            )
            for _ in range(chance.randrange(6)):
                if spoilt:
                    spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
            sent = bytes(spoilt)
            answer = (await door.ask(within_s=0.5)).answer
            assert answer.status in {SourceStatus.OK, SourceStatus.FAILED}, sent
            assert door.connections_in_use == 0, sent
