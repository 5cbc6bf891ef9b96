"""Every way to write, tried with every kind of token: the schema itself says which ways."""

import io
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from graphql import (
    GraphQLField,
    GraphQLInputType,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from movieql.app import build_app
from movieql.domain.callers import SCOPES
from movieql.domain.errors import SettingsError
from movieql.settings import Settings
from movieql.tokens.passwords import hash_password
from movieql.web.telemetry import make_logger
from tests.integration.web.guarded import (
    ANONYMOUS,
    JWT_SECRET,
    LINK_SECRET,
    PASSWORD,
    USER,
    Guarded,
    Mint,
    Presented,
    bearer,
    codes_of,
    encoded,
    guarded,
    unchanged,
)
from tests.unit.tokens.issuing import jwk, private_key

HEAT = "/api/movies/Heat/1995"
ALIEN = "/api/movies/Alien/1979"
SEED_USER, SEED_PASSWORD = "testuser", "testpassword"
MUTATIONS_MAX = 5
HEAD_BYTES_MAX = 65_536
MESSAGE_BYTES_MAX = 65_536
SCOPE_OF = re.compile(r"Needs `([a-z:]+)`")

Showing = Callable[[Mint], Presented]


def public_pem(name: str) -> bytes:
    """Return the issuer's public key, which anybody has."""
    public = private_key("RS256", name).public_key()
    pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def unsigned(mint: Mint, algorithm: str, **changed: Any) -> str:
    header = {"alg": algorithm, "typ": "JWT", "kid": "first"}
    return f"{encoded(header)}.{encoded(mint.claims(**changed))}."


def confused(mint: Mint) -> str:
    header = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    return mint.forged(public_pem("first"), header, iss=mint.issuer)


def own_key_in_the_header(mint: Mint) -> str:
    good = mint.outside("mallory").split(".")
    header = {"alg": "RS256", "kid": "first", "jwk": jwk("RS256", "mallory")}
    return ".".join([encoded(header), *good[1:]])


def changed_payload(mint: Mint) -> str:
    head, _, signature = mint.ours(scope="exports").split(".")
    return f"{head}.{encoded(mint.claims(scope='admin'))}.{signature}"


def good(mint: Mint) -> str:
    return mint.ours()


NO_TOKEN: Mapping[str, Showing] = {
    "nothing": lambda _: ANONYMOUS,
    "in the query string": lambda mint: Presented(query={"access_token": good(mint)}),
    "in a cookie": lambda mint: Presented(cookie=good(mint)),
}
"""Who shows these is nobody in particular."""

REJECTED: Mapping[str, Showing] = {
    "expired": lambda mint: bearer(mint.ours(iat=mint.claims()["iat"] - 700, exp=_past(mint))),
    "not valid yet": lambda mint: bearer(mint.ours(nbf=mint.claims()["iat"] + 60)),
    "of the future": lambda mint: bearer(mint.ours(iat=mint.claims()["iat"] + 60)),
    "without an end": lambda mint: bearer(mint.ours(exp=None)),
    "for a year": lambda mint: bearer(mint.ours(exp=mint.claims()["iat"] + 31_536_000)),
    "without a subject": lambda mint: bearer(mint.ours(sub=None)),
    "of an issuer that is not ours": lambda mint: bearer(mint.ours(iss="https://evil.example")),
    "of no issuer": lambda mint: bearer(mint.ours(iss=None)),
    "ours in the name of the issuer": lambda mint: bearer(mint.ours(iss=mint.issuer)),
    "the issuer's in our name": lambda mint: bearer(mint.outside(iss="movieql")),
    "for another audience": lambda mint: bearer(mint.ours(aud="another")),
    "the issuer's for another audience": lambda mint: bearer(mint.outside(aud="another")),
    "for no audience": lambda mint: bearer(mint.ours(aud=None)),
    "not signed": lambda mint: bearer(unsigned(mint, "none")),
    "not signed, in capitals": lambda mint: bearer(unsigned(mint, "NONE")),
    "not signed, the issuer's": lambda mint: bearer(unsigned(mint, "none", iss=mint.issuer)),
    "unsigned with HS256": lambda mint: bearer(unsigned(mint, "HS256") + encoded(b"x" * 32)),
    "signed with the public key": lambda mint: bearer(confused(mint)),
    "of HS384": lambda mint: bearer(mint.ours(algorithm="HS384")),
    "of HS512": lambda mint: bearer(mint.ours(algorithm="HS512")),
    "of another secret": lambda mint: bearer(mint.ours(key="another" * 8)),
    "of the links' secret": lambda mint: bearer(mint.ours(key=LINK_SECRET)),
    "of a key nobody published": lambda mint: bearer(mint.outside("mallory")),
    "of another key under a known name": lambda mint: bearer(mint.outside("mallory", "first")),
    "with its own key in the header": lambda mint: bearer(own_key_in_the_header(mint)),
    "with other claims than were signed": lambda mint: bearer(changed_payload(mint)),
    "without a signature": lambda mint: bearer(good(mint).rpartition(".")[0]),
    "no JWT": lambda _: bearer("opaque-0123456789-abcdefghij"),
    "large": lambda mint: bearer(mint.ours(padding="x" * 3_000)),
    "two": lambda mint: Presented((f"Bearer {good(mint)}", f"Bearer {good(mint)}")),
    "two, the second bad": lambda mint: Presented((f"Bearer {good(mint)}", "Bearer x")),
    "two in one": lambda mint: Presented((f"Bearer {good(mint)}, Bearer {good(mint)}",)),
    "of the scheme Basic": lambda mint: Presented((f"Basic {good(mint)}",)),
    "of the scheme Token": lambda mint: Presented((f"Token {good(mint)}",)),
    "of no scheme": lambda mint: Presented((good(mint),)),
    "empty": lambda _: Presented(("",)),
    "an empty one": lambda _: Presented(("Bearer",)),
}
"""Who shows these is refused."""


def _past(mint: Mint) -> int:
    past_s: int = mint.claims()["iat"] - 60
    return past_s


ACCEPTED: Mapping[str, Showing] = {
    "ours": lambda mint: bearer(good(mint)),
    "the issuer's": lambda mint: bearer(mint.outside()),
}


@dataclass(frozen=True)
class Way:
    """A mutation of the schema, with arguments that it takes, and the scope that it needs."""

    name: str
    document: str
    scope: str


@pytest.fixture
async def server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Guarded]:
    """Run a server that has Heat in its catalogue; no log or file of it tells a secret."""
    caplog.set_level(logging.WARNING)  # what `serve` forwards of libraries
    async with guarded(tmp_path, token_bytes_max=2_000) as server:
        written = await server.rest(bearer(good(server.mint)), "PUT", HEAT, json={"genre": "x"})
        assert written.status == 201
        yield server
        nothing_told(server.log + caplog.text, ANONYMOUS)


