"""A load generator small enough not to be what is measured: raw bytes over kept connections."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

PATIENCE_S = 30.0
"""Seconds after its end that a load waits for the last answers."""

_BUFFER_BYTES = 262_144
_MARKED_BYTES = 200
"""So far into a body at most an answer says whether it is complete."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_COMPLETE = re.compile(rb'"complete": ?true')


class FailedError(Exception):
    """Something did not run, or an answer was not what it has to be."""


@dataclass(slots=True)
class Load:
    """What came of driving a server: answers per second, and each answer's seconds.

    `refused`: answers without status 200; `incomplete`: that do not say that they are complete;
    `lost`: connections that ended before their answer. `busy`: the share of its time that the
    load generator itself was at work; near 1 it is what limits.
    """

    elapsed_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    refused: int = 0
    incomplete: int = 0
    lost: int = 0
    busy: float = 0.0

    @property
    def per_second(self) -> float:
        """Return answers per second."""
        return len(self.latencies_s) / self.elapsed_s

    def check(self, name: str, *, may_lack: bool = False) -> None:
        """Raise FailedError unless every answer was there, had status 200, and was complete.

        `may_lack`: answers may say that something of a shop is old.
        """
        lacks = self.incomplete and not may_lack
        if self.refused or lacks or self.lost or not self.latencies_s:
            raise FailedError(
                f"{name}: of {len(self.latencies_s)} answers {self.refused} had another status "
                f"than 200, {self.incomplete} were not complete, {self.lost} never came"
            )


def percentile_ms(seconds: list[float], share: float) -> float:
    """Return a latency in milliseconds; `share` 0.99 is p99."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class _Connection(asyncio.BufferedProtocol):
    """Sends a request, waits for its whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], load: Load, until_s: float) -> None:
        self._requests = requests
        self._load = load
        self._until_s = until_s
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._left: int | None = None
        self._sent_s = 0.0
        self._is_waiting = True
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._send()

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._view[self._filled :] if self._left is None else self._view

    def buffer_updated(self, nbytes: int) -> None:
        if self._left is None:
            self._filled += nbytes
            self._left = self._read_start()
        else:
            self._left -= nbytes
        if self._left == 0:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._load.lost += self._is_waiting
        if not self.ended.done():
            self.ended.set_result(None)

    def _read_start(self) -> int | None:
        """Return how many bytes are still to come, once the start of the body is here."""
        head = self._buffer.find(b"\r\n\r\n", 0, self._filled) + 4
        if head < len(b"\r\n\r\n"):
            return None
        found = _LENGTH.search(self._buffer, 0, head)
        if found is None:
            self._transport.abort()
            return None
        length = int(found[1])
        if self._filled < head + min(length, _MARKED_BYTES):
            return None
        self._load.refused += not self._buffer.startswith(b"HTTP/1.1 200")
        self._load.incomplete += not _COMPLETE.search(
            self._buffer, head, min(self._filled, head + _MARKED_BYTES)
        )
        return head + length - self._filled

    def _answered(self) -> None:
        now_s = time.perf_counter()
        self._load.latencies_s.append(now_s - self._sent_s)
        self._filled, self._left = 0, None
        if now_s < self._until_s:
            self._send()
        else:
            self._is_waiting = False
            self._transport.close()

    def _send(self) -> None:
        self._sent_s = time.perf_counter()
        self._transport.write(next(self._requests))


async def drive(port: int, requests: Iterator[bytes], connections: int, duration_s: float) -> Load:
    """Send the requests in turn over so many connections for so many seconds.

    Each connection sends at least one, so 0 seconds are one request per connection at once.
    """
    load = Load()
    started_s, worked_s = time.perf_counter(), time.process_time()
    made = await asyncio.gather(
        *(
            asyncio.get_running_loop().create_connection(
                lambda: _Connection(requests, load, started_s + duration_s), "127.0.0.1", port
            )
            for _ in range(connections)
        )
    )
    async with asyncio.timeout(duration_s + PATIENCE_S):
        await asyncio.gather(*(connection.ended for _, connection in made))
    load.elapsed_s = time.perf_counter() - started_s
    load.busy = (time.process_time() - worked_s) / load.elapsed_s
    return load


async def ask(port: int, request: bytes) -> tuple[float, bytes]:
    """Send one request; return its seconds and the body. Raises FailedError unless 200."""
    started_s = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            found = _LENGTH.search(head)
            body = await reader.readexactly(int(found[1]) if found else 0)
        finally:
            writer.close()
    if not head.startswith(b"HTTP/1.1 200"):
        raise FailedError(f"answered {head.splitlines()[0]!r}: {body[:500]!r}")
    return time.perf_counter() - started_s, body


def post(body: bytes, path: str = "/graphql") -> bytes:
    """Return a whole POST of JSON."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
