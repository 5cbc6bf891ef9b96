"""How a simulated shop can fail: the modes, the knob that chooses one, and the observed mix."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any, Self, TypeVar

Name = TypeVar("Name", bound=StrEnum)


class SimulatorError(Exception):
    """The simulator cannot do what was asked of it."""


class NotAllowedError(SimulatorError):
    """A name or value is unknown; the message and `allowed` list what is known.

    `allowed` holds at most 50 entries: a large catalogue is no help in a message.
    """

    def __init__(self, value: object, what: str, allowed: Iterable[str]) -> None:
        self.allowed = tuple(allowed)[:50]
        super().__init__(f"unknown {what} {value!r}; allowed: {', '.join(self.allowed)}")


class Endpoint(StrEnum):
    """The calls a knob applies to; `all` includes contract B's POST."""

    ALL = "all"
    LIST = "list"
    DETAIL = "detail"


class Mode(StrEnum):
    """What a shop does with a call. Statuses and bodies not said here are as in health."""

    OK = "ok"
    SLOW = "slow"
    """Answers well, after `Pace.slow_s`."""
    HANG = "hang"
    """Accepts the call and never answers."""
    DRIP = "drip"
    """Sends the headers, then one byte of the answer per `Pace.drip_s`."""
    HTTP_500 = "500"
    HTTP_503 = "503"
    HTTP_429 = "429"
    """Carries `Retry-After: Pace.retry_after_s`."""
    HTTP_403 = "403"
    HTML = "html"
    """Status 200 with a page instead of JSON."""
    TRUNCATED = "truncated"
    """Half of the answer, then the connection closes."""
    EMPTY = "empty"
    """Status 200 and nothing in it: no movies in the list, `{}` for a detail."""
    WRONG_SHAPE = "wrong-shape"
    """Status 200 with JSON of something else."""
    RESET = "reset"
    """A TCP reset instead of an answer."""
    HUGE = "huge"
    """Status 200 with 50 MiB of valid JSON, streamed."""
    BAD_PRICES = "bad-prices"
    """Prices go through `BAD_PRICES` in turn, wherever the contract has prices."""
    FLAPPING = "flapping"
    """Every second call fails with 500, the first one does not."""
    REFUSE = "refuse"
    """Nothing listens on the shop's port."""
    OBSERVED = "observed"
    """Outcome and latency of each call are drawn from what was measured on the real shops."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return which calls it can be for: a port that is closed is closed to all."""
        return (Endpoint.ALL,) if self is Mode.REFUSE else tuple(Endpoint)


@dataclass(frozen=True, slots=True)
class Knob:
    """What a shop does now, and with which calls; the others are answered well."""

    mode: Mode = Mode.OK
    endpoint: Endpoint = Endpoint.ALL

    @classmethod
    def of(cls, mode: object, endpoint: object = Endpoint.ALL) -> Self:
        """Make a knob from untrusted values; raises `NotAllowedError` listing the known ones."""
        knob = cls(_known(Mode, "mode", mode), _known(Endpoint, "endpoint", endpoint))
        if knob.endpoint not in knob.mode.endpoints:
            what = f"endpoint of {knob.mode}"
            raise NotAllowedError(str(endpoint), what, knob.mode.endpoints)
        return knob

    def mode_for(self, endpoint: str) -> Mode:
        """Give the mode for a call to `list`, `detail` or `create`."""
        return self.mode if self.endpoint in (Endpoint.ALL, endpoint) else Mode.OK


@dataclass(frozen=True, slots=True)
class Pace:
    """The simulator's times. A real wait is the subject of some modes, so tests shorten it."""

    latency_s: float = 0.0
    """Seconds before a healthy answer."""
    slow_s: float = 7.0
    """Seconds before a slow answer: the middle of the second hump at 6.5-8 s that was measured."""
    drip_s: float = 1.0
    """Seconds between two bytes of a dripping answer."""
    retry_after_s: int = 2
    """Whole seconds a 429 asks to wait."""
    forbidden_s: float = 0.035
    """Seconds before a wrong token is refused (264 measured refusals took about 35 ms)."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What one call will get: `mode` is ok, 500, 503 or hang, after `latency_s` seconds."""

    mode: Mode
    latency_s: float


class ObservedMix:
    """The measured behaviour of one shop, from its entry in `data/observed_faults.json`.

    About 12-14 % of calls fail, each independently of the one before (P(ok) after a failure and
    after a success differ by a few percent only), so every call is a draw of its own.
    """

    FASTEST_MS = 36
    """Lower end of the curves: no answer was faster than a refused token (`403_latency_ms`)."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        rates = {_mode_of(outcome): rate for outcome, rate in facts["rates"].items()}
        self._outcomes, self._weights = tuple(rates), tuple(rates.values())
        self._curves = {
            Mode.OK: _ok_curve(facts, self.FASTEST_MS),
            Mode.HTTP_500: _curve(facts["500_latency_ms"], self.FASTEST_MS),
            Mode.HTTP_503: _curve(facts["503_latency_ms"], self.FASTEST_MS),
        }

    def draw(self, random: Random) -> Draw:
        """Draw what the next call gets; a hang has no latency."""
        mode = random.choices(self._outcomes, self._weights)[0]
        curve = self._curves.get(mode)
        return Draw(mode, interpolated(curve, random.random()) / 1000 if curve else 0.0)


def interpolated(curve: Sequence[tuple[float, float]], share: float) -> float:
    """Read a curve of (share, value) points, ascending from 0 to 1, at a share in between."""
    right = max(1, bisect_left(curve, share, key=lambda point: point[0]))
    (low_share, low), (high_share, high) = curve[right - 1], curve[right]
    return low + (high - low) * (share - low_share) / (high_share - low_share)


def known_provider(provider: object, providers: Iterable[str]) -> str:
    """Give the provider back; raises `NotAllowedError` unless it is one of `providers`."""
    names = tuple(providers)
    if not isinstance(provider, str) or provider not in names:
        raise NotAllowedError(provider, "provider", names)
    return provider


def _known(kind: type[Name], what: str, value: object) -> Name:
    if value not in list(kind):
        raise NotAllowedError(value, what, kind)
    return kind(str(value))


def _mode_of(outcome: str) -> Mode:
    return Mode.OK if outcome == "200" else Mode(outcome)


def _curve(facts_ms: Mapping[str, float], fastest_ms: float) -> list[tuple[float, float]]:
    """Turn `{"min": .., "p50": .., "max": ..}` into points; without `min` it starts at fastest."""
    ends = {"min": 0.0, "max": 1.0}
    points = {
        ends[name] if name in ends else int(name[1:]) / 100: value
        for name, value in facts_ms.items()
    }
    return sorted({0.0: fastest_ms, **points}.items())


def _ok_curve(facts: Mapping[str, Any], fastest_ms: float) -> list[tuple[float, float]]:
    """Add the measured `ok_slower_than` shares to the percentiles.

    Without them the line from p90 (1.2 s) to p95 (7 s) would fill the gap between the two humps.
    """
    slower = {
        round(1 - share, 4): float(name.removesuffix("ms"))
        for name, share in facts["ok_slower_than"].items()
    }
    points = {**slower, **dict(_curve(facts["ok_latency_ms"], fastest_ms))}
    return sorted(points.items())
