"""What has to be done again and again, by one of many replicas at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

from movieql.domain.errors import QueueError
from movieql.ports import Clock, Leases

LEASE_NAME: Final = "keeper"
"""The lease of the one who keeps house."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every `every_s` seconds, for `timeout_s` at most.

    The first time is `first_s` after the house is ours. Doing it twice has to be harmless.
    """

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]
    timeout_s: float
    first_s: float = 0.0


Note = Callable[[str, BaseException | None], None]
"""Takes a chore's name and how it went: None for well, else what it raised."""


class Housekeeping:
    """Does chores while it holds the lease, each in its own time.

    When the leases cannot be reached everybody keeps house: work is done twice then, which is
    harmless, and not left undone, which is not. A chore that fails or takes too long is noted
    and has its next turn; the others do not wait for it.
    """

    def __init__(
        self,
        chores: Sequence[Chore],
        leases: Leases,
        clock: Clock,
        token: str,
        note: Note,
        lease_s: float,
    ) -> None:
        self._chores = chores
        self._leases = leases
        self._clock = clock
        self._token = token
        self._note = note
        self._lease_s = lease_s
        self._ours_until_s = clock.monotonic_s()

    async def run(self) -> None:
        """Keep house until cancelled; then give the lease back."""
        try:
            await self._hold()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_holding())
                for chore in self._chores:
                    group.create_task(self._keep_doing(chore))
        finally:
            with suppress(QueueError):
                await self._leases.release(LEASE_NAME, self._token)

    @property
    def _step_s(self) -> float:
        return self._lease_s / 3

    @property
    def _ours(self) -> bool:
        return self._clock.monotonic_s() < self._ours_until_s

    async def _hold(self) -> None:
        began_s = self._clock.monotonic_s()
        try:
            held = await self._leases.hold(LEASE_NAME, self._token, self._lease_s)
        except QueueError:
            held = True
        self._ours_until_s = began_s + self._lease_s if held else began_s

    async def _keep_holding(self) -> None:
        while True:
            await self._clock.sleep(self._step_s)
            await self._hold()

    async def _keep_doing(self, chore: Chore) -> None:
        due_s: float | None = None
        while True:
            now_s = self._clock.monotonic_s()
            if not self._ours:
                due_s = None
            elif due_s is None:
                due_s = now_s + chore.first_s
            if due_s is not None and now_s >= due_s:
                await self._do(chore)
                due_s = now_s + chore.every_s
            await self._clock.sleep(self._pause_s(due_s))

    def _pause_s(self, due_s: float | None) -> float:
        """Return the seconds to the next look: the turn, or whether the lease has become ours."""
        if due_s is None:
            return self._step_s
        return min(max(due_s - self._clock.monotonic_s(), 0.0), self._step_s)

    async def _do(self, chore: Chore) -> None:
        doing = asyncio.ensure_future(chore.run())
        try:
            await self._clock.wait([doing], chore.timeout_s)
        finally:
            late = not doing.done()
            doing.cancel()
            ended = await asyncio.gather(doing, return_exceptions=True)
        error = ended[0] if isinstance(ended[0], BaseException) else None
        self._note(chore.name, TimeoutError() if late else error)


class OncePerDay:
    """A chore that does something once for every day, from an hour of it on, in UTC.

    Call it often: it does nothing the rest of the day. After a failure it tries again; a new
    process may do a day twice, so what it does has to be the same each time.
    """

    def __init__(self, clock: Clock, hour: int, run: Callable[[date], Awaitable[object]]) -> None:
        self._clock = clock
        self._hour = hour
        self._run = run
        self._done: date | None = None

    async def __call__(self) -> None:
        """Do today's, if it is time and was not done."""
        now = self._clock.now()
        if now.hour >= self._hour and now.date() != self._done:
            await self._run(now.date())
            self._done = now.date()
