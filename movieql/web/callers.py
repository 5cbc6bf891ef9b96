"""Who sent a request: the bearer token in its head, and the address that it came from.

A token counts in the one `Authorization` header only. Query strings end up in logs and cookies
are sent by other sites' pages, so a token there is as good as none.
"""

import math
import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import Scope as AsgiScope

from movieql.domain.callers import Caller
from movieql.domain.errors import (
    ForbiddenError,
    MovieqlError,
    RateLimitedError,
    UnauthenticatedError,
)
from movieql.ports import TokenVerifier
from movieql.web.bodies import RequestRefusedError

UNKNOWN_ADDRESS = "unknown"
"""The address of a client of which there is none, as behind a Unix socket."""

_AUTHORIZATION = b"authorization"
_SCHEME = b"bearer"
_HEADER_OVERHEAD_BYTES = 64  # the scheme, and spaces that a client may put after it
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/=-]+")  # RFC 6750 §2.1
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}|\[([^\]]*)\](?::[0-9]{1,5})?")


class Callers:
    """Authenticates requests; without a `verifier` every token is rejected."""

    def __init__(self, verifier: TokenVerifier | None, *, token_bytes_max: int = 8192) -> None:
        self._verifier = verifier
        self._token_bytes_max = token_bytes_max

    async def caller(self, scope: AsgiScope) -> Caller | None:
        """Return who sent a request, None without a token. Raises UnauthenticatedError.

        An invalid token is refused also where none is needed: its sender takes
        itself for somebody and would get another's answer.
        """
        token = bearer_token(scope, self._token_bytes_max)
        if token is None:
            return None
        if self._verifier is None:
            raise UnauthenticatedError("This server accepts no tokens: no issuer is configured.")
        return await self._verifier.verify(token)


def bearer_token(scope: AsgiScope, token_bytes_max: int) -> str | None:
    """Return the bearer token of a request, None without one.

    Raises UnauthenticatedError for another scheme, for what is no token, for one that is too
    long, and for two headers: whoever else reads the request might take the other one.
    """
    given: list[bytes] = [value for name, value in scope["headers"] if name == _AUTHORIZATION]
    if not given:
        return None
    if len(given) > 1:
        raise UnauthenticatedError("Send one `Authorization` header.")
    if len(given[0]) > token_bytes_max + _HEADER_OVERHEAD_BYTES:
        raise UnauthenticatedError(f"A token may have {token_bytes_max} bytes.")
    scheme, _, rest = given[0].strip().partition(b" ")
    token = rest.strip(b" ")
    if scheme.lower() != _SCHEME or not _TOKEN.fullmatch(token):
        raise UnauthenticatedError("Send `Authorization: Bearer` and a token.")
    return token.decode("ascii")


def refusal(error: MovieqlError, *, with_token: bool = True) -> RequestRefusedError:
    """Return what HTTP says of UnauthenticatedError, ForbiddenError or RateLimitedError.

    401, 403 or 429, with the challenge of RFC 6750 §3 or `Retry-After`. Without a token the
    challenge names no error, for there is none to mend. Other errors are raised again.
    """
    if isinstance(error, UnauthenticatedError):
        challenge = 'Bearer error="invalid_token"' if with_token else "Bearer"
        status, headers = 401, {"WWW-Authenticate": challenge}
    elif isinstance(error, ForbiddenError):
        status, headers = 403, {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    elif isinstance(error, RateLimitedError):
        status, headers = 429, {"Retry-After": str(max(math.ceil(error.retry_after_s), 1))}
    else:
        raise error
    return RequestRefusedError(status, str(error), headers, error.code)


def client_address(scope: AsgiScope, trusted_hops: int) -> str:
    """Return the address of the client, past so many trusted proxies.

    Each proxy adds to `X-Forwarded-For` whom it saw, so of what stands there only the last
    `trusted_hops` entries are true. Where they are too few or not an address, it is the
    connection's own: never what a client may have written itself.
    """
    client = scope.get("client")
    peer = _address(str(client[0])) if client else None
    forwarded = _forwarded(scope, trusted_hops) if trusted_hops else None
    return str(forwarded or peer or UNKNOWN_ADDRESS)


def _forwarded(scope: AsgiScope, hops: int) -> IPv4Address | IPv6Address | None:
    given = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    entries = b",".join(given).decode("latin-1").rsplit(",", hops)
    return _address(entries[-hops]) if len(entries) >= hops else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, without port, zone, or IPv6 clothes around an IPv4 one."""
    text = text.strip()
    with_port = _WITH_PORT.fullmatch(text)
    if with_port:
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
