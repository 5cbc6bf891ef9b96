"""Callers of the house catalogue over HTTP, who remember what they were told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from movieql.dev.simulator import Simulator
from movieql.domain.catalogue_fields import STORED_KEYS
from movieql.domain.titles import slug
from tests.e2e.stand_in import s3_env
from tests.object_store import Faults, file_store, moto, s3_store
from tests.servers import Client, Reply, Started, replicas, token

YEAR = 1999
MOVIES = 48
KEY = "movies.json"

UPSERT = """mutation Upsert($input: UpsertMovieInput!) {
  upsertMovie(input: $input) {
    created
    entry { id version runtimeMinutes }
    errors {
      __typename message
      ... on VersionConflict { currentVersion }
      ... on CatalogueUnavailable { retryable mayHaveHappened }
    }
  }
}"""

TEXTS = ("director", "plot", "awards", "rated")
LISTS = ("genres", "actors", "writers", "languages", "countries")
"""Fields of the GraphQL input that are nothing but text."""

COUNT = "count"
"""A field that is counted up over REST; `runtimeMinutes` is over GraphQL."""

STORED_COUNTS = (COUNT, STORED_KEYS["runtime_minutes"])


def allowed() -> dict[str, str]:
    """Return the header of a caller who may write."""
    return {"Authorization": f"Bearer {token('movies:write')}"}


def file_env(folder: Path) -> dict[str, str]:
    """Return the environment of a server whose store is a folder."""
    return {
        "MOVIEQL_STORE_FOLDER": str(folder),
        "MOVIEQL_PUBLIC_URL": "http://127.0.0.1",
        "MOVIEQL_LINK_SECRET": "a secret of tests, of 32 bytes or more",
    }


class Caller(Client):
    """Writes with a token."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        super().__init__(url, session)
        self._headers = allowed()

    async def put(
        self, name: str, year: int, fields: dict[str, Any], if_match: str | None = None
    ) -> Reply:
        """PUT a movie."""
        headers = self._headers | ({} if if_match is None else {"If-Match": if_match})
        return await self.call("PUT", f"/api/movies/{name}/{year}", json=fields, headers=headers)

    async def delete(self, name: str, year: int) -> Reply:
        """DELETE a movie."""
        return await self.call("DELETE", f"/api/movies/{name}/{year}", headers=self._headers)

    async def upsert(
        self, name: str, year: int, fields: dict[str, Any], if_match: str | None = None
    ) -> Any:
        """Return what `upsertMovie` answers."""
        variables = {"input": {"name": name, "year": year, "ifMatch": if_match, **fields}}
        reply = await self.post({"query": UPSERT, "variables": variables}, **self._headers)
        return reply.data["upsertMovie"]


@asynccontextmanager
async def calling(processes: Sequence[Started]) -> AsyncIterator[list[Caller]]:
    """Open a caller of each process."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield [Caller(process.url, session) for process in processes]


@asynccontextmanager
async def running_replicas(
    count: int, env: dict[str, str]
) -> AsyncIterator[tuple[Simulator, list[Started], list[Caller]]]:
    """Run servers over simulated shops and one store, with a caller of each."""
    async with Simulator() as simulator:
        servers = replicas(count, simulator, env)
        processes = await asyncio.to_thread(servers.__enter__)  # a store may be in this loop
        try:
            async with calling(processes) as callers:
                yield simulator, processes, callers
        finally:
            await asyncio.to_thread(servers.__exit__, None, None, None)


@contextmanager
def stored_in(kind: str, folder: Path, faults: Faults) -> Iterator["Stored"]:
    """Have a store, a folder or a bucket that fails."""
    if kind == "files":
        yield Stored(file_env(folder), folder=folder)
    else:
        with moto(faults) as server:
            yield Stored(s3_env(server.endpoint_url, server.bucket), server=server)


@dataclass(frozen=True)
class Stored:
    """A store, by the environment of its servers."""

    env: dict[str, str]
    folder: Path | None = None
    server: Any = None

    async def file(self) -> tuple[bytes, str]:
        """Return the catalogue's file and its ETag."""
        opened = file_store(self.folder) if self.folder is not None else s3_store(self.server)
        async with opened as store:
            found = await store.get(KEY, bytes_max=10_000_000)
        assert found is not None
        return found


@dataclass
class Told:
    """What writers were told.

    `written`: by movie and stored field, the last value acknowledged; `counted`: by movie and
    stored field, how many increments were; `created`: by movie, how many say that they made it;
    `conflicts`, by field, and `failed`: what else was answered; `unanswered`: by movie and stored
    field, values of which nobody knows.
    """

    written: dict[tuple[str, str], Any] = field(default_factory=dict)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    created: Counter[str] = field(default_factory=Counter)
    conflicts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    unanswered: dict[tuple[str, str], Any] = field(default_factory=dict)


