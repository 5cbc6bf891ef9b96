"""The flaky-provider simulator: the shops on ports of their own, and a control server."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Self

import orjson
from aiohttp import web

from movieql.dev.catalogues import Catalogue, Stock, captured, read_data
from movieql.dev.contracts import Api, ApiA, ApiB, Clock, Contract, Sleep
from movieql.dev.faults import Knob, Mode, NotAllowedError, ObservedMix, Pace, known_provider
from movieql.dev.knobs import EXAMPLE, knob_of, shown_knob, shown_refusal
from movieql.dev.listener import Listener
from movieql.dev.misbehaviour import Performer
from movieql.dev.posters import draw
from movieql.dev.shop import CallKey, Shop
from movieql.dev.sigv4 import SigningKey

BODY_BYTES_MAX = 4 * 1024
"""A knob is under 100 bytes; more than this is answered with 413."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def utc_now() -> datetime:
    """Give the time in UTC."""
    return datetime.now(UTC)


def seven() -> Random:
    """Give a new generator with the seed 7, so that unseeded runs repeat too."""
    return Random(7)  # noqa: S311 - has to be repeatable, guards nothing


@dataclass(kw_only=True)
class Simulator:
    """Shops that fail on request, listening while the `async with` block runs.

    Entering raises `PortBusyError` when a port is taken. Leaving takes less than a second, also
    with calls that hang.
    """

    host: str = "127.0.0.1"
    """Address to listen on, and the host in every URL given out."""
    port: int = 0
    """Port of the control server; the shops take the next ones in order. 0: any free ports."""
    catalogues: Mapping[str, Catalogue] = field(default_factory=captured)
    """What each shop sells, by provider: `captured()`, or `invented(count, seed)`."""
    contract: Contract | str = Contract.A
    """The API all shops speak, `a` or `b`."""
    token: str = "simulator"  # noqa: S105 - made up, opens only the simulator
    """What contract A wants in `x-access-token`."""
    signing_key: SigningKey = field(default_factory=SigningKey)
    """What contract B's POST has to be signed with."""
    knob: Knob = field(default_factory=Knob)
    """What every shop does at the start."""
    pace: Pace = field(default_factory=Pace)
    """How long slow things take."""
    random: Random = field(default_factory=seven)
    """Source of the observed mix (each shop gets its own seed from it) and of posted ids."""
    sleep: Sleep = asyncio.sleep
    """Waits for so many seconds."""
    now: Clock = utc_now
    """Gives `createdAt` of a posted item."""

    calls: Counter[CallKey] = field(default_factory=Counter, init=False)
    """Calls since the start by (provider, endpoint, id or ""), counted as they arrive."""
    _control: Listener = field(init=False, repr=False)
    _shops: dict[str, Shop] = field(default_factory=dict, init=False, repr=False)
    _listeners: dict[str, Listener] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse an unknown contract at once."""
        if self.contract not in list(Contract):
            raise NotAllowedError(self.contract, "contract", Contract)

    async def __aenter__(self) -> Self:
        """Bind all ports, then listen on them."""
        self._control = Listener(self.host, self.port, _Control(self).app)
        try:
            self._bind_shops()
            await self._control.open()
            for provider in self._shops:
                await self._turn(provider, self.knob)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all connections and free the ports."""
        await self._close()

    @property
    def url(self) -> str:
        """Base of the control server and of all posters, without a slash at the end."""
        return self._control.url

    def provider_url(self, provider: str) -> str:
        """Give the base below which a shop's `/movies` and `/movie/{ID}` are.

        Contract A: `http://127.0.0.1:40123/api/filmworld`; contract B has `/dev` for `/api`.
        """
        base_path = self._shop(provider).performer.api.base_path
        return f"{self._listeners[provider].url}{base_path}/{provider}"

    @property
    def knobs(self) -> dict[str, Knob]:
        """What each shop does now, by provider."""
        return {provider: shop.knob for provider, shop in self._shops.items()}

    async def turn(self, provider: str, mode: str, endpoint: str = "all") -> None:
        """Let a shop behave in a mode of `Mode` for `all` calls, or only `list` or `detail`.

        Calls in flight keep what they have, but `refuse` ends them with the listener. Raises
        `NotAllowedError`, with the known values, for an unknown provider, mode or endpoint.
        """
        await self._turn(provider, Knob.of(mode, endpoint))

    async def heal(self) -> None:
        """Let all shops be well."""
        for provider in self._shops:
            await self._turn(provider, Knob())

    def forget_calls(self) -> None:
        """Start counting calls from nothing."""
        self.calls.clear()

    def change(self, provider: str, movie_id: str, **fields: Any) -> None:
        """Set fields of a movie as the contract names and types them, or add it: `Price="9.5"`.

        Contract B has its own ids (`catalogues.bare_id`) and `price=9.5`. Nothing is checked, so
        that nonsense can be sold too. Raises `NotAllowedError` for an unknown provider.
        """
        self._stock(provider).change(movie_id, fields)

    def withdraw(self, provider: str, movie_id: str) -> None:
        """Stop selling a movie. Raises `NotAllowedError` for an unknown provider or movie."""
        self._stock(provider).withdraw(movie_id)

    def _bind_shops(self) -> None:
        facts = read_data("observed_faults.json")
        for number, (provider, catalogue) in enumerate(self.catalogues.items(), start=1):
            # An invented third shop was never measured: it behaves as the first one.
            mix = ObservedMix(facts.get(provider, facts["cinemaworld"]))
            random = Random(self.random.getrandbits(64))  # noqa: S311 - has to be repeatable
            performer = Performer(self._api(catalogue), mix, self.pace, random, self.sleep)
            shop = Shop(provider, performer, self.calls)
            port = self.port and self.port + number
            self._listeners[provider] = Listener(self.host, port, shop.app)
            self._shops[provider] = shop

    def _api(self, catalogue: Catalogue) -> Api:
        if self.contract == Contract.A:
            return ApiA(catalogue, self.url, self.token, self.pace.forbidden_s, self.sleep)
        return ApiB(catalogue.bare(), self.signing_key, self.random, self.now)

    async def _turn(self, provider: str, knob: Knob) -> None:
        self._shop(provider).turn(knob)
        listener = self._listeners[provider]
        await (listener.refuse() if knob.mode is Mode.REFUSE else listener.open())

    def _shop(self, provider: str) -> Shop:
        return self._shops[known_provider(provider, self._shops)]

    def _stock(self, provider: str) -> Stock:
        return self._shop(provider).performer.api.stock

    async def _close(self) -> None:
        """Close all ports at once: each may need up to twice `listener.SHUTDOWN_S`."""
        listeners = (self._control, *self._listeners.values())
        await asyncio.gather(*(listener.close() for listener in listeners))


