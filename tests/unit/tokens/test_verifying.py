"""Which tokens are accepted."""

import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.callers import Caller
from movieql.domain.errors import UnauthenticatedError
from movieql.memory import VirtualClock
from movieql.tokens.verifying import Tokens
from tests.unit.tokens.issuing import (
    AUDIENCE,
    NOW_S,
    OURS,
    OUTSIDE,
    SECRET,
    claims,
    jwk,
    ours,
    outside,
    part,
    private_key,
    verifier,
)

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


async def refused(tokens: Tokens, token: str) -> str:
    with pytest.raises(UnauthenticatedError) as raised:
        await tokens.verify(token)
    said = str(raised.value)
    signature = token.rpartition(".")[2]
    assert len(signature) < 20 or signature not in said
    assert SECRET.decode() not in said
    return said


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


async def test_a_good_token_of_ours_tells_who_and_what_and_until_when(clock: VirtualClock) -> None:
    caller = await verifier(clock).verify(ours(scope="movies:write exports"))
    assert caller == Caller("ada", frozenset({"movies:write", "exports"}), NOW_S + 600)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_good_token_of_an_outside_issuer_is_accepted(
    clock: VirtualClock, algorithm: str
) -> None:
    caller = await verifier(clock, jwk(algorithm)).verify(outside(algorithm))
    assert caller.subject == f"{OUTSIDE}|ada"


@pytest.mark.parametrize("kept_max", [0, 100])
@pytest.mark.parametrize(
    "changed, why",
    [
        ({"exp": NOW_S - 60, "iat": NOW_S - 600}, "expired"),
        ({"exp": NOW_S - 10, "iat": NOW_S - 600}, "expired"),
        ({"nbf": NOW_S + 60}, "nbf"),
        ({"nbf": "soon"}, "nbf"),
        ({"iat": NOW_S + 60}, "future"),
        ({"exp": NOW_S, "iat": NOW_S}, "ends (`exp`) before"),
        ({"exp": NOW_S - 5, "iat": NOW_S}, "ends (`exp`) before"),
        ({"exp": NOW_S + 1, "iat": NOW_S + 5}, "ends (`exp`) before"),
        ({"exp": NOW_S + 3601}, "at most 3600 s"),
        ({"exp": NOW_S + 10 * 31_536_000}, "at most 3600 s"),
        ({"exp": None}, "no `exp`"),
        ({"iat": None}, "no `iat`"),
        ({"sub": None}, "no `sub`"),
        ({"aud": None}, "no `aud`"),
        ({"exp": str(NOW_S + 600)}, "`exp` is not a number"),
        ({"iat": str(NOW_S)}, "`iat` is not a number"),
        ({"exp": True}, "`exp` is not a number"),
        ({"exp": float("nan")}, "`exp` is not a number"),
        ({"exp": float("inf")}, "`exp` is not a number"),
        ({"exp": 10**400}, "`exp` is not a number"),
        ({"exp": [NOW_S + 600]}, "`exp` is not a number"),
        ({"sub": ""}, "`sub`"),
        ({"sub": "   "}, "`sub`"),
        ({"sub": "a\nb"}, "`sub`"),
        ({"sub": "a" * 256}, "`sub`"),
        ({"sub": 7}, "`sub`"),
        ({"sub": ["ada"]}, "`sub`"),
        ({"aud": "other"}, "`aud`"),
        ({"aud": ["other", "another"]}, "`aud`"),
        ({"aud": []}, "`aud`"),
        ({"aud": {AUDIENCE: True}}, "`aud`"),
        ({"aud": AUDIENCE.upper()}, "`aud`"),
    ],
)
async def test_wrong_claims_are_refused_in_plain_words(
    clock: VirtualClock, changed: dict[str, Any], why: str, kept_max: int
) -> None:
    tokens = verifier(clock, kept_max=kept_max)
    for _ in range(2):  # what is remembered of a token must not be that it is good
        assert why in await refused(tokens, ours(**changed))


@pytest.mark.parametrize("issuer", [None, "", "other", OURS + "/", OURS.upper(), 7, [OURS], {}])
async def test_a_token_of_nobody_or_of_another_issuer_is_refused(
    clock: VirtualClock, issuer: Any
) -> None:
    payload = {**claims(), "iss": issuer}
    token = jwt.api_jws.encode(json.dumps(payload).encode(), SECRET, "HS256")
    assert "`iss`" in await refused(verifier(clock, jwk()), token)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [AUDIENCE]},
        {"aud": ["other", AUDIENCE]},
        {"nbf": NOW_S - 5},
        {"nbf": NOW_S + 9},
        {"iat": NOW_S + 9},
        {"exp": NOW_S - 9, "iat": NOW_S - 600},
        {"exp": NOW_S + 3600},
        {"exp": NOW_S + 600.5},
        {"sub": "Åsa 映画"},
        {"sub": "a" * 255},
    ],
)
async def test_what_is_within_the_rules_is_accepted(
    clock: VirtualClock, changed: dict[str, Any]
) -> None:
    caller = await verifier(clock).verify(ours(**changed))
    assert caller.subject == changed.get("sub", "ada")


