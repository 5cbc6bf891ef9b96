"""What one caller may ask for in a minute: so many requests, of so much cost, so many log-ins."""

import hashlib
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from math import ceil

from limits import RateLimitItemPerMinute

from movieql.domain.callers import Caller
from movieql.domain.errors import RateLimitedError
from movieql.web.rate_counts import Counts

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
