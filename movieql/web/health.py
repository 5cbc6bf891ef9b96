"""Health: `/healthz` is the process, `/readyz` says which dependency works and which does not."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response

from movieql.domain.errors import MovieqlError

Check = Callable[[], Awaitable[None]]
"""Raises a MovieqlError when a dependency does not work, within bounded time."""


async def healthz(_: Request) -> Response:
    """Answer that the process is alive."""
    return Response(b'{"status":"ok"}', media_type="application/json")


class Readiness:
    """Asks the dependencies. Neither a provider nor the cache makes a server unready.

    Answers do without a cache, and a provider's failure is part of an answer.
    """

    def __init__(self, needed: Mapping[str, Check], useful: Mapping[str, Check]) -> None:
        self._needed = needed
        self._useful = useful
        self._is_ending = False

    def end(self) -> None:
        """Be unready from now on, for the server ends."""
        self._is_ending = True

    async def handle(self, _: Request) -> Response:
        """Answer 200 when everything needed works, else 503; say what is failing."""
        ok: list[str] = []
        failing = {"server": "it is about to end"} if self._is_ending else {}
        for name, check in {**self._needed, **self._useful}.items():
            try:
                await check()
            except MovieqlError as error:
                failing[name] = str(error)
            else:
                ok.append(name)
        ready = not failing.keys() & {"server", *self._needed}
        body = orjson.dumps({"ready": ready, "ok": ok, "failing": failing})
        return Response(body, 200 if ready else 503, media_type="application/json")
