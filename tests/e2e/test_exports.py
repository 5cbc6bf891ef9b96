"""An analyst's way: ask, watch, download; with real processes, a real queue and a real socket."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.e2e.exported import rows_of, sold
from tests.e2e.workers import PROCESSES, kill_workers, workers_of
from tests.servers import Started, operation, started, until

WITHIN_S = 60.0
"""A job that is lost between two lists is found after 10 s, then queued, then run."""

PENDING = frozenset({"QUEUED", "RUNNING", "RETRYING"})


class Analyst:
    """Somebody with a token of `movieql dev`."""

    def __init__(self, dev: Started, session: aiohttp.ClientSession) -> None:
        self.dev = dev
        self.session = session
        self.url = self._printed(r"ready:\s+(\S+)")
        self.control = self._printed(r"-X DELETE (\S+)/knobs")
        self.password = self._printed(r"password (\S+),")
        self.token = ""

    def _printed(self, pattern: str) -> str:
        found = re.search(pattern, self.dev.output)
        assert found is not None, self.dev.output
        return found[1]

    async def _posted(self, path: str, body: object) -> Any:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.post(self.url + path, json=body, headers=headers) as reply:
            return await reply.json()

    async def log_in(self) -> None:
        body = {"username": "dev", "password": self.password}
        self.token = (await self._posted("/login", body))["access_token"]

    async def answer(self, name: str, **variables: object) -> Any:
        body = {"query": operation(name), "variables": variables}
        return await self._posted("/graphql", body)

    async def ask(self, name: str, **variables: object) -> Any:
        answer = await self.answer(name, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    async def requested(self, **given: object) -> str:
        payload = (await self.ask("RequestExport", input=given))["requestExport"]
        assert payload["errors"] == []
        export_id: str = payload["export"]["id"]
        return export_id

    async def export(self, export_id: str) -> Any:
        return (await self.ask("Export", id=export_id))["export"]

    async def ended(self, export_id: str) -> Any:
        """Wait until an export has ended, and return it."""
        async with asyncio.timeout(WITHIN_S):
            while (await self.export(export_id))["status"] in PENDING:  # noqa: ASYNC110  # polled
                await asyncio.sleep(0.1)
        return await self.export(export_id)

    async def watched(self, export_id: str) -> list[Any]:
        """Return every event of the subscription to an export's progress, to its end."""
        subscribe = {"query": operation("ExportProgress"), "variables": {"id": export_id}}
        events: list[Any] = []
        async with connect(
            self.url.replace("http", "ws") + "/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
        ) as socket:
            init = {
                "type": "connection_init",
                "payload": {"Authorization": f"Bearer {self.token}"},
            }
            await socket.send(json.dumps(init))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": subscribe}))
            async for message in socket:
                told = json.loads(message)
                if told["type"] == "complete":
                    return events
                assert told["type"] == "next", told
                events.append(told["payload"]["data"]["exportProgress"])
        raise AssertionError(f"the socket closed after {events}")

    async def downloaded(self, link: str) -> bytes:
        async with self.session.get(link) as reply:
            assert "attachment" in reply.headers["content-disposition"]
            return await reply.read()


@asynccontextmanager
async def analyst() -> AsyncIterator[Analyst]:
    with started("dev", "--port", "0", "--simulator-port", "0", ready="Ctrl-C stops") as dev:
        async with aiohttp.ClientSession() as session:
            one = Analyst(dev, session)
            await one.log_in()
            # An export tells what was seen before it was asked for.
            assert (await one.ask("CheapestMovies"))["movies"]["complete"]
            yield one


async def test_an_export_is_asked_for_watched_and_downloaded() -> None:
    async with analyst() as one:
        export_id = await one.requested(idempotencyKey="first")
        events = await one.watched(export_id)
        assert events[-1]["status"] == "READY"
        content = await one.downloaded(events[-1]["downloadUrl"])
        export = await one.export(export_id)
        assert export["sha256"] == hashlib.sha256(content).hexdigest()
        rows = rows_of(content)
        assert export["rows"] == len(rows) == len(sold())
        found = {
            (row["provider"], row["provider_movie_id"]): Decimal(row["price"]) for row in rows
        }
        assert found == sold()
        # The same key is the same export.
        assert await one.requested(idempotencyKey="first") == export_id


async def test_what_a_shop_sold_before_it_went_down_is_in_the_file() -> None:
    async with analyst() as one:
        await one.ended(await one.requested())  # so that everything was seen
        knob = f"{one.control}/knobs/filmworld"
        async with one.session.put(knob, data='{"mode": "refuse"}') as reply:
            assert reply.ok
        export = await one.ended(await one.requested())
        assert export["status"] == "READY"
        rows = rows_of(await one.downloaded(export["downloadUrl"]))
        assert {row["provider"] for row in rows} == {"cinemaworld", "filmworld"}
        assert len(rows) == len(sold())
        assert all(source["state"] == "OBSERVED" for source in export["sources"])


async def test_a_killed_worker_is_started_again_and_ends_what_was_asked_for() -> None:
    async with analyst() as one:
        await until(lambda: len(workers_of(one.dev)) >= PROCESSES, WITHIN_S)
        export_id = await one.requested()
        kill_workers(one.dev)
        export = await one.ended(export_id)
        assert export["status"] == "READY"
        assert len(rows_of(await one.downloaded(export["downloadUrl"]))) == len(sold())


async def test_nobody_without_a_token_sees_it() -> None:
    async with analyst() as one:
        export_id = await one.requested()
        for token in ("", "nonsense"):
            one.token = token
            answer = await one.answer("Export", id=export_id)
            assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert export_id not in json.dumps(answer.get("data"))
