"""Cases with many callers, many replicas, long outages and large catalogues."""

import asyncio
import itertools
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cases import ALL, LATENCY_S, LIMITS, Bench, Line, Side, asked, simulator, until_complete
from bench.load import FailedError, Load, drive, percentile_ms
from bench.questions import OF_MOVIEQL, PAGE, answered, changing, complete, same
from movieql.dev.valkey import PrivateValkey

CONCURRENT = 200
REPLICAS = 4

OUTAGE = LIMITS | {"FRESH_S": "1", "STALE_WHILE_REFRESH_S": "2"}
"""Settings where an outage is long after two seconds: what is known is older than is served."""

OUTAGE_SIZES = (100, 1_000, 10_000)
GROWN_MOVIES = 100_000
_CHANGED = 100  # one movie of so many
_OUTAGE_S = 3.0
_CONNECTIONS = 8
_LOOK_S = 0.05
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Crowds:
    """The cases."""

    bench: Bench

    async def crowd(self, movies: int) -> AsyncIterator[Line]:
        """Let many ask a cold server for everything at once, with the default budget."""
        async with simulator(movies, LATENCY_S) as shops:
            told = await self.bench.servers.bare(shops)
        async with (
            simulator(movies, LATENCY_S) as shops,
            self.bench.servers.movieql(shops, LIMITS) as movieql,
        ):
            load = await drive(movieql, same(ALL), CONCURRENT, 0.0)
            load.check("same questions at once")
            page = complete(await asked(movieql, same(ALL)))
            if not all(offer["price"] for node in page["nodes"] for offer in node["offers"]):
                raise FailedError("an offer has no price")
            twice = sum(times - 1 for times in shops.calls.values())
            calls = shops.calls.total() - twice
        expected = 2 + 2 * movies
        name = f"{CONCURRENT} equal cold full lists at once"
        figure = f"{calls} calls, {twice} more by hedging"
        yield Line(f"{name}: calls", movies, figure, f"= {expected}", calls == expected)
        ratio = load.elapsed_s / told["seconds"]
        figure = f"{ratio:.2f} ({load.elapsed_s:.2f} s of {told['seconds']:.2f} s)"
        yield Line(f"{name}: all answered / bare", movies, figure, "<= 1.25", ratio <= 1.25)  # noqa: PLR2004

    async def fleet(self, movies: int) -> AsyncIterator[Line]:
        """Let many ask replicas that share a cold Valkey, then one that starts afterwards."""
        async with AsyncExitStack() as stack:
            shops = await stack.enter_async_context(simulator(movies, LATENCY_S))
            settings = LIMITS | {"CACHE_URL": await stack.enter_async_context(_valkey(self.bench))}

            async def replica() -> int:
                return await stack.enter_async_context(self.bench.servers.movieql(shops, settings))

            ports = [await replica() for _ in range(REPLICAS)]
            loads = await asyncio.gather(
                *(drive(port, same(ALL), CONCURRENT // REPLICAS, 0.0) for port in ports)
            )
            for load in loads:
                load.check("same questions at once, of replicas")
            calls, expected = shops.calls.total(), 2 + 2 * movies
            await until_complete(await replica())
            more = shops.calls.total() - calls
        name = f"{CONCURRENT} equal cold full lists at {REPLICAS} processes and a Valkey"
        slowest_s = max(load.elapsed_s for load in loads)
        figure = f"{calls} calls, answered in {slowest_s:.2f} s"
        at_most = round(expected * 1.04)
        yield Line(f"{name}: calls", movies, figure, f"<= {at_most}", calls <= at_most)
        yield Line("a process that starts then: calls", movies, f"{more}", "0", more == 0)

    async def outage(self, movies: int) -> AsyncIterator[Line]:
        """Compare pages while a shop hangs for longer than old data is good with those before."""
        for is_shared in (False, True):
            async with AsyncExitStack() as stack:
                shops = await stack.enter_async_context(simulator(movies))
                settings = OUTAGE
                if is_shared:
                    url = await stack.enter_async_context(_valkey(self.bench))
                    settings = OUTAGE | {"CACHE_URL": url}
                port = await stack.enter_async_context(self.bench.servers.movieql(shops, settings))
                side = Side("movieql", port, lambda: changing(OF_MOVIEQL), _CONNECTIONS)
                await _until_page(port)
                healthy = await self.bench.load(
                    f"well, {movies}", side, self.bench.seconds, may_lack=True
                )
                await shops.turn("filmworld", "hang")
                await self.bench.load(f"hangs, {movies}", side, _OUTAGE_S, may_lack=True)
                hung = await self.bench.load(
                    f"hangs, {movies}", side, self.bench.seconds, may_lack=True
                )
            what = "with" if is_shared else "without"
            yield _p99s(
                f"one shop hangs for long, {what} Valkey: p99 / p99 before", movies, hung, healthy
            )

    async def grown(self, movies: int) -> AsyncIterator[Line]:
        """Measure the first page of a large catalogue, and how long others wait meanwhile."""
        async with (
            simulator(movies) as shops,
            self.bench.servers.movieql(shops, LIMITS) as port,
            _probe(port) as longest_ms,
        ):
            started_s = time.perf_counter()
            await _until_page(port)
            first_s = time.perf_counter() - started_s
            figure = f"{first_s:.1f} s"
            yield Line("first page with everything listed", movies, figure, "<= 5 s", first_s <= 5)  # noqa: PLR2004
            yield _stall("longest stall until then", movies, await longest_ms())
            for catalogue in shops.catalogues.values():
                for number, movie in enumerate(catalogue.movies.values()):
                    movie["Year"] = str(int(movie["Year"]) + (number % _CHANGED == 0))
            lists = [key for key in shops.calls if key[1] == "list"]
            before = sum(shops.calls[key] for key in lists)
            async with asyncio.timeout(_PATIENCE_S):
                while sum(shops.calls[key] for key in lists) < before + 2 * len(lists):
                    await asked(port, changing(OF_MOVIEQL))
                    await asyncio.sleep(_LOOK_S)
            yield _stall("longest stall while 1 % changes", movies, await longest_ms())


def _p99s(name: str, movies: int, ours: Load, before: Load) -> Line:
    p99s = [percentile_ms(each.latencies_s, 0.99) for each in (ours, before)]
    ratio = p99s[0] / p99s[1]
    figure = f"{ratio:.2f} (p99 {p99s[0]:.1f} ms of {p99s[1]:.1f} ms)"
    return Line(name, movies, figure, "<= 2", ratio <= 2)  # noqa: PLR2004


def _stall(name: str, movies: int, longest_ms: float) -> Line:
    return Line(name, movies, f"{longest_ms:.0f} ms", "<= 20 ms", longest_ms <= 20)  # noqa: PLR2004


@asynccontextmanager
async def _probe(port: int) -> AsyncIterator["Longest"]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.probe", str(port), stdin=PIPE, stdout=PIPE
    )
    try:
        yield Longest(process)
    finally:
        process.kill()
        await process.wait()


class Longest:
    """Asks a probe for the longest stall since it was asked before, in milliseconds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def __call__(self) -> float:
        """Return it."""
        if self._process.stdin is None or self._process.stdout is None:
            raise FailedError("the probe has no pipes")
        self._process.stdin.write(b"\n")
        return float(await self._process.stdout.readline())


async def _until_page(port: int) -> None:
    """Ask for a page until it is complete."""
    page = None
    async with asyncio.timeout(_PATIENCE_S):
        for _ in itertools.count():
            page = answered(await asked(port, changing(OF_MOVIEQL)))
            if page["complete"] and len(page["nodes"]) == PAGE:
                return
            await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def _valkey(bench: Bench) -> AsyncIterator[str]:
    valkey = PrivateValkey(
        Path(bench.servers.folder) / "valkey", ["--save", "", "--appendonly", "no"]
    )
    valkey.start()
    try:
        yield valkey.url
    finally:
        valkey.stop()
