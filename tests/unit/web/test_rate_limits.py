import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.callers import Caller
from movieql.domain.errors import RateLimitedError
from movieql.memory import VirtualClock
from movieql.web.admission import (
    Budgets,
    MemoryCounts,
    RateLimits,
    address_key,
    caller_key,
    refusal,
)

SPEND_S_MAX = 100e-6  # ten times what a quiet machine needs at most: it is no benchmark


def limits(clock: VirtualClock, keys_max: int = 100, **budgets: int) -> RateLimits:
    return RateLimits(Budgets(**budgets), MemoryCounts(clock, keys_max))


async def test_requests_beyond_the_budget_are_refused_until_the_window_ends() -> None:
    clock = VirtualClock()
    own = limits(clock, requests=2)
    await own.spend("a", 1)
    await clock.advance(20)
    await own.spend("a", 1)
    with pytest.raises(RateLimitedError, match="ask again in 40 s") as refused:
        await own.spend("a", 1)
    assert refused.value.retry_after_s == 40
    await clock.advance(39.9)
    with pytest.raises(RateLimitedError, match="ask again in 1 s"):
        await own.spend("a", 1)
    await clock.advance(0.2)
    await own.spend("a", 1)


async def test_cost_has_a_budget_of_its_own() -> None:
    own = limits(VirtualClock(), requests=100, cost=10)
    await own.spend("a", 6)
    await own.charge("a", 4)
    with pytest.raises(RateLimitedError):
        await own.spend("a", 1)


async def test_charging_takes_no_request() -> None:
    own = limits(VirtualClock(), requests=1)
    await own.spend("a", 1)
    await own.charge("a", 1)


async def test_what_costs_nothing_is_never_refused() -> None:
    own = limits(VirtualClock(), cost=1)
    await own.charge("a", 1)
    await own.charge("a", 0)


async def test_callers_have_budgets_of_their_own() -> None:
    own = limits(VirtualClock(), requests=1)
    await own.spend("a", 1)
    await own.spend("b", 1)


async def test_attempts_to_log_in_are_counted_by_name_and_address() -> None:
    own = limits(VirtualClock(), login_attempts=1, requests=1)
    await own.login_attempt("Ada", "192.0.2.1")
    with pytest.raises(RateLimitedError):
        await own.login_attempt("ada", "192.0.2.1")
    await own.login_attempt("ada", "192.0.2.2")
    await own.login_attempt("bob", "192.0.2.1")


async def test_one_address_has_a_budget_of_attempts_whatever_the_names() -> None:
    own = limits(VirtualClock(), address_login_attempts=3)
    for name in ("ada", "bob", "cyd"):
        await own.login_attempt(name, "2001:db8:0:1::1")
    with pytest.raises(RateLimitedError):
        await own.login_attempt("dan", "2001:db8:0:1:ffff::2")  # of the same /64
    await own.login_attempt("dan", "2001:db8:0:2::1")


async def test_guesses_of_a_name_from_elsewhere_take_nothing_from_its_owner() -> None:
    own = limits(VirtualClock(), login_attempts=1)
    for number in range(50):
        await own.login_attempt("ada", f"192.0.2.{number}")
    await own.login_attempt("ada", "198.51.100.1")


async def test_it_keeps_no_more_keys_than_it_may_and_the_oldest_windows_go_first() -> None:
    clock = VirtualClock()
    own = limits(clock, keys_max=4, requests=1)  # two keys a caller
    for caller in ("a", "b", "c"):
        await own.spend(caller, 1)
    await own.spend("a", 1)
    with pytest.raises(RateLimitedError):
        await own.spend("c", 1)


async def test_a_window_that_started_anew_is_young() -> None:
    clock = VirtualClock()
    own = limits(clock, keys_max=4, requests=1)
    await own.spend("a", 1)
    await own.spend("b", 1)
    await clock.advance(61)
    await own.spend("a", 1)
    await own.spend("c", 1)  # takes the place of b
    with pytest.raises(RateLimitedError):
        await own.spend("a", 1)


async def test_it_is_quick_enough_for_every_request() -> None:
    own = limits(VirtualClock(), keys_max=10_000, requests=10**9, cost=10**9)
    began_s = time.perf_counter()
    for number in range(2_000):
        await own.spend(f"address:192.0.2.{number % 256}", 3)
    assert (time.perf_counter() - began_s) / 2_000 < SPEND_S_MAX


async def test_a_refusal_says_so_as_every_http_error_does() -> None:
    own = limits(VirtualClock(), requests=1)
    await own.spend("a", 1)
    with pytest.raises(RateLimitedError) as refused:
        await own.spend("a", 1)
    response = refusal(refused.value).response()
    assert response.status_code == 429
    assert response.headers["retry-after"] == "60"
    assert json.loads(bytes(response.body)) == {
        "errors": [
            {
                "message": "Too many requests: ask again in 60 s.",
                "extensions": {"code": "RATE_LIMITED"},
            }
        ]
    }


def test_an_authenticated_caller_has_one_budget_wherever_it_is() -> None:
    caller = Caller("ada")
    assert caller_key(caller, "192.0.2.1") == caller_key(caller, "192.0.2.2")
    assert caller_key(caller, "192.0.2.1") != caller_key(None, "192.0.2.1")


def test_nobody_can_name_itself_like_an_address() -> None:
    assert caller_key(Caller("address:192.0.2.1"), "") != caller_key(None, "192.0.2.1")


@pytest.mark.parametrize(
    "one,other,same",
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_customer_of_ipv6_has_a_whole_network(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert (address_key(one) == address_key(other)) is same


@given(st.text(), st.text())
def test_whatever_it_is_told_its_keys_are_bounded(subject: str, address: str) -> None:
    assert len(caller_key(Caller(subject), address)) <= 120
    assert len(caller_key(None, address)) <= 120
