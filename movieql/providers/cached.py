"""Answers kept for a while: fresh, served stale during a refresh, served stale on an error.

Rules: docs/semantics.md, Guards. The storage behind is storage only: where it is slow or gone,
every read of it is a miss. What is kept here is never worse than what was kept before: a failed,
empty or unpriced refresh leaves good data in place and says so.
"""

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from cachetools import LRUCache

from movieql.domain.errors import CacheError
from movieql.domain.movies import (
    PENDING,
    Answer,
    ContentRevision,
    Row,
    SourceError,
    SourceErrorCode,
    failed,
)
from movieql.movies.growth import Growth, ReadRows
from movieql.ports import Cache, Call, Clock, Endpoint, Provider, Telemetry
from movieql.providers.envelope import ENVELOPE_VERSION, Envelope, EnvelopeCodec
from movieql.waiting import Flight, Flights, in_steps, nothing_is_read

LATE_S = 0.3
"""A refresh that takes longer is late: nobody with old data at hand waits for its provider then.

Measured: a second attempt is worth its call then, too (docs/semantics.md, Guards).
"""

LOOKED_EVERY_S = 0.05
"""How often a replica looks whether another one that asks the same has its answer."""

FAILURES_MAX = 1_000
"""Calls of which nothing is kept whose last failure is remembered, per provider."""

RETRY_S_MAX = 1.0
"""A refresh that is refused for longer is tried again after so many seconds all the same."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long an answer is good for what, in seconds since the provider gave it.

    `fresh_s` (± the share `fresh_jitter`, so that equal ages do not expire together), then
    served while one refresh runs until `stale_while_refresh_s`, then only when a refresh fails
    until `stale_on_error_s`. "No such movie" is kept for `negative_s`. `patience_s`: the
    longest a question waits for one call; `late_s`: how long that call may go on without it.
    `storage_s`: the longest wait for the shared cache. `renew_share`: the share of its fresh
    time after which an answer that is asked for is refreshed ahead.
    """

    fresh_s: float = 60.0
    fresh_jitter: float = 0.1
    stale_while_refresh_s: float = 300.0
    stale_on_error_s: float = 86_400.0
    negative_s: float = 15.0
    patience_s: float = 1.5
    late_s: float = 10.0
    storage_s: float = 0.05
    renew_share: float = 0.8


@dataclass(frozen=True, slots=True)
class _Kept:
    """Good rows, when they were said (both clocks), and what is wrong since.

    `fresh` and `stale`: the answers before and after the fresh time, made once, for what was
    computed from an answer stays valid with it. Before the monotonic second `retry_s` a refresh
    would be refused.
    """

    rows: tuple[Row, ...]
    as_of: datetime
    kept_s: float
    fresh: Answer
    stale: Answer
    retry_s: float = 0.0

    @classmethod
    def of(cls, envelope: Envelope, kept_s: float, renew_share: float) -> Self:
        share = renew_share if envelope.rows else 1.0  # that there is nothing is no hurry
        fresh = Answer(
            rows=envelope.rows,
            as_of=envelope.as_of,
            fresh=True,
            fresh_until_s=kept_s + envelope.fresh_s,
            renew_s=kept_s + envelope.fresh_s * share,
        )
        stale = Answer(rows=envelope.rows, as_of=envelope.as_of)
        return cls(envelope.rows, envelope.as_of, kept_s, fresh, stale)

    @property
    def error(self) -> SourceError | None:
        return self.stale.error

    def failing(self, error: SourceError | None, now_s: float) -> Self:
        """Return the same after a refresh that failed."""
        retry_s = 0.0 if error is None else min(error.retry_at_s or 0.0, now_s + RETRY_S_MAX)
        stale = self.stale if error == self.error else replace(self.stale, error=error)
        return replace(self, stale=stale, retry_s=retry_s)

    def answer(self, now_s: float) -> Answer:
        return self.fresh if now_s < self.fresh.fresh_until_s else self.stale


NoteAnswer = Callable[[str, Call, tuple[Row, ...], datetime], None]
"""Told of a provider, a call, and what the provider itself just answered to it, and when."""


NoteDetail = Callable[[str, str, Row | None], None]
"""Told of what is newly kept of a detail: a provider, its own id, its row or None for none."""


def ignored(*_: object) -> None:
    """Note nothing."""


def _is_same(error: SourceError | None, other: SourceError | None) -> bool:
    """Return whether two failures are of one kind; until when to wait differs each time."""
    if error is None or other is None:
        return error is other
    return replace(error, retry_at_s=None) == replace(other, retry_at_s=None)


def _claim(key: str) -> str:
    """Return the key of who asks for what is kept under a key."""
    return f"{key}:asked"