class _Control:
    """Knobs, counts and posters over HTTP, for people and other processes.

    A refused value is a 400 `{"error": text, "allowed": [text, ...]}`.
    """

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def app(self) -> web.Application:
        """Build the web application."""
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_explain])
        app.router.add_get("/", self._about)
        app.router.add_get("/knobs", self._knobs)
        app.router.add_put("/knobs/{provider}", self._turn)
        app.router.add_delete("/knobs", self._heal)
        app.router.add_get("/calls", self._calls)
        app.router.add_delete("/calls", self._forget_calls)
        app.router.add_get("/posters/{id}.svg", self._poster)
        return app

    async def _about(self, _request: web.Request) -> web.Response:
        simulator = self._simulator
        shops = [
            f"  {name}: {simulator.provider_url(name)}/movies" for name in simulator.catalogues
        ]
        return web.Response(
            text=_ABOUT.format(
                shops="\n".join(shops),
                url=simulator.url,
                provider=next(iter(simulator.catalogues)),
                modes=" ".join(Mode),
            )
        )

    async def _knobs(self, _request: web.Request) -> web.Response:
        knobs = self._simulator.knobs.items()
        return _json({name: shown_knob(knob) for name, knob in knobs})

    async def _turn(self, request: web.Request) -> web.Response:
        knob = knob_of(await _body(request))
        await self._simulator.turn(request.match_info["provider"], knob.mode, knob.endpoint)
        return await self._knobs(request)

    async def _heal(self, request: web.Request) -> web.Response:
        await self._simulator.heal()
        return await self._knobs(request)

    async def _calls(self, _request: web.Request) -> web.Response:
        calls = [
            {"provider": provider, "endpoint": endpoint, "id": movie_id, "count": count}
            for (provider, endpoint, movie_id), count in self._simulator.calls.items()
        ]
        return _json({"total": self._simulator.calls.total(), "calls": calls})

    async def _forget_calls(self, request: web.Request) -> web.Response:
        self._simulator.forget_calls()
        return await self._calls(request)

    async def _poster(self, request: web.Request) -> web.Response:
        movie_id = request.match_info["id"]
        for catalogue in self._simulator.catalogues.values():
            movie = catalogue.movies.get(movie_id)
            if movie and movie_id not in catalogue.broken_posters:
                svg = draw(str(movie.get("Title", "")), str(movie.get("Year", "")))
                return web.Response(text=svg, content_type="image/svg+xml")
        raise web.HTTPNotFound


async def _body(request: web.Request) -> dict[str, Any]:
    """Read a JSON object; anything else is refused."""
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        body = "not JSON"
    if not isinstance(body, dict):
        raise NotAllowedError(body, "body", (EXAMPLE,))
    return body


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except NotAllowedError as error:
        return _json(shown_refusal(error), status=400)


def _json(content: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(content), content_type="application/json")


_ABOUT = """\
The flaky-provider simulator of movieql. The shops:
{shops}

What they do:            curl {url}/knobs
Let one fail:            curl -X PUT {url}/knobs/{provider} -d '{{"mode": "hang"}}'
Only one endpoint:       ... -d '{{"mode": "500", "endpoint": "detail"}}'
Let all be well again:   curl -X DELETE {url}/knobs
See the calls counted:   curl {url}/calls
Forget the counts:       curl -X DELETE {url}/calls

Modes: {modes}
Endpoints: all list detail
"""
