"""Exports as a worker makes them, to be measured in a process of their own.

Run as `python -m bench.exporting job FOLDER ID`: the job of an export with the worker's
composition on a folder's store. As `python -m bench.exporting writing FOLDER ROUNDS`: the way
from ready rows to a file in that store, in turns with `csv.writer`, which gets the very same
cells and writes them to a plain file. Prints JSON: a `Job`, or pairs of seconds.
"""

import csv
import gc
import json
import resource
import secrets
import sys
import tempfile
import time
from asyncio import Runner
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import file_digest
from importlib import resources
from pathlib import Path

import uvloop

from bench.load import FailedError
from movieql.app import open_export_job
from movieql.clock import SystemClock
from movieql.domain.csv_cells import COLUMNS, csv_lines, row_cells
from movieql.domain.export_rows import ExportRow
from movieql.domain.observations import Marks, OfferFacts, PriceRun, Run, Window, milliseconds
from movieql.domain.segments import encode_segment, offer_line
from movieql.ports import ExportRun
from movieql.services.export_folding import Folding
from movieql.services.export_writing import write_file
from movieql.services.observed import ObservationReader
from movieql.services.segment_names import segment_key
from movieql.settings import ENVIRONMENT_PREFIX, from_environ
from movieql.settings.providers import ProviderSettings, load_providers
from movieql.storage.files import FileStore
from movieql.storage.links import LinkSigner
from movieql.web.telemetry import make_logger

SHOPS = (("cinemaworld", "cw"), ("filmworld", "fw"))
"""Ids of the shops, and what their own ids start with."""

EXPORTED_MOVIES = 500_000
"""Per shop."""

ROWS = len(SHOPS) * EXPORTED_MOVIES
"""Of an export."""

NOON = milliseconds(datetime(2026, 1, 2, 12, tzinfo=UTC))
"""When the watching began, and the window does."""

DAY_MS = 86_400_000
"""The window."""

_WATCHER = "bench"
_MARKS_EVERY_MS = 60_000
_MARKS = 600
_LINES_PER_SEGMENT = 15_000  # 2 MB, as the server writes them
_READY_SHARE = 10  # one row in so many is kept ready, and written so many times
_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Job:
    """A job that ended: its seconds, and the memory of its process before and at most."""

    seconds: float
    idle_bytes: int
    peak_bytes: int


def window() -> Window:
    """Return the day that is exported."""
    return Window(NOON, NOON + DAY_MS)


def offer(number: int) -> OfferFacts:
    """Return what was seen of an offer; even numbers are of one shop, odd ones of the other."""
    shop, prefix = SHOPS[number % len(SHOPS)]
    movie = number // len(SHOPS)
    title = f"Movie number {movie * 7919 % EXPORTED_MOVIES} of all"  # a prime: each once
    again = " again" if number % 50 == 1 else ""  # shops do not always agree
    price = PriceRun(Decimal(f"{movie % 500 + 1}.{number % 100:02d}"), NOON)
    return OfferFacts(
        provider=shop,
        provider_movie_id=f"{prefix}{movie:07d}",
        title=title + again,
        year=1900 + movie % 120,
        created_ms=None,
        described_ms=NOON,
        runs=(Run(NOON),),
        prices=(price,),
    )


async def write_observations(store: FileStore, offers: int) -> None:
    """Write down so many offers, as a server that watches two shops for ten hours."""
    starts = range(0, offers, _LINES_PER_SEGMENT)
    for number, start in enumerate(starts, start=1):
        end = min(start + _LINES_PER_SEGMENT, offers)
        lines = [(_WATCHER, offer_line(offer(each))) for each in range(start, end)]
        key = segment_key(NOON + number, _WATCHER, number)
        await store.put(key, encode_segment([key], lines, _marks() if end == offers else []))


def _marks() -> Sequence[tuple[str, Marks]]:
    times = tuple(NOON + _MARKS_EVERY_MS * number for number in range(_MARKS))
    return [(_WATCHER, Marks(shop, times, times)) for shop, _ in SHOPS]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[FileStore]:
    """Open a store in a folder."""
    clock = SystemClock()
    sign = LinkSigner(_secret().encode(), "http://localhost", clock.now).sign
    store = FileStore(folder, clock=clock, sign_link=sign, call_timeout_s=30.0, threads_max=10)
    try:
        yield store
    finally:
        await store.aclose()