class Cached:
    """A provider whose answers are kept in this process and in a cache that may be shared."""

    def __init__(  # noqa: PLR0913  # a composition, called in one place with names
        self,
        inner: Provider,
        *,
        provider: str,
        cache: Cache,
        key_prefix: str,
        lifetimes: Lifetimes,
        revision: ContentRevision,
        clock: Clock,
        telemetry: Telemetry,
        rng: random.Random,
        note: NoteAnswer = ignored,
        note_detail: NoteDetail = ignored,
        entries_max: int = 20_000,
        flights_max: int = 5_000,
        is_reading: Callable[[], bool] = nothing_is_read,
        shared: bool = True,
    ) -> None:
        self._inner = inner
        self._provider = provider
        self._cache = cache
        self._key_prefix = f"{key_prefix}:{ENVELOPE_VERSION}:{provider}"
        self._lifetimes = lifetimes
        self._revision = revision
        self._clock = clock
        self._telemetry = telemetry
        self._rng = rng
        self._note = note
        self._note_detail = note_detail
        self._entries_max = entries_max
        self._shared = shared
        self._codec = EnvelopeCodec()
        self._entries: OrderedDict[Call, _Kept] = OrderedDict()
        self._hits: dict[Endpoint, int] = {"list": 0, "detail": 0}
        telemetry.cache_hits(provider, self._hits)
        self._last_failure: Answer | None = None
        # What those are told who do not wait for a call that failed the last time.
        self._failures: LRUCache[Call, Answer] = LRUCache(FAILURES_MAX)
        self._decoding = 0
        self._growth = Growth()
        self._recalls: Flights[Call, None] = Flights(
            clock, lifetimes.storage_s, flights_max, is_reading=lambda: self._decoding > 0
        )
        self._refreshes: Flights[Call, Answer] = Flights(
            clock, lifetimes.patience_s, flights_max, renewing=True, is_reading=is_reading
        )
        self._writes: Flights[tuple[Call, bool], None] = Flights(
            clock, lifetimes.storage_s, flights_max
        )

    def peek(self, call: Call) -> Answer | None:
        """Return the kept answer if it can be given without waiting for any I/O; see `ports`.

        Late in its fresh time it is refreshed ahead, in the background; so it is afterwards,
        while its provider fails or is slow, however long, and for the time of stale while refresh
        where no other replica could have refreshed it and the shared cache need not be asked.
        """
        kept = self._entries.get(call)
        if kept is None:
            return None
        now_s = self._clock.monotonic_s()
        if now_s >= kept.fresh.fresh_until_s:
            return self._peek_stale(call, now_s)
        if now_s >= max(kept.fresh.renew_s, kept.retry_s):
            self._refreshes.join(call, lambda: self._renewed(call))
        self._hits["list" if call.movie_id is None else "detail"] += 1
        return kept.fresh

    def _peek_stale(self, call: Call, now_s: float) -> Answer | None:
        kept = self._usable(call, self._lifetimes.stale_on_error_s, now_s)
        if kept is None:
            return None
        if now_s >= kept.retry_s:  # else a refresh would only be refused
            is_old = now_s - kept.kept_s >= self._lifetimes.stale_while_refresh_s
            is_waited_for = self._shared or is_old
            if is_waited_for and not self._is_slow(now_s):
                return None
            if self._refreshes.is_overdue(call):
                self._note_failure(call, self._timed_out())
            elif is_waited_for and self._last_failure is not None and kept.error is None:
                self._note_failure(call, self._last_failure)
            self._refreshes.join(call, lambda: self._renewed(call))
        self._telemetry.cache_read(self._provider, call, "stale")
        return self._entries[call].stale

    def _is_slow(self, now_s: float) -> bool:
        """Return whether the provider's last call failed, or a call under way is late."""
        oldest_s = self._refreshes.oldest_s
        return self._last_failure is not None or (
            oldest_s is not None and now_s - oldest_s > LATE_S
        )

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer from what is kept where the rules allow it, else from the provider."""
        started_s = self._clock.monotonic_s()
        answer = self.peek(call)
        if answer is not None:
            return answer
        answer = await self._refreshed(call, until_s)
        waited_ms = round((self._clock.monotonic_s() - started_s) * 1000)
        # The same object for whoever did not wait: what was computed from it stays valid.
        return replace(answer, latency_ms=waited_ms) if waited_ms else answer

    def refresh(self, call: Call) -> bool:
        """Ask in the background for what is not kept or old; see `ports.KeptProvider`."""
        kept = self._entries.get(call)
        now_s = self._clock.monotonic_s()
        if kept is not None and now_s < max(kept.fresh.fresh_until_s, kept.retry_s):
            return False
        self._refreshes.join(call, lambda: self._renewed(call))
        return True

    def renew(self, call: Call) -> None:
        """Ask the provider anew, in the background, for it is known to have something new."""
        self._refreshes.join(call, lambda: self._refresh(call, claiming=False))

    async def close(self) -> None:
        """End every call under way."""
        for flights in (self._recalls, self._refreshes, self._writes):
            await flights.close()

    async def _refreshed(self, call: Call, until_s: float) -> Answer:
        is_recalled = is_recalling = False
        if self._shared:
            recall = self._recalls.join(call, lambda: self._recall(call))
            is_recalled = recall is not None and await recall.landed(until_s)
            is_recalling = not is_recalled and recall is not None and not recall.is_past_patience
            recalled = self.peek(call)
            if recalled is not None:
                self._telemetry.cache_read(self._provider, call, "recalled")
                return recalled
        if self._refreshes.is_overdue(call):
            self._last_failure = self._timed_out()
            self._note_failure(call, self._last_failure)
        flight = self._refreshes.join(
            call,
            lambda: (
                self._renewed(call) if is_recalling else self._refresh(call, claiming=is_recalled)
            ),
        )
        now_s = self._clock.monotonic_s()
        kept = self._usable(call, self._lifetimes.stale_while_refresh_s, now_s)
        if kept is not None:
            self._telemetry.cache_read(self._provider, call, "stale")
            return kept.answer(now_s)
        self._telemetry.cache_read(self._provider, call, "miss")
        return await self._landed(call, flight, until_s)

    async def _landed(self, call: Call, flight: Flight[Answer] | None, until_s: float) -> Answer:
        """Return what a call brings; one that is given up while it is in time is pending."""
        if flight is not None and await flight.landed(until_s):
            return flight.task.result()
        if flight is None:
            said = f"Too many calls to {self._provider} wait."
            return self._note_failure(call, failed(SourceErrorCode.UNAVAILABLE, said))
        if flight.is_past_patience:
            self._last_failure = self._timed_out()
            return self._note_failure(call, self._last_failure)
        now_s = self._clock.monotonic_s()
        kept = self._usable(call, self._lifetimes.stale_on_error_s, now_s)
        return self._failures.get(call, PENDING) if kept is None else kept.answer(now_s)

    def _timed_out(self) -> Answer:
        return failed(SourceErrorCode.TIMEOUT, f"{self._provider} did not answer in time.")

    def _usable(self, call: Call, age_s_max: float, now_s: float) -> _Kept | None:
        kept = self._entries.get(call)
        # "No such movie" is only ever as good as it is fresh.
        if kept is None or (call.movie_id is not None and not kept.rows):
            return None
        return kept if now_s - kept.kept_s < age_s_max else None

    async def _renewed(self, call: Call) -> Answer:
        """Refresh ahead, unless another replica has done so and the shared cache knows."""
        if not self._shared:
            return await self._refresh(call, claiming=False)
        before = self._entries.get(call)
        await self._recall(call)
        kept = self._entries.get(call)
        if kept is not None and kept is not before:
            return kept.answer(self._clock.monotonic_s())
        return await self._refresh(call, claiming=True)

    async def _refresh(self, call: Call, *, claiming: bool) -> Answer:
        """Ask the provider; where `claiming`, unless another replica does so already."""
        if claiming:
            asked_elsewhere = await self._awaited_elsewhere(call)
            if asked_elsewhere is not None:
                return asked_elsewhere
        until_s = self._clock.monotonic_s() + self._lifetimes.late_s
        try:
            answer = await self._inner.fetch(call, until_s)
        except Exception as error:  # noqa: BLE001  # a fault of ours must not lose the others' answers
            self._telemetry.fault(f"provider {self._provider}", error)
            answer = failed(SourceErrorCode.INTERNAL, "A fault of this server.", retryable=False)
        self._last_failure = None
        if answer.rows is None or answer.as_of is None:
            self._last_failure = answer
            self._written(call, None)
            return self._note_failure(call, answer)
        return self._keep(call, answer.rows, answer.as_of)

    async def _awaited_elsewhere(self, call: Call) -> Answer | None:
        """Return what another replica that asks the same brings, None when this one is to ask."""
        before = self._entries.get(call)
        until_s = self._clock.monotonic_s() + self._lifetimes.patience_s
        while True:
            try:
                leads = await self._cache.claim(
                    _claim(self._key(call)), self._lifetimes.patience_s
                )
            except CacheError as error:
                self._telemetry.cache_failed("claim", str(error))
                return None
            # After the claim: an answer is stored before its claim is dropped.
            await self._recall(call)
            kept = self._entries.get(call)
            if kept is not None and kept is not before:
                if leads:
                    self._written(call, None)
                return kept.answer(self._clock.monotonic_s())
            if leads or self._clock.monotonic_s() >= until_s:
                return None
            await self._clock.sleep(LOOKED_EVERY_S)

    def _note_failure(self, call: Call, failure: Answer) -> Answer:
        now_s = self._clock.monotonic_s()
        kept = self._entries.get(call)
        if kept is not None:
            self._entries[call] = kept.failing(failure.error, now_s)
            if not _is_same(kept.error, failure.error):
                self._revision.advance()
        usable = self._usable(call, self._lifetimes.stale_on_error_s, now_s)
        if usable is not None:
            return usable.answer(now_s)
        self._failures[call] = failure
        if call.movie_id is not None:
            self._note_detail(self._provider, call.movie_id, None)
        return failure

    def _keep(self, call: Call, rows: tuple[Row, ...], as_of: datetime) -> Answer:
        if self._loses_its_price(call, rows):
            self._written(call, None)
            return self._note_failure(
                call, failed(SourceErrorCode.BAD_RESPONSE, rows[0].price_problem or "No price.")
            )
        negative = call.movie_id is not None and not rows
        spread = 1 + self._lifetimes.fresh_jitter * self._rng.uniform(-1, 1)
        fresh_s = (self._lifetimes.negative_s if negative else self._lifetimes.fresh_s) * spread
        self._store(call, Envelope(rows, as_of, fresh_s), age_s=0.0)
        self._note(self._provider, call, rows, as_of)
        self._written(call, Envelope(rows, as_of, fresh_s))
        return self._entries[call].answer(self._clock.monotonic_s())

    def _store(self, call: Call, envelope: Envelope, age_s: float) -> None:
        before = self._entries.get(call)
        unchanged = before is not None and before.rows == envelope.rows
        kept_s = self._clock.monotonic_s() - age_s
        # The same object for the same content: what was computed from it stays valid.
        if before is not None and unchanged:
            envelope = replace(envelope, rows=before.rows)
        self._entries[call] = _Kept.of(envelope, kept_s, self._lifetimes.renew_share)
        self._entries.move_to_end(call)
        self._failures.pop(call, None)
        if call.movie_id is not None:
            row = envelope.rows[0] if envelope.rows else None
            self._note_detail(self._provider, call.movie_id, row)
        if not unchanged or (before is not None and before.error is not None):
            self._revision.advance()
        while len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)

    async def _recall(self, call: Call) -> None:
        """Take from the shared cache what is newer than what is kept here."""
        try:
            stored = await self._cache.get(self._key(call))
        except CacheError as error:
            self._telemetry.cache_failed("get", str(error))
            return
        if stored is None:
            return
        kept = self._entries.get(call)
        before, newer_than = ((), None) if kept is None else (kept.rows, kept.as_of)
        rows = ReadRows(before, self._growth)
        self._decoding += 1
        try:
            envelope = await in_steps(self._codec.decode(stored, rows, newer_than), self._clock)
        finally:
            self._decoding -= 1
        kept = self._entries.get(call)
        if envelope is None or (kept is not None and envelope.as_of <= kept.as_of):
            return
        if self._loses_its_price(call, envelope.rows):
            return
        age_s = (self._clock.now() - envelope.as_of).total_seconds()
        # Another replica's clock may be ahead of ours.
        self._store(call, envelope, age_s=max(age_s, 0.0))

    def _written(self, call: Call, envelope: Envelope | None) -> None:
        if self._shared:
            # Dropping a claim must not stand for an answer that is to be written.
            self._writes.join((call, envelope is None), lambda: self._write(call, envelope))

    async def _write(self, call: Call, envelope: Envelope | None) -> None:
        """Put an answer into the shared cache, None: there is none; others may ask again."""
        key = self._key(call)
        try:
            if envelope is not None:
                encoded = await in_steps(self._codec.encode(envelope), self._clock)
                await self._cache.put(key, encoded, self._lifetimes.stale_on_error_s)
            await self._cache.drop(_claim(key))
        except CacheError as error:
            self._telemetry.cache_failed("put", str(error))

    def _loses_its_price(self, call: Call, rows: tuple[Row, ...]) -> bool:
        """Tell whether a detail would lose a price that may still be shown."""
        before = self._usable(call, self._lifetimes.stale_on_error_s, self._clock.monotonic_s())
        return (
            before is not None
            and call.movie_id is not None
            and before.rows[0].amount is not None
            and len(rows) == 1
            and rows[0].amount is None
        )

    def _key(self, call: Call) -> str:
        return f"{self._key_prefix}:{call.endpoint}:{call.movie_id or ''}"
