"""The rules of keeping answers, on a virtual clock."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from movieql.domain.errors import CacheError
from movieql.domain.movies import (
    Answer,
    ContentRevision,
    Row,
    SourceErrorCode,
    SourceStatus,
    failed,
)
from movieql.memory import MemoryProvider, RecordedTelemetry, VirtualClock
from movieql.ports import LIST, Cache, Call
from movieql.providers.cached import Cached, Lifetimes
from movieql.providers.envelope import ENVELOPE_VERSION, Envelope, EnvelopeCodec
from movieql.waiting import exhausted
from tests.builders import row
from tests.caches import FailingCache

DETAIL = Call("cw0076759")
BUDGET_S = 2.5
HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S
STEADY = Lifetimes(fresh_jitter=0.0, renew_share=1.0)

DOWN = failed(SourceErrorCode.UNAVAILABLE, "The shop answered 503.")
FORBIDDEN = failed(SourceErrorCode.UNAUTHORIZED, "The shop answered 403.", retryable=False)


class SlowCache(FailingCache):
    """A cache that takes its time on the virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.delay_s = 0.0
        self._sleep = clock.sleep

    async def ping(self) -> None:
        if self.delay_s:
            await self._sleep(self.delay_s)
        await super().ping()


@dataclass
class Shop:
    """A provider with a cache in front of it, and a way to ask it in one line."""

    clock: VirtualClock
    telemetry: RecordedTelemetry
    storage: SlowCache
    lifetimes: Lifetimes = STEADY
    revision: ContentRevision = field(default_factory=ContentRevision)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inner = MemoryProvider(self.clock)
        self.says(LIST, row())
        self.cached = self.over(self.storage)

    def over(self, cache: Cache) -> Cached:
        """Return a replica: the same provider kept in another process."""
        return Cached(
            self.inner,
            provider="cinemaworld",
            cache=cache,
            key_prefix="movieql",
            lifetimes=self.lifetimes,
            revision=self.revision,
            clock=self.clock,
            telemetry=self.telemetry,
            rng=random.Random(7),  # jitter is no secret
            **self.options,
        )

    def says(self, call: Call, *rows: Row) -> None:
        self.inner.answers[call] = lambda: Answer(rows=rows, as_of=self.clock.now(), fresh=True)

    def fails(self, call: Call, failure: Answer = DOWN) -> None:
        self.inner.answers[call] = failure

    async def ask(self, call: Call = LIST, cached: Cached | None = None) -> Answer:
        """Ask now; time stands still unless the answer has to be waited for."""
        until_s = self.clock.monotonic_s() + BUDGET_S
        asking = asyncio.ensure_future((cached or self.cached).fetch(call, until_s))
        await self.clock.settle()
        while not asking.done():
            await self.clock.advance(0.01)
        return asking.result()

    async def pass_time(self, delay_s: float) -> None:
        await self.clock.advance(delay_s)

    @property
    def calls(self) -> int:
        return self.inner.calls.total()


@pytest.fixture
async def shop(clock: VirtualClock, telemetry: RecordedTelemetry) -> AsyncIterator[Shop]:
    shop = Shop(clock, telemetry, SlowCache(clock))
    yield shop
    await shop.cached.close()


def stored(envelope: Envelope) -> bytes:
    return exhausted(EnvelopeCodec().encode(envelope))


def error_of(answer: Answer) -> SourceErrorCode | None:
    return None if answer.error is None else answer.error.code


# Fresh


async def test_an_answer_is_fresh_for_a_minute_and_asked_for_once(shop: Shop) -> None:
    first = await shop.ask()
    await shop.pass_time(59.9)
    again = await shop.ask()
    assert shop.calls == 1
    assert (again.status, again.as_of, again.rows) == (SourceStatus.OK, first.as_of, first.rows)
    assert again.fresh_until_s == pytest.approx(60.0)


async def test_a_fresh_answer_is_at_hand_without_any_waiting(shop: Shop) -> None:
    assert shop.cached.peek(LIST) is None
    await shop.ask()
    at_hand = shop.cached.peek(LIST)
    assert at_hand is not None
    assert at_hand.fresh
    await shop.pass_time(60.0)
    assert shop.cached.peek(LIST) is None


async def test_after_its_fresh_time_an_answer_is_asked_for_again(shop: Shop) -> None:
    await shop.ask()
    await shop.pass_time(60.0)
    await shop.ask()
    await shop.pass_time(0.1)
    assert shop.calls == 2
    assert (await shop.ask()).status is SourceStatus.OK


async def test_fresh_times_differ_by_a_tenth_at_most(
    clock: VirtualClock, telemetry: RecordedTelemetry
) -> None:
    shop = Shop(clock, telemetry, SlowCache(clock), Lifetimes())
    ends = set()
    for number in range(200):
        call = Call(f"cw{number}")
        shop.says(call, row(f"cw{number}", price="1"))
        ends.add((await shop.ask(call)).fresh_until_s - clock.monotonic_s())
    assert 54.0 <= min(ends) < 55.0
    assert 65.0 < max(ends) <= 66.0
    assert len(ends) == 200
    await shop.cached.close()


