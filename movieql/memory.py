"""In-memory twins of the ports; each passes the contract suite of the real adapter."""

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from movieql.domain.errors import QueueError
from movieql.domain.exports import ExportStatus
from movieql.domain.movies import Answer, Row, SourceErrorCode, failed
from movieql.ports import (
    Call,
    Clock,
    Endpoint,
    ExportProgress,
    ExportRun,
    QueueDepth,
)

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


class MemoryProvider:
    """A provider that answers what it is told to, after `delay_s` of the clock.

    `answers` maps calls to an answer or to a function that makes one; other calls get
    `otherwise`. With more delay than the call has time it is a timeout. `calls` counts every
    call at its arrival. `note_detail`: told what a detail is, as `providers.cached` does.
    """

    def __init__(
        self,
        clock: Clock,
        answers: Mapping[Call, Answer | Callable[[], Answer]] | None = None,
        otherwise: Answer | None = None,
        note_detail: Callable[[str, Row | None], None] = lambda *_: None,
    ) -> None:
        self._note_detail = note_detail
        self._clock = clock
        self.answers = dict(answers or {})
        self.otherwise = otherwise or Answer(rows=(), as_of=clock.now(), fresh=True)
        self.delay_s = 0.0
        self.calls: Counter[Call] = Counter()

    def peek(self, call: Call) -> Answer | None:
        """Return nothing: this provider keeps no answers."""

    def refresh(self, call: Call) -> bool:  # noqa: ARG002  # the port's own
        """Return False: this provider keeps no answers."""
        return False

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer; see `ports.Provider`."""
        self.calls[call] += 1
        left_s = until_s - self._clock.monotonic_s()
        if self.delay_s:
            await self._clock.sleep(min(self.delay_s, max(left_s, 0.0)))
        if self.delay_s > left_s:
            return failed(SourceErrorCode.TIMEOUT, "The provider did not answer in time.")
        answer = self.answers.get(call, self.otherwise)
        answer = answer if isinstance(answer, Answer) else answer()
        if call.movie_id is not None:
            self._note_detail(call.movie_id, answer.rows[0] if answer.rows else None)
        return answer


@dataclass(slots=True)
class RecordedTelemetry:
    """Telemetry as lists, in the order of events."""

    upstream: list[tuple[str, Call, Answer]] = field(default_factory=list)
    reads: list[tuple[str, str]] = field(default_factory=list)
    cache_failures: list[tuple[str, str]] = field(default_factory=list)
    store_failures: list[str] = field(default_factory=list)
    queue_failures: list[str] = field(default_factory=list)
    depths: list[QueueDepth] = field(default_factory=list)
    ended: list[tuple[str, str, int, float]] = field(default_factory=list)
    hits: dict[str, Mapping[Endpoint, int]] = field(default_factory=dict)
    circuits: list[tuple[str, Endpoint, str]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    def upstream_call(self, provider: str, call: Call, answer: Answer, elapsed_s: float) -> None:  # noqa: ARG002
        """See `ports.Telemetry`."""
        self.upstream.append((provider, call, answer))

    def cache_read(self, provider: str, call: Call, outcome: str) -> None:  # noqa: ARG002
        """See `ports.Telemetry`."""
        self.reads.append((provider, outcome))

    def cache_hits(self, provider: str, counts: Mapping[Endpoint, int]) -> None:
        """See `ports.Telemetry`."""
        self.hits[provider] = counts

    def cache_failed(self, action: str, reason: str) -> None:
        """See `ports.Telemetry`."""
        self.cache_failures.append((action, reason))

    def store_failed(self, reason: str) -> None:
        """See `ports.Telemetry`."""
        self.store_failures.append(reason)

    def queue_failed(self, reason: str) -> None:
        """See `ports.Telemetry`."""
        self.queue_failures.append(reason)

    def queue_depth(self, depth: QueueDepth) -> None:
        """See `ports.Telemetry`."""
        self.depths.append(depth)

    def export_ended(self, export_id: str, status: str, rows: int, seconds: float) -> None:
        """See `ports.Telemetry`."""
        self.ended.append((export_id, status, rows, seconds))

    def circuit(self, provider: str, endpoint: Endpoint, state: str) -> None:
        """See `ports.Telemetry`."""
        self.circuits.append((provider, endpoint, state))

    def fault(self, where: str, error: BaseException) -> None:  # noqa: ARG002
        """See `ports.Telemetry`."""
        self.faults.append(error)


class MemoryExportQueue:
    """Jobs in a dictionary; a test takes, ends and loses them. While `broken` it fails."""

    def __init__(self, clock: Clock, astray_s: float, *, kept_s: float = 7 * 86_400.0) -> None:
        self._clock = clock
        self._astray_s = astray_s
        self._kept_s = kept_s
        self.waiting: dict[tuple[str, int], float] = {}
        self.running: dict[tuple[str, int], int] = {}
        self.ended: dict[tuple[str, int], float] = {}
        self.lost: set[tuple[str, int]] = set()
        self._missed_s: dict[str, float] = {}
        self.broken = False

    async def enqueue(self, export_id: str, generation: int) -> None:
        """Queue a generation; see `ports.ExportQueue`."""
        if not 1 <= len(export_id) <= 64 or not set(export_id) <= _ID_CHARACTERS:  # noqa: PLR2004  # as the docstring of the port says
            raise ValueError("An export's id has 1 to 64 letters, digits, - and _.")
        if generation < 1:
            raise ValueError("A generation is a number from 1.")
        await self.ping()
        job = (export_id, generation)
        if not self._taken(job):
            self.waiting[job] = self._clock.monotonic_s()

    def _taken(self, job: tuple[str, int]) -> bool:
        kept_until_s = self.ended.get(job, -self._kept_s) + self._kept_s
        queued = job in self.waiting or job in self.running or job in self.lost
        return queued or kept_until_s > self._clock.monotonic_s()

    async def live(self, export_ids: Collection[str]) -> frozenset[str]:
        """Return those with a job; see `ports.ExportQueue`."""
        await self.ping()
        now_s, asked = self._clock.monotonic_s(), frozenset(export_ids)
        listed = asked & {job[0] for job in [*self.waiting, *self.running]}
        unlisted = asked & {job[0] for job in self.lost} - listed
        since_s = {each: self._missed_s.get(each, now_s) for each in unlisted}
        others = {each: at_s for each, at_s in self._missed_s.items() if each not in asked}
        self._missed_s = others | since_s
        return listed | {each for each, at_s in since_s.items() if now_s - at_s <= self._astray_s}

    async def depth(self) -> QueueDepth:
        """Return how much is to be done; see `ports.ExportQueue`."""
        await self.ping()
        oldest_s = next(iter(self.waiting.values()), self._clock.monotonic_s())
        age_s = self._clock.monotonic_s() - oldest_s
        return QueueDepth(len(self.waiting), len(self.running), age_s)

    async def ping(self) -> None:
        """Raise QueueError while `broken`."""
        if self.broken:
            raise QueueError

    def take(self) -> ExportRun | None:
        """Begin the first job that waits, as a worker does; None when none waits."""
        job = next(iter(self.waiting), None)
        if job is None:
            return None
        del self.waiting[job]
        self.running[job] = 1
        return ExportRun(*job, attempt=1)

    def end(self, run: ExportRun) -> None:
        """End a job, well or not."""
        job = (run.export_id, run.generation)
        del self.running[job]
        self.ended[job] = self._clock.monotonic_s()

    def lose(self) -> None:
        """Lose what waits, as a crash between two lists does."""
        self.lost.update(self.waiting)
        self.waiting.clear()

    def forget(self) -> None:
        """Forget everything, as a Redis without its data does."""
        for jobs in (self.waiting, self.running, self.ended, self.lost):
            jobs.clear()


_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class MemoryProgressBoard:
    """Progress in a dictionary. While `broken` it fails."""

    def __init__(
        self, clock: Clock, *, watch_s_max: float = 3_600.0, watchers_max: int = 40
    ) -> None:
        self._clock = clock
        self._watch_s_max = watch_s_max
        self._watchers_max = watchers_max
        self._known: dict[str, ExportProgress] = {}
        self._news: set[asyncio.Future[None]] = set()
        self._watchers = 0
        self.broken = False

    async def report(self, export_id: str, progress: ExportProgress) -> None:
        """Replace what is known; see `ports.ExportProgressBoard`."""
        self._check()
        self._known[export_id] = progress
        for each in self._news:
            if not each.done():
                each.set_result(None)

    async def progress(self, export_ids: Sequence[str]) -> Mapping[str, ExportProgress]:
        """Return what is known; see `ports.ExportProgressBoard`."""
        self._check()
        return {each: self._known[each] for each in export_ids if each in self._known}

    async def watch(self, export_id: str) -> AsyncGenerator[ExportProgress, None]:
        """Yield every change; see `ports.ExportProgressBoard`."""
        self._check()
        if self._watchers >= self._watchers_max:
            raise QueueError
        self._watchers += 1
        try:
            until_s = self._clock.monotonic_s() + self._watch_s_max
            last: ExportProgress | None = None
            while self._clock.monotonic_s() < until_s:
                known = self._known.get(export_id)
                if known is None or known == last:
                    await self._wait(until_s)
                    continue
                last = known
                yield known
                if known.over:
                    return
        finally:
            self._watchers -= 1

    async def _wait(self, until_s: float) -> None:
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._news.add(news)
        try:
            await self._clock.wait([news], until_s - self._clock.monotonic_s())
            self._check()
        finally:
            self._news.discard(news)

    def _check(self) -> None:
        if self.broken:
            raise QueueError


class MemoryExportTally:
    """Counts in a dictionary. While `broken` it fails."""

    def __init__(self) -> None:
        self._counted: set[str] = set()
        self._counts: Counter[ExportStatus] = Counter()
        self.broken = False

    async def count(self, export_id: str, status: ExportStatus) -> None:
        """Count an export; see `ports.ExportTally`."""
        self._check()
        if export_id not in self._counted:
            self._counted.add(export_id)
            self._counts[status] += 1

    async def counts(self) -> Mapping[ExportStatus, int]:
        """Return how many there were; see `ports.ExportTally`."""
        self._check()
        return dict(self._counts)

    def forget(self) -> None:
        """Forget everything, as a Redis without its data does."""
        self._counted.clear()
        self._counts.clear()

    def _check(self) -> None:
        if self.broken:
            raise QueueError


class MemoryLeases:
    """Leases in a dictionary, on the clock that it is given. While `broken` it fails."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holders: dict[str, tuple[str, float]] = {}
        self.broken = False

    async def hold(self, name: str, token: str, lifetime_s: float) -> bool:
        """Take or keep a name; see `ports.Leases`."""
        self._check()
        holder, until_s = self._holders.get(name, (token, 0.0))
        if holder != token and until_s > self._clock.monotonic_s():
            return False
        self._holders[name] = (token, self._clock.monotonic_s() + lifetime_s)
        return True

    async def release(self, name: str, token: str) -> None:
        """Give a name back; see `ports.Leases`."""
        self._check()
        if self._holders.get(name, ("", 0.0))[0] == token:
            del self._holders[name]

    def _check(self) -> None:
        if self.broken:
            raise QueueError
