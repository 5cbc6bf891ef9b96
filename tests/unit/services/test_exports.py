"""Exports: one end each, with its file, whatever is lost, refused or killed on the way."""

import asyncio
import csv
import gzip
import hashlib
import io
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movieql.domain.callers import Caller
from movieql.domain.csv_cells import COLUMNS
from movieql.domain.errors import (
    BadInputError,
    ExportCorruptError,
    ExportStateError,
    ForbiddenError,
    IdempotencyConflictError,
    MovieqlError,
    NothingObservedError,
    QueueError,
    StoreError,
    StoreUnwritableError,
    TooManyExportsError,
    UploadGoneError,
)
from movieql.domain.exports import (
    SYSTEM_SUBJECT,
    ExportInput,
    ExportStatus,
    JobState,
    Manifest,
    owner_of,
)
from movieql.ports import ExportProgress
from movieql.storage.files import FileStore
from movieql.storage.links import LinkSigner
from tests.builders import row
from tests.object_store import FILES_URL, LINK_SECRET, Faults, moto, s3_store
from tests.unit.services.export_world import (
    ADMIN,
    ANALYST,
    OTHER,
    START,
    Fault,
    FaultyStore,
    Killed,
    RunningClock,
    World,
    no_progress,
)

KEY = ExportInput(idempotency_key="monday")


def open_world(root: Path, first_id: int = 1) -> World:
    clock = RunningClock(START)
    signer = LinkSigner(LINK_SECRET, FILES_URL, clock.now)
    return World(
        FaultyStore(
            FileStore(
                root, clock=clock, sign_link=signer.sign, call_timeout_s=30.0, threads_max=10
            )
        ),
        clock,
        first_id=first_id,
    )


async def close(world: World) -> None:
    assert isinstance(world.store.inner, FileStore)
    await world.store.inner.aclose()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = open_world(tmp_path)
    yield world
    await close(world)


