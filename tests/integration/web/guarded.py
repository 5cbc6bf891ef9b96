"""A server whose writes are guarded: a catalogue on files, a user, an issuer, and a clock."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from movieql.clock import SystemClock
from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.tokens.passwords import hash_password
from movieql.web.socket_messages import PROTOCOL
from tests.integration.tokens.conftest import OpenIdIssuer
from tests.servers import Stack, listening_shop, serving
from tests.unit.tokens.issuing import jwk, private_key

JWT_SECRET = secrets.token_urlsafe(48)
LINK_SECRET = secrets.token_urlsafe(48)
USER, PASSWORD = "ada", secrets.token_urlsafe(16)
AUDIENCE = "movieql"
KEY = "RS256"
WAIT_S = 5.0
WIRE_BYTES_MAX = 16_000_000
"""Bytes of a message that a test's client takes."""


class ClockAhead(SystemClock):
    """The real clock, which jumps ahead when a test says so; who sleeps is not woken by that."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


@cache
def users_file_text() -> str:
    """Return a file of one user, who may write; made once, for hashing takes its time."""
    return (
        f'[[users]]\nname = "{USER}"\npassword_hash = "{hash_password(PASSWORD)}"\n'
        'scopes = ["movies:write"]\n'
    )


def encoded(value: bytes | Mapping[str, Any]) -> str:
    """Return a part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Mint:
    """Makes tokens, good ones until something is changed."""

    clock: SystemClock
    issuer: str

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return claims that are good here; None leaves one out."""
        now_s = int(self.clock.now().timestamp())
        good = {
            "iss": "movieql",
            "aud": AUDIENCE,
            "sub": "grace",
            "iat": now_s,
            "exp": now_s + 600,
            "jti": secrets.token_hex(8),
            "scope": "movies:write",
        }
        return {name: value for name, value in (good | changed).items() if value is not None}

    def ours(self, key: str = JWT_SECRET, algorithm: str = "HS256", **changed: Any) -> str:
        """Return a token of the built-in login's kind."""
        return jwt.encode(self.claims(**changed), key, algorithm)

    def outside(self, name: str = "first", kid: str | None = None, **changed: Any) -> str:
        """Return a token of the issuer, signed with its key of this name."""
        claims = self.claims(**{"iss": self.issuer} | changed)
        return jwt.encode(claims, private_key(KEY, name), KEY, headers={"kid": kid or name})

    def forged(self, key: bytes, header: Mapping[str, Any], **changed: Any) -> str:
        """Return a token under any header, signed with HMAC and these bytes."""
        unsigned = f"{encoded(header)}.{encoded(self.claims(**changed))}"
        signature = hmac.digest(key, unsigned.encode(), hashlib.sha256)
        return f"{unsigned}.{encoded(signature)}"


@dataclass(frozen=True)
class Presented:
    """How a caller shows a token: in `Authorization` headers, or where none counts.

    `extra`: other headers that are sent along.
    """

    authorizations: tuple[str, ...] = ()
    cookie: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return its headers."""
        cookies = [] if self.cookie is None else [("cookie", f"token={self.cookie}")]
        authorizations = [("authorization", each) for each in self.authorizations]
        return [*authorizations, *cookies, *self.extra.items()]

    @property
    def secret_parts(self) -> set[str]:
        """Return what nobody may read anywhere: whatever of it looks like part of a token."""
        shown = " ".join([*self.authorizations, self.cookie or "", *self.query.values()])
        return {part for part in shown.replace(".", " ").split() if len(part) > 16}


def bearer(token: str) -> Presented:
    """Return a token where it belongs."""
    return Presented((f"Bearer {token}",))


ANONYMOUS = Presented()


class Guarded(Stack):
    """A server over shops, a folder and an issuer, and what a test sees of them."""

    folder: Path
    issuer: OpenIdIssuer
    clock: ClockAhead

    @property
    def mint(self) -> Mint:
        """Return what makes tokens for this server."""
        return Mint(self.clock, self.issuer.url)

    @property
    def files(self) -> dict[str, bytes]:
        """Return everything that is kept in the store, byte for byte."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    @property
    def posts(self) -> int:
        """Return how often a shop was sent a movie."""
        calls = self.simulator.calls
        return sum(calls[call] for call in calls if call[1] == "create")

    async def graphql(self, shown: Presented, document: str, **headers: str) -> Any:
        """Post a GraphQL document."""
        return await self.call(
            "POST",
            "/graphql",
            params=shown.query,
            headers=[*shown.headers, *headers.items()],
            json={"query": document},
        )

    async def rest(self, shown: Presented, method: str, path: str, **options: Any) -> Any:
        """Send a REST request."""
        headers = [*shown.headers, *options.pop("headers", {}).items()]
        return await self.call(method, path, params=shown.query, headers=headers, **options)

    @asynccontextmanager
    async def connected(self, shown: Presented = ANONYMOUS) -> AsyncIterator["Peer"]:
        """Open a WebSocket whose upgrade request shows a token."""
        query = "&".join(f"{name}={value}" for name, value in shown.query.items())
        async with connect(
            f"{self.url.replace('http', 'ws', 1)}/graphql?{query}",
            subprotocols=[Subprotocol(PROTOCOL)],
            additional_headers=shown.headers,
            proxy=None,
            close_timeout=0.1,
            max_size=WIRE_BYTES_MAX,
        ) as client:
            yield Peer(client)


