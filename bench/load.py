"""A load generator small enough not to be what is measured: raw bytes over kept connections."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

_LENGTH = b"content-length:"


@dataclass(slots=True)
class Load:
    """What came of driving a server: answers per second, and each answer's seconds."""

    elapsed_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    body_bytes: int = 0
    refused: int = 0

    @property
    def per_second(self) -> float:
        """Return answers per second."""
        return len(self.latencies_s) / self.elapsed_s

    def percentile_ms(self, share: float) -> float:
        """Return a latency in milliseconds; `share` 0.99 is p99."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], load: Load, until_s: float) -> None:
        self._requests = requests
        self._load = load
        self._until_s = until_s
        self._received = bytearray()
        self._sent_s = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._received.lower().find(_LENGTH, 0, head)
        length = int(self._received[at + len(_LENGTH) : self._received.find(b"\r", at)])
        if len(self._received) < head + 4 + length:
            return
        now_s = time.perf_counter()
        self._load.latencies_s.append(now_s - self._sent_s)
        self._load.body_bytes += length
        self._load.refused += not self._received.startswith(b"HTTP/1.1 200")
        self._received.clear()
        if now_s < self._until_s:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(exc)

    def _send(self) -> None:
        self._sent_s = time.perf_counter()
        self._transport.write(next(self._requests))


async def drive(port: int, requests: Sequence[bytes], connections: int, duration_s: float) -> Load:
    """Send the requests in turn over so many connections for so many seconds."""
    load = Load()
    turn = itertools.cycle(requests)
    started_s = time.perf_counter()
    made = [
        await asyncio.get_running_loop().create_connection(
            lambda: _Connection(turn, load, started_s + duration_s), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.ended for _, connection in made))
    load.elapsed_s = time.perf_counter() - started_s
    return load


def post(body: bytes, path: str = "/graphql") -> bytes:
    """Return a whole POST of JSON."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
