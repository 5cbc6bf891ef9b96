"""Issuers of tests: their keys, their key sets and their tokens, good and bad ones."""

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from movieql.domain.errors import UnauthenticatedError
from movieql.memory import VirtualClock
from movieql.tokens.claims import IssuerRules
from movieql.tokens.keys import SecretKey, VerifyingKey, read_keys
from movieql.tokens.verifying import Issuer, Tokens

NOW_S = 1_767_225_600
"""Where a virtual clock begins."""

OURS = "movieql"
OUTSIDE = "https://login.example.org/realms/shop"
AUDIENCE = "movieql-api"
SECRET = b"0123456789-abcdefghijklmnopqrstuvwxyz"

_ALGORITHMS: Mapping[str, Any] = {
    "RS256": jwt.algorithms.RSAAlgorithm,
    "PS256": jwt.algorithms.RSAAlgorithm,
    "ES256": jwt.algorithms.ECAlgorithm,
    "EdDSA": jwt.algorithms.OKPAlgorithm,
}


@cache
def private_key(algorithm: str, name: str = "first") -> Any:  # noqa: ARG001  # tells keys apart
    """Return a key to sign with, the same for the same name."""
    makers: dict[str, Callable[[], Any]] = {
        "RS256": lambda: rsa.generate_private_key(65_537, 2048),
        "PS256": lambda: rsa.generate_private_key(65_537, 2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }
    return makers[algorithm]()


def jwk(algorithm: str = "RS256", name: str = "first", **members: Any) -> dict[str, Any]:
    """Return the public key as a JWK with its name as id."""
    public = private_key(algorithm, name).public_key()
    entry: dict[str, Any] = json.loads(_ALGORITHMS[algorithm].to_jwk(public))
    entry.pop("key_ops", None)
    return entry | {"kid": name, "use": "sig"} | members


def jwks(*entries: Any) -> bytes:
    """Return a key set."""
    return json.dumps({"keys": entries}).encode()


def claims(**changed: Any) -> dict[str, Any]:
    """Return good claims with some changed; None leaves one out."""
    good = {
        "iss": OURS,
        "aud": AUDIENCE,
        "sub": "ada",
        "iat": NOW_S,
        "exp": NOW_S + 600,
        "scope": "exports",
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def ours(headers: Mapping[str, Any] | None = None, key: bytes = SECRET, **changed: Any) -> str:
    """Return a token of the built-in login."""
    return jwt.encode(claims(**changed), key, "HS256", headers=dict(headers or {}))


def outside(
    algorithm: str = "RS256",
    name: str = "first",
    headers: Mapping[str, Any] | None = None,
    **changed: Any,
) -> str:
    """Return a token of the outside issuer, signed with the key of this name."""
    named = {"kid": name} | dict(headers or {})
    key = private_key(algorithm, name)
    return jwt.encode(claims(**{"iss": OUTSIDE} | changed), key, algorithm, headers=named)


def part(value: Any) -> str:
    """Return a part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class KnownKeys:
    """An issuer's keys out of a key set at hand."""

    def __init__(self, *entries: Any) -> None:
        self.keys = read_keys(jwks(*entries))

    async def key(self, kid: str | None) -> VerifyingKey:
        """See `keys.Keys`."""
        if kid not in self.keys:
            raise UnauthenticatedError
        return self.keys[kid]


def verifier(
    clock: VirtualClock, *entries: Any, lifetime_s_max: float = 3600, **options: Any
) -> Tokens:
    """Return a verifier of our tokens, and of the outside issuer's with these keys."""
    issuers = [Issuer(IssuerRules(OURS, AUDIENCE, lifetime_s_max), SecretKey(SECRET))]
    if entries:
        rules = IssuerRules(OUTSIDE, AUDIENCE, 86_400, subject_prefix=f"{OUTSIDE}|")
        issuers.append(Issuer(rules, KnownKeys(*entries)))
    return Tokens(issuers, clock, **options)
