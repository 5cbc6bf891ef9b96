"""Runs an ASGI app on a port until a signal asks it to stop."""

import asyncio
import errno
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from movieql.domain.errors import SettingsError

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


async def serve(
    app: Starlette,
    bound: socket.socket,
    shutdown_s: float,
    on_ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way get `shutdown_s` seconds to end.

    `on_ready` is told the URL once the first request would be answered.
    """
    host, port = bound.getsockname()[:2]
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(round(shutdown_s), 1),
        lifespan="on",
        ws="none",
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(_served(server, bound))
    while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn has no event
        await asyncio.sleep(_STARTED_POLL_S)
    if server.started:
        on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    await serving


async def _served(server: uvicorn.Server, bound: socket.socket) -> None:
    try:
        await server.serve(sockets=[bound])
    except SystemExit as error:  # uvicorn's word for a failed start; it would tear the loop down
        raise SettingsError("the server did not start; the log says why") from error