async def test_where_an_answer_came_from_is_told(shop: Shop, telemetry: RecordedTelemetry) -> None:
    await shop.ask()
    await shop.ask()
    await shop.pass_time(60.0)
    await shop.ask()
    assert [outcome for _, outcome in telemetry.reads] == ["miss", "stale"]


# Stale while one refresh runs


async def test_old_data_is_served_at_once_while_one_refresh_runs(shop: Shop) -> None:
    first = await shop.ask()
    await shop.pass_time(61.0)
    shop.inner.delay_s = 1.0
    answers = await asyncio.gather(*(shop.cached.fetch(LIST, 1e9) for _ in range(20)))
    assert {answer.status for answer in answers} == {SourceStatus.STALE}
    assert {answer.as_of for answer in answers} == {first.as_of}
    assert {answer.latency_ms for answer in answers} == {0}
    assert shop.calls == 2
    await shop.pass_time(1.0)
    assert (await shop.ask()).status is SourceStatus.OK
    assert shop.calls == 2


async def test_after_five_minutes_old_data_is_no_longer_served_during_a_refresh(
    shop: Shop,
) -> None:
    await shop.ask()
    shop.inner.delay_s = 1.0
    await shop.pass_time(299.9)
    assert (await shop.ask()).status is SourceStatus.STALE
    await shop.pass_time(500.0)
    answer = await shop.ask()
    assert answer.status is SourceStatus.OK
    assert answer.latency_ms == pytest.approx(1000, abs=20)


# Stale on an error


@pytest.mark.parametrize("age_s", [301.0, HOUR_S, DAY_S - 1])
async def test_old_data_is_served_when_a_refresh_fails_with_its_age_and_the_reason(
    shop: Shop, age_s: float
) -> None:
    first = await shop.ask()
    shop.fails(LIST)
    await shop.pass_time(age_s)
    answer = await shop.ask()
    assert (answer.status, answer.rows, answer.as_of) == (
        SourceStatus.STALE,
        first.rows,
        first.as_of,
    )
    assert answer.error == DOWN.error


async def test_after_a_day_old_data_is_over(shop: Shop) -> None:
    await shop.ask()
    shop.fails(LIST)
    await shop.pass_time(DAY_S)
    answer = await shop.ask()
    assert (answer.status, answer.rows, answer.error) == (SourceStatus.FAILED, None, DOWN.error)


async def test_the_reason_is_told_also_while_the_next_refresh_runs(shop: Shop) -> None:
    await shop.ask()
    shop.fails(LIST, FORBIDDEN)
    await shop.pass_time(61.0)
    assert (await shop.ask()).error is None  # nothing has failed yet
    await shop.clock.settle()
    shop.inner.delay_s = 5.0
    assert (await shop.ask()).error == FORBIDDEN.error


async def test_a_good_refresh_ends_the_reason(shop: Shop) -> None:
    await shop.ask()
    shop.fails(LIST)
    await shop.pass_time(400.0)
    assert (await shop.ask()).error == DOWN.error
    shop.says(LIST, row())
    answer = await shop.ask()
    await shop.clock.settle()
    answer = await shop.ask()
    assert (answer.status, answer.error) == (SourceStatus.OK, None)


# What costs nothing while a shop is down


def left_alone(retry_at_s: float) -> Answer:
    return failed(SourceErrorCode.CIRCUIT_OPEN, "Left alone.", retry_at_s=retry_at_s)


@pytest.fixture
async def alone(clock: VirtualClock, telemetry: RecordedTelemetry) -> AsyncIterator[Shop]:
    """A process that shares its cache with no other."""
    shop = Shop(clock, telemetry, SlowCache(clock), options={"shared": False})
    yield shop
    await shop.cached.close()


async def test_old_data_is_at_hand_while_its_refresh_runs(alone: Shop) -> None:
    await alone.ask()
    alone.inner.delay_s = 1.0
    await alone.pass_time(61.0)
    first, second = alone.cached.peek(LIST), alone.cached.peek(LIST)
    assert first is not None
    assert first.status is SourceStatus.STALE
    assert first is second  # so that what was computed from it stays valid
    await alone.pass_time(1.0)
    assert alone.calls == 2
    assert (await alone.ask()).status is SourceStatus.OK


async def test_old_data_is_not_at_hand_where_another_replica_may_have_newer(shop: Shop) -> None:
    await shop.ask()
    await shop.pass_time(61.0)
    assert shop.cached.peek(LIST) is None


async def test_old_data_is_not_at_hand_once_a_question_has_to_wait_for_its_refresh(
    alone: Shop,
) -> None:
    await alone.ask()
    await alone.pass_time(300.0)
    assert alone.cached.peek(LIST) is None
    await alone.pass_time(DAY_S)
    assert alone.cached.peek(LIST) is None


