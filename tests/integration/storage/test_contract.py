"""One contract for every object store.

The doubles of S3 differ from S3 in places; what they do instead is written down here, so that
a test says where it looks away and why.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from movieql.domain.errors import (
    BadInputError,
    MovieqlError,
    PreconditionFailedError,
    StoreError,
    UploadGoneError,
)
from movieql.ports import ObjectStore, Upload
from tests.object_store import S3_PART_BYTES

DIFFERENCES = MappingProxyType(
    {
        ("moto", "gone"): "5.2.5 answers 500, where S3 says NoSuchUpload, and so do the others",
        ("moto", "abort"): "5.2.5 aborts an upload by its id alone, whatever the key",
        ("moto", "uploads"): "5.2.5 lists uploads in the order of their begin, all of 2010",
        ("ministack", "seconds"): "1.5.33 tells milliseconds in lists and, as S3, none in a head",
    }
)
"""What a store does otherwise than the contract says, and how we know."""


def gone_error(kind: str) -> type[MovieqlError]:
    """Return what writing to an upload raises that is not there any more."""
    return StoreError if (kind, "gone") in DIFFERENCES else UploadGoneError


PART = b"p" * S3_PART_BYTES
ODD_KEYS = [
    "movies.json",
    "a:b",
    "a b",
    "UPPER",
    "é/中",
    "a+b%2F&c=d",
    "x~'()*!",
    ".hidden",
    "a/b/c/d",
]
MANY = 1 << 20


async def etag_now(store: ObjectStore, key: str) -> str:
    head = await store.head(key)
    assert head is not None
    return head.etag


async def body_of(store: ObjectStore, key: str) -> bytes | None:
    found = await store.get(key, bytes_max=10 * S3_PART_BYTES)
    return found and found[0]


async def begun(store: ObjectStore, key: str = "up/load") -> Upload:
    return await store.begin_upload(key, content_type="text/csv")


# One object


async def test_what_was_never_put_is_not_there(store: ObjectStore) -> None:
    assert await store.get("key", bytes_max=MANY) is None
    assert await store.get_unless("key", "abc", bytes_max=MANY) is None
    assert await store.get_range("key", 0, 10) is None
    assert await store.get_range("key", 0, 0) is None
    assert await store.head("key") is None
    assert await store.list("") == []


@pytest.mark.parametrize("body", [b"", b"text", bytes(range(256)), b"\0" * 3_000_000])
async def test_bytes_come_back_as_they_were_put(store: ObjectStore, body: bytes) -> None:
    etag = await store.put("key", body, content_type="text/plain")
    assert await store.get("key", bytes_max=len(body)) == (body, etag)


@pytest.mark.parametrize("key", ODD_KEYS)
async def test_every_key_is_a_key_of_its_own(store: ObjectStore, key: str) -> None:
    await store.put(key, key.encode())
    await store.put(key + "x", b"other")
    assert await body_of(store, key) == key.encode()
    assert [each.key for each in await store.list("")] == [key, key + "x"]
    await store.delete(key)
    assert await body_of(store, key) is None


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "..", "a/../b", ".", "a\nb", "\ud800"])
async def test_what_is_no_key_is_refused(store: ObjectStore, key: str) -> None:
    for call in (
        store.put(key, b""),
        store.get(key, bytes_max=1),
        store.delete(key),
        begun(store, key),
        store.link(key, lifetime_s=60, filename="a.csv", content_type="text/csv"),
    ):
        with pytest.raises(BadInputError):
            await call


async def test_a_head_tells_size_version_and_time(store: ObjectStore, kind: str) -> None:
    etag = await store.put("key", b"12345")
    head = await store.head("key")
    assert head is not None
    assert (head.key, head.etag, head.size_bytes) == ("key", etag, 5)
    assert head.modified.tzinfo == UTC
    assert abs(datetime.now(UTC) - head.modified) < timedelta(seconds=5)
    (listed,) = await store.list("key")
    if (kind, "seconds") in DIFFERENCES:
        listed = replace(listed, modified=listed.modified.replace(microsecond=0))
    assert listed == head


async def test_a_version_has_no_quotes_and_changes_with_the_content(store: ObjectStore) -> None:
    first = await store.put("key", b"first")
    second = await store.put("key", b"second")
    assert first != second == await etag_now(store, "key")
    assert '"' not in first + second


async def test_a_body_longer_than_allowed_is_refused(store: ObjectStore) -> None:
    etag = await store.put("key", b"12345")
    with pytest.raises(StoreError, match="larger than the 4 bytes"):
        await store.get("key", bytes_max=4)
    with pytest.raises(StoreError, match="larger than the 4 bytes"):
        await store.get_unless("key", "another", bytes_max=4)
    assert await store.get_unless("key", etag, bytes_max=4) == "unchanged"


async def test_what_did_not_change_is_not_read_again(store: ObjectStore) -> None:
    first = await store.put("key", b"first")
    assert await store.get_unless("key", first, bytes_max=MANY) == "unchanged"
    second = await store.put("key", b"second")
    assert await store.get_unless("key", first, bytes_max=MANY) == (b"second", second)
    await store.delete("key")
    assert await store.get_unless("key", second, bytes_max=MANY) is None


@pytest.mark.parametrize(
    "start, length, expected",
    [(0, 3, b"012"), (4, 100, b"456789"), (9, 1, b"9"), (10, 5, b""), (50, 5, b""), (3, 0, b"")],
)
async def test_a_range_is_what_there_is_of_it(
    store: ObjectStore, start: int, length: int, expected: bytes
) -> None:
    await store.put("key", b"0123456789")
    assert await store.get_range("key", start, length) == expected


@pytest.mark.parametrize("start, length", [(-1, 3), (0, -1)])
async def test_a_range_before_the_start_is_refused(
    store: ObjectStore, start: int, length: int
) -> None:
    await store.put("key", b"0123456789")
    with pytest.raises(BadInputError):
        await store.get_range("key", start, length)


async def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    await store.put("a/b", b"1")
    await store.delete("a/b")
    await store.delete("a/b")
    assert await store.get("a/b", bytes_max=MANY) is None
    await store.put("a/b", b"2")
    assert await body_of(store, "a/b") == b"2"


# Conditions


async def test_if_absent_writes_only_where_nothing_is(store: ObjectStore) -> None:
    etag = await store.put("key", b"first", if_absent=True)
    for body in (b"first", b"second"):
        with pytest.raises(PreconditionFailedError):
            await store.put("key", body, if_absent=True)
    assert await store.get("key", bytes_max=MANY) == (b"first", etag)


async def test_if_match_writes_only_over_its_version(store: ObjectStore) -> None:
    first = await store.put("key", b"first")
    second = await store.put("key", b"second", if_match=first)
    with pytest.raises(PreconditionFailedError):
        await store.put("key", b"third", if_match=first)
    assert await store.get("key", bytes_max=MANY) == (b"second", second)


async def test_if_match_writes_nothing_where_nothing_is(store: ObjectStore) -> None:
    with pytest.raises(PreconditionFailedError):
        await store.put("key", b"first", if_match="0" * 32)
    assert await store.head("key") is None


async def test_nothing_is_absent_and_a_version_at_once(store: ObjectStore) -> None:
    etag = await store.put("key", b"first")
    for key in ("key", "other"):
        with pytest.raises(PreconditionFailedError):
            await store.put(key, b"second", if_match=etag, if_absent=True)
    assert await body_of(store, "key") == b"first"
    assert await store.head("other") is None


async def test_a_delete_of_another_version_is_refused(store: ObjectStore) -> None:
    first = await store.put("key", b"first")
    second = await store.put("key", b"second")
    with pytest.raises(PreconditionFailedError):
        await store.delete("key", if_match=first)
    assert await body_of(store, "key") == b"second"
    await store.delete("key", if_match=second)
    assert await store.head("key") is None


async def test_of_eight_who_create_one_wins(store: ObjectStore) -> None:
    for round_ in range(3):
        key = f"race/{round_}"
        bodies = [bytes([65 + racer]) for racer in range(8)]
        results = await asyncio.gather(
            *(store.put(key, body, if_absent=True) for body in bodies), return_exceptions=True
        )
        winners = [
            body
            for body, result in zip(bodies, results, strict=True)
            if not isinstance(result, PreconditionFailedError)
        ]
        assert winners == [await body_of(store, key)]


async def test_of_eight_who_change_a_version_one_wins(store: ObjectStore) -> None:
    etag = await store.put("key", b"first")
    results = await asyncio.gather(
        *(store.put("key", bytes([65 + racer]), if_match=etag) for racer in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, PreconditionFailedError) for result in results) == 7


async def test_eighty_increments_by_eight_writers_end_at_eighty(store: ObjectStore) -> None:
    await store.put("count", b"0")

    async def increment() -> None:
        while True:
            found = await store.get("count", bytes_max=100)
            assert found is not None
            try:
                await store.put("count", b"%d" % (int(found[0]) + 1), if_match=found[1])
            except PreconditionFailedError:
                continue
            return

    async def writer() -> None:
        for _ in range(10):
            await increment()

    await asyncio.gather(*(writer() for _ in range(8)))
    assert await body_of(store, "count") == b"80"


# Lists


async def test_a_list_is_in_the_order_of_keys_and_of_its_prefix(store: ObjectStore) -> None:
    # "-" < "/" < "0": a folder sorts by the slash that follows its name
    for key in ["a0", "a/b", "a", "a-b", "a/b/c", "a/a", "b", "A", "é"]:
        await store.put(key, b"")
    keys = [each.key for each in await store.list("")]
    assert keys == ["A", "a", "a-b", "a/a", "a/b", "a/b/c", "a0", "b", "é"]
    assert [each.key for each in await store.list("a/")] == ["a/a", "a/b", "a/b/c"]
    assert [each.key for each in await store.list("a/b")] == ["a/b", "a/b/c"]
    assert await store.list("c") == []


async def test_a_list_goes_on_after_a_key(store: ObjectStore) -> None:
    keys = [f"{folder}/{number}" for folder in "abc" for number in range(4)]
    for key in keys:
        await store.put(key, b"")
    seen: list[str] = []
    while page := await store.list("", after=seen[-1] if seen else None, limit=5):
        assert len(page) <= 5
        seen += [each.key for each in page]
    assert seen == keys
    # A key that is not there, in a folder that is, or that is not
    assert [each.key for each in await store.list("", after="b/2x", limit=2)] == ["b/3", "c/0"]
    assert [each.key for each in await store.list("", after="b", limit=2)] == ["b/0", "b/1"]
    assert [each.key for each in await store.list("b/", after="bx")] == []
    assert [each.key for each in await store.list("b/", after="a/1", limit=1)] == ["b/0"]


async def test_a_list_ends_at_its_limit(store: ObjectStore) -> None:
    for number in range(5):
        await store.put(f"k{number}", b"")
    assert len(await store.list("", limit=3)) == 3
    assert await store.list("", limit=0) == []


# Uploads


async def test_an_upload_is_invisible_until_it_is_complete(store: ObjectStore) -> None:
    upload = await begun(store)
    await upload.add(PART)
    await upload.add(b"the end")
    assert await store.head("up/load") is None
    assert await store.list("") == []
    etag = await upload.complete()
    assert await store.get("up/load", bytes_max=2 * S3_PART_BYTES) == (PART + b"the end", etag)
    assert await etag_now(store, "up/load") == etag
    assert await store.unfinished_uploads("") == []


async def test_an_upload_leaves_the_old_object_until_it_is_complete(store: ObjectStore) -> None:
    await store.put("up/load", b"old")
    upload = await begun(store)
    await upload.add(b"new")
    assert await body_of(store, "up/load") == b"old"
    await upload.complete()
    assert await body_of(store, "up/load") == b"new"


async def test_an_upload_without_parts_is_an_empty_object(store: ObjectStore) -> None:
    upload = await begun(store)
    await upload.complete()
    assert await body_of(store, "up/load") == b""


async def test_uploads_under_way_are_told_of(store: ObjectStore, kind: str) -> None:
    uploads = {key: await begun(store, key) for key in ("b/2", "a/1", "b/1")}
    await uploads["b/1"].add(b"part")
    found = await store.unfinished_uploads("b/")
    assert {each.key: each.upload_id for each in found} == {
        key: uploads[key].upload_id for key in ("b/1", "b/2")
    }
    first = await store.unfinished_uploads("", limit=2)
    assert len(first) == 2
    if (kind, "uploads") not in DIFFERENCES:
        assert all(abs(datetime.now(UTC) - each.started) < timedelta(seconds=5) for each in found)
        assert [each.key for each in first] == ["a/1", "b/1"]


async def test_an_aborted_upload_leaves_nothing(store: ObjectStore, kind: str) -> None:
    upload = await begun(store)
    await upload.add(PART)
    await upload.abort()
    await upload.abort()
    assert await store.unfinished_uploads("") == []
    assert await store.list("") == []
    with pytest.raises(gone_error(kind)):
        await upload.add(b"part")


async def test_an_upload_can_be_aborted_by_another(store: ObjectStore, kind: str) -> None:
    upload = await begun(store)
    await store.abort_upload("up/load", upload.upload_id)
    await store.abort_upload("up/load", upload.upload_id)
    assert await store.unfinished_uploads("") == []
    with pytest.raises(gone_error(kind)):
        await upload.add(b"part")


async def test_an_abort_leaves_other_uploads_of_the_key(store: ObjectStore) -> None:
    first, second = await begun(store), await begun(store)
    await store.abort_upload("up/load", first.upload_id)
    await second.add(b"second")
    await second.complete()
    assert await body_of(store, "up/load") == b"second"


async def test_an_upload_is_not_aborted_by_another_key(store: ObjectStore, kind: str) -> None:
    upload = await begun(store)
    await upload.add(b"part")
    if (kind, "abort") not in DIFFERENCES:
        await store.abort_upload("another", upload.upload_id)
    await store.abort_upload("up/load", "../" + upload.upload_id)
    await upload.complete()
    assert await body_of(store, "up/load") == b"part"


async def test_an_aborted_upload_cannot_be_completed(store: ObjectStore, kind: str) -> None:
    upload = await begun(store)
    await upload.add(b"part")
    await store.abort_upload("up/load", upload.upload_id)
    with pytest.raises(gone_error(kind)):
        await upload.complete()
    assert await store.head("up/load") is None


async def test_only_the_last_part_may_be_short(store: ObjectStore) -> None:
    upload = await begun(store)
    await upload.add(b"short")
    with pytest.raises(StoreError, match="Only the last part"):
        await upload.add(PART)
    await upload.abort()


# Links


@pytest.mark.parametrize(
    "lifetime_s, filename, content_type",
    [
        (901, "a.csv", "text/csv"),
        (0, "a.csv", "text/csv"),
        (-5, "a.csv", "text/csv"),
        (60, 'a".csv', "text/csv"),
        (60, "../a.csv", "text/csv"),
        (60, "a\r\n.csv", "text/csv"),
        (60, "a.csv", "text/csv\r\nx: y"),
        (60, "", "text/csv"),
    ],
)
async def test_a_link_that_lives_too_long_or_says_too_much_is_refused(
    store: ObjectStore, lifetime_s: int, filename: str, content_type: str
) -> None:
    with pytest.raises(BadInputError):
        await store.link(
            "key", lifetime_s=lifetime_s, filename=filename, content_type=content_type
        )
