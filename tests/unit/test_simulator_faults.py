from random import Random
from statistics import quantiles

import pytest

from movieql.dev.catalogues import read_data
from movieql.dev.faults import (
    Draw,
    Endpoint,
    Knob,
    Mode,
    NotAllowedError,
    ObservedMix,
    interpolated,
    known_provider,
)

DRAWS = 20_000
FACTS = read_data("observed_faults.json")
MODES = {"200": Mode.OK, "500": Mode.HTTP_500, "503": Mode.HTTP_503, "hang": Mode.HANG}


def drawn(provider: str) -> list[Draw]:
    mix, random = ObservedMix(FACTS[provider]), Random(7)
    return [mix.draw(random) for _ in range(DRAWS)]


def latencies_ms(draws: list[Draw], mode: Mode) -> list[float]:
    return [draw.latency_s * 1000 for draw in draws if draw.mode is mode]


@pytest.mark.parametrize("provider", ["cinemaworld", "filmworld"])
def test_outcomes_are_as_frequent_as_observed(provider: str) -> None:
    draws = drawn(provider)
    for outcome, rate in FACTS[provider]["rates"].items():
        found = sum(draw.mode is MODES[outcome] for draw in draws) / DRAWS
        assert found == pytest.approx(rate, abs=0.006)


@pytest.mark.parametrize("provider", ["cinemaworld", "filmworld"])
def test_good_answers_take_as_long_as_observed(provider: str) -> None:
    percentiles = quantiles(latencies_ms(drawn(provider), Mode.OK), n=100)
    for name, expected in FACTS[provider]["ok_latency_ms"].items():
        if name not in ("p90", "p99", "max"):  # on the edges of humps, where little moves much
            assert percentiles[int(name[1:]) - 1] == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("provider", ["cinemaworld", "filmworld"])
def test_between_the_two_humps_is_almost_nothing(provider: str) -> None:
    times = latencies_ms(drawn(provider), Mode.OK)
    for slower_than, share in FACTS[provider]["ok_slower_than"].items():
        limit = float(slower_than.removesuffix("ms"))
        found = sum(time > limit for time in times) / len(times)
        assert found == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("outcome", ["500", "503"])
@pytest.mark.parametrize("provider", ["cinemaworld", "filmworld"])
def test_errors_take_as_long_as_observed(provider: str, outcome: str) -> None:
    facts = FACTS[provider][f"{outcome}_latency_ms"]
    times = latencies_ms(drawn(provider), MODES[outcome])
    deciles = quantiles(times, n=10)
    assert deciles[4] == pytest.approx(facts["p50"], rel=0.1)
    assert deciles[8] == pytest.approx(facts["p90"], rel=0.1)
    assert facts["min"] <= min(times) <= max(times) <= facts["max"]


def test_the_same_seed_draws_the_same_calls() -> None:
    assert drawn("filmworld")[:50] == drawn("filmworld")[:50]


@pytest.mark.parametrize("share, value", [(0.0, 1.0), (0.25, 2.0), (0.5, 3.0), (1.0, 13.0)])
def test_a_curve_is_straight_between_its_points(share: float, value: float) -> None:
    assert interpolated([(0.0, 1.0), (0.5, 3.0), (1.0, 13.0)], share) == value


def test_a_knob_for_details_leaves_the_list_alone() -> None:
    knob = Knob.of("hang", "detail")
    assert (knob.mode_for("list"), knob.mode_for("detail")) == (Mode.OK, Mode.HANG)
    assert Knob.of("hang").mode_for("create") is Mode.HANG


@pytest.mark.parametrize("mode", ["broken", "", None, 500, ["ok"]])
def test_an_unknown_mode_is_refused_with_all_known_ones(mode: object) -> None:
    with pytest.raises(NotAllowedError, match="unknown mode") as refused:
        Knob.of(mode)
    assert refused.value.allowed == tuple(Mode)


def test_an_unknown_endpoint_is_refused_with_all_known_ones() -> None:
    with pytest.raises(NotAllowedError, match="'poster'; allowed: all, list, detail"):
        Knob.of("hang", "poster")


def test_a_port_cannot_be_closed_for_one_endpoint_only() -> None:
    with pytest.raises(NotAllowedError, match="endpoint of refuse 'list'; allowed: all"):
        Knob.of("refuse", Endpoint.LIST)


@pytest.mark.parametrize("provider", ["shop", None, 1])
def test_an_unknown_provider_is_refused_with_all_known_ones(provider: object) -> None:
    with pytest.raises(NotAllowedError, match="allowed: cinemaworld, filmworld"):
        known_provider(provider, ["cinemaworld", "filmworld"])
