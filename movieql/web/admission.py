"""Admission: who a caller is, and whether its budget allows the request."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from movieql.domain.callers import Caller
from movieql.domain.errors import MovieqlError, UnauthenticatedError
from movieql.web.bodies import RequestRefusedError
from movieql.web.callers import Callers, client_address, refusal
from movieql.web.rate_limits import RateLimits, address_key, caller_key

KEYS_REMEMBERED_MAX = 2_000
"""Addresses whose keys are remembered, for finding one takes as long as all the rest."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may come in. `caller`: None without a token; `key`: of its budget."""

    caller: Caller | None
    key: str


class Admission:
    """Lets requests in, or says why not."""

    def __init__(self, callers: Callers, limits: RateLimits, trusted_hops: int) -> None:
        self._callers = callers
        self._limits = limits
        self._trusted_hops = trusted_hops
        self._keys: dict[str, str] = {}

    async def admitted(self, scope: Scope, cost: int = 0) -> Admitted:
        """Take a request from its caller's budget, and its `cost` where that is known already.

        An invalid token is taken from its address's. Raises RequestRefusedError: 401
        for such a token, 429 when nothing is left.
        """
        try:
            caller = await self._authenticated(scope)
            key = self._address_key(scope) if caller is None else caller_key(caller, "")
            await self._limits.spend(key, cost)
        except MovieqlError as error:
            raise refusal(error) from error
        return Admitted(caller, key)

    async def count(self, scope: Scope) -> None:
        """Take a request from its address's budget. Raises RequestRefusedError: 429."""
        try:
            await self._limits.spend(self._address_key(scope), 0)
        except MovieqlError as error:
            raise refusal(error) from error

    async def _authenticated(self, scope: Scope) -> Caller | None:
        try:
            return await self._callers.caller(scope)
        except UnauthenticatedError:
            await self._limits.spend(self._address_key(scope), 0)
            raise

    def _address_key(self, scope: Scope) -> str:
        """Return the key of an address; the same ones come again and again."""
        peer = scope.get("client")
        if self._trusted_hops or not peer:
            return address_key(client_address(scope, self._trusted_hops))
        key = self._keys.get(peer[0])
        if key is None:
            if len(self._keys) >= KEYS_REMEMBERED_MAX:
                self._keys.clear()
            key = self._keys[peer[0]] = address_key(client_address(scope, 0))
        return key

    async def charge(self, admitted: Admitted, cost: int) -> None:
        """Take the cost of what a request asks for. Raises RateLimitedError."""
        await self._limits.charge(admitted.key, cost)


class Counted:
    """An ASGI app for those that admit nobody themselves: each request is taken from a budget.

    It is the address's, whatever token comes along: reading one costs more than a page does.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or answer 429; the admission is in the app's state.

        Raises HTTPException (404) for a WebSocket: none of these apps speaks it.
        """
        admission: Admission = scope["app"].state.admission
        try:
            await admission.count(scope)
        except RequestRefusedError as refused:
            await refused.response()(scope, receive, send)
            return
        if scope["type"] == "websocket":
            raise HTTPException(404)
        await self._app(scope, receive, send)
