"""A process that writes to a file store until it is killed; prints a line when it began."""

import asyncio
import itertools
import sys
from pathlib import Path

from tests.object_store import file_store

SIZES = (1, 2_000_000)


def body_of(number: int) -> bytes:
    """Return a body that tells whether it is whole: one character, again and again."""
    return bytes([65 + number % 26]) * SIZES[number % len(SIZES)]


async def write(root: Path) -> None:
    async with file_store(root) as store:
        for number in itertools.count():
            await store.put("a/key", body_of(number))
            upload = await store.begin_upload("up", content_type="text/plain")
            await upload.add(body_of(number))
            await upload.add(body_of(number))
            await upload.complete()
            await store.delete("a/key")
            print(number, flush=True)  # noqa: T201  # to whoever kills it


async def count(root: Path, times: int) -> None:
    from movieql.domain.errors import PreconditionFailedError  # noqa: PLC0415

    async with file_store(root) as store:
        for _ in range(times):
            while True:
                found = await store.get("count", bytes_max=100)
                assert found is not None
                try:
                    await store.put("count", b"%d" % (int(found[0]) + 1), if_match=found[1])
                except PreconditionFailedError:
                    continue
                break


if __name__ == "__main__":
    what, folder = sys.argv[1], Path(sys.argv[2])
    asyncio.run(write(folder) if what == "write" else count(folder, 20))
