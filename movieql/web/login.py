"""`POST /login`: a name and a password for a token."""

from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from movieql.domain.errors import UnauthenticatedError
from movieql.web.admission import REQUEST_COST, RateLimits, address_key, client_address
from movieql.web.resources import (
    BodyLimits,
    RestError,
    json_object,
    json_response,
    parameters,
)

LOGIN = "/login"

BODY_BYTES_MAX = 4096
"""Bytes of a body: a name, a password, and room for a generous client."""


class Granted(Protocol):
    """A token, and the seconds it is good for."""

    @property
    def token(self) -> str:
        """The token."""
        ...

    @property
    def expires_in_s(self) -> int:
        """Seconds."""
        ...


class GivesTokens(Protocol):
    """Checks passwords; `tokens.login.Login` does."""

    async def token(self, username: str, password: str, address: str) -> Granted:
        """Return a token. Raises UnauthenticatedError, RateLimitedError."""
        ...


class LoginDoor:
    """The route; `login` counts attempts by name and address, besides the requests here.

    `trusted_hops`: proxies before this server that are trusted about addresses.
    """

    def __init__(
        self,
        login: GivesTokens,
        limits: RateLimits,
        *,
        trusted_hops: int = 0,
        body_s: float = 5.0,
    ) -> None:
        self._login = login
        self._limits = limits
        self._trusted_hops = trusted_hops
        self._body_limits = BodyLimits(BODY_BYTES_MAX, body_s)

    async def login(self, request: Request) -> Response:
        """Answer with a token, or with the same refusal for a wrong name and password."""
        # Whoever logs in may have a token that has ended, so none is looked at.
        address = client_address(request.scope, self._trusted_hops)
        await self._limits.spend(address_key(address), REQUEST_COST)
        parameters(request)  # a password there would be in logs
        body = await json_object(request, self._body_limits)
        username, password = _text(body, "username"), _text(body, "password")
        try:
            granted = await self._login.token(username, password, address)
        except UnauthenticatedError as error:
            raise RestError(
                401, "Bad username or password", error.code, {"WWW-Authenticate": "Bearer"}
            ) from error
        answer = {
            "access_token": granted.token,
            "token_type": "bearer",
            "expires_in": granted.expires_in_s,
        }
        return json_response(answer, 200, {"Cache-Control": "no-store"})


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise RestError(400, f"The body needs `{name}`, a text.", path=(name,))
    return value
