"""What becomes of what botocore raises, and of writes that met each other."""

from random import Random
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from movieql.clock import SystemClock
from movieql.domain.errors import (
    MovieqlError,
    PreconditionFailedError,
    StoreError,
    UploadGoneError,
)
from movieql.ports import Clock
from movieql.storage.s3 import CONFLICT_DELAYS_S, S3Store
from movieql.storage.s3_failures import UndecidedError, explained

EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
OF_ONE_EMPTY_PART = "59adb24ef3cdbe0297f05b395827453f-1"
"""The ETag of S3 for an object of one empty part: the MD5 of the parts' MD5s."""


class RecordedClock:
    """Sleeps in no time and remembers for how long."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    async def sleep(self, delay_s: float) -> None:
        self.slept_s.append(delay_s)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "https://hunter2@host"}}, "PutObject")


@pytest.mark.parametrize(
    "code, expected",
    [
        ("PreconditionFailed", PreconditionFailedError),
        ("412", PreconditionFailedError),
        ("ConditionalRequestConflict", UndecidedError),
        ("NoSuchUpload", UploadGoneError),
        ("NoSuchBucket", StoreError),
        ("AccessDenied", StoreError),
        ("SlowDown", StoreError),
        ("500", StoreError),
        ("https://hunter2@host", StoreError),
        ("", StoreError),
    ],
)
def test_a_refusal_is_an_error_of_ours_without_its_text(
    code: str, expected: type[MovieqlError]
) -> None:
    with pytest.raises(MovieqlError) as raised, explained():
        raise refused(code)
    assert type(raised.value) is expected
    assert "hunter2" not in str(raised.value)


def test_a_failed_connection_is_a_store_error_without_its_address() -> None:
    with pytest.raises(StoreError) as raised, explained():
        raise EndpointConnectionError(endpoint_url="https://hunter2@host")
    assert "host" not in str(raised.value)


async def put_into(*answers: Any) -> tuple[Any, RecordedClock, Mock]:
    """Return what a conditional put ends with where S3 answers so, one after the other."""
    client, clock = Mock(), RecordedClock()
    client.put_object.side_effect = answers
    whole_clock: Clock = clock  # type: ignore[assignment]  # nothing but sleep is used
    store = S3Store(client, bucket="bucket", clock=whole_clock, rng=Random(1))
    try:
        return await store.put("key", b"body", if_absent=True), clock, client
    except MovieqlError as error:
        return error, clock, client
    finally:
        await store.aclose()


async def test_a_write_that_met_another_is_tried_again_with_its_condition() -> None:
    conflict = refused("ConditionalRequestConflict")
    result, clock, client = await put_into(conflict, conflict, {"ETag": '"abc"'})
    assert result == "abc"
    assert len(clock.slept_s) == 2
    assert all(call.kwargs["IfNoneMatch"] == "*" for call in client.put_object.call_args_list)


async def test_a_write_that_met_another_may_lose_to_it() -> None:
    result, _, client = await put_into(
        refused("ConditionalRequestConflict"), refused("PreconditionFailed")
    )
    assert isinstance(result, PreconditionFailedError)
    assert client.put_object.call_count == 2


async def test_a_write_that_always_meets_another_is_given_up() -> None:
    result, clock, client = await put_into(*[refused("ConditionalRequestConflict")] * 10)
    assert isinstance(result, StoreError)
    assert client.put_object.call_count == len(CONFLICT_DELAYS_S) + 1
    for slept_s, delay_s in zip(clock.slept_s, CONFLICT_DELAYS_S, strict=True):
        assert 0.5 * delay_s <= slept_s <= 1.5 * delay_s


def uploading(etag_there: str | None) -> S3Store:
    """Return a store whose answer to `complete` was lost, and has this object now."""
    client = Mock()
    client.create_multipart_upload.return_value = {"UploadId": "upload"}
    client.upload_part.return_value = {"ETag": f'"{EMPTY_MD5}"'}
    client.complete_multipart_upload.side_effect = refused("NoSuchUpload")
    client.head_object.return_value = {"ETag": f'"{etag_there}"'}
    if etag_there is None:
        client.head_object.side_effect = refused("404")
    return S3Store(client, bucket="bucket", clock=SystemClock(), rng=Random(1))


async def test_a_completion_whose_answer_was_lost_is_recognised_by_its_parts() -> None:
    store = uploading(OF_ONE_EMPTY_PART)
    upload = await store.begin_upload("key", content_type="text/csv")
    assert await upload.complete() == OF_ONE_EMPTY_PART
    await store.aclose()


@pytest.mark.parametrize("etag_there", [None, EMPTY_MD5, OF_ONE_EMPTY_PART.replace("-1", "-2")])
async def test_a_completion_by_another_is_not_taken_for_ours(etag_there: str | None) -> None:
    store = uploading(etag_there)
    upload = await store.begin_upload("key", content_type="text/csv")
    with pytest.raises(UploadGoneError):
        await upload.complete()
    await store.aclose()