def nothing_told(text: str, shown: Presented) -> None:
    """Check that a text has nothing of a token, of a secret or of a stack in it."""
    secret_parts = {JWT_SECRET, LINK_SECRET, PASSWORD, "$argon2id$"} | shown.secret_parts
    assert {each for each in secret_parts if each in text} == set()
    assert not re.search(r"Traceback|File \"|\.py\b|jwt\.|PyJWT", text)


# The ways, from the schema.

GIVEN = {
    "name": '"Heat"',
    "title": '"Heat"',
    "year": "1995",
    "provider": '"cinemaworld"',
    "id": '"house.0"',
    "String": '"x"',
    "ID": '"x"',
    "Int": "1",
    "Float": "1.5",
    "Boolean": "true",
    "Decimal": '"1.50"',
}
"""Values by the name of an argument or of a field, else by type."""
WHOLE = {"addMovie": 'input: {provider: "cinemaworld", title: "Heat", plot: "x"}'}
"""Arguments of mutations that do nothing with the required ones alone."""


async def ways(server: Guarded) -> list[Way]:
    """Return every mutation of the schema with what it needs to be run."""
    schema = build_client_schema((await server.ask(get_introspection_query())).data)
    assert schema.mutation_type is not None
    return [_way(name, field) for name, field in schema.mutation_type.fields.items()]