@pytest.mark.parametrize("age_s", [61.0, HOUR_S])
async def test_a_shop_that_is_left_alone_is_asked_for_once_a_second(
    shop: Shop, age_s: float
) -> None:
    await shop.ask()
    shop.fails(LIST, left_alone(age_s + 30))
    await shop.pass_time(age_s)
    await shop.ask()
    await shop.clock.settle()
    assert shop.calls == 2
    for _ in range(10):
        answer = await shop.ask()
        await shop.clock.settle()
        assert answer is shop.cached.peek(LIST)
        assert error_of(answer) is SourceErrorCode.CIRCUIT_OPEN
        await shop.pass_time(0.09)
    assert shop.calls == 2
    await shop.pass_time(0.2)
    await shop.ask()
    await shop.clock.settle()
    assert shop.calls == 3


async def test_a_shop_that_says_nothing_of_waiting_is_asked_again_at_once(shop: Shop) -> None:
    await shop.ask()
    shop.fails(LIST)
    await shop.pass_time(400.0)
    await shop.ask()
    await shop.ask()
    assert shop.calls == 3


async def test_that_a_refresh_takes_too_long_is_told_also_afterwards(alone: Shop) -> None:
    await alone.ask()
    alone.inner.delay_s = 5.0
    await alone.pass_time(299.0)
    assert (await alone.ask()).error is None
    await alone.pass_time(1.5)
    assert error_of(await alone.ask()) is SourceErrorCode.TIMEOUT


async def test_old_data_is_served_when_the_refresh_takes_too_long(shop: Shop) -> None:
    await shop.ask()
    await shop.pass_time(400.0)
    shop.inner.delay_s = 8.0
    answer = await shop.ask()
    assert (answer.status, error_of(answer)) == (SourceStatus.STALE, SourceErrorCode.TIMEOUT)
    assert answer.latency_ms == pytest.approx(1500, abs=20)


@pytest.mark.parametrize("cache", ["shared", "own"])
@pytest.mark.parametrize("down", ["hangs", "fails"])
@pytest.mark.parametrize("age_s", [61.0, 400.0, 20 * HOUR_S])
async def test_through_an_outage_one_question_waits_and_no_other(
    shop: Shop, cache: str, down: str, age_s: float
) -> None:
    shop.options["shared"] = cache == "shared"
    cached = shop.over(shop.storage)
    details = [Call(str(number)) for number in range(20)]
    for call in details:
        shop.says(call, row(str(call.movie_id), price="29.5"))
        await shop.ask(call, cached)
    shop.inner.delay_s = 1e6 if down == "hangs" else 0.0
    for call in details:
        shop.fails(call)
    await shop.pass_time(age_s)
    await shop.ask(details[0], cached)
    for _ in range(30):  # an hour and a half of one question each three minutes
        for call in details:
            answer = await shop.ask(call, cached)
            assert (answer.status, answer.latency_ms) == (SourceStatus.STALE, 0)
            assert answer.error is not None or age_s < 300  # else it was waited for
        await shop.pass_time(180.0 if age_s < HOUR_S else 1.0)
    await cached.close()


async def test_a_shop_that_is_back_is_waited_for_again(alone: Shop) -> None:
    await alone.ask()
    alone.fails(LIST)
    await alone.pass_time(400.0)
    await alone.ask()
    alone.says(LIST, row())
    assert (await alone.ask()).status is SourceStatus.STALE
    await alone.clock.settle()
    assert (await alone.ask()).status is SourceStatus.OK
    await alone.pass_time(400.0)
    assert alone.cached.peek(LIST) is None


async def test_nothing_kept_and_a_failure_is_the_failure(shop: Shop) -> None:
    shop.fails(LIST, FORBIDDEN)
    answer = await shop.ask()
    assert (answer.status, answer.rows, answer.error) == (
        SourceStatus.FAILED,
        None,
        FORBIDDEN.error,
    )


async def test_an_error_is_never_kept_as_data(shop: Shop) -> None:
    shop.fails(LIST)
    await shop.ask()
    shop.says(LIST, row())
    assert (await shop.ask()).status is SourceStatus.OK


async def test_a_fault_of_ours_is_told_to_operators_and_loses_nothing(
    shop: Shop, telemetry: RecordedTelemetry
) -> None:
    await shop.ask()
    fault = ZeroDivisionError("ours")

    def break_down() -> Answer:
        raise fault

    shop.inner.answers[LIST] = break_down
    await shop.pass_time(400.0)
    answer = await shop.ask()
    assert (answer.status, error_of(answer)) == (SourceStatus.STALE, SourceErrorCode.INTERNAL)
    assert "ours" not in str(answer.error)
    assert telemetry.faults == [fault]


# What a refresh must not overwrite


@pytest.mark.parametrize(
    "unpriced",
    [
        replace(row(), price_problem='The provider\'s price "N/A" is not a price.'),
        row(),
    ],
    ids=["a bad price", "no price at all"],
)
async def test_a_detail_without_its_price_does_not_overwrite_a_good_one(
    shop: Shop, unpriced: Row
) -> None:
    shop.says(DETAIL, row(price="29.5"))
    first = await shop.ask(DETAIL)
    shop.says(DETAIL, unpriced)
    await shop.pass_time(400.0)
    answer = await shop.ask(DETAIL)
    assert (answer.status, answer.rows, answer.as_of) == (
        SourceStatus.STALE,
        first.rows,
        first.as_of,
    )
    assert error_of(answer) is SourceErrorCode.BAD_RESPONSE


