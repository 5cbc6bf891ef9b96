"""Posting a movie to a provider's own API: one attempt, and what is known of its outcome."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import aiohttp
from multidict import MultiMapping
from yarl import URL

from movieql.domain.additions import Addition
from movieql.domain.movies import Answer, SourceError, SourceErrorCode
from movieql.ports import NO_TRACES, Call, Clock, Endpoint, Telemetry, Tracer
from movieql.providers.contract import (
    Carried,
    Contract,
    HeaderAuth,
    Operation,
    SigV4Auth,
    auth_headers,
    note_outcome,
    nothing,
)
from movieql.providers.guards import Cooldown
from movieql.providers.http import read_body, retry_at_s
from movieql.providers.reading import UnusableBodyError, read_created

REFUSAL_CHARACTERS_MAX = 200
"""Characters of a provider's own words that are passed on."""

CONNECT_SHARE = 0.5
"""Share of its time that a POST waits for a connection; later too little is left for an answer.

Giving up then, and not at the end, is how it is known that nothing was sent.
"""

_REFUSAL_BYTES_MAX = 4_096
_NOT_WRITTEN = frozenset({"id", "created_at"})  # the provider's own to give
_STORED = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
_PROOF = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_Exchanged = tuple[int, MultiMapping[str], bytes]


class Posted(Call):
    """A movie that was posted, as operators are told of it: neither list nor detail."""

    @property
    def endpoint(self) -> Endpoint:
        """Say `create`."""
        return "create"


POSTED = Posted()
"""The one value there is."""


