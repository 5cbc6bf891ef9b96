"""What is shown of the queue is of now, or it is nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from movieql.domain.exports import ExportStatus
from movieql.memory import MemoryExportQueue, MemoryExportTally, RecordedTelemetry, VirtualClock
from movieql.ports import QueueDepth
from movieql.services.queue_watch import QueueSight, QueueWatch

EVERY_S = 5.0


class Watched:
    """A queue, a tally, and what is told of them."""

    def __init__(self, tally: MemoryExportTally | None = None) -> None:
        self.clock = VirtualClock()
        self.queue = MemoryExportQueue(self.clock, astray_s=8.0)
        self.tally = tally or MemoryExportTally()
        self.telemetry = RecordedTelemetry()
        self.told: list[QueueSight | None] = []
        self.watch = QueueWatch(
            self.queue, self.tally, self.clock, self.telemetry, self.told.append, EVERY_S
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.watch.run())
        await self.clock.settle()
        yield
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_each_look_is_told() -> None:
    watched = Watched()
    await watched.queue.enqueue("a", 1)
    await watched.tally.count("z", ExportStatus.READY)
    async with watched.running():
        await watched.clock.advance(EVERY_S)
    ended = {ExportStatus.READY: 1}
    assert watched.told == [
        QueueSight(QueueDepth(1, 0, 0.0), ended),
        QueueSight(QueueDepth(1, 0, EVERY_S), ended),
    ]


async def test_a_queue_that_does_not_answer_is_told_as_nothing_and_noted_once() -> None:
    watched = Watched()
    async with watched.running():
        for broken in (True, True, False, True):
            watched.queue.broken = broken
            await watched.clock.advance(EVERY_S)
    assert [sight is not None for sight in watched.told] == [True, False, False, True, False]
    assert len(watched.telemetry.queue_failures) == 2
    assert watched.telemetry.faults == []


class FaultyTally(MemoryExportTally):
    """Raises what nobody expects."""

    async def counts(self) -> Mapping[ExportStatus, int]:
        raise ZeroDivisionError


async def test_a_fault_of_ours_leaves_no_old_figure_either() -> None:
    watched = Watched(FaultyTally())
    async with watched.running():
        await watched.clock.advance(EVERY_S)
    assert watched.told == [None, None]
    assert [type(each) for each in watched.telemetry.faults] == [ZeroDivisionError]