async def test_a_detail_that_never_had_a_price_is_data(shop: Shop) -> None:
    unpriced = replace(row(), price_problem='The provider\'s price "N/A" is not a price.')
    shop.says(DETAIL, unpriced)
    answer = await shop.ask(DETAIL)
    assert (answer.status, answer.rows) == (SourceStatus.OK, (unpriced,))


async def test_a_price_that_nobody_may_see_any_more_does_not_keep_the_detail_away(
    shop: Shop,
) -> None:
    shop.says(DETAIL, row(price="29.5"))
    await shop.ask(DETAIL)
    unpriced = replace(row(), price_problem="Not a price.")
    shop.says(DETAIL, unpriced)
    await shop.pass_time(DAY_S)
    answer = await shop.ask(DETAIL)
    assert (answer.status, answer.rows) == (SourceStatus.OK, (unpriced,))


async def test_a_new_price_replaces_the_old_one(shop: Shop) -> None:
    shop.says(DETAIL, row(price="29.5"))
    await shop.ask(DETAIL)
    shop.says(DETAIL, row(price="9.5"))
    await shop.pass_time(400.0)
    rows = (await shop.ask(DETAIL)).rows
    assert rows is not None
    assert rows[0].amount == Decimal("9.5")


# No such movie


async def test_no_such_movie_is_cached_for_15_seconds(shop: Shop) -> None:
    shop.says(DETAIL)
    answer = await shop.ask(DETAIL)
    assert (answer.status, answer.rows) == (SourceStatus.OK, ())
    await shop.pass_time(14.9)
    assert (await shop.ask(DETAIL)).rows == ()
    assert shop.calls == 1
    await shop.pass_time(0.1)
    await shop.ask(DETAIL)
    assert shop.calls == 2


async def test_no_such_movie_is_never_served_when_it_is_old(shop: Shop) -> None:
    shop.says(DETAIL)
    await shop.ask(DETAIL)
    shop.fails(DETAIL)
    await shop.pass_time(15.0)
    answer = await shop.ask(DETAIL)
    assert (answer.status, answer.rows, answer.error) == (SourceStatus.FAILED, None, DOWN.error)


async def test_a_movie_that_is_gone_is_gone(shop: Shop) -> None:
    shop.says(DETAIL, row(price="29.5"))
    await shop.ask(DETAIL)
    shop.says(DETAIL)
    await shop.pass_time(400.0)
    assert (await shop.ask(DETAIL)).rows == ()


async def test_an_empty_shelf_may_be_an_answer_and_lives_as_long_as_any(shop: Shop) -> None:
    shop.says(LIST)
    await shop.ask()
    await shop.pass_time(59.0)
    assert (await shop.ask()).rows == ()
    assert shop.calls == 1


# Late answers


async def test_a_late_answer_fills_the_cache_after_the_question_has_gone(shop: Shop) -> None:
    shop.inner.delay_s = 7.0
    answer = await shop.ask()
    assert (answer.status, error_of(answer)) == (SourceStatus.FAILED, SourceErrorCode.TIMEOUT)
    assert answer.latency_ms == pytest.approx(1500, abs=20)
    await shop.pass_time(5.6)
    assert (await shop.ask()).status is SourceStatus.OK
    assert shop.calls == 1


async def test_a_question_that_is_given_up_leaves_the_call_running(shop: Shop) -> None:
    shop.inner.delay_s = 1.0
    asking = asyncio.ensure_future(shop.cached.fetch(LIST, 1e9))
    await shop.pass_time(0.5)
    asking.cancel()
    await shop.pass_time(0.5)
    assert asking.cancelled()
    assert (await shop.ask()).status is SourceStatus.OK
    assert shop.calls == 1


async def test_a_call_that_hangs_does_not_keep_the_next_question_from_asking(shop: Shop) -> None:
    shop.inner.delay_s = 1e6
    await shop.ask()
    assert shop.calls == 1
    shop.inner.delay_s = 0.0
    assert (await shop.ask()).status is SourceStatus.OK
    assert shop.calls == 2


@pytest.fixture
def ahead(clock: VirtualClock, telemetry: RecordedTelemetry) -> Shop:
    """Give a shop whose answers are refreshed ahead."""
    return Shop(clock, telemetry, SlowCache(clock), Lifetimes(fresh_jitter=0.0))


async def test_what_is_asked_for_late_in_its_fresh_time_is_refreshed_ahead(ahead: Shop) -> None:
    shop = ahead
    await shop.ask()
    await shop.pass_time(0.79 * 60)
    assert shop.cached.peek(LIST) is not None
    await shop.clock.settle()
    assert shop.calls == 1
    await shop.pass_time(0.02 * 60)
    assert shop.cached.peek(LIST) is not None
    assert shop.cached.peek(LIST) is not None
    await shop.clock.settle()
    assert shop.calls == 2
    await shop.pass_time(0.5 * 60)
    assert shop.cached.peek(LIST) is not None


