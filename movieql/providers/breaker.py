"""A breaker per endpoint of a provider: who keeps failing is left alone for a while."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from movieql.domain.answers import Answer, failed
from movieql.domain.reports import SourceErrorCode
from movieql.ports import Call, Clock, Endpoint, Provider
from movieql.providers.cooldown import Cooldown
from movieql.waiting import any_done

CircuitState = Literal["closed", "open", "half_open"]
"""Closed: calls pass. Open: none does. Half open: one call finds out."""


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When a circuit opens and for how long (docs/semantics.md, Guards).

    Opens at `failing_share` of at least `calls_min` calls within `window_s` seconds, or after
    `refused_max` refused connects in a row. Stays open `open_s` seconds, twice as long after each
    failed probe up to `open_s_max`, ± the share `jitter`. An attempt that takes longer than
    `slow_s` seconds is a failure, whatever it brings later.
    """

    failing_share: float = 0.5
    calls_min: int = 10
    window_s: float = 10.0
    refused_max: int = 5
    open_s: float = 5.0
    open_s_max: float = 60.0
    jitter: float = 0.1
    slow_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call; an outcome counts only in the spell it was given in."""

    spell: int
    is_probe: bool


class Circuit:
    """The state machine, without a clock of its own: every method is told the monotonic second."""

    def __init__(self, rules: BreakerRules, rng: random.Random) -> None:
        self._rules = rules
        self._rng = rng
        self._outcomes: deque[tuple[int, int, int]] = deque()
        self._refused_in_a_row = 0
        self._trips = 0
        self._spell = 0
        self._open_until_s: float | None = None
        self._is_probing = False

    def state(self, now_s: float) -> CircuitState:
        """Say whether calls pass."""
        if self._open_until_s is None:
            return "closed"
        return "open" if now_s < self._open_until_s else "half_open"

    @property
    def open_until_s(self) -> float:
        """Return the monotonic second before which no call passes, 0 while it is closed."""
        return self._open_until_s or 0.0

    def admit(self, now_s: float) -> Permit | None:
        """Return leave for a call, None when it is refused."""
        state = self.state(now_s)
        if state == "open" or (state == "half_open" and self._is_probing):
            return None
        self._is_probing = state == "half_open"
        return Permit(self._spell, is_probe=self._is_probing)

    def succeeded(self, permit: Permit, now_s: float) -> None:
        """Note that a call was answered."""
        if permit.spell != self._spell:
            return
        self._refused_in_a_row = 0
        if permit.is_probe:
            self._close()
        else:
            self._count(now_s, is_failure=False)

    def failed(self, permit: Permit, now_s: float, *, refused: bool) -> None:
        """Note that a call was not answered; `refused`: not even connected."""
        if permit.spell != self._spell:
            return
        self._refused_in_a_row = self._refused_in_a_row + 1 if refused else 0
        self._count(now_s, is_failure=True)
        if permit.is_probe or self._is_failing(now_s):
            self._open(now_s)

    def left(self, permit: Permit) -> None:
        """Note that a caller left: neither a success nor a failure."""
        if permit.spell == self._spell and permit.is_probe:
            self._is_probing = False

    def _count(self, now_s: float, *, is_failure: bool) -> None:
        second = int(now_s)
        if not self._outcomes or self._outcomes[-1][0] != second:
            self._outcomes.append((second, 0, 0))
        _, calls, failures = self._outcomes[-1]
        self._outcomes[-1] = (second, calls + 1, failures + is_failure)

    def _is_failing(self, now_s: float) -> bool:
        while self._outcomes and self._outcomes[0][0] <= now_s - self._rules.window_s:
            self._outcomes.popleft()
        calls = sum(each[1] for each in self._outcomes)
        failures = sum(each[2] for each in self._outcomes)
        return self._refused_in_a_row >= self._rules.refused_max or (
            calls >= self._rules.calls_min and failures >= self._rules.failing_share * calls
        )

    def _open(self, now_s: float) -> None:
        doubled_s = self._rules.open_s * 2.0 ** min(self._trips, 32)
        spread = 1 + self._rules.jitter * self._rng.uniform(-1, 1)
        self._open_until_s = now_s + min(doubled_s, self._rules.open_s_max) * spread
        self._trips += 1
        self._begin_spell()

    def _close(self) -> None:
        self._open_until_s = None
        self._trips = 0
        self._begin_spell()

    def _begin_spell(self) -> None:
        self._spell += 1
        self._is_probing = False
        self._refused_in_a_row = 0
        self._outcomes.clear()


class Breaker:
    """Refuses calls to an endpoint that keeps failing; one probe finds out when it is back.

    A shop that says when to come back (`cooldown`) gets no call until then, not even a probe.
    """

    def __init__(
        self,
        inner: Provider,
        *,
        provider: str,
        rules: BreakerRules,
        cooldown: Cooldown,
        clock: Clock,
        rng: random.Random,
        note_state: Callable[[Endpoint, CircuitState], None],
    ) -> None:
        self._inner = inner
        self._provider = provider
        self._rules = rules
        self._clock = clock
        self._note_state = note_state
        self._cooldown = cooldown
        self._circuits: dict[Endpoint, Circuit] = {
            "list": Circuit(rules, rng),
            "detail": Circuit(rules, rng),
        }

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer a call unless its circuit is open; see `ports.Provider`."""
        circuit = self._circuits[call.endpoint]
        now_s = self._clock.monotonic_s()
        held = self._cooldown.error(now_s)
        if held is not None and circuit.open_until_s <= (held.retry_at_s or 0.0):
            return Answer(rows=None, error=held, sent=False)
        permit = circuit.admit(now_s)
        if permit is None:
            return failed(
                SourceErrorCode.CIRCUIT_OPEN,
                f"{self._provider} kept failing and is left alone.",
                retry_at_s=circuit.open_until_s,
                sent=False,
            )
        attempt = asyncio.ensure_future(self._attempt(call, until_s))
        try:
            slow_s = min(until_s, now_s + self._rules.slow_s)
            in_time = await any_done({attempt}, slow_s, self._clock)
            answer = attempt.result() if in_time else None
            self._judge(call.endpoint, permit, answer)
            return await attempt
        except BaseException:
            circuit.left(permit)
            attempt.cancel()
            raise

    async def _attempt(self, call: Call, until_s: float) -> Answer:
        answer = await self._inner.fetch(call, until_s)
        self._cooldown.note(answer.error)
        return answer

    def _judge(self, endpoint: Endpoint, permit: Permit, answer: Answer | None) -> None:
        circuit, now_s = self._circuits[endpoint], self._clock.monotonic_s()
        if answer is not None and answer.error is None:
            circuit.succeeded(permit, now_s)
        else:
            refused = answer is not None and not answer.connected
            circuit.failed(permit, now_s, refused=refused)
        self._note_state(endpoint, circuit.state(now_s))
