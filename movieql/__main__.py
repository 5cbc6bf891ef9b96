"""The command line: `movieql dev`, `serve`, `simulate`, `schema`."""

import asyncio
import logging
import os
import random
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
import uvloop

from movieql.api.schema import build_schema, schema_text
from movieql.app import build_app
from movieql.dev.catalogues import captured, invented
from movieql.dev.contracts import Contract
from movieql.dev.faults import Knob, Mode, SimulatorError
from movieql.dev.listener import PortBusyError
from movieql.dev.simulator import Simulator
from movieql.dev.stack import DEV_PROFILE, run_stack
from movieql.domain.errors import MovieqlError, SettingsError
from movieql.settings import ENVIRONMENT_PREFIX, Settings, from_environ
from movieql.settings.providers import load_providers
from movieql.web.logs import ForwardToStructlog, Logger, make_logger
from movieql.web.server import bind, serve

SIMULATOR_PORT = click.IntRange(0, 65_500)
"""Below the highest port, for the shops take the ones behind it."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="movieql")
def main() -> None:
    """Find the cheapest price of a movie, from shops that are slow, lying or dead."""


@main.command()
@click.option("--port", type=int, help="Port of the server; 0 takes a free one.  [default: 8000]")
@click.option(
    "--simulator-port",
    type=SIMULATOR_PORT,
    default=8001,
    show_default=True,
    help="Port of the simulator; its shops take the next ones, and 0 takes free ones.",
)
@click.option("--mode", "modes", multiple=True, metavar="SHOP=MODE", help="Break a shop.")
@click.option("--faults", type=click.Choice(["none", "observed"]), default="none")
@click.option("--seed", default=7, show_default=True, help="Seed of the observed faults.")
@click.option("--movies", type=int, help="Invent so many movies per shop.")
def dev(  # one per option
    port: int | None,
    simulator_port: int,
    modes: tuple[str, ...],
    faults: str,
    seed: int,
    movies: int | None,
) -> None:
    """Run everything on this machine: simulated shops and the server, nothing to configure."""
    given = {
        f"{ENVIRONMENT_PREFIX}{name.upper()}": str(value) for name, value in DEV_PROFILE.items()
    }
    settings = _settings(given | os.environ | _given_port(port))
    simulator = _simulator(simulator_port, faults, seed, movies, Contract.A)
    logger = _logger(settings)

    async def run() -> None:
        await run_stack(settings, simulator, logger, _knobs(modes))

    _run(run(), simulator_option="--simulator-port")


@main.command(name="serve")
@click.option("--host", help="Address to listen on.  [default: MOVIEQL_HOST or 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: MOVIEQL_PORT or 8000]")
def serve_command(host: str | None, port: int | None) -> None:
    """Serve, with settings from MOVIEQL_ variables and providers from MOVIEQL_PROVIDERS_FILE."""
    given_host = {} if host is None else {f"{ENVIRONMENT_PREFIX}HOST": host}
    settings = _settings(os.environ | given_host | _given_port(port))
    if settings.providers_file is None:
        raise click.ClickException(
            "MOVIEQL_PROVIDERS_FILE is not set: name a TOML file of providers "
            "(docs/settings.md shows one), or try `movieql dev`."
        )
    logger = _logger(settings)

    async def run(providers_file: Path) -> None:
        app = build_app(settings, load_providers(providers_file), os.environ, logger)
        with bind(settings.host, settings.port) as bound:
            await serve(
                app,
                bound,
                settings.shutdown_s,
                lambda url: logger.info("listening", url=url),
            )

    _run(run(settings.providers_file))


@main.command()
@click.option(
    "--port",
    type=SIMULATOR_PORT,
    default=8001,
    show_default=True,
    help="Port of the control server; the shops take the next ones, and 0 takes free ones.",
)
@click.option("--mode", "modes", multiple=True, metavar="SHOP=MODE", help="Break a shop.")
@click.option("--faults", type=click.Choice(["none", "observed"]), default="none")
@click.option("--seed", default=7, show_default=True, help="Seed of the observed faults.")
@click.option("--movies", type=int, help="Invent so many movies per shop.")
@click.option(
    "--contract",
    type=click.Choice([contract.value for contract in Contract], case_sensitive=False),
    default=Contract.A.value,
    show_default=True,
    help="The API that the shops speak.",
)
def simulate(  # one per option
    port: int,
    modes: tuple[str, ...],
    faults: str,
    seed: int,
    movies: int | None,
    contract: str,
) -> None:
    """Run the simulated shops alone; their control server explains itself at its root."""
    simulator = _simulator(port, faults, seed, movies, Contract(contract))

    async def run() -> None:
        async with simulator:
            for shop, mode in _knobs(modes):
                await simulator.turn(shop, mode)
            click.echo(f"control     {simulator.url}")
            for shop in simulator.knobs:
                click.echo(f"{shop:<11} {simulator.provider_url(shop)}")
            await asyncio.Event().wait()

    _run(run())


@main.command()
def schema() -> None:
    """Print the GraphQL schema in SDL."""
    click.echo(schema_text(build_schema()), nl=False)


def _settings(environ: Any) -> Settings:
    try:
        return from_environ(environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _given_port(port: int | None) -> dict[str, str]:
    return {} if port is None else {f"{ENVIRONMENT_PREFIX}PORT": str(port)}


def _simulator(
    port: int, faults: str, seed: int, movies: int | None, contract: Contract
) -> Simulator:
    try:
        catalogues = captured() if movies is None else invented(movies, seed)
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    return Simulator(
        port=port,
        catalogues=catalogues,
        contract=contract,
        knob=Knob(Mode.OBSERVED) if faults == "observed" else Knob(),
        random=random.Random(seed),  # noqa: S311  # has to be repeatable
    )


def _knobs(modes: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = [tuple(each.split("=", 1)) for each in modes]
    if any(len(pair) != len(("shop", "mode")) for pair in pairs):
        raise click.BadParameter("give it as SHOP=MODE, for example filmworld=hang.")
    return [(shop, mode) for shop, mode in pairs]


def _logger(settings: Settings) -> Logger:
    logger = make_logger(settings.log_level, settings.log_form)
    logging.basicConfig(handlers=[ForwardToStructlog(logger)], level=logging.WARNING)
    return logger


def _run(work: Coroutine[Any, Any, None], simulator_option: str = "--port") -> None:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    except PortBusyError as error:
        raise click.ClickException(
            f"port {error.port} is taken; stop what uses it, or choose others with "
            f"{simulator_option} (the shops take the next ones, 0 takes free ones)"
        ) from error
    except (MovieqlError, SimulatorError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
