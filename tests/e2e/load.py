"""Some load on a server, and what became of it: a request that fails is sent once more."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp

from tests.servers import operation, token

PER_SECOND = 30
"""Requests; one of ten asks for an export."""

ANSWER_S = 10.0
"""Seconds after which a caller takes a server for dead."""

RETRY_AFTER_S = 0.1

QUESTION = "{ movies { complete nodes { title cheapest { final offer { price { amount } } } } } }"


@dataclass
class Phase:
    """What happened to the requests that were sent in it."""

    name: str
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)

    def row(self, ended: Mapping[str, str]) -> str:
        """Return a line of the table; `ended` has the status of exports by id."""
        took_ms = sorted(self.took_ms)
        p50_ms, p99_ms = (took_ms[int(len(took_ms) * share)] for share in (0.5, 0.99))
        done = sum(ended.get(each) == "READY" for each in self.exports)
        return (
            f"{self.name:<22} {self.sent:>8} {len(self.failures):>8} {len(self.lost):>6}"
            f" {f'{len(self.exports)}/{done}':>14} {p50_ms:>8.0f} {p99_ms:>8.0f}"
        )


HEAD = (
    f"{'':<22} {'requests':>8} {'retried':>8} {'lost':>6} {'exports/ready':>14} "
    f"{'p50 ms':>8} {'p99 ms':>8}"
)


class FailedError(Exception):
    """An answer that is of no use to who asked."""


class Load:
    """Sends requests at a steady pace, whatever becomes of those before."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = url, session
        self._numbers = itertools.count()
        self._headers = {"authorization": f"Bearer {token('exports')}"}
        self.phases: list[Phase] = []

    async def warm_up(self) -> None:
        """Ask once: an export tells what was seen before it was asked for."""
        assert (await self._answer("POST", json={"query": QUESTION}))["movies"]["complete"]

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[Phase]:
        """Send requests until the block ends, then wait for their answers."""
        phase = Phase(name)
        self.phases.append(phase)
        under_way: set[asyncio.Task[None]] = set()

        async def send() -> None:
            due_s = monotonic()
            while True:
                under_way.add(asyncio.ensure_future(self._asked(phase, next(self._numbers))))
                due_s += 1 / PER_SECOND
                await asyncio.sleep(max(due_s - monotonic(), 0))

        sending = asyncio.ensure_future(send())
        try:
            yield phase
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            await asyncio.gather(*under_way)

    async def _asked(self, phase: Phase, number: int) -> None:
        phase.sent += 1
        began_s = monotonic()
        try:
            await self._tried(phase, number)
        except FailedError as failure:
            phase.failures.append(str(failure))
            await asyncio.sleep(RETRY_AFTER_S)
            try:
                await self._tried(phase, number)
            except FailedError as again:
                phase.lost.append(str(again))
                return
        phase.took_ms.append((monotonic() - began_s) * 1e3)

    async def _tried(self, phase: Phase, number: int) -> None:
        if number % 10 == 0:
            given = {"idempotencyKey": f"load-{number}"}
            body = {"query": operation("RequestExport"), "variables": {"input": given}}
            payload = (await self._answer("POST", json=body))["requestExport"]
            if payload["errors"]:
                raise FailedError(payload["errors"][0]["__typename"])
            phase.exports.append(payload["export"]["id"])
        elif number % 2:
            await self._answer("POST", json={"query": QUESTION})
        else:
            await self._answer("GET", params={"query": QUESTION})

    async def _answer(self, method: str, **request: Any) -> Any:
        try:
            async with (
                asyncio.timeout(ANSWER_S),
                self._session.request(
                    method, f"{self._url}/graphql", headers=self._headers, **request
                ) as reply,
            ):
                text = await reply.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FailedError(repr(error)) from error
        if reply.status != 200:
            raise FailedError(f"{reply.status} {text[:80]!r}")
        answer = json.loads(text)
        if "errors" in answer:
            raise FailedError(str(answer["errors"]))
        return answer["data"]

    async def statuses(self, ids: list[str]) -> dict[str, str]:
        """Return the status of each export."""
        found = {}
        for export_id in ids:
            body = {"query": operation("Export"), "variables": {"id": export_id}}
            found[export_id] = (await self._answer("POST", json=body))["export"]["status"]
        return found
