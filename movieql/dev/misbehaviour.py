"""Play one call of a simulated shop in a given mode, down to the transport."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson
from aiohttp import web

from movieql.dev.contracts import Answer, Api, Sleep
from movieql.dev.faults import Mode, ObservedMix, Pace

MISSING = object()
"""Stands for a price key that is left out."""

BAD_PRICES = ("N/A", "", "-1", "NaN", "1e309", "1,299.00", None, MISSING)
"""What clients of the real shops were seen to trip over, and what a float parser lets through."""

HUGE_BYTES = 50 * 1024 * 1024
"""Far more than any client may want to hold: the whole real catalogue is under 20 kB."""

HUGE_CHUNK = b"a" * 64 * 1024
HUGE_OPENING, HUGE_CLOSING = b'{"Movies":[{"Title":"', b'"}]}'

HTML_PAGE = "<!DOCTYPE html><title>Sorry</title><h1>We will be back soon</h1>"

WRONG_SHAPE = {"status": "ok", "data": 42}

ERRORS = {
    Mode.HTTP_500: "Internal Server Error",
    Mode.HTTP_503: "Service Unavailable",
    Mode.HTTP_429: "Too Many Requests",
    Mode.HTTP_403: "Forbidden",
}
"""Bodies are made up: no error body of the real shops was ever captured."""

LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 s: closing such a socket sends a reset instead of an orderly end."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that arrived; `turn` counts the affected calls since the knob was set, from 0."""

    request: web.Request
    endpoint: str
    turn: int


@dataclass(frozen=True, slots=True)
class Performer:
    """Answers the calls of one shop, well or badly.

    A wait without end is cancelled by aiohttp when the caller hangs up or the shop's port closes.
    """

    api: Api
    mix: ObservedMix
    pace: Pace
    random: Random
    sleep: Sleep

    async def play(self, mode: Mode, call: Call) -> web.StreamResponse:
        """Answer in the given mode; the response returned is finished, or aiohttp finishes it."""
        if mode in ERRORS:
            return self._error(mode)
        plays: dict[Mode, Callable[[Call], Awaitable[web.StreamResponse]]] = {
            Mode.OK: self._well,
            Mode.SLOW: self._slowly,
            Mode.HANG: self._never,
            Mode.DRIP: self._drip,
            Mode.HTML: self._page,
            Mode.TRUNCATED: self._half,
            Mode.EMPTY: self._nothing,
            Mode.WRONG_SHAPE: self._other_shape,
            Mode.RESET: self._reset,
            Mode.HUGE: self._huge,
            Mode.BAD_PRICES: self._bad_prices,
            Mode.FLAPPING: self._every_second,
            Mode.REFUSE: self._reset,  # arrived while the port was closing
            Mode.OBSERVED: self._observed,
        }
        return await plays[mode](call)

    async def _answer(self, call: Call) -> Answer:
        await self.sleep(self.pace.latency_s)
        return await self.api.answer(call.request)

    async def _well(self, call: Call) -> web.Response:
        return _response(await self._answer(call))

    async def _slowly(self, call: Call) -> web.Response:
        await self.sleep(self.pace.slow_s)
        return _response(await self.api.answer(call.request))

    async def _never(self, _call: Call) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError  # pragma: no cover - nobody sets the event

    def _error(self, mode: Mode) -> web.Response:
        response = _response(Answer(int(mode), {"message": ERRORS[mode]}))
        if mode is Mode.HTTP_429:
            response.headers["Retry-After"] = str(self.pace.retry_after_s)
        return response

    async def _drip(self, call: Call) -> web.StreamResponse:
        answer = await self._answer(call)
        body = orjson.dumps(answer.content)
        response = await _started(call, answer.status, len(body))
        for byte in body:
            await response.write(bytes((byte,)))
            await self.sleep(self.pace.drip_s)
        return response

    async def _half(self, call: Call) -> web.StreamResponse:
        answer = await self._answer(call)
        body = orjson.dumps(answer.content)
        response = await _started(call, answer.status, len(body))
        await response.write(body[: len(body) // 2])
        if call.request.transport:
            call.request.transport.close()
        return response

    async def _page(self, _call: Call) -> web.Response:
        return web.Response(text=HTML_PAGE, content_type="text/html")

    async def _nothing(self, call: Call) -> web.Response:
        return _response(Answer(200, self.api.empty_list if call.endpoint == "list" else {}))

    async def _other_shape(self, _call: Call) -> web.Response:
        return _response(Answer(200, WRONG_SHAPE))

    async def _reset(self, call: Call) -> web.Response:
        transport = call.request.transport
        if transport:
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT
            )
            transport.abort()
        return web.Response()  # goes nowhere: the connection is gone

    async def _huge(self, call: Call) -> web.StreamResponse:
        response = await _started(call, 200)
        await response.write(HUGE_OPENING)
        for _ in range(HUGE_BYTES // len(HUGE_CHUNK)):
            await response.write(HUGE_CHUNK)
        await response.write(HUGE_CLOSING)
        return response

    async def _bad_prices(self, call: Call) -> web.Response:
        answer = await self._answer(call)
        return _response(Answer(answer.status, self._mispriced(answer.content, call.turn)))

    def _mispriced(self, content: Any, turn: int) -> Any:
        """Spoil the prices that are there: contract A's list has none and stays as it is."""
        if isinstance(content, list):
            return [self._mispriced(item, turn + at) for at, item in enumerate(content)]
        if self.api.price_key not in content:
            return content
        price = BAD_PRICES[turn % len(BAD_PRICES)]
        spoilt = {**content, self.api.price_key: price}
        if price is MISSING:
            del spoilt[self.api.price_key]
        return spoilt

    async def _every_second(self, call: Call) -> web.Response:
        return self._error(Mode.HTTP_500) if call.turn % 2 else await self._well(call)

    async def _observed(self, call: Call) -> web.StreamResponse:
        draw = self.mix.draw(self.random)
        await self.sleep(draw.latency_s)
        return await self.play(draw.mode, call)


def _response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=orjson.dumps(answer.content),
        content_type="application/json",
        charset="utf-8",
    )


async def _started(call: Call, status: int, length: int | None = None) -> web.StreamResponse:
    """Send the headers; without a length the body is sent in chunks."""
    response = web.StreamResponse(status=status)
    response.content_type, response.content_length = "application/json", length
    await response.prepare(call.request)
    return response
