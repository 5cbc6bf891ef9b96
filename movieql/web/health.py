"""Health: `/healthz` is the process, `/readyz` says which dependency works and which does not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response

from movieql.domain.errors import MovieqlError

CHECKED_EVERY_S = 1.0
"""Seconds for which what a dependency said counts: anybody may ask, and a store has its price."""

Check = Callable[[], Awaitable[None]]
"""Raises a MovieqlError when a dependency does not work, within bounded time."""

CHECK_S = 1.0
"""Seconds that an answer waits for a dependency; whoever probes a server waits little longer."""


async def healthz(_: Request) -> Response:
    """Answer that the process is alive."""
    return Response(b'{"status":"ok"}', media_type="application/json")


class Readiness:
    """Asks the dependencies, none of which makes a server unready: answers do without."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._is_ending = False
        self._asked: dict[str, asyncio.Future[None]] = {}

    def end(self) -> None:
        """Be unready from now on, for the server ends."""
        self._is_ending = True

    async def handle(self, _: Request) -> Response:
        """Answer 200 until the server ends, then 503; say what is failing."""
        ok: list[str] = []
        failing = {"server": "it is about to end"} if self._is_ending else {}
        told = await asyncio.gather(*(self._wrong(*check) for check in self._checks.items()))
        for name, wrong in zip(self._checks, told, strict=True):
            if wrong is None:
                ok.append(name)
            else:
                failing[name] = wrong
        body = orjson.dumps({"ready": not self._is_ending, "ok": ok, "failing": failing})
        return Response(body, 503 if self._is_ending else 200, media_type="application/json")

    async def _wrong(self, name: str, check: Check) -> str | None:
        """Return what is wrong with a dependency. It is asked once a second at most."""
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = asyncio.ensure_future(check())
            asked.add_done_callback(partial(self._forget, name))
        done, _ = await asyncio.wait([asked], timeout=CHECK_S)
        if not done:
            return f"no answer within {CHECK_S:g} s"
        error = asked.exception()
        if error is not None and not isinstance(error, MovieqlError):
            raise error
        return None if error is None else str(error)

    def _forget(self, name: str, asked: asyncio.Future[None]) -> None:
        asyncio.get_running_loop().call_later(CHECKED_EVERY_S, self._asked.pop, name)
        if not asked.cancelled():
            asked.exception()  # nobody may be waiting for it any more
