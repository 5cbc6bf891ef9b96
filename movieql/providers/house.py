"""The house catalogue as a provider: its file as last seen, looked at while it is asked for.

A look costs a request that brings nothing while the file is the same version. Questions get what
was last seen while that is younger than two looks apart, so a write anywhere is seen within that
time. A store that is slow or down makes nobody wait twice: what was seen is fresh for `fresh_s`,
then stale with the reason.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from movieql.domain.catalogue import CatalogueEntry, CatalogueFile
from movieql.domain.catalogue_fields import entry_description
from movieql.domain.errors import CatalogueCorruptError, MovieqlError
from movieql.domain.movies import (
    PENDING,
    Answer,
    ContentRevision,
    Profile,
    Row,
    SourceError,
    SourceErrorCode,
)
from movieql.ports import Call, Clock, Telemetry
from movieql.waiting import Flights

HOUSE = "house"
"""Its id among the providers."""

NOTED_SHARE = 0.1
"""Share of the fresh time after which it is noted that the file is still the same.

Each note makes another answer, and what was computed from the one before has to be made anew.
"""

LOOKS_MAX = 4
"""Looks at once: past its patience one runs on, and the next question may start another."""


@dataclass(frozen=True, slots=True)
class HouseTimes:
    """How old what is shown may be, in seconds since the file was last looked at with success.

    Fresh for `fresh_s`, shown with the error to `stale_on_error_s`. While it is asked for, it is
    looked at each `check_s`; a question waits for a look `patience_s` at most.
    """

    fresh_s: float = 60.0
    check_s: float = 0.5
    patience_s: float = 0.5
    stale_on_error_s: float = 86_400.0


def house_profile(provider: str = HOUSE, name: str = "House catalogue") -> Profile:
    """Return what merging knows of it: it sells nothing, and every shop knows better."""
    return Profile(id=provider, name=name, sells=False, priority=1000)


def rows_of(file: CatalogueFile) -> tuple[Row, ...]:
    """Return a row per entry, by id; a value that cannot be read leaves only its field empty."""
    rows = (
        Row(entry.id, entry_description(entry.name, entry.year, entry.fields))
        for entry in file.entries
    )
    return tuple(sorted(rows, key=lambda row: row.provider_movie_id))


@dataclass(frozen=True, slots=True)
class _Seen:
    """The file when it was last looked at with success, on both clocks; entries by own id."""

    file: CatalogueFile
    entries: Mapping[str, CatalogueEntry]
    rows: tuple[Row, ...]
    as_of: datetime
    seen_s: float


class House:
    """Answers with the catalogue's rows; see `ports.KeptProvider`.

    `read` returns the file, the same object for the same version, and raises StoreError or
    CatalogueCorruptError; `services.catalogue.Catalogue.read` is one.
    """

    def __init__(  # a composition, called in one place with names
        self,
        read: Callable[[], Awaitable[CatalogueFile]],
        *,
        provider: str,
        times: HouseTimes,
        revision: ContentRevision,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._read = read
        self._provider = provider
        self._times = times
        self._revision = revision
        self._clock = clock
        self._telemetry = telemetry
        self._looks: Flights[str, None] = Flights(
            clock, times.patience_s, LOOKS_MAX, renewing=True
        )
        self._seen: _Seen | None = None
        self._error: SourceError | None = None
        self._looked_s: float | None = None
        self._noted_s = 0.0
        self._changes = 0
        self._changes_seen = 0
        self._fresh = self._stale = PENDING

    def is_current(self) -> bool:
        """Tell whether what was last seen may be shown without a look.

        When it is older than `check_s`, it is looked at in the background. Ask before an answer
        that was made of it is given out again.
        """
        if self._looked_s is None or self._changes != self._changes_seen:
            return False
        now_s = self._clock.monotonic_s()
        if now_s >= self._looked_s + 2 * self._times.check_s:
            return False
        if now_s >= self._looked_s + self._times.check_s:
            self._looks.join("file", self._look)
        return True

    def peek(self, call: Call) -> Answer | None:
        """Return what was last seen unless a look would show more; see `ports.KeptProvider`."""
        if not self.is_current():
            return None
        return _of_call(self._answer(self._clock.monotonic_s()), call)

    def refresh(self, call: Call) -> bool:  # noqa: ARG002  # the port's own
        """Return False: its file is looked at whenever it is asked for."""
        return False

    def entry(self, own_id: str) -> CatalogueEntry | None:
        """Return the entry of a row's id, as it was last seen; no I/O."""
        return None if self._seen is None else self._seen.entries.get(own_id)

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer from what was last seen where `peek` would, else after a look at the file."""
        answer = self.peek(call)
        if answer is not None:
            return answer
        started_s = self._clock.monotonic_s()
        is_seen = await self._looked(until_s)
        now_s = self._clock.monotonic_s()
        is_own_write_seen = is_seen or self._changes_seen >= self._changes
        answer = _of_call(self._answer(now_s) if is_own_write_seen else self._stale, call)
        waited_ms = round((now_s - started_s) * 1000)
        return replace(answer, latency_ms=waited_ms) if waited_ms else answer

    def expect_change(self) -> None:
        """Note that this process has changed the file: what was seen before is not shown again.

        The next question waits for a look that starts after this.
        """
        self._changes += 1
        self._revision.advance()

    async def close(self) -> None:
        """End the looks under way."""
        await self._looks.close()

    async def _looked(self, until_s: float) -> bool:
        """Wait for a look that started after the last change from here, or note that it is late.

        Return False when it was given up while it was in time.
        """
        changes = self._changes
        is_late = self._looks.is_overdue("file")
        flight = self._looks.join("file", self._look)
        while flight is not None and await flight.landed(until_s):
            if self._changes_seen >= changes or self._error is not None:
                return True
            await asyncio.sleep(0)  # a look that has just ended is still joined
            flight = self._looks.join("file", self._look)
        if not is_late and flight is not None and not flight.is_past_patience:
            return False
        self._fail(SourceErrorCode.TIMEOUT, "The object store did not answer in time.")
        self._changes_seen = changes
        return True

    async def _look(self) -> None:
        started_s, as_of, changes = self._clock.monotonic_s(), self._clock.now(), self._changes
        try:
            self._take(await self._read(), as_of, started_s)
        except CatalogueCorruptError as error:
            self._fail(SourceErrorCode.BAD_RESPONSE, str(error))
        except MovieqlError as error:
            self._fail(SourceErrorCode.UNAVAILABLE, str(error))
        except Exception as error:  # noqa: BLE001  # a fault of ours must not lose the others' answers
            self._telemetry.fault(f"provider {self._provider}", error)
            self._fail(SourceErrorCode.INTERNAL, "A fault of this server.")
        self._changes_seen = max(self._changes_seen, changes)

    def _take(self, file: CatalogueFile, as_of: datetime, seen_s: float) -> None:
        before = self._seen
        if before is not None and seen_s < before.seen_s:
            return  # an older look that ended later
        if before is not None and before.file is file:
            seen = replace(before, as_of=as_of, seen_s=seen_s)
        else:
            entries = {entry.id: entry for entry in file.entries}
            rows = rows_of(file)
            if before is not None and rows == before.rows:
                rows = before.rows  # the same object: what was computed from it stays valid
            seen = _Seen(file, entries, rows, as_of, seen_s)
        self._seen = seen
        if before is None or seen.entries != before.entries or self._error is not None:
            self._revision.advance()
            self._note(seen, None)
        elif seen_s >= self._noted_s + self._times.fresh_s * NOTED_SHARE:
            self._note(seen, None)
        self._looked_s = seen_s

    def _fail(self, code: SourceErrorCode, message: str) -> None:
        error = SourceError(code, message)
        if error != self._error:
            self._revision.advance()
            self._note(self._seen, error)
        self._looked_s = self._clock.monotonic_s()

    def _note(self, seen: _Seen | None, error: SourceError | None) -> None:
        """Make the answers of now and later once, for what is computed from one is kept by it."""
        self._error = error
        if seen is None:
            self._fresh = self._stale = Answer(rows=None, error=error)
            return
        self._noted_s = seen.seen_s
        until_s = seen.seen_s + self._times.fresh_s
        self._fresh = Answer(
            rows=seen.rows,
            as_of=seen.as_of,
            fresh=True,
            fresh_until_s=until_s,
            renew_s=until_s,
        )
        self._stale = Answer(rows=seen.rows, as_of=seen.as_of, error=error)

    def _answer(self, now_s: float) -> Answer:
        seen = self._seen
        if seen is not None and now_s - seen.seen_s >= self._times.stale_on_error_s:
            return Answer(rows=None, error=self._error)
        corrupt = self._error is not None and self._error.code is SourceErrorCode.BAD_RESPONSE
        # A file that cannot be read is not what was seen any more, however short ago.
        return self._fresh if now_s < self._fresh.fresh_until_s and not corrupt else self._stale


def _of_call(answer: Answer, call: Call) -> Answer:
    """Return the answer to a detail call: the list says everything there is."""
    if call.movie_id is None or answer.rows is None:
        return answer
    rows = tuple(row for row in answer.rows if row.provider_movie_id == call.movie_id)
    return replace(answer, rows=rows)
