"""The GraphQL layer over two shops in memory and a house catalogue in files, with a caller."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from movieql.api.context import Context
from movieql.api.execution import KeptMovies
from movieql.domain.additions import Addition
from movieql.domain.callers import Caller, Scope
from movieql.domain.matching import Identities
from movieql.domain.movies import Answer, ContentRevision
from movieql.memory import RecordedTelemetry
from movieql.movies.browse import Source
from movieql.movies.snapshot import Snapshot
from movieql.ports import Call, ObjectStore
from movieql.providers.house import House, HouseTimes, house_profile
from movieql.services.additions import Additions
from movieql.services.catalogue import Catalogue
from movieql.services.entries import HouseEntries
from tests.builders import row, shop
from tests.object_store import file_store
from tests.unit.api.asking import REQUEST_ID, Api, RecordedBrowse

FILE = "movies.json"
HOUSE = "house"
_WRITERS = count()


class MemoryPosting:
    """A provider's shelf to post to: `outcomes` are given in order, then it stores."""

    def __init__(self, *, honours_keys: bool = False) -> None:
        self.takes = frozenset({"title", "plot", "price"})
        self.honours_keys = honours_keys
        self.outcomes: list[Addition] = []
        self.posted: list[tuple[dict[str, Any], float, str]] = []

    async def add(self, fields: Mapping[str, Any], until_s: float, key: str) -> Addition:
        """See `services.additions.Posting`."""
        self.posted.append((dict(fields), until_s, key))
        if self.outcomes:
            return self.outcomes.pop(0)
        price = fields.get("price")
        stored = row("new-1", title=fields["title"], price=None if price is None else str(price))
        return Addition(stored, status=201)


class WritingApi(Api):
    """An engine whose caller may write; `caller` may be set to another."""

    def __init__(
        self, store: ObjectStore, shops: Mapping[str, Mapping[Call, Answer]] | None = None
    ) -> None:
        super().__init__(shops)
        self.store = store
        self.caller: Caller | None = caller("movies:write")
        self.revision = ContentRevision()
        self.catalogue = Catalogue(
            store,
            key=FILE,
            clock=self.clock,
            rng=random.Random(0),
            new_write_id=lambda: f"writer{next(_WRITERS)}",
            note_written=lambda: self.house.expect_change(),  # noqa: PLW0108  # made next
        )
        self.house = House(
            self.catalogue.read,
            provider=HOUSE,
            times=HouseTimes(),
            revision=self.revision,
            clock=self.clock,
            telemetry=RecordedTelemetry(),
        )
        sources = [Source(shop(name), provider) for name, provider in self.shops.items()]
        sources.append(Source(house_profile(HOUSE), self.house))
        snapshot = Snapshot([each.profile for each in sources], Identities())
        self.browse = RecordedBrowse(sources, snapshot, self.clock)
        self.entries: HouseEntries | None = HouseEntries(
            self.catalogue, self.browse, provider=HOUSE, kept=self.house.entry
        )
        self.posting = MemoryPosting()
        self.added_at: list[str] = []
        self.additions: Additions | None = Additions(
            {"cinemaworld": self.posting},
            clock=self.clock,
            make_key=lambda: "made-up",
            note_added=self.added_at.append,
        )
        self.kept = KeptMovies(100_000)

    def context(self, request_id: str = REQUEST_ID) -> Context:
        """Return the context of a new request."""
        return replace(
            super().context(request_id),
            caller=self.caller,
            catalogue=self.entries,
            additions=self.additions,
            kept=self.kept,
        )

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the body of an answer as its reader has it."""
        body: dict[str, Any] = orjson.loads(orjson.dumps(await super().ask(query, variables)))
        return body

    async def data(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Return the one root field of an answer without errors."""
        body = await self.ask(query, variables)
        assert "errors" not in body, body["errors"]
        (value,) = body["data"].values()
        return value

    async def upsert(self, name: str = "Alien", year: int = 1979, **fields: Any) -> Any:
        """Write an entry; return the payload."""
        return await self.data(UPSERT, {"input": {"name": name, "year": year, **fields}})

    async def beside(self, *names: str, year: int = 1979) -> dict[str, str]:
        """Create entries although they may be the same movie; return each one's id."""
        written = [await self.upsert(each, year, allowNearDuplicate=True) for each in names]
        return {each["entry"]["name"]: each["entry"]["id"] for each in written}


UPSERT = """mutation Upsert($input: UpsertMovieInput!) {
    upsertMovie(input: $input) {
        created
        entry {
            id version name year director genres actors writers plot poster rated released
            runtimeMinutes languages countries awards
        }
        errors {
            __typename message
            ... on VersionConflict { currentVersion }
            ... on ValidationFailed { path }
            ... on NearDuplicate { entries { id name version } }
            ... on CatalogueUnavailable { retryable mayHaveHappened }
        }
    }
}"""

DELETE = """mutation Delete($id: ID!, $ifMatch: String) {
    deleteMovie(input: {id: $id, ifMatch: $ifMatch}) {
        entry { id name }
        movie { id offers { stale } catalogueEntries { name } }
        errors {
            __typename message
            ... on VersionConflict { currentVersion }
            ... on ValidationFailed { path }
            ... on CatalogueUnavailable { retryable mayHaveHappened }
        }
    }
}"""

ADD = """mutation Add($input: AddMovieInput!) {
    addMovie(input: $input) {
        added { provider { id } providerMovieId title price { amount currency } }
        errors {
            __typename message
            ... on ValidationFailed { path }
            ... on ProviderRefused {
                provider { id } code status retryable retryAfterMs mayHaveHappened
            }
        }
    }
}"""


def caller(*scopes: Scope) -> Caller:
    """Return somebody with these scopes."""
    return Caller("alice", frozenset(scopes))


@asynccontextmanager
async def writing(
    folder: Path, shops: Mapping[str, Mapping[Call, Answer]] | None = None
) -> AsyncIterator[WritingApi]:
    """Open an API whose catalogue is in files below a folder."""
    async with file_store(folder) as store:
        api = WritingApi(store, shops)
        try:
            yield api
        finally:
            await api.house.close()
            await api.catalogue.aclose()
