"""Exports that are asked for while everything below them is killed, cut off and emptied.

What happens when is drawn from a seed before it begins; what it hits is what is there then.
"""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random

import aiohttp

from movieql.clock import SystemClock
from movieql.domain.errors import StoreError
from movieql.domain.exports import ExportRequest, ExportStatus, Manifest
from movieql.domain.observations import moment
from movieql.jobs.connections import SERVER_CONNECTION, blocking_client
from movieql.memory import RecordedTelemetry
from movieql.services.compacting import Compactor
from movieql.services.export_archive import DATA, PENDING, ExportArchive, manifest_key
from movieql.services.export_rounds import Janitor, RoundRules
from movieql.services.observed import ObservationReader
from movieql.services.putting import Patience
from tests.integration.exports.asking import ask_for
from tests.integration.exports.seeding import Past, rows_of
from tests.integration.exports.stage import Stage
from tests.integration.exports.supervised import Supervised
from tests.servers import Client, until

TIMES_ASKED = 4
"""How often each export is asked for at once, with the same key."""

LAST_COMMIT_S_MAX = 30.0
"""Seconds after the end of the chaos in which every export has ended (docs/operations.md)."""

COMPANY_S = 15.0
"""Seconds more where other tests run beside: what is left then is work, which they slow down."""

_ASKED_AGAIN_S = 0.5
_JOB_S = 1.0  # what a job takes, about
_SHARE_ASKED = 0.8  # of the time: exports are asked for until then


@dataclass(frozen=True, slots=True)
class Plan:
    """How much goes wrong: `exports` in `seconds`, and how often what happens meanwhile.

    `kinds`: kills by kind of `Supervised.kill`, restarts of Valkey (`valkey`), `flushall`, outages
    of the store (`outage`), and a janitor that aborts every upload, also those under way
    (`abort`). `refused_share` and `lost_share`: of the store's answers.
    """

    seed: int
    exports: int
    seconds: float
    kinds: dict[str, int]
    refused_share: float = 0.04
    lost_share: float = 0.02
    workers: int = 2

    def events(self) -> list[tuple[float, str]]:
        """Return what happens when, in order; seconds from the beginning."""
        rng = Random(self.seed)
        kinds = [kind for kind, count in self.kinds.items() for _ in range(count)]
        shares = [rng.uniform(0.05, 1.0) for _ in kinds]
        # What is lost with the queue is queued again half a minute later: not at the very end.
        moments = [
            (0.3 + 0.4 * share if kind == "flushall" else share, kind)
            for share, kind in zip(shares, kinds, strict=True)
        ]
        return [(share * self.seconds, kind) for share, kind in sorted(moments)]


@dataclass
class Asked:
    """Exports that were asked for: the window and the id that each key was answered with."""

    windows: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)


