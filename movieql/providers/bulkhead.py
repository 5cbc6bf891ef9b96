"""At most so many attempts at a provider at once; calls wait their turn, within their time."""

import asyncio

from movieql.domain.answers import Answer, failed
from movieql.domain.reports import SourceErrorCode
from movieql.ports import Call, Clock, Provider
from movieql.waiting import any_done


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
