"""A receiver of traces by OTLP over HTTP, and what it received."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.servers import listening_shop


@dataclass(frozen=True, slots=True)
class Received:
    """A span as it arrived; ids in hex, `parent` empty for the first of a trace."""

    name: str
    role: str
    kind: int
    trace: str
    own: str
    parent: str
    failed: bool
    facts: dict[str, Any]


@dataclass
class Receiver:
    """Takes spans; while `answers` is not set it takes requests and does not answer."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """Take one batch."""
        self.bodies.append(await request.read())
        await self.answers.wait()
        return web.Response(content_type="application/x-protobuf")

    @property
    def spans(self) -> list[Received]:
        """Return all spans that arrived."""
        return [span for body in self.bodies for span in _spans(body)]

    def named(self, name: str) -> list[Received]:
        """Return the spans of a name."""
        return [span for span in self.spans if span.name == name]


@asynccontextmanager
async def receiving(*, answers: bool = True) -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    if answers:
        receiver.answers.set()
    app = web.Application()
    app.router.add_post("/v1/traces", receiver.take)
    async with listening_shop(app) as url:
        receiver.url = f"{url}/v1/traces"
        yield receiver
        receiver.answers.set()


def _spans(body: bytes) -> list[Received]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    found = []
    for resource in request.resource_spans:
        about = {each.key: _value(each.value) for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            found += [_received(span, about["movieql.role"]) for span in scope.spans]
    return found


def _received(span: SentSpan, role: str) -> Received:
    return Received(
        span.name,
        role,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.status.code == Status.STATUS_CODE_ERROR,
        {each.key: _value(each.value) for each in span.attributes},
    )


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)
