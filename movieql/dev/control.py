"""The control server: knobs, counts and posters over HTTP, for people and other processes."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from movieql.dev.faults import Mode, NotAllowedError
from movieql.dev.knobs import EXAMPLE, knob_of, shown_knob, shown_refusal
from movieql.dev.posters import draw

if TYPE_CHECKING:
    from movieql.dev.simulator import Simulator

BODY_BYTES_MAX = 4 * 1024
"""A knob is under 100 bytes; more than this is answered with 413."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """The handlers; a refused value is a 400 `{"error": text, "allowed": [text, ...]}`."""

    def __init__(self, simulator: "Simulator") -> None:
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
