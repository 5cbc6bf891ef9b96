"""Verifying tokens: signature, issuer and claims, strictly (RFC 8725)."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cachetools import LRUCache
from jwt.exceptions import InvalidSubjectError

from movieql.domain.callers import Caller
from movieql.domain.errors import UnauthenticatedError
from movieql.ports import Clock
from movieql.tokens.claims import REQUIRED_CLAIMS, IssuerRules, caller_of, check_unexpired
from movieql.tokens.keys import Keys, VerifyingKey

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})
_REFUSED_HEADERS = frozenset({"crit", "b64", "zip", "enc"})
_OPTIONS: jwt.types.Options = {
    "require": list(REQUIRED_CLAIMS),
    # Times are checked on the clock that was passed in, and more strictly: see `claims`.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "enforce_minimum_key_length": True,
}


@dataclass(frozen=True, slots=True)
class Issuer:
    """A trusted issuer: its rules and its keys."""

    rules: IssuerRules
    keys: Keys


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was found good, with the key that it was good with."""

    issuer: Issuer
    kid: str | None
    key: VerifyingKey
    caller: Caller


class Tokens:
    """Verifies the tokens of several issuers; see `ports.TokenVerifier`.

    The token's own `iss` chooses the issuer, and with it the keys; a key is used only with the
    algorithms of its kind. Good tokens are remembered by their hash, up to `kept_max`, until
    they end or their key does; what is remembered is only that the signature is right.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        clock: Clock,
        *,
        token_bytes_max: int = 8192,
        kept_max: int = 5_000,
    ) -> None:
        self._issuers: Mapping[str, Issuer] = {each.rules.issuer: each for each in issuers}
        self._clock = clock
        self._token_bytes_max = token_bytes_max
        self._kept: LRUCache[bytes, _Verified] = LRUCache(kept_max)

    async def verify(self, token: str) -> Caller:
        """Return who the token speaks for. Raises UnauthenticatedError that says why not."""
        if len(token) > self._token_bytes_max:
            raise UnauthenticatedError(f"A token may have {self._token_bytes_max} bytes.")
        if not _COMPACT.fullmatch(token):
            raise UnauthenticatedError("This is not a token (a JWT of three parts).")
        digest = hashlib.sha256(token.encode()).digest()
        kept = self._kept.get(digest)
        if kept is not None and await kept.issuer.keys.key(kept.kid) == kept.key:
            return self._still_good(digest, kept)
        verified = self._kept[digest] = await self._verified(token)
        return verified.caller

    async def _verified(self, token: str) -> _Verified:
        header, claims = _parsed(token)
        issuer = self._issuer(claims)
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise UnauthenticatedError("The token's `kid` is not a text.")
        key = await issuer.keys.key(kid)
        caller = caller_of(_signed(token, key, issuer.rules), issuer.rules, self._now_s())
        return _Verified(issuer, kid, key, caller)

    def _issuer(self, claims: Mapping[str, Any]) -> Issuer:
        name = claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise UnauthenticatedError("The token's issuer (`iss`) is not trusted.")
        return issuer

    def _still_good(self, digest: bytes, kept: _Verified) -> Caller:
        try:
            check_unexpired(kept.caller.expires_s, kept.issuer.rules.leeway_s, self._now_s())
        except UnauthenticatedError:
            self._kept.pop(digest, None)
            raise
        return kept.caller

    def _now_s(self) -> float:
        return self._clock.now().timestamp()


def _parsed(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, not verified yet."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise UnauthenticatedError("The token cannot be read.") from error
    if _REFUSED_HEADERS & header.keys():
        raise UnauthenticatedError("The token's header asks for what is not done here (`crit`).")
    kind = header.get("typ")
    if not (kind is None or isinstance(kind, str)) or (kind and kind.lower()) not in _TYPES:
        raise UnauthenticatedError("The token is not one for access (`typ`).")
    return header, claims


def _signed(token: str, key: VerifyingKey, rules: IssuerRules) -> dict[str, Any]:
    """Return the claims once the key, the issuer and the audience are found right."""
    try:
        return jwt.decode(
            token,
            key.material,
            algorithms=key.algorithms,
            audience=rules.audience,
            issuer=rules.issuer,
            options=_OPTIONS,
        )
    except jwt.MissingRequiredClaimError as error:
        raise UnauthenticatedError(f"The token has no `{error.claim}`.") from error
    except jwt.InvalidAudienceError as error:
        raise UnauthenticatedError("The token is not for this service (`aud`).") from error
    except InvalidSubjectError as error:
        raise UnauthenticatedError("The token's `sub` is not a text.") from error
    except jwt.InvalidAlgorithmError as error:
        raise UnauthenticatedError("The token's algorithm is not its key's (`alg`).") from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise UnauthenticatedError("The token's signature is not right.") from error
