import asyncio
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from movieql.domain.movies import Answer, SourceErrorCode, failed
from movieql.memory import MemoryProvider, VirtualClock
from movieql.ports import LIST, Call
from movieql.providers.guards import Breaker, BreakerRules, Circuit, Cooldown, Permit
from tests.builders import fresh, row

GOOD = fresh(row())
DOWN = failed(SourceErrorCode.UNAVAILABLE, "filmworld answered 503.")
REFUSED = failed(SourceErrorCode.UNAVAILABLE, "filmworld cannot be reached.", connected=False)


class Bench:
    """A breaker over a provider that answers as told, on a virtual clock."""

    def __init__(self, **rules: float) -> None:
        self.clock = VirtualClock()
        self.inner = MemoryProvider(self.clock, otherwise=GOOD)
        self.states: list[tuple[str, str]] = []
        self.breaker = Breaker(
            self.inner,
            provider="filmworld",
            rules=BreakerRules(jitter=0.0, **rules),  # type: ignore[arg-type]  # numbers
            cooldown=Cooldown("filmworld"),
            clock=self.clock,
            rng=random.Random(1),
            note_state=lambda endpoint, state: self.states.append((endpoint, state)),
        )

    async def ask(self, call: Call = LIST) -> Answer:
        task = asyncio.ensure_future(self.breaker.fetch(call, self.clock.monotonic_s() + 10))
        await self.clock.advance(self.inner.delay_s)
        return task.result()

    async def open(self) -> None:
        self.inner.otherwise = DOWN
        for _ in range(10):
            await self.ask()


def code(answer: Answer) -> SourceErrorCode | None:
    return None if answer.error is None else answer.error.code


async def test_ten_calls_of_which_half_fail_open_it() -> None:
    bench = Bench()
    for number in range(10):
        bench.inner.otherwise = DOWN if number % 2 else GOOD
        assert code(await bench.ask()) != SourceErrorCode.CIRCUIT_OPEN
    assert code(await bench.ask()) == SourceErrorCode.CIRCUIT_OPEN


async def test_nine_failures_do_not_open_it() -> None:
    bench = Bench()
    bench.inner.otherwise = DOWN
    for _ in range(9):
        await bench.ask()
    assert bench.breaker._circuits["list"].state(0) == "closed"  # noqa: SLF001


async def test_failures_of_long_ago_do_not_count() -> None:
    bench = Bench()
    bench.inner.otherwise = DOWN
    for _ in range(9):
        await bench.ask()
    await bench.clock.advance(11)
    await bench.ask()
    assert code(await bench.ask()) == SourceErrorCode.UNAVAILABLE


async def test_five_refused_connects_open_it() -> None:
    bench = Bench()
    bench.inner.otherwise = REFUSED
    for _ in range(5):
        assert code(await bench.ask()) == SourceErrorCode.UNAVAILABLE
    assert code(await bench.ask()) == SourceErrorCode.CIRCUIT_OPEN


async def test_an_open_circuit_costs_no_call_and_says_when_it_may_be_over() -> None:
    bench = Bench()
    await bench.open()
    await bench.clock.advance(2)
    answer = await bench.ask()
    assert bench.inner.calls.total() == 10
    assert answer.error is not None
    assert answer.error.retry_after_ms(bench.clock.monotonic_s()) == 3_000


async def test_endpoints_have_circuits_of_their_own() -> None:
    bench = Bench()
    await bench.open()
    assert code(await bench.ask(Call("cw1"))) == SourceErrorCode.UNAVAILABLE


async def test_fifty_callers_at_half_open_cause_exactly_one_probe() -> None:
    bench = Bench()
    await bench.open()
    await bench.clock.advance(5)
    bench.inner.otherwise, bench.inner.delay_s = GOOD, 0.5
    before = bench.inner.calls.total()
    calls = [asyncio.ensure_future(bench.breaker.fetch(LIST, 100)) for _ in range(50)]
    await bench.clock.advance(0.5)
    answers = [call.result() for call in calls]
    assert bench.inner.calls.total() - before == 1
    assert sum(answer == GOOD for answer in answers) == 1
    assert code(await bench.ask()) is None


@pytest.mark.parametrize("trips, open_s", [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (9, 60)])
async def test_each_failed_probe_doubles_the_time_it_stays_open_up_to_a_minute(
    trips: int, open_s: float
) -> None:
    bench = Bench()
    await bench.open()
    for _ in range(trips - 1):
        error = (await bench.ask()).error
        assert error is not None
        await bench.clock.advance((error.retry_at_s or 0) - bench.clock.monotonic_s())
        await bench.ask()
    answer = await bench.ask()
    assert answer.error is not None
    assert answer.error.retry_after_ms(bench.clock.monotonic_s()) == open_s * 1000


async def test_a_hung_probe_ends_with_its_attempt() -> None:
    bench = Bench()
    await bench.open()
    await bench.clock.advance(5)
    bench.inner.delay_s = 1_000
    probe = asyncio.ensure_future(bench.breaker.fetch(LIST, 2_000))
    await bench.clock.advance(1.5)
    bench.inner.otherwise, bench.inner.delay_s = GOOD, 0
    await bench.clock.advance(10)
    assert code(await bench.ask()) is None
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)


