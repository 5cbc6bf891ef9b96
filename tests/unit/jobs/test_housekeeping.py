"""Chores, on a clock that stands still until it is told to advance."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime

import pytest

from movieql.jobs.housekeeping import LEASE_NAME, Chore, Housekeeping, OncePerDay
from movieql.memory import MemoryLeases, VirtualClock


class Housework:
    """Counts what is done, and what was noted of it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.leases = MemoryLeases(self.clock)
        self.done: Counter[str] = Counter()
        self.times_s: list[float] = []
        self.notes: list[tuple[str, BaseException | None]] = []

    def chore(self, name: str, every_s: float, first_s: float = 0.0) -> Chore:
        async def run() -> None:
            self.done[name] += 1
            self.times_s.append(self.clock.monotonic_s())

        return Chore(name, every_s, run, timeout_s=1.0, first_s=first_s)

    def note(self, name: str, error: BaseException | None) -> None:
        self.notes.append((name, error))

    @asynccontextmanager
    async def keeper(
        self, chores: Sequence[Chore], holder: str = "me"
    ) -> AsyncIterator["asyncio.Task[None]"]:
        house = Housekeeping(chores, self.leases, self.clock, holder, self.note, lease_s=15.0)
        task = asyncio.ensure_future(house.run())
        try:
            await self.clock.settle()
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def house() -> Housework:
    return Housework()


async def test_chores_are_done_at_once_and_then_in_their_own_time(house: Housework) -> None:
    async with house.keeper([house.chore("often", 5.0), house.chore("rarely", 3600.0)]):
        assert house.done == {"often": 1, "rarely": 1}
        await house.clock.advance(3600.0)
    assert house.done == {"often": 721, "rarely": 2}


async def test_the_first_time_may_be_later(house: Housework) -> None:
    async with house.keeper([house.chore("late", 60.0, first_s=7.0)]):
        await house.clock.advance(70.0)
    assert house.times_s == pytest.approx([7.0, 67.0])


async def test_one_of_two_keeps_house(house: Housework) -> None:
    async with house.keeper([house.chore("a", 1.0)], "first"):
        async with house.keeper([house.chore("b", 1.0)], "second"):
            await house.clock.advance(60.0)
        assert house.done["a"] == 61
        assert house.done["b"] == 0


async def test_another_takes_over_soon_after_the_keeper_leaves(house: Housework) -> None:
    async with (
        house.keeper([house.chore("a", 1.0)], "first") as first,
        house.keeper([house.chore("b", 3600.0)], "second"),
    ):
        first.cancel()
        await house.clock.advance(10.0)
        assert house.done["b"] == 1


async def test_another_takes_over_when_the_lease_of_a_dead_keeper_ends(house: Housework) -> None:
    assert await house.leases.hold(LEASE_NAME, "dead", 15.0)
    async with house.keeper([house.chore("a", 3600.0)]):
        await house.clock.advance(14.0)
        assert house.done["a"] == 0
        await house.clock.advance(10.0)
        assert house.done["a"] == 1


async def test_without_leases_everybody_keeps_house(house: Housework) -> None:
    house.leases.broken = True
    async with (
        house.keeper([house.chore("a", 5.0)], "first"),
        house.keeper([house.chore("b", 5.0)], "second"),
    ):
        await house.clock.advance(60.0)
    assert house.done == {"a": 13, "b": 13}


def failing(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        raise error

    return run


async def test_a_chore_that_fails_is_noted_and_has_its_next_turn(house: Housework) -> None:
    error = RuntimeError("It is broken.")
    broken = Chore("broken", 5.0, failing(error), timeout_s=1.0)
    async with house.keeper([broken, house.chore("well", 5.0)]):
        await house.clock.advance(9.0)
    assert [error for name, error in house.notes if name == "broken"] == [error, error]
    assert [error for name, error in house.notes if name == "well"] == [None, None]


async def test_a_chore_that_hangs_is_cancelled_in_time_and_delays_no_other(
    house: Housework,
) -> None:
    ended: list[float] = []

    async def hang() -> None:
        try:
            await house.clock.sleep(1e9)
        finally:
            ended.append(house.clock.monotonic_s())

    hanging = Chore("hanging", 10.0, hang, timeout_s=3.0)
    async with house.keeper([hanging, house.chore("well", 1.0)]):
        await house.clock.advance(9.0)
    assert ended == [3.0]
    assert house.done["well"] == 10
    assert isinstance(dict(house.notes)["hanging"], TimeoutError | None)
    assert ("hanging", TimeoutError) in [(name, type(error)) for name, error in house.notes]


async def test_a_chore_under_way_is_cancelled_with_the_keeper(house: Housework) -> None:
    cancelled: list[str] = []

    async def hang() -> None:
        try:
            await house.clock.sleep(1e9)
        except asyncio.CancelledError:
            cancelled.append("hang")
            raise

    async with house.keeper([Chore("hang", 5.0, hang, timeout_s=60.0)]):
        pass
    assert cancelled == ["hang"]


# Once a day


async def days(starts: datetime, hour: int, hours: int, failures: int = 0) -> list[date]:
    """Return the days that were done while asking every ten minutes for so many hours."""
    clock, done, left = VirtualClock(starts), list[date](), failures

    async def run(day: date) -> None:
        nonlocal left
        if left:
            left -= 1
            raise RuntimeError
        done.append(day)

    daily = OncePerDay(clock, hour, run)
    for _ in range(hours * 6):
        with suppress(RuntimeError):
            await daily()
        await clock.advance(600.0)
    return done


async def test_every_day_is_done_once() -> None:
    done = await days(datetime(2026, 2, 27, 12, tzinfo=UTC), hour=1, hours=72)
    assert done == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]


async def test_a_day_is_not_done_before_its_hour() -> None:
    starts = datetime(2026, 1, 1, tzinfo=UTC)
    assert await days(starts, hour=3, hours=3) == []
    assert await days(starts, hour=3, hours=4) == [date(2026, 1, 1)]


async def test_a_day_that_failed_is_tried_again() -> None:
    starts = datetime(2026, 1, 1, 5, tzinfo=UTC)
    assert await days(starts, hour=3, hours=2, failures=5) == [date(2026, 1, 1)]
