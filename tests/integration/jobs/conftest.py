"""A private Valkey per test, and clients of it."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from movieql.dev.valkey import PrivateValkey
from movieql.jobs.connections import SERVER_CONNECTION, async_client, blocking_client

ASTRAY_S = 8.0
"""Seconds that a job on no list counts as live in these tests."""


@contextmanager
def private_valkey(*options: str) -> Iterator[PrivateValkey]:
    # Not tmp_path: the path of a unix socket has about 100 characters.
    with tempfile.TemporaryDirectory(prefix="movieql-") as folder:
        valkey = PrivateValkey(Path(folder) / "valkey", options)
        try:
            valkey.start()
            yield valkey
        finally:
            valkey.kill()


@pytest.fixture
def valkey() -> Iterator[PrivateValkey]:
    with private_valkey() as running:
        yield running


@pytest.fixture
def blocking(valkey: PrivateValkey) -> Iterator[Redis]:
    with blocking_client(valkey.url, SERVER_CONNECTION) as client:
        yield client


@pytest.fixture
async def client(valkey: PrivateValkey) -> AsyncIterator[AsyncRedis]:
    client = async_client(valkey.url, SERVER_CONNECTION)
    yield client
    await client.aclose()
