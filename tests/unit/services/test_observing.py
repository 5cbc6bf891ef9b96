"""What is seen is written once, found again whole, and put together without a difference."""

import asyncio
import io
import random
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from movieql.domain.errors import (
    BadInputError,
    LimitExceededError,
    ObservationsCorruptError,
    ObservationsIncompleteError,
    StoreError,
)
from movieql.domain.export_rows import ExportRow
from movieql.domain.folding import AllMarks, OfferSummary, fold_offers
from movieql.domain.observations import Window, milliseconds
from movieql.domain.recording import RecorderLimits
from movieql.domain.segments import read_offer
from movieql.ports import LIST, Call
from movieql.services.compacting import CompactionRules, Compactor
from movieql.services.export_folding import Folding, FoldLimits
from movieql.services.observed import ObservationReader, ReadingLimits
from movieql.services.price_history import PriceHistory, PriceHistoryLimits
from movieql.services.segment_names import compacted_key, read_name, segment_key
from movieql.storage.files import FileStore
from tests.builders import row
from tests.unit.services.export_world import (
    DETAILED,
    LISTED,
    START,
    FaultyStore,
    RunningClock,
    World,
)

DAY_MS = 86_400_000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = RunningClock(START)
    store = FileStore(
        tmp_path, clock=clock, sign_link=lambda *_: "", call_timeout_s=30.0, threads_max=10
    )
    yield World(FaultyStore(store), clock)
    await store.aclose()


async def folded(
    world: World, window: Window | None = None, reader: ObservationReader | None = None
) -> list[OfferSummary]:
    """Read and fold everything from the first day on."""
    reader = reader or world.reader
    now_ms = milliseconds(world.clock.now())
    window = window or Window(milliseconds(START), now_ms + 1)
    marks, facts = AllMarks(), []
    async for _, segment in reader.read(await reader.find(window.since_ms, now_ms)):
        for watcher, each in segment.marks:
            marks.add(watcher, each)
        facts += [(watcher, read_offer(line)) for watcher, line in segment.lines]
    return list(fold_offers(facts, marks, window))


async def test_what_is_seen_is_read_back(world: World) -> None:
    await world.watch_both()
    summaries = {each.key: each for each in await folded(world)}
    assert len(summaries) == 41
    assert summaries["corner", "c7"].price == Decimal("9.5")
    assert summaries["cinemaworld", "cw0000001"].price == Decimal(5)
    assert {key[0] for key in summaries} == {"corner", "cinemaworld"}


async def test_a_flush_without_news_writes_nothing(world: World) -> None:
    await world.watch_both()
    assert await world.observer.flush()
    assert len(await world.keys()) == 1


async def test_an_unchanged_shop_costs_a_few_bytes_a_flush(world: World) -> None:
    for _ in range(3):
        world.see("corner", *(row(f"c{number}", price="9.5") for number in range(500)))
        await world.observer.flush()
        world.clock.jump(minutes=1)
    first, second, third = await world.store.inner.list("observations/")
    assert first.size_bytes > 40_000
    assert second.size_bytes < 400
    assert third.size_bytes < 400


async def test_a_failed_flush_is_kept_and_goes_first(world: World) -> None:
    world.store.fault = lambda _, name: "refused" if name.startswith("put") else None
    world.see("corner", row("c1", price="9.5"))
    assert not await world.observer.flush()
    world.clock.jump(minutes=5)
    world.see("corner", row("c2", price="5"))
    assert not await world.observer.flush()
    world.store.heal()
    assert await world.observer.flush()
    assert [key[-8:-6] for key in await world.keys()] == ["01", "02"]
    assert {each.key[1]: each.last_ms - each.first_ms for each in await folded(world)} == {
        "c1": 0,
        "c2": 0,
    }
    assert len(world.telemetry.store_failures) == 2
    assert world.telemetry.faults == []


async def test_a_lost_answer_writes_nothing_twice(world: World) -> None:
    world.see("corner", row("c1", price="9.5"))
    world.store.fault = lambda number, _: "lost" if number == 0 else None
    assert not await world.observer.flush()
    assert await world.observer.flush()
    assert len(await world.keys()) == 1
    assert len(await folded(world)) == 1


async def test_everything_is_said_anew_each_day(world: World) -> None:
    world.see("corner", row("c1", price="9.5"))
    await world.observer.flush()
    world.clock.jump(days=1)
    world.see("corner", row("c1", price="9.5"))
    await world.observer.flush()
    since_ms = milliseconds(START + timedelta(days=1)) - 5
    for key in await world.keys("observations/2026/01/02"):
        await world.store.delete(key)
    (summary,) = await folded(world, Window(since_ms, since_ms + 100))
    assert (summary.price, summary.first_ms) == (Decimal("9.5"), since_ms + 5)


