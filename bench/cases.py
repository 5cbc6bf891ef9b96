"""The cases; each runs what it compares in turn, and returns lines of the table."""

import asyncio
import itertools
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.load import FailedError, Load, ask, drive, percentile_ms
from bench.questions import (
    OF_MOVIEQL,
    OF_PLAIN,
    PAGE,
    answered,
    changing,
    complete,
    gist,
    same,
)
from bench.servers import Servers
from movieql.dev.catalogues import invented
from movieql.dev.faults import Pace
from movieql.dev.simulator import Simulator

ALL = 2_000
"""More movies than there are: `first` of a full list."""

LIMITS = {
    "PAGE_MAX": str(ALL),
    "COST_MAX": "100000",
    "REQUESTS_PER_MINUTE": "10000000",
    "COST_PER_MINUTE": "10000000",
}
"""Settings where full lists are allowed, and one caller may ask for all; else the defaults."""

LATENCY_S = 0.1
"""Of a shop that is well, where it matters."""

_FULL_CONNECTIONS = 8
_PAGE_CONNECTIONS = 16
_FIRST_QUESTIONS = 16
_WARM_UP_S = 0.5
_TRIES = 150
_RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table; `is_met` None: nothing was promised."""

    name: str
    movies: int
    figure: str
    target: str
    is_met: bool


@dataclass(slots=True)
class Bench:
    """How long things are measured, with what, and how busy the load was at most."""

    servers: Servers
    seconds: float
    rounds: int
    busiest: dict[str, float] = field(default_factory=dict)

    async def warm(self, movies: int) -> AsyncIterator[Line]:
        """Compare warm answers with raw bytes and with the usual server: (a), (b), (c)."""
        async with (
            simulator(movies) as shops,
            self.servers.movieql(shops, LIMITS) as movieql,
        ):
            full = await _warmed(movieql)
            page = await asked(movieql, same(PAGE))
            async with self.servers.raw(page) as raw:
                yield await self._kept("page of 20", movies, page, movieql, raw, PAGE)
            async with self.servers.raw(full) as raw:
                yield await self._kept("full list", movies, full, movieql, raw, ALL)
            async with self.servers.plain(movies) as plain:
                yield await self._made(movies, movieql, plain)

    async def _kept(
        self, what: str, movies: int, body: bytes, movieql: int, raw: int, first: int
    ) -> Line:
        if await asked(raw, same(first)) != body:
            raise FailedError("the raw server does not answer with the same bytes")
        connections = _PAGE_CONNECTIONS if first == PAGE else _FULL_CONNECTIONS
        ours = Side("movieql", movieql, lambda: same(first), connections)
        others = Side("raw", raw, lambda: same(first), connections)
        ratio, told = await self._ratio(f"{what}, {movies}", ours, others)
        name = f"{what}, warm: movieql / raw ASGI, {len(body):,} bytes"
        return Line(name, movies, f"{ratio:.2f} ({told})", ">= 0.5", ratio >= 0.5)  # noqa: PLR2004

    async def _made(self, movies: int, movieql: int, plain: int) -> Line:
        pages = [
            gist(complete(await asked(port, changing(query))))
            for port, query in ((movieql, OF_MOVIEQL), (plain, OF_PLAIN))
        ]
        if pages[0] != pages[1] or len(pages[0]) != PAGE:
            raise FailedError(f"movieql and plain answer differently: {pages}")
        ours = Side("movieql", movieql, lambda: changing(OF_MOVIEQL), _PAGE_CONNECTIONS)
        others = Side("plain", plain, lambda: changing(OF_PLAIN), _PAGE_CONNECTIONS)
        ratio, told = await self._ratio(f"changing page, {movies}", ours, others)
        name = "page of 20, changing variables: movieql / plain Strawberry"
        return Line(name, movies, f"{ratio:.2f} ({told})", ">= 3", ratio >= 3)  # noqa: PLR2004

    async def _ratio(self, what: str, ours: "Side", others: "Side") -> tuple[float, str]:
        """Return the median of the rounds' ratios, and the medians of both sides."""
        for side in (ours, others):
            await self.load(what, side, _WARM_UP_S)
        rounds: list[tuple[float, float]] = []
        for number in range(self.rounds):
            order = (ours, others) if number % 2 == 0 else (others, ours)
            loads = {side.name: await self.load(what, side, self.seconds) for side in order}
            rounds.append((loads[ours.name].per_second, loads[others.name].per_second))
        medians = [statistics.median(side) for side in zip(*rounds, strict=True)]
        ratio = statistics.median(our / other for our, other in rounds)
        return ratio, f"{medians[0]:,.0f}/s of {medians[1]:,.0f}/s"

    async def load(
        self, what: str, side: "Side", duration_s: float, *, may_lack: bool = False
    ) -> Load:
        """Drive a side and return what came of it. Raises FailedError; see `Load.check`."""
        load = await drive(side.port, side.requests(), side.connections, duration_s)
        load.check(f"{what}, {side.name}", may_lack=may_lack)
        name = f"{what}, {side.name}"
        self.busiest[name] = max(load.busy, self.busiest.get(name, 0.0))
        return load

    async def cold(self, movies: int) -> AsyncIterator[Line]:
        """Compare a first question for everything with a script that makes the calls: (d)."""
        rounds: list[tuple[float, float]] = []
        asked = 0
        for number in range(self.rounds):

            async def ours() -> float:
                nonlocal asked
                async with (
                    simulator(movies, LATENCY_S) as shops,
                    self.servers.movieql(shops, LIMITS) as movieql,
                ):
                    seconds, times = await until_complete(movieql)
                    asked = max(asked, times)
                    return seconds

            async def bare() -> float:
                async with simulator(movies, LATENCY_S) as shops:
                    told = await self.servers.bare(shops)
                    if told["details"] != 2 * movies:
                        raise FailedError(f"bench.bare read {told['details']} details")
                    return float(told["seconds"])

            rounds.append(await _both(ours, bare, is_turned=number % 2 == 1))
        ratio = statistics.median(our / other for our, other in rounds)
        medians = [statistics.median(side) for side in zip(*rounds, strict=True)]
        figure = f"{ratio:.2f} ({medians[0]:.2f} s of {medians[1]:.2f} s, asked {asked} times)"
        name = "cold, everything: movieql / bare aiohttp script"
        yield Line(name, movies, figure, "<= 1.2", ratio <= 1.2)  # noqa: PLR2004

    async def hung_cold(self, movies: int) -> AsyncIterator[Line]:
        """Measure first questions while a shop hangs, each to a fresh server: (f)."""
        seconds: list[float] = []
        async with simulator(movies, LATENCY_S) as shops:
            await shops.turn("filmworld", "hang")
            for _ in range(_FIRST_QUESTIONS):
                async with self.servers.movieql(shops, LIMITS) as movieql:
                    elapsed_s, body = await ask(movieql, next(same(PAGE)))
                    page = answered(body)
                    if page["complete"] or not all(
                        node["cheapest"]["offer"] for node in page["nodes"]
                    ):
                        raise FailedError("with one shop hung the answer lacks the other's prices")
                    seconds.append(elapsed_s)
        p50, p99 = percentile_ms(seconds, 0.5), percentile_ms(seconds, 0.99)
        figure = f"p50 {p50:,.0f} ms, p99 {p99:,.0f} ms of {len(seconds)}"
        limit_ms = 2_550
        name = "one shop hangs, cold: first answer, budget 2.5 s"
        yield Line(name, movies, figure, f"p99 <= {limit_ms:,} ms", p99 <= limit_ms)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two that are compared."""

    name: str
    port: int
    requests: Callable[[], Iterator[bytes]]
    connections: int


@asynccontextmanager
async def simulator(movies: int, latency_s: float = 0.0) -> AsyncIterator[Simulator]:
    """Run two shops with so many movies each."""
    async with Simulator(
        catalogues=invented(movies, seed=7), pace=Pace(latency_s=latency_s)
    ) as shops:
        yield shops


async def _both(
    ours: Callable[[], Awaitable[float]],
    others: Callable[[], Awaitable[float]],
    *,
    is_turned: bool,
) -> tuple[float, float]:
    """Run both, the second first when it is its turn."""
    if is_turned:
        other = await others()
        return await ours(), other
    return await ours(), await others()


async def asked(port: int, requests: Iterator[bytes]) -> bytes:
    """Return the body of the answer to the next request."""
    _, body = await ask(port, next(requests))
    return body


async def _warmed(port: int) -> bytes:
    """Ask for everything until it is there, and return what a warm server says then."""
    await until_complete(port)
    # The first complete answer tells how long it waited; the second is the one that is kept.
    body = await asked(port, same(ALL))
    page = complete(body)
    if page["totalCount"] != len(page["nodes"]):
        raise FailedError(f"{len(page['nodes'])} of {page['totalCount']} movies in the full list")
    return body


async def until_complete(port: int) -> tuple[float, int]:
    """Ask for everything until it is there; return the seconds and the number of questions."""
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    for times in itertools.count(1):
        page = answered(await asked(port, same(ALL)))
        if page["complete"]:
            return loop.time() - started_s, times
        if times == _TRIES:
            break
        await asyncio.sleep(_RETRY_S if times > 1 else 0)
    raise FailedError(f"not complete after {_TRIES} questions: {page['sources']}")