Write = Callable[[Caller, str, int], Awaitable[None]]
"""Makes the n-th update of a movie: (caller, name, n)."""


def rest_writer(told: Told, own: str) -> Write:
    """Return a writer that PUTs a field of its own."""

    async def write(caller: Caller, name: str, number: int) -> None:
        await _answered(told, (name.title(), own), number, caller.put(name, YEAR, {own: number}))

    return write


async def _answered(
    told: Told, place: tuple[str, str], value: Any, asked: Awaitable[Reply]
) -> None:
    try:
        reply = await asked
    except aiohttp.ClientError:
        told.unanswered[place] = value
        raise
    if reply.status in {200, 201}:
        told.written[place] = value
        told.created[place[0]] += reply.status == 201
    else:
        told.failed.append(reply.text)


def graphql_writer(told: Told, own: str) -> Write:
    """Return a writer that mutates a field of its own."""

    async def write(caller: Caller, name: str, number: int) -> None:
        value = f"{own} {number}"
        sent = value if own in TEXTS else [value]
        payload = await caller.upsert(name, YEAR, {own: sent})
        if payload["errors"]:
            told.failed.append(str(payload["errors"]))
        else:
            told.written[name.title(), STORED_KEYS.get(own, own)] = value
            told.created[name.title()] += payload["created"]

    return write


def rest_counter(told: Told) -> Write:
    """Return a writer that counts up what it read, on the condition of the file's ETag."""

    async def write(caller: Caller, name: str, number: int) -> None:
        del number
        while True:
            read = await caller.call("GET", "/api/movies")
            if "etag" not in read.headers:  # somebody makes the file soon
                continue
            now: dict[str, Any] = next(
                (m for m in read.json if m["name"].title() == name.title()), {}
            )
            fields = {COUNT: now.get(COUNT, 0) + 1}
            reply = await caller.put(name, YEAR, fields, read.headers["etag"])
            if reply.status != 409:
                break
            told.conflicts[COUNT] += 1
        if reply.status in {200, 201}:
            told.counted[name.title(), COUNT] += 1
            told.created[name.title()] += reply.status == 201
        else:
            told.failed.append(reply.text)

    return write


def graphql_counter(told: Told) -> Write:
    """Return a writer that counts up what it read, on the condition of the entry's version."""
    stored = STORED_KEYS["runtime_minutes"]

    async def write(caller: Caller, name: str, number: int) -> None:
        del number
        while True:
            entry = await _entry(told, caller, name)
            fields = {"runtimeMinutes": (entry["runtimeMinutes"] or 0) + 1}
            payload = await caller.upsert(name, YEAR, fields, entry["version"])
            if [e["__typename"] for e in payload["errors"]] != ["VersionConflict"]:
                break
            told.conflicts[stored] += 1
        if payload["errors"]:
            told.failed.append(str(payload["errors"]))
        else:
            told.counted[name.title(), stored] += 1

    return write


async def _entry(told: Told, caller: Caller, name: str) -> Any:
    """Read an entry; make one where there is none, which changes nothing of one that is new."""
    query = "query($id: ID!) { movie(id: $id) { catalogueEntry { version runtimeMinutes } } }"
    movie = (await caller.ask(query, {"id": slug(name, YEAR)})).data["movie"]
    if movie and movie["catalogueEntry"]:
        return movie["catalogueEntry"]
    payload = await caller.upsert(name, YEAR, {})
    told.created[name.title()] += payload["created"]
    return payload["entry"]


def writers(process: int, told: Told) -> list[tuple[Write, int]]:
    """Return the 16 writers of a process, and of how many updates each makes one.

    Every write of another is in a counter's way, so counters would be at it for long.
    """
    own = (TEXTS + LISTS)[3 * process :][:3]
    return [
        *((rest_writer(told, f"p{process}t{task}"), 1) for task in range(8)),
        *((graphql_writer(told, field), 1) for field in own),
        *((graphql_counter(told), 2) for _ in range(4)),
        (rest_counter(told), 5),
    ]


async def update(
    caller: Caller, writing: Sequence[tuple[Write, int]], updates: int, seed: int
) -> None:
    """Let writers update movies at random, all at once, so many times each."""

    async def task(write: Write, times: int, rng: Random) -> None:
        for number in range(times):
            name = f"Movie {rng.randrange(MOVIES)}"
            await write(caller, rng.choice([name, name.upper()]), number)

    tasks = (
        task(write, updates // share, Random(seed * 100 + at))
        for at, (write, share) in enumerate(writing)
    )
    await asyncio.gather(*tasks)
