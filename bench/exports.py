"""Exports of a million rows: memory of a worker, and rows per second beside a bare `csv.writer`.

Run as `python -m bench.exports`. What is measured runs in a process of its own (`exporting`);
here is what starts it and looks whether the files are right. They are on a disk, and removed.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import zlib
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from bench.cases import Line
from bench.exporting import (
    DAY_MS,
    EXPORTED_MOVIES,
    NOON,
    ROWS,
    SHOPS,
    Job,
    opened,
    window,
    write_observations,
)
from bench.load import FailedError
from movieql.clock import SystemClock
from movieql.domain.exports import ExportInput, ExportRequest, ExportStatus, Manifest, export_id
from movieql.services.export_archive import ExportArchive
from movieql.services.putting import Patience
from movieql.settings import ENVIRONMENT_PREFIX
from movieql.storage.files import FileStore

MEMORY_BYTES_MAX = 64 * 10**6
"""What a job may take above the idle worker, whatever the size (docs/performance.md)."""

SHARE_MIN = 0.25
"""Of the rows per second of a bare `csv.writer`: ready rows are to be written that fast."""

DISK = Path("/var/tmp")  # noqa: S108  # only a new folder in it is used
"""Where files are on a disk; what is in `/tmp` may be in memory."""

_CHUNK_BYTES = 1024 * 1024
_CHILD_S = 600.0
_GZIP_BITS = 31  # zlib's number for the gzip format


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it is in the store: hash and size, and hash and lines of what it unpacks to."""

    sha256: str
    size_bytes: int
    plain_sha256: str
    lines: int


def exports(rounds: int) -> Callable[[int], AsyncIterator[Line]]:
    """Return a case of `python -m bench`; whatever it is told, it has `EXPORTED_MOVIES`."""

    async def million_rows(movies: int) -> AsyncIterator[Line]:
        del movies
        yield await written(rounds)
        async for line in exported():
            yield line

    return million_rows


async def written(rounds: int) -> Line:
    """Compare the writing of ready rows; return the medians of the rounds."""
    with _folder() as name:
        folder = Path(name)
        pairs = await _measured("writing", str(folder), str(rounds), folder=folder)
    ratio = statistics.median(bare_s / ours_s for ours_s, bare_s in pairs)
    ours, bare = (statistics.median(ROWS / pair[at] for pair in pairs) for at in (0, 1))
    return Line(
        "export, ready rows to a file in the store: movieql / bare csv.writer",
        EXPORTED_MOVIES,
        f"{ratio:.2f} ({ours:,.0f} rows/s of {bare:,.0f} rows/s)",
        f">= {SHARE_MIN:g}",
        ratio >= SHARE_MIN,
    )


async def exported() -> AsyncIterator[Line]:
    """Measure exports of everything, first plain, then with gzip."""
    with _folder() as name:
        folder = Path(name)
        async with opened(folder) as store:
            await write_observations(store, ROWS)
        told, plain = await export(folder, gzip=False)
        yield _line("plain", told, plain)
        told, packed = await export(folder, gzip=True)
        if packed.plain_sha256 != plain.plain_sha256:
            raise FailedError("unpacked, it is another file")
        yield _line("gzip", told, packed)


def _line(how: str, job: Job, stored: Stored) -> Line:
    above_bytes = job.peak_bytes - job.idle_bytes
    return Line(
        f"export of {ROWS:,} rows, {how}, {stored.size_bytes / 10**6:.0f} MB: worker's memory",
        EXPORTED_MOVIES,
        f"{above_bytes / 10**6:.1f} MB above idle {job.idle_bytes / 10**6:.1f} MB"
        f" ({ROWS / job.seconds:,.0f} rows/s from observations to file, {job.seconds:.0f} s)",
        f"<= {MEMORY_BYTES_MAX // 10**6} MB",
        above_bytes <= MEMORY_BYTES_MAX,
    )


def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(
        prefix="movieql-bench-", dir=DISK if DISK.is_dir() else None
    )


async def export(folder: Path, *, gzip: bool) -> tuple[Job, Stored]:
    """Export all that is in a folder. Raises FailedError when what was made is not right."""
    rng = Random()  # noqa: S311  # jitter is no secret
    async with opened(folder) as store:
        archive = ExportArchive(store, Patience(SystemClock(), rng))
        request = _request(gzip=gzip)
        await archive.begin(request)
        await archive.write_request(request)
        job = Job(**await _measured("job", str(folder), request.id, folder=folder))
        manifest = await archive.manifest(request.id)
        if manifest is None or manifest.data_key is None:
            raise FailedError(f"an export did not end well: {manifest}")
        stored = await _stored(store, manifest.data_key, manifest.size_bytes, gzip=gzip)
    _check(manifest, stored)
    return job, stored


def _request(*, gzip: bool) -> ExportRequest:
    return ExportRequest(
        id=export_id("bench", f"gzip {gzip}"),
        subject="bench",
        given=ExportInput(gzip=gzip),
        window=window(),
        providers=tuple(shop for shop, _ in SHOPS),
        created_ms=NOON + DAY_MS,
        read_until_ms=NOON + DAY_MS,
        write_id="bench",
    )


async def _stored(store: FileStore, key: str, size_bytes: int, *, gzip: bool) -> Stored:
    """Read a file of the store to its end."""
    unpack: Callable[[bytes], bytes] = zlib.decompressobj(_GZIP_BITS).decompress if gzip else bytes
    packed_hash, plain_hash, lines, read_bytes = sha256(), sha256(), 0, 0
    while read_bytes < size_bytes:
        chunk = await store.get_range(key, read_bytes, _CHUNK_BYTES)
        if not chunk:
            break
        plain = unpack(chunk)
        packed_hash.update(chunk)
        plain_hash.update(plain)
        lines += plain.count(b"\n")  # no cell here has one
        read_bytes += len(chunk)
    return Stored(packed_hash.hexdigest(), read_bytes, plain_hash.hexdigest(), lines)


def _check(manifest: Manifest, stored: Stored) -> None:
    rows = ROWS
    told = (manifest.status, manifest.rows, manifest.sha256, manifest.size_bytes)
    if told != (ExportStatus.READY, rows, stored.sha256, stored.size_bytes):
        raise FailedError(f"the manifest tells {told}, there is {stored}")
    if stored.lines != rows + 1:
        raise FailedError(f"the file has {stored.lines} lines")


async def _measured(*argv: str, folder: Path) -> Any:
    """Run `python -m bench.exporting` with arguments; return what it prints."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(ENVIRONMENT_PREFIX)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.exporting",
        *argv,
        env=inherited | {"TMPDIR": str(folder)},
        cwd=Path(__file__).parents[1],
        stdin=DEVNULL,
        stdout=PIPE,
    )
    try:
        async with asyncio.timeout(_CHILD_S):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise FailedError(f"bench.exporting {argv[0]} ended with {process.returncode}")
    return json.loads(told)


async def _printed(rounds: int) -> None:
    async for line in exports(rounds)(EXPORTED_MOVIES):
        print(f"{line.name}: {line.figure}; target {line.target}", flush=True)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="in which both take turns")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_printed(given.rounds))


if __name__ == "__main__":
    main()
