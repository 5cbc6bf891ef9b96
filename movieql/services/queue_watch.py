"""Looking at the queue again and again, so that nobody who asks for metrics waits for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from movieql.domain.exports import ExportStatus
from movieql.ports import Clock, ExportQueue, ExportTally, QueueDepth, Telemetry
from movieql.services.outages import tell


@dataclass(frozen=True, slots=True)
class QueueSight:
    """What a look at the queue found: what is to be done, and how many exports have ended."""

    depth: QueueDepth
    ended: Mapping[ExportStatus, int]


class QueueWatch:
    """Tells `note` what each look finds, and None when the queue does not answer.

    A look is bounded by the queue's own timeouts, so what was told last is at most so old and
    `every_s` more. An outage is told to operators once.
    """

    def __init__(  # a composition, called in one place
        self,
        queue: ExportQueue,
        tally: ExportTally,
        clock: Clock,
        telemetry: Telemetry,
        note: Callable[[QueueSight | None], None],
        every_s: float,
    ) -> None:
        self._queue = queue
        self._tally = tally
        self._clock = clock
        self._telemetry = telemetry
        self._note = note
        self._every_s = every_s
        self._is_well = True

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._note(await self._look())
            await self._clock.sleep(self._every_s)

    async def _look(self) -> QueueSight | None:
        try:
            sight = QueueSight(await self._queue.depth(), await self._tally.counts())
        except Exception as error:  # noqa: BLE001  # whatever it is, what was seen before is old
            if self._is_well:
                tell(self._telemetry, "queue metrics", error)
            self._is_well = False
            return None
        self._is_well = True
        return sight
