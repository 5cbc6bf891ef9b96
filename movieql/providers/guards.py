"""What stands between a question and a shop: rest, breaker, bulkhead, retry budget, hedging.

They know of each other through values alone (docs/semantics.md, Guards).
"""

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from movieql.domain.movies import Answer, SourceError, SourceErrorCode, failed
from movieql.ports import NO_TRACES, Call, Clock, Endpoint, Provider, Tracer
from movieql.providers.contract import note_outcome
from movieql.waiting import any_done, nothing_is_read

RETRY_AFTER_S_MAX = 60.0
"""Longest wait that a provider may ask for, as long as a breaker stays open at most."""


class Cooldown:
    """Until when one provider is not called; shared by its list, its details and its POSTs.

    What is under way when it begins goes on, and its outcome counts. No later answer shortens it,
    neither a success nor a shorter `Retry-After`: those calls were sent before it was known.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._error: SourceError | None = None

    def error(self, now_s: float) -> SourceError | None:
        """Return why a call at the monotonic second `now_s` is not made, None where it may be."""
        error = self._error
        return error if error is not None and now_s < (error.retry_at_s or 0.0) else None

    def note(self, error: SourceError | None) -> None:
        """Begin or extend the wait by what the provider answered: until its `retry_at_s`."""
        if error is None or error.retry_at_s is None:
            return
        if self._error is None or error.retry_at_s > (self._error.retry_at_s or 0.0):
            # Not the message: a POST's may have words that are for its sender alone.
            message = f"{self._provider} asked for no calls until then (Retry-After)."
            self._error = SourceError(error.code, message, retry_at_s=error.retry_at_s)


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


class Room:
    """Places for attempts: a call waits for one, an extra attempt only takes one that is free."""

    def __init__(self, places: int, clock: Clock) -> None:
        self._places = asyncio.Semaphore(places)
        self._clock = clock

    async def enter(self, until_s: float) -> bool:
        """Take a place, waiting for it until a monotonic second; tell whether there was one."""
        if not self._places.locked():
            return await self._places.acquire()  # at once: it is not locked
        turn = asyncio.ensure_future(self._places.acquire())
        entered = False
        try:
            entered = await any_done({turn}, until_s, self._clock)
        finally:
            if not entered and not turn.cancel() and not turn.cancelled():
                self._places.release()  # the turn came while the caller was leaving
        return entered

    async def enter_now(self) -> bool:
        """Take a place if one is free and nobody waits for it."""
        return not self._places.locked() and await self._places.acquire()

    def leave(self) -> None:
        """Give a place back."""
        self._places.release()


class Bulkhead:
    """Keeps a provider that is slow from holding more than its share of connections."""

    def __init__(self, inner: Provider, *, provider: str, room: Room) -> None:
        self._inner = inner
        self._provider = provider
        self._room = room

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer a call once there is room for it; see `ports.Provider`."""
        if not await self._room.enter(until_s):
            return failed(
                SourceErrorCode.TIMEOUT, f"{self._provider} has too many calls under way."
            )
        try:
            return await self._inner.fetch(call, until_s)
        finally:
            self._room.leave()


class RetryBudget:
    """Pays for every attempt of a call beyond the first (docs/semantics.md, Guards).

    Over the last `window_s` seconds at most `share` of the calls plus `per_second` for each of
    them in attempts is paid, so an outage cannot be amplified: with the defaults 1,000 calls that
    all fail within one window cause at most 1,270 attempts.
    """

    def __init__(
        self,
        clock: Clock,
        share: float = 0.25,
        per_second: float = 2.0,
        window_s: float = 10.0,
    ) -> None:
        self._clock = clock
        self._share = share
        self._floor = per_second * window_s
        self._window_s = window_s
        self._calls = _Window(window_s)
        self._extras = _Window(window_s)

    def note_call(self) -> None:
        """Count a call, which is what extra attempts are a share of."""
        self._calls.add(self._clock.monotonic_s())

    def pay(self) -> bool:
        """Pay for one extra attempt; False when there is nothing left to pay with."""
        now_s = self._clock.monotonic_s()
        affordable = self._share * self._calls.count(now_s) + self._floor
        if self._extras.count(now_s) + 1 > affordable:
            return False
        self._extras.add(now_s)
        return True


class _Window:
    """Counts events of the last seconds, in slots, so that memory does not grow with them."""

    _SLOTS = 20

    def __init__(self, window_s: float) -> None:
        self._slot_s = window_s / self._SLOTS
        self._slots: deque[tuple[int, int]] = deque()
        self._total = 0

    def add(self, now_s: float) -> None:
        slot = int(now_s / self._slot_s)
        if self._slots and self._slots[-1][0] == slot:
            self._slots[-1] = (slot, self._slots[-1][1] + 1)
        else:
            self._slots.append((slot, 1))
        self._total += 1

    def count(self, now_s: float) -> int:
        oldest = int(now_s / self._slot_s) - self._SLOTS
        while self._slots and self._slots[0][0] <= oldest:
            self._total -= self._slots.popleft()[1]
        return self._total


LATE_S = 0.05
"""A timer that is later than this says that the process is busy, not that the shop is slow."""


