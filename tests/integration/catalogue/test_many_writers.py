"""Three processes with 16 writers each on one `movies.json`: nothing lost, nothing twice."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from movieql.domain.catalogue import parse
from tests.integration.catalogue.writer import KEY, MOVIES, YEAR, opened
from tests.object_store import Faults, moto
from tests.servers import ROOT

PROCESSES = 3
UPDATES = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 50
SHARE = 0.05


async def run(number: int, kind: str, where: str, bucket: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.integration.catalogue.writer", str(number), str(UPDATES)),
        *(kind, where, bucket),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate()
        assert process.returncode == 0
        said: dict[str, Any] = json.loads(output)
        return said
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def check(kind: str, where: str, bucket: str) -> None:
    processes = (run(number, kind, where, bucket) for number in range(PROCESSES))
    told = await asyncio.gather(*processes)
    async with opened(kind, where, bucket) as store:
        found = await store.get(KEY, bytes_max=10_000_000)
    assert found is not None
    document = parse(found[0])  # which refuses a movie that is there twice
    entries = document.file(found[1]).entries
    assert len(entries) == MOVIES
    assert [message for each in told for message in each["failed"]] == []
    lost = []
    for each in told:
        for name, counts in each["written"].items():
            entry = document.find(name, YEAR)
            assert entry is not None
            lost += [(name, f) for f, count in counts.items() if entry.fields.get(f) != count]
    assert lost == []
    assert sum(len(entry.fields) for entry in entries) == sum(
        len(counts) for each in told for counts in each["written"].values()
    )


async def test_writers_of_three_processes_lose_nothing_in_files(tmp_path: Path) -> None:
    await check("files", str(tmp_path), "")


async def test_writers_of_three_processes_lose_nothing_in_s3() -> None:
    with moto() as server:
        await check("s3", server.endpoint_url, server.bucket)


@pytest.mark.timeout(600 if UPDATES > 50 else 120)
async def test_writers_of_three_processes_lose_nothing_while_s3_fails_and_loses_answers() -> None:
    faults = Faults(seed=7, refused_share=SHARE, lost_share=SHARE)
    with moto(faults) as server:
        await check("s3", server.endpoint_url, server.bucket)
        assert min(faults.counts["refused"], faults.counts["lost"]) > 0
