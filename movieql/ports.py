"""What the services need of the world, as small protocols that adapters and twins implement."""

from asyncio import Future
from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from movieql.domain.callers import Caller
from movieql.domain.exports import ExportStatus
from movieql.domain.movies import Answer, ListingKey

Endpoint = Literal["list", "detail", "create"]
"""What a provider can be asked for: its list, one movie, and to take a new one."""


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

    def refresh(self, call: Call) -> bool:
        """Ask in the background for what is not kept or old; return whether that was needed."""
        ...


class Cache(Protocol):
    """Bytes by key for a bounded time; may be shared between replicas."""

    async def get(self, key: str) -> bytes | None:
        """Return what was put, or None. Raises CacheError, in bounded time."""
        ...

    async def put(self, key: str, value: bytes, lifetime_s: float) -> None:
        """Keep a value for so many seconds. Raises CacheError, in bounded time."""
        ...

    async def claim(self, key: str, lifetime_s: float) -> bool:
        """Return whether nobody else claimed the key in the last `lifetime_s` seconds.

        Raises CacheError, in bounded time.
        """
        ...

    async def drop(self, key: str) -> None:
        """Forget a key. Raises CacheError, in bounded time."""
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

    def cache_hits(self, provider: str, counts: "Mapping[Endpoint, int]") -> None:
        """Read how many answers were fresh at hand from `counts`, which go on counting."""
        ...

    def cache_failed(self, action: str, reason: str) -> None:
        """Note that the shared cache failed to `get` or `put`; it counts as a miss."""
        ...

    def store_failed(self, reason: str) -> None:
        """Note that the object store failed where nobody who asked has to be told."""
        ...

    def queue_failed(self, reason: str) -> None:
        """Note that the queue failed, or is not as it should be, and goes on."""
        ...

    def queue_depth(self, depth: "QueueDepth") -> None:
        """Note how much is to be done."""
        ...

    def export_ended(self, export_id: str, status: str, rows: int, seconds: float) -> None:
        """Note that this process ended an export, `seconds` after it was asked for."""
        ...

    def circuit(self, provider: str, endpoint: Endpoint, state: str) -> None:
        """Note the state of a breaker after a call: `closed`, `open` or `half_open`."""
        ...

    def fault(self, where: str, error: BaseException) -> None:
        """Note a fault of ours that was caught; it is a bug to fix."""
        ...


Fact = str | int | float | bool
"""What a span tells; never a variable of a caller's, a header or a body."""

SpanRole = Literal["answer", "call", "job"]
"""What a span is of: an answer to somebody, a call to somebody, a job from a queue."""


class Span(Protocol):
    """A piece of work that is under way."""

    def note(self, **facts: Fact) -> None:
        """Add facts about it."""
        ...

    def fail(self, kind: str) -> None:
        """Mark it as failed, by the kind of failure and no words of anybody's."""
        ...


class Tracer(Protocol):
    """Tells operators what took how long within what. Nothing here waits or fails."""

    def span(self, name: str, role: SpanRole, **facts: Fact) -> AbstractContextManager[Span]:
        """Open a span around a block, within the one that is open; what raises has failed."""
        ...

    def continuing(self, traceparent: str) -> AbstractContextManager[None]:
        """Let the spans of a block continue the trace of a W3C `traceparent`, if it is one."""
        ...

    def carried(self) -> dict[str, str]:
        """Return the headers with which a call lets others continue the trace."""
        ...


class _NoSpan:
    """A span of which nothing is kept, and the block around it."""

    __slots__ = ()

    def note(self, **facts: Fact) -> None:
        """Keep nothing."""

    def fail(self, kind: str) -> None:
        """Keep nothing."""

    def __enter__(self) -> "Span":
        return self

    def __exit__(self, *_: object) -> None:
        return None


class _NoContinuation:
    """A block that continues nothing."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


_NO_SPAN, _NO_CONTINUATION = _NoSpan(), _NoContinuation()


class NoTraces:
    """Traces nothing, at the price of a call."""

    def span(self, name: str, role: SpanRole, **facts: Fact) -> AbstractContextManager[Span]:  # noqa: ARG002
        """Open nothing."""
        return _NO_SPAN

    def continuing(self, traceparent: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Continue nothing."""
        return _NO_CONTINUATION

    def carried(self) -> dict[str, str]:
        """Return no headers."""
        return {}


NO_TRACES: Tracer = NoTraces()
"""What traces where nobody asked for traces."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's head. `etag`: its version, opaque and without quotes; `modified`: in UTC."""

    key: str
    etag: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class UnfinishedUpload:
    """An upload in parts that was neither completed nor aborted; `started` in UTC."""

    key: str
    upload_id: str
    started: datetime


class Upload(Protocol):
    """An object being written in parts; it is invisible until `complete`."""

    upload_id: str

    async def add(self, part: bytes) -> None:
        """Write the next part: `part_bytes_min` of the store or more, but for the last.

        Raises StoreError; UploadGoneError after an abort.
        """
        ...

    async def complete(self) -> str:
        """Make the object visible in one step and return its ETag. Raises as `add`.

        Without a part it is an empty object.
        """
        ...

    async def abort(self) -> None:
        """Throw the parts away; nothing happens if there are none. Raises StoreError."""
        ...