class HttpPosting:
    """Posts movies to one provider, as its contract says. The session belongs to its maker.

    `takes`: the fields that the provider has a name for, none when it takes no movies.
    `honours_keys`: whether the same key makes two attempts one.
    """

    def __init__(
        self,
        provider: str,
        contract: Contract,
        session: aiohttp.ClientSession,
        clock: Clock,
        telemetry: Telemetry,
        cooldown: Cooldown,
        tracer: Tracer = NO_TRACES,
        carried: Carried = nothing,
    ) -> None:
        self._provider = provider
        self._contract = contract
        self._session = session
        self._clock = clock
        self._telemetry = telemetry
        self._cooldown = cooldown
        self._tracer = tracer
        self._carried = carried
        written = contract.keys.keys() - _NOT_WRITTEN
        self.takes = frozenset(written if contract.create is not None else ())
        self.honours_keys = contract.idempotency_header is not None

    async def add(self, fields: Mapping[str, object], until_s: float, key: str) -> Addition:
        """Post a movie once, by the monotonic second `until_s`; every failure is a value.

        `fields` are ours, of `takes`, and go out under the provider's own names: texts, whole
        numbers, and Decimals as exact JSON numbers. `key` goes along where it is honoured.
        """
        operation = self._contract.create
        unknown = sorted(fields.keys() - self.takes)
        if operation is None or unknown:
            what = f"no {', '.join(unknown)}" if operation else "no new movies"
            return self._failed(SourceErrorCode.BAD_RESPONSE, f"takes {what}.")
        started_s = self._clock.monotonic_s()
        held = self._cooldown.error(started_s)
        if held is not None:
            return Addition(error=held)
        timeout_s = until_s - started_s
        if timeout_s <= 0:
            return self._failed(SourceErrorCode.TIMEOUT, "was not asked: no time was left.")
        addition = await self._traced(operation, self._written(fields), timeout_s, key)
        self._cooldown.note(addition.error)
        elapsed_s = self._clock.monotonic_s() - started_s
        self._telemetry.upstream_call(self._provider, POSTED, _as_answer(addition), elapsed_s)
        return addition

    async def _traced(
        self, operation: Operation, body: bytes, timeout_s: float, key: str
    ) -> Addition:
        facts = {"provider": self._provider, "endpoint": POSTED.endpoint}
        with self._tracer.span(f"call {self._provider}", "call", **facts, attempt=1) as span:
            addition = await self._posted(operation, body, timeout_s, key)
            note_outcome(span, addition.error)
            return addition

    async def _posted(
        self, operation: Operation, body: bytes, timeout_s: float, key: str
    ) -> Addition:
        """Exchange and read. What was sent and not answered may have been carried out."""
        try:
            return self._read(*await self._exchange(operation, body, timeout_s, key))
        except aiohttp.ConnectionTimeoutError:  # of TimeoutErrors the one before sending
            return self._unreached(SourceErrorCode.TIMEOUT)
        except TimeoutError:
            return self._unknown(SourceErrorCode.TIMEOUT, "did not answer in time.")
        except aiohttp.ClientConnectorError:
            return self._unreached(SourceErrorCode.UNAVAILABLE)
        except (UnusableBodyError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError):
            return self._unknown(SourceErrorCode.BAD_RESPONSE, "answered what nobody can read.")
        except (aiohttp.ClientError, OSError):
            return self._unknown(SourceErrorCode.UNAVAILABLE, "hung up without an answer.")

    async def _exchange(
        self, operation: Operation, body: bytes, timeout_s: float, key: str
    ) -> _Exchanged:
        url = self._contract.url(operation)
        header = self._contract.idempotency_header
        async with self._session.request(
            operation.method,
            URL(url, encoded=True),
            data=body,
            headers=_JSON
            | ({} if header is None else {header: key})
            | auth_headers(operation, url, body)
            | self._carried(),
            allow_redirects=False,
            # From its threshold on aiohttp would round the end up to a whole second.
            timeout=aiohttp.ClientTimeout(
                total=timeout_s, connect=timeout_s * CONNECT_SHARE, ceil_threshold=math.inf
            ),
        ) as response:
            told = await self._told(response)
            return response.status, response.headers, told

    async def _told(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status in _STORED:
            return await read_body(response, self._contract.body_bytes_max)
        if not _is_refusal(response.status):
            return b""
        try:
            return await read_body(response, _REFUSAL_BYTES_MAX)
        except (UnusableBodyError, aiohttp.ClientError, OSError):  # a timeout is an OSError
            return b""  # the status says enough

    def _read(self, status: int, headers: MultiMapping[str], body: bytes) -> Addition:
        if status in _STORED:
            (row,) = read_created(body, self._contract)
            return Addition(row, status=status)
        said = f"{self._provider} answered {status}{self._own_words(status, body)}"
        wait_until_s = retry_at_s(headers, self._clock)
        if not _is_refusal(status):
            # Gateways answer 502 and 504 for what was carried out behind them.
            server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
            code = SourceErrorCode.UNAVAILABLE if server else SourceErrorCode.BAD_RESPONSE
            retryable, retry_s = server and self.honours_keys, wait_until_s if server else None
            error = SourceError(code, said, retryable, retry_s)
            return Addition(error=error, status=status, may_have_happened=True)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            error = SourceError(SourceErrorCode.RATE_LIMITED, said, retry_at_s=wait_until_s)
            return Addition(error=error, status=status)
        wrong = status in _PROOF
        code = SourceErrorCode.UNAUTHORIZED if wrong else SourceErrorCode.BAD_RESPONSE
        return Addition(error=SourceError(code, said, retryable=False), status=status)

    def _own_words(self, status: int, body: bytes) -> str:
        """Return what a refusal says in plain words, else a full stop.

        Never of a refusal of our proof: it may repeat the proof.
        """
        words = "" if status in _PROOF else _words(body)
        if not words or any(secret in words for secret in _secrets(self._contract)):
            return "."
        return f": {words}"

    def _written(self, fields: Mapping[str, object]) -> bytes:
        keys = self._contract.keys
        pairs = (f"{json.dumps(keys[ours])}: {_json(fields[ours])}" for ours in fields)
        return f"{{{', '.join(pairs)}}}".encode()

    def _failed(self, code: SourceErrorCode, said: str) -> Addition:
        return Addition(error=SourceError(code, f"{self._provider} {said}", retryable=False))

    def _unreached(self, code: SourceErrorCode) -> Addition:
        return Addition(error=SourceError(code, f"{self._provider} cannot be reached."))

    def _unknown(self, code: SourceErrorCode, said: str) -> Addition:
        error = SourceError(code, f"{self._provider} {said}", retryable=self.honours_keys)
        return Addition(error=error, may_have_happened=True)


def _is_refusal(status: int) -> bool:
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _words(body: bytes) -> str:
    """Return the sentence of a refusal in JSON, as the known shops and gateways put it."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict):
        return ""
    sentences = (told.get(key) for key in ("error", "message", "detail"))
    sentence = next((each for each in sentences if isinstance(each, str)), "")
    printable = "".join(each if each.isprintable() else " " for each in sentence)
    return " ".join(printable.split())[:REFUSAL_CHARACTERS_MAX]


def _secrets(contract: Contract) -> list[str]:
    match contract.create and contract.create.auth:
        case HeaderAuth(token=token):
            return [token]
        case SigV4Auth() as auth:
            several = (auth.access_key, auth.secret_key, auth.session_token)
            return [each for each in several if each]
    return []


def _json(value: object) -> str:
    """Return a value as JSON; a Decimal exactly, which `json` has no way to say."""
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


def _as_answer(addition: Addition) -> Answer:
    rows = None if addition.row is None else (addition.row,)
    return Answer(rows, fresh=rows is not None, error=addition.error)
