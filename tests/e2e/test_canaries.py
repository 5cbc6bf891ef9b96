"""Secrets are told to nobody: a whole run, and everything that operators get to see of it.

One run, because it takes a server, a worker, shops that fail and an export; what it says is
also what log filters and collectors are promised.
"""

import asyncio
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from redis import Redis

from movieql.dev.simulator import Simulator
from movieql.dev.valkey import PrivateValkey
from movieql.tokens.passwords import hash_password
from tests.servers import Client, Started, operation, serve_env, started
from tests.trace_receiver import Receiver, receiving

CANARIES = {
    "the shops' token": "canary-shop-6Vq1Zr8Kd0Xw",
    "the JWT secret": "canary-jwt-0123456789-abcdefghijklmnop",
    "the link secret": "canary-link-0123456789-abcdefghijklmno",
    "a password": "canary-password-9Yt4Lm2Qn7",
    "a wrong password": "canary-wrong-5Hs8Pb3Jc6",
    "the queue's password": "canary-queue-2Gf7Wd4Rk9",
}
ENDED_S = 60.0
EXPORT_COUNTED = 'movieql_exports_total{status="ready"} 1.0'


@dataclass
class Run:
    """What a run left for operators to see."""

    metrics: str
    serve_log: str
    worker_log: str
    traces: Receiver
    told: list[str]
    export_id: str

    @property
    def everything(self) -> str:
        """Return all of it as one text."""
        sent = b"".join(self.traces.bodies).decode("latin-1")
        return f"{self.metrics}\n{self.serve_log}\n{self.worker_log}\n{sent}"


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: the path of a unix socket has about 100 characters.
    with tempfile.TemporaryDirectory(prefix="movieql-") as name:
        yield Path(name)


@pytest.fixture
def valkey(folder: Path) -> Iterator[PrivateValkey]:
    valkey = PrivateValkey(folder / "valkey")
    try:
        valkey.start()
        with Redis.from_url(valkey.url) as client:
            client.config_set("requirepass", CANARIES["the queue's password"])
        yield valkey
    finally:
        valkey.kill()


def env_of(
    simulator: Simulator, folder: Path, valkey: PrivateValkey, traces_url: str
) -> dict[str, str]:
    users = folder / "users.toml"
    hashed = hash_password(CANARIES["a password"])
    users.write_text(
        f'[[users]]\nname = "ada"\npassword_hash = "{hashed}"\nscopes = ["exports"]\n'
    )
    password = CANARIES["the queue's password"]
    queue_url = f"unix://:{password}@{valkey.socket}"
    return serve_env(simulator, folder) | {
        "MOVIEQL_LOG_LEVEL": "debug",
        "MOVIEQL_STORE_FOLDER": str(folder / "store"),
        "MOVIEQL_PUBLIC_URL": "http://127.0.0.1",
        "MOVIEQL_LINK_SECRET": CANARIES["the link secret"],
        "MOVIEQL_JWT_SECRET": CANARIES["the JWT secret"],
        "MOVIEQL_LOGIN_USERS_FILE": str(users),
        "MOVIEQL_QUEUE_URL": queue_url,
        "MOVIEQL_CACHE_URL": queue_url,
        "MOVIEQL_RATE_URL": queue_url,
        "MOVIEQL_QUEUE_LOOK_S": "1",
        "MOVIEQL_QUEUE_LOG_S": "1",
        "MOVIEQL_OBSERVATION_FLUSH_S": "1",
        "MOVIEQL_TRACES_URL": traces_url,
        "MOVIEQL_TRACES_SHARE": "1",
        "MOVIEQL_DAILY_EXPORT": "false",
        # So short that each question asks the shops.
        "MOVIEQL_FRESH_S": "0.05",
        "MOVIEQL_STALE_WHILE_REFRESH_S": "0.05",
    }


async def exported(client: Client, authorization: str) -> tuple[str, str]:
    """Ask for an export and wait until it has ended; return its id and a link to its file."""

    async def ask(name: str, **variables: Any) -> Any:
        payload = {"query": operation(name), "variables": variables}
        return (await client.post(payload, authorization=authorization)).data

    export = (await ask("RequestExport", input={}))["requestExport"]["export"]
    async with asyncio.timeout(ENDED_S):
        while export["status"] in {"QUEUED", "RUNNING", "RETRYING"}:
            await asyncio.sleep(0.1)
            export = (await ask("Export", id=export["id"]))["export"]
    assert export["status"] in {"READY", "PARTIAL"}, export
    return export["id"], export["downloadUrl"]