def _way(name: str, mutation: GraphQLField) -> Way:
    needs = SCOPE_OF.findall(mutation.description or "")
    assert len(needs) == 1, f"{name} does not say which scope it needs"
    assert needs[0] in SCOPES
    given = [
        f"{each}: {_value(each, argument.type)}"
        for each, argument in mutation.args.items()
        if is_required_argument(argument)
    ]
    arguments = WHOLE.get(name, ", ".join(given))
    call = f"{name}({arguments})" if arguments else name
    selection = "" if is_leaf_type(get_named_type(mutation.type)) else " { __typename }"
    return Way(name, f"mutation {{ {call}{selection} }}", needs[0])


def _value(name: str, wanted: GraphQLInputType) -> str:
    kind = get_nullable_type(wanted)
    if name in GIVEN:
        return GIVEN[name]
    if is_list_type(kind):
        return "[]"
    if is_enum_type(kind):
        return str(next(iter(kind.values)))
    if not is_input_object_type(kind):
        return GIVEN.get(get_named_type(kind).name, '"x"')
    inner = {
        each: field.type for each, field in kind.fields.items() if is_required_input_field(field)
    }
    return "{" + ", ".join(f"{each}: {_value(each, inner[each])}" for each in inner) + "}"


# What is said to whom.


async def every_mutation(server: Guarded, shown: Presented) -> list[tuple[Way, Any]]:
    return [(way, await server.graphql(shown, way.document)) for way in await ways(server)]


async def every_rest_write(server: Guarded, shown: Presented) -> list[Any]:
    conditional = {"headers": {"if-match": "*"}}
    return [
        await server.rest(shown, "PUT", HEAT, json={"genre": "changed"}),
        await server.rest(shown, "PUT", ALIEN, json={"genre": "made"}),
        await server.rest(shown, "PUT", HEAT, json={"genre": "changed"}, **conditional),
        await server.rest(shown, "DELETE", HEAT),
        await server.rest(shown, "DELETE", HEAT, **conditional),
    ]


def told(reply: Any) -> str:
    return f"{reply.status} {dict(reply.headers)} {reply.text}"


async def closed_at_the_door(server: Guarded, shown: Presented) -> str:
    """Check that a WebSocket is closed, and return what was told."""
    async with server.connected(shown) as peer:
        assert not await peer.is_let_in()
        assert peer.client.close_code == 4403
        return peer.told


@pytest.mark.parametrize("kind", NO_TOKEN)
async def test_who_shows_no_token_may_not_write(server: Guarded, kind: str) -> None:
    shown = NO_TOKEN[kind](server.mint)
    with unchanged(server):
        for way, reply in await every_mutation(server, shown):
            assert reply.status == 200
            assert codes_of(reply.json) == ["UNAUTHENTICATED"]
            assert reply.json["data"] == {way.name: None}
            nothing_told(told(reply), shown)
        for reply in await every_rest_write(server, shown):
            assert (reply.status, reply.json["code"]) == (401, "UNAUTHENTICATED")
            assert reply.headers["www-authenticate"] == "Bearer"
            nothing_told(told(reply), shown)
        async with server.connected(shown) as peer:
            assert await peer.is_let_in()
            for way in await ways(server):
                answer = await peer.asked(way.document)
                assert codes_of(answer) == ["UNAUTHENTICATED"]
                assert answer["data"] == {way.name: None}
            nothing_told(peer.told, shown)
    nothing_told(server.log, shown)