async def test_a_refresh_ahead_that_fails_leaves_what_is_fresh_as_it_is(ahead: Shop) -> None:
    shop = ahead
    await shop.ask()
    await shop.pass_time(0.9 * 60)
    shop.inner.otherwise = DOWN
    shop.inner.answers.clear()
    assert shop.cached.peek(LIST) is not None
    await shop.clock.settle()
    answer = await shop.ask()
    assert (answer.status, answer.error) == (SourceStatus.OK, None)


async def test_what_is_known_to_be_new_is_asked_for_at_once(shop: Shop) -> None:
    await shop.ask()
    shop.says(LIST, row(), row("cw0080684"))
    shop.cached.renew(LIST)
    await shop.clock.settle()
    answer = shop.cached.peek(LIST)
    assert answer is not None
    assert answer.rows is not None
    assert len(answer.rows) == 2
    assert shop.calls == 2


async def test_a_question_whose_time_is_over_gets_what_is_there(shop: Shop) -> None:
    answer = await shop.cached.fetch(LIST, shop.clock.monotonic_s())
    assert answer.status is SourceStatus.PENDING
    await shop.clock.settle()
    assert shop.cached.peek(LIST) is not None


async def test_a_call_that_is_given_up_while_it_is_in_time_is_no_failure(shop: Shop) -> None:
    shop.says(DETAIL, row("cw0076759"))
    await shop.ask(DETAIL)
    await shop.pass_time(400.0)
    shop.inner.delay_s = 0.25
    now_s, revision = shop.clock.monotonic_s(), shop.revision.number
    assert (await shop.cached.fetch(LIST, now_s)).status is SourceStatus.PENDING
    old = await shop.cached.fetch(DETAIL, now_s)
    assert (old.status, old.error) == (SourceStatus.STALE, None)
    assert shop.revision.number == revision
    assert (await shop.ask(DETAIL)).status is SourceStatus.OK  # waited for: the shop is well


async def test_what_failed_with_another_call_is_no_news_of_this_one(shop: Shop) -> None:
    shop.fails(DETAIL)
    await shop.ask(DETAIL)
    shop.inner.delay_s = 0.2
    answer = await shop.cached.fetch(LIST, shop.clock.monotonic_s())
    assert answer.status is SourceStatus.PENDING
    await shop.pass_time(0.5)
    assert (await shop.ask()).status is SourceStatus.OK


async def test_who_never_waits_is_told_that_a_shop_refuses(shop: Shop) -> None:
    shop.fails(LIST)
    seen = []
    for _ in range(3):
        seen.append(error_of(await shop.cached.fetch(LIST, shop.clock.monotonic_s())))
        await shop.pass_time(1.0)
    assert seen == [None, SourceErrorCode.UNAVAILABLE, SourceErrorCode.UNAVAILABLE]
    shop.says(LIST, row())
    await shop.pass_time(1.0)
    await shop.ask()
    assert (await shop.ask()).status is SourceStatus.OK


async def test_who_never_waits_is_told_that_a_shop_hangs(shop: Shop) -> None:
    shop.inner.delay_s = 1e6
    seen = []
    for _ in range(4):
        answer = await shop.cached.fetch(LIST, shop.clock.monotonic_s())
        seen.append(error_of(answer))
        await shop.pass_time(1.0)
    assert seen == [None, None, SourceErrorCode.TIMEOUT, SourceErrorCode.TIMEOUT]


async def test_who_does_not_wait_gets_what_another_replica_has_and_asks_no_shop(
    shop: Shop,
) -> None:
    await shop.ask()
    await shop.pass_time(0.1)
    other = shop.over(shop.storage)
    shop.storage.delay_s = 0.01
    answer = await other.fetch(LIST, shop.clock.monotonic_s())
    assert answer.status is SourceStatus.PENDING
    await shop.pass_time(0.05)
    assert other.peek(LIST) is not None
    assert shop.calls == 1
    await other.close()


async def test_equal_misses_are_one_call(shop: Shop) -> None:
    shop.inner.delay_s = 1.0
    asking = [asyncio.ensure_future(shop.cached.fetch(LIST, 1e9)) for _ in range(50)]
    await shop.pass_time(1.0)
    answers = await asyncio.gather(*asking)
    assert {answer.status for answer in answers} == {SourceStatus.OK}
    assert shop.calls == 1


# Bounds


async def test_calls_that_wait_have_a_bound(
    clock: VirtualClock, telemetry: RecordedTelemetry
) -> None:
    shop = Shop(clock, telemetry, SlowCache(clock), options={"flights_max": 3})
    shop.inner.delay_s = 5.0
    asking = [
        asyncio.ensure_future(shop.cached.fetch(Call(f"cw{number}"), 1e9)) for number in range(3)
    ]
    await clock.settle()
    refused = await shop.ask(Call("cw9"))
    assert error_of(refused) is SourceErrorCode.UNAVAILABLE
    assert refused.latency_ms == 0
    assert shop.calls == 3
    await clock.advance(10.0)
    await asyncio.gather(*asking)
    await shop.cached.close()


