"""A provider over HTTP: one attempt at a call, every failure mapped to an answer at the edge."""

import asyncio
import math
from http import HTTPStatus

import aiohttp
from multidict import MultiMapping
from yarl import URL

from movieql.domain.movies import Answer, Row, SourceErrorCode, failed
from movieql.domain.retry_after import retry_after_s
from movieql.movies.growth import Growth, ReadRows
from movieql.ports import Call, Clock, Telemetry
from movieql.providers.contract import Carried, Contract, Operation, auth_headers, nothing
from movieql.providers.guards import RETRY_AFTER_S_MAX
from movieql.providers.reading import UnusableBodyError, read_detail, read_list
from movieql.waiting import in_steps

_CHUNK_BYTES = 65_536
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}


class HttpProvider:
    """Asks one provider's API, as its contract says. The session belongs to whoever made it."""

    def __init__(
        self,
        provider: str,
        contract: Contract,
        session: aiohttp.ClientSession,
        clock: Clock,
        telemetry: Telemetry,
        carried: Carried = nothing,
    ) -> None:
        self._provider = provider
        self._contract = contract
        self._session = session
        self._clock = clock
        self._telemetry = telemetry
        self._carried = carried
        self._list_body: bytes | None = None
        self._list_rows: tuple[Row, ...] = ()
        self._reading = asyncio.Lock()
        self._growth = Growth()

    def is_reading(self) -> bool:
        """Return whether a list is here and being read, which takes long if it is long."""
        return self._reading.locked()

    async def fetch(self, call: Call, until_s: float) -> Answer:
        """Make one attempt; see `ports.Provider`."""
        started_s = self._clock.monotonic_s()
        answer = await self._attempt(call, until_s)
        elapsed_s = self._clock.monotonic_s() - started_s
        self._telemetry.upstream_call(self._provider, call, answer, elapsed_s)
        return answer

    async def _attempt(self, call: Call, until_s: float) -> Answer:
        """Exchange and read, with every failure turned into an answer."""
        operation = self._contract.list if call.movie_id is None else self._contract.detail
        if operation is None:
            return Answer(rows=(), as_of=self._clock.now(), fresh=True)
        try:
            return await self._read(
                call, *await self._exchange(operation, call.movie_id or "", until_s)
            )
        except TimeoutError:
            said = f"{self._provider} did not answer in time."
            return failed(SourceErrorCode.TIMEOUT, said)
        except UnusableBodyError as error:
            return failed(SourceErrorCode.BAD_RESPONSE, str(error))
        except (aiohttp.ClientPayloadError, aiohttp.ClientResponseError):
            return failed(SourceErrorCode.BAD_RESPONSE, "The provider's answer broke off.")
        except (aiohttp.ClientError, OSError) as error:
            return failed(
                SourceErrorCode.UNAVAILABLE,
                f"{self._provider} cannot be reached.",
                connected=not isinstance(error, aiohttp.ClientConnectorError),
            )

    async def _exchange(
        self, operation: Operation, movie_id: str, until_s: float
    ) -> tuple[int, MultiMapping[str], bytes]:
        timeout_s = until_s - self._clock.monotonic_s()
        if timeout_s <= 0:
            raise TimeoutError
        url = self._contract.url(operation, movie_id)
        async with self._session.request(
            operation.method,
            URL(url, encoded=True),
            headers=_JSON | auth_headers(operation, url, b"") | self._carried(),
            allow_redirects=False,
            # From its threshold on aiohttp would round the end up to a whole second.
            timeout=aiohttp.ClientTimeout(total=timeout_s, ceil_threshold=math.inf),
        ) as response:
            # A refusal is told by its status; its body may be broken, endless or huge.
            told = response.status == HTTPStatus.OK
            body = await read_body(response, self._contract.body_bytes_max) if told else b""
            return response.status, response.headers, body

    async def _read(
        self, call: Call, status: int, headers: MultiMapping[str], body: bytes
    ) -> Answer:
        if status == HTTPStatus.OK:
            rows = await self._read_body(call, body)
            return Answer(rows=rows, as_of=self._clock.now(), fresh=True)
        if status == HTTPStatus.NOT_FOUND and call.endpoint == "detail":
            return Answer(rows=(), as_of=self._clock.now(), fresh=True)
        return self._refusal(status, headers)

    async def _read_body(self, call: Call, body: bytes) -> tuple[Row, ...]:
        if call.movie_id is not None:
            return read_detail(body, self._contract, call.movie_id)
        async with self._reading:  # several attempts bring the same
            if body != self._list_body:
                rows = ReadRows(self._list_rows, self._growth)
                reading = read_list(body, self._contract, rows)
                self._list_rows = await in_steps(reading, self._clock)
                self._list_body = body
            return self._list_rows

    def _refusal(self, status: int, headers: MultiMapping[str]) -> Answer:
        said = f"{self._provider} answered {status}."
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return failed(SourceErrorCode.UNAUTHORIZED, said, retryable=False)
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            busy = status == HTTPStatus.TOO_MANY_REQUESTS
            return failed(
                SourceErrorCode.RATE_LIMITED if busy else SourceErrorCode.UNAVAILABLE,
                said,
                retry_at_s=retry_at_s(headers, self._clock),
            )
        # Redirects are among these: following one would take our token elsewhere.
        return failed(SourceErrorCode.BAD_RESPONSE, said, retryable=False)


async def read_body(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Read a body of at most `bytes_max`. Raises UnusableBodyError when there is more."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > bytes_max:
            response.close()  # not release(): the rest must not be read
            raise UnusableBodyError("The provider's answer is too large.")
    return bytes(body)


def retry_at_s(headers: MultiMapping[str], clock: Clock) -> float | None:
    """Return the monotonic second before which `Retry-After` asks for no call, None without."""
    wait_s = retry_after_s(headers.getall("Retry-After", ()), clock.now())
    return None if wait_s is None else clock.monotonic_s() + min(wait_s, RETRY_AFTER_S_MAX)