async def test_much_is_written_to_several_files_with_the_marks_in_the_last(world: World) -> None:
    world.observer = world.another_observer("second", segment_bytes_max=1_000)
    world.see("corner", *(row(f"c{number}", price="9.5") for number in range(40)))
    world.store.fault = lambda number, _: "refused" if number >= 3 else None
    await world.observer.flush()
    world.store.heal()
    assert len(await world.keys()) == 3
    assert 0 < len(await folded(world)) < 40
    await world.observer.flush()
    assert len(await folded(world)) == 40
    sizes = [each.size_bytes for each in await world.store.inner.list("")]
    assert max(sizes) < 1_400


async def test_what_was_withdrawn_is_not_seen_again_when_half_of_that_was_written(
    world: World,
) -> None:
    world.observer = world.another_observer("second", segment_bytes_max=1_000)
    world.see("corner", *(row(f"c{number}", price="9.5") for number in range(40)))
    await world.observer.flush()
    world.clock.jump(minutes=1)
    world.see("corner", row("c0", price="9.5"))
    world.store.heal()
    world.store.fault = lambda number, _: "refused" if number >= 2 else None
    assert not await world.observer.flush()
    world.store.heal()
    now_ms = milliseconds(world.clock.now())
    assert await folded(world, Window(now_ms, now_ms + 1)) == []
    await world.observer.flush()
    seen = await folded(world, Window(now_ms, now_ms + 1))
    assert [each.key[1] for each in seen] == ["c0"]


async def test_a_name_under_which_nothing_would_be_found_is_refused(world: World) -> None:
    for wrong in ("", "A", "a-b", "a" * 33):
        with pytest.raises(BadInputError):
            world.another_observer(wrong)


async def test_what_is_over_the_bound_is_told(world: World) -> None:
    world.observer = world.another_observer("second", recorder=RecorderLimits(offers_max=1))
    world.see("corner", row("c1"), row("c2"))
    await world.observer.flush()
    assert "1 rows past the bound" in str(world.telemetry.faults[0])


async def test_it_flushes_by_itself_until_it_is_ended(world: World) -> None:
    world.see("corner", row("c1"))
    written = asyncio.Event()
    world.store.fault = lambda *_: written.set()
    task = asyncio.create_task(world.observer.run())
    await written.wait()
    task.cancel()
    assert milliseconds(world.clock.now()) >= milliseconds(START) + 60_000


