"""Keys that tokens are checked with, read out of a JWK Set (RFC 7517)."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

RSA_BITS_MIN = 2048
"""Bits of an RSA key: below, it is no longer secure (NIST SP 800-131A)."""

RSA_BITS_MAX = 8192
"""Bits of an RSA key: above, one check takes milliseconds."""

KEYS_MAX = 100
"""Keys of a set; issuers have two or three."""

KID_CHARACTERS_MAX = 200
"""Characters of a key's id."""

HMAC_ALGORITHMS = ("HS256",)
"""How the built-in login signs."""

_ALGORITHMS = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}


class KeysError(Exception):
    """A set of keys could not be had or read; the message says why, for operators."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key and the only algorithms it may be used with; equal when it is the same key.

    `fingerprint`: SHA-256 of what it is made of, in hex.
    """

    kid: str
    algorithms: tuple[str, ...]
    fingerprint: str = field(repr=False)
    material: Any = field(repr=False, compare=False)


class Keys(Protocol):
    """The keys of one issuer."""

    async def key(self, kid: str | None) -> VerifyingKey:
        """Return the key that a token names. Raises UnauthenticatedError when there is none."""
        ...


class SecretKey:
    """The one key of the built-in login: a secret of 32 bytes or more (RFC 7518 §3.2)."""

    def __init__(self, secret: bytes) -> None:
        fingerprint = hashlib.sha256(secret).hexdigest()
        self._key = VerifyingKey("", HMAC_ALGORITHMS, fingerprint, secret)

    async def key(self, kid: str | None) -> VerifyingKey:  # noqa: ARG002  # there is only one
        """Return the key, whatever the token says."""
        return self._key


def read_keys(body: bytes) -> dict[str, VerifyingKey]:
    """Return the usable keys of a JWK Set by their id. Raises KeysError when there is none.

    Left out are keys without an id, for anything but signatures, of unknown kinds, symmetric or
    private ones (they would be no secret), and RSA keys of fewer than 2048 bits. Of two keys
    with one id the first counts.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise KeysError("the keys are not JSON") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > KEYS_MAX:
        raise KeysError(f"there is no list `keys` of up to {KEYS_MAX}")
    found: dict[str, VerifyingKey] = {}
    for entry in entries:
        key = _key(entry) if isinstance(entry, dict) else None
        if key is not None:
            found.setdefault(key.kid, key)
    if not found:
        raise KeysError("none of the keys is usable")
    return found


def _key(entry: dict[str, Any]) -> VerifyingKey | None:
    kid = entry.get("kid")
    algorithms = _algorithms(entry)
    if not (isinstance(kid, str) and 0 < len(kid) <= KID_CHARACTERS_MAX):
        return None
    if not algorithms or not _is_for_checking(entry):
        return None
    try:
        material = jwt.PyJWK(entry, algorithms[0]).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(material, RSAPublicKey) and not (
        RSA_BITS_MIN <= material.key_size <= RSA_BITS_MAX
    ):
        return None
    canonical = json.dumps(entry, sort_keys=True).encode()
    return VerifyingKey(kid, algorithms, hashlib.sha256(canonical).hexdigest(), material)


def _algorithms(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return what the kind of key may be used with, or of these the one that it names."""
    kind, curve, named = entry.get("kty"), entry.get("crv"), entry.get("alg")
    if not (isinstance(kind, str) and (curve is None or isinstance(curve, str))):
        return ()
    possible = _ALGORITHMS.get((kind, curve), ())
    return possible if named is None else tuple(each for each in possible if each == named)


def _is_for_checking(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in entry
    )
