"""What a token claims, checked: whose it is, for whom, from when until when, for what."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from movieql.domain.callers import SCOPES, Caller
from movieql.domain.errors import UnauthenticatedError

REQUIRED_CLAIMS = ("exp", "iat", "sub", "aud", "iss")
"""Claims that every token has to have (docs/decisions/0014)."""

SUBJECT_CHARACTERS_MAX = 255
"""Characters of a subject (OpenID Connect Core 1.0 §2)."""

_SCOPE_CLAIMS = ("scope", "scp", "scopes")


@dataclass(frozen=True, slots=True)
class IssuerRules:
    """What a token of one issuer has to be.

    `lifetime_s_max`: most seconds from `iat` to `exp`; `leeway_s`: seconds by which clocks may
    differ; `subject_prefix`: put before subjects, so that one issuer cannot name another's.
    """

    issuer: str
    audience: str
    lifetime_s_max: float
    leeway_s: float = 10.0
    subject_prefix: str = ""


def caller_of(claims: Mapping[str, Any], rules: IssuerRules, now_s: float) -> Caller:
    """Return who signed claims speak for. Raises UnauthenticatedError that says what is wrong.

    Issuer and audience were compared with the signature; `now_s` is Unix time.
    """
    issued_s, expires_s = _seconds(claims, "iat"), _seconds(claims, "exp")
    check_unexpired(expires_s, rules.leeway_s, now_s)
    if issued_s > now_s + rules.leeway_s:
        raise UnauthenticatedError("The token was issued in the future (`iat`).")
    if "nbf" in claims and _seconds(claims, "nbf") > now_s + rules.leeway_s:
        raise UnauthenticatedError("The token is not valid yet (`nbf`).")
    if expires_s <= issued_s:
        raise UnauthenticatedError("The token ends (`exp`) before it was issued (`iat`).")
    if expires_s - issued_s > rules.lifetime_s_max:
        raise UnauthenticatedError(
            f"The token may be made for at most {rules.lifetime_s_max:.0f} s (`exp` - `iat`)."
        )
    subject = rules.subject_prefix + _subject(claims)
    return Caller(subject, _scopes(claims), expires_s)


def check_unexpired(expires_s: float, leeway_s: float, now_s: float) -> None:
    """Raise UnauthenticatedError for a token that has ended; all in seconds of Unix time."""
    if now_s >= expires_s + leeway_s:
        raise UnauthenticatedError("The token has expired (`exp`): get a new one.")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    seconds = _finite(value) if type(value) in {int, float} else None
    if seconds is None:
        raise UnauthenticatedError(f"The token's `{name}` is not a number of seconds.")
    return seconds


def _finite(value: Any) -> float | None:
    try:
        seconds = float(value)
    except OverflowError:  # JSON knows no largest number
        return None
    return seconds if math.isfinite(seconds) else None


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not (
        isinstance(subject, str)
        and 0 < len(subject) <= SUBJECT_CHARACTERS_MAX
        and subject.isprintable()
        and subject == subject.strip()
    ):
        raise UnauthenticatedError(
            f"The token's `sub` is not a text of 1 to {SUBJECT_CHARACTERS_MAX} characters."
        )
    return subject


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the known scopes of the first claim that is there; a wrong shape gives none."""
    given: Any = next((claims[name] for name in _SCOPE_CLAIMS if claims.get(name) is not None), [])
    named = given.split(" ") if isinstance(given, str) else given
    if not isinstance(named, list):
        return frozenset()
    return SCOPES.intersection(each for each in named if isinstance(each, str))
