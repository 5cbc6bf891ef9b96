"""The command line; `movieql --help` lists the commands."""

import asyncio
import logging
import os
import random
import secrets
import signal
import sys
from collections.abc import Coroutine
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import click
import uvloop

from movieql.api.schema import build_schema, schema_text
from movieql.app import build_app, open_export_job, open_keeper, server_limits
from movieql.clock import SystemClock
from movieql.commands.command_line import export_command, exports_command
from movieql.composition.daily import ask_daily
from movieql.composition.signing_in import queue_credentials
from movieql.composition.tracing import check_tracing
from movieql.dev.catalogues import captured, invented
from movieql.dev.contracts import Contract
from movieql.dev.data import DATA_FOLDER, data_folder
from movieql.dev.faults import Knob, Mode, SimulatorError
from movieql.dev.listener import PortBusyError
from movieql.dev.simulator import Simulator
from movieql.dev.stack import DEV_PROFILE, made_settings, run_stack
from movieql.domain.callers import SCOPES
from movieql.domain.errors import MovieqlError, SettingsError
from movieql.jobs.export_worker import WorkerRules
from movieql.jobs.supervisor import SupervisorRules
from movieql.serverless.events import answering
from movieql.serverless.runtime import LambdaRuntime
from movieql.serverless.secret_values import reading, secrets_manager, with_secret_values
from movieql.settings import ENVIRONMENT_PREFIX, Settings, from_environ
from movieql.settings.providers import ProviderSettings, load_providers, read_providers
from movieql.tokens.passwords import PASSWORD_BYTES_MAX, hash_password, unusable
from movieql.tokens.signing import LIFETIME_S_MAX, Signer
from movieql.web.server import bind, serve
from movieql.web.telemetry import ForwardToStructlog, Logger, Metrics, make_logger
from movieql.worker import Workers, run_workers

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
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA_FOLDER,
    show_default=True,
    help="Folder of what is kept.",
)
def dev(  # one per option
    port: int | None,
    simulator_port: int,
    modes: tuple[str, ...],
    faults: str,
    seed: int,
    movies: int | None,
    data: Path,
) -> None:
    """Run everything on this machine, nothing to configure: simulated shops, server, worker."""
    data = data.resolve()
    profile = {**DEV_PROFILE, **made_settings(data)}
    given = {f"{ENVIRONMENT_PREFIX}{name.upper()}": value for name, value in profile.items()}
    environ = given | os.environ | _given_port(port)
    settings = _settings(environ)
    simulator = _simulator(simulator_port, faults, seed, movies, Contract.A)
    logger = _logger(settings)

    async def run() -> None:
        with data_folder(data):
            await run_stack(settings, simulator, logger, data, environ, _knobs(modes))

    _run(run(), simulator_option="--simulator-port")


@main.command(name="serve")
@click.option("--host", help="Address to listen on.  [default: MOVIEQL_HOST or 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: MOVIEQL_PORT or 8000]")
def serve_command(host: str | None, port: int | None) -> None:
    """Serve, with settings from MOVIEQL_ variables and the providers that they name."""
    given_host = {} if host is None else {f"{ENVIRONMENT_PREFIX}HOST": host}
    settings = _settings(os.environ | given_host | _given_port(port))
    if not _has_providers(settings):
        raise click.ClickException(
            "MOVIEQL_PROVIDERS_FILE is not set, nor is MOVIEQL_PROVIDERS: name a TOML file of "
            "providers (docs/settings.md shows one), or try `movieql dev`."
        )
    logger = _logger(settings)

    async def run() -> None:
        app = build_app(settings, _providers(settings), os.environ, logger)
        with bind(settings.host, settings.port) as bound:
            await serve(
                app,
                bound,
                server_limits(settings),
                lambda url: logger.info("listening", url=url),
                lambda: app.state.readiness.end(),  # noqa: PLW0108  # it is there once it serves
            )

    _run(run())


@main.command(name="worker")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Exports at once.  [default: MOVIEQL_WORKER_PROCESSES or 1]",
)
def worker_command(processes: int | None) -> None:
    """Run exports and keep house, with the settings of the server; started again, it goes on.

    Exits with 0 when told to stop, with 78 when its settings are wrong, else with another.
    """
    settings = _settings(os.environ)
    if not _has_providers(settings) or settings.queue_url is None:
        raise click.ClickException(
            "a worker needs MOVIEQL_PROVIDERS_FILE or MOVIEQL_PROVIDERS, and MOVIEQL_QUEUE_URL "
            "(docs/settings.md)."
        )
    try:
        providers = _providers(settings)
        for each in providers:
            each.contract(os.environ)
        check_tracing(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    logger = _logger(settings)
    workers = Workers(
        queue_url=settings.queue_url,
        open_exports=partial(open_export_job, settings, providers, logger),
        open_chores=partial(open_keeper, settings, providers, os.environ, logger),
        logger=logger,
        processes=processes or settings.worker_processes,
        rules=WorkerRules(
            job_s=settings.export_job_s,
            overrun_s=settings.export_overrun_s,
            stop_grace_s=settings.worker_stop_grace_s,
        ),
        restarts=SupervisorRules(stop_s=settings.worker_stop_s),
        lease_s=settings.keeper_lease_s,
        credentials=queue_credentials(settings, SystemClock()),
    )
    sys.exit(run_workers(workers))


@main.command(name="daily-export")
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day, in UTC.  [default: yesterday]",
)
def daily_export_command(day: datetime | None) -> None:
    """Ask for a day's export once, for a scheduler outside; prints its id and where it stands.

    Needs no token: it writes to store and queue, with the settings of the server. However many
    do so, there is one export of a day.
    """
    settings = _settings(os.environ)
    if not _has_providers(settings):
        raise click.ClickException(
            "a daily export needs MOVIEQL_PROVIDERS_FILE or MOVIEQL_PROVIDERS (docs/settings.md)."
        )
    telemetry = Metrics(_logger(settings))

    async def run() -> None:
        profiles = [each.profile for each in _providers(settings)]
        wanted = None if day is None else day.date()
        export = await ask_daily(settings, profiles, wanted, SystemClock(), telemetry)
        click.echo(f"{export.request.id} {export.status.value}")

    _run(run())


