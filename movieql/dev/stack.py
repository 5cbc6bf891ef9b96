"""`movieql dev`: simulated shops, queue, server and worker, nothing to configure."""

import asyncio
import secrets
import signal
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from movieql.app import build_app, server_limits
from movieql.dev.panel import Panel
from movieql.dev.simulator import Simulator
from movieql.dev.valkey import PrivateValkey
from movieql.dev.worker_process import WorkerProcess, providers_text, written_providers
from movieql.domain.callers import SCOPES
from movieql.settings import Settings
from movieql.settings.providers import ProviderSettings, parse_providers
from movieql.tokens.login import User
from movieql.tokens.passwords import hash_password
from movieql.web.server import bind, serve, url_of
from movieql.web.telemetry import Logger

DEV_PROFILE: Mapping[str, str] = {
    "ENV": "dev",
    "LOG_FORM": "console",
    # Short lives, so that a person sees a shop break and heal; and no serving of
    # old data during a refresh, so that what healthy shops say is always certain.
    "FRESH_S": "2",
    "FRESH_JITTER": "0",
    "STALE_WHILE_REFRESH_S": "2",
    "NEGATIVE_S": "2",
    # A hung call is given up soon, so that a healed shop is seen soon.
    "LATE_BUDGET_S": "4",
    "BREAKER_OPEN_S": "1",
    "BREAKER_OPEN_S_MAX": "2",
    # What is seen is written down at once, so that an export a moment later has it.
    "OBSERVATION_FLUSH_S": "1",
    "EXPORT_SETTLE_S": "30",
    "EXPORT_GRACE_S": "5",
    "HISTORY_REFRESH_S": "2",
}
"""What `dev` sets where the environment says nothing."""

QUEUE_FOLDER = "queue"
"""Where in the data folder the private Valkey is."""

DEV_USER = "dev"
"""The name of the one user that `dev` makes; the password is another at every start."""


def made_settings(data: Path) -> dict[str, str]:
    """Return what `dev` makes at each start: store and queue in the data folder, and secrets."""
    return {
        "STORE_FOLDER": str(data / "store"),
        "QUEUE_URL": PrivateValkey(data / QUEUE_FOLDER).url,
        "PUBLIC_URL": "http://127.0.0.1",  # known once a port is
        "LINK_SECRET": secrets.token_urlsafe(48),
        "JWT_SECRET": secrets.token_urlsafe(48),
    }


def simulated_providers(simulator: Simulator) -> tuple[ProviderSettings, ...]:
    """Return the ready settings of the simulator's contract, pointed at its shops."""
    document = tomllib.loads(providers_text(simulator))
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
    data: Path,
    environ: Mapping[str, str],
    knobs: Iterable[tuple[str, str]] = (),
) -> None:
    """Run everything until a signal; `knobs` are (shop, mode) turned before the first question.

    `data`: the folder of what is kept; `environ`: what the worker gets its settings from. Raises
    SettingsError or PortBusyError when a port is taken, NotAllowedError for a bad knob,
    ValkeyError when the queue does not start.
    """
    password = secrets.token_urlsafe(12)
    user = User(DEV_USER, hash_password(password), SCOPES)
    async with AsyncExitStack() as stack:
        ending = _Ending()
        bound = stack.enter_context(bind(settings.host, settings.port))
        url = url_of(bound)
        await stack.enter_async_context(simulator)
        for shop, mode in knobs:
            await simulator.turn(shop, mode)
        valkey = PrivateValkey(data / QUEUE_FOLDER)
        valkey.start()
        stack.callback(valkey.stop)
        providers = simulated_providers(simulator)
        app = build_app(
            settings.model_copy(update={"public_url": url}),
            providers,
            simulated_secrets(simulator),
            logger,
            users=[user],
            knobs=Panel(simulator, {each.id: each.name for each in providers}).knobs,
        )
        shown = {
            **environ,
            **simulated_secrets(simulator),
            "MOVIEQL_PUBLIC_URL": url,
            "MOVIEQL_PROVIDERS": "",  # empty: not set
            "MOVIEQL_PROVIDERS_FILE": str(written_providers(simulator, data / "providers.toml")),
        }
        _run_beside(WorkerProcess(shown), stack)
        ending.is_up_to_server = True
        await serve(
            app,
            bound,
            server_limits(settings),
            lambda url: print(welcome(url, simulator.url, password), flush=True),  # noqa: T201
        )


class _Ending:
    """Lets SIGTERM end everything in good order.

    uvicorn takes the signal while it serves, and raises it once more when it is done: that would
    end this process before its worker and its Valkey.
    """

    def __init__(self) -> None:
        self.is_up_to_server = False
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        signal.signal(signal.SIGTERM, self._told)

    def _told(self, _: int, __: object) -> None:
        if not self.is_up_to_server and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)


def _run_beside(worker: WorkerProcess, stack: AsyncExitStack) -> None:
    running = asyncio.ensure_future(worker.run())

    async def end() -> None:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    stack.push_async_callback(end)


def welcome(url: str, simulator_url: str, password: str) -> str:
    """Return what a newcomer reads: the URL, things to try, and who may write."""
    operation = Path("schema/operations/CheapestMovies.graphql")
    return f"""
  movieql is ready:  {url}

  1. Open {url} in a browser: every shop's price. GraphiQL is at {url}/graphql.
  2. Ask for the cheapest prices:
     curl -sG {url}/graphql --data-urlencode query@{operation}
  3. Break a shop, by "Try breaking it" on {url} or from here; ask again, and heal it:
     curl -X PUT {simulator_url}/knobs/filmworld -d '{{"mode": "hang"}}'
     curl -X DELETE {simulator_url}/knobs
  4. Log in as {DEV_USER}, password {password}, for a token to write with:
     curl {url}/login -H 'content-type: application/json' \\
       -d '{{"username": "{DEV_USER}", "password": "{password}"}}'

  Ctrl-C stops everything.
"""
