"""The Runtime API of AWS Lambda, as far as a function sees it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.servers import listening_shop

ANSWER_S = 10.0
"""Longest wait of a test for the answer to an event."""


@dataclass
class RuntimeApi:
    """Hands out events and takes answers; `bytes_max` is of an answer."""

    address: str = ""
    bytes_max: int = 6_000_000
    _events: asyncio.Queue[tuple[str, bytes, int]] = field(default_factory=asyncio.Queue)
    _answers: dict[str, asyncio.Queue[tuple[str, Any]]] = field(default_factory=dict)

    async def invoke(self, event: Any, within_s: float = 29.0) -> tuple[str, Any]:
        """Hand out an event (bytes as they are); return ("response" or "error", what it says)."""
        request_id = f"request-{len(self._answers)}"
        self._answers[request_id] = asyncio.Queue()
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self._events.put_nowait((request_id, body, int((time.time() + within_s) * 1000)))
        async with asyncio.timeout(ANSWER_S):
            return await self._answers[request_id].get()

    async def next(self, _: web.Request) -> web.Response:
        """Wait for an event; Lambda stops a process that waits."""
        request_id, body, deadline_ms = await self._events.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        }
        return web.Response(body=body, headers=headers)

    async def take(self, request: web.Request) -> web.Response:
        """Take an answer."""
        body = await request.read()
        if len(body) > self.bytes_max:
            return web.Response(status=413)
        answers = self._answers[request.match_info["id"]]
        answers.put_nowait((request.match_info["what"], json.loads(body)))
        return web.Response(status=202)


@asynccontextmanager
async def runtime_api() -> AsyncIterator[RuntimeApi]:
    """Run the API on a free port."""
    api = RuntimeApi()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_get("/2018-06-01/runtime/invocation/next", api.next)
    app.router.add_post("/2018-06-01/runtime/invocation/{id}/{what:response|error}", api.take)
    async with listening_shop(app) as url:
        api.address = url.removeprefix("http://")
        yield api


def http_event(
    method: str, path: str, body: str | None = None, query: str = "", **headers: str
) -> dict[str, Any]:
    """Return an event of an HTTP API, payload format 2.0, as it came through CloudFront."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "host": "abc123.execute-api.eu-west-1.amazonaws.com",
            "x-forwarded-for": "203.0.113.7, 198.51.100.1",
            "x-forwarded-proto": "https",
            "x-forwarded-port": "443",
            **given,
        },
        "requestContext": {
            "apiId": "abc123",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "198.51.100.1",
            },
            "requestId": "an-id-of-api-gateway",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }
