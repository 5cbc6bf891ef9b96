"""What only the composition of exports decides."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from movieql.composition.exporting import DAYS_CAUGHT_UP, REPORT_S, Queue, Reports, catch_up
from movieql.domain.errors import QueueError
from movieql.memory import MemoryExportTally, MemoryProgressBoard, VirtualClock
from movieql.ports import ExportProgress, ExportProgressBoard, ExportRun
from movieql.services.observed import Found

TODAY = date(2026, 1, 20)


@dataclass
class Days:
    """Observations of some days, and the daily exports that were asked for."""

    observed: set[date]
    asked: list[date] = field(default_factory=list)

    async def find(self, since_ms: int, read_until_ms: int) -> Found:
        since = datetime.fromtimestamp(since_ms / 1000, UTC)
        assert timedelta(milliseconds=read_until_ms - since_ms) < timedelta(days=1)
        names = ("a file",) if since.date() in self.observed else ()
        return Found(cast("Any", names), 0)

    async def daily(self, day: datetime) -> None:
        self.asked.append(day.date())


async def test_days_that_were_missed_are_exported_and_days_without_anything_are_not() -> None:
    observed = {TODAY - timedelta(days=back) for back in (0, 1, 3, DAYS_CAUGHT_UP, 30)}
    days = Days(observed)
    await catch_up(cast("Any", days), cast("Any", days), TODAY)
    assert days.asked == [TODAY - timedelta(days=back) for back in (DAYS_CAUGHT_UP, 3, 1)]


class Board(MemoryProgressBoard):
    """A board that counts what is reported to it, and may be down."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.reports: list[ExportProgress] = []
        self.down = False

    async def report(self, _: str, progress: ExportProgress) -> None:
        if self.down:
            raise QueueError
        self.reports.append(progress)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def reports(
    clock: VirtualClock, board: ExportProgressBoard, generation: int = 2, attempt: int = 3
) -> Reports:
    run = ExportRun("a", generation, attempt)
    return Reports(Queue(cast("Any", None), board, MemoryExportTally()), run, clock)


async def test_attempts_at_a_job_that_is_queued_again_count_on(clock: VirtualClock) -> None:
    board, told = MemoryProgressBoard(clock), []
    for generation, attempt in ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (4, 1)):
        report = reports(clock, board, generation, attempt)
        await report.begin()
        await report.progress(1, 2)
        told.append((await board.progress(["a"]))["a"].attempt)
        await report.end()
    assert told == [1, 2, 3, 4, 5, 6]


async def test_progress_is_reported_now_and_then_and_its_end_always(clock: VirtualClock) -> None:
    board = Board(clock)
    report = reports(clock, board)
    for done in range(100):
        await report.progress(done, 100)
        await clock.advance(REPORT_S / 10)
    await report.end()
    assert 10 <= len(board.reports) <= 12
    assert board.reports[-1] == ExportProgress(99, 100, 4, over=True)


async def test_a_board_that_is_down_does_not_end_an_export(clock: VirtualClock) -> None:
    board = Board(clock)
    board.down = True
    report = reports(clock, board)
    await report.begin()
    await report.progress(1, 2)
    await report.end()
    assert board.reports == []


async def test_without_a_queue_nothing_is_reported(clock: VirtualClock) -> None:
    report = Reports(None, ExportRun("a", 1, 1), clock)
    await report.begin()
    await report.progress(1, 2)
    await report.end()
