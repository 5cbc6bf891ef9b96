import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from movieql.domain.errors import StoreError
from movieql.web.health import CHECK_S, CHECKED_EVERY_S, Readiness
from movieql.web.server import bind
from tests.integration.web.guarded import bearer, guarded
from tests.servers import Client, Stack, running

PRICES = "{ movies { nodes { cheapest { final } } } }"
Labels = dict[str, str]


async def metrics(server: Client) -> dict[str, list[tuple[Labels, float]]]:
    """Return every sample by name."""
    reply = await server.call("GET", "/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    samples: dict[str, list[tuple[Labels, float]]] = {}
    for family in text_string_to_metric_families(reply.text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples


@pytest.fixture
def dead_port() -> Iterator[int]:
    """Hold a port on which nobody listens."""
    with bind("127.0.0.1", 0) as bound:
        yield bound.getsockname()[1]


@pytest.fixture
async def deaf_port() -> AsyncIterator[int]:
    """Hold a port that takes connections and never answers."""
    left = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await left.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    left.set()
    server.close()
    await server.wait_closed()


async def test_a_live_process_says_so(server: Stack) -> None:
    reply = await server.call("GET", "/healthz")
    assert (reply.status, reply.json) == (200, {"status": "ok"})


async def test_a_dependency_is_asked_once_a_second_however_many_ask() -> None:
    asked: list[None] = []

    async def check() -> None:
        asked.append(None)

    readiness = Readiness({"store": check})
    request = Request({"type": "http"})
    for _ in range(50):
        assert (await readiness.handle(request)).status_code == 200
    await asyncio.gather(*(readiness.handle(request) for _ in range(50)))
    assert len(asked) == 1
    await asyncio.sleep(CHECKED_EVERY_S + 0.1)
    await readiness.handle(request)
    assert len(asked) == 2


async def test_a_ready_server_names_what_works(server: Stack) -> None:
    reply = await server.call("GET", "/readyz")
    assert (reply.status, reply.json) == (200, {"ready": True, "ok": ["cache"], "failing": {}})


async def test_dead_shops_do_not_make_it_unready(server: Stack) -> None:
    for provider in ("cinemaworld", "filmworld"):
        await server.simulator.turn(provider, "refuse")
    await server.ask(PRICES)
    assert (await server.call("GET", "/readyz")).status == 200


async def test_what_hangs_is_told_in_time_and_asked_once_at_a_time() -> None:
    answered = asyncio.Event()
    asked: list[str] = []

    async def hang() -> None:
        asked.append("store")
        await answered.wait()

    async def fail() -> None:
        raise StoreError("the cache is gone")

    readiness = Readiness({"store": hang, "cache": fail})
    request = Request({"type": "http"})
    async with asyncio.timeout(CHECK_S * 2 - 0.1):
        replies = await asyncio.gather(*(readiness.handle(request) for _ in range(3)))
    for reply in replies:
        assert reply.status_code == 200
        failing = json.loads(bytes(reply.body))["failing"]
        assert failing == {"store": "no answer within 1 s", "cache": "the cache is gone"}
    assert asked == ["store"]
    answered.set()
    reply = await readiness.handle(request)
    assert json.loads(bytes(reply.body))["ok"] == ["store"]


async def assert_useful_without_its_cache(port: int) -> None:
    """Check what a server says and does whose cache should be at a port."""
    # A rest of next to nothing: every read of the cache fails anew.
    async with running({"cache_url": f"redis://127.0.0.1:{port}", "cache_rest_s": 0.01}) as server:
        ready = await server.call("GET", "/readyz")
        assert ready.status == 200
        assert ready.json["ready"]
        assert ready.json["failing"].keys() == {"cache"}
        assert ready.elapsed_s < 1
        asked = await server.ask("{ movies { complete nodes { cheapest { final } } } }")
        assert asked.data["movies"]["complete"]
        failures = (await metrics(server))["movieql_cache_failures_total"]
        assert sum(count for labels, count in failures if labels["action"] == "get") > 0


async def test_a_cache_that_is_gone_does_not_make_it_unready(dead_port: int) -> None:
    await assert_useful_without_its_cache(dead_port)


async def test_a_cache_that_hangs_does_not_make_it_unready(deaf_port: int) -> None:
    await assert_useful_without_its_cache(deaf_port)


async def test_a_disk_that_takes_no_writes_is_told_at_once_and_by_its_readiness(
    tmp_path: Path,
) -> None:
    async with guarded(tmp_path) as server:
        writer = bearer(server.mint.ours())
        assert "store" in (await server.call("GET", "/readyz")).json["ok"]
        (tmp_path / "store" / "drafts").rmdir()
        (tmp_path / "store" / "drafts").write_bytes(b"")  # takes no files, also from root
        reply = await server.rest(writer, "PUT", "/api/movies/Heat/1995", json={})
        assert reply.status == 503
        assert "nothing was written" in reply.json["error"]
        assert reply.elapsed_s < 3.0  # once it waited for 5 s
        ready = (await server.call("GET", "/readyz")).json
        async with asyncio.timeout(5):
            while "store" not in ready["failing"]:  # what it said before counts for a second
                await asyncio.sleep(0.05)
                ready = (await server.call("GET", "/readyz")).json
        assert ready["ready"]
        assert "nothing was written" in ready["failing"]["store"]
        assert (await server.call("GET", "/api/movies")).status == 200


async def test_every_metric_is_there_after_a_question(server: Stack) -> None:
    await server.simulator.turn("filmworld", "500", "detail")
    await server.ask(PRICES)
    await server.ask(PRICES)
    await server.call("GET", "/healthz")
    seen = await metrics(server)

    def count(name: str, **labels: str) -> float:
        return sum(value for told, value in seen[name] if labels.items() <= told.items())

    requests: Any = {"method": "POST", "route": "/graphql", "status": "200"}
    assert count("movieql_http_requests_total", **requests) == 2
    assert count("movieql_http_requests_total", route="/healthz") == 1
    assert count("movieql_http_request_seconds_count", route="/graphql") == 2
    calls = "movieql_upstream_calls_total"
    assert count(calls, provider="cinemaworld", endpoint="list", outcome="ok") == 1
    assert count(calls, provider="cinemaworld", endpoint="detail", outcome="ok") == 7
    assert count(calls, provider="filmworld", endpoint="detail", outcome="unavailable") >= 6
    assert count("movieql_upstream_call_seconds_count", provider="cinemaworld") == 8
    reads = "movieql_cache_reads_total"
    assert count(reads, provider="cinemaworld", endpoint="list", outcome="miss") == 1
    assert count("movieql_answers_total", source="made") == 2
    assert count("movieql_breaker_state", provider="cinemaworld", endpoint="list") == 0
    assert count(reads, provider="cinemaworld", endpoint="detail", outcome="miss") == 7
    assert "movieql_faults_created" not in seen


async def test_unknown_paths_and_files_make_no_labels(server: Stack) -> None:
    for path in ("/admin.php", "/graphql/x", "/static/x.js", "/static/y.js", "/healthz%20"):
        await server.call("GET", path)
    routes = {
        labels["route"] for labels, _ in (await metrics(server))["movieql_http_requests_total"]
    }
    assert routes == {"other", "/static"}
