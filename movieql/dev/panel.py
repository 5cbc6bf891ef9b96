"""The simulator's knobs on the server's own port, for the client's panel "Try breaking it"."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from movieql.dev.faults import NotAllowedError
from movieql.dev.knobs import (
    EXAMPLE,
    knob_of,
    shown_endpoints,
    shown_knob,
    shown_modes,
    shown_refusal,
)
from movieql.dev.simulator import BODY_BYTES_MAX, Simulator
from movieql.web.bodies import RequestRefusedError
from movieql.web.features import Knobs
from movieql.web.resources import BodyLimits, json_object, json_response

KNOBS = "/dev/knobs"

BODY_S = 5.0
"""Longest wait for a knob to be here as a whole."""


class Panel:
    """The routes. `names` are what people call the shops, by provider.

    A body has to say that it is JSON: a browser asks first before it sends such a thing, or PUT or
    DELETE, for a page of another origin.
    """

    def __init__(self, simulator: Simulator, names: Mapping[str, str]) -> None:
        self._simulator = simulator
        self._names = names
        self._limits = BodyLimits(BODY_BYTES_MAX, BODY_S)

    @property
    def knobs(self) -> Knobs:
        """Return what the server has to be told of them."""
        return Knobs(
            KNOBS,
            (
                Route(KNOBS, self._shown, methods=["GET"]),
                Route(KNOBS, self._heal, methods=["DELETE"]),
                Route(f"{KNOBS}/{{shop}}", self._turn, methods=["PUT"]),
            ),
        )

    async def _shown(self, _: Request) -> Response:
        simulator = self._simulator
        shops = [
            {"id": shop, "name": self._names.get(shop, shop), **shown_knob(knob)}
            for shop, knob in simulator.knobs.items()
        ]
        modes, endpoints = shown_modes(simulator.pace), shown_endpoints()
        return _answer({"shops": shops, "modes": modes, "endpoints": endpoints})

    async def _turn(self, request: Request) -> Response:
        try:
            knob = knob_of(await json_object(request, self._limits))
            await self._simulator.turn(request.path_params["shop"], knob.mode, knob.endpoint)
        except NotAllowedError as error:
            return _answer(shown_refusal(error), 400)
        except RequestRefusedError as error:
            return _answer({"error": str(error), "allowed": [EXAMPLE]}, error.status)
        return await self._shown(request)

    async def _heal(self, request: Request) -> Response:
        await self._simulator.heal()
        return await self._shown(request)


def _answer(content: object, status: int = 200) -> Response:
    return json_response(content, status, {"Cache-Control": "no-store"})
