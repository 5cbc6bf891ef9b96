"""What uvicorn's WebSockets lack: an end for who does not read or ask well, the code of a stop."""

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

GOING_AWAY = 1001
"""Close code of a server that stops (RFC 6455 §7.4.1); uvicorn says 1012, "service restart"."""

CUT_AFTER_S = 2.0
"""Seconds that a connection's last bytes have to leave once the app is done with it."""


class SocketTransport(WebSocketsSansIOProtocol):
    """uvicorn's protocol class, whose connections end though their clients do not read.

    uvicorn closes a transport only when all that was written has left, which is never where
    nobody reads. And it answers nothing to an upgrade request that it could read and the library
    websockets could not: one with a header of more than 8 KB, as a long token makes it. Such a
    connection would be open for as long as its client likes, and counted nowhere.
    """

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first ones are the whole head of the upgrade request."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def shutdown(self) -> None:
        """Say that the server goes away, and close."""
        if self.handshake_complete and not self.close_sent:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": GOING_AWAY})
            self.conn.send_close(GOING_AWAY)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        super().shutdown()

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message; a whole refusal ends the handshake, which uvicorn does not see."""
        await super().send(message)
        self.handshake_complete |= self.close_sent

    async def run_asgi(self) -> None:
        """Run the app, and cut the connection if it is still there a while later."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(CUT_AFTER_S, self.transport.abort)