@dataclass
class Found:
    """What the store held at the end, and what was wrong with it."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    last_commit_s: float = 0.0
    orphans: int = 0
    uploads: int = 0
    left: list[str] = field(default_factory=list)


class Chaos:
    """Asks for exports and breaks what they need, as planned."""

    def __init__(self, plan: Plan, stage: Stage, workers: Supervised) -> None:
        self._plan = plan
        self._stage = stage
        self._workers = workers
        self._valkey = stage.valkey
        self._faults = stage.faults
        self._rng = Random(plan.seed + 1)
        self.done: Counter[str] = Counter()
        self.asked = Asked()
        self.ended_at = 0.0

    async def run(self) -> None:
        """Do it all; returns when the chaos is over and every request was answered."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as g:
            client = Client(self._stage.url, session)
            g.create_task(self._break_things())
            for number in range(self._plan.exports):
                g.create_task(self._ask(client, number, self._stage.past))

    async def _break_things(self) -> None:
        began_s = time.monotonic()
        self._faults.refused_share = self._plan.refused_share
        self._faults.lost_share = self._plan.lost_share
        async with asyncio.TaskGroup() as group:
            for at_s, kind in self._plan.events():
                await asyncio.sleep(max(began_s + at_s - time.monotonic(), 0.0))
                group.create_task(self._happen(kind))
            await asyncio.sleep(max(began_s + self._plan.seconds - time.monotonic(), 0.0))
        self._faults.refused_share = self._faults.lost_share = 0.0
        self.ended_at = time.time()

    async def _happen(self, kind: str) -> None:
        if kind == "valkey":
            await self._restart_valkey()
        elif kind == "flushall":
            await asyncio.to_thread(self._flush)
        elif kind == "outage":
            await self._cut_store_off()
        elif kind == "abort":
            await self._abort_uploads()
        else:
            await self._kill(kind)

    async def _kill(self, kind: str, within_s: float = 5.0) -> None:
        until_s = time.monotonic() + within_s
        with suppress(TimeoutError):
            await until(lambda: self._stage.writes.under_way, within_s)
        # At any point of the job, and not always at its very beginning.
        await asyncio.sleep(self._rng.uniform(0.0, _JOB_S))
        while not self._workers.kill(kind, self._rng):
            if time.monotonic() > until_s:
                self.done[f"{kind}, nobody there"] += 1
                return
            await asyncio.sleep(0.1)
        self.done[kind] += 1

    async def _restart_valkey(self) -> None:
        if not self._valkey.running:
            return
        self._valkey.kill()
        self.done["valkey"] += 1
        await asyncio.sleep(self._rng.uniform(1.0, 4.0))
        self._valkey.start()

    def _flush(self) -> None:
        if self._valkey.running:
            with blocking_client(self._valkey.url, SERVER_CONNECTION) as client:
                client.flushall()
            self.done["flushall"] += 1

    async def _cut_store_off(self) -> None:
        if self._faults.down:
            return
        self._faults.down = True
        self.done["outage"] += 1
        await asyncio.sleep(self._rng.uniform(4.0, 8.0))
        self._faults.down = False

    async def _abort_uploads(self) -> None:
        with suppress(TimeoutError):
            await until(lambda: self._stage.writes.under_way)
        with suppress(StoreError):
            for each in await self._stage.store.unfinished_uploads(DATA):
                await self._stage.store.abort_upload(each.key, each.upload_id)
                self.done["aborted"] += 1

    async def _ask(self, client: Client, number: int, past: Past) -> None:
        share = number / max(self._plan.exports - 1, 1)
        await asyncio.sleep(share * _SHARE_ASKED * self._plan.seconds)
        key = f"chaos-{self._plan.seed}-{number}"
        # One in four is of a window with the bulk, in several parts.
        window = past.window(0, 10) if number % 4 == 0 else past.window(number % 4 - 1, 5)
        self.asked.windows[key] = window
        told = await asyncio.gather(*(self._told(client, key, window) for _ in range(TIMES_ASKED)))
        self.asked.ids[key] = set(told)

    async def _told(self, client: Client, key: str, window: tuple[datetime, datetime]) -> str:
        """Ask, again and again as people do, until the answer is an export; return its id."""
        while True:
            outcome, export_id = await ask_for(client, key, window)
            self.asked.answers[outcome] += 1
            if export_id is not None:
                return export_id
            await asyncio.sleep(_ASKED_AGAIN_S)


