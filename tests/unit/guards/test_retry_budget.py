from hypothesis import given
from hypothesis import strategies as st

from movieql.memory import VirtualClock
from movieql.providers.guards import RetryBudget


def test_a_quiet_provider_is_paid_two_extra_attempts_a_second() -> None:
    budget = RetryBudget(VirtualClock(), share=0.25, per_second=2, window_s=10)
    assert [budget.pay() for _ in range(21)] == [True] * 20 + [False]


def test_a_busy_provider_is_paid_a_quarter_of_its_calls_more() -> None:
    budget = RetryBudget(VirtualClock(), share=0.25, per_second=2, window_s=10)
    for _ in range(1_000):
        budget.note_call()
    assert sum(budget.pay() for _ in range(1_000)) == 270


async def test_what_was_paid_comes_back_when_the_window_has_passed() -> None:
    clock = VirtualClock()
    budget = RetryBudget(clock, share=0, per_second=1, window_s=10)
    assert sum(budget.pay() for _ in range(20)) == 10
    await clock.advance(10)
    assert sum(budget.pay() for _ in range(20)) == 10


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 50), st.integers(0, 50)), max_size=30))
def test_no_window_ever_pays_more_than_its_share(steps: list[tuple[float, int, int]]) -> None:
    class Now(VirtualClock):
        def to(self, now_s: float) -> None:
            self._elapsed_s = now_s

    clock = Now()
    budget = RetryBudget(clock, share=0.25, per_second=2, window_s=10)
    calls: list[float] = []
    paid: list[float] = []
    for pause_s, noted, wanted in steps:
        clock.to(clock.monotonic_s() + pause_s)
        for _ in range(noted):
            budget.note_call()
            calls.append(clock.monotonic_s())
        paid += [clock.monotonic_s() for _ in range(wanted) if budget.pay()]
    slack_s = 0.5  # the window is counted in slots of half a second
    for end_s in paid:
        within = sum(end_s - 10 + slack_s <= at <= end_s for at in paid)
        noted = sum(end_s - 10 - slack_s <= at <= end_s for at in calls)
        assert within <= 0.25 * noted + 20