async def test_kept_answers_have_a_bound_and_the_oldest_goes(
    clock: VirtualClock, telemetry: RecordedTelemetry
) -> None:
    shop = Shop(clock, telemetry, SlowCache(clock), options={"entries_max": 3})
    for number in range(5):
        shop.says(Call(f"cw{number}"), row(f"cw{number}", price="1"))
        await shop.ask(Call(f"cw{number}"))
    kept = [shop.cached.peek(Call(f"cw{number}")) is not None for number in range(5)]
    assert kept == [False, False, True, True, True]
    await shop.cached.close()


async def test_closing_ends_the_calls_under_way(shop: Shop) -> None:
    shop.inner.delay_s = 5.0
    await shop.ask()
    await shop.cached.close()
    await shop.pass_time(10.0)
    assert shop.cached.peek(LIST) is None


# The shared cache


async def test_a_new_replica_takes_what_another_one_keeps(
    shop: Shop, telemetry: RecordedTelemetry
) -> None:
    first = await shop.ask()
    await shop.pass_time(20.0)
    replica = shop.over(shop.storage)
    answer = await shop.ask(cached=replica)
    assert (answer.status, answer.rows, answer.as_of) == (
        SourceStatus.OK,
        first.rows,
        first.as_of,
    )
    assert answer.fresh_until_s == pytest.approx(60.0)
    assert shop.calls == 1
    assert telemetry.reads[-1][1] == "recalled"
    await replica.close()


async def test_a_newer_entry_of_another_replica_ends_the_age_of_ours(shop: Shop) -> None:
    await shop.ask()
    await shop.pass_time(61.0)
    replica = shop.over(shop.storage)
    shop.says(LIST, row(), row("cw2"))
    await shop.ask(cached=replica)
    await shop.clock.settle()
    answer = await shop.ask()
    assert answer.status is SourceStatus.OK
    assert len(answer.rows or ()) == 2
    assert shop.calls == 2
    await replica.close()


async def test_an_older_entry_of_another_replica_changes_nothing(shop: Shop) -> None:
    await shop.ask()
    old = Envelope((row("old"),), shop.clock.now() - timedelta(seconds=1), 1e6)
    await shop.storage.put(
        f"movieql:{ENVELOPE_VERSION}:cinemaworld:list:",
        stored(old),
        1e6,
    )
    await shop.pass_time(61.0)
    rows = (await shop.ask()).rows
    assert rows is not None
    assert rows[0].provider_movie_id != "old"


async def test_stored_data_is_as_old_as_it_is_also_for_a_new_replica(shop: Shop) -> None:
    first = await shop.ask()
    shop.fails(LIST)
    await shop.pass_time(DAY_S - 60)
    replica = shop.over(shop.storage)
    answer = await shop.ask(cached=replica)
    assert (answer.status, answer.as_of, answer.error) == (
        SourceStatus.STALE,
        first.as_of,
        DOWN.error,
    )
    await shop.pass_time(60.0)
    assert (await shop.ask(cached=replica)).status is SourceStatus.FAILED
    await replica.close()


async def test_data_from_a_replica_whose_clock_is_ahead_is_not_younger_than_now(
    shop: Shop,
) -> None:
    ahead = Envelope((row(),), shop.clock.now() + timedelta(hours=1), 60.0)
    await shop.storage.put(
        f"movieql:{ENVELOPE_VERSION}:cinemaworld:list:",
        stored(ahead),
        1e6,
    )
    answer = await shop.ask()
    assert answer.fresh_until_s <= shop.clock.monotonic_s() + 60.0


async def test_what_another_replica_stored_without_a_price_does_not_overwrite_ours(
    shop: Shop,
) -> None:
    shop.says(DETAIL, row(price="29.5"))
    await shop.ask(DETAIL)
    await shop.pass_time(61.0)
    unpriced = Envelope((replace(row(), price_problem="No."),), shop.clock.now(), 60.0)
    await shop.storage.put(
        f"movieql:{ENVELOPE_VERSION}:cinemaworld:detail:cw0076759",
        stored(unpriced),
        1e6,
    )
    rows = (await shop.ask(DETAIL)).rows
    assert rows is not None
    assert rows[0].amount == Decimal("29.5")


async def test_of_a_fleet_that_asks_the_same_one_replica_calls_the_shop(shop: Shop) -> None:
    details = [Call(str(number)) for number in range(20)]
    for call in details:
        shop.says(call, row(str(call.movie_id), price="29.5"))
    shop.inner.delay_s = 0.4
    fleet = [shop.over(shop.storage) for _ in range(4)]
    asking = [
        asyncio.ensure_future(cached.fetch(call, shop.clock.monotonic_s() + BUDGET_S))
        for cached in fleet
        for call in (LIST, *details)
    ]
    await shop.clock.settle()
    await shop.clock.advance(0.6)
    answers = [each.result() for each in asking]
    assert {answer.status for answer in answers} == {SourceStatus.OK}
    assert set(shop.inner.calls.values()) == {1}
    for cached in fleet:
        await cached.close()


