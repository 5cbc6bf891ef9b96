"""Which keys of an issuer are used."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from movieql.tokens.fetching import read_jwks_url
from movieql.tokens.keys import KEYS_MAX, KeysError, SecretKey, read_keys
from tests.unit.tokens.issuing import OUTSIDE, SECRET, jwk, jwks, private_key


@pytest.mark.parametrize(
    "entry, algorithms",
    [
        (jwk("RS256"), ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        (jwk("RS256", alg="PS256"), ("PS256",)),
        (jwk("ES256"), ("ES256",)),
        (jwk("EdDSA"), ("EdDSA",)),
        (jwk("EdDSA", alg="EdDSA", key_ops=["verify"]), ("EdDSA",)),
    ],
    ids=["rsa", "pss", "ec", "ed", "said"],
)
def test_a_key_is_used_with_what_its_kind_allows(
    entry: dict[str, Any], algorithms: tuple[str, ...]
) -> None:
    assert read_keys(jwks(entry))["first"].algorithms == algorithms


def weak() -> dict[str, Any]:
    small = rsa.generate_private_key(65_537, 1024).public_key()  # noqa: S505  # that is the point
    entry: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(small))
    return entry | {"kid": "first", "key_ops": ["verify"]}


def unsafe_curve() -> dict[str, Any]:
    public = ec.generate_private_key(ec.SECP256K1()).public_key()
    return dict(json.loads(ECAlgorithm.to_jwk(public))) | {"kid": "first"}


def private() -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(private_key("RS256")))
    return entry | {"kid": "first", "key_ops": ["verify"]}


UNUSABLE: dict[str, Any] = {
    "symmetric": {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "first", "alg": "HS256"},
    "rsa as hmac": jwk("RS256", alg="HS256"),
    "weak": weak(),
    "curve": unsafe_curve(),
    "private": private(),
    "for encryption": jwk("RS256", use="enc"),
    "for signing": jwk("RS256", key_ops=["sign"]),
    "no use at all": jwk("RS256", key_ops=7),
    "no id": jwk("RS256", kid=None),
    "empty id": jwk("RS256", kid=""),
    "long id": jwk("RS256", kid="a" * 201),
    "number as id": jwk("RS256", kid=7),
    "no number": jwk("RS256", n="!"),
    "no exponent": jwk("RS256", e=""),
    "kind": jwk("RS256", kty="XYZ"),
    "odd kind": jwk("RS256", kty=["RSA"]),
    "odd curve": jwk("ES256", crv=["P-256"]),
    "other curve": jwk("ES256", crv="P-384"),
    "no object": "key",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_key_is_left_out(name: str) -> None:
    good = jwk("ES256", "good")
    assert set(read_keys(jwks(UNUSABLE[name], good))) == {"good"}
    with pytest.raises(KeysError, match="none of the keys"):
        read_keys(jwks(UNUSABLE[name]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"keys": {}}',
        b'{"keys": []}',
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe\xfd",
        jwks(*["x"] * (KEYS_MAX + 1)),
    ],
    ids=range(10),
)
def test_what_is_no_set_of_keys_is_refused(body: bytes) -> None:
    with pytest.raises(KeysError):
        read_keys(body)


def test_of_two_keys_with_one_id_the_first_counts() -> None:
    first, second = jwk("ES256", "a", kid="x"), jwk("ES256", "b", kid="x")
    assert read_keys(jwks(first, second)) == read_keys(jwks(first))
    assert read_keys(jwks(first)) != read_keys(jwks(second))


def test_a_key_does_not_show_itself() -> None:
    key = read_keys(jwks(jwk()))["first"]
    assert "material" not in repr(key)
    assert "fingerprint" not in repr(key)


async def test_a_secret_does_not_show_itself() -> None:
    secret = SecretKey(SECRET)
    assert SECRET.decode() not in f"{secret!r} {await secret.key(None)!r}"


@pytest.mark.parametrize(
    "description",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps({"issuer": OUTSIDE}).encode(),
        json.dumps({"issuer": OUTSIDE, "jwks_uri": 7}).encode(),
        json.dumps({"issuer": OUTSIDE + "/", "jwks_uri": "https://x/"}).encode(),
        json.dumps({"issuer": OUTSIDE.upper(), "jwks_uri": "https://x/"}).encode(),
    ],
    ids=range(7),
)
def test_a_description_of_another_issuer_or_without_keys_is_refused(description: bytes) -> None:
    with pytest.raises(KeysError):
        read_jwks_url(description, OUTSIDE)


def test_a_description_names_where_the_keys_are() -> None:
    description = json.dumps({"issuer": OUTSIDE, "jwks_uri": "https://keys.example/"}).encode()
    assert read_jwks_url(description, OUTSIDE) == "https://keys.example/"