@dataclass
class Peer:
    """A WebSocket's client, and everything that it was told."""

    client: ClientConnection
    told: str = ""

    async def say(self, message: Any) -> None:
        """Send a message."""
        await self.client.send(json.dumps(message))

    async def heard(self) -> Any:
        """Return the next message. Raises ConnectionClosed."""
        text = str(await asyncio.wait_for(self.client.recv(), WAIT_S))
        self.told += text
        return json.loads(text)

    async def greet(self, authorization: str | None = None) -> None:
        """Introduce oneself, with a token if there is one."""
        payload = {} if authorization is None else {"Authorization": authorization}
        await self.say({"type": "connection_init", "payload": payload})

    async def is_let_in(self, authorization: str | None = None) -> bool:
        """Introduce oneself, and return whether that was accepted; else the socket is closed."""
        await self.greet(authorization)
        return bool(await self.closed_or_heard() == {"type": "connection_ack"})

    async def closed_or_heard(self) -> Any:
        """Return the next message, or the close code."""
        try:
            return await self.heard()
        except ConnectionClosed:
            self.told += self.client.close_reason or ""
            return self.client.close_code

    async def asked(self, document: str, own_id: str = "1") -> Any:
        """Run an operation, and return the payload of `next` or of `error`."""
        payload = {"query": document}
        await self.say({"id": own_id, "type": "subscribe", "payload": payload})
        heard = await self.heard()
        if heard["type"] == "next":
            assert (await self.heard())["type"] == "complete"
        return heard["payload"]


@asynccontextmanager
async def guarded(
    folder: Path, jwks_path: str | None = None, **settings: Any
) -> AsyncIterator[Guarded]:
    """Run a server over healthy shops that take movies, with a store in a folder.

    `jwks_path`: where the issuer's keys are; None: the server has to find out.
    """
    users = folder / "users.toml"
    users.write_text(users_file_text(), encoding="utf-8")
    issuer, clock = OpenIdIssuer(), ClockAhead()
    issuer.keys = [jwk(KEY, "first")]
    async with Simulator(contract="b") as simulator, listening_shop(issuer.app) as url:
        issuer.url = issuer.issuer = url
        chosen = {
            "env": "dev",  # an issuer without encryption
            "store_folder": folder / "store",
            "public_url": "http://movies.example",
            "link_secret": LINK_SECRET,
            "jwt_secret": JWT_SECRET,
            "login_users_file": users,
            "openid_issuer": url,
            "openid_audience": AUDIENCE,
            "openid_jwks_url": None if jwks_path is None else url + jwks_path,
            **settings,
        }
        providers, environ = simulated_providers(simulator), simulated_secrets(simulator)
        async with serving(providers, environ, chosen, kind=Guarded, clock=clock) as server:
            server.simulator, server.issuer, server.clock = simulator, issuer, clock
            server.folder = folder / "store"
            yield server


def codes_of(body: Mapping[str, Any]) -> list[str]:
    """Return the codes of a GraphQL answer's errors."""
    return [each["extensions"]["code"] for each in body.get("errors", ())]


@contextmanager
def unchanged(server: Guarded) -> Iterator[None]:
    """Check that nothing is written to the store or sent to a shop meanwhile."""
    files, posts = server.files, server.posts
    yield
    assert (server.files, server.posts) == (files, posts)
