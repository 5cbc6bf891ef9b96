from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.retry_after import retry_after_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value, wait_s",
    [
        ("", None),
        ("soon", None),
        ("-1", None),
        ("+1", None),
        ("1e3", None),
        ("inf", None),
        ("nan", None),
        ("0x10", None),
        ("\u0663", None),
        ("1, 2", 2.0),
        ("30, soon", 30.0),
        ("soon,30,", 30.0),
        ("30, Thu, 01 Jan 2026 00:00:40 GMT, 5", 40.0),
        ("Thursday, 01-Jan-26 00:00:30 GMT, 5", 30.0),
        ("0", 0.0),
        ("2", 2.0),
        (" 2 ", 2.0),
        ("1.5", 1.5),
        ("86401", 86_401.0),
        ("9" * 5_000, float("inf")),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thursday, 01-Jan-26 00:00:30 GMT", 30.0),
        ("Thu Jan  1 00:00:30 2026", 30.0),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30.0),
        ("Thu, 01 Jan 2026 01:00:30 +0100", 30.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 00:00:30 +9999", None),
        ("Thu, 01 Jan 99999999999999999999 00:00:30 GMT", None),
        ("Thu, 01 Jan 2026 00:00:30 +99999999999999999999", None),
    ],
)
def test_seconds_and_the_three_forms_of_a_date_are_read_and_nothing_else(
    value: str, wait_s: float | None
) -> None:
    assert retry_after_s([value], NOW) == wait_s


def test_the_longest_of_several_counts() -> None:
    assert retry_after_s([], NOW) is None
    assert retry_after_s(["5", "30"], NOW) == 30.0
    assert retry_after_s(["30", "5", "soon"], NOW) == 30.0


_dates = st.builds(
    "{} {} {} {} {:02}:{:02}:{:02} {}".format,
    st.sampled_from(["Thu,", "Thu", ""]),
    st.integers(-1, 10**20),
    st.sampled_from(["Jan", "Dec", "Foo"]),
    st.integers(-1, 10**20),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 10**20),
    st.sampled_from(["GMT", "+0000", "-2359", "+9999999999999999999", "EST", ""]),
)


@given(st.text(max_size=40) | _dates)
def test_no_text_whatsoever_raises_or_is_a_wait_into_the_past(value: str) -> None:
    wait_s = retry_after_s([value], NOW)
    assert wait_s is None or wait_s >= 0
