"""Follows an export: the store says what is true, the board only when to look again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from movieql.domain.callers import Caller
from movieql.domain.errors import BadInputError, LimitExceededError, QueueError, UnavailableError
from movieql.domain.exports import Export
from movieql.ports import Clock, ExportProgress, ExportProgressBoard
from movieql.services.exports import Exports

NO_EXPORT = "There is no export of this id."
"""What is said of a missing export and of one that is another's."""


@dataclass(frozen=True, slots=True)
class WatchRules:
    """Seconds and counts.

    `watch_s`: the longest that one caller follows an export at a stretch. `pause_s`: the shortest
    time between two events. `look_s`: between two looks at the store while the board is silent,
    and `poll_s` while there is no board. `watches_max`: that a process goes through with at once.
    """

    watch_s: float = 3_600.0
    pause_s: float = 0.2
    look_s: float = 10.0
    poll_s: float = 2.0
    watches_max: int = 200


class ExportWatch:
    """Follows exports for callers. `board`: None where nobody tells of progress."""

    def __init__(
        self,
        exports: Exports,
        board: ExportProgressBoard | None,
        clock: Clock,
        rules: WatchRules | None = None,
    ) -> None:
        self._exports = exports
        self._board = board
        self._clock = clock
        self._rules = rules or WatchRules()
        self._watches = 0

    async def changes(self, caller: Caller, export_id: str) -> AsyncGenerator[Export, None]:
        """Yield a caller's export as it is now and as often as it changes, until it has ended.

        It may end before that: after `watch_s`, so ask again. Once begun it survives an outage of
        store and board. Close the generator to end it early. Raises BadInputError when there is
        no such export of the caller's, UnavailableError when the first look fails, and
        LimitExceededError when too many watch.
        """
        if self._watches >= self._rules.watches_max:
            raise LimitExceededError(
                f"At most {self._rules.watches_max} exports are followed at once: "
                "ask for the export from time to time."
            )
        self._watches += 1
        try:
            async with (
                _News(self._board, export_id, self._clock, self._rules) as news,
                aclosing(self._looks(caller, export_id, news)) as looks,
            ):
                async for export in looks:
                    yield export
        finally:
            self._watches -= 1

    async def _looks(
        self, caller: Caller, export_id: str, news: "_News"
    ) -> AsyncGenerator[Export, None]:
        clock, rules = self._clock, self._rules
        until_s = clock.monotonic_s() + rules.watch_s
        last = await self._look(caller, export_id)
        yield last
        while not last.status.is_terminal and clock.monotonic_s() < until_s:
            await clock.sleep(rules.pause_s)
            await news.wait(max(until_s - clock.monotonic_s(), 0.0))
            try:
                now = await self._look(caller, export_id)
            except UnavailableError:
                continue  # the next look is only a little later
            if now != last:
                last = now
                yield last

    async def _look(self, caller: Caller, export_id: str) -> Export:
        found = await self._exports.get(caller, export_id)
        if found is None:
            raise BadInputError(NO_EXPORT)
        return found


class _News:
    """Says when to look at an export again; leaving the block closes what listens."""

    def __init__(
        self, board: ExportProgressBoard | None, export_id: str, clock: Clock, rules: WatchRules
    ) -> None:
        self._board = board
        self._export_id = export_id
        self._clock = clock
        self._rules = rules
        self._watch: AsyncGenerator[ExportProgress, None] | None = None
        self._hearing: asyncio.Future[bool] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def wait(self, left_s: float) -> None:
        """Return when the board tells of something, else after a while, `left_s` at most."""
        if not await self._told(min(left_s, self._rules.look_s)):
            await self._clock.sleep(min(left_s, self._rules.poll_s))

    async def _told(self, timeout_s: float) -> bool:
        """Listen; return False at once when there is nobody to listen to."""
        if self._board is None:
            return False
        if self._watch is None:
            self._watch = self._board.watch(self._export_id)
        if self._hearing is None:
            self._hearing = asyncio.ensure_future(_hears(self._watch))
        await self._clock.wait([self._hearing], timeout_s)
        if not self._hearing.done():
            return True
        goes_on = self._hearing.result()
        self._hearing = None
        if not goes_on:
            await self._close()
        return goes_on

    async def _close(self) -> None:
        hearing, watch = self._hearing, self._watch
        self._hearing = self._watch = None
        if hearing is not None:
            hearing.cancel()
            await asyncio.wait([hearing])
        if watch is not None:
            await watch.aclose()


async def _hears(watch: AsyncGenerator[ExportProgress, None]) -> bool:
    """Wait for a change; return False when no more come."""
    try:
        return await anext(watch, None) is not None
    except QueueError:
        return False
