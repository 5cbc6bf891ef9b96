"""What the services need of the world, as small protocols that adapters and twins implement."""

from asyncio import Future
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from movieql.domain.answers import Answer
from movieql.domain.movies import ListingKey

Endpoint = Literal["list", "detail"]
"""The two things a provider can be asked for."""


@dataclass(frozen=True, slots=True)
class Call:
    """A question to a provider: its list, or with `movie_id` the detail of one movie."""

    movie_id: str | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Say which of the provider's endpoints answers this."""
        return "list" if self.movie_id is None else "detail"


LIST = Call()
"""The call for everything a provider lists."""


class Provider(Protocol):
    """A shop or the house catalogue, and every guard that is wrapped around one."""

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Answer a call by the monotonic second `until_s`.

        A list answer has a row per movie; a detail answer has one row, or none when the
        provider says it has no such movie. A failure is an answer without rows, never an
        exception; only cancellation passes through.
        """
        ...


class KeptProvider(Provider, Protocol):
    """A provider whose answers are kept in this process."""

    def peek(self, call: Call) -> Answer | None:
        """Return the kept answer, without any I/O, if waiting would not make it fresher.

        Fresh, or old while its refresh runs in the background or would be refused; else None.
        """
        ...


class Cache(Protocol):
    """Bytes by key for a bounded time; may be shared between replicas."""

    async def get(self, key: str) -> bytes | None:
        """Return what was put, or None. Raises CacheError, in bounded time."""
        ...

    async def put(self, key: str, value: bytes, lifetime_s: float) -> None:
        """Keep a value for so many seconds. Raises CacheError, in bounded time."""
        ...

    async def ping(self) -> None:
        """Raise CacheError when the storage behind the cache does not answer."""
        ...


class Clock(Protocol):
    """Time, as it is passed in everywhere."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait so many seconds."""
        ...

    async def wait(self, futures: "Collection[Future[Any]]", timeout_s: float) -> None:
        """Wait until one of the futures has ended, at most so many seconds; cancel none."""
        ...


class Telemetry(Protocol):
    """Where guards and services tell operators what happened."""

    def upstream_call(self, provider: str, call: Call, answer: Answer, elapsed_s: float) -> None:
        """Note that a call left this process and how it was answered, after how long."""
        ...

    def cache_read(self, provider: str, call: Call, outcome: str) -> None:
        """Note where an answer not fresh at hand came from: `recalled`, `stale` or `miss`."""
        ...

    def cache_failed(self, action: str, reason: str) -> None:
        """Note that the shared cache failed to `get` or `put`; it counts as a miss."""
        ...

    def circuit(self, provider: str, endpoint: Endpoint, state: str) -> None:
        """Note the state of a breaker after a call: `closed`, `open` or `half_open`."""
        ...

    def fault(self, where: str, error: BaseException) -> None:
        """Note a fault of ours that was caught; it is a bug to fix."""
        ...


class DetailLoad(Protocol):
    """How a question gets details: one batch at a time, each key once per request."""

    def __call__(self, keys: Sequence[ListingKey]) -> Awaitable[Mapping[ListingKey, Answer]]:
        """Return an answer for every key."""
        ...