@pytest.mark.parametrize("end", ["fails", "dies"])
async def test_where_the_replica_that_calls_comes_to_nothing_another_one_calls(
    shop: Shop, end: str
) -> None:
    shop.inner.delay_s = 0.2 if end == "fails" else 1e6
    shop.fails(LIST)
    first, second = shop.over(shop.storage), shop.over(shop.storage)
    until_s = shop.clock.monotonic_s() + BUDGET_S
    leading = asyncio.ensure_future(first.fetch(LIST, until_s))
    await shop.clock.settle()
    following = asyncio.ensure_future(second.fetch(LIST, until_s))
    await shop.clock.settle()
    assert shop.calls == 1
    if end == "fails":
        await shop.clock.advance(0.2)
        assert (await leading).status is SourceStatus.FAILED
    else:
        await first.close()
    shop.inner.delay_s = 0.0
    shop.says(LIST, row())
    await shop.clock.advance(1.6)
    assert shop.calls == 2
    following.cancel()
    assert (await shop.ask(cached=second)).status is SourceStatus.OK
    await second.close()


async def test_where_the_replica_that_calls_fails_the_one_that_waits_calls_soon_after(
    shop: Shop,
) -> None:
    shop.inner.delay_s = 0.1
    shop.fails(LIST)
    fleet = [shop.over(shop.storage) for _ in range(2)]
    answers = await asyncio.gather(*(shop.ask(cached=cached) for cached in fleet))
    assert [error_of(answer) for answer in answers] == [SourceErrorCode.UNAVAILABLE] * 2
    assert max(answer.latency_ms for answer in answers) < 300
    assert shop.calls == 2
    for cached in fleet:
        await cached.close()


async def test_another_replica_may_ask_at_once_after_a_detail_that_lost_its_price(
    shop: Shop,
) -> None:
    shop.says(DETAIL, row(price="29.5"))
    await shop.ask(DETAIL)
    shop.says(DETAIL, row())
    await shop.pass_time(400.0)
    assert error_of(await shop.ask(DETAIL)) is SourceErrorCode.BAD_RESPONSE
    replica = shop.over(shop.storage)
    assert (await shop.ask(DETAIL, replica)).latency_ms == 0
    assert shop.calls == 3
    await replica.close()


async def test_no_such_movie_is_shared_too(shop: Shop) -> None:
    shop.says(DETAIL)
    await shop.ask(DETAIL)
    replica = shop.over(shop.storage)
    assert (await shop.ask(DETAIL, replica)).rows == ()
    assert shop.calls == 1
    await replica.close()


@pytest.mark.parametrize("stored", [b"", b"\x80pickle", b'{"rows": [], "as_of": "x"}'])
async def test_bytes_of_another_version_are_a_miss(shop: Shop, stored: bytes) -> None:
    await shop.storage.put(f"movieql:{ENVELOPE_VERSION}:cinemaworld:list:", stored, 1e6)
    assert (await shop.ask()).status is SourceStatus.OK
    assert shop.calls == 1


async def test_a_broken_cache_is_a_miss_and_operators_are_told(
    shop: Shop, telemetry: RecordedTelemetry
) -> None:
    shop.storage.broken = True
    answer = await shop.ask()
    await shop.clock.settle()
    assert (answer.status, answer.latency_ms) == (SourceStatus.OK, 0)
    assert [action for action, _ in telemetry.cache_failures] == ["get", "claim", "put"]
    assert (await shop.ask()).status is SourceStatus.OK
    assert shop.calls == 1


async def test_a_slow_cache_costs_50_ms_and_is_a_miss(shop: Shop) -> None:
    shop.storage.delay_s = 3.0
    answer = await shop.ask()
    assert answer.status is SourceStatus.OK
    assert answer.latency_ms == pytest.approx(50, abs=11)


async def test_a_slow_cache_costs_those_who_come_later_nothing(shop: Shop) -> None:
    shop.storage.delay_s = 3.0
    shop.fails(LIST)
    await shop.ask()
    await shop.pass_time(0.1)
    assert (await shop.ask()).latency_ms == 0


async def test_a_cache_that_cannot_be_written_keeps_nothing_from_working(shop: Shop) -> None:
    await shop.ask()
    shop.storage.broken = True
    await shop.pass_time(400.0)
    assert (await shop.ask()).status is SourceStatus.OK


async def test_the_cache_is_not_asked_while_an_answer_is_fresh(
    shop: Shop, telemetry: RecordedTelemetry
) -> None:
    await shop.ask()
    shop.storage.broken = True
    await shop.ask()
    assert telemetry.cache_failures == []


# The content revision


async def test_equal_content_changes_nothing_and_is_the_same_object(shop: Shop) -> None:
    first = await shop.ask()
    number = shop.revision.number
    await shop.pass_time(400.0)
    again = await shop.ask()
    assert again.as_of != first.as_of
    assert again.rows is first.rows
    assert shop.revision.number == number


