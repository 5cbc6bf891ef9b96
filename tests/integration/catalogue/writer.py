"""A process that writes into one catalogue with many tasks at once, and says what it was told.

Run as `python -m tests.integration.catalogue.writer NUMBER UPDATES KIND WHERE BUCKET`. Each task
counts in a field of its own per movie, so a lost update is a count that stays behind. Prints JSON:
`written`: by movie and field, the last count acknowledged; `failed`: messages of what was not;
`seconds`.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from movieql.clock import SystemClock
from movieql.domain.errors import MovieqlError
from movieql.ports import ObjectStore
from movieql.services.catalogue import Catalogue
from tests.object_store import Faults, S3Server, file_store, s3_store

TASKS = 16
MOVIES = 48
KEY = "movies.json"
YEAR = 1999


@asynccontextmanager
async def opened(kind: str, where: str, bucket: str) -> AsyncIterator[ObjectStore]:
    """Open the store that the processes share."""
    if kind == "files":
        async with file_store(Path(where)) as files:
            yield files
    else:
        async with s3_store(S3Server(where, bucket, Faults())) as s3:
            yield s3


def catalogue(store: ObjectStore, seed: int) -> Catalogue:
    """Return the catalogue as a server has it."""
    return Catalogue(
        store,
        key=KEY,
        clock=SystemClock(),
        rng=random.Random(seed),
        new_write_id=lambda: uuid4().hex[:16],
    )


async def write(number: int, updates: int, store: ObjectStore) -> dict[str, object]:
    """Write with all tasks, `updates` times each."""
    mine = catalogue(store, number)
    written: dict[str, dict[str, int]] = {}
    failed: list[str] = []

    async def task(field: str, rng: random.Random) -> None:
        for count in range(updates):
            name = f"Movie {rng.randrange(MOVIES)}"
            try:
                await mine.upsert(rng.choice([name, name.upper()]), YEAR, {field: count})
            except MovieqlError as error:
                failed.append(str(error))
            else:
                written.setdefault(name, {})[field] = count

    started_s = time.monotonic()
    tasks = (task(f"p{number}t{n}", random.Random(number * 100 + n)) for n in range(TASKS))
    await asyncio.gather(*tasks)
    await mine.aclose()
    return {"written": written, "failed": failed, "seconds": time.monotonic() - started_s}


async def main(number: int, updates: int, kind: str, where: str, bucket: str) -> None:
    """Write, and print what came of it."""
    async with opened(kind, where, bucket) as store:
        print(json.dumps(await write(number, updates, store)))  # noqa: T201  # its only output


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]))
