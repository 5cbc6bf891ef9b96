"""What `/metrics` shows of a real queue, and that it shows nothing when the queue is gone."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from movieql.dev.valkey import PrivateValkey
from movieql.domain.exports import ExportStatus
from tests.integration.web.test_health import metrics
from tests.servers import JWT_SECRET, Stack, operation, running, token

GONE_S = 20.0


@pytest.fixture
def valkey() -> Iterator[PrivateValkey]:
    # Not tmp_path: the path of a unix socket has about 100 characters.
    with tempfile.TemporaryDirectory(prefix="movieql-") as folder:
        valkey = PrivateValkey(Path(folder) / "valkey")
        try:
            valkey.start()
            yield valkey
        finally:
            valkey.kill()


@pytest.fixture
async def server(tmp_path: Path, valkey: PrivateValkey) -> AsyncIterator[Stack]:
    settings = {
        "store_folder": tmp_path / "store",
        "public_url": "http://127.0.0.1",
        "link_secret": "0123456789-abcdefghijklmnopqrstuvwxyz",
        "jwt_secret": JWT_SECRET,
        "queue_url": valkey.url,
        "queue_timeout_s": 0.5,
        "queue_look_s": 1,
    }
    async with running(settings) as stack:
        yield stack


async def exports_asked(server: Stack, name: str, **variables: Any) -> Any:
    payload = {"query": operation(name), "variables": variables}
    return (await server.post(payload, authorization=f"Bearer {token('exports')}")).data


async def seen(server: Stack, name: str, **labels: str) -> float | None:
    samples = (await metrics(server)).get(name, [])
    return next((value for told, value in samples if told == labels), None)


async def until_seen(server: Stack, wanted: float | None, name: str, **labels: str) -> None:
    async with asyncio.timeout(GONE_S):
        while await seen(server, name, **labels) != wanted:  # noqa: ASYNC110  # polled
            await asyncio.sleep(0.05)


async def test_jobs_their_age_and_their_ends_are_shown(server: Stack) -> None:
    await until_seen(server, 0, "movieql_queue_jobs", state="waiting")
    asked = await exports_asked(server, "RequestExport", input={})
    await until_seen(server, 1, "movieql_queue_jobs", state="waiting")
    assert await seen(server, "movieql_queue_jobs", state="running") == 0
    age_s = await seen(server, "movieql_queue_age_seconds")
    assert age_s is not None
    assert 0 <= age_s < GONE_S
    own_id = asked["requestExport"]["export"]["id"]
    cancel = "mutation ($id: ID!) { cancelExport(input: {id: $id}) { errors { message } } }"
    reply = await server.post(
        {"query": cancel, "variables": {"id": own_id}},
        authorization=f"Bearer {token('exports')}",
    )
    assert reply.data["cancelExport"]["errors"] == []
    cancelled = ExportStatus.CANCELLED.value.lower()
    await until_seen(server, 1, "movieql_exports_total", status=cancelled)
    (line,) = [line for line in server.log_lines if line["event"] == "export ended"]
    assert (line["export_id"], line["status"], line["rows"]) == (own_id, "cancelled", 0)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "hangs"])
async def test_nothing_is_shown_of_a_queue_that_does_not_answer(
    server: Stack, valkey: PrivateValkey, how: signal.Signals
) -> None:
    await until_seen(server, 0, "movieql_queue_jobs", state="waiting")
    valkey.signal(how)
    try:
        await until_seen(server, None, "movieql_queue_jobs", state="waiting")
        assert await seen(server, "movieql_queue_age_seconds") is None
        assert await seen(server, "movieql_exports_total", status="ready") is None
        assert (await server.call("GET", "/metrics")).elapsed_s < 0.4  # nobody waits for it
    finally:
        valkey.signal(signal.SIGCONT)
    if how is signal.SIGSTOP:
        await until_seen(server, 0, "movieql_queue_jobs", state="waiting")


async def test_cache_hits_and_open_websockets_are_shown(server: Stack) -> None:
    for _ in range(2):
        # Another text each time: a whole answer that is kept asks nobody.
        await server.ask(f"{{ movies {{ nodes {{ cheapest {{ final }} }} }} }} # {_}")
    hits: dict[str, str] = {"provider": "cinemaworld", "endpoint": "detail"}
    assert (await seen(server, "movieql_cache_hits_total", **hits) or 0) >= 7
    assert await seen(server, "movieql_websockets_open") == 0