def _secret() -> str:
    """Return what signs links; nobody asks for any here."""
    return secrets.token_urlsafe(48)


async def run_job(folder: Path, wanted: str) -> Job:
    """Run the job of an export as a worker does."""
    settings = from_environ(
        {
            f"{ENVIRONMENT_PREFIX}STORE_FOLDER": str(folder),
            f"{ENVIRONMENT_PREFIX}LINK_SECRET": _secret(),
            f"{ENVIRONMENT_PREFIX}PUBLIC_URL": "http://localhost",
        }
    )
    async with open_export_job(settings, _providers(), make_logger("error", "json")) as run:
        idle_bytes, started_s = _memory_bytes("VmRSS"), time.perf_counter()
        await run(ExportRun(wanted, generation=1, attempt=1))
        elapsed_s = time.perf_counter() - started_s
    return Job(elapsed_s, idle_bytes, _memory_bytes("VmHWM"))


def _memory_bytes(field: str) -> int:
    """Return VmRSS or VmHWM of this process; where there is no /proc, both are its peak."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    lines = status.read_text("utf-8").splitlines()
    found = next(line.split() for line in lines if line.startswith(f"{field}:"))
    return int(found[1]) * _KIBIBYTE


def _providers() -> Sequence[ProviderSettings]:
    example = resources.files("movieql.providers").joinpath("examples", "contract_a.toml")
    with resources.as_file(example) as path:
        return load_providers(path)


async def compare_writing(folder: Path, rounds: int) -> Sequence[tuple[float, float]]:
    """Let both write the same rows in turn; return the seconds, ours first.

    Raises FailedError when the two files are not the same.
    """
    async with opened(folder) as store:
        ready = await _ready_rows(store)
        cells = [row_cells(row) for rows in ready for row in rows]
        gc.freeze()  # a job has a few thousand rows at a time, not all that are ready here
        pairs = []
        for number in range(rounds):
            key, plain = f"data/{number}", folder / "plain.csv"
            if number % 2:
                bare_s = write_bare(plain, cells)
            ours_s, digest = await write_ours(store, key, ready)
            if not number % 2:
                bare_s = write_bare(plain, cells)
            with plain.open("rb") as file:
                if file_digest(file, "sha256").hexdigest() != digest:
                    raise FailedError("csv.writer wrote another file")
            await store.delete(key)
            pairs.append((ours_s, bare_s))
    return pairs


async def _ready_rows(store: FileStore) -> Sequence[Sequence[ExportRow]]:
    """Return rows as a job makes them, some at a time."""
    await write_observations(store, ROWS // _READY_SHARE)
    reader = ObservationReader(store)
    profiles = {each.profile.id: each.profile for each in _providers()}
    fold = Folding(reader, profiles, tempfile.TemporaryFile).of(window(), profiles)
    found = await reader.find(NOON, NOON + DAY_MS)
    return [rows async for rows in fold.rows(found)]


async def write_ours(
    store: FileStore, key: str, ready: Sequence[Sequence[ExportRow]]
) -> tuple[float, str]:
    """Write all rows as a job does; return the seconds and the hash that it tells."""

    async def chunks() -> AsyncIterator[bytes]:
        yield csv_lines([COLUMNS])
        for _ in range(_READY_SHARE):
            for rows in ready:
                yield csv_lines(map(row_cells, rows))

    async def go_on() -> None:
        return

    started_s = time.perf_counter()
    written = await write_file(store, key, chunks(), gzip=False, before_part=go_on)
    return time.perf_counter() - started_s, written.sha256


def write_bare(path: Path, cells: Sequence[Sequence[str]]) -> float:
    """Write all rows with `csv.writer` and nothing else; return the seconds."""
    started_s = time.perf_counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for _ in range(_READY_SHARE):
            writer.writerows(cells)
    return time.perf_counter() - started_s


def main(what: str, folder: Path, rest: str) -> None:
    """Measure and print."""
    with Runner(loop_factory=uvloop.new_event_loop) as runner:
        if what == "job":
            print(json.dumps(asdict(runner.run(run_job(folder, rest)))))
        else:
            print(json.dumps(runner.run(compare_writing(folder, int(rest)))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
