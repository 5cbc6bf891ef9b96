"""What uvicorn's HTTP lacks: a bound on a request's head, and an end that loses no request."""

import asyncio
import re
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from movieql.web.bodies import BAD_REQUEST, JSON, NO_PAGE_HEADERS, error_body
from movieql.web.ending import EndingState

LINGER_S = 0.1
"""Seconds in which what a client had sent before it knew that the server ends is here."""

REFUSED_S = 2.0
"""Seconds for which a refused client is listened to, and nothing of it kept.

Closing at once would reset the connection, and a client that still sends could not read why.
"""

_HOST = re.compile(  # RFC 9110 §7.2: uri-host [ ":" port ], and RFC 3986 §3.2.2
    rb"(?:\[[0-9A-Za-z:.~_-]+\]|[0-9A-Za-z._~!$&'()*+,;=%-]*)(?::[0-9]*)?"
)


class HeadBounded(HttpToolsProtocol):
    """uvicorn's protocol class, which does not read a head for ever; see `head_bounded`.

    The same bound holds for what else is no body: blank lines before a head, and what chunks
    have beside their content, trailers above all.
    """

    head_bytes_max = 65_536
    head_s = 10.0

    _head_bytes = 0
    _body_bytes = 0  # in the piece that is read, since the last head or chunk ended
    _is_all_head = True
    _has_begun = False
    _is_in_head = True
    _is_refused = False
    _refusal = b""  # what is sent once the requests before it are answered
    _reason: tuple[str, str] | None = None
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
        """Take bytes, in pieces so small that no head above the bound is ever whole."""
        while data and self._is_reading:
            room = self.head_bytes_max - self._head_bytes
            piece, data = data[:room], data[room:]
            self._is_all_head, self._has_begun, self._body_bytes = True, False, 0
            super().data_received(piece)
            if self._is_reading:
                self._count(piece)

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._is_all_head = self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head."""
        self._check_head()  # while it is a head: those before it are answered though it is bad
        self._is_in_head, self._body_bytes = False, 0
        self._stop_waiting()
        super().on_headers_complete()
        answering = self._answering
        if answering is not None and isinstance(self.server_state, EndingState):
            answering.keep_alive &= not self.server_state.is_ending  # and the answer says so

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._is_all_head = False
        self._body_bytes += len(body)
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        """End a chunk; a blank line follows the last one, as it ends a head."""
        self._body_bytes = 0

    def on_message_complete(self) -> None:
        """End a request; whatever comes next is a head."""
        self._is_in_head, self._is_all_head = True, False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End an answer; a refusal may wait for it."""
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and self._refusal and not self.transport.is_closing():
            self._send_refusal()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the shape that all refusals have."""
        self._refuse(*(self._reason or ("400 Bad Request", msg)))

    def shutdown(self) -> None:
        """End after the request under way; without one wait a little, for it may be on its way.

        uvicorn closes a connection that does nothing at once. What has arrived and was not read
        yet is lost then, as a request that was sent at the same time.
        """
        answering = self._answering
        if answering is not None:
            answering.keep_alive = False
        elif self._is_refused and not self._refusal:
            self.transport.close()
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
        return not has_begun and not self._is_refused and self._answering is None

    @property
    def _is_reading(self) -> bool:
        return not (
            self._is_refused
            or self.transport.is_closing()
            or self.transport.get_protocol() is not self  # it is a WebSocket now
        )

    def _count(self, piece: bytes) -> None:
        if not self._is_all_head:
            self._head_bytes = 0
        elif self._has_begun:  # behind the last head that ended in this piece, and behind its body
            behind = len(piece.rpartition(b"\r\n\r\n")[2])
            self._head_bytes = max(behind - self._body_bytes, 1)
        else:
            self._head_bytes += len(piece)
        if self._head_bytes >= self.head_bytes_max:
            said = f"A request's head may have {self.head_bytes_max} bytes."
            self._refuse("431 Request Header Fields Too Large", said)
        elif self._is_in_head and self._head_bytes and self._timer is None:
            self._wait()  # a later request on the same connection

    def _check_head(self) -> None:
        """Raise ValueError for what a server refuses by RFC 9112 §3.2 or RFC 9112 §6.1."""
        hosts = [value for name, value in self.headers if name == b"host"]
        codings = [value for name, value in self.headers if name == b"transfer-encoding"]
        needed = 0 if self.parser.get_http_version() == "1.0" else 1
        if not needed <= len(hosts) <= 1 or not all(map(_HOST.fullmatch, hosts)):
            said = "A request needs one `Host` header, which names a host."
            self._reason = ("400 Bad Request", said)
        elif codings and [each.lower() for each in codings] != [b"chunked"]:
            said = "The one transfer coding that is read here is `chunked`."
            self._reason = ("501 Not Implemented", said)
        if self._reason is not None:
            raise ValueError(self._reason[1])  # the parser ends, and `send_400_response` is called

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
        if self._is_in_head and self._is_reading:
            said = f"The request's head has to be here within {self.head_s:g} s."
            self._refuse("408 Request Timeout", said)

    def _refuse(self, status: str, message: str) -> None:
        """Read no more, and say why once what was asked before is answered."""
        self._is_refused = True
        self._stop_waiting()
        body = error_body(message, {"code": BAD_REQUEST})
        headers = (
            (b"content-type", JSON.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *NO_PAGE_HEADERS,
        )
        lines = (b"HTTP/1.1 " + status.encode(), *(b"%b: %b" % header for header in headers))
        is_head = self.parser.get_method() == b"HEAD"
        self._refusal = b"\r\n".join((*lines, b"", b"" if is_head else body))
        answering = self._answering
        if answering is None:
            self._send_refusal()
        elif not self._is_in_head:  # its own body is what is refused
            self._abandon(answering)

    def _abandon(self, newest: RequestResponseCycle) -> None:
        """Answer the newest request with the refusal; for its app the client has left."""
        newest.disconnected = newest.response_complete = True
        newest.message_event.set()
        if self.pipeline:
            self.pipeline.popleft()  # it: those before it are answered first
        elif newest.response_started:
            self.transport.close()
        else:
            self._send_refusal()

    def _send_refusal(self) -> None:
        self.transport.write(self._refusal)
        self.transport.write_eof()
        self._refusal = b""
        self.flow.resume_reading()
        self.loop.call_later(REFUSED_S, self.transport.close)


def head_bounded(head_bytes_max: int, head_s: float) -> type[HeadBounded]:
    """Return the class with its bounds: bytes of a head, and seconds in which it has to be here.

    uvicorn makes an object of it per connection and passes no bounds of ours.
    """
    bounds = {"head_bytes_max": head_bytes_max, "head_s": head_s}
    return type("HeadBounded", (HeadBounded,), bounds)
