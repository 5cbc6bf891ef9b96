"""Knobs in JSON, alike wherever they can be turned, and in words for people."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from movieql.dev.faults import Endpoint, Knob, Mode, NotAllowedError, Pace

EXAMPLE = '{"mode": "hang", "endpoint": "all"}'
"""What turns a knob; `endpoint` may be left out."""

COMMON = (Mode.OK, Mode.SLOW, Mode.HANG, Mode.HTTP_500, Mode.HTML, Mode.EMPTY)
"""What people try first, in this order."""

MODE_WORDS: Mapping[Mode, str] = {
    Mode.OK: "is well",
    Mode.SLOW: "answers after {slow_s:g} s",
    Mode.HANG: "never answers",
    Mode.DRIP: "sends one byte every {drip_s:g} s",
    Mode.HTTP_500: "fails (500)",
    Mode.HTTP_503: "is overloaded (503)",
    Mode.HTTP_429: "asks for {retry_after_s} s of rest (429)",
    Mode.HTTP_403: "does not let us in (403)",
    Mode.HTML: "sends a page instead of data",
    Mode.TRUNCATED: "breaks off in the middle",
    Mode.EMPTY: "answers with nothing in it",
    Mode.WRONG_SHAPE: "sends data of another shape",
    Mode.RESET: "resets the connection",
    Mode.HUGE: "sends 50 MB",
    Mode.BAD_PRICES: "names prices that are none",
    Mode.FLAPPING: "fails every second time",
    Mode.REFUSE: "takes no connections",
    Mode.OBSERVED: "behaves as the real shops did",
}
"""What a shop does in each mode, after its name; what is in braces is a `Pace`'s."""

ENDPOINT_WORDS: Mapping[Endpoint, str] = {
    Endpoint.ALL: "for all calls",
    Endpoint.LIST: "for its list alone",
    Endpoint.DETAIL: "for details alone",
}
"""Which calls a knob is for, after the words of its mode."""


def knob_of(body: Mapping[str, Any]) -> Knob:
    """Make a knob of what somebody sent. Raises `NotAllowedError` listing what is known."""
    for key in body.keys() - {"mode", "endpoint"}:
        raise NotAllowedError(key, "key", ("mode", "endpoint"))
    return Knob.of(body.get("mode"), body.get("endpoint", Endpoint.ALL))


def shown_knob(knob: Knob) -> dict[str, str]:
    """Return a knob in JSON."""
    return {"mode": knob.mode, "endpoint": knob.endpoint}


def shown_modes(pace: Pace) -> list[dict[str, Any]]:
    """Return all modes in JSON, the common ones first, and which calls each can be for."""
    others = [mode for mode in Mode if mode not in COMMON]
    return [
        {
            "mode": mode,
            "words": MODE_WORDS[mode].format(**asdict(pace)),
            "common": mode in COMMON,
            "endpoints": mode.endpoints,
        }
        for mode in (*COMMON, *others)
    ]


def shown_endpoints() -> list[dict[str, str]]:
    """Return in JSON which calls a knob can be for."""
    return [{"endpoint": each, "words": ENDPOINT_WORDS[each]} for each in Endpoint]


def shown_refusal(error: NotAllowedError) -> dict[str, Any]:
    """Return what is said of a value that is not known, with those that are."""
    return {"error": str(error), "allowed": error.allowed}
