"""Making tokens of our own."""

from collections.abc import Callable, Iterable

import jwt

from movieql.domain.callers import SCOPES
from movieql.domain.errors import BadInputError
from movieql.ports import Clock
from movieql.tokens.claims import SUBJECT_CHARACTERS_MAX
from movieql.tokens.keys import HMAC_ALGORITHMS

LIFETIME_S_MAX = 3600
"""Longest life of a token of our own, in seconds (docs/semantics.md, Access)."""


class Signer:
    """Signs tokens with the secret that the built-in login's are checked with.

    `new_id` makes a token's `jti`.
    """

    def __init__(
        self, secret: bytes, issuer: str, audience: str, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._secret = secret
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._new_id = new_id

    def token(self, subject: str, scopes: Iterable[str], lifetime_s: int) -> str:
        """Return a token for so many seconds, at most an hour. Raises BadInputError."""
        named = sorted(set(scopes))
        if not 0 < lifetime_s <= LIFETIME_S_MAX:
            raise BadInputError(f"A token lives 1 to {LIFETIME_S_MAX} s.")
        if not SCOPES.issuperset(named):
            raise BadInputError(f"The scopes are {', '.join(sorted(SCOPES))}.")
        if not _is_subject(subject):
            raise BadInputError(
                f"A subject has 1 to {SUBJECT_CHARACTERS_MAX} characters, none of them odd."
            )
        issued_s = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": issued_s,
            "exp": issued_s + lifetime_s,
            "jti": self._new_id(),
            "scope": " ".join(named),
        }
        return jwt.encode(claims, self._secret, HMAC_ALGORITHMS[0])


def _is_subject(subject: str) -> bool:
    return (
        0 < len(subject) <= SUBJECT_CHARACTERS_MAX
        and subject.isprintable()
        and subject == subject.strip()
    )
