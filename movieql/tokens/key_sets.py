"""An outside issuer's keys: kept for a time, fetched again when a token names an unknown one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from movieql.domain.errors import UnauthenticatedError
from movieql.ports import Clock
from movieql.tokens.keys import KeysError, VerifyingKey

Fetch = Callable[[], Awaitable[Mapping[str, VerifyingKey]]]
"""Gets an issuer's keys by their id, in bounded time. Raises KeysError."""


@dataclass(frozen=True, slots=True)
class KeyLifetimes:
    """How long keys are trusted, all in seconds.

    `lifetime_s`: without asking again; `stale_s`: at most, while the issuer cannot be reached;
    `pause_s`: at least between two fetches, so that tokens with invented key ids do not hammer
    the issuer.
    """

    lifetime_s: float = 600.0
    stale_s: float = 86_400.0
    pause_s: float = 10.0


class KeySet:
    """The keys of one issuer; one fetch at a time, however many wait for it.

    A failed or unusable fetch never replaces keys that were good. `note_failure` is called
    with the reason when one failed, for the log.
    """

    def __init__(
        self,
        fetch: Fetch,
        clock: Clock,
        lifetimes: KeyLifetimes,
        note_failure: Callable[[str], None],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lifetimes = lifetimes
        self._note_failure = note_failure
        self._keys: Mapping[str, VerifyingKey] = {}
        self._fetched_s = float("-inf")
        self._started_s = float("-inf")
        self._failed_s = float("-inf")
        self._flight: asyncio.Task[None] | None = None

    async def key(self, kid: str | None) -> VerifyingKey:
        """Return the key with this id. Raises UnauthenticatedError when there is none."""
        if not kid:
            raise UnauthenticatedError("The token names no key (`kid`).")
        if kid not in self._keys or self._age_s() >= self._lifetimes.lifetime_s:
            await self._refresh(kid)
        key = self._keys.get(kid)
        if key is None or self._age_s() >= self._usable_s():
            raise UnauthenticatedError("The token's key is not known to be one of its issuer's.")
        return key

    async def close(self) -> None:
        """Cancel a fetch that is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    async def _refresh(self, kid: str) -> None:
        """Fetch if it is time to, and wait for the fetch unless the key may be used meanwhile."""
        now_s = self._clock.monotonic_s()
        if self._flight is None and now_s - self._started_s >= self._lifetimes.pause_s:
            self._started_s = now_s
            self._flight = asyncio.ensure_future(self._fetched())
        if self._flight is None or (kid in self._keys and self._is_failing()):
            return
        # Shielded: whoever leaves must not take the fetch away from the others.
        await asyncio.shield(self._flight)

    async def _fetched(self) -> None:
        try:
            self._keys = await self._fetch()
            self._fetched_s = self._clock.monotonic_s()
        except KeysError as error:
            self._failed_s = self._clock.monotonic_s()
            self._note_failure(str(error))
        finally:
            self._flight = None

    def _age_s(self) -> float:
        return self._clock.monotonic_s() - self._fetched_s

    def _usable_s(self) -> float:
        return max(self._lifetimes.stale_s, self._lifetimes.lifetime_s)

    def _is_failing(self) -> bool:
        """Return whether the last fetch failed a short time ago: waiting for this one is in vain.

        After a long rest it may well succeed, and a key that was withdrawn must not be used.
        """
        since_s = self._clock.monotonic_s() - self._failed_s
        return self._failed_s > self._fetched_s and since_s < self._lifetimes.lifetime_s
