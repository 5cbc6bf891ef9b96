"""Whether a server grows: `python -m bench.memory MINUTES` asks it 20 times a second.

Shops do what the real ones were seen to do, settings are the defaults but for the limits of one
caller, and questions are pages, filters, orders and single movies, most of them asked once.
Prints the memory of the process (RSS) each minute, and what it grows a minute after the first two.
"""

import asyncio
import itertools
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson

from bench.cases import LIMITS, simulator
from bench.load import FailedError, ask, post
from bench.servers import Cores, Servers

MOVIES = 1_000
PER_SECOND = 20
WARM_UP_MINUTES = 2
GROWTH_MB_MAX = 1.0
"""A minute, after the warm-up."""

_FIELDS = "{ totalCount nodes { id title offers { price { amount } stale } cheapest { final } } }"
_LIST = (
    "query Q($title: String, $from: Int, $price: Decimal, $field: MovieOrderField!, $first: Int)"
    "{ movies(first: $first, orderBy: {field: $field}, "
    f"filter: {{title: $title, yearFrom: $from, priceFrom: $price}}) {_FIELDS} }}"
)
_MOVIE = "query M($id: ID!) { movie(id: $id) { id title offers { price { amount } } } }"
_WORDS = ("", "the", "night", "a", "king", "no such title")


def questions(seed: int) -> Iterator[bytes]:
    """Return requests, for ever."""
    chance = random.Random(seed)  # noqa: S311  # has to be repeatable
    while True:
        if chance.random() < 0.3:  # noqa: PLR2004
            number = chance.randrange(9_000_000, 9_000_000 + 2 * MOVIES)
            query, variables = _MOVIE, dict[str, object](id=f"tt{number}")
        else:
            query = _LIST
            variables = {
                "title": chance.choice(_WORDS),
                "from": chance.randrange(1900, 2030),
                "price": f"{chance.randrange(1, 10_000) / 100}",
                "field": chance.choice(("TITLE", "YEAR", "PRICE")),
                "first": chance.randrange(1, 60),
            }
        yield post(orjson.dumps({"query": query, "variables": variables}))


async def main(minutes: int) -> bool:
    """Run, print, and return whether it stays within `GROWTH_MB_MAX`."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="movieql-bench-") as folder:
        servers = Servers(Cores(None, None), Path(folder))
        async with simulator(MOVIES) as shops, servers.movieql(shops, LIMITS) as port:
            for shop in shops.knobs:
                await shops.turn(shop, "observed")
            sizes_mb, asked = [], questions(7)
            tasks: set[asyncio.Task[object]] = set()
            started_s = loop.time()
            for number in itertools.count(1):
                task = asyncio.ensure_future(ask(port, next(asked)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                await asyncio.sleep(started_s + number / PER_SECOND - loop.time())
                if number % (60 * PER_SECOND) == 0:
                    sizes_mb.append(_rss_mb(servers.pids[-1]))
                    print(f"{len(sizes_mb)} min: {sizes_mb[-1]:.1f} MB", flush=True)
                if len(sizes_mb) == minutes:
                    break
            await asyncio.gather(*tasks)
    after = sizes_mb[WARM_UP_MINUTES - 1 :]
    growth_mb = (after[-1] - after[0]) / (len(after) - 1)
    print(f"{growth_mb:+.2f} MB a minute after the first {WARM_UP_MINUTES} (< {GROWTH_MB_MAX:g})")
    return growth_mb < GROWTH_MB_MAX


def _rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise FailedError("the server is gone")


if __name__ == "__main__":
    sys.exit(not asyncio.run(main(max(int(sys.argv[1]), WARM_UP_MINUTES + 1))))
