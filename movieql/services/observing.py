"""Writing down what this process sees of the shops; see `domain.observations`.

Call `note` with every fresh answer of a provider and `flush` now and then, and at the end. What
was seen since the last flush is lost when the process is killed, and nothing else.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from movieql.domain.errors import BadInputError, MovieqlError, PreconditionFailedError
from movieql.domain.movies import Profile, Row
from movieql.domain.observations import Marks, Milliseconds, milliseconds
from movieql.domain.recording import Drained, Recorder, RecorderLimits
from movieql.domain.segments import encode_segment, offer_line
from movieql.ports import Call, Clock, ObjectStore, Telemetry
from movieql.services.outages import tell
from movieql.services.segment_names import read_name, segment_key

SEGMENT_TYPE = "application/x-ndjson"
"""The media type of a file of observations."""

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class ObserverLimits:
    """`flush_s`: between two flushes. `segment_bytes_max`: of one file. The rest: in memory."""

    flush_s: float = 60.0
    segment_bytes_max: int = 2 * 1024 * 1024
    recorder: RecorderLimits = field(default_factory=RecorderLimits)


class ObservationsLostError(MovieqlError):
    """More was seen than may be kept; the message says how much of what."""


class Observer:
    """What this process saw, on its way to the object store.

    `watcher` names this process for good: 1 to 32 of `0-9a-z`, drawn anew at every start; another
    name raises BadInputError.
    """

    def __init__(
        self,
        store: ObjectStore,
        profiles: Iterable[Profile],
        *,
        watcher: str,
        clock: Clock,
        telemetry: Telemetry,
        limits: ObserverLimits | None = None,
    ) -> None:
        if read_name(segment_key(0, watcher, 1)) is None:
            raise BadInputError("A watcher is called by 1 to 32 of 0-9 and a-z.")
        self._store = store
        self._watcher = watcher
        self._clock = clock
        self._telemetry = telemetry
        self._limits = limits or ObserverLimits()
        self._recorder = Recorder(profiles, self._limits.recorder)
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._number = 0
        self._written_ms = 0
        self._day = -1
        self._flushing = asyncio.Lock()

    def note(self, provider: str, call: Call, rows: tuple[Row, ...], as_of: datetime) -> None:
        """Note what a provider just answered; never an answer that was recalled or kept."""
        if call.movie_id is None:
            self._recorder.note_list(provider, rows, milliseconds(as_of))
        else:
            self._recorder.note_detail(provider, rows, milliseconds(as_of))

    async def run(self) -> None:
        """Flush every `flush_s` until cancelled; a flush that fails is tried again next time."""
        while True:
            await self._clock.sleep(self._limits.flush_s)
            await self.flush()

    async def flush(self) -> bool:
        """Write down what is new; tell whether all of it is written. Never raises.

        Whatever a failed flush was to write is kept, under the same keys, and goes first.
        """
        async with self._flushing:
            try:
                await self._write_waiting()
                if not self._waiting and self._recorder.has_news:
                    self._prepare(milliseconds(self._clock.now()))
                    await self._write_waiting()
            except MovieqlError as error:
                tell(self._telemetry, "observations", error)
        return not self._waiting

    async def _write_waiting(self) -> None:
        while self._waiting:
            key, body = self._waiting[0]
            # Nobody else has such keys: what is there is ours, and its answer was lost.
            with suppress(PreconditionFailedError):
                await self._store.put(key, body, if_absent=True, content_type=SEGMENT_TYPE)
            self._waiting.popleft()

    def _prepare(self, now_ms: Milliseconds) -> None:
        now_ms = max(now_ms, self._written_ms)  # keys ascend also when the clock is put back
        day = now_ms // _DAY_MS
        drained = self._recorder.drain(now_ms, everything=day != self._day)
        self._day, self._written_ms = day, now_ms
        for lines, marks in _packed(drained, self._limits.segment_bytes_max):
            self._number += 1
            key = segment_key(now_ms, self._watcher, self._number)
            body = encode_segment(
                [key],
                ((self._watcher, line) for line in lines),
                ((self._watcher, each) for each in marks),
            )
            self._waiting.append((key, body))
        self._tell(drained)

    def _tell(self, drained: Drained) -> None:
        if drained.refused or drained.merged:
            lost = ObservationsLostError(
                f"Observations: {drained.refused} rows past the bound were not recorded, "
                f"{drained.merged} sights were merged."
            )
            self._telemetry.fault("observations", lost)


def _packed(
    drained: Drained, bytes_max: int
) -> Iterator[tuple[tuple[bytes, ...], tuple[Marks, ...]]]:
    """Cut into files; marks are in the last, for they hold only with everything before them."""
    lines: list[bytes] = []
    size_bytes = 0
    for facts in drained.facts:
        line = offer_line(facts)
        if lines and size_bytes + len(line) > bytes_max:
            yield tuple(lines), ()
            lines, size_bytes = [], 0
        lines.append(line)
        size_bytes += len(line)
    yield tuple(lines), drained.marks
