"""Getting an issuer's keys over HTTP, from a known address or by OpenID discovery."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp

from movieql.tokens.key_sets import Fetch
from movieql.tokens.keys import KeysError, VerifyingKey, read_keys

DISCOVERY_PATH = "/.well-known/openid-configuration"
"""Where an issuer describes itself (OpenID Connect Discovery 1.0 §4)."""

_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Seconds that a document may take, its bytes, and whether only https is asked."""

    timeout_s: float = 2.0
    body_bytes_max: int = 1_000_000
    https_only: bool = True


class Documents:
    """Gets small documents of an issuer. The session belongs to whoever made it."""

    def __init__(self, session: aiohttp.ClientSession, limits: FetchLimits) -> None:
        self._session = session
        self._limits = limits

    async def get(self, url: str) -> bytes:
        """Return the body at an address. Raises KeysError; redirects are not followed."""
        if self._limits.https_only and not url.lower().startswith("https://"):
            raise KeysError("the address of the keys is not https")
        try:
            return await self._got(url)
        except TimeoutError as error:
            raise KeysError("the issuer did not answer in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise KeysError("the issuer cannot be reached") from error

    async def _got(self, url: str) -> bytes:
        async with self._session.get(
            url,
            headers={"Accept": "application/json"},
            allow_redirects=False,
            # From its threshold on aiohttp would round the end up to a whole second.
            timeout=aiohttp.ClientTimeout(total=self._limits.timeout_s, ceil_threshold=math.inf),
        ) as response:
            if response.status != HTTPStatus.OK:
                raise KeysError(f"the issuer answered {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > self._limits.body_bytes_max:
                    response.close()  # not release(): the rest must not be read
                    raise KeysError("the issuer's answer is too large")
            return bytes(body)


def keys_at(documents: Documents, jwks_url: str) -> Fetch:
    """Return how to get the keys that lie at an address."""

    async def fetch() -> Mapping[str, VerifyingKey]:
        return read_keys(await documents.get(jwks_url))

    return fetch


def keys_discovered(documents: Documents, issuer: str) -> Fetch:
    """Return how to get the keys that an OpenID issuer's own description names."""

    async def fetch() -> Mapping[str, VerifyingKey]:
        description = await documents.get(issuer.rstrip("/") + DISCOVERY_PATH)
        return read_keys(await documents.get(read_jwks_url(description, issuer)))

    return fetch


def read_jwks_url(body: bytes, issuer: str) -> str:
    """Return `jwks_uri` of an issuer's description. Raises KeysError, also for another issuer's.

    The comparison is exact, or one issuer could speak for another (Discovery 1.0 §4.3).
    """
    try:
        description: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise KeysError("the issuer's description is not JSON") from error
    if not isinstance(description, dict) or description.get("issuer") != issuer:
        raise KeysError("the description at the issuer's address is not of this issuer")
    jwks_url = description.get("jwks_uri")
    if not isinstance(jwks_url, str):
        raise KeysError("the issuer's description names no `jwks_uri`")
    return jwks_url
