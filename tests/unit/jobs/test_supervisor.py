"""When a process is started again."""

import random

import pytest

from movieql.jobs.export_worker import backing_off
from movieql.jobs.supervisor import Restarts, SupervisorRules
from movieql.ports import ExportRun

RULES = SupervisorRules(pause_s=0.5, pause_s_max=30.0, steady_s=60.0)


def pauses(lives_s: list[float]) -> list[float]:
    """Return the pause after each of the lives."""
    restarts, now_s, found = Restarts(RULES), 100.0, []
    for life_s in lives_s:
        restarts.started(now_s)
        now_s += life_s
        restarts.ended(now_s)
        found.append(restarts.due_s - now_s)
        now_s = restarts.due_s
    return found


def test_the_first_start_is_at_once() -> None:
    assert Restarts(RULES).due_s == 0.0


def test_the_pause_doubles_up_to_its_bound() -> None:
    assert pauses([1.0] * 8) == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30])


def test_the_pause_stays_bounded_for_ever() -> None:
    assert pauses([0.0] * 5_000)[-1] == pytest.approx(30)


def test_a_process_that_ran_long_is_trusted_again() -> None:
    assert pauses([1.0, 1.0, 60.0, 1.0]) == pytest.approx([0.5, 1, 0.5, 1])


def slept(attempt: int) -> float:
    """Return the seconds that an attempt waits before it begins."""
    waits: list[float] = []
    ran: list[ExportRun] = []
    run = ExportRun("a", 1, attempt)
    backing_off(ran.append, random.Random(7), waits.append, 2.0, 30.0)(run)
    assert ran == [run]
    return sum(waits)


def test_the_second_try_comes_at_once() -> None:
    assert (slept(1), slept(2)) == (0.0, 0.0)


@pytest.mark.parametrize("attempt, longest_s", [(3, 2.0), (4, 4.0), (5, 8.0), (50, 30.0)])
def test_later_tries_wait_a_bounded_time(attempt: int, longest_s: float) -> None:
    assert 0.0 < slept(attempt) <= longest_s
