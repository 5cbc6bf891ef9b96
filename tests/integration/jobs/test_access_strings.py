"""What Terraform lets users of the queue and of the cache do is what they need, and no more."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from movieql.cache.storage import SharedRedisCache
from movieql.clock import SystemClock
from movieql.dev.valkey import PrivateValkey
from movieql.jobs.connections import SERVER_CONNECTION, async_client, blocking_client
from movieql.jobs.leases import RedisLeases
from movieql.jobs.progress import RedisProgressBoard
from movieql.jobs.queue import QueueRules, RqExportQueue
from movieql.jobs.server import check_server
from movieql.ports import ExportProgress
from tests.integration.jobs.conftest import ASTRAY_S
from tests.integration.jobs.processes import machine
from tests.servers import ROOT

TASKS = (ROOT / "terraform" / "tasks.tf").read_text(encoding="utf-8")


def url_of(valkey: PrivateValkey, admin: Redis, name: str) -> str:
    """Make a user with one of Terraform's access strings; return the address to sign in at."""
    found = re.search(rf'^ +{name}_access += "on (.+)"$', TASKS, re.MULTILINE)
    assert found is not None
    command = ("ACL", "SETUSER", name, "on", ">word", *found[1].split())
    admin.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py's
    return f"unix://{name}:word@{valkey.socket}"


@pytest.fixture
async def queue_url(valkey: PrivateValkey, blocking: Redis) -> AsyncIterator[str]:
    yield url_of(valkey, blocking, "queue")
    refused = blocking.acl_log()
    assert refused == [], refused


async def test_a_worker_runs_exports_and_a_server_asks_for_them(
    queue_url: str, tmp_path: Path
) -> None:
    client = async_client(queue_url, SERVER_CONNECTION)
    with blocking_client(queue_url, SERVER_CONNECTION) as blocking:
        queue = RqExportQueue(blocking, client, SystemClock(), QueueRules(ASTRAY_S))
        assert await check_server(client) == []
        with machine(queue_url, tmp_path) as workers:
            workers.start("supervise", processes=1)
            await queue.enqueue("quick-1", 1)
            await queue.live(["quick-1"])
            workers.wait_for("ended")
            workers.wait_for("chore")
            await queue.depth()
        await queue.aclose()
    await client.aclose()


async def test_progress_is_told_and_one_keeps_house(queue_url: str) -> None:
    client = async_client(queue_url, SERVER_CONNECTION)
    board = RedisProgressBoard(client, SystemClock())
    over = ExportProgress(2, 2, 1, over=True)
    async with aclosing(board.watch("export")) as watching:
        first = asyncio.ensure_future(anext(watching))
        await board.report("export", over)
        assert await first == over
    leases = RedisLeases(client)
    assert await leases.hold("keeper", "me", 5.0)
    await leases.release("keeper", "me")
    await client.aclose()


@pytest.mark.parametrize(
    "command", ["FLUSHALL", "KEYS *", "CONFIG GET *", "ACL LIST", "GET other"]
)
def test_the_queues_user_does_nothing_else(
    valkey: PrivateValkey, blocking: Redis, command: str
) -> None:
    with (
        blocking_client(url_of(valkey, blocking, "queue"), SERVER_CONNECTION) as client,
        pytest.raises(NoPermissionError),
    ):
        client.execute_command(*command.split())


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")  # aiocache 0.12.3
async def test_a_cache_keeps_answers_and_its_user_does_nothing_else(
    valkey: PrivateValkey, blocking: Redis
) -> None:
    url = url_of(valkey, blocking, "cache")
    cache = SharedRedisCache(url, SystemClock(), timeout_s=1.0)
    await cache.ping()
    await cache.put("movieql:cinemaworld:list", b"kept", 60.0)
    assert await cache.get("movieql:cinemaworld:list") == b"kept"
    await cache.close()
    with blocking_client(url, SERVER_CONNECTION) as client:
        for command in ("FLUSHALL", "KEYS *", "EVAL return 0", "GET rq:jobs"):
            with pytest.raises(NoPermissionError):
                client.execute_command(*command.split())
