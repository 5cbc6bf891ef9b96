"""Several attempts at a call, each started before the last one is given up."""

import asyncio
import math
from collections.abc import Callable

from movieql.domain.answers import Answer, failed
from movieql.domain.reports import SourceErrorCode
from movieql.ports import NO_TRACES, Call, Clock, Provider, Tracer
from movieql.providers.bulkhead import Room
from movieql.providers.flights import nothing_is_read
from movieql.providers.retry_budget import RetryBudget
from movieql.providers.spans import note_outcome
from movieql.waiting import any_done

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
                bearable_s = 0.0 if self._is_reading() else LATE_S
                race.postpone_if_late(self._clock.monotonic_s(), self._delay_s, bearable_s)
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

    def postpone_if_late(self, now_s: float, delay_s: float, bearable_s: float) -> None:
        """Wait once more when this process is later than is bearable.

        Then the answer may lie here unread, and the shop is not to blame.
        """
        if self.attempts and self._left and now_s >= self.next_s + bearable_s:
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
