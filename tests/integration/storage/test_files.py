"""The file store among processes: killed, at once with others, on a disk that fails."""

import asyncio
import errno
import fcntl
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from movieql.domain.errors import StoreError, StoreUnwritableError, UploadGoneError
from movieql.memory import VirtualClock
from movieql.storage.files import FileStore
from movieql.storage.folder import SWEPT_MAX
from tests.integration.storage.writing import SIZES
from tests.object_store import file_store
from tests.servers import ROOT, until

WRITING = "tests.integration.storage.writing"


@contextmanager
def process(what: str, root: Path) -> Iterator["subprocess.Popen[bytes]"]:
    started = subprocess.Popen(  # noqa: S603  # our own module
        [sys.executable, "-m", WRITING, what, str(root)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        assert started.stdout is not None
        started.stdout.close()


def is_whole(body: bytes) -> bool:
    return len(body) in {*SIZES, *(2 * size for size in SIZES)} and len(set(body)) == 1


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def drafts(root: Path) -> list[str]:
    return names(root / "drafts")


async def check_all(store: FileStore) -> set[str]:
    """Read everything there is, whole or not at all; return the keys."""
    seen = set()
    for head in await store.list(""):
        found = await store.get(head.key, bytes_max=2 * max(SIZES))
        if found is not None:
            assert is_whole(found[0])
            seen.add(head.key)
    return seen


async def test_a_reader_never_sees_half_of_a_write(tmp_path: Path) -> None:
    seen = set[str]()
    async with file_store(tmp_path) as store:
        with process("write", tmp_path) as writer:
            assert writer.stdout is not None
            await asyncio.to_thread(writer.stdout.readline)
            async with asyncio.timeout(30):
                for _ in range(300):
                    seen |= await check_all(store)
    assert "up" in seen


async def test_a_process_killed_while_it_writes_leaves_whole_objects_only(tmp_path: Path) -> None:
    rng, seen, left_behind = Random(1), set[str](), 0
    for _ in range(5):
        with process("write", tmp_path) as writer:
            assert writer.stdout is not None
            await asyncio.to_thread(writer.stdout.readline)
            await asyncio.sleep(rng.uniform(0.0, 0.1))  # killed anywhere
        left_behind += len(drafts(tmp_path))
        async with file_store(tmp_path) as store:
            seen |= await check_all(store)
            await store.check_writable()
            assert drafts(tmp_path) == []
            assert len(await store.unfinished_uploads("")) <= 5
    assert "up" in seen
    assert left_behind > 0  # else no kill came in the middle of a write


async def test_processes_that_count_together_lose_nothing(tmp_path: Path) -> None:
    async with file_store(tmp_path) as store:
        await store.put("count", b"0")
        with process("count", tmp_path) as one, process("count", tmp_path) as two:
            assert await asyncio.to_thread(one.wait, 60) == 0
            assert await asyncio.to_thread(two.wait, 60) == 0
        found = await store.get("count", bytes_max=10)
        assert found is not None
        assert found[0] == b"40"


async def test_versions_are_the_same_for_every_process_and_after_a_restart(tmp_path: Path) -> None:
    async with file_store(tmp_path) as one:
        etag = await one.put("key", b"body")
    async with file_store(tmp_path) as two:
        assert await two.get_unless("key", etag, bytes_max=10) == "unchanged"
        await two.put("key", b"next", if_match=etag)


async def test_a_lock_that_is_not_given_back_costs_a_bounded_wait(tmp_path: Path) -> None:
    async with file_store(tmp_path, lock_timeout_s=0.2) as store:
        await store.put("key", b"first")
        (lock,) = (tmp_path / "locks").iterdir()
        with lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            began_s = time.monotonic()
            with pytest.raises(StoreError, match="busy"):
                await store.put("key", b"second")
            assert 0.15 <= time.monotonic() - began_s < 2.0
            assert drafts(tmp_path) == []
        await store.put("key", b"third")


async def test_a_disk_that_fails_is_a_store_error_that_names_no_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    async with file_store(tmp_path / "file") as store:
        with pytest.raises(StoreError) as raised:
            await store.put("key", b"body")
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO]
)
@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename"])
async def test_what_a_disk_refuses_was_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    async with file_store(tmp_path) as store:
        etag = await store.put("key", b"first")
        upload = await store.begin_upload("up", content_type="text/plain")
        with monkeypatch.context() as patch:
            name = {"open": "pathlib.Path.open", "write": "os.utime", "fsync": "os.fsync"}
            patch.setattr(name.get(call, "pathlib.Path.replace"), refuse)
            for write in (store.put("key", b"second"), store.put("a/b", b""), upload.add(b"part")):
                with pytest.raises(StoreUnwritableError, match="nothing was written") as raised:
                    await write
                assert str(tmp_path) not in str(raised.value)
        assert await store.get("key", bytes_max=10) == (b"first", etag)
        assert await store.get("a/b", bytes_max=10) is None
        assert drafts(tmp_path) == []