class Inspector:
    """Looks at what the store holds when everything has ended."""

    def __init__(self, stage: Stage, asked: Asked) -> None:
        self._store = stage.store
        self._past = stage.past
        self._writes = stage.writes
        self._asked = asked
        self._archive = ExportArchive(stage.store, Patience(SystemClock(), Random(0)))
        self.found = Found()

    async def wait(self, ended_at: float, within_s: float) -> None:
        """Wait until every export has ended and nothing says that one has not."""
        until_s = ended_at + within_s
        while time.time() < until_s:
            if not await self._missing() and not await self._store.list(PENDING):
                break
            await asyncio.sleep(0.25)
        commits = await self._store.list("manifests/")
        latest = max((each.modified.timestamp() for each in commits), default=0.0)
        self.found.last_commit_s = latest - ended_at
        pending = await self._store.list(PENDING)
        self.found.wrong += [f"still pending: {each.key}" for each in pending]

    async def _missing(self) -> list[str]:
        there = {each.key for each in await self._store.list("manifests/")}
        ids = sorted({each for ids in self._asked.ids.values() for each in ids})
        return [each for each in ids if manifest_key(each) not in there]

    async def look(self) -> Found:
        """Compare every export with what it has to be."""
        wrong = self.found.wrong
        wrong += [f"lost: {each}" for each in await self._missing()]
        wrong += [
            f"{key} was written {count} times"
            for key, count in self._writes.puts.items()
            if key.startswith(("manifests/", "requests/")) and count > 1
        ]
        for key, ids in self._asked.ids.items():
            if len(ids) != 1:
                wrong.append(f"{key}: {len(ids)} exports")
            for export_id in ids:
                wrong += [f"{key}: {each}" for each in await self._wrong_with(export_id, key)]
        known = {each for ids in self._asked.ids.values() for each in ids}
        ended = {each.key for each in await self._store.list("manifests/")}
        wrong += [f"{key}: nobody's" for key in ended - {manifest_key(each) for each in known}]
        return self.found

    async def _wrong_with(self, export_id: str, key: str) -> list[str]:
        request, manifest = await self._archive.both(export_id)
        if request is None or manifest is None:
            return ["no manifest"]
        self.found.manifests[export_id] = manifest
        if manifest.status is not ExportStatus.READY or manifest.data_key is None:
            return [f"{manifest.status.value} {manifest.error}"]
        body = await self._store.get(manifest.data_key, bytes_max=64 * 1024**2)
        if body is None:
            return ["its file is not there"]
        return [*self._wrong_with_file(request, manifest, body[0], key)]

    def _wrong_with_file(
        self, request: ExportRequest, manifest: Manifest, body: bytes, key: str
    ) -> Iterator[str]:
        since, until = self._asked.windows[key]
        window = (moment(manifest.window.since_ms), moment(manifest.window.until_ms))
        if window != (since, until) or request.window != manifest.window:
            yield f"its window is {window}"
        sha256 = hashlib.sha256(body).hexdigest()
        if (sha256, len(body)) != (manifest.sha256, manifest.size_bytes):
            yield f"corrupt: {len(body)} bytes are not {manifest.size_bytes}"
        rows, expected = rows_of(body), self._past.rows(since, until)
        if len(rows) != manifest.rows:
            yield f"{len(rows)} rows are not {manifest.rows}"
        if len(rows) != len(set(rows)):
            yield f"{len(rows) - len(set(rows))} rows twice"
        if set(rows) != expected:
            yield f"{len(expected - set(rows))} rows missing, {len(set(rows) - expected)} foreign"

    async def clean(self) -> None:
        """Count what nothing refers to, and let the janitor remove it."""
        self.found.orphans = len(await self._unreferenced())
        self.found.uploads = len(await self._store.unfinished_uploads(DATA))
        clock = SystemClock()
        rules = RoundRules(grace_s=10.0, orphan_s=0.0, upload_s_max=0.0)
        compactor = Compactor(self._store, ObservationReader(self._store), clock)
        telemetry = RecordedTelemetry()
        janitor = Janitor(
            self._store, self._archive, compactor, clock=clock, telemetry=telemetry, rules=rules
        )
        await janitor.round()
        uploads = await self._store.unfinished_uploads(DATA)
        self.found.wrong += [f"the janitor left {each}" for each in await self._unreferenced()]
        self.found.wrong += [f"the janitor left the upload of {each.key}" for each in uploads]
        named = {each.data_key for each in self.found.manifests.values()}
        there = {each.key for each in await self._store.list(DATA)}
        self.found.wrong += [f"the janitor took {key}" for key in named - there - {None}]

    async def _unreferenced(self) -> Sequence[str]:
        named = {each.data_key for each in self.found.manifests.values()}
        return [each.key for each in await self._store.list(DATA) if each.key not in named]


def table(plan: Plan, stage: Stage, chaos: Chaos, found: Found) -> str:
    """Return what happened, as a table."""
    kinds = ("tree", "supervisor", "worker", "horse", "keeper", "valkey", "flushall")
    kills = ", ".join(f"{kind} {chaos.done[kind]}" for kind in kinds)
    counts = stage.faults.counts
    took_s = sorted(stage.writes.took_s.values())
    count = partial(str.format, "{} refused (503), {} answers lost, {} outages ({} calls cut)")
    rows = {
        "seed": f"{plan.seed}: {plan.exports} exports, {len(found.manifests)} ended, in "
        f"{plan.seconds:.0f} s by {plan.workers} workers",
        "requests": ", ".join(f"{n} x {what}" for what, n in chaos.asked.answers.most_common()),
        "kills": kills,
        "store": count(counts["refused"], counts["lost"], chaos.done["outage"], counts["down"]),
        "executions": f"{stage.writes.executions}, {took_s[len(took_s) // 2]:.1f} s each (median)",
        "manifests": str(sum(key.startswith("manifests/") for key in stage.writes.puts)),
        "generations": ", ".join(
            f"{n} x {attempts}"
            for attempts, n in sorted(
                Counter(each.attempts for each in found.manifests.values()).items()
            )
        ),
        "last commit": f"{found.last_commit_s:.1f} s after the chaos",
        "before the janitor": f"{found.orphans} files without a manifest, "
        f"{found.uploads} open uploads ({chaos.done['aborted']} were aborted while written to)",
        "wrong": str(len(found.wrong)),
        "at": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    return "\n".join(f"{name:<20}{value}" for name, value in rows.items())