class ObjectStore(Protocol):
    """Bytes by key, with compare-and-set; keys are `/`-separated and safe to print.

    Every method raises StoreError, in bounded time, when the store does not answer, and
    BadInputError for what is no key: parts of printable text between single slashes.
    """

    part_bytes_min: int
    """Bytes of an upload's part, but for the last."""

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Write a whole object in one step and return its ETag.

        `if_match`: only over this version; `if_absent`: only where no object is. Raises
        PreconditionFailedError otherwise - also when an earlier try of this very write went
        through and only its answer was lost: read back before relying on it.
        """
        ...

    async def get(self, key: str, *, bytes_max: int) -> "tuple[bytes, str] | None":
        """Return (body, ETag), None where no object is. A longer body is a StoreError."""
        ...

    async def get_unless(
        self, key: str, etag: str, *, bytes_max: int
    ) -> "tuple[bytes, str] | Literal['unchanged'] | None":
        """Return as `get`, or 'unchanged' without reading the body while it has this ETag."""
        ...

    async def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Return up to `length` bytes from the byte `start`, None where no object is."""
        ...

    async def head(self, key: str) -> StoredObject | None:
        """Return what is known of an object without its body, None where none is."""
        ...

    async def list(
        self, prefix: str, *, after: str | None = None, limit: int = 1000
    ) -> Sequence[StoredObject]:
        """Return up to `limit` objects whose key starts with `prefix`, by key, after a key."""
        ...

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        """Delete an object; none there is well, too. Raises PreconditionFailedError."""
        ...

    async def begin_upload(self, key: str, *, content_type: str) -> Upload:
        """Start an object in parts."""
        ...

    async def unfinished_uploads(
        self, prefix: str, limit: int = 1000
    ) -> Sequence[UnfinishedUpload]:
        """Return uploads under way or left behind, under keys that start with `prefix`."""
        ...

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """Throw an upload's parts away; none there is well, too."""
        ...

    async def link(self, key: str, *, lifetime_s: int, filename: str, content_type: str) -> str:
        """Return a URL that downloads the object as a file, for so many seconds, to anybody.

        Raises BadInputError for more than 900 seconds, or a name that no header can carry.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExportRun:
    """One execution of an export; `generation` and `attempt` count from 1.

    A generation is a job of the queue, an attempt one execution of that job.
    """

    export_id: str
    generation: int
    attempt: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many jobs wait and run, and for how many seconds the first in line has waited.

    `dropped`: foreign entries that workers have taken off the queue so far.
    """

    waiting: int
    running: int
    oldest_age_s: float
    dropped: int = 0


class ExportQueue(Protocol):
    """Jobs that each carry the id of an export and nothing else.

    It may lose a job and may run one twice: what an export is and whether it ended is decided
    in the object store (docs/decisions/0016). Every method raises QueueError, in bounded time,
    when the queue does not answer.
    """

    async def enqueue(self, export_id: str, generation: int) -> None:
        """Queue a generation of an export; one that was queued before is left as it is.

        `export_id`: 1 to 64 letters, digits, `-` and `_`; ValueError otherwise.
        """
        ...

    async def live(self, export_ids: Collection[str]) -> frozenset[str]:
        """Return those of the exports that a job waits for or works on.

        A job that is on no list of the queue counts as live for a while from when that was
        first noticed (`MOVIEQL_QUEUE_ASTRAY_S`): it may be between two lists.
        """
        ...

    async def depth(self) -> QueueDepth:
        """Return how much is to be done."""
        ...

    async def ping(self) -> None:
        """Raise QueueError when the queue does not answer."""
        ...


class ExportTally(Protocol):
    """How many exports have ended, for operators; may forget everything at any time.

    Every method raises QueueError, in bounded time, when the tally cannot be reached.
    """

    async def count(self, export_id: str, status: ExportStatus) -> None:
        """Count an export that ended so; the same one again, within an hour, is not counted."""
        ...

    async def counts(self) -> Mapping[ExportStatus, int]:
        """Return how many ended so; a status that nothing is known of is left out."""
        ...


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an attempt at an export is: `done` of `total` rows; `over`: no more will follow."""

    done: int
    total: int
    attempt: int
    over: bool = False


class ExportProgressBoard(Protocol):
    """Where workers say how far they are; may forget everything at any time.

    Every method raises QueueError, in bounded time, when the board does not answer.
    """

    async def report(self, export_id: str, progress: ExportProgress) -> None:
        """Replace what is known of an export."""
        ...

    async def progress(self, export_ids: Sequence[str]) -> Mapping[str, ExportProgress]:
        """Return what is known of these exports; those that nothing is known of are left out."""
        ...

    def watch(self, export_id: str) -> AsyncGenerator[ExportProgress, None]:
        """Yield what is known and then every change, until it is over or the longest watch ends.

        Changes that come faster than they are taken are skipped, so that nothing piles up.
        Raises QueueError also when too many watch.
        """
        ...


class Leases(Protocol):
    """Names that one holder has for a while; they only save work.

    One may be lost at any time, so what must not happen twice is not left to a lease. Every
    method raises QueueError, in bounded time, when the leases cannot be reached.
    """

    async def hold(self, name: str, token: str, lifetime_s: float) -> bool:
        """Take a name that is free, or keep it if `token` has it, for so many seconds."""
        ...

    async def release(self, name: str, token: str) -> None:
        """Give a name back if `token` has it."""
        ...


class TokenVerifier(Protocol):
    """Verifies tokens."""

    async def verify(self, token: str) -> Caller:
        """Return who the token speaks for. Raises UnauthenticatedError that says why not."""
        ...


class DetailLoad(Protocol):
    """How a question gets details: one batch at a time, each key once per request."""

    def __call__(self, keys: Sequence[ListingKey]) -> Awaitable[Mapping[ListingKey, Answer]]:
        """Return an answer for every key."""
        ...
