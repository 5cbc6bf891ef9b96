"""The stores that pass the contract, each empty, and what they run on."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from movieql.ports import ObjectStore
from movieql.storage.files import FileStore
from tests.object_store import S3_PART_BYTES, S3Server, file_store, ministack, moto, s3_store

_PREFIXES = count()


@pytest.fixture(scope="module")
def moto_server() -> Iterator[S3Server]:
    with moto() as server:
        yield server


@pytest.fixture(scope="module")
def ministack_server() -> Iterator[S3Server]:
    with ministack() as server:
        yield server


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileStore]:
    async with file_store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture(params=["files", "moto", "ministack"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    if request.param == "files":
        async with file_store(tmp_path / "store", part_bytes_min=S3_PART_BYTES) as opened:
            yield opened
        return
    server = request.getfixturevalue(f"{request.param}_server")
    async with s3_store(server, prefix=f"test {next(_PREFIXES)}/") as opened_s3:
        yield opened_s3


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Which store the test runs on."""
    name: str = request.node.callspec.params["store"]
    return name