async def test_a_folder_that_was_not_flushed_may_have_the_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async with file_store(tmp_path) as store:
        await store.put("key", b"first")
        with monkeypatch.context() as patch:
            patch.setattr("movieql.storage.disk._flush_folder", refuse)
            with pytest.raises(StoreError) as raised:
                await store.put("key", b"second")
        assert not isinstance(raised.value, StoreUnwritableError)


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let this process write files of 16 KiB at most, as a disk does that has no more."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, most))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


@pytest.mark.usefixtures("small_files")
async def test_a_write_for_which_there_is_no_room_leaves_what_was_there(tmp_path: Path) -> None:
    async with file_store(tmp_path) as store:
        etag = await store.put("key", b"first")
        for _ in range(3):
            with pytest.raises(StoreUnwritableError):
                await store.put("key", bytes(40_000))
        with pytest.raises(StoreUnwritableError):
            await store.check_writable()
        assert await store.get("key", bytes_max=10) == (b"first", etag)
        assert drafts(tmp_path) == []


async def test_a_folder_that_takes_no_files_is_found_out(tmp_path: Path) -> None:
    async with file_store(tmp_path) as store:
        await store.check_writable()
        assert drafts(tmp_path) == []
        (tmp_path / "drafts").rmdir()
        (tmp_path / "drafts").write_bytes(b"")  # also from root
        with pytest.raises(StoreUnwritableError):
            await store.check_writable()


async def test_drafts_left_on_a_disk_that_is_read_only_keep_nobody_from_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    async with file_store(tmp_path) as store:
        etag = await store.put("key", b"body")
    (tmp_path / "drafts" / "left").write_bytes(b"half")
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    async with file_store(tmp_path) as store:
        assert await store.get("key", bytes_max=10) == (b"body", etag)


async def test_a_new_folder_on_a_disk_that_is_read_only_is_empty_and_takes_no_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    async with file_store(tmp_path) as store:
        assert await store.get("key", bytes_max=10) is None
        assert await store.get_unless("key", "version", bytes_max=10) is None
        assert await store.get_range("key", 0, 10) is None
        assert await store.head("key") is None
        assert await store.list("") == []
        assert await store.unfinished_uploads("") == []
        for write in (
            store.put("key", b"body"),
            store.delete("key"),
            store.begin_upload("up", content_type="text/plain"),
            store.abort_upload("up", "id"),
            store.check_writable(),
        ):
            with pytest.raises(StoreUnwritableError, match="Read-only file system"):
                await write