async def test_ten_callers_that_leave_do_not_open_it() -> None:
    bench = Bench()
    bench.inner.delay_s = 1.0
    calls = [asyncio.ensure_future(bench.breaker.fetch(LIST, 10)) for _ in range(10)]
    await bench.clock.advance(0.5)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert code(await bench.ask()) is None


async def test_a_probe_that_leaves_lets_the_next_caller_probe() -> None:
    bench = Bench()
    await bench.open()
    await bench.clock.advance(5)
    bench.inner.otherwise, bench.inner.delay_s = GOOD, 1.0
    probe = asyncio.ensure_future(bench.breaker.fetch(LIST, 100))
    await bench.clock.settle()
    probe.cancel()
    await bench.clock.settle()
    assert code(await bench.ask()) is None


async def test_a_slow_attempt_counts_as_failed_and_still_brings_its_answer() -> None:
    bench = Bench()
    bench.inner.delay_s = 2.0
    calls = [asyncio.ensure_future(bench.breaker.fetch(LIST, 10)) for _ in range(10)]
    await bench.clock.advance(1.6)
    assert bench.states[-1] == ("list", "open")
    await bench.clock.advance(0.4)
    assert all(call.result() == GOOD for call in calls)


async def test_a_detail_that_the_shop_does_not_have_is_a_success() -> None:
    bench = Bench()
    bench.inner.otherwise = Answer(rows=(), fresh=True)
    for _ in range(20):
        assert code(await bench.ask(Call("cw1"))) is None


async def test_the_time_it_stays_open_is_jittered() -> None:
    circuits = [Circuit(BreakerRules(), random.Random(seed)) for seed in range(50)]
    for circuit in circuits:
        for _ in range(10):
            permit = circuit.admit(0)
            assert permit is not None
            circuit.failed(permit, 0, refused=False)
    waits = [circuit.open_until_s for circuit in circuits]
    assert 4.5 <= min(waits) < 4.8
    assert 5.2 < max(waits) <= 5.5


class Model:
    """What a circuit should do, written the slow and obvious way."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[float, bool]] = []
        self.refused = 0
        self.trips = 0
        self.open_until_s: float | None = None
        self.probing = False

    def admits(self, now_s: float) -> bool:
        if self.open_until_s is None:
            return True
        return now_s >= self.open_until_s and not self.probing

    def note(self, now_s: float, *, good: bool, refused: bool, probe: bool) -> None:
        if good and probe:
            self.__init__()  # type: ignore[misc]  # all is forgotten
            return
        self.refused = 0 if good or not refused else self.refused + 1
        self.outcomes.append((now_s, good))
        recent = [ok for at, ok in self.outcomes if int(at) > now_s - 10]
        failing = len(recent) >= 10 and 2 * recent.count(False) >= len(recent)
        if not good and (probe or failing or self.refused >= 5):
            self.open_until_s = now_s + min(5 * 2.0**self.trips, 60)
            self.trips += 1
            self.outcomes, self.refused, self.probing = [], 0, False


class CircuitAgainstModel(RuleBasedStateMachine):
    """Any order of calls, outcomes, leavings and pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.circuit = Circuit(BreakerRules(jitter=0.0), random.Random(1))
        self.model = Model()
        self.spell = 0
        self.out: list[tuple[Permit, int]] = []

    @rule(pause_s=st.floats(0, 30))
    def time_passes(self, pause_s: float) -> None:
        self.now_s += pause_s

    @rule(calls=st.integers(1, 6))
    def calls_arrive(self, calls: int) -> None:
        for _ in range(calls):
            expected = self.model.admits(self.now_s)
            permit = self.circuit.admit(self.now_s)
            assert (permit is not None) == expected
            if permit is not None:
                self.model.probing = permit.is_probe
                self.out.append((permit, self.spell))

    @precondition(lambda self: self.out)
    @rule(data=st.data(), good=st.booleans(), refused=st.booleans())
    def a_call_ends(self, data: st.DataObject, good: bool, refused: bool) -> None:  # noqa: FBT001
        permit, spell = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        if good:
            self.circuit.succeeded(permit, self.now_s)
        else:
            self.circuit.failed(permit, self.now_s, refused=refused)
        if spell == self.spell:
            was = self.model.open_until_s
            self.model.note(self.now_s, good=good, refused=refused, probe=permit.is_probe)
            self.spell += was != self.model.open_until_s

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def a_caller_leaves(self, data: st.DataObject) -> None:
        permit, spell = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        self.circuit.left(permit)
        if spell == self.spell and permit.is_probe:
            self.model.probing = False

    @invariant()
    def both_say_the_same(self) -> None:
        open_until_s = self.model.open_until_s
        if open_until_s is None:
            assert self.circuit.state(self.now_s) == "closed"
        else:
            expected = "open" if self.now_s < open_until_s else "half_open"
            assert self.circuit.state(self.now_s) == expected


TestCircuitAgainstModel = CircuitAgainstModel.TestCase
TestCircuitAgainstModel.settings = settings(stateful_step_count=60)
