"""Takes one invocation after another from the Runtime API of AWS Lambda, and answers it.

The API is plain HTTP on an address that Lambda gives: wait for the next invocation, post its
response or its error. Between invocations Lambda stops the whole process.
"""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from movieql.ports import Clock
from movieql.web.telemetry import Logger

API_VERSION = "2018-06-01"
"""Of the Runtime API; there is no other."""

MARGIN_S = 0.5
"""Seconds before Lambda's deadline at which an invocation is given up, so that it is told."""

INVOCATION_S_MAX = 900.0
"""Longest invocation that Lambda knows."""

POST_S = 10.0
"""Longest wait for the Runtime API to take an answer."""

_OK = 200
_TOO_LARGE = 413

Handle = Callable[[Any], Awaitable[Mapping[str, Any]]]
"""Answers an event. What it raises becomes the invocation's error."""


class RuntimeApiError(Exception):
    """The Runtime API did not answer as it should: Lambda starts another process."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda asks: the event as JSON, and the time of day at which it gives up."""

    request_id: str
    deadline_ms: int
    body: bytes


class LambdaRuntime:
    """Answers invocations with `handle`, one at a time, as Lambda gives them.

    `address`: host and port of the Runtime API (`AWS_LAMBDA_RUNTIME_API`).
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        address: str,
        handle: Handle,
        clock: Clock,
        logger: Logger,
    ) -> None:
        self._session = session
        self._root = f"http://{address}/{API_VERSION}/runtime/invocation"
        self._handle = handle
        self._clock = clock
        self._logger = logger

    async def run(self) -> None:
        """Answer invocations for ever. Raises RuntimeApiError when there is nobody to ask."""
        while True:
            await self.answer_next()

    async def answer_next(self) -> None:
        """Wait for an invocation and answer it. No fault of its own ends the process."""
        invocation = await self._next()
        try:
            async with asyncio.timeout(self._left_s(invocation)):
                answer = await self._handle(json.loads(invocation.body))
            body = json.dumps(answer).encode()
        except Exception as error:  # noqa: BLE001  # the next invocation is another's
            await self._fail(invocation, error)
            return
        status = await self._post(invocation, "response", body)
        if status == _TOO_LARGE:
            await self._fail(invocation, ValueError("The answer is larger than Lambda takes."))

    async def _next(self) -> Invocation:
        # Without a bound: it comes when somebody asks, and until then the process is stopped.
        unbounded = aiohttp.ClientTimeout(total=None)
        try:
            async with self._session.get(f"{self._root}/next", timeout=unbounded) as response:
                body = await response.read()
                if response.status != _OK:
                    raise RuntimeApiError(f"The Runtime API answered {response.status}.")
                headers = response.headers
                return Invocation(
                    headers["Lambda-Runtime-Aws-Request-Id"],
                    int(headers["Lambda-Runtime-Deadline-Ms"]),
                    body,
                )
        except (aiohttp.ClientError, KeyError, ValueError) as error:
            raise RuntimeApiError("The Runtime API gave no invocation.") from error

    def _left_s(self, invocation: Invocation) -> float:
        left_s = invocation.deadline_ms / 1000 - self._clock.now().timestamp() - MARGIN_S
        return min(max(left_s, 0.0), INVOCATION_S_MAX)

    async def _fail(self, invocation: Invocation, error: Exception) -> None:
        kind = type(error).__name__
        self._logger.error(
            "fault of ours",
            where="invocation",
            aws_request_id=invocation.request_id,
            exc_info=error,
        )
        # What went wrong is in the log; API Gateway's caller learns that something did.
        told = {"errorType": kind, "errorMessage": "The invocation failed; see the log."}
        await self._post(
            invocation,
            "error",
            json.dumps(told).encode(),
            {"Lambda-Runtime-Function-Error-Type": f"Runtime.{kind}"},
        )

    async def _post(
        self,
        invocation: Invocation,
        what: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        url = f"{self._root}/{invocation.request_id}/{what}"
        bounded = aiohttp.ClientTimeout(total=POST_S)
        data = io.BytesIO(body)  # aiohttp warns of large bodies unless they come as files
        try:
            async with self._session.post(
                url, data=data, headers=headers, timeout=bounded
            ) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RuntimeApiError("The Runtime API took no answer.") from error