@pytest.mark.parametrize("seed", range(8))
async def test_two_processes_that_watch_the_same_are_one_truth(world: World, seed: int) -> None:
    other = world.another_observer("second")
    rng = random.Random(seed)
    expected: dict[str, tuple[int, int]] = {}
    for minute in range(90):
        ids = [f"c{number}" for number in range(6) if rng.random() < 0.8] or ["c0"]
        rows = tuple(row(own_id, price=str(5 + minute // 30)) for own_id in ids)
        for observer in rng.choice([(world.observer,), (other,), (world.observer, other)]):
            observer.note("corner", LIST, rows, world.clock.now())
        at_ms = milliseconds(world.clock.now())
        for own_id in ids:
            expected[own_id] = (expected.get(own_id, (at_ms, 0))[0], at_ms)
        if rng.random() < 0.5:
            await rng.choice([world.observer, other]).flush()
        world.clock.jump(minutes=1)
    await world.observer.flush()
    await other.flush()
    before = await folded(world)
    assert {each.key[1]: (each.first_ms, each.last_ms) for each in before} == expected
    assert {(each.lowest, each.highest) for each in before} == {(Decimal(5), Decimal(7))}
    await compact(world)
    assert sum(key.endswith(".c.jsonl") for key in await world.keys()) >= 2
    assert await folded(world) == before
    world.clock.jump(days=2, hours=1)
    await compact(world)
    keys = await world.keys()
    assert keys
    assert all(key.endswith(".c.jsonl") for key in keys)
    window = Window(milliseconds(START), milliseconds(START) + DAY_MS)
    assert await folded(world, window) == before


async def compact(world: World) -> None:
    world.clock.jump(hours=2)
    await asyncio.gather(*(world.compactor.round() for _ in range(3)))


async def test_compacted_files_are_bounded_and_the_open_hour_is_left_alone(world: World) -> None:
    for minute in range(130):
        world.see("corner", *(row(f"c{number}", price=str(minute + 1)) for number in range(9)))
        await world.observer.flush()
        world.clock.jump(minutes=1)
    before = await folded(world)
    rules = CompactionRules(bytes_max=10_000)
    await Compactor(world.store, world.reader, world.clock, rules).round()
    compacted = [each for each in await world.store.inner.list("") if ".c." in each.key]
    assert len(compacted) > 4
    assert max(each.size_bytes for each in compacted) < 15_000
    covered = [key for each in compacted for key in (await world.reader.segment(each.key)).sources]
    assert len(covered) == len(set(covered))
    assert max(covered) < "observations/2026/01/02/14"
    assert await folded(world) == before


async def test_a_round_of_compaction_is_bounded(world: World) -> None:
    for minute in range(60):
        world.see("corner", row("c1", price=str(minute + 1)))
        await world.observer.flush()
        world.clock.jump(minutes=1)
    world.clock.jump(hours=1)
    rules = CompactionRules(files_max=20)
    await Compactor(world.store, world.reader, world.clock, rules).round()
    assert not any(".c." in key for key in await world.keys())
    world.clock.jump(days=40)
    await Compactor(world.store, world.reader, world.clock, rules).round()
    assert 35 < len(await world.keys()) < 45
    for _ in range(4):
        await world.compactor.round()
    assert await world.keys() == []


async def test_a_file_that_is_gone_is_never_a_silent_hole(world: World) -> None:
    for number in range(3):
        world.see("corner", row(f"c{number}", price="9.5"))
        await world.observer.flush()
        world.clock.jump(minutes=1)
    found = await world.reader.find(milliseconds(START), milliseconds(world.clock.now()))
    await world.store.delete((await world.keys())[1])
    with pytest.raises(ObservationsIncompleteError):
        async for _ in world.reader.read(found):
            pass
    with pytest.raises(ObservationsIncompleteError):
        await folded(world)


async def test_a_broken_file_is_an_error_that_names_it(world: World) -> None:
    await world.watch_both()
    (key,) = await world.keys()
    await world.store.put(key, b"{}")
    with pytest.raises(ObservationsCorruptError, match=key):
        await folded(world)


async def test_a_reading_is_bounded(world: World) -> None:
    for number in range(3):
        world.see("corner", row(f"c{number}"))
        await world.observer.flush()
        world.clock.jump(minutes=1)
    reader = ObservationReader(world.store, ReadingLimits(segments_max=2))
    with pytest.raises(LimitExceededError):
        await folded(world, reader=reader)
    reader = ObservationReader(world.store, ReadingLimits(segment_bytes_max=20))
    with pytest.raises(StoreError):
        await folded(world, reader=reader)


async def test_what_else_lies_there_is_left_alone(world: World) -> None:
    await world.watch_both()
    await world.store.put("observations/2026/01/02/readme.txt", b"x")
    assert len(await folded(world)) == 41


def test_names_are_by_time() -> None:
    at_ms = milliseconds(START) + 7
    key = segment_key(at_ms, "ab", 3)
    assert key == "observations/2026/01/02/120000007-ab-00000003.jsonl"
    name = read_name(key)
    assert name is not None
    assert (name.written_ms, name.watcher, name.number) == (at_ms, "ab", 3)
    compacted = read_name(compacted_key([key, segment_key(at_ms + 5, "ab", 4)]))
    assert compacted is not None
    assert compacted.is_compacted
    assert compacted.written_ms == at_ms + 5
    assert read_name("observations/2026/99/02/120000007-ab-00000003.jsonl") is None
    assert read_name("observations/x") is None


async def priced(world: World, price: str) -> None:
    world.see("corner", row("c1", price=price))
    await world.observer.flush()


async def test_prices_of_before_are_known_with_the_lowest(world: World) -> None:
    history = PriceHistory(world.reader, world.clock, world.telemetry)
    key = ("corner", "c1")
    for price in ("9.5", "9.50", "5", "5", "29.5"):
        await priced(world, price)
        await history.refresh()
        world.clock.jump(days=1)
    points = history.points([key])
    assert [(each.at.day, each.amount) for each in points] == [
        (2, Decimal("9.5")),
        (4, Decimal(5)),
        (6, Decimal("29.5")),
    ]
    since = START + timedelta(days=3, hours=1)
    assert [each.amount for each in history.points([key], since)] == [Decimal(5), Decimal("29.5")]
    lowest = history.lowest([key])
    assert lowest is not None
    assert lowest.amount == Decimal(5)
    world.clock.jump(days=30)
    lowest = history.lowest([key])
    assert lowest is not None
    assert lowest.amount == Decimal("29.5")
    assert history.lowest([("corner", "c9")]) is None
    assert world.telemetry.faults == []


async def test_a_history_is_the_same_after_compaction_and_is_read_once(world: World) -> None:
    for minute in range(65):
        await priced(world, str(minute % 7 + 1))
        world.clock.jump(minutes=1)
    limits = PriceHistoryLimits(points_max=100)
    before = PriceHistory(world.reader, world.clock, world.telemetry, limits)
    await before.refresh()
    await compact(world)
    after = PriceHistory(world.reader, world.clock, world.telemetry, limits)
    await after.refresh()
    await before.refresh()
    assert len(before.points([("corner", "c1")])) == 65
    assert before.points([("corner", "c1")]) == after.points([("corner", "c1")])
    world.store.heal()
    await after.refresh()
    assert not any(name.startswith("get") for name in world.store.calls)


async def test_a_price_seen_by_many_processes_is_one_point(world: World) -> None:
    history = PriceHistory(world.reader, world.clock, world.telemetry)
    for number in range(60):
        world.observer = world.another_observer(f"w{number}")
        await priced(world, "9.5" if number < 58 else "5")
        world.clock.jump(minutes=1)
    await history.refresh()
    points = history.points([("corner", "c1")])
    assert [(each.at, each.amount) for each in points] == [
        (START, Decimal("9.5")),
        (START + timedelta(minutes=58), Decimal(5)),
    ]


async def test_a_history_is_bounded_and_outlives_a_store_that_is_away(world: World) -> None:
    limits = PriceHistoryLimits(offers_max=1, points_max=3)
    history = PriceHistory(world.reader, world.clock, world.telemetry, limits)
    for minute in range(5):
        world.see("corner", row("c1", price=str(minute + 1)), row("c2", price="1"))
        await world.observer.flush()
        await history.refresh()
        world.clock.jump(minutes=1)
    world.store.fault = lambda *_: "refused"
    await history.refresh()
    assert world.telemetry.store_failures
    assert [each.amount for each in history.points([("corner", "c1"), ("corner", "c2")])] == [
        Decimal(3),
        Decimal(4),
        Decimal(5),
    ]


async def test_a_detail_is_a_sight_of_its_own(world: World) -> None:
    detail = row("cw0000009", title="Alien", price="5")
    world.see("cinemaworld", detail, call=Call("cw0000009"))
    world.see("cinemaworld", call=Call("cw0000010"))
    await world.observer.flush()
    assert [(each.key[1], each.price) for each in await folded(world)] == [
        ("cw0000009", Decimal(5))
    ]


async def rows_by(world: World, bucket_bytes: int) -> list[ExportRow]:
    profiles = {each.id: each for each in (LISTED, DETAILED)}
    folding = Folding(world.reader, profiles, io.BytesIO, FoldLimits(bucket_bytes, 50))
    now_ms = milliseconds(world.clock.now())
    fold = folding.of(Window(milliseconds(START), now_ms), [LISTED.id, DETAILED.id])
    found = await world.reader.find(milliseconds(START), now_ms)
    return [row for rows in [rows async for rows in fold.rows(found)] for row in rows]


async def test_rows_are_the_same_however_many_buckets_they_go_through(world: World) -> None:
    for number in range(60):
        title = f"Movie {number % 20}"
        world.see("cinemaworld", row(f"cw{number:07d}", title=title, year=1900 + number // 3))
        await world.watch_both()
    whole = await rows_by(world, 10_000_000)
    parts = await rows_by(world, 100)
    assert len(whole) > 90
    assert sorted(parts, key=repr) == sorted(whole, key=repr)
    assert parts != whole


async def peak_of(world: World, offers: int) -> int:
    """Return the most bytes that folding took, with these many offers of two shops."""
    world.observer = world.another_observer(f"w{offers}", segment_bytes_max=50_000)
    day = START + timedelta(days=offers)
    for provider, prefix in (("cinemaworld", "cw"), ("corner", "c")):
        rows = tuple(
            row(f"{prefix}{number:07d}", title=f"Movie {number}", price="9.5")
            for number in range(offers // 2)
        )
        world.observer.note(provider, LIST, rows, day)
    world.clock.jump(seconds=(day - world.clock.now()).total_seconds())
    await world.observer.flush()
    profiles = {each.id: each for each in (LISTED, DETAILED)}
    since_ms = milliseconds(day)
    with TemporaryFile() as first, TemporaryFile() as second, TemporaryFile() as third:
        files = iter([first, second, third])
        limits = FoldLimits(bucket_bytes=50_000, buckets_max=20)
        folding = Folding(world.reader, profiles, lambda: next(files), limits)
        fold = folding.of(Window(since_ms, since_ms + 1), profiles)
        found = await world.reader.find(since_ms, since_ms + 1)
        tracemalloc.start()
        try:
            count = sum([len(rows) async for rows in fold.rows(found)])
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert count == offers
    return peak


async def test_memory_does_not_grow_with_what_is_exported(world: World) -> None:
    few, many = await peak_of(world, 2_000), await peak_of(world, 8_000)
    assert many < few * 1.6