def cells(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


async def test_an_export_has_a_row_per_movie_and_provider(world: World) -> None:
    await world.watch_both()
    manifest, body = await world.exported()
    rows = cells(body)
    assert manifest.status is ExportStatus.READY
    assert (manifest.rows, len(rows)) == (41, 41)
    assert manifest.sha256 == hashlib.sha256(body).hexdigest()
    assert manifest.size_bytes == len(body)
    both = [each for each in rows if each["movie_id"] == "tt0000001"]
    assert [(each["provider"], each["price"], each["cheapest"]) for each in both] == [
        ("cinemaworld", "5", "true"),
        ("corner", "9.5", "false"),
    ]
    assert both[0]["first_seen"] == "2026-01-02T12:00:00.000Z"
    assert await world.keys("pending/") == []


async def test_a_compressed_export_is_the_same_file(world: World) -> None:
    await world.watch_both()
    _, plain = await world.exported()
    first, packed = await world.exported(ExportInput(gzip=True))
    _, again = await world.exported(ExportInput(gzip=True))
    assert first.data_key is not None
    assert first.data_key.endswith(".csv.gz")
    assert gzip.decompress(packed) == plain
    assert packed == again


async def test_a_provider_that_is_down_now_is_in_the_file(world: World) -> None:
    await world.watch_both()
    world.clock.jump(hours=20)
    world.see("corner", row("c0", title="Movie 0", price="9.5"))
    await world.observer.flush()
    world.clock.jump(seconds=1)
    manifest, body = await world.exported()
    assert manifest.status is ExportStatus.READY
    assert {each["provider"]: each["stale"] for each in cells(body)}["cinemaworld"] == "true"
    seen = {each.provider: each.last_observed_ms for each in manifest.sources}
    assert seen["cinemaworld"] is not None
    assert seen["corner"] is not None
    assert seen["corner"] - seen["cinemaworld"] == 20.5 * 3_600_000  # so old


@pytest.mark.parametrize("written", ["pending/", "requests/"])
async def test_an_export_that_the_disk_refuses_has_not_been_asked_for(
    world: World, written: str
) -> None:
    world.store.fault = lambda _, name: "unwritable" if name.startswith(f"put {written}") else None
    with pytest.raises(StoreUnwritableError):
        await world.exports.request(ANALYST, ExportInput())
    assert len([name for name in world.store.calls if name.startswith(f"put {written}")]) == 1
    assert await world.keys("requests/") == []


async def test_an_export_that_the_disk_keeps_off_the_list_comes_onto_it_later(
    world: World,
) -> None:
    world.store.fault = lambda _, name: "unwritable" if name.startswith("put owners/") else None
    export = await world.exports.request(ANALYST, ExportInput())
    assert (await world.exports.page(ANALYST, 5)).exports == ()
    world.store.heal()
    await world.reconciler.round()
    assert [each.request.id for each in (await world.exports.page(ANALYST, 5)).exports] == [
        export.request.id
    ]


async def test_a_provider_that_was_not_seen_makes_it_partial(world: World) -> None:
    await world.watch_both()
    world.clock.jump(hours=25)
    world.see("corner", row("c0", title="Movie 0", price="9.5"))
    await world.observer.flush()
    world.clock.jump(seconds=1)
    manifest, body = await world.exported()
    assert manifest.status is ExportStatus.PARTIAL
    assert [(each.provider, each.observed, each.rows) for each in manifest.sources] == [
        ("cinemaworld", False, 0),
        ("corner", True, 1),
    ]
    assert len(cells(body)) == 1
    asked = ExportInput(providers=("corner",))
    assert (await world.exported(asked))[0].status is ExportStatus.READY


async def test_when_nothing_was_seen_there_is_no_empty_success(world: World) -> None:
    export = await world.exports.request(ANALYST, KEY)
    with pytest.raises(NothingObservedError):
        await world.run_jobs()
    world.clock.jump(minutes=2)
    await world.reconciler.round()
    (manifest,) = await world.run_jobs()
    assert manifest is not None
    assert (manifest.status, manifest.attempts) == (ExportStatus.FAILED, 2)
    assert manifest.error == str(NothingObservedError())
    assert await world.keys("data/") == []
    seen = await world.exports.get(ANALYST, export.request.id)
    assert seen is not None
    assert seen.status is ExportStatus.FAILED


async def test_an_export_of_nothing_says_so_however_fast_its_job_is_run_again(
    world: World,
) -> None:
    export = await world.exports.request(ANALYST, KEY)
    for _ in range(24):  # there are 25, five in each of five generations
        with suppress(NothingObservedError):
            await world.run_job(export.request.id)
    manifest = await world.archive.manifest(export.request.id)
    assert manifest is not None
    assert manifest.error == str(NothingObservedError())


async def test_what_is_written_down_soon_after_is_in_it(world: World) -> None:
    world.see("corner", row("c0", title="Movie 0", price="9.5"))
    world.clock.jump(seconds=10)
    export = await world.exports.request(ANALYST, KEY)
    with pytest.raises(NothingObservedError):
        await world.run_jobs()
    world.clock.jump(seconds=50)
    await world.observer.flush()
    await world.reconciler.round()
    await world.run_jobs()
    manifest = await world.archive.manifest(export.request.id)
    assert manifest is not None
    assert manifest.rows == 1


async def test_the_same_key_and_input_give_the_same_export(world: World) -> None:
    first = await world.exports.request(ANALYST, KEY)
    world.clock.jump(hours=1)
    second = await world.exports.request(ANALYST, KEY)
    assert first.request == second.request
    assert len(world.queue.jobs) == 1
    assert (await world.exports.request(OTHER, KEY)).request.id != first.request.id
    page = await world.exports.page(ANALYST, 10)
    assert [each.request.id for each in page.exports] == [first.request.id]


async def test_the_same_key_with_other_input_is_a_conflict(world: World) -> None:
    await world.exports.request(ANALYST, KEY)
    other = ExportInput(idempotency_key="monday", gzip=True)
    with pytest.raises(IdempotencyConflictError):
        await world.exports.request(ANALYST, other)


async def test_without_a_key_each_call_is_an_export(world: World) -> None:
    ids = {(await world.exports.request(ANALYST, ExportInput())).request.id for _ in range(3)}
    assert len(ids) == 3


async def test_many_who_ask_at_once_with_a_key_make_one(world: World) -> None:
    exports = await asyncio.gather(*(world.exports.request(ANALYST, KEY) for _ in range(8)))
    assert len({each.request.write_id for each in exports}) == 1
    assert len(await world.keys("requests/")) == len(await world.keys("owners/")) == 1
    days = await asyncio.gather(
        *(world.exports.daily(START - timedelta(days=1)) for _ in range(4))
    )
    assert len({each.request.id for each in days}) == 1
    assert days[0].request.window.until_ms - days[0].request.window.since_ms == 86_400_000


async def test_a_queue_that_is_down_is_not_the_callers_error(world: World) -> None:
    await world.watch_both()
    world.queue.down = True
    export = await world.exports.request(ANALYST, KEY)
    assert export.status is ExportStatus.QUEUED
    assert world.telemetry.queue_failures
    assert world.telemetry.faults == []
    world.clock.jump(minutes=10)
    for _ in range(9):
        with pytest.raises(QueueError):
            await world.reconciler.round()
    world.queue.down, world.queue.full = False, True
    for _ in range(9):
        await world.reconciler.round()
        world.clock.jump(seconds=40)
    world.queue.full = False
    await world.reconciler.round()
    (manifest,) = await world.run_jobs()
    assert manifest is not None
    assert manifest.status is ExportStatus.READY


async def test_input_that_is_refused_leaves_nothing(world: World) -> None:
    for given_input in (
        ExportInput(providers=("house",)),
        ExportInput(idempotency_key=""),
        ExportInput(until=START + timedelta(hours=1)),
    ):
        with pytest.raises(BadInputError):
            await world.exports.request(ANALYST, given_input)
    with pytest.raises(ForbiddenError):
        await world.exports.request(Caller(SYSTEM_SUBJECT), KEY)
    assert await world.keys() == []


async def test_a_caller_may_have_so_many_open_exports(world: World) -> None:
    await world.watch_both()
    for _ in range(3):
        await world.exports.request(ANALYST, ExportInput())
    with pytest.raises(TooManyExportsError, match="3"):
        await world.exports.request(ANALYST, ExportInput())
    await world.exports.request(OTHER, ExportInput())
    await world.run_jobs()
    await world.exports.request(ANALYST, ExportInput())


async def test_callers_who_race_over_replicas_get_as_many_exports_as_they_may(
    tmp_path: Path,
) -> None:
    replicas = [open_world(tmp_path, first_id=1_000 * number) for number in range(1, 4)]
    for _ in range(5):
        asked = [world.exports.request(ANALYST, ExportInput()) for world in replicas * 4]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        refused = [each for each in ended if isinstance(each, BaseException)]
        assert {type(each) for each in refused} == {TooManyExportsError}
        got = [each for each in ended if not isinstance(each, BaseException)]
        assert len(got) == 3
        for export in got:
            await replicas[0].exports.cancel(ANALYST, export.request.id)
    for world in replicas:
        await close(world)


async def test_one_key_that_is_used_at_once_on_two_replicas_counts_once(tmp_path: Path) -> None:
    replicas = [open_world(tmp_path, first_id=1_000 * number) for number in range(1, 4)]
    asked = [world.exports.request(ANALYST, KEY) for world in replicas * 2]
    assert len({each.request.id for each in await asyncio.gather(*asked)}) == 1
    for _ in range(2):
        await replicas[1].exports.request(ANALYST, ExportInput())
    with pytest.raises(TooManyExportsError):
        await replicas[2].exports.request(ANALYST, ExportInput())
    for world in replicas:
        await close(world)


@pytest.mark.parametrize("place", ["open/", "pending/"])
async def test_a_process_that_dies_before_its_intent_costs_quota_for_a_while_only(
    world: World, place: str
) -> None:
    killed = f"put {place}"
    world.store.fault = lambda _, name: "killed after" if name.startswith(killed) else None
    for _ in range(3):
        with pytest.raises(Killed):
            await world.exports.request(ANALYST, ExportInput())
    world.store.heal()
    with pytest.raises(TooManyExportsError):
        await world.exports.request(ANALYST, ExportInput())
    world.clock.jump(minutes=11)
    await world.exports.request(ANALYST, ExportInput())


async def test_an_admission_whose_answer_is_lost_counts_once(world: World) -> None:
    faults: list[Fault] = ["lost", "lost"]
    world.store.fault = lambda _, name: (
        faults.pop() if faults and name.startswith("put open/") else None
    )
    for _ in range(3):
        await world.exports.request(ANALYST, ExportInput())
    with pytest.raises(TooManyExportsError):
        await world.exports.request(ANALYST, ExportInput())


async def test_an_admission_tries_each_call_as_often_as_any_other(world: World) -> None:
    for _ in range(3):
        await world.exports.request(ANALYST, ExportInput())
    world.store.heal()
    refused = ("get requests/", "get manifests/")
    world.store.fault = lambda _, name: "refused" if name.startswith(refused) else None
    with pytest.raises(StoreError):
        await world.exports.request(ANALYST, ExportInput())
    gets = Counter(name for name in world.store.calls if name.startswith("get "))
    assert set(gets.values()) == {1, 3}  # the record was read, and the rest tried three times


async def test_an_export_that_is_forgotten_leaves_the_others_in_the_record_of_who_is_open(
    world: World,
) -> None:
    first = await world.exports.request(ANALYST, ExportInput())
    await world.exports.cancel(ANALYST, first.request.id)
    world.clock.jump(days=30)
    later = {(await world.exports.request(ANALYST, ExportInput())).request.id for _ in range(2)}
    await world.archive.forget(first.request.id)
    (key,) = await world.keys("open/")
    found = await world.store.inner.get(key, bytes_max=1_000)
    assert found is not None
    assert json.loads(found[0]).keys() == later
    await world.exports.request(ANALYST, ExportInput())
    with pytest.raises(TooManyExportsError):
        await world.exports.request(ANALYST, ExportInput())


async def test_a_record_of_who_is_open_that_cannot_be_read_is_told(world: World) -> None:
    await world.exports.request(ANALYST, ExportInput())
    (key,) = await world.keys("open/")
    await world.store.inner.put(key, b"[1]")
    with pytest.raises(ExportCorruptError, match=key):
        await world.exports.request(ANALYST, ExportInput())


async def test_what_ended_does_not_count_as_open_even_when_that_is_still_noted(
    world: World,
) -> None:
    for _ in range(3):
        export = await world.exports.request(ANALYST, ExportInput())
        await world.exports.cancel(ANALYST, export.request.id)
    assert len(await world.keys("pending/")) == 3
    await world.exports.request(ANALYST, ExportInput())


async def test_for_others_an_export_is_as_if_it_were_not_there(world: World) -> None:
    await world.watch_both()
    own = (await world.exports.request(ANALYST, KEY)).request.id
    daily = (await world.exports.daily(START - timedelta(days=1))).request.id
    await world.run_jobs()
    calls: list[list[str]] = []
    for caller, wanted in ((OTHER, own), (OTHER, "b" * 24), (ANALYST, daily), (OTHER, "../x")):
        world.store.heal()
        assert await world.exports.get(caller, wanted) is None
        calls.append([name.split()[0] for name in world.store.calls])
        for act in (world.exports.cancel, world.exports.retry, world.exports.link):
            assert await act(caller, wanted) is None
    assert calls == [["get", "get"]] * 4
    for caller, wanted in ((ANALYST, own), (ADMIN, own), (ADMIN, daily)):
        assert await world.exports.get(caller, wanted) is not None
    impostor = Caller(SYSTEM_SUBJECT, frozenset({"exports"}))
    assert await world.exports.get(impostor, daily) is None


async def test_progress_is_told_while_it_runs(world: World) -> None:
    export = await world.exports.request(ANALYST, KEY)
    world.queue.reported[export.request.id] = ExportProgress(5, 10, 1)
    seen = await world.exports.get(ANALYST, export.request.id)
    assert seen is not None
    assert (seen.status, seen.job) == (
        ExportStatus.RUNNING,
        JobState(running=True, done=5, total=10),
    )


async def test_the_jobs_own_progress_ends_with_all_of_it(world: World) -> None:
    await world.watch_both()
    told: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        told.append((done, total))

    export = await world.exports.request(ANALYST, KEY)
    await world.job.run(export.request.id, "t", progress)
    assert told[0] == (0, 0)
    assert told[-1] == (41, 41)
    assert sorted(told) == told


async def test_exports_are_listed_the_latest_first_page_by_page(world: World) -> None:
    wanted = []
    for _ in range(3):
        wanted.append((await world.exports.request(ANALYST, ExportInput())).request.id)
        world.clock.jump(seconds=1)
    await world.exports.request(OTHER, KEY)
    found, after, has_next = [], None, True
    while has_next:
        page = await world.exports.page(ANALYST, 2, after)
        found += [each.request.id for each in page.exports]
        after, has_next = page.cursors[-1], page.has_next
    assert found == wanted[::-1]
    assert (await world.exports.page(Caller("new"), 5)).exports == ()
    for first, wrong in ((0, None), (51, None), (5, "x"), (5, "../../requests/")):
        with pytest.raises(BadInputError):
            await world.exports.page(ANALYST, first, wrong)


async def test_a_link_downloads_the_file_until_it_expires(world: World) -> None:
    await world.watch_both()
    export = await world.exports.request(ANALYST, KEY)
    with pytest.raises(ExportStateError, match="QUEUED"):
        await world.exports.link(ANALYST, export.request.id)
    await world.run_jobs()
    assert (await world.exports.link(ANALYST, export.request.id) or "").startswith("http")
    world.clock.jump(days=8)
    with pytest.raises(ExportStateError, match="EXPIRED"):
        await world.exports.link(ANALYST, export.request.id)
    await world.janitor.round()
    assert await world.keys("data/") == []
    seen = await world.exports.get(ANALYST, export.request.id)
    assert seen is not None
    assert (seen.status, seen.manifest is not None) == (ExportStatus.EXPIRED, True)


async def test_a_cancelled_export_is_not_made(world: World) -> None:
    await world.watch_both()
    export = await world.exports.request(ANALYST, KEY)
    cancelled = await world.exports.cancel(ANALYST, export.request.id)
    assert cancelled is not None
    assert cancelled.status is ExportStatus.CANCELLED
    (manifest,) = await world.run_jobs()
    assert manifest is not None
    assert manifest.status is ExportStatus.CANCELLED
    assert await world.keys("data/") == []


async def by_a_job(world: World) -> None:
    await world.watch_both()
    await world.run_jobs()


async def by_its_owner(world: World) -> None:
    (export,) = (await world.exports.page(ANALYST, 1)).exports
    await world.exports.cancel(ANALYST, export.request.id)


async def by_taking_too_long(world: World) -> None:
    world.clock.jump(days=2)
    await world.reconciler.round()


@pytest.mark.parametrize("end", [by_a_job, by_its_owner, by_taking_too_long])
async def test_an_export_ends_with_the_attempts_that_were_reported(
    world: World, end: Callable[[World], Awaitable[None]]
) -> None:
    export = await world.exports.request(ANALYST, KEY)
    await world.queue.report(export.request.id, ExportProgress(0, 0, 7))
    await end(world)
    manifest = await world.archive.manifest(export.request.id)
    assert manifest is not None
    assert manifest.attempts == 7


async def test_an_export_is_cancelled_while_its_attempts_cannot_be_asked_for(world: World) -> None:
    export = await world.exports.request(ANALYST, KEY)
    world.queue.down = True
    cancelled = await world.exports.cancel(ANALYST, export.request.id)
    assert cancelled is not None
    assert cancelled.status is ExportStatus.CANCELLED


async def test_an_export_that_is_cancelled_while_it_is_written_stops(world: World) -> None:
    await world.watch_both()
    export = await world.exports.request(ANALYST, KEY)
    told: list[int] = []

    async def cancel(done: int, _total: int) -> None:
        told.append(done)
        if len(told) == 2:
            await world.exports.cancel(ANALYST, export.request.id)

    manifest = await world.job.run(export.request.id, "t", cancel)
    assert manifest is not None
    assert manifest.status is ExportStatus.CANCELLED
    assert 0 < world.store.calls.count("add") < 12
    assert await world.store.unfinished_uploads("") == []
    assert await world.keys("data/") == []


async def test_cancelling_what_ended_changes_nothing(world: World) -> None:
    await world.watch_both()
    manifest, _ = await world.exported(KEY)
    after = await world.exports.cancel(ANALYST, manifest.export_id)
    assert after is not None
    assert after.manifest == manifest


async def test_only_what_has_something_to_mend_is_retried_and_only_once(world: World) -> None:
    await world.watch_both()
    manifest, _ = await world.exported(KEY)
    with pytest.raises(ExportStateError, match="READY"):
        await world.exports.retry(ANALYST, manifest.export_id)
    export = await world.exports.request(ANALYST, ExportInput(idempotency_key="b"))
    with pytest.raises(ExportStateError, match="QUEUED"):
        await world.exports.retry(ANALYST, export.request.id)
    await world.exports.cancel(ANALYST, export.request.id)
    world.clock.jump(hours=2)
    again = await world.exports.retry(ANALYST, export.request.id)
    twice = await world.exports.retry(ANALYST, export.request.id)
    assert again is not None
    assert twice is not None
    assert again.request == twice.request
    assert again.request.retry_of == export.request.id
    assert again.request.window == export.request.window
    ended = await world.run_jobs()
    assert [each and each.status for each in ended][-1] is ExportStatus.READY


async def test_two_jobs_at_once_leave_one_file(world: World) -> None:
    await world.watch_both()
    export = await world.exports.request(ANALYST, KEY)
    runs = (world.job.run(export.request.id, f"t{n}", no_progress) for n in range(4))
    ended = await asyncio.gather(*runs)
    assert len(set(ended)) == 1
    assert len(await world.keys("data/")) == 1
    await check_one_end(world)


async def test_each_end_is_told_and_counted_once_by_whoever_brought_it(world: World) -> None:
    await world.watch_both()
    export = await world.exports.request(ANALYST, KEY)
    world.clock.jump(seconds=30)
    world.store.fault = lambda _, name: "lost" if name == "put" else None
    runs = (world.job.run(export.request.id, f"t{n}", no_progress) for n in range(4))
    await asyncio.gather(*runs)
    world.store.heal()
    await world.exports.cancel(ANALYST, export.request.id)
    ((export_id, status, rows, seconds),) = world.telemetry.ended
    assert (export_id, status, rows) == (export.request.id, "READY", 41)
    assert 30 <= seconds < 60
    assert await world.tally.counts() == {ExportStatus.READY: 1}


async def test_a_tally_that_is_down_does_not_keep_an_export_from_its_end(world: World) -> None:
    world.tally.broken = True
    export = await world.exports.request(ANALYST, KEY)
    cancelled = await world.exports.cancel(ANALYST, export.request.id)
    assert cancelled is not None
    assert cancelled.status is ExportStatus.CANCELLED
    assert [ended[:3] for ended in world.telemetry.ended] == [(export.request.id, "CANCELLED", 0)]
    (failure,) = world.telemetry.queue_failures
    assert failure.startswith("export tally: ")


async def test_what_has_ended_is_not_made_again(world: World) -> None:
    await world.watch_both()
    manifest, _ = await world.exported(KEY)
    world.store.heal()
    assert await world.run_job(manifest.export_id) == manifest
    assert not any(name.startswith("begin") for name in world.store.calls)


async def test_a_file_whose_completion_was_not_answered_is_not_written_again(
    world: World,
) -> None:
    await world.watch_both()
    world.store.fault = lambda _, name: "lost" if name == "complete" else None
    manifest, _ = await world.exported(KEY)
    assert manifest.status is ExportStatus.READY
    assert sum(name.startswith("begin") for name in world.store.calls) == 1


@pytest.mark.parametrize("fault", ["refused", "lost", "killed before", "killed after"])
async def test_an_intent_that_is_there_is_carried_out_wherever_its_writing_broke_off(
    fault: Fault, tmp_path: Path
) -> None:
    carried_out, number, answered = 0, 0, False
    while not answered or number < 8:
        world = open_world(tmp_path / str(number))
        await world.watch_both()
        world.store.heal()
        world.store.fault = breaking_from(number, fault)
        answered = await survived(lambda world=world: world.exports.request(ANALYST, KEY))  # type: ignore[misc]
        world.store.heal()
        world.queue.jobs.clear()
        world.clock.jump(seconds=40)
        await world.reconciler.round()
        await world.run_jobs()
        if await world.keys("requests/"):
            await check_one_end(world)
            carried_out += 1
        else:
            assert not answered
        await close(world)
        number += 1
    assert carried_out


def breaking_from(number: int, fault: Fault) -> Callable[[int, str], Fault | None]:
    return lambda at, _: fault if at >= number else None


async def test_a_job_of_no_export_or_without_a_proper_token_does_nothing(world: World) -> None:
    assert await world.run_job("a" * 24) is None
    with pytest.raises(BadInputError):
        await world.job.run("a" * 24, "../x", no_progress)


async def test_a_corrupt_file_of_observations_fails_the_export_and_names_it(world: World) -> None:
    await world.watch_both()
    (key,) = await world.keys("observations/")
    await world.store.inner.put(key, b"broken")
    await world.exports.request(ANALYST, KEY)
    (manifest,) = await world.run_jobs()
    assert manifest is not None
    assert manifest.status is ExportStatus.FAILED
    assert key in (manifest.error or "")


async def test_an_export_without_a_job_is_queued_again_and_given_up_at_last(
    world: World,
) -> None:
    export = await world.exports.request(ANALYST, KEY)
    generations = []
    for _ in range(9):
        generations += [generation for _, generation in world.queue.jobs]
        await world.reconciler.round()  # it has a job
        world.queue.jobs.clear()
        await world.reconciler.round()  # it may just be on its way
        world.clock.jump(seconds=31)
        await world.reconciler.round()
    assert generations == [1, 2, 3, 4, 5]
    seen = await world.exports.get(ANALYST, export.request.id)
    assert seen is not None
    assert seen.manifest is not None
    assert seen.manifest.error == "It broke off 5 times."
    assert await world.keys("pending/") == []


async def test_an_export_that_takes_a_day_has_failed_even_with_a_job(world: World) -> None:
    export = await world.exports.request(ANALYST, KEY)
    world.clock.jump(days=1)
    await world.reconciler.round()
    seen = await world.exports.get(ANALYST, export.request.id)
    assert seen is not None
    assert seen.status is ExportStatus.FAILED


async def test_many_reconcilers_at_once_raise_the_generation_once(world: World) -> None:
    export = await world.exports.request(ANALYST, KEY)
    world.queue.jobs.clear()
    world.clock.jump(minutes=1)
    await asyncio.gather(*(world.reconciler.round() for _ in range(5)))
    assert list(world.queue.jobs) == [(export.request.id, 2)]
    pending = await world.archive.pending(owner_of("analyst"), export.request.id)
    assert pending is not None
    assert pending.generation == 2


async def test_a_reconciler_that_is_late_brings_nothing_back(world: World) -> None:
    export = await world.exports.request(ANALYST, KEY)
    before = await world.archive.pending(owner_of("analyst"), export.request.id)
    assert before is not None
    assert await world.archive.next_generation(before, 5)
    assert not await world.archive.next_generation(before, 6)
    after = await world.archive.pending(owner_of("analyst"), export.request.id)
    assert after is not None
    await world.archive.end(after.owner, after.export_id)
    assert not await world.archive.next_generation(after, 7)
    assert await world.keys("pending/") == []


async def test_the_janitor_removes_what_nobody_refers_to_and_nothing_else(world: World) -> None:
    await world.watch_both()
    manifest, _ = await world.exported(KEY)
    orphan = f"data/{manifest.export_id}/other.csv"
    await world.store.put(orphan, b"x")
    await world.store.put("data/readme.txt", b"x")
    upload = await world.store.begin_upload(orphan, content_type="text/csv")
    await world.janitor.round()
    assert len(await world.keys("data/")) == 3
    world.clock.jump(hours=2)
    await world.janitor.round()
    with pytest.raises(UploadGoneError):
        await upload.add(b"x")
    world.clock.jump(hours=23)
    await world.janitor.round()
    assert await world.keys("data/") == [manifest.data_key]
    world.clock.jump(days=100)
    await world.janitor.round()
    await world.janitor.round()
    assert await world.keys() == []
    assert world.telemetry.faults == []


async def test_one_manifest_that_cannot_be_read_does_not_stop_the_janitor(world: World) -> None:
    await world.watch_both()
    ids = [(await world.exported())[0].export_id for _ in range(3)]
    await world.store.inner.put(f"manifests/{min(ids)}.json", b"broken")
    world.clock.jump(days=8)
    await world.janitor.round()
    assert [key[5:29] for key in await world.keys("data/")] == [min(ids)]
    assert min(ids) in str(world.telemetry.faults[0])


async def check_one_end(world: World) -> Manifest:
    """Every export has one manifest, with its file, and nothing else is left."""
    world.clock.jump(days=1, hours=1)
    await world.reconciler.round()
    await world.janitor.round()
    requests, manifests = await world.keys("requests/"), await world.keys("manifests/")
    assert len(requests) == len(manifests) == 1
    manifest = await world.archive.manifest(manifests[0][10:-5])
    assert manifest is not None
    assert manifest.status is ExportStatus.READY
    body = await world.body(manifest)
    assert hashlib.sha256(body).hexdigest() == manifest.sha256
    assert len(cells(body)) == manifest.rows == 41
    assert list(cells(body)[0]) == list(COLUMNS)
    assert await world.keys("data/") == [manifest.data_key]
    assert await world.keys("pending/") == []
    assert len(await world.keys("owners/")) == 1
    assert await world.store.unfinished_uploads("") == []
    return manifest


async def live_through(world: World) -> None:
    """Ask until there is an answer, run the job, and look after it, whatever breaks."""
    for _ in range(4):
        if await survived(lambda: world.exports.request(ANALYST, KEY)):
            break
    for _ in range(6):
        if await survived(world.run_jobs):
            world.clock.jump(seconds=40)
        await survived(world.reconciler.round)


async def survived(act: Callable[[], object]) -> bool:
    try:
        await act()  # type: ignore[misc]  # whatever it returns is awaited
    except (Killed, MovieqlError):
        return False
    return True


async def count_calls(root: Path) -> int:
    world = open_world(root)
    await world.watch_both()
    world.store.heal()
    await live_through(world)
    count = len(world.store.calls)
    await check_one_end(world)
    await close(world)
    return count


async def count_job_calls(root: Path) -> int:
    world = open_world(root)
    await world.watch_both()
    await world.exports.request(ANALYST, KEY)
    world.store.heal()
    await world.run_jobs()
    await close(world)
    return len(world.store.calls)


@pytest.mark.parametrize("fault", ["refused", "lost", "killed before", "killed after"])
async def test_whichever_call_breaks_there_is_one_end_with_its_file(
    fault: Fault, tmp_path: Path
) -> None:
    calls = await count_calls(tmp_path / "whole")
    assert calls > 25
    for number in range(calls):
        world = open_world(tmp_path / str(number))
        await world.watch_both()
        world.store.heal()
        world.store.fault = lambda at, _, broken=number: fault if at == broken else None  # type: ignore[misc]
        await live_through(world)
        world.store.heal()
        await check_one_end(world)
        await close(world)


@pytest.mark.parametrize("fault", ["refused", "lost", "killed before", "killed after"])
async def test_whichever_call_breaks_for_good_in_one_job_the_next_one_ends_it(
    fault: Fault, tmp_path: Path
) -> None:
    """From that call on nothing works until the process is gone."""
    number, calls = 0, 1
    while number < calls:
        world = open_world(tmp_path / str(number))
        await world.watch_both()
        await world.exports.request(ANALYST, KEY)
        if not number:
            calls = await count_job_calls(tmp_path / "whole")
        world.store.heal()
        world.store.fault = breaking_from(number, fault)
        assert not await survived(world.run_jobs) or fault == "refused"
        world.store.heal()
        world.clock.jump(seconds=40)
        await world.reconciler.round()
        await world.run_jobs()
        await check_one_end(world)
        await close(world)
        number += 1


@given(st.integers(0, 10**6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_in_any_weather_there_is_one_end_with_its_file(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    world = open_world(tmp_path / str(seed))
    await world.watch_both()
    kinds: list[Fault] = ["refused", "lost", "killed before", "killed after"]
    world.store.fault = lambda *_: rng.choice(kinds) if rng.random() < 0.12 else None
    await live_through(world)
    world.store.heal()
    await world.exports.request(ANALYST, KEY)
    world.queue.jobs.clear()
    for _ in range(5):
        world.clock.jump(seconds=40)
        await world.reconciler.round()
        await world.run_jobs()
    manifests = await world.keys("manifests/")
    manifest = await world.archive.manifest(manifests[0][10:-5])
    assert manifest is not None
    if manifest.status is ExportStatus.READY:  # else it was given up, and that is its end
        await check_one_end(world)
    else:
        assert manifest.status is ExportStatus.FAILED
    await close(world)


async def test_over_s3_with_refusals_and_lost_answers_each_export_ends_once() -> None:
    with moto(Faults(seed=3)) as server:
        async with s3_store(server) as store:
            world = World(FaultyStore(store), RunningClock(START))
            await world.watch_both()
            server.faults.refused_share, server.faults.lost_share = 0.1, 0.1
            for number in range(4):
                given_input = ExportInput(idempotency_key=str(number))
                while not await survived(lambda g=given_input: world.exports.request(ANALYST, g)):  # type: ignore[misc]
                    pass
                while world.queue.jobs:
                    await survived(world.run_jobs)
            server.faults.refused_share = server.faults.lost_share = 0.0
            world.clock.jump(seconds=40)
            await world.reconciler.round()
            await world.run_jobs()
            keys = await world.keys("manifests/")
            assert len(keys) == 4
            for key in keys:
                manifest = await world.archive.manifest(key[10:-5])
                assert manifest is not None
                body = await world.body(manifest)
                assert hashlib.sha256(body).hexdigest() == manifest.sha256
                assert manifest.rows == 41
            assert server.faults.counts["lost"] > 3


async def test_a_store_that_stays_away_is_an_error_of_the_job(world: World) -> None:
    await world.watch_both()
    await world.exports.request(ANALYST, KEY)
    world.store.fault = lambda _, name: "refused" if name.startswith("begin") else None
    with pytest.raises(StoreError):
        await world.run_jobs()
    assert sum(name.startswith("begin") for name in world.store.calls) == 3