async def lived(client: Client, simulator: Simulator) -> tuple[list[str], str]:
    """Do everything that anybody does; return what only the caller may know, and its export."""
    for password in ("a wrong password", "a password"):
        credentials = {"username": "ada", "password": CANARIES[password]}
        reply = await client.call("POST", "/login", json=credentials)
    token = str(reply.json["access_token"])
    await client.ask(operation("CheapestMovies"))
    export_id, link = await exported(client, f"Bearer {token}")
    file = await client.call("GET", link.removeprefix("http://127.0.0.1"))
    assert file.status == 200
    for mode in ("403", "500", "html", "hang"):
        await simulator.turn("filmworld", mode)
        await client.ask(f"{{ movies {{ complete nodes {{ cheapest {{ final }} }} }} }} # {mode}")
    secret = CANARIES["the JWT secret"]
    for path in (f"/nothing?{token}", f"/files?signature={secret}", f"/graphql?query={secret}"):
        await client.call("GET", path, headers={"authorization": f"Bearer {secret}"})
    return [token, urlsplit(link).query], export_id


async def metrics_with(client: Client, line: str) -> str:
    """Return the metrics once they have a line: what is of the queue is of its latest look."""
    metrics = ""
    async with asyncio.timeout(ENDED_S):
        while line not in metrics:
            await asyncio.sleep(0.1)
            metrics = (await client.call("GET", "/metrics")).text
    return metrics


async def ended(process: Started) -> str:
    """End a process in good order; return all that it said."""
    code, _ = await asyncio.to_thread(process.stop, signal.SIGTERM)
    assert code in {0, -signal.SIGTERM}, process.output
    return process.output


@pytest.fixture
async def run(folder: Path, valkey: PrivateValkey) -> AsyncIterator[Run]:
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving())
        shops = Simulator(token=CANARIES["the shops' token"])
        simulator = await stack.enter_async_context(shops)
        env = env_of(simulator, folder, valkey, receiver.url)
        process = started("serve", "--port", "0", env=env, ready='"url":"http')
        server = await asyncio.to_thread(stack.enter_context, process)
        process = started("worker", env=env, ready='"queue depth"')
        worker = await asyncio.to_thread(stack.enter_context, process)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = Client(server.url, session)
        told, export_id = await lived(client, simulator)
        metrics = await metrics_with(client, EXPORT_COUNTED)
        await client.ask("query Last { movies { totalCount } }")
        serve_log, worker_log = await ended(server), await ended(worker)
        yield Run(metrics, serve_log, worker_log, receiver, told, export_id)


def lines(log: str, event: str) -> list[dict[str, Any]]:
    """Return what a log says of an event; every line of it is JSON."""
    found = [json.loads(line) for line in log.splitlines()]
    return [line for line in found if line["event"] == event]


async def test_secrets_are_in_nothing_that_operators_see_and_what_they_need_is(run: Run) -> None:
    for whose, secret in CANARIES.items():
        assert secret not in run.everything, whose
    for secret in run.told:
        assert secret not in run.everything

    assert lines(run.serve_log, "provider failed")
    assert "movieql_queue_jobs{" in run.metrics
    assert EXPORT_COUNTED in run.metrics
    depths = lines(run.worker_log, "queue depth")
    assert all({"waiting", "running", "age_s"} <= line.keys() for line in depths)
    (end,) = lines(run.worker_log, "export ended")
    assert (end["export_id"], end["status"], end["level"]) == (run.export_id, "ready", "info")
    assert end["rows"] > 0
    assert end["seconds"] > 0

    # A run before it may have come too early to find anything observed, and was made again.
    runs = run.traces.named("export")
    (job,) = (each for each in runs if each.facts.get("movieql.status") == "ready")
    assert job.role == "job"
    assert job.facts["movieql.export_id"] == run.export_id
    assert (job.facts["movieql.status"], job.facts["movieql.rows"]) == ("ready", end["rows"])
    assert {span.role for span in run.traces.spans} >= {"server", "job"}
    # It was answered just before the end: what waits is sent in good order.
    assert len(run.traces.named("query Last")) == 1
