"""The snapshot of large catalogues: what it takes to make, to change and to ask.

Run as `python -m bench.snapshot MOVIES`: two shops list so many movies each, all of them the same.
Times are of the processor, since a shared machine says little by the clock. Prints JSON.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Generator
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from bench.cases import Line
from bench.load import FailedError
from movieql.domain.matching import Identities
from movieql.domain.movies import Description, MovieOrder, Profile, Row
from movieql.domain.selection import MovieFilter
from movieql.movies.snapshot import Snapshot

LISTED_MOVIES = 100_000
"""Per shop."""

SHOPS = ("cw", "fw")
WORDS = ("Star", "Wars", "Empire", "Alien", "Night", "City", "River", "Moon", "King", "Queen")
YEARS = 105
CHANGED = 100  # one row of so many
PAGE = 20

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: seconds, milliseconds, and megabytes of memory beside the rows."""

    taken_in_s: float
    taken_in_step_ms: float
    changed_s: float
    changed_step_ms: float
    details_s: float
    details_step_ms: float
    first_pages_ms: dict[str, float]
    first_pages_step_ms: float
    pages_ms: dict[str, float]
    memory_mb: float


class Watch:
    """Runs work in steps, and counts the processor's time of all and of the longest."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.longest_ms = 0.0

    def run(self, steps: Generator[None, None, _T]) -> _T:
        """Return what steps lead to."""
        while True:
            started_s = time.thread_time()
            try:
                next(steps)
            except StopIteration as end:
                result: _T = end.value
                return result
            finally:
                took_s = time.thread_time() - started_s
                self.seconds += took_s
                self.longest_ms = max(self.longest_ms, took_s * 1000)


def listed(prefix: str, movies: int) -> tuple[Row, ...]:
    """Return a shop's list."""
    return tuple(
        Row(
            f"{prefix}{n:07d}", Description(_title(n), 1920 + n % YEARS, f"https://x.test/{n}.jpg")
        )
        for n in range(movies)
    )


def _title(number: int) -> str:
    first, second = number % len(WORDS), number // len(WORDS) % len(WORDS)
    return f"{WORDS[first]} {WORDS[second]} {number}"


def _memory_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4 / 1024


def _detail(n: int) -> Row:
    return Row("", Description(genres=("Drama",)), Decimal(n * 7919 % 100_000) / 100)


def measured(movies: int) -> Figures:
    """Make a snapshot, change it and ask it."""
    profiles = [
        Profile(each, each, currency="AUD", imdb_ids=True, detail_fields=frozenset({"price"}))
        for each in SHOPS
    ]
    lists = {each: listed(each, movies) for each in SHOPS}
    gc.collect()
    gc.freeze()
    before_mb = _memory_mb()
    snapshot = Snapshot(profiles, Identities(4 * movies))
    taken_in, changed, details, asked = Watch(), Watch(), Watch(), Watch()
    for shop, rows in lists.items():
        taken_in.run(snapshot.set_list(shop, rows))
    memory_mb = _memory_mb() - before_mb
    if len(snapshot) != movies:
        raise FailedError(f"{len(snapshot)} movies were made of {movies}")
    for n in range(movies):
        details.run(_told(snapshot, n, _detail(n)))
    view = taken_in.run(snapshot.view(frozenset(SHOPS)))
    questions: dict[str, tuple[MovieFilter, MovieOrder]] = {
        "by title": (MovieFilter(), MovieOrder("title")),
        "by year": (MovieFilter(), MovieOrder("year")),
        "by price": (MovieFilter(), MovieOrder("price", descending=True)),
        "of some years by title": (MovieFilter(year_from=2000, year_to=2003), MovieOrder("title")),
        "of some years by year": (MovieFilter(year_from=2000), MovieOrder("year")),
        "of some years by price": (MovieFilter(year_to=1925), MovieOrder("price")),
        "of a title": (MovieFilter(title="moon king"), MovieOrder("title")),
    }
    first_pages_ms: dict[str, float] = {}
    pages_ms: dict[str, float] = {}
    for figures in (first_pages_ms, pages_ms):
        for name, (narrowed, order) in questions.items():
            watch = asked if figures is first_pages_ms else Watch()
            started_s = watch.seconds
            found = watch.run(view.select(narrowed, order, None, PAGE))
            if len(found.movies) != PAGE:
                raise FailedError(f"{name}: {len(found.movies)} movies")
            figures[name] = round((watch.seconds - started_s) * 1000, 2)
    rows = tuple(
        row if n % CHANGED else replace(row, description=replace(row.description, year=1900))
        for n, row in enumerate(lists[SHOPS[0]])
    )
    changed.run(snapshot.set_list(SHOPS[0], rows))
    return Figures(
        taken_in.seconds,
        taken_in.longest_ms,
        changed.seconds,
        changed.longest_ms,
        details.seconds,
        details.longest_ms,
        first_pages_ms,
        asked.longest_ms,
        pages_ms,
        memory_mb,
    )


def _told(snapshot: Snapshot, n: int, row: Row) -> Generator[None, None, None]:
    for shop in SHOPS:
        snapshot.set_detail(shop, f"{shop}{n:07d}", row)
    yield


async def snapshot(movies: int) -> AsyncIterator[Line]:
    """Measure in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.snapshot", str(movies), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise FailedError(f"it ended with {process.returncode}")
    found: dict[str, Any] = json.loads(printed)

    def line(name: str, value: float, unit: str, most: float) -> Line:
        met = value <= most
        return Line(f"snapshot, {name}", movies, f"{value:.3g} {unit}", f"≤ {most:g} {unit}", met)

    yield line("both lists taken in", found["taken_in_s"], "s", 5)
    yield line("its longest step", found["taken_in_step_ms"], "ms", 10)
    yield line("1 % of a list changed", found["changed_s"] * 1000, "ms", 500)
    yield line("its longest step", found["changed_step_ms"], "ms", 10)
    yield line("a detail known", found["details_s"] / movies / 2 * 1e6, "µs", 50)
    yield line("longest step of details", found["details_step_ms"], "ms", 10)
    for name, value in found["first_pages_ms"].items():
        yield line(f"first page {name}, asked first", value, "ms", 1_500)
    yield line("longest step of these", found["first_pages_step_ms"], "ms", 10)
    for name, value in found["pages_ms"].items():
        most = 50 if name == "of a title" else 5 if "some years" in name else 1
        yield line(f"first page {name}", value, "ms", most)
    yield line("memory beside the rows", found["memory_mb"], "MB", 600)


if __name__ == "__main__":
    print(json.dumps(asdict(measured(int(sys.argv[1])))))
