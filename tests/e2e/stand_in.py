"""An S3 small enough to be told what it gets wrong: whole objects of one bucket, in memory."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import md5

from aiohttp import web

from tests.servers import listening_shop

BUCKET = "movies"


class StandIn:
    """Stores objects; `compares` False: takes conditions and overwrites all the same.

    `puts` counts by key what was asked to be put; while `answers` is not set, everybody waits.
    """

    def __init__(self, *, compares: bool = True) -> None:
        self.compares = compares
        self.puts: Counter[str] = Counter()
        self.answers = asyncio.Event()
        self.answers.set()
        self._objects: dict[str, bytes] = {}

    async def get(self, request: web.Request) -> web.Response:
        """Answer GET and HEAD."""
        await self.answers.wait()
        body = self._objects.get(request.match_info["key"])
        if body is None:
            return _error(404, "NoSuchKey")
        if request.headers.get("If-None-Match") == _etag(body):
            return web.Response(status=304)
        return web.Response(body=body, headers={"ETag": _etag(body)})

    async def put(self, request: web.Request) -> web.Response:
        """Store an object unless a condition does not hold."""
        key, body = request.match_info["key"], await request.read()
        self.puts[key] += 1
        await self.answers.wait()
        if self.compares and not self._holds(request, key):
            return _error(412, "PreconditionFailed")
        self._objects[key] = body
        return web.Response(headers={"ETag": _etag(body)})

    async def delete(self, request: web.Request) -> web.Response:
        """Forget an object."""
        await self.answers.wait()
        self._objects.pop(request.match_info["key"], None)
        return web.Response(status=204)

    def _holds(self, request: web.Request, key: str) -> bool:
        body = self._objects.get(key)
        if request.headers.get("If-None-Match") == "*":
            return body is None
        wanted = request.headers.get("If-Match")
        return wanted is None or (body is not None and wanted == _etag(body))


@asynccontextmanager
async def standing_in(stand_in: StandIn) -> AsyncIterator[dict[str, str]]:
    """Let it listen; gives the environment of a server that uses it."""
    app = web.Application()
    app.router.add_get(f"/{BUCKET}/{{key:.*}}", stand_in.get)
    app.router.add_put(f"/{BUCKET}/{{key:.*}}", stand_in.put)
    app.router.add_delete(f"/{BUCKET}/{{key:.*}}", stand_in.delete)
    async with listening_shop(app) as url:
        yield s3_env(url, BUCKET)


def s3_env(url: str, bucket: str) -> dict[str, str]:
    """Return the environment of a server that uses a bucket there."""
    return {
        "MOVIEQL_STORE_BUCKET": bucket,
        "MOVIEQL_STORE_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def _etag(body: bytes) -> str:
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str) -> web.Response:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")
