"""`python -m bench`: ratios from one run, with what is compared taking turns."""

import argparse
import asyncio
import os
import platform
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import uvloop

from bench.cases import LATENCY_S, LIMITS, Bench, Line
from bench.crowds import GROWN_MOVIES, OUTAGE, OUTAGE_SIZES, Crowds
from bench.exporting import EXPORTED_MOVIES
from bench.exports import exports
from bench.servers import BODY_BYTES_MAX, ROWS_MAX, Cores, Servers
from bench.snapshot import LISTED_MOVIES, snapshot
from bench.writes import MOVIES, writes

SIZES = (100, 1_000)
"""Movies per shop."""

BUSY = 0.95
"""From this share on the load generator itself may be what limits."""

Case = Callable[[int], AsyncIterator[Line]]


async def run(seconds: float, rounds: int, only: list[str]) -> bool:
    """Run every case and print its lines; return whether all of them completed."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _cancel(asyncio.current_task()))
    cores = Cores.take()
    started_s = time.monotonic()
    print(
        f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores; {cores}"
    )
    print(f"{rounds} rounds of {seconds:g} s; figures are medians of the rounds")
    print(
        f"settings that are not the defaults: {_told(LIMITS)}; of providers: {ROWS_MAX} rows, "
        f"{BODY_BYTES_MAX} bytes; shops answer after {LATENCY_S:g} s where cold"
    )
    print(f"outage: {_told(OUTAGE)}\n", flush=True)
    print("| what | movies per shop | figure | target | met |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="movieql-bench-") as folder:
        bench = Bench(Servers(cores, Path(folder)), seconds, rounds)
        cases: list[tuple[Case, int]] = [(bench.warm, movies) for movies in SIZES]
        cases.append((bench.cold, SIZES[0]))
        cases += [(bench.hung_cold, movies) for movies in SIZES]
        crowds = Crowds(bench)
        cases += [(case, SIZES[0]) for case in (crowds.crowd, crowds.fleet)]
        cases += [(crowds.outage, movies) for movies in OUTAGE_SIZES]
        cases.append((crowds.grown, GROWN_MOVIES))
        cases.append((snapshot, LISTED_MOVIES))
        cases.append((writes(seconds, rounds), MOVIES))
        cases.append((exports(rounds), EXPORTED_MOVIES))
        went = [
            await _printed(case, movies)
            for case, movies in cases
            if not only or getattr(case, "__name__", "") in only
        ]
    for name, share in bench.busiest.items():
        if share >= BUSY:
            print(f"\nnote: {name}: the load generator was busy {share:.0%} of the time")
    print(f"\n{time.monotonic() - started_s:.0f} s in all", flush=True)
    return all(went)


async def _printed(case: Case, movies: int) -> bool:
    name = getattr(case, "__name__", "a case")
    print(f"{time.strftime('%H:%M:%S')} {name}, {movies:,} movies", file=sys.stderr, flush=True)
    try:
        async for line in case(movies):
            met = "yes" if line.is_met else "NO"
            print(
                f"| {line.name} | {line.movies:,} | {line.figure} | {line.target} | {met} |",
                flush=True,
            )
    except Exception:  # noqa: BLE001  # the other cases can still tell theirs
        print(f"FAILED: {name}, {movies} movies", file=sys.stderr)
        traceback.print_exc()
        return False
    return True


def _cancel(task: asyncio.Task[object] | None) -> Callable[[], None]:
    def cancel() -> None:
        if task is not None:
            task.cancel()

    return cancel


def _told(settings: dict[str, str]) -> str:
    return " ".join(f"MOVIEQL_{name}={value}" for name, value in settings.items())


def main() -> None:
    """Read the arguments and run; whatever the figures, only a failure is a failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round of a load")
    parser.add_argument("--rounds", type=int, default=3, help="in which both sides take turns")
    parser.add_argument("--only", nargs="*", default=[], help="names of cases, as they are told")
    given = parser.parse_args()
    if given.rounds < 1 or given.seconds <= 0:
        parser.error("--rounds takes 1 and more, --seconds more than 0")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            went = runner.run(run(given.seconds, given.rounds, given.only))
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit("stopped")
    sys.exit(not went)


if __name__ == "__main__":
    main()
