"""An OpenID issuer on a free port, and verifiers that ask it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from movieql.clock import SystemClock
from movieql.tokens.claims import IssuerRules
from movieql.tokens.fetching import Documents, FetchLimits, keys_at, keys_discovered
from movieql.tokens.key_sets import Fetch, KeyLifetimes, KeySet
from movieql.tokens.verifying import Issuer, Tokens
from tests.servers import listening_shop
from tests.unit.tokens.issuing import AUDIENCE, jwk, jwks, outside

Reply = Callable[[web.Request], web.StreamResponse]


class OpenIdIssuer:
    """Publishes a description and keys; `reply` takes the place of its keys."""

    def __init__(self) -> None:
        self.url = ""
        self.issuer = ""
        self.keys = [jwk("ES256")]
        self.reply: Reply | None = None
        self.delay_s = 0.0
        self.asked: list[str] = []

    @property
    def app(self) -> web.Application:
        """Return what listens."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._description)
        app.router.add_get("/keys", self._keys)
        return app

    async def _description(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return web.json_response({"issuer": self.issuer, "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        await asyncio.sleep(self.delay_s)
        return self.reply(request) if self.reply else web.Response(body=jwks(*self.keys))


@pytest.fixture
async def issuer() -> AsyncIterator[OpenIdIssuer]:
    issuer = OpenIdIssuer()
    async with listening_shop(issuer.app) as url:
        issuer.url = issuer.issuer = url
        yield issuer


class Door:
    """A verifier for an issuer's tokens, and what it noted."""

    def __init__(self, issuer: OpenIdIssuer, session: aiohttp.ClientSession) -> None:
        self._issuer = issuer
        self._session = session
        self._clock = SystemClock()
        self._sets: list[KeySet] = []
        self.failures: list[str] = []

    def keys(
        self, fetch: Callable[[Documents], Fetch], pause_s: float, limits: Mapping[str, Any]
    ) -> KeySet:
        """Return keys that are got in this way."""
        documents = Documents(
            self._session, FetchLimits(**{"https_only": False, "timeout_s": 1.0, **limits})
        )
        lifetimes = KeyLifetimes(pause_s=pause_s)
        keys = KeySet(fetch(documents), self._clock, lifetimes, self.failures.append)
        self._sets.append(keys)
        return keys

    def tokens(self, *, discovery: bool = False, pause_s: float = 0.05, **limits: Any) -> Tokens:
        """Return a verifier with keys of its own, not fetched yet."""

        def fetch(documents: Documents) -> Fetch:
            if discovery:
                return keys_discovered(documents, self._issuer.url)
            return keys_at(documents, f"{self._issuer.url}/keys")

        rules = IssuerRules(self._issuer.url, AUDIENCE, 3600)
        return Tokens([Issuer(rules, self.keys(fetch, pause_s, limits))], self._clock)

    def token(self, name: str = "first", **changed: Any) -> str:
        """Return a good token of the issuer's, for ten minutes from now."""
        now_s = int(self._clock.now().timestamp())
        good: dict[str, Any] = {"iat": now_s, "exp": now_s + 600, "iss": self._issuer.url}
        return outside("ES256", name, **(good | changed))

    async def close(self) -> None:
        """Cancel what is under way."""
        for keys in self._sets:
            await keys.close()


@pytest.fixture
async def door(issuer: OpenIdIssuer) -> AsyncIterator[Door]:
    async with aiohttp.ClientSession() as session:
        door = Door(issuer, session)
        yield door
        await door.close()