async def test_times_are_of_the_clock_that_was_passed_in(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with file_store(tmp_path, clock) as store:
        await clock.advance(3600)
        await store.put("key", b"body")
        await store.begin_upload("up", content_type="text/plain")
        head = await store.head("key")
        assert head is not None
        assert head.modified == clock.now()
        assert [each.started for each in await store.unfinished_uploads("")] == [clock.now()]


async def test_a_file_that_is_edited_by_hand_is_another_version(tmp_path: Path) -> None:
    async with file_store(tmp_path) as store:
        etag = await store.put("movies.json", b"[]")
        path = tmp_path / "objects" / "movies.json"
        assert path.read_bytes() == b"[]"
        path.write_bytes(b"[1]")
        found = await store.get_unless("movies.json", etag, bytes_max=10)
        assert found is not None
        assert found[0] == b"[1]"


async def test_files_of_others_are_no_objects(tmp_path: Path) -> None:
    async with file_store(tmp_path) as store:
        await store.put("a", b"1")
        for name in (".DS_Store", "Thumbs.db", "a~", "%61"):
            (tmp_path / "objects" / name).write_bytes(b"")
        (tmp_path / "objects" / "folder").mkdir()
        assert [each.key for each in await store.list("")] == ["a"]


async def test_folders_go_with_their_last_object(tmp_path: Path) -> None:
    async with file_store(tmp_path) as store:
        await store.put("a/b/c", b"")
        await store.put("a/d", b"")
        await store.delete("a/b/c")
        assert names(tmp_path / "objects") == ["a+"]
        assert names(tmp_path / "objects" / "a+") == ["d"]
        await store.delete("a/d")
        assert names(tmp_path / "objects") == []


async def test_folders_may_come_and_go_while_others_write_into_them(tmp_path: Path) -> None:
    async def come_and_go(store: FileStore, name: str) -> None:
        for _ in range(30):
            await store.put(f"a/b/{name}", b"")
            await store.delete(f"a/b/{name}")

    async with file_store(tmp_path) as store:
        await asyncio.gather(*(come_and_go(store, name) for name in "cdefgh"))
        assert await store.list("") == []


async def test_a_first_write_takes_what_was_left_and_not_what_is_written(tmp_path: Path) -> None:
    left = tmp_path / "drafts"
    left.mkdir()
    for number in range(SWEPT_MAX + 2):
        (left / f"{number}").write_bytes(b"half")
    with (left / "written").open("wb") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        async with file_store(tmp_path) as store:
            await store.put("key", b"")
            assert len(drafts(tmp_path)) == 3
        async with file_store(tmp_path) as store:
            await store.put("key", b"")
            assert drafts(tmp_path) == ["written"]


async def test_an_upload_that_is_aborted_while_it_is_completed_is_one_or_the_other(
    tmp_path: Path,
) -> None:
    async with file_store(tmp_path) as store:
        for _ in range(20):
            upload = await store.begin_upload("up", content_type="text/plain")
            await upload.add(b"body")
            done, _ = await asyncio.gather(
                upload.complete(), upload.abort(), return_exceptions=True
            )
            found = await store.get("up", bytes_max=10)
            assert (found is None) == isinstance(done, UploadGoneError)
            assert await store.unfinished_uploads("") == []
            await store.delete("up")


async def test_an_upload_that_goes_while_its_parts_are_joined_is_not_completed(
    tmp_path: Path,
) -> None:
    async with file_store(tmp_path) as store:
        await store.put("up", b"old")
        upload = await store.begin_upload("up", content_type="text/plain")
        await upload.add(b"new")
        (lock,) = (tmp_path / "locks").iterdir()
        with lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            completing = asyncio.ensure_future(upload.complete())
            await until(lambda: drafts(tmp_path))
            (tmp_path / "uploads" / upload.upload_id).rename(tmp_path / "aborted")
        with pytest.raises(UploadGoneError):
            await completing
        assert await store.get("up", bytes_max=10) == (b"old", (await store.list(""))[0].etag)


async def test_a_second_completion_is_refused(tmp_path: Path) -> None:
    async with file_store(tmp_path) as store:
        upload = await store.begin_upload("up", content_type="text/plain")
        await upload.add(b"body")
        await upload.complete()
        with pytest.raises(UploadGoneError):
            await upload.complete()
