"""What S3's failures become, and that each ends in bounded time."""

import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest

from movieql.clock import SystemClock
from movieql.domain.errors import PreconditionFailedError, StoreError
from movieql.storage.probe import refuse_without_conditions
from movieql.storage.s3 import S3Store
from tests.object_store import S3_PART_BYTES, Faults, S3Server, keyed_client, moto, s3_store


@contextmanager
def faulty(**shares: Any) -> Iterator[S3Server]:
    with moto(Faults(seed=7, **shares)) as server:
        yield server


@pytest.fixture
async def store(moto_server: S3Server) -> AsyncIterator[S3Store]:
    async with s3_store(moto_server, prefix="trouble/", attempts_max=1) as opened:
        yield opened
    moto_server.faults.down = False
    moto_server.faults.lost_share = moto_server.faults.refused_share = 0.0


@contextmanager
def silent_port() -> Iterator[int]:
    """Accept connections and answer nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening.getsockname()[1]


def everything(store: S3Store) -> Iterator[Any]:
    yield store.put("key", b"body")
    yield store.put("key", b"body", if_absent=True)
    yield store.get("key", bytes_max=10)
    yield store.get_unless("key", "abc", bytes_max=10)
    yield store.get_range("key", 0, 10)
    yield store.head("key")
    yield store.list("")
    yield store.delete("key")
    yield store.begin_upload("key", content_type="text/csv")
    yield store.unfinished_uploads("")
    yield store.abort_upload("key", "upload")


@pytest.mark.parametrize("trouble", ["down", "refused"])
async def test_a_store_in_trouble_is_a_store_error(
    store: S3Store, moto_server: S3Server, trouble: str
) -> None:
    moto_server.faults.down = trouble == "down"
    moto_server.faults.refused_share = 1.0
    for call in everything(store):
        with pytest.raises(StoreError) as raised:
            await call
        assert moto_server.endpoint_url.removeprefix("http://") not in str(raised.value)


async def test_an_upload_in_trouble_is_a_store_error_and_may_go_on(
    store: S3Store, moto_server: S3Server
) -> None:
    upload = await store.begin_upload("up", content_type="text/csv")
    await upload.add(b"p" * S3_PART_BYTES)
    moto_server.faults.refused_share = 1.0
    for call in (upload.complete(), upload.abort()):
        with pytest.raises(StoreError):
            await call
    moto_server.faults.refused_share = 0.0
    await upload.complete()
    head = await store.head("up")
    assert head is not None
    assert head.size_bytes == S3_PART_BYTES


async def test_a_bucket_that_is_not_there_is_not_an_empty_store(moto_server: S3Server) -> None:
    async with s3_store(moto_server, bucket="no-such-bucket") as store:
        for call in (
            store.get("key", bytes_max=10),
            store.list(""),
            store.put("key", b"", if_match="0" * 32),
            store.delete("key"),
        ):
            with pytest.raises(StoreError, match="NoSuchBucket"):
                await call


async def test_a_store_error_names_no_address_and_no_credentials() -> None:
    client = keyed_client(
        "AKIAHUNTER", "hunter2", endpoint_url="http://127.0.0.1:1", attempts_max=1
    )
    store = S3Store(client, bucket="bucket", clock=SystemClock(), rng=Random(0))
    with pytest.raises(StoreError) as raised:
        await store.get("key", bytes_max=10)
    await store.aclose()
    assert str(raised.value) == "The object store failed: EndpointConnectionError."


async def test_a_silent_store_costs_no_more_than_its_timeouts() -> None:
    with silent_port() as port:
        silent = S3Server(f"http://127.0.0.1:{port}", "bucket", Faults())
        async with s3_store(silent, attempts_max=1, read_timeout_s=0.2) as store:
            began_s = time.monotonic()
            with pytest.raises(StoreError, match="ReadTimeoutError"):
                await store.get("key", bytes_max=10)
            assert 0.2 <= time.monotonic() - began_s < 2.0


async def test_a_caller_waits_no_longer_than_it_was_told() -> None:
    with silent_port() as port:
        silent = S3Server(f"http://127.0.0.1:{port}", "bucket", Faults())
        async with s3_store(
            silent, attempts_max=1, read_timeout_s=1.0, call_timeout_s=0.1, threads_max=1
        ) as store:
            for _ in range(3):  # the second waits for the thread of the first
                began_s = time.monotonic()
                with pytest.raises(StoreError, match=r"within 0\.1 s"):
                    await store.head("key")
                assert time.monotonic() - began_s < 0.8


async def test_refused_requests_are_tried_again() -> None:
    with faulty(refused_share=0.2) as server:
        async with s3_store(server, attempts_max=6, call_timeout_s=60.0) as store:
            for number in range(8):
                await store.put(f"key/{number}", b"body")
            assert len(await store.list("key/")) == 8
        assert server.faults.counts["refused"] > 0


async def test_a_write_whose_answer_was_lost_is_refused_the_second_time(
    store: S3Store, moto_server: S3Server
) -> None:
    moto_server.faults.lost_share = 1.0
    with pytest.raises(StoreError):
        await store.put("lost", b"body", if_absent=True)
    moto_server.faults.lost_share = 0.0
    with pytest.raises(PreconditionFailedError):
        await store.put("lost", b"body", if_absent=True)
    found = await store.get("lost", bytes_max=10)
    assert found is not None
    assert found[0] == b"body"


async def test_completing_again_what_was_completed_gives_the_same_version(
    ministack_server: S3Server,
) -> None:
    async with s3_store(ministack_server, prefix="again/") as store:
        upload = await store.begin_upload("up", content_type="text/csv")
        await upload.add(b"p" * S3_PART_BYTES)
        await upload.add(b"end")
        assert await upload.complete() == await upload.complete()


async def test_a_store_that_compares_passes_the_probe(moto_server: S3Server) -> None:
    async with s3_store(moto_server, prefix="probed/") as store:
        await refuse_without_conditions(store, "1")
        assert await store.list("") == []


async def test_a_store_sees_nothing_outside_its_prefix(moto_server: S3Server) -> None:
    async with (
        s3_store(moto_server, prefix="one/") as one,
        s3_store(moto_server, prefix="two/") as two,
    ):
        await one.put("key", b"one")
        assert await two.list("") == []
        assert await two.get("key", bytes_max=10) is None
        assert [each.key for each in await one.list("", after="a")] == ["key"]
