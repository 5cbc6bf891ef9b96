import pytest

from movieql.dev.faults import Endpoint, Knob, Mode, NotAllowedError, Pace
from movieql.dev.knobs import (
    COMMON,
    knob_of,
    shown_endpoints,
    shown_knob,
    shown_modes,
    shown_refusal,
)


def words_of(mode: Mode, pace: Pace) -> str:
    (found,) = (each["words"] for each in shown_modes(pace) if each["mode"] == mode)
    assert isinstance(found, str)
    return found


def test_every_mode_is_told_in_words_of_its_own_the_common_ones_first() -> None:
    told = shown_modes(Pace())
    assert sorted(each["mode"] for each in told) == sorted(Mode)
    assert [each["mode"] for each in told if each["common"]] == [*COMMON]
    assert tuple(each["mode"] for each in told)[: len(COMMON)] == COMMON
    words = [each["words"] for each in told]
    assert len(set(words)) == len(words)
    assert all("{" not in each for each in words)


def test_words_have_the_times_of_the_simulator_that_runs() -> None:
    assert words_of(Mode.SLOW, Pace()) == "answers after 7 s"
    assert words_of(Mode.SLOW, Pace(slow_s=0.5)) == "answers after 0.5 s"
    assert words_of(Mode.HTTP_429, Pace(retry_after_s=9)) == "asks for 9 s of rest (429)"


def test_a_closed_port_is_the_one_thing_that_is_for_all_calls_only() -> None:
    for_all = [each["mode"] for each in shown_modes(Pace()) if each["endpoints"] == ("all",)]
    assert for_all == [Mode.REFUSE]
    assert [each["endpoint"] for each in shown_endpoints()] == [*Endpoint]


def test_a_knob_is_read_as_it_is_shown() -> None:
    knob = Knob(Mode.HTTP_500, Endpoint.LIST)
    assert shown_knob(knob) == {"mode": "500", "endpoint": "list"}
    assert knob_of(shown_knob(knob)) == knob
    assert knob_of({"mode": "hang"}) == Knob(Mode.HANG)


@pytest.mark.parametrize(
    "body, allowed",
    [
        ({}, "hang"),
        ({"mode": 500}, "500"),
        ({"mode": "hang", "endpoint": None}, "detail"),
        ({"mode": "hang", "endpiont": "all"}, "endpoint"),
        ({"mode": "refuse", "endpoint": "list"}, "all"),
    ],
)
def test_what_is_no_knob_is_refused_with_what_is_one(
    body: dict[str, object], allowed: str
) -> None:
    with pytest.raises(NotAllowedError) as refused:
        knob_of(body)
    told = shown_refusal(refused.value)
    assert allowed in told["allowed"]
    assert allowed in told["error"]