@main.command(name="lambda")
def lambda_command() -> None:
    """Serve as a function of AWS Lambda behind an HTTP API of API Gateway (docs/aws.md)."""
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    if address is None:
        raise click.ClickException("only AWS Lambda can run this: try `movieql serve`.")
    try:
        environ = with_secret_values(os.environ, reading(secrets_manager))
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    # Lambda stops the process between requests.
    settings = _settings({**environ, "MOVIEQL_BACKGROUND_DETAILS_PER_SECOND": "0"})
    if not _has_providers(settings):
        raise click.ClickException(
            "a function needs MOVIEQL_PROVIDERS, or MOVIEQL_PROVIDERS_FILE (docs/settings.md)."
        )
    logger = _logger(settings)

    async def run() -> None:
        app = build_app(settings, _providers(settings), environ, logger)
        async with app.router.lifespan_context(app), aiohttp.ClientSession() as session:
            runtime = LambdaRuntime(session, address, answering(app), SystemClock(), logger)
            await runtime.run()

    _run(run())


@main.command()
@click.option(
    "--port",
    type=SIMULATOR_PORT,
    default=8001,
    show_default=True,
    help="Port of the control server; the shops take the next ones, and 0 takes free ones.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
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
    host: str,
    modes: tuple[str, ...],
    faults: str,
    seed: int,
    movies: int | None,
    contract: str,
) -> None:
    """Run the simulated shops alone; their control server explains itself at its root."""
    simulator = _simulator(port, faults, seed, movies, Contract(contract), host)

    async def run() -> None:
        async with simulator:
            for shop, mode in _knobs(modes):
                await simulator.turn(shop, mode)
            click.echo(f"control     {simulator.url}")
            for shop in simulator.knobs:
                click.echo(f"{shop:<11} {simulator.provider_url(shop)}")
            await _told_to_end()

    _run(run())


@main.command()
def schema() -> None:
    """Print the GraphQL schema in SDL."""
    click.echo(schema_text(build_schema()), nl=False)


@main.command(name="hash-password")
def hash_password_command() -> None:
    """Print the hash of a password, as MOVIEQL_LOGIN_USERS_FILE wants it.

    Asks for it twice without showing it; reads one line where there is no terminal.
    """
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        line = sys.stdin.buffer.readline(PASSWORD_BYTES_MAX + 2).rstrip(b"\r\n")
        password = line.decode("utf-8", "surrogateescape")
    wrong = unusable(password)
    if wrong:
        raise click.ClickException(wrong)
    click.echo(hash_password(password))


@main.command()
@click.option("--subject", required=True, help="For whom the token speaks.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(sorted(SCOPES)), help="What it may do."
)
@click.option(
    "--lifetime-s",
    type=click.IntRange(1, LIFETIME_S_MAX),
    default=600,
    show_default=True,
    help="Seconds that it is good for.",
)
def token(subject: str, scopes: tuple[str, ...], lifetime_s: int) -> None:
    """Print a token for a script, signed with MOVIEQL_JWT_SECRET."""
    settings = _settings(os.environ)
    if settings.jwt_secret is None:
        raise click.ClickException(
            "MOVIEQL_JWT_SECRET is not set: it is what the server checks the token with."
        )
    signer = Signer(
        settings.jwt_secret.get_secret_value().encode(),
        settings.jwt_issuer,
        settings.jwt_audience,
        SystemClock(),
        lambda: secrets.token_hex(16),
    )
    try:
        click.echo(signer.token(subject, scopes, lifetime_s))
    except MovieqlError as error:
        raise click.ClickException(str(error)) from error


main.add_command(export_command)
main.add_command(exports_command)


async def _told_to_end() -> None:
    """Wait for SIGTERM, which does nothing by itself to the first process of a container."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()


def _settings(environ: Any) -> Settings:
    try:
        return from_environ(environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _has_providers(settings: Settings) -> bool:
    return settings.providers is not None or settings.providers_file is not None


def _providers(settings: Settings) -> tuple[ProviderSettings, ...]:
    """Return the providers of the text or the file. Raises SettingsError."""
    if settings.providers is not None:
        return read_providers(settings.providers)
    return () if settings.providers_file is None else load_providers(settings.providers_file)


def _given_port(port: int | None) -> dict[str, str]:
    return {} if port is None else {f"{ENVIRONMENT_PREFIX}PORT": str(port)}


def _simulator(
    port: int,
    faults: str,
    seed: int,
    movies: int | None,
    contract: Contract,
    host: str = "127.0.0.1",
) -> Simulator:
    try:
        catalogues = captured() if movies is None else invented(movies, seed)
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    return Simulator(
        host=host,
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
    except (KeyboardInterrupt, asyncio.CancelledError):
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
