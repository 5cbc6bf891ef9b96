"""Who calls, and whether their budget of requests and cost admits it.

A token counts in the one `Authorization` header only. Query strings end up in logs and cookies
are sent by other sites' pages, so a token there is as good as none.

Budgets are counted by the rules of the library `limits`: a window starts with the first hit and
ends a minute later. Its own memory storage starts a thread a hundred times a second and forgets
no key before its time; its Redis storage works with redis 8, though its extra forbids it.
"""

import asyncio
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from math import ceil
from typing import Protocol

from cachetools import LRUCache
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter as AwaitedFixedWindow
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Scope as AsgiScope

from movieql.domain.callers import Caller
from movieql.domain.errors import (
    ForbiddenError,
    MovieqlError,
    RateLimitedError,
    UnauthenticatedError,
)
from movieql.ports import Clock, TokenVerifier
from movieql.web.bodies import RequestRefusedError

CONNECTIONS_MAX = 20
"""Connections to the shared Redis; who gets none in time is judged here."""


class Counts(Protocol):
    """Counts what callers take."""

    async def take(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        """Count, and return None while that is within the item; else seconds to the window's end.

        What is refused is counted, too. Ends in bounded time and raises nothing.
        """
        ...


class MemoryCounts:
    """Counters of this process, at most `keys_max`; the longest unused go first."""

    def __init__(self, clock: Clock, keys_max: int) -> None:
        self._clock = clock
        self._storage = _BoundedStorage(clock, keys_max)
        self._windows = FixedWindowRateLimiter(self._storage)

    async def take(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        """Count without waiting for anything; see `Counts`."""
        if self._windows.hit(item, key, cost=amount):
            return None
        return self._storage.get_expiry(item.key_for(key)) - self._clock.monotonic_s()


class SharedCounts:
    """Counters in a Redis or Valkey; while it does not answer, `otherwise` counts.

    Counters that start empty refuse nobody whom the shared ones would have let through, so a dead
    Redis makes limits looser and never tighter. After a failure nothing is asked for `rest_s`, so
    that it costs one wait of `timeout_s` and not one per call. `note_failed` is called with
    the reason once, when a Redis that was well fails.
    """

    def __init__(
        self,
        url: str,
        otherwise: Counts,
        clock: Clock,
        note_failed: Callable[[str], None],
        timeout_s: float = 0.05,
        rest_s: float = 5.0,
    ) -> None:
        self._otherwise = otherwise
        self._clock = clock
        self._note_failed = note_failed
        self._timeout_s = timeout_s
        self._rest_s = rest_s
        self._resting_until_s = clock.monotonic_s()
        self._is_well = True
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS_MAX,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
        )
        self._storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="movieql:limit",
            connection_pool=self._pool,  # type: ignore[arg-type]  # documented, and not typed
        )
        self._windows = AwaitedFixedWindow(self._storage)

    async def take(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        """Count in Redis, else here; see `Counts`."""
        if self._clock.monotonic_s() >= self._resting_until_s:
            try:
                async with asyncio.timeout(self._timeout_s):
                    left_s = await self._taken(item, key, amount)
            except (TimeoutError, OSError, RedisError) as error:
                self._rest(error)
            else:
                self._is_well = True
                return left_s
        return await self._otherwise.take(item, key, amount)

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()

    async def _taken(self, item: RateLimitItem, key: str, amount: int) -> float | None:
        if await self._windows.hit(item, key, cost=amount):
            return None
        stats = await self._windows.get_window_stats(item, key)
        # Both ends of this difference are read off the wall clock within the same call.
        return stats.reset_time - self._clock.now().timestamp()

    def _rest(self, error: Exception) -> None:
        self._resting_until_s = self._clock.monotonic_s() + self._rest_s
        if self._is_well:
            self._note_failed(type(error).__name__)
        self._is_well = False


class _BoundedStorage(Storage):
    """What `limits` keeps its windows in: a count and an end in monotonic seconds, by key."""

    STORAGE_SCHEME = None  # made by its class, never by a URI

    def __init__(self, clock: Clock, keys_max: int) -> None:
        super().__init__()
        self._clock = clock
        self._windows: LRUCache[str, tuple[int, float]] = LRUCache(keys_max)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now_s = self._clock.monotonic_s()
        count, until_s = self._windows.get(key, (0, 0.0))
        if until_s <= now_s:
            count, until_s = 0, now_s + expiry
        self._windows[key] = (count + amount, until_s)
        return count + amount

    def get(self, key: str) -> int:
        count, until_s = self._windows.get(key, (0, 0.0))
        return count if until_s > self._clock.monotonic_s() else 0

    def get_expiry(self, key: str) -> float:
        return self._windows.get(key, (0, self._clock.monotonic_s()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)


REQUEST_COST = 1
"""Cost of a request whose cost is not counted otherwise."""

_NAME_CHARACTERS_MAX = 100
_NETWORK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Budgets:
    """What one caller may take in a minute.

    `cost`: of operations, as `api.limits` counts it: objects that the answers may have. It has to
    be at least what one operation may cost. `login_attempts`: for one name from one address;
    `address_login_attempts`: from one address, whatever the names.
    """

    requests: int = 1_200
    cost: int = 200_000
    login_attempts: int = 10
    address_login_attempts: int = 60


class RateLimits:
    """Takes what callers ask for from their budgets.

    Who asks for more than is left has nothing left until the window ends.
    """

    def __init__(self, budgets: Budgets, counts: Counts) -> None:
        self._counts = counts
        self._requests = RateLimitItemPerMinute(budgets.requests, namespace="requests")
        self._cost = RateLimitItemPerMinute(budgets.cost, namespace="cost")
        self._logins = RateLimitItemPerMinute(budgets.login_attempts, namespace="logins")
        self._address_logins = RateLimitItemPerMinute(
            budgets.address_login_attempts, namespace="address-logins"
        )

    async def spend(self, caller_key: str, cost: int) -> None:
        """Take a request and its cost. Raises RateLimitedError, which says when to ask again."""
        await self._take(self._requests, caller_key, 1)
        await self._take(self._cost, caller_key, cost)

    async def charge(self, caller_key: str, cost: int) -> None:
        """Take more cost of a request that was taken already. Raises RateLimitedError."""
        await self._take(self._cost, caller_key, cost)

    async def login_attempt(self, name: str, address: str) -> str:
        """Take an attempt to log in as somebody from somewhere; return the address's key.

        Raises RateLimitedError. What others try from elsewhere takes nothing from it, also when
        they try the same name.
        """
        place = address_key(address)
        await self._take(self._address_logins, place, 1)
        await self._take(self._logins, _digest(f"{name.casefold()}\n{place}"), 1)
        return place

    async def _take(self, item: RateLimitItemPerMinute, key: str, amount: int) -> None:
        left_s = await self._counts.take(item, key, amount) if amount else None
        if left_s is not None:
            raise RateLimitedError.after(max(ceil(left_s), 1))


def caller_key(caller: Caller | None, address: str) -> str:
    """Return whose budget a request is taken from: the caller's, else that of its address."""
    if caller is None:
        return address_key(address)
    subject = caller.subject
    return f"subject:{subject if len(subject) <= _NAME_CHARACTERS_MAX else _digest(subject)}"


def address_key(address: str) -> str:
    """Return the key of an address; of IPv6 the /64, which is what one customer is given."""
    if ":" not in address:
        return f"address:{address[:_NAME_CHARACTERS_MAX]}"
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return f"address:{_digest(address)}"
    if parsed.ipv4_mapped is not None:
        return f"address:{parsed.ipv4_mapped}"
    return f"network:{parsed.packed[:_NETWORK_BYTES].hex()}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


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