async def test_equal_content_of_another_replica_changes_nothing(shop: Shop) -> None:
    await shop.ask()
    number = shop.revision.number
    await shop.pass_time(61.0)
    same = Envelope((row(),), shop.clock.now(), 60.0)
    await shop.storage.put(
        f"movieql:{ENVELOPE_VERSION}:cinemaworld:list:",
        stored(same),
        1e6,
    )
    before = shop.calls
    assert (await shop.ask()).status is SourceStatus.OK
    assert shop.calls == before
    assert shop.revision.number == number


@pytest.mark.parametrize(
    "changed",
    [(row("cw0076759"), row("cw2")), (row(title="Star Wars IV"),), (row(year=1977),)],
    ids=["membership", "title", "year"],
)
async def test_changed_content_advances_the_revision(shop: Shop, changed: tuple[Row, ...]) -> None:
    await shop.ask()
    number = shop.revision.number
    shop.says(LIST, *changed)
    await shop.pass_time(400.0)
    assert (await shop.ask()).rows == changed
    assert shop.revision.number == number + 1


async def test_a_changed_price_advances_the_revision(shop: Shop) -> None:
    shop.says(DETAIL, row(price="29.5"))
    await shop.ask(DETAIL)
    number = shop.revision.number
    shop.says(DETAIL, row(price="29.4"))
    await shop.pass_time(400.0)
    await shop.ask(DETAIL)
    assert shop.revision.number == number + 1


async def test_a_state_that_changes_advances_the_revision_once(shop: Shop) -> None:
    await shop.ask()
    number = shop.revision.number
    shop.fails(LIST)
    await shop.pass_time(400.0)
    for _ in range(3):
        await shop.ask()
        await shop.pass_time(1.0)
    assert shop.revision.number == number + 1
    shop.fails(LIST, FORBIDDEN)
    await shop.ask()
    assert shop.revision.number == number + 2
    shop.says(LIST, row())
    await shop.ask()
    await shop.clock.settle()
    assert shop.revision.number == number + 3


async def test_how_long_a_shop_is_left_alone_is_no_change(shop: Shop) -> None:
    await shop.ask()
    await shop.pass_time(61.0)
    numbers = []
    for retry_at_s in (66.0, 67.0, 68.0):
        shop.fails(LIST, left_alone(retry_at_s))
        await shop.ask()
        await shop.pass_time(1.1)
        numbers.append(shop.revision.number)
    assert len(set(numbers)) == 1
    answer = await shop.ask()
    assert answer.error is not None
    assert answer.error.retry_at_s == 68.0


async def test_a_failure_where_nothing_is_kept_changes_nothing(shop: Shop) -> None:
    shop.fails(LIST)
    await shop.ask()
    assert shop.revision.number == 0


async def test_a_cache_error_says_what_it_is() -> None:
    assert str(CacheError()) == "The shared cache did not answer, or not in time."


# Whoever is told of details


Told = list[Row | None]


@pytest.fixture
async def told() -> Told:
    return []


@pytest.fixture
async def telling(
    clock: VirtualClock, telemetry: RecordedTelemetry, told: Told
) -> AsyncIterator[Shop]:
    options = {"note_detail": lambda *noted: told.append(noted[2])}
    shop = Shop(clock, telemetry, SlowCache(clock), options=options)
    yield shop
    await shop.cached.close()


DETAIL, PRICED, CHEAPER = Call("cw1"), row("cw1", price="9"), row("cw1", price="8")


async def test_a_detail_is_told_also_when_it_is_refreshed_in_the_background(
    telling: Shop, told: Told
) -> None:
    telling.says(DETAIL, PRICED)
    await telling.ask()
    assert told == []  # a list is none
    await telling.ask(DETAIL)
    assert told == [PRICED]
    telling.says(DETAIL, CHEAPER)
    telling.cached.renew(DETAIL)
    await telling.pass_time(0.1)
    assert told[1:] == [CHEAPER]


async def test_a_detail_that_another_replica_shared_is_told(telling: Shop, told: Told) -> None:
    telling.says(DETAIL, PRICED)
    await telling.ask(DETAIL)
    other = telling.over(telling.storage)
    await telling.ask(DETAIL, other)
    assert told == [PRICED, PRICED]
    assert telling.calls == 1
    await other.close()


async def test_a_detail_that_is_none_any_more_is_told(telling: Shop, told: Told) -> None:
    telling.says(DETAIL, PRICED)
    await telling.ask(DETAIL)
    telling.says(DETAIL)
    await telling.pass_time(400.0)
    await telling.ask(DETAIL)
    assert told[1:] == [None]


async def test_a_detail_that_fails_is_told_as_none_after_a_day(telling: Shop, told: Told) -> None:
    telling.says(DETAIL, PRICED)
    await telling.ask(DETAIL)
    telling.fails(DETAIL)
    await telling.pass_time(86_000.0)
    assert (await telling.ask(DETAIL)).status is SourceStatus.STALE
    assert told == [PRICED]
    await telling.pass_time(500.0)
    assert (await telling.ask(DETAIL)).status is SourceStatus.FAILED
    assert told[1:] == [None]