@pytest.mark.parametrize(
    "changed, scopes",
    [
        ({"scope": None}, set()),
        ({"scope": ""}, set()),
        ({"scope": "openid exports profile"}, {"exports"}),
        ({"scope": "exports  admin "}, {"exports", "admin"}),
        ({"scope": "exports,admin"}, set()),
        ({"scope": "Admin ADMIN"}, set()),
        ({"scope": None, "scp": ["exports", "x", 7, None]}, {"exports"}),
        ({"scope": None, "scp": "exports admin"}, {"exports", "admin"}),
        ({"scope": None, "scopes": ["movies:write"]}, {"movies:write"}),
        ({"scope": "exports", "scp": ["admin"]}, {"exports"}),
        ({"scope": {"admin": True}}, set()),
        ({"scope": 7}, set()),
        ({"scope": [["admin"]]}, set()),
    ],
)
async def test_only_known_scopes_are_kept(
    clock: VirtualClock, changed: dict[str, Any], scopes: set[str]
) -> None:
    assert (await verifier(clock).verify(ours(**changed))).scopes == scopes


def hmac_signed(header: dict[str, Any], payload: Any, key: bytes) -> str:
    signed = f"{part(header)}.{part(payload)}"
    return f"{signed}.{part(hmac.digest(key, signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize("algorithm", ["none", "NONE", "nOnE", "", None, 7, ["HS256"]])
@pytest.mark.parametrize("issuer", [OURS, OUTSIDE])
async def test_no_algorithm_is_no_signature(
    clock: VirtualClock, algorithm: Any, issuer: str
) -> None:
    head = {"alg": algorithm, "kid": "first"}
    unsigned = f"{part(head)}.{part(claims(iss=issuer))}"
    tokens = verifier(clock, jwk())
    for signature in ("", "AA", part(b"\0" * 32)):
        await refused(tokens, f"{unsigned}.{signature}")
    await refused(tokens, hmac_signed(head, claims(iss=issuer), SECRET))


@pytest.mark.parametrize(
    "encoding", [serialization.Encoding.PEM, serialization.Encoding.DER], ids=["PEM", "DER"]
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_public_key_is_no_secret(
    clock: VirtualClock, algorithm: str, encoding: serialization.Encoding
) -> None:
    public = private_key(algorithm).public_key()
    known = public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    for alg in ("HS256", algorithm):
        token = hmac_signed({"alg": alg, "kid": "first"}, claims(iss=OUTSIDE), known)
        await refused(verifier(clock, jwk(algorithm)), token)


async def test_an_issuer_cannot_speak_for_another(clock: VirtualClock) -> None:
    tokens = verifier(clock, jwk())
    assert await refused(tokens, outside(iss=OURS)) == (
        "The token's algorithm is not its key's (`alg`)."
    )
    assert "alg" in await refused(tokens, ours({"kid": "first"}, iss=OUTSIDE))
    assert (await tokens.verify(ours())).subject != (await tokens.verify(outside())).subject


async def test_a_key_is_used_with_its_own_algorithm_only(clock: VirtualClock) -> None:
    tokens = verifier(clock, jwk("RS256", alg="RS256"))
    pss = jwt.encode(claims(iss=OUTSIDE), private_key("RS256"), "PS256", headers={"kid": "first"})
    assert "`alg`" in await refused(tokens, pss)
    for hs in ("HS384", "HS512"):
        token = jwt.encode(claims(), SECRET * 2, hs)
        assert "`alg`" in await refused(tokens, token)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_another_key_with_the_same_id_is_refused(
    clock: VirtualClock, algorithm: str
) -> None:
    tokens = verifier(clock, jwk(algorithm))
    token = outside(algorithm, "second", {"kid": "first"})
    assert "signature" in await refused(tokens, token)
    assert "signature" in await refused(verifier(clock), ours(key=SECRET[::-1]))


@pytest.mark.parametrize("kid", ["second", "", None, 7, "../first", "first'; --", "ﬁrst"])
async def test_an_unknown_key_is_refused(clock: VirtualClock, kid: Any) -> None:
    header = {"alg": "RS256", "kid": kid}
    signature = outside().rsplit(".", 1)[1]
    token = f"{part(header)}.{part(claims(iss=OUTSIDE))}.{signature}"
    await refused(verifier(clock, jwk()), token)


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
async def test_a_key_that_a_token_brings_along_is_not_used(clock: VirtualClock, name: str) -> None:
    brought = {"jwk": jwk(name="second"), "x5c": ["AA"]}.get(name, "https://evil.example/keys")
    token = outside(name="second", headers={"kid": "first", name: brought})
    assert "signature" in await refused(verifier(clock, jwk()), token)


@pytest.mark.parametrize(
    "headers",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": None},
        {"zip": "DEF"},
        {"b64": False, "crit": ["b64"]},
        {"typ": "logout+jwt"},
        {"typ": ["JWT"]},
        {"typ": 7},
    ],
)
async def test_a_header_that_asks_for_more_is_refused(
    clock: VirtualClock, headers: dict[str, Any]
) -> None:
    await refused(verifier(clock), hmac_signed({"alg": "HS256"} | headers, claims(), SECRET))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", None])
