"""How a server ends: others leave it first, and no request that was sent to it is lost."""

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

import uvicorn
from uvicorn.server import ServerState

_POLL_S = 0.05


class EndingState(ServerState):
    """What a server's connections share; while `is_ending` every answer closes its connection."""

    is_ending = False


class EndingServer(uvicorn.Server):
    """uvicorn's server, which after SIGTERM goes on for a while.

    In `drain_s` seconds whatever sends requests here has to see that the server is unready, and
    to send them elsewhere. Meanwhile all are answered, and each answer closes its connection, so
    that no proxy has one left that it could use again. SIGINT is somebody who waits: no draining.
    """

    def __init__(
        self, config: uvicorn.Config, drain_s: float, note_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.server_state: EndingState = EndingState()
        self._drain_s, self._note_end = drain_s, note_end
        self._signals: set[int] = set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal to end."""
        self._signals.add(sig)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then end."""
        self.server_state.is_ending = True
        self._note_end()
        if self._signals == {signal.SIGTERM}:
            await self._drained()
        waiting = _accepted(sockets or [])
        for server in self.servers:
            server.close()
        for each in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, each)
        await super().shutdown(sockets)

    async def _drained(self) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._drain_s
        while loop.time() < until_s and signal.SIGINT not in self._signals:  # noqa: ASYNC110  # polled, as uvicorn does
            await asyncio.sleep(_POLL_S)

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


def _accepted(sockets: Sequence[socket.socket]) -> list[socket.socket]:
    """Accept the connections that wait, for they are reset when their socket is closed."""
    accepted: list[socket.socket] = []
    for each in sockets:
        each.settimeout(0)
        with suppress(OSError):
            while True:
                accepted.append(each.accept()[0])
    return accepted
