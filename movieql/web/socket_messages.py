"""Messages of the protocol graphql-transport-ws, read and written.

The protocol is that of the npm library graphql-ws:
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from movieql.web.bodies import (
    GraphQLRequest,
    RequestRefusedError,
    checked_request,
    json_value,
)

PROTOCOL = "graphql-transport-ws"
"""The one WebSocket subprotocol that is spoken."""

ID_CHARACTERS_MAX = 128
"""Characters of an operation's id; clients send a UUID or a number."""

_REASON_BYTES_MAX = 123  # a close frame has 125, two of them for the code (RFC 6455 §5.5)


class SocketClosedError(Exception):
    """A connection ends; carries the close code, why, and whether the other side ended it."""

    def __init__(self, code: int, reason: str = "", *, by_peer: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode(errors="replace")[:_REASON_BYTES_MAX].decode(errors="ignore")
        self.by_peer = by_peer


@dataclass(frozen=True, slots=True)
class Init:
    """`connection_init`: `authorization` is what its payload has under this name, if a text."""

    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """`ping`; its payload goes back with the pong."""

    payload: Any = None


@dataclass(frozen=True, slots=True)
class Pong:
    """`pong`, which needs no answer."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`subscribe`: run an operation of any kind under an id of the client's."""

    id: str
    request: GraphQLRequest = field(repr=False)


@dataclass(frozen=True, slots=True)
class Complete:
    """`complete`: the client does not want the rest of an operation."""

    id: str


ClientMessage = Init | Ping | Pong | Subscribe | Complete
"""What a client may say."""


def read(text: str) -> ClientMessage:
    """Return what a client says. Raises SocketClosedError (4400) for anything else."""
    message = _object(text)
    match message.get("type"):
        case "connection_init":
            return Init(_authorization(message.get("payload")))
        case "ping":
            return Ping(message.get("payload"))
        case "pong":
            return Pong()
        case "subscribe":
            return Subscribe(_id(message), _request(message.get("payload")))
        case "complete":
            return Complete(_id(message))
    raise SocketClosedError(4400, "This type of message is not known.")


def acknowledged() -> str:
    """Return `connection_ack`."""
    return '{"type":"connection_ack"}'


def pong(payload: Any) -> str:
    """Return `pong`, with the payload of the ping."""
    # The client's own JSON: whole numbers may be larger than orjson writes, others are Decimals.
    message = {"type": "pong"} | ({} if payload is None else {"payload": payload})
    return json.dumps(message, default=float)


def following(operation_id: str, body: Mapping[str, Any]) -> str:
    """Return `next`: a result of an operation."""
    return _written({"id": operation_id, "type": "next", "payload": body})


def failed(operation_id: str, errors: Sequence[Mapping[str, Any]]) -> str:
    """Return `error`: an operation that was not run, or not to its end."""
    return _written({"id": operation_id, "type": "error", "payload": errors})


def completed(operation_id: str) -> str:
    """Return `complete`: an operation has ended."""
    return _written({"id": operation_id, "type": "complete"})


def _written(message: Mapping[str, Any]) -> str:
    return orjson.dumps(message).decode()


def _object(text: str) -> dict[str, Any]:
    try:
        message = json_value(text.encode(errors="surrogatepass"), "The message")
    except RequestRefusedError as error:
        raise SocketClosedError(4400, str(error)) from error
    if not isinstance(message, dict):
        raise SocketClosedError(4400, "The message is not a JSON object.")
    return message


def _id(message: Mapping[str, Any]) -> str:
    given = message.get("id")
    if not isinstance(given, str) or not 0 < len(given) <= ID_CHARACTERS_MAX:
        raise SocketClosedError(4400, f"`id` is a text of 1 to {ID_CHARACTERS_MAX} characters.")
    return given


def _request(payload: Any) -> GraphQLRequest:
    try:
        return checked_request(payload)
    except RequestRefusedError as error:
        raise SocketClosedError(4400, str(error)) from error


def _authorization(payload: Any) -> str | None:
    if payload is None:
        return None
    if not isinstance(payload, dict):
        raise SocketClosedError(4400, "The payload of connection_init is no JSON object.")
    given = payload.get("Authorization", payload.get("authorization"))
    if given is not None and not isinstance(given, str):
        raise SocketClosedError(4400, "`Authorization` is not a text.")
    return given
