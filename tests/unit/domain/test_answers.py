import pytest

from movieql.domain.movies import Answer, SourceErrorCode, SourceStatus, failed
from tests.builders import NOON, fresh, row
from tests.unit.domain.worlds import LATE, stale


def test_a_fresh_answer_is_ok_also_when_the_shop_has_no_such_movie() -> None:
    assert fresh(row()).status is SourceStatus.OK
    assert fresh().status is SourceStatus.OK


def test_an_old_answer_is_stale_and_says_since_when_and_why() -> None:
    report = stale(row()).report("cinemaworld")
    assert report.status is SourceStatus.STALE
    assert report.as_of == NOON
    assert report.error == LATE


@pytest.mark.parametrize("code", sorted(set(SourceErrorCode) - {SourceErrorCode.CIRCUIT_OPEN}))
def test_an_answer_with_nothing_to_show_has_failed(code: SourceErrorCode) -> None:
    answer = failed(code, "Why.", latency_ms=7)
    assert answer.rows is None
    assert answer.status is SourceStatus.FAILED
    assert answer.report("cinemaworld").latency_ms == 7


def test_a_shop_behind_an_open_breaker_is_skipped_if_nothing_is_kept() -> None:
    nothing = failed(SourceErrorCode.CIRCUIT_OPEN, "It kept failing.", retry_at_s=5.0)
    assert nothing.status is SourceStatus.SKIPPED
    kept = Answer(rows=(row(),), as_of=NOON, error=nothing.error)
    assert kept.status is SourceStatus.STALE


def test_nothing_and_no_reason_is_what_was_not_waited_for() -> None:
    assert Answer(rows=None).status is SourceStatus.PENDING


def test_a_failure_says_whether_there_was_a_connection() -> None:
    assert failed(SourceErrorCode.UNAVAILABLE, "503.").connected
    assert not failed(SourceErrorCode.UNAVAILABLE, "Refused.", connected=False).connected


def test_a_failure_says_what_a_caller_can_do() -> None:
    error = failed(
        SourceErrorCode.RATE_LIMITED, "Too many.", retryable=False, retry_at_s=1.5
    ).error
    assert error is not None
    assert error.code == "RATE_LIMITED"
    assert (error.message, error.retryable, error.retry_at_s) == ("Too many.", False, 1.5)
