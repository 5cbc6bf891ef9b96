from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.movies import (
    SourceError,
    SourceErrorCode,
    SourceReport,
    SourceStatus,
    is_complete,
    worst,
)
from tests.builders import NOON
from tests.unit.domain.worlds import LATE

OK, STALE, SKIPPED, FAILED = (
    SourceReport("cinemaworld", status)
    for status in (
        SourceStatus.OK,
        SourceStatus.STALE,
        SourceStatus.SKIPPED,
        SourceStatus.FAILED,
    )
)


@pytest.mark.parametrize(
    "better, worse", [(OK, STALE), (OK, FAILED), (STALE, SKIPPED), (SKIPPED, FAILED)]
)
def test_the_worst_of_several_calls_is_what_is_reported(
    better: SourceReport, worse: SourceReport
) -> None:
    assert worst([better, worse]).status is worse.status
    assert worst([worse, better]).status is worse.status


def test_of_equally_bad_calls_the_first_one_says_why() -> None:
    other = SourceError(SourceErrorCode.UNAVAILABLE, "Refused.")
    first = SourceReport("cinemaworld", SourceStatus.FAILED, error=LATE)
    second = SourceReport("cinemaworld", SourceStatus.FAILED, error=other)
    assert worst([OK, first, second]).error == LATE


def test_a_report_tells_the_oldest_moment_and_the_longest_wait() -> None:
    young = SourceReport("cinemaworld", SourceStatus.OK, NOON, latency_ms=30)
    old = SourceReport("cinemaworld", SourceStatus.OK, NOON - timedelta(minutes=1), latency_ms=5)
    both = worst([young, FAILED, old])
    assert both.as_of == old.as_of
    assert both.latency_ms == 30


@given(st.lists(st.sampled_from([OK, STALE, SKIPPED, FAILED]), min_size=1))
def test_several_calls_are_ok_only_if_each_was(reports: list[SourceReport]) -> None:
    report = worst(reports)
    assert (report.status is SourceStatus.OK) == all(each == OK for each in reports)
    assert report.provider == "cinemaworld"


def test_an_answer_is_complete_when_every_provider_asked_answered_freshly() -> None:
    other = SourceReport("filmworld", SourceStatus.OK)
    assert is_complete([OK, other], frozenset())
    for gap in (STALE, SKIPPED, FAILED):
        assert not is_complete([gap, other], frozenset())
        assert not is_complete([gap, other], frozenset({"filmworld"}))


def test_a_provider_the_caller_left_out_is_no_gap() -> None:
    left_out = SourceReport("filmworld", SourceStatus.SKIPPED)
    assert is_complete([OK, left_out], frozenset({"filmworld"}))
