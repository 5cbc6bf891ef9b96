"""One simulated shop: counts its calls, and answers them as its knob says."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from movieql.dev.contracts import Route
from movieql.dev.faults import Knob, Mode
from movieql.dev.misbehaviour import Call, Performer

BODY_BYTES_MAX = 64 * 1024
"""A posted movie is well under 1 kB; more than this is answered with 413."""

CallKey = tuple[str, str, str]
"""Provider, endpoint (`list`, `detail` or `create`), and the movie's id or an empty text."""


@dataclass
class Shop:
    """A shop and its knob. `calls` is shared with the other shops."""

    provider: str
    performer: Performer
    calls: Counter[CallKey]
    knob: Knob = field(default_factory=Knob)
    turns: int = 0
    """Affected calls since the knob was set."""

    def turn(self, knob: Knob) -> None:
        """Set the knob for calls that arrive from now on; those in flight stay as they are."""
        self.knob, self.turns = knob, 0

    def app(self) -> web.Application:
        """Build the shop's web application, below `/api/{provider}` or `/dev/{provider}`."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        api = self.performer.api
        for route in api.routes:
            path = f"{api.base_path}/{self.provider}{route.path}"
            app.router.add_route(route.method, path, self._handler(route))
        return app

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            movie_id = next(iter(request.match_info.values()), "")
            self.calls[self.provider, route.endpoint, movie_id] += 1
            return await self._answer(request, route.endpoint)

        return handle

    async def _answer(self, request: web.Request, endpoint: str) -> web.StreamResponse:
        mode, turn = self.knob.mode_for(endpoint), self.turns
        self.turns += mode is not Mode.OK
        return await self.performer.play(mode, Call(request, endpoint, turn))
