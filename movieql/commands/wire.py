"""JSON over HTTP to one server: bounded in time and size, redirects not followed."""

import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
from multidict import MultiMapping

from movieql.commands.credentials import Reply
from movieql.commands.endings import CommandError, ExitCode, NotNowError
from movieql.domain.retry_after import retry_after_s

BODY_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of an answer; 50 exports of 100 shops have less."""

CALL_S = 15.0
"""Seconds that one call may take."""

TRIED_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""


class Wire:
    """Posts to paths below `url` (no slash at its end)."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        call_s: float = CALL_S,
        body_bytes_max: int = BODY_BYTES_MAX,
    ) -> None:
        self._session = session
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=call_s)
        self._body_bytes_max = body_bytes_max

    async def post(self, path: str, payload: Any, token: str | None = None) -> Reply:
        """Return an answer. Raises NotNowError for one, or none, that another try may mend.

        Raises CommandError where it leads elsewhere, for a token must not go there.
        """
        headers = {"Accept": "application/graphql-response+json, application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            async with self._session.post(
                self._url + path,
                json=payload,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                self._check(response.status, response.headers)
                return Reply(response.status, _parsed(await self._body(response)))
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is one of the latter
            raise NotNowError(f"{self._url} {_reason(error)}") from error

    def _check(self, status: int, headers: MultiMapping[str]) -> None:
        if status in TRIED_AGAIN:
            raise NotNowError.after(f"{self._url} answers {status}", asked_wait_s(headers))
        if 300 <= status < 400:  # noqa: PLR2004  # what HTTP calls redirection
            raise CommandError.ending(
                ExitCode.REFUSED,
                f"{self._url} leads elsewhere: name the server's own address with --url.",
            )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > self._body_bytes_max:
                raise NotNowError(f"{self._url} answers with too much")
        return bytes(body)


def asked_wait_s(headers: MultiMapping[str]) -> float:
    """Return the seconds that `Retry-After` asks for, 0 where it asks for none."""
    return retry_after_s(headers.getall("Retry-After", ()), datetime.now(UTC)) or 0.0


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _reason(error: Exception) -> str:
    """Say what happened without what a library writes: there may be a token in that."""
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "cannot be reached: is the server running, and is --url right?"
    return "breaks off its answers"