async def test_a_token_for_access_may_say_so(clock: VirtualClock, kind: str | None) -> None:
    token = hmac_signed({"alg": "HS256", "typ": kind}, claims(), SECRET)
    assert (await verifier(clock).verify(token)).subject


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "Ä.b.c",
        "映画",
        " ",
        part({"alg": "HS256"}) + "." + part(b"[1]") + ".AA",
        part(b"[]") + "." + part(claims()) + ".AA",
        part(b"\xff\xfe") + "." + part(claims()) + ".AA",
        part(b"[" * 3000) + "." + part(claims()) + ".AA",
        part({"alg": "HS256"}) + "." + part(b'{"a":' * 900) + ".AA",
        part({"alg": "HS256"}) + "." + part(b'{"exp":' + b"9" * 5000 + b"}") + ".AA",
        part({"alg": "HS256"}) + "." + part(b"null") + ".AA",
    ],
)
async def test_what_is_no_token_is_refused(clock: VirtualClock, token: str) -> None:
    await refused(verifier(clock, jwk()), token)


@pytest.mark.parametrize("form", ["{}=", "{}==", "{}\n", " {}", "{}.", "'{}'"])
async def test_a_token_may_not_be_written_in_another_way(clock: VirtualClock, form: str) -> None:
    await refused(verifier(clock), form.format(ours()))


async def test_a_token_of_more_than_its_bytes_is_not_read(clock: VirtualClock) -> None:
    tokens = verifier(clock, token_bytes_max=8192)
    assert "8192 bytes" in await refused(tokens, "a" * 1_000_000)
    assert "8192 bytes" in await refused(tokens, ours(filler="a" * 8_000))
    assert (await tokens.verify(ours(filler="a" * 5_500))).subject


@given(st.data())
async def test_a_token_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    clock = VirtualClock()
    tokens = verifier(clock, *(jwk(each, each, kid=each) for each in ALGORITHMS))
    made = data.draw(st.sampled_from(["ours", *ALGORITHMS]))
    token = ours() if made == "ours" else outside(made, made)
    assert (await tokens.verify(token)).subject
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.integers(0, 255).map(chr).filter(lambda each: each != token[place]))
    with pytest.raises(UnauthenticatedError):
        await tokens.verify(token[:place] + other + token[place + 1 :])


@given(st.text(max_size=300))
async def test_any_text_is_refused_in_the_same_way(text: str) -> None:
    await refused(verifier(VirtualClock(), jwk()), text)


async def test_a_remembered_token_ends_when_it_expires(clock: VirtualClock) -> None:
    tokens = verifier(clock)
    token = ours(exp=NOW_S + 60)
    for _ in range(6):
        assert (await tokens.verify(token)).subject
        await clock.advance(11)
    await clock.advance(4)
    assert "expired" in await refused(tokens, token)


async def test_a_remembered_token_is_not_checked_again(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = verifier(clock, jwk())
    token = outside()
    first = await tokens.verify(token)
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("it was read again"))
    assert await tokens.verify(token) is first


async def test_as_many_tokens_are_remembered_as_were_allowed(clock: VirtualClock) -> None:
    tokens = verifier(clock, kept_max=3)
    for number in range(10):
        await tokens.verify(ours(jti=str(number)))
    assert len(tokens._kept) == 3  # noqa: SLF001  # nothing else tells
