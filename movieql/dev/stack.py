"""`movieql dev`: the simulator and the server in one process, nothing to configure."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from movieql.app import build_app
from movieql.dev.simulator import Simulator
from movieql.settings import Settings
from movieql.settings.providers import ProviderSettings, parse_providers
from movieql.web.logs import Logger
from movieql.web.server import bind, serve

DEV_PROFILE: Mapping[str, str] = {
    "ENV": "dev",
    "LOG_FORM": "console",
    # Short lives, so that a person sees a shop break and heal (design §10); and no serving of
    # old data during a refresh, so that what healthy shops say is always certain.
    "FRESH_S": "2",
    "FRESH_JITTER": "0",
    "STALE_WHILE_REFRESH_S": "2",
    "NEGATIVE_S": "2",
    # A hung call is given up soon, so that a healed shop is seen soon.
    "LATE_BUDGET_S": "4",
    "BREAKER_OPEN_S": "1",
    "BREAKER_OPEN_S_MAX": "2",
}
"""What `dev` sets where the environment says nothing."""


def simulated_providers(simulator: Simulator) -> tuple[ProviderSettings, ...]:
    """Return the ready settings of the simulator's contract, pointed at its shops."""
    name = f"contract_{simulator.contract}.toml"
    text = resources.files("movieql.providers").joinpath("examples", name).read_text("utf-8")
    document = tomllib.loads(text)
    for provider in document["providers"]:
        provider["base_url"] = simulator.provider_url(provider["id"])
    return parse_providers(document)


def simulated_secrets(simulator: Simulator) -> dict[str, str]:
    """Return the environment that the ready settings read their secrets from."""
    return {
        "CINEMAWORLD_TOKEN": simulator.token,
        "FILMWORLD_TOKEN": simulator.token,
        "SHOPS_ACCESS_KEY": simulator.signing_key.access_key,
        "SHOPS_SECRET_KEY": simulator.signing_key.secret_key,
    }


async def run_stack(
    settings: Settings,
    simulator: Simulator,
    logger: Logger,
    knobs: Iterable[tuple[str, str]] = (),
) -> None:
    """Run everything until a signal; `knobs` are (shop, mode) turned before the first question.

    Raises SettingsError or PortBusyError when a port is taken, NotAllowedError for a bad knob.
    """
    bound = bind(settings.host, settings.port)
    try:
        async with simulator:
            for shop, mode in knobs:
                await simulator.turn(shop, mode)
            app = build_app(
                settings, simulated_providers(simulator), simulated_secrets(simulator), logger
            )
            await serve(
                app,
                bound,
                settings.shutdown_s,
                lambda url: print(welcome(url, simulator.url), flush=True),  # noqa: T201
            )
    finally:
        bound.close()


def welcome(url: str, simulator_url: str) -> str:
    """Return what a newcomer reads: the URL and three things to try."""
    operation = Path("schema/operations/CheapestMovies.graphql")
    return f"""
  movieql is ready:  {url}

  1. Open {url}/graphql in a browser and press the run button.
  2. Ask for the cheapest prices:
     curl -sG {url}/graphql --data-urlencode query@{operation}
  3. Break a shop, ask again, and heal it:
     curl -X PUT {simulator_url}/knobs/filmworld -d '{{"mode": "hang"}}'
     curl -X DELETE {simulator_url}/knobs

  Ctrl-C stops everything.
"""
