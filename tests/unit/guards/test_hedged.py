import asyncio
from typing import Any

from movieql.domain.movies import Answer, SourceErrorCode, failed
from movieql.memory import VirtualClock
from movieql.ports import LIST, Call
from movieql.providers.guards import Hedged, RetryBudget, Room
from tests.builders import fresh, row

GOOD = fresh(row())
DOWN = failed(SourceErrorCode.UNAVAILABLE, "filmworld answered 503.")


class Script:
    """A provider whose attempts take so many seconds each and then answer so."""

    def __init__(self, clock: VirtualClock, *attempts: tuple[float, Answer]) -> None:
        self.clock = clock
        self.attempts = list(attempts)
        self.started_s: list[float] = []
        self.left = 0

    async def fetch(self, call: Call, until_s: float) -> Answer:
        assert call == LIST
        self.started_s.append(self.clock.monotonic_s())
        delay_s, answer = self.attempts[len(self.started_s) - 1]
        try:
            await self.clock.sleep(delay_s)
        except asyncio.CancelledError:
            self.left += 1
            raise
        assert self.clock.monotonic_s() <= until_s
        return answer


def hedged(script: Script, per_second: float = 2) -> Hedged:
    budget = RetryBudget(script.clock, per_second=per_second, share=0)
    room = Room(20, script.clock)
    return Hedged(script, provider="filmworld", budget=budget, room=room, clock=script.clock)


async def outcome(
    script: Script, *, until_s: float = 10.0, per_second: float = 2, advance_s: float = 30.0
) -> tuple[Answer, float]:
    """Return the answer and when it came."""
    came_s: list[float] = []

    def note(_: object) -> None:
        came_s.append(script.clock.monotonic_s())

    task = asyncio.ensure_future(hedged(script, per_second).fetch(LIST, until_s))
    task.add_done_callback(note)
    await script.clock.advance(advance_s)
    return task.result(), came_s[0]


async def test_no_other_attempt_is_made_while_an_answer_is_being_read() -> None:
    clock = VirtualClock()
    script = Script(clock, (0.9, GOOD))
    guard = Hedged(
        script,
        provider="filmworld",
        budget=RetryBudget(clock, per_second=2, share=0),
        room=Room(20, clock),
        clock=clock,
        is_reading=lambda: True,
    )
    task = asyncio.ensure_future(guard.fetch(LIST, 10.0))
    await clock.advance(1.0)
    assert task.result() is GOOD
    assert script.started_s == [0.0]


async def test_an_attempt_that_answers_at_once_stays_the_only_one() -> None:
    script = Script(VirtualClock(), (0.2, GOOD))
    assert await outcome(script) == (GOOD, 0.2)
    assert script.started_s == [0.0]


async def test_attempts_overlap_and_the_first_good_one_wins() -> None:
    script = Script(VirtualClock(), (7.0, GOOD), (0.4, GOOD), (9.0, GOOD))
    answer, came_s = await outcome(script)
    assert (answer, round(came_s, 6)) == (GOOD, 0.7)
    assert script.started_s == [0.0, 0.3, 0.6]
    assert script.left == 2


async def test_an_error_starts_the_next_attempt_at_once() -> None:
    script = Script(VirtualClock(), (0.05, DOWN), (0.1, GOOD))
    answer, came_s = await outcome(script)
    assert (answer, round(came_s, 6)) == (GOOD, 0.15)


async def test_an_error_does_not_end_an_earlier_attempt_that_is_still_out() -> None:
    script = Script(VirtualClock(), (1.0, GOOD), (0.1, DOWN), (0.1, DOWN))
    answer, came_s = await outcome(script)
    assert (answer, came_s) == (GOOD, 1.0)


async def test_three_errors_are_an_error() -> None:
    script = Script(VirtualClock(), (0.1, DOWN), (0.1, DOWN), (0.1, DOWN))
    answer, _ = await outcome(script)
    assert answer == DOWN
    assert len(script.started_s) == 3


async def test_a_wrong_token_is_never_tried_again() -> None:
    refused = failed(SourceErrorCode.UNAUTHORIZED, "filmworld answered 403.", retryable=False)
    script = Script(VirtualClock(), (0.03, refused))
    assert (await outcome(script))[0] == refused
    assert len(script.started_s) == 1


async def test_an_open_circuit_is_not_asked_again() -> None:
    refused = failed(SourceErrorCode.CIRCUIT_OPEN, "left alone", sent=False)
    script = Script(VirtualClock(), (0.0, refused))
    assert (await outcome(script))[0] == refused
    assert len(script.started_s) == 1


