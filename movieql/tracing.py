"""`ports.Tracer` on OpenTelemetry, which is an extra: only whoever traces imports this.

Spans go out by OTLP over HTTP, from a thread that nobody waits for; where the receiver does not
take them in time they are dropped.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Final

from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from movieql.ports import Fact, SpanRole

SPANS_WAITING_MAX = 2_048
"""Spans that wait to be sent; more are dropped."""

SEND_EVERY_S = 1.0
"""Seconds between two sendings."""

_KINDS: Final[Mapping[SpanRole, SpanKind]] = {
    "answer": SpanKind.SERVER,
    "call": SpanKind.CLIENT,
    "job": SpanKind.CONSUMER,
}


class _Noted:
    """A span that is open."""

    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def note(self, **facts: Fact) -> None:
        """Add facts; see `ports.Span`."""
        self._span.set_attributes({_named(name): fact for name, fact in facts.items()})

    def fail(self, kind: str) -> None:
        """Mark it as failed; see `ports.Span`."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


class OtelTracer:
    """Spans of a process, a `share` of the traces; `url`: where they are sent.

    Of a trace that began elsewhere as little is kept as of our own, and nothing where its
    beginning is not: strangers may send any `traceparent`. `timeout_s`: longest wait for the
    receiver, also at the end.
    """

    def __init__(self, url: str, share: float, role: str, timeout_s: float) -> None:
        ours = TraceIdRatioBased(share)
        self._provider = TracerProvider(
            sampler=ParentBased(
                ours, remote_parent_sampled=ours, remote_parent_not_sampled=ALWAYS_OFF
            ),
            resource=Resource.create({"service.name": "movieql", "movieql.role": role}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(url, timeout=timeout_s),
                max_queue_size=SPANS_WAITING_MAX,
                schedule_delay_millis=SEND_EVERY_S * 1000,
            )
        )
        self._tracer = self._provider.get_tracer("movieql")
        self._propagator = TraceContextTextMapPropagator()
        self._timeout_s = timeout_s

    @contextmanager
    def span(self, name: str, role: SpanRole, **facts: Fact) -> Iterator[_Noted]:
        """Open a span around a block; see `ports.Tracer`."""
        with self._tracer.start_as_current_span(
            name,
            kind=_KINDS[role],
            attributes={_named(fact): value for fact, value in facts.items()},
            record_exception=False,  # its text and stack may hold what is nobody's business
            set_status_on_exception=False,
        ) as span:
            noted = _Noted(span)
            try:
                yield noted
            except asyncio.CancelledError:  # nobody waits for it any more, which is no failure
                noted.note(outcome="cancelled")
                raise
            except BaseException as error:
                noted.fail(type(error).__name__)
                raise

    @contextmanager
    def continuing(self, traceparent: str) -> Iterator[None]:
        """Let spans of a block continue a trace from elsewhere; see `ports.Tracer`."""
        found = self._propagator.extract({"traceparent": traceparent})
        token = context.attach(found)
        try:
            yield
        finally:
            context.detach(token)

    def carried(self) -> dict[str, str]:
        """Return the headers that let another continue; see `ports.Tracer`."""
        headers: dict[str, str] = {}
        self._propagator.inject(headers)
        return headers

    async def close(self) -> None:
        """Send what waits, for `timeout_s` at most."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def send() -> None:
            self._provider.shutdown()
            if not loop.is_closed():
                loop.call_soon_threadsafe(sent.set)

        # Not one of the loop's own threads, for whose end everybody waits.
        Thread(target=send, name="movieql-traces", daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout_s):
                await sent.wait()
        except TimeoutError:
            return


def _named(fact: str) -> str:
    """Return the name of an attribute: OpenTelemetry's own of what it has one for."""
    return _OTEL_NAMES.get(fact, f"movieql.{fact}")


_OTEL_NAMES: Final[Mapping[str, str]] = {
    "operation_name": "graphql.operation.name",
    "operation_type": "graphql.operation.type",
}
