"""The built-in login: a name and a password for a token."""

import asyncio
import re
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from movieql.domain.errors import RateLimitedError, UnauthenticatedError
from movieql.tokens.passwords import TEMPLATE, decoy, is_readable, matches
from movieql.tokens.signing import Signer

USER_NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
"""What a user's name looks like. It has no colon and no bar: other subjects have one."""

_USER_NAME = re.compile(USER_NAME)

PER_ADDRESS_WAITING_MAX = 3
"""Checks of one address that wait: one for its user, and two for neighbours behind the address."""

Allow = Callable[[str, str], Awaitable[str]]
"""Counts an attempt by name and address, and returns the address's key (of IPv6 its network's).

Raises RateLimitedError when there were too many.
"""

Check = Callable[[str, str], bool]
"""Says whether a hash is a password's; slow, and run in a thread."""


@dataclass(frozen=True, slots=True)
class User:
    """Who may log in, and what they may do then."""

    name: str
    password_hash: str = field(repr=False)
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and the seconds it is good for."""

    token: str = field(repr=False)
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """Seconds that a token lives; passwords checked at once, and waiting for that."""

    lifetime_s: int = 3600
    checks_max: int = 1
    waiting_max: int = 100


class _Turns:
    """Slots for what is scarce; those who wait get them by address in turn.

    So it takes many addresses to make others wait long, and one address waits for itself alone.
    """

    def __init__(self, slots: int, waiting_max: int) -> None:
        self._free = slots
        self._waiting_max = waiting_max
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def acquire(self, address: str) -> None:
        """Wait for a slot. Raises RateLimitedError when too many wait, of this address or all."""
        if self._free:
            self._free -= 1
            return
        own = self._waiting.get(address, ())
        if (
            len(own) >= PER_ADDRESS_WAITING_MAX
            or sum(map(len, self._waiting.values())) >= self._waiting_max
        ):
            raise RateLimitedError.after(1.0)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        try:
            await asyncio.shield(turn)  # `release` may set it before a cancelled task runs
        except asyncio.CancelledError:
            if turn.done():  # it had its turn already
                self.release()
            else:
                self._leave(address, turn)
            raise

    def release(self) -> None:
        """Give a slot back, to the address whose turn it is."""
        if not self._waiting:
            self._free += 1
            return
        address = next(iter(self._waiting))
        turns = self._waiting.pop(address)
        turns.popleft().set_result(None)
        if turns:  # last in turn now
            self._waiting[address] = turns

    def _leave(self, address: str, turn: asyncio.Future[None]) -> None:
        self._waiting[address].remove(turn)
        if not self._waiting[address]:
            del self._waiting[address]


class Login:
    """Gives tokens to users who know their password.

    An unknown name takes the work of a known one, and both are refused with the same words.
    """

    def __init__(
        self,
        users: Sequence[User],
        signer: Signer,
        allow: Allow,
        limits: LoginLimits,
        check: Check = matches,
    ) -> None:
        self._users = {user.name: user for user in users}
        self._decoys = [decoy(user.password_hash) for user in users] or [decoy(TEMPLATE)]
        self._signer = signer
        self._allow = allow
        self._limits = limits
        self._check = check
        self._pool = ThreadPoolExecutor(limits.checks_max, thread_name_prefix="login")
        self._turns = _Turns(limits.checks_max, limits.waiting_max)

    async def token(self, username: str, password: str, address: str) -> Granted:
        """Return a token for the user at an address.

        Raises UnauthenticatedError for a wrong name or password, RateLimitedError when it was
        tried too often, or when too many are being checked.
        """
        place = await self._allow(username, address)
        if not _USER_NAME.fullmatch(username) or not is_readable(password):
            raise _wrong()
        user = self._users.get(username)
        known_hash = self._decoy(username) if user is None else user.password_hash
        right = await self._checked(known_hash, password, place)
        if user is None or not right:
            raise _wrong()
        lifetime_s = self._limits.lifetime_s
        token = self._signer.token(user.name, user.scopes, lifetime_s)
        return Granted(token, lifetime_s)

    def close(self) -> None:
        """Let no further check begin; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _decoy(self, username: str) -> str:
        """Return a hash for a name that is nobody's, the same for the same name.

        Where users' hashes differ in cost, names of nobody differ in the same way.
        """
        return self._decoys[zlib.crc32(username.encode()) % len(self._decoys)]

    async def _checked(self, password_hash: str, password: str, place: str) -> bool:
        await self._turns.acquire(place)
        # A caller who leaves does not end the check that it began, so that gives the slot back.
        loop = asyncio.get_running_loop()
        check = loop.run_in_executor(self._pool, self._check, password_hash, password)
        check.add_done_callback(lambda _: self._turns.release())
        return await asyncio.shield(check)


def _wrong() -> UnauthenticatedError:
    return UnauthenticatedError("The user name or the password is wrong.")
