"""Writes of the house catalogue, beside a loop that gets, changes and puts the file.

Run as `python -m bench.writes`. The loop compares nothing, so it loses what others wrote between
its get and its put; how much is printed. Both write to files on this disk, 16 tasks at once.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import uvloop

from bench.cases import Line
from movieql.clock import SystemClock
from movieql.services.catalogue import Catalogue
from movieql.storage.files import FileStore
from movieql.storage.links import LinkSigner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TASKS = 16
MOVIES = 48
KEY = "movies.json"
BYTES_MAX = 4 * 1024 * 1024
YEAR = 1999

Write = Callable[[str, str, int], Awaitable[Any]]
"""Sets a field of a movie: (name, field, value)."""


@asynccontextmanager
async def files(folder: Path) -> "AsyncIterator[FileStore]":
    """Open a store with a catalogue of `MOVIES` movies."""
    clock = SystemClock()
    sign = LinkSigner(b"nobody asks for links here" * 2, "http://localhost", clock.now).sign
    store = FileStore(folder, clock=clock, sign_link=sign, call_timeout_s=30.0, threads_max=10)
    movies = [{"name": f"Movie {n}", "year": YEAR} for n in range(MOVIES)]
    await store.put(KEY, json.dumps(movies).encode())
    try:
        yield store
    finally:
        await store.aclose()


def plain(store: FileStore) -> Write:
    """Return the loop's write."""

    async def write(name: str, field: str, value: int) -> None:
        found = await store.get(KEY, bytes_max=BYTES_MAX)
        movies = json.loads(found[0] if found else b"[]")
        next(movie for movie in movies if movie["name"] == name)[field] = value
        await store.put(KEY, json.dumps(movies).encode())

    return write


def ours(store: FileStore) -> Write:
    """Return the catalogue's write."""
    catalogue = Catalogue(
        store,
        key=KEY,
        clock=SystemClock(),
        rng=random.Random(),  # noqa: S311  # jitter is no secret
        new_write_id=lambda: uuid4().hex[:16],
    )
    return lambda name, field, value: catalogue.upsert(name, YEAR, {field: value})


async def measured(make: Callable[[FileStore], Write], seconds: float) -> tuple[float, float]:
    """Return the writes per second, and the share of fields whose last write is not there."""
    last: dict[tuple[str, str], int] = {}
    with tempfile.TemporaryDirectory(prefix="movieql-bench-") as folder:
        async with files(Path(folder)) as store:
            write, until_s = make(store), time.monotonic() + seconds

            async def task(field: str, rng: random.Random) -> int:
                done = 0
                while time.monotonic() < until_s:
                    name = f"Movie {rng.randrange(MOVIES)}"
                    await write(name, field, done)
                    last[name, field] = done
                    done += 1
                return done

            tasks = (task(f"t{n}", random.Random(n)) for n in range(TASKS))  # noqa: S311  # a load
            done = sum(await asyncio.gather(*tasks))
            found = await store.get(KEY, bytes_max=BYTES_MAX)
    there = {each["name"]: each for each in json.loads(found[0] if found else b"[]")}
    lost = sum(there[name].get(field) != value for (name, field), value in last.items())
    return done / seconds, lost / max(len(last), 1)


async def compared(seconds: float, rounds: int) -> Line:
    """Let both take turns; return the medians."""
    pairs = [
        (await measured(plain, seconds), await measured(ours, seconds)) for _ in range(rounds)
    ]
    ratio = statistics.median(mine[0] / loop[0] for loop, mine in pairs)
    rates = [statistics.median(pair[at][0] for pair in pairs) for at in (0, 1)]
    lost = [max(pair[at][1] for pair in pairs) for at in (0, 1)]
    return Line(
        f"house catalogue, {TASKS} writers, files: Catalogue / get, change, put",
        MOVIES,
        f"{ratio:.2f} ({rates[1]:,.0f} writes/s of {rates[0]:,.0f} writes/s;"
        f" lost {lost[1]:.0%} of {lost[0]:.0%})",
        ">= 1, none lost",
        ratio >= 1 and lost[1] == 0,
    )


def writes(seconds: float, rounds: int) -> Callable[[int], "AsyncIterator[Line]"]:
    """Return a case of `python -m bench`; whatever it is told, it has `MOVIES` movies."""

    async def house_catalogue(movies: int) -> "AsyncIterator[Line]":
        del movies
        yield await compared(seconds, rounds)

    return house_catalogue


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.writes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3, help="in which both take turns")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        line = runner.run(compared(given.seconds, given.rounds))
    print(f"{line.name}: {line.figure}; target {line.target}")


if __name__ == "__main__":
    main()