async def test_retry_after_is_honoured_when_it_fits() -> None:
    busy = failed(SourceErrorCode.RATE_LIMITED, "429", retry_at_s=1.0)
    script = Script(VirtualClock(), (0.1, busy), (0.1, GOOD))
    assert (await outcome(script))[0] == GOOD
    assert script.started_s == [0.0, 1.0]


async def test_a_retry_after_beyond_the_time_there_is_ends_it() -> None:
    busy = failed(SourceErrorCode.RATE_LIMITED, "429", retry_at_s=2.0)
    script = Script(VirtualClock(), (0.1, busy))
    assert await outcome(script) == (busy, 0.1)


async def test_what_the_shop_did_is_told_rather_than_that_it_is_left_alone_since() -> None:
    refused = failed(SourceErrorCode.CIRCUIT_OPEN, "left alone", sent=False)
    script = Script(VirtualClock(), (0.1, DOWN), (0.0, refused))
    assert (await outcome(script))[0] == DOWN


async def test_without_budget_there_is_one_attempt() -> None:
    script = Script(VirtualClock(), (5.0, GOOD))
    assert await outcome(script, per_second=0) == (GOOD, 5.0)
    assert script.started_s == [0.0]


async def test_attempts_that_never_answer_end_with_the_time_there_is() -> None:
    script = Script(VirtualClock(), *[(100.0, GOOD)] * 3)
    answer, came_s = await outcome(script, until_s=10.0)
    assert answer.error is not None
    assert (answer.error.code, came_s) == (SourceErrorCode.TIMEOUT, 10.0)
    assert script.left == 3


async def test_a_caller_that_leaves_takes_its_attempts_along() -> None:
    script = Script(VirtualClock(), *[(100.0, GOOD)] * 3)
    task = asyncio.ensure_future(hedged(script).fetch(LIST, 10.0))
    await script.clock.advance(1)
    task.cancel()
    await script.clock.settle()
    assert script.left == 3


async def test_a_thousand_failing_calls_in_one_window_cause_at_most_1270() -> None:
    clock = VirtualClock()
    started = 0

    class Failing:
        async def fetch(self, call: Call, until_s: float) -> Answer:
            nonlocal started
            del call, until_s
            started += 1
            await clock.sleep(0.01)
            return DOWN

    budget, room = RetryBudget(clock), Room(1_000, clock)
    guard = Hedged(Failing(), provider="filmworld", budget=budget, room=room, clock=clock)

    async def asks(after_s: float) -> Answer:
        await clock.sleep(after_s)
        return await guard.fetch(LIST, after_s + 5)

    calls = asyncio.gather(*(asks(number / 200) for number in range(1_000)))
    await clock.advance(9)
    assert all(answer == DOWN for answer in await calls)
    assert 1_000 < started <= 1_270


async def test_without_a_free_place_there_is_no_extra_attempt() -> None:
    script = Script(VirtualClock(), (5.0, GOOD))
    room = Room(1, script.clock)
    assert await room.enter_now()
    budget = RetryBudget(script.clock)
    guard = Hedged(script, provider="filmworld", budget=budget, room=room, clock=script.clock)
    task = asyncio.ensure_future(guard.fetch(LIST, 10.0))
    await script.clock.advance(5)
    assert task.result() == GOOD
    assert script.started_s == [0.0]


async def test_an_extra_attempt_gives_its_place_back() -> None:
    script = Script(VirtualClock(), (7.0, GOOD), (0.4, GOOD), (9.0, GOOD))
    room = Room(2, script.clock)
    budget = RetryBudget(script.clock)
    guard = Hedged(script, provider="filmworld", budget=budget, room=room, clock=script.clock)
    task = asyncio.ensure_future(guard.fetch(LIST, 10.0))
    await script.clock.advance(10)
    assert task.result() == GOOD
    assert await room.enter_now()
    assert await room.enter_now()


async def test_a_process_that_was_busy_reads_what_came_before_it_asks_again() -> None:
    class Busy(VirtualClock):
        """Wakes 0.2 s late, as when something else holds the loop."""

        async def wait(self, futures: Any, timeout_s: float) -> None:
            await super().wait(futures, timeout_s + 0.2)

    script = Script(Busy(), (0.55, GOOD), (0.1, GOOD))
    assert (await outcome(script))[0] == GOOD
    assert script.started_s == [0.0]
