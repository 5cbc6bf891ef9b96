"""Who asks, and what they may do."""

from dataclasses import dataclass
from typing import Literal, get_args

from movieql.domain.errors import ForbiddenError, UnauthenticatedError

Scope = Literal["movies:write", "exports", "admin"]
"""What a caller may be allowed to do; `admin` may do everything (docs/semantics.md, Access)."""

SCOPES: frozenset[str] = frozenset(get_args(Scope))
"""Every scope there is; others in a token are left aside."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a verified token speaks for.

    `subject`: who, as its issuer names them; `scopes`: of `SCOPES` only; `expires_s`: the Unix
    time in seconds at which the token ends.
    """

    subject: str
    scopes: frozenset[str] = frozenset()
    expires_s: float = 0.0

    def may(self, scope: Scope) -> bool:
        """Say whether the caller has the scope, or has them all."""
        return scope in self.scopes or "admin" in self.scopes


def require(caller: Caller | None, scope: Scope) -> Caller:
    """Return the caller. Raises UnauthenticatedError without one, ForbiddenError without scope."""
    if caller is None:
        raise UnauthenticatedError("This needs a bearer token: send `Authorization: Bearer …`.")
    if not caller.may(scope):
        raise ForbiddenError(f"This needs a token with the scope {scope}.")
    return caller
