"""The least that asks: a script that makes the calls of a cold question, and nothing else.

Run as `python -m bench.bare TOKEN URL...`: of each shop at once the list, then every detail, 20
at a time. Prints JSON: the seconds, without start and imports, and how many details came.
"""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp
import uvloop

CONNECTIONS = 20
"""At a time, per shop: as many as movieql takes."""


async def details(url: str, token: str) -> list[Any]:
    """Return every detail of a shop."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS), headers={"x-access-token": token}
    ) as session:

        async def get(path: str) -> Any:
            async with session.get(f"{url}{path}") as response:
                response.raise_for_status()
                return await response.json()

        rows = (await get("/movies"))["Movies"]
        return await asyncio.gather(*(get(f"/movie/{row['ID']}") for row in rows))


async def main(token: str, urls: list[str]) -> None:
    """Ask all shops at once and print how long it took."""
    started_s = time.perf_counter()
    shops = await asyncio.gather(*(details(url, token) for url in urls))
    elapsed_s = time.perf_counter() - started_s
    print(json.dumps({"seconds": elapsed_s, "details": sum(map(len, shops))}))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], sys.argv[2:]))
