"""In-memory twins of the ports; each passes the contract suite of the real adapter."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from movieql.domain.answers import Answer, failed
from movieql.domain.errors import CacheError
from movieql.domain.reports import SourceErrorCode
from movieql.ports import Call, Clock, Endpoint

_YIELDS = 50
"""How often an advancing clock lets others run: enough for a chain of awaits to settle."""


class VirtualClock:
    """Time that stands still until it is told to advance."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic_s(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed_s

    async def sleep(self, delay_s: float) -> None:
        """Wait until the clock was advanced by so many seconds."""
        self._count += 1
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_s + delay_s, self._count, waiter))
        await waiter

    async def wait(self, futures: "Collection[asyncio.Future[Any]]", timeout_s: float) -> None:
        """Wait until one of the futures has ended, at most so many seconds; cancel none."""
        timer = asyncio.ensure_future(self.sleep(timeout_s))
        try:
            await asyncio.wait({*futures, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()

    async def advance(self, delay_s: float) -> None:
        """Let time pass, waking every sleeper at its own moment, in order."""
        end_s = self._elapsed_s + delay_s
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            due_s, _, waiter = heapq.heappop(self._sleepers)
            self._elapsed_s = max(self._elapsed_s, due_s)
            if not waiter.done():
                waiter.set_result(None)
            await self.settle()
        self._elapsed_s = end_s

    async def settle(self) -> None:
        """Let everything that does not wait for time run."""
        for _ in range(_YIELDS):
            await asyncio.sleep(0)


class MemoryCache:
    """Bytes in a dictionary, on the clock that it is given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[bytes, float]] = {}
        self.broken = False

    async def get(self, key: str) -> bytes | None:
        """Return what was put; see `ports.Cache`."""
        await self.ping()
        value, until_s = self._entries.get(key, (b"", 0.0))
        return value if until_s > self._clock.monotonic_s() else None

    async def put(self, key: str, value: bytes, lifetime_s: float) -> None:
        """Keep a value; see `ports.Cache`."""
        await self.ping()
        self._entries[key] = (value, self._clock.monotonic_s() + lifetime_s)

    async def ping(self) -> None:
        """Raise CacheError while `broken`."""
        if self.broken:
            raise CacheError


class MemoryProvider:
    """A provider that answers what it is told to, after `delay_s` of the clock.

    `answers` maps calls to an answer or to a function that makes one; other calls get
    `otherwise`. With more delay than the call has time it is a timeout. `calls` counts every
    call at its arrival.
    """

    def __init__(
        self,
        clock: Clock,
        answers: Mapping[Call, Answer | Callable[[], Answer]] | None = None,
        otherwise: Answer | None = None,
    ) -> None:
        self._clock = clock
        self.answers = dict(answers or {})
        self.otherwise = otherwise or Answer(rows=(), as_of=clock.now(), fresh=True)
        self.delay_s = 0.0
        self.calls: Counter[Call] = Counter()

    def peek(self, call: Call) -> Answer | None:
        """Return nothing: this provider keeps no answers."""

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer; see `ports.Provider`."""
        self.calls[call] += 1
        left_s = until_s - self._clock.monotonic_s()
        if self.delay_s:
            await self._clock.sleep(min(self.delay_s, max(left_s, 0.0)))
        if self.delay_s > left_s:
            return failed(SourceErrorCode.TIMEOUT, "The provider did not answer in time.")
        answer = self.answers.get(call, self.otherwise)
        return answer if isinstance(answer, Answer) else answer()


@dataclass(slots=True)
class RecordedTelemetry:
    """Telemetry as lists, in the order of events."""

    upstream: list[tuple[str, Call, Answer]] = field(default_factory=list)
    reads: list[tuple[str, str]] = field(default_factory=list)
    cache_failures: list[tuple[str, str]] = field(default_factory=list)
    circuits: list[tuple[str, Endpoint, str]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    def upstream_call(self, provider: str, call: Call, answer: Answer, elapsed_s: float) -> None:  # noqa: ARG002
        """See `ports.Telemetry`."""
        self.upstream.append((provider, call, answer))

    def cache_read(self, provider: str, call: Call, outcome: str) -> None:  # noqa: ARG002
        """See `ports.Telemetry`."""
        self.reads.append((provider, outcome))

    def cache_failed(self, action: str, reason: str) -> None:
        """See `ports.Telemetry`."""
        self.cache_failures.append((action, reason))

    def circuit(self, provider: str, endpoint: Endpoint, state: str) -> None:
        """See `ports.Telemetry`."""
        self.circuits.append((provider, endpoint, state))

    def fault(self, where: str, error: BaseException) -> None:  # noqa: ARG002
        """See `ports.Telemetry`."""
        self.faults.append(error)
