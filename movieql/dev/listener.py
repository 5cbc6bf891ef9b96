"""Ports that can stop listening and come back on the same number."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from movieql.dev.faults import SimulatorError

SHUTDOWN_S = 0.1
"""Seconds a call in flight gets when its port closes; aiohttp may take them twice."""


_ALL_ADDRESSES = "0.0.0.0"  # noqa: S104  # somebody chose it


class PortBusyError(SimulatorError):
    """Something else has the port; `port` is its number."""

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        super().__init__(
            f"port {port} on {host} is in use: end what uses it, or choose another port with the "
            "simulator's `port` option (control takes that one, the shops take the next ones)"
        )


class Listener:
    """One port, bound at once, and the web application that answers there while it is open.

    While it is closed, connections are refused, and the number stays ours.
    """

    def __init__(self, host: str, port: int, build: Callable[[], web.Application]) -> None:
        self._host, self._build = host, build
        self._socket = _bound(host, port)
        self._runner: web.AppRunner | None = None
        self._turning = asyncio.Lock()
        self.port: int = self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        """`http://host:port`, without a slash at the end; where it listens everywhere, here."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        host = "127.0.0.1" if host == _ALL_ADDRESSES else host
        return f"http://{host}:{self.port}"

    async def open(self) -> None:
        """Listen, if it does not yet."""
        async with self._turning:
            if self._runner is None:
                self._runner = await self._run()

    async def refuse(self) -> None:
        """Stop listening and end all connections, within about 0.2 s; keep the number."""
        async with self._turning:
            if await self._stopped():
                self._socket = _bound(self._host, self.port)

    async def close(self) -> None:
        """Stop listening, end all connections, and give the number back."""
        async with self._turning:
            await self._stopped()
            self._socket.close()

    async def _stopped(self) -> bool:
        """Stop, and tell whether there was anything to stop."""
        runner, self._runner = self._runner, None
        if runner is None:
            return False
        await runner.cleanup()
        return True

    async def _run(self) -> web.AppRunner:
        runner = web.AppRunner(
            self._build(),
            access_log=None,
            handler_cancellation=True,  # or calls that hang would outlive their callers
            shutdown_timeout=SHUTDOWN_S,
        )
        await runner.setup()
        try:
            with _busy_explained(self._host, self.port):
                await web.SockSite(runner, self._socket).start()
        except BaseException:
            await runner.cleanup()
            raise
        return runner


def _bound(host: str, port: int) -> socket.socket:
    """Bind without listening; raises `PortBusyError`."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or old connections block it
    try:
        with _busy_explained(host, port):
            bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound


@contextmanager
def _busy_explained(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusyError(host, port) from error
        raise
