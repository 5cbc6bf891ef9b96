"""The least that can answer: an ASGI function that returns the bytes of a file to every POST.

Run as `python -m bench.raw FILE PORT`; uvicorn is set as movieql sets it, but writes its own
access log, for movieql writes a line per request too.
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from movieql.web.server import bind


def answering(body: bytes) -> ASGIApp:
    """Return an app that reads each request's body and answers with these bytes."""
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def main(body: bytes, port: int) -> None:
    """Serve until the process is ended."""
    config = uvicorn.Config(
        answering(body), access_log=True, server_header=False, lifespan="off", ws="none"
    )
    with bind("127.0.0.1", port) as bound, asyncio.Runner(loop_factory=uvloop.new_event_loop) as r:
        r.run(uvicorn.Server(config).serve(sockets=[bound]))


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes(), int(sys.argv[2]))
