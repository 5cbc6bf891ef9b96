"""What uvicorn's HTTP lacks: a bound on a request's head, and an end that loses no request."""

import asyncio
from typing import cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from movieql.web.bodies import BAD_REQUEST
from movieql.web.ending import EndingState

LINGER_S = 0.1
"""Seconds in which what a client had sent before it knew that the server ends is here."""


class HeadBounded(HttpToolsProtocol):
    """uvicorn's protocol class, which does not read a head for ever; see `head_bounded`."""

    head_bytes_max = 65_536
    head_s = 10.0

    _head_bytes = 0
    _is_in_head = True
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first head, but not for ever."""
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn names it closer
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and count them while they are a head's."""
        super().data_received(data)
        if self._is_in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > self.head_bytes_max:
                self._refuse(
                    b"431 Request Header Fields Too Large", "The request's head is too large."
                )
            elif self._timer is None:  # a later request on the same connection
                self._wait()

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head."""
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()
        answering = self._answering
        if answering is not None and isinstance(self.server_state, EndingState):
            answering.keep_alive &= not self.server_state.is_ending  # and the answer says so

    def shutdown(self) -> None:
        """End after the request under way; without one wait a little, for it may be on its way.

        uvicorn closes a connection that does nothing at once. What has arrived and was not read
        yet is lost then, as a request that was sent at the same time.
        """
        answering = self._answering
        if answering is not None:
            answering.keep_alive = False
        elif self._is_idle:
            self.loop.call_later(LINGER_S, self._leave)

    @property
    def _answering(self) -> RequestResponseCycle | None:
        # There is none before a connection's first request, which uvicorn's types do not say.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    @property
    def _is_idle(self) -> bool:
        has_begun = self._is_in_head and self._head_bytes > 0
        return not has_begun and self._answering is None

    def _leave(self) -> None:
        if self._is_idle:
            self.transport.close()

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.head_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._is_in_head and not self.transport.is_closing():
            said = f"The request's head has to be here within {self.head_s:g} s."
            self._refuse(b"408 Request Timeout", said)

    def _refuse(self, status: bytes, message: str) -> None:
        error = {"message": message, "extensions": {"code": BAD_REQUEST}}
        body = orjson.dumps({"errors": [error]})
        head = (
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n" % (status, len(body))
        )
        self.transport.write(head + body)
        self.transport.close()


def head_bounded(head_bytes_max: int, head_s: float) -> type[HeadBounded]:
    """Return the class with its bounds: bytes of a head, and seconds in which it has to be here.

    uvicorn makes an object of it per connection and passes no bounds of ours.
    """
    bounds = {"head_bytes_max": head_bytes_max, "head_s": head_s}
    return type("HeadBounded", (HeadBounded,), bounds)
