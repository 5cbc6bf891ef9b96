"""What operators see: logs by consequence, and Prometheus metrics in a registry of our own.

ERROR is a bug to fix, WARNING an upstream that failed.
"""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import orjson
import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from movieql.domain.movies import Answer, SourceErrorCode
from movieql.ports import Call, Endpoint, QueueDepth
from movieql.services.queue_watch import QueueSight
from movieql.web.collectors import CacheHits, OpenSockets, QueueFigures

Logger = structlog.typing.FilteringBoundLogger
"""What everything here logs to; made once and passed in."""


TEXT_CHARACTERS_MAX = 1_000
"""Characters of a text in a log line, for a caller decides how long a path is."""

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that this task works for; it is in each of its log lines."""


def make_logger(level: str, form: str, stream: TextIO = sys.stderr) -> Logger:
    """Return a logger; `level` is a name like "info", `form` is "json" or "console"."""
    is_json = form == "json"
    logger: Logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            _with_request_id,
            _bounded,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info, _as_json] if is_json else [_console(stream)]),
        ],
    )
    return logger


def _with_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def _bounded(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for name, value in event.items():
        # The event is a name of ours, or what a library says, a traceback among it.
        if isinstance(value, str) and len(value) > TEXT_CHARACTERS_MAX and name != "event":
            event[name] = value[:TEXT_CHARACTERS_MAX] + "…"
    return event


def _as_json(_: Any, __: str, event: Mapping[str, Any]) -> str:
    # structlog's renderer with the standard library takes twice as long, on every request.
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _console(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    # Its own tracebacks show local variables, and one of them may be a token.
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


class ForwardToStructlog(logging.Handler):
    """Sends what libraries log the standard way to our logger, in our form."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record under its library's name."""
        self._logger.log(
            record.levelno, record.getMessage(), library=record.name, exc_info=record.exc_info
        )


_STATES = ("closed", "half_open", "open")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0)


