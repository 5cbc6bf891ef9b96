"""Runs an ASGI app on a port until a signal asks it to stop."""

import asyncio
import errno
import gc
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from movieql.domain.errors import SettingsError
from movieql.web.ending import EndingServer
from movieql.web.http_transport import head_bounded
from movieql.web.socket_transport import SocketTransport


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How a server ends, and what it takes over WebSockets.

    `shutdown_s`: seconds that requests under way get to end. `socket_message_bytes_max`: bytes of
    one message of a client's; a larger one ends its connection (1009). `socket_ping_s`: seconds
    between pings to a client, and for which an answer is waited for. `head_bytes_max` and
    `head_s`: bytes of a request's head, and seconds in which it has to be here. `keep_alive_s`:
    seconds that a connection may do nothing between requests. `drain_s`: seconds that the server
    goes on serving after SIGTERM.
    """

    shutdown_s: float = 10.0
    socket_message_bytes_max: int = 65_536
    socket_ping_s: float = 20.0
    head_bytes_max: int = 65_536
    head_s: float = 10.0
    keep_alive_s: float = 75.0
    drain_s: float = 0.0


_STARTED_POLL_S = 0.02


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises SettingsError when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only on sockets that say they are TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is taken; stop what uses it, or choose another with --port"
        else:
            reason = f"cannot listen on {host} port {port}: {error.strerror}"
        raise SettingsError(reason) from error
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the URL at which a bound socket is reached from this machine."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def configured(app: Starlette, limits: ServerLimits) -> uvicorn.Config:
    """Return how uvicorn serves an app."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # how many proxies are trusted is a setting
        timeout_keep_alive=limits.keep_alive_s,  # type: ignore[arg-type]  # it goes to call_later
        timeout_graceful_shutdown=max(round(limits.shutdown_s), 1),
        lifespan="on",
        http=head_bounded(limits.head_bytes_max, limits.head_s),
        ws=SocketTransport,
        ws_max_size=limits.socket_message_bytes_max,
        ws_ping_interval=limits.socket_ping_s,
        ws_ping_timeout=limits.socket_ping_s,
        ws_per_message_deflate=False,  # 64 KB a connection, for messages that are small
    )


async def serve(
    app: Starlette,
    bound: socket.socket,
    limits: ServerLimits,
    on_ready: Callable[[str], None],
    on_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM, and give requests under way time to end.

    `on_ready` is called with the URL once the first request would be answered; `on_end` when the
    server begins to end.
    """
    server = EndingServer(configured(app, limits), limits.drain_s, on_end)
    serving = asyncio.ensure_future(_served(server, bound))
    while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has no event
        await asyncio.sleep(_STARTED_POLL_S)
    if server.started:
        # What a server is made of stays: a collection that looks at it all takes 0.1 s.
        gc.collect()
        gc.freeze()
        on_ready(url_of(bound))
    await serving


async def _served(server: uvicorn.Server, bound: socket.socket) -> None:
    try:
        await server.serve(sockets=[bound])
    except SystemExit as error:  # uvicorn's word for a failed start; it would tear the loop down
        raise SettingsError("the server did not start; the log says why") from error