@pytest.mark.parametrize("kind", REJECTED)
async def test_who_shows_a_token_that_is_not_valid_is_refused(
    server: Guarded, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    shown = REJECTED[kind](server.mint)
    with unchanged(server):
        replies = [reply for _, reply in await every_mutation(server, shown)]
        replies.append(await server.graphql(shown, "{ __typename }"))
        for reply in replies:
            assert (reply.status, codes_of(reply.json)) == (401, ["UNAUTHENTICATED"])
            assert "data" not in reply.json
        for reply in await every_rest_write(server, shown):
            assert (reply.status, reply.json["code"]) == (401, "UNAUTHENTICATED")
            replies.append(reply)
        for reply in replies:
            assert reply.headers["www-authenticate"] == 'Bearer error="invalid_token"'
            nothing_told(told(reply), shown)
        nothing_told(await closed_at_the_door(server, shown), shown)
        for authorization in shown.authorizations if len(shown.authorizations) == 1 else ():
            async with server.connected() as peer:
                assert not await peer.is_let_in(authorization)
                assert peer.client.close_code == 4403
                nothing_told(peer.told, shown)
    nothing_told(server.log + caplog.text, shown)


@pytest.mark.parametrize("issuer", ACCEPTED)
async def test_who_has_another_scope_may_not_write(server: Guarded, issuer: str) -> None:
    for way in await ways(server):
        others = sorted(SCOPES - {way.scope, "admin"})
        for scope in [*others, " ".join(others), "everything", "ADMIN", f"{way.scope}x", None]:
            mint = server.mint
            token = mint.ours(scope=scope) if issuer == "ours" else mint.outside(scope=scope)
            with unchanged(server):
                reply = await server.graphql(bearer(token), way.document)
            assert (reply.status, codes_of(reply.json)) == (200, ["FORBIDDEN"])
            assert reply.json["data"] == {way.name: None}
            assert way.scope in reply.json["errors"][0]["message"]
            nothing_told(told(reply), bearer(token))


async def test_who_has_another_scope_may_not_write_by_rest(server: Guarded) -> None:
    shown = bearer(server.mint.ours(scope="exports"))
    with unchanged(server):
        for reply in await every_rest_write(server, shown):
            assert (reply.status, reply.json["code"]) == (403, "FORBIDDEN")
            assert reply.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
            nothing_told(told(reply), shown)


async def test_who_has_another_scope_may_not_write_over_a_websocket(server: Guarded) -> None:
    for way in await ways(server):
        scope = next(iter(sorted(SCOPES - {way.scope, "admin"})))
        token = server.mint.ours(scope=scope)
        with unchanged(server):
            async with server.connected() as peer:
                assert await peer.is_let_in(f"Bearer {token}")
                assert codes_of(await peer.asked(way.document)) == ["FORBIDDEN"]
                nothing_told(peer.told, bearer(token))


@pytest.mark.parametrize("scope", ["needed", "admin"])
@pytest.mark.parametrize("issuer", ACCEPTED)
async def test_who_has_the_scope_may_use_every_mutation(
    server: Guarded, issuer: str, scope: str
) -> None:
    mint = server.mint
    for way in await ways(server):
        scopes = way.scope if scope == "needed" else "admin"
        token = mint.ours(scope=scopes) if issuer == "ours" else mint.outside(scope=scopes)
        reply = await server.graphql(bearer(token), way.document)
        assert reply.data[way.name] is not None
        async with server.connected() as peer:
            assert await peer.is_let_in(f"Bearer {token}")
            assert (await peer.asked(way.document))["data"][way.name] is not None
        async with server.connected(bearer(token)) as peer:  # by the upgrade request
            assert await peer.is_let_in()
            assert (await peer.asked(way.document))["data"][way.name] is not None
        nothing_told(server.log, bearer(token))
    assert server.posts == 3  # the addition did happen, each of three times


@pytest.mark.parametrize("scope", ["movies:write", "admin"])
async def test_who_has_the_scope_may_use_every_rest_write(server: Guarded, scope: str) -> None:
    shown = bearer(server.mint.ours(scope=scope))
    before = server.files
    statuses = [reply.status for reply in await every_rest_write(server, shown)]
    assert statuses == [200, 201, 200, 204, 409]
    assert server.files != before


async def test_what_the_matrix_holds_against_changes_does_change(server: Guarded) -> None:
    token = bearer(good(server.mint))
    before = server.files
    upsert = 'mutation { upsertMovie(input: {name: "Alien", year: 1979}) { entry { id } } }'
    written = (await server.graphql(token, upsert)).data["upsertMovie"]["entry"]
    assert server.files != before
    listed = (await server.rest(ANONYMOUS, "GET", "/api/movies")).json
    assert ("Alien", 1979) in {(each["name"], each["year"]) for each in listed}
    delete = f'mutation {{ deleteMovie(input: {{id: "{written["id"]}"}}) {{ entry {{ id }} }} }}'
    assert (await server.graphql(token, delete)).data["deleteMovie"]["entry"] == written
    listed = (await server.rest(ANONYMOUS, "GET", "/api/movies")).json
    assert [each["name"] for each in listed] == ["Heat"]


async def test_a_refused_mutation_runs_nothing_of_a_document_with_several(
    server: Guarded,
) -> None:
    several = " ".join(
        way.document.removeprefix("mutation {").removesuffix("}")
        for way in (await ways(server))[:MUTATIONS_MAX]
    )
    with unchanged(server):
        shown = bearer(server.mint.ours(scope=None))
        reply = await server.graphql(shown, f"mutation {{ {several} }}")
    assert set(codes_of(reply.json)) == {"FORBIDDEN"}
    assert set(reply.json["data"].values()) == {None}


async def test_a_get_never_writes_whoever_asks(server: Guarded) -> None:
    shown = bearer(server.mint.ours(scope="admin"))
    with unchanged(server):
        for way in await ways(server):
            params = {"query": way.document}
            reply = await server.call("GET", "/graphql", params=params, headers=shown.headers)
            assert reply.status == 405


# A megabyte: refused by whoever reads it first.


@pytest.mark.parametrize("size", [9_000, 1_000_000])
async def test_a_token_larger_than_any_is_refused_everywhere(
    server: Guarded, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    shown = bearer("x" * size)
    document = (await ways(server))[0].document
    with unchanged(server):
        replies = [await server.graphql(shown, document), *await every_rest_write(server, shown)]
        assert {reply.status for reply in replies} == {401 if size < HEAD_BYTES_MAX else 431}
        for reply in replies:
            nothing_told(told(reply), shown)
        async with server.connected() as peer:
            assert not await peer.is_let_in(shown.authorizations[0])
            assert peer.client.close_code == (4403 if size < MESSAGE_BYTES_MAX else 1009)
            nothing_told(peer.told, shown)
    nothing_told(server.log + caplog.text, shown)
    assert (await server.call("GET", "/healthz")).status == 200


async def test_an_upgrade_request_that_is_too_large_is_answered_and_over(server: Guarded) -> None:
    for size in (9_000, 1_000_000):
        with pytest.raises(InvalidStatus) as refused:
            async with server.connected(bearer("x" * size)):
                pass
        assert refused.value.response.status_code == 431
        assert b"xxx" not in (refused.value.response.body or b"")


# The names and passwords of an example are nobody's.


@pytest.mark.parametrize("username", [SEED_USER, "TestUser", USER])
async def test_the_password_of_examples_opens_nothing(server: Guarded, username: str) -> None:
    body = {"username": username, "password": SEED_PASSWORD}
    reply = await server.call("POST", "/login", json=body)
    assert (reply.status, reply.json["code"]) == (401, "UNAUTHENTICATED")
    assert reply.json["error"] == "Bad username or password"
    assert SEED_PASSWORD not in reply.text + server.log
    right = await server.call("POST", "/login", json={"username": USER, "password": PASSWORD})
    token = right.json["access_token"]
    assert (await server.rest(bearer(token), "DELETE", HEAT)).status == 204


@pytest.mark.parametrize("name", [SEED_USER, "TESTUSER"])
def test_a_user_with_the_password_of_examples_is_refused_at_start(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "users.toml"
    known = hash_password(SEED_PASSWORD)
    path.write_text(f'[[users]]\nname = "{name}"\npassword_hash = "{known}"\n', encoding="utf-8")
    settings = Settings(jwt_secret=SecretStr(JWT_SECRET), login_users_file=path)
    with pytest.raises(SettingsError, match="everybody knows the password") as refused:
        build_app(settings, (), {}, make_logger("info", "json", io.StringIO()))
    assert known not in str(refused.value)
    assert SEED_PASSWORD not in str(refused.value)


async def test_nobody_becomes_somebody_else_on_an_open_websocket(server: Guarded) -> None:
    async with server.connected() as peer:
        assert await peer.is_let_in()
        await peer.greet(f"Bearer {good(server.mint)}")
        assert await peer.closed_or_heard() == 4429