class Hedged:
    """Starts the next attempt after `delay_s`, or at once on an error; the first good one wins.

    The real shops answer within 1.2 s or after 6.5 s, and failures are independent draws, so
    waiting for an attempt to fail before the next is what makes a page late. Every attempt beyond
    the first is paid from the retry budget, and needs a place in the room that is free: it never
    makes another call wait. None starts later than `patience_s` seconds after the first, nor while
    an answer is there and `is_reading`.
    """

    def __init__(  # noqa: PLR0913  # a composition, called in one place with names
        self,
        inner: Provider,
        *,
        provider: str,
        budget: RetryBudget,
        room: Room,
        clock: Clock,
        attempts_max: int = 3,
        delay_s: float = 0.3,
        patience_s: float = 1.5,
        tracer: Tracer = NO_TRACES,
        is_reading: Callable[[], bool] = nothing_is_read,
    ) -> None:
        self._inner = inner
        self._provider = provider
        self._budget = budget
        self._room = room
        self._clock = clock
        self._attempts_max = attempts_max
        self._delay_s = delay_s
        self._patience_s = patience_s
        self._tracer = tracer
        self._is_reading = is_reading

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer with the first good attempt, else with the last error; see `ports.Provider`."""
        self._budget.note_call()
        now_s = self._clock.monotonic_s()
        # Whoever asks has no time for an attempt that starts later than this.
        race = _Race(self._attempts_max, now_s, min(until_s, now_s + self._patience_s))
        try:
            while race.is_on and self._clock.monotonic_s() < until_s:
                tolerance_s = 0.0 if self._is_reading() else LATE_S
                race.postpone_if_late(self._clock.monotonic_s(), self._delay_s, tolerance_s)
                if race.is_due(self._clock.monotonic_s()):
                    attempt = await self._started(call, until_s, race.number)
                    race.enter(attempt, self._clock.monotonic_s() + self._delay_s)
                    continue
                await any_done(race.attempts, min(until_s, race.next_s), self._clock)
                for answer in race.ended():
                    if answer.error is None:
                        return answer
                    race.note_failure(answer, self._clock.monotonic_s())
            return race.error or failed(
                SourceErrorCode.TIMEOUT, f"{self._provider} did not answer in time."
            )
        finally:
            race.leave()

    async def _started(
        self, call: Call, until_s: float, number: int
    ) -> "asyncio.Task[Answer] | None":
        """Start an attempt; an extra one only when it can be paid and housed."""
        if number == 1:
            return asyncio.ensure_future(self._traced(call, until_s, number))
        if not await self._room.enter_now():
            return None
        if not self._budget.pay():
            self._room.leave()
            return None
        attempt = asyncio.ensure_future(self._traced(call, until_s, number))
        attempt.add_done_callback(lambda _: self._room.leave())
        return attempt

    async def _traced(self, call: Call, until_s: float, number: int) -> Answer:
        with self._tracer.span(
            f"call {self._provider}",
            "call",
            provider=self._provider,
            endpoint=call.endpoint,
            attempt=number,
        ) as span:
            answer = await self._inner.fetch(call, until_s)
            note_outcome(span, answer.error)
            return answer


class _Race:
    """The attempts at one call, and when the next one is due."""

    def __init__(self, attempts_max: int, now_s: float, hopeful_until_s: float) -> None:
        self.attempts: set[asyncio.Task[Answer]] = set()
        self.error: Answer | None = None
        self.next_s = now_s
        self.number = 1
        self._left = attempts_max
        self._hopeful_until_s = hopeful_until_s

    @property
    def is_on(self) -> bool:
        return bool(self.attempts or self._left)

    def is_due(self, now_s: float) -> bool:
        return self._left > 0 and now_s >= self.next_s

    def postpone_if_late(self, now_s: float, delay_s: float, tolerance_s: float) -> None:
        """Wait once more when this process is later than is tolerated.

        Then the answer may lie here unread, and the shop is not to blame.
        """
        if self.attempts and self._left and now_s >= self.next_s + tolerance_s:
            self.next_s = now_s + delay_s

    def enter(self, attempt: "asyncio.Task[Answer] | None", next_s: float) -> None:
        """Take part in, or, where there is none to be had, stop looking for more."""
        self.number += 1
        if attempt is None:
            self._no_more()
            return
        self.attempts.add(attempt)
        self._left -= 1
        self.next_s = next_s if self._left else math.inf

    def ended(self) -> list[Answer]:
        """Return what the attempts that have ended brought."""
        done = [attempt for attempt in self.attempts if attempt.done()]
        self.attempts.difference_update(done)
        return [attempt.result() for attempt in done]

    def note_failure(self, failure: Answer, now_s: float) -> None:
        """Plan the next attempt: at once, when the shop said, or never."""
        error = failure.error
        # What the shop did tells more than that it is not called since.
        if self.error is None or failure.sent:
            self.error = failure
        if not self._left or error is None or not failure.sent or not error.retryable:
            self._no_more()
            return
        self.next_s = max(error.retry_at_s or 0.0, now_s)
        if self.next_s > self._hopeful_until_s:
            self._no_more()

    def leave(self) -> None:
        """End the attempts that nobody waits for any more."""
        for attempt in self.attempts:
            attempt.cancel()

    def _no_more(self) -> None:
        self._left = 0
        self.next_s = math.inf