class Metrics:
    """All metrics of this process, and the telemetry port that feeds and logs them."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "movieql_http_requests",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "movieql_http_request_seconds",
            "Seconds from the first byte of a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        # Finding a metric by its labels takes longer than counting.
        self._by_request: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._upstream_calls = Counter(
            "movieql_upstream_calls",
            "Calls to providers, by how they ended: ok, or an error code in small letters.",
            ["provider", "endpoint", "outcome"],
            registry=self.registry,
        )
        self._upstream_seconds = Histogram(
            "movieql_upstream_call_seconds",
            "Seconds that a call to a provider took.",
            ["provider", "endpoint"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._cache_reads = Counter(
            "movieql_cache_reads",
            "Answers that were not fresh at hand: recalled (from the shared cache), stale, miss.",
            ["provider", "endpoint", "outcome"],
            registry=self.registry,
        )
        self._answers = Counter(
            "movieql_answers",
            "GraphQL answers: kept (whole, from before), made, or shared with an equal query.",
            ["source"],
            registry=self.registry,
        )
        self.count_kept = self._answers.labels("kept").inc
        self.count_made = self._answers.labels("made").inc
        self.count_shared = self._answers.labels("shared").inc
        self._cache_failures = Counter(
            "movieql_cache_failures",
            "Times the shared cache failed or was late; each counts as a miss.",
            ["action"],
            registry=self.registry,
        )
        self._store_failures = Counter(
            "movieql_store_failures",
            "Times the object store failed without an error for a caller.",
            registry=self.registry,
        )
        self._queue_failures = Counter(
            "movieql_queue_failures",
            "Times the queue failed, or was found not as it should be.",
            registry=self.registry,
        )
        self._cache_hits, self._queue = CacheHits(), QueueFigures()
        self._open_sockets = OpenSockets()
        for collector in (self._cache_hits, self._queue, self._open_sockets):
            self.registry.register(collector)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._states: dict[tuple[str, Endpoint], str] = {}
        self._circuits = Gauge(
            "movieql_breaker_state",
            "State of a breaker after its latest call: 0 closed, 1 half open, 2 open.",
            ["provider", "endpoint"],
            registry=self.registry,
        )
        self._sockets = Counter(
            "movieql_websockets",
            "WebSockets that ended, by close code.",
            ["code"],
            registry=self.registry,
        )
        self._faults = Counter(
            "movieql_faults",
            "Faults of ours that were caught; every one is a bug.",
            ["where"],
            registry=self.registry,
        )

    def count_request(self, method: str, route: str, status: int, elapsed_s: float) -> None:
        """Count an answered request; methods are few, because servers refuse unknown ones."""
        key = (method, route, status)
        if key not in self._by_request:
            self._by_request[key] = (
                self._requests.labels(method, route, str(status)),
                self._request_seconds.labels(route),
            )
        requests, seconds = self._by_request[key]
        requests.inc()
        seconds.observe(elapsed_s)

    def count_socket(self, code: int) -> None:
        """Count a WebSocket that has ended."""
        self._sockets.labels(str(code)).inc()

    def measure_sockets(self, open_count: Callable[[], int]) -> None:
        """Ask this how many WebSockets are open."""
        self._open_sockets.count = open_count

    def see_queue(self, sight: QueueSight | None) -> None:
        """Show what a look at the queue found; nothing for one that does not answer."""
        self._queue.sight = sight

    def upstream_call(self, provider: str, call: Call, answer: Answer, elapsed_s: float) -> None:
        """See `ports.Telemetry`; a failure is a warning, for it is the provider's."""
        error = answer.error
        outcome = "ok" if error is None else error.code.value.lower()
        self._upstream_calls.labels(provider, call.endpoint, outcome).inc()
        self._upstream_seconds.labels(provider, call.endpoint).observe(elapsed_s)
        if error is not None:
            self._logger.warning(
                "provider failed",
                provider=provider,
                endpoint=call.endpoint,
                movie_id=call.movie_id,
                reason=error.code.value,
                detail=error.message,
                elapsed_ms=round(elapsed_s * 1000),
            )
            if error.code is SourceErrorCode.UNAUTHORIZED:
                self._logger.error("provider refuses our token", provider=provider)

    def cache_read(self, provider: str, call: Call, outcome: str) -> None:
        """See `ports.Telemetry`."""
        self._cache_reads.labels(provider, call.endpoint, outcome).inc()

    def cache_hits(self, provider: str, counts: Mapping[Endpoint, int]) -> None:
        """See `ports.Telemetry`."""
        self._cache_hits.read(provider, counts)

    def cache_failed(self, action: str, reason: str) -> None:
        """See `ports.Telemetry`."""
        self._cache_failures.labels(action).inc()
        self._logger.warning("shared cache failed", action=action, reason=reason)

    def store_failed(self, reason: str) -> None:
        """See `ports.Telemetry`."""
        self._store_failures.inc()
        self._logger.warning("object store failed", reason=reason)

    def queue_failed(self, reason: str) -> None:
        """See `ports.Telemetry`."""
        self._queue_failures.inc()
        self._logger.warning("queue", reason=reason)

    def queue_depth(self, depth: QueueDepth) -> None:
        """See `ports.Telemetry`; only logged, for whoever asks for metrics asks a server."""
        self._logger.info(
            "queue depth",
            waiting=depth.waiting,
            running=depth.running,
            age_s=round(depth.oldest_age_s, 1),
        )

    def export_ended(self, export_id: str, status: str, rows: int, seconds: float) -> None:
        """See `ports.Telemetry`; only logged, for the process may end now."""
        self._logger.info(
            "export ended",
            export_id=export_id,
            status=status.lower(),
            rows=rows,
            seconds=round(seconds, 3),
        )

    def circuit(self, provider: str, endpoint: Endpoint, state: str) -> None:
        """See `ports.Telemetry`; a change of state is logged."""
        before = self._states.get((provider, endpoint))
        if state != before:
            self._states[provider, endpoint] = state
            self._circuits.labels(provider, endpoint).set(_STATES.index(state))
        if before is not None and state != before:
            self._logger.warning("breaker", provider=provider, endpoint=endpoint, state=state)

    def fault(self, where: str, error: BaseException) -> None:
        """See `ports.Telemetry`."""
        self._faults.labels(where).inc()
        self._logger.error("fault of ours", where=where, exc_info=error)

    async def handle(self, _: Request) -> Response:
        """Answer `GET /metrics`."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)
