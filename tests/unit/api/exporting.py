"""The GraphQL layer with exports: the real service over files, and a queue in memory."""

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from movieql.api.context import Context
from movieql.api.engine import Answered
from movieql.api.export_watching import ExportWatch, WatchRules
from movieql.domain.exports import ExportStatus, Manifest, SourceState
from movieql.domain.observations import milliseconds
from movieql.memory import MemoryExportQueue, MemoryProgressBoard, RecordedTelemetry
from movieql.ports import LIST, Call, ObjectStore
from movieql.services.export_archive import ExportArchive, data_key
from movieql.services.exports import ExportRules, Exports, jobs_on
from movieql.services.observed import ObservationReader
from movieql.services.observing import Observer
from movieql.services.price_history import PriceHistory
from movieql.services.putting import Backoff, Patience
from tests.builders import row, shop
from tests.object_store import file_store
from tests.unit.api.asking import REQUEST_ID
from tests.unit.api.writing import WritingApi, caller

RULES = ExportRules(open_max=5)
WATCH_RULES = WatchRules(watches_max=3)
STEP_S = 0.05
"""Virtual seconds that pass at a time while something is waited for."""

FILE = b"id,title\r\ntt0076759,Star Wars\r\n"

ARGUMENTS = {
    "requestExport": "input: {}",
    "cancelExport": 'input: {id: "ID"}',
    "retryExport": 'input: {id: "ID"}',
}
"""Arguments with which each mutation about exports would do something, with an export's id."""

ALL_ERRORS = """errors {
    __typename message
    ... on ValidationFailed { path }
    ... on QuotaExceeded { limit }
    ... on ExportsUnavailable { retryable mayHaveHappened }
}"""

REQUEST = f"""mutation Request($input: RequestExportInput!) {{
    requestExport(input: $input) {{
        export {{ id status since until gzip retryOf sources {{ providerId state rows }} }}
        {ALL_ERRORS}
    }}
}}"""

CANCEL = f"""mutation Cancel($id: ID!) {{
    cancelExport(input: {{id: $id}}) {{ export {{ id status }} {ALL_ERRORS} }}
}}"""

RETRY = f"""mutation Retry($id: ID!) {{
    retryExport(input: {{id: $id}}) {{ export {{ id status retryOf }} {ALL_ERRORS} }}
}}"""

PROGRESS = """subscription Progress($id: ID!) {
    exportProgress(id: $id) { status progress { done total percent } attempts downloadUrl }
}"""


class ExportingApi(WritingApi):
    """An engine whose caller may ask for exports; a test ends them as a worker would."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self.caller = caller("exports", "movies:write")
        self.queue = MemoryExportQueue(self.clock, astray_s=8.0)
        self.board = MemoryProgressBoard(self.clock)
        self.telemetry = RecordedTelemetry()
        rng = random.Random(0)
        self.archive = ExportArchive(store, Patience(self.clock, rng, Backoff(tries_max=1)))
        self._ids = count()
        self.service: Exports | None = Exports(
            store,
            self.archive,
            selling=sorted(self.shops),
            queue=self.queue,
            jobs=jobs_on(self.board),
            new_id=self.new_id,
            clock=self.clock,
            telemetry=self.telemetry,
            rules=RULES,
        )
        self.watch = self.watching(self.board)
        self.history = PriceHistory(ObservationReader(store), self.clock, self.telemetry)

    def watching(self, board: MemoryProgressBoard | None) -> ExportWatch | None:
        """Return what follows exports with this board."""
        assert self.service is not None
        return ExportWatch(self.service, board, self.clock, WATCH_RULES)

    def new_id(self) -> str:
        """Return ids like random ones, each time the same."""
        return hashlib.sha256(str(next(self._ids)).encode()).hexdigest()[:24]

    def context(self, request_id: str = REQUEST_ID) -> Context:
        """Return the context of a new request."""
        return replace(
            super().context(request_id),
            exports=self.service,
            export_watch=self.watch,
            history=self.history,
        )

    async def requested(self, **given: Any) -> str:
        """Ask for an export and return its id."""
        payload = await self.data(REQUEST, {"input": given})
        assert payload["errors"] == []
        own_id: str = payload["export"]["id"]
        return own_id

    async def end(
        self, export_id: str, status: ExportStatus = ExportStatus.READY, **ending: Any
    ) -> None:
        """End an export, with a file where it has one."""
        request = await self.archive.request(export_id)
        assert request is not None
        if status.has_data:
            key = data_key(export_id, "t1", gzip=False)
            await self.store.put(key, FILE)
            file = {"data_key": key, "sha256": "ab" * 32, "size_bytes": len(FILE), "rows": 1}
            ending = file | ending
        finished_ms = milliseconds(self.clock.now())
        manifest = Manifest(
            export_id, status, "w1", finished_ms, attempts=2, window=request.window, **ending
        )
        await self.archive.commit(request, manifest)

    def subscribed(self, query: str, export_id: str) -> AsyncGenerator[Answered, None]:
        """Begin a subscription."""
        return self.engine.stream(query, None, {"id": export_id}, None, self.context)

    async def following(self, events: AsyncGenerator[Answered, None]) -> Any:
        """Return the body of the next event, None at the end; the time until then passes."""
        coming = asyncio.ensure_future(anext(events, None))
        try:
            await self.until(coming.done)
        finally:
            coming.cancel()
        answered = await coming
        return None if answered is None else orjson.loads(orjson.dumps(answered.body))

    async def first(self, query: str, variables: Mapping[str, Any]) -> Any:
        """Return the body of the first answer to an operation of any kind."""
        answers = self.engine.stream(query, None, variables, None, self.context)
        async with aclosing(answers):
            return await self.following(answers)

    async def until(self, reached: Callable[[], bool], step_s: float = STEP_S) -> None:
        """Let time pass, a step at a time, and files be read and written, until it is so."""
        while not reached():
            await asyncio.sleep(0.002)
            await self.clock.advance(step_s)

    async def see_prices(self, watcher: str, *amounts: str, hours: float = 1.0) -> None:
        """Let filmworld's price for what both sell be these, one after the other, and read it."""
        own_id = "fw0076759"
        observer = Observer(
            self.store,
            [shop(name) for name in self.shops],
            watcher=watcher,
            clock=self.clock,
            telemetry=self.telemetry,
        )
        observer.note("filmworld", LIST, (row(own_id),), self.clock.now())
        for amount in amounts:
            seen = row(own_id, price=amount)
            observer.note("filmworld", Call(own_id), (seen,), self.clock.now())
            await self.clock.advance(hours * 3_600)
        assert await observer.flush()
        await self.history.refresh()


def observed(**rows: int) -> tuple[SourceState, ...]:
    """Return providers that were seen on the second day of January."""
    return tuple(
        SourceState(name, observed=True, last_observed_ms=1_767_312_000_000, rows=number)
        for name, number in rows.items()
    )


@asynccontextmanager
async def exporting(folder: Path) -> AsyncIterator[ExportingApi]:
    """Open an API whose exports are in files below a folder."""
    async with file_store(folder) as store:
        api = ExportingApi(store)
        try:
            yield api
        finally:
            await api.house.close()
            await api.catalogue.aclose()
