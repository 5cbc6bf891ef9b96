"""READ FIRST: the one place where settings become adapters, services and routes.

settings → adapters and services (`open_services`; `guarded` stacks a shop's guards) → who may ask
(`composition/doors.py`) → routes (`build_app`). Groups of parts are in `composition/`.
"""

import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router, WebSocketRoute

from movieql.cache.storage import BoundedMemoryCache, SharedRedisCache
from movieql.clock import SystemClock
from movieql.composition.closing import closed_within, run_beside
from movieql.composition.doors import Doors, open_doors, plain_session
from movieql.composition.exporting import (
    export_chores,
    open_exporting,
    open_job,
    open_observer,
    watch_queue,
)
from movieql.composition.graphql import GraphQL, make_executor
from movieql.composition.services import Services
from movieql.composition.signing_in import cache_credentials
from movieql.composition.store import open_house, open_store
from movieql.composition.tracing import check_tracing, open_tracer
from movieql.domain.errors import SettingsError
from movieql.domain.matching import Identities
from movieql.domain.movies import ContentRevision
from movieql.jobs.housekeeping import Chore
from movieql.movies.browse import Browse, Source
from movieql.movies.snapshot import Snapshot
from movieql.ports import (
    LIST,
    NO_TRACES,
    Cache,
    Clock,
    ExportRun,
    ObjectStore,
    Provider,
    Telemetry,
    Tracer,
)
from movieql.providers.cached import Cached, Lifetimes, NoteAnswer, NoteDetail, ignored
from movieql.providers.contract import nothing
from movieql.providers.guards import (
    Breaker,
    BreakerRules,
    Bulkhead,
    Cooldown,
    Hedged,
    RetryBudget,
    Room,
)
from movieql.providers.house import house_profile
from movieql.providers.http import HttpProvider
from movieql.providers.posting import HttpPosting
from movieql.services.additions import Additions
from movieql.settings import Settings
from movieql.settings.login import load_users
from movieql.settings.providers import ProviderSettings
from movieql.tokens.login import User
from movieql.waiting import nothing_is_read
from movieql.web.admission import Counted
from movieql.web.features import FEATURES, Knobs, features
from movieql.web.files import Files
from movieql.web.health import Readiness, healthz
from movieql.web.login import LoginDoor
from movieql.web.pages import STATUS_WAIT_S, Pages
from movieql.web.requests import FromState, RequestMiddleware, match_whole_paths
from movieql.web.resources import BodyLimits
from movieql.web.rest import Movies, rest_routes
from movieql.web.server import ServerLimits
from movieql.web.telemetry import Logger, Metrics


@asynccontextmanager
async def open_services(
    settings: Settings,
    providers: Sequence[ProviderSettings],
    environ: Mapping[str, str],
    clock: Clock,
    telemetry: Telemetry,
    tracer: Tracer = NO_TRACES,
) -> AsyncIterator[Services]:
    """Open adapters and services.

    Raises SettingsError when a named secret is missing, or a store or queue is of no use.
    """
    async with AsyncExitStack() as stack:
        profiles = [each.profile for each in providers]
        cache = await _cache(settings, clock, stack)
        revision = ContentRevision()
        store = await open_store(settings, clock, telemetry, stack)
        note: NoteAnswer = ignored
        house = exporting = None
        if store is not None:
            objects = store.objects
            observer = await open_observer(settings, objects, profiles, clock, telemetry, stack)
            note = observer.note
            house = open_house(settings, objects, revision, clock, telemetry, stack)
            exporting = await open_exporting(settings, objects, profiles, clock, telemetry, stack)
        carried = tracer.carried if settings.traces_to_providers else nothing
        listed = (*profiles, *(() if house is None else (house_profile(),)))
        snapshot = Snapshot(listed, Identities(settings.ids_remembered_max))
        shops: dict[str, Cached] = {}
        postings: dict[str, HttpPosting] = {}
        for each in providers:
            session = await stack.enter_async_context(plain_session(each.connections_max))
            contract = each.contract(environ)
            shop = HttpProvider(each.id, contract, session, clock, telemetry, carried)
            cooldown = Cooldown(each.id)
            shops[each.id] = guarded(
                shop,
                each,
                settings,
                cache,
                revision,
                clock,
                telemetry,
                note,
                note_detail=snapshot.set_detail,
                is_reading=shop.is_reading,
                cooldown=cooldown,
                tracer=tracer,
            )
            stack.push_async_callback(shops[each.id].close)
            postings[each.id] = HttpPosting(
                each.id, contract, session, clock, telemetry, cooldown, tracer, carried
            )
        sources = [Source(each.profile, shops[each.id]) for each in providers]
        if house is not None:
            sources.append(Source(house_profile(), house.provider))
        additions = Additions(
            postings,
            clock=clock,
            make_key=lambda: secrets.token_hex(16),
            note_added=lambda provider: shops[provider].renew(LIST),
            budget_s=settings.addition_budget_s,
            at_once_max=settings.additions_at_once_max,
        )
        browse = Browse(sources, snapshot, clock)
        stack.push_async_callback(browse.close)
        yield Services(browse, cache, revision, additions, store, house, exporting)


@asynccontextmanager
async def open_export_job(
    settings: Settings, providers: Sequence[ProviderSettings], logger: Logger
) -> AsyncIterator[Callable[[ExportRun], Awaitable[None]]]:
    """Give what runs one attempt at an export, in a process of its own."""
    clock, telemetry = SystemClock(), Metrics(logger)
    async with AsyncExitStack() as stack:
        store = await open_store(settings, clock, telemetry, stack)
        if store is None:
            raise SettingsError(_NO_STORE)
        profiles = [each.profile for each in providers]
        tracer = open_tracer(settings, "job", stack)
        job = open_job(settings, store.objects, profiles, clock, telemetry, tracer)
        yield await stack.enter_async_context(job)


@asynccontextmanager
async def open_keeper(
    settings: Settings,
    providers: Sequence[ProviderSettings],
    environ: Mapping[str, str],
    logger: Logger,
) -> AsyncIterator[Sequence[Chore]]:
    """Give what the one process does that keeps house."""
    clock, telemetry = SystemClock(), Metrics(logger)
    async with closed_within(settings.shutdown_s, logger) as stack:
        tracer = open_tracer(settings, "keeper", stack)
        opening = open_services(settings, providers, environ, clock, telemetry, tracer)
        services = await stack.enter_async_context(opening)
        if services.store is None:
            raise SettingsError(_NO_STORE)

        async def refresh() -> None:
            await services.browse.refresh(clock.monotonic_s() + settings.refresh_s)

        profiles = [each.profile for each in providers]
        store = services.store.objects
        yield await export_chores(settings, store, profiles, refresh, clock, telemetry, stack)


_NO_STORE = "a worker needs MOVIEQL_STORE_BUCKET or MOVIEQL_STORE_FOLDER: exports are kept there"


def guarded(  # noqa: PLR0913  # a stack of guards, made in one place
    shop: Provider,
    provider: ProviderSettings,
    settings: Settings,
    cache: Cache,
    revision: ContentRevision,
    clock: Clock,
    telemetry: Telemetry,
    note: NoteAnswer = ignored,
    *,
    note_detail: NoteDetail = ignored,
    is_reading: Callable[[], bool] = nothing_is_read,
    cooldown: Cooldown,
    tracer: Tracer = NO_TRACES,
) -> Cached:
    """Stack the guards of a provider: cached(bulkhead(hedged(breaker(shop))))."""
    name, rng = provider.id, random.Random()  # noqa: S311  # jitter is no secret
    room = Room(provider.connections_max, clock)
    breaker = Breaker(
        shop,
        provider=name,
        rules=_breaker_rules(settings),
        cooldown=cooldown,
        clock=clock,
        rng=rng,
        note_state=partial(telemetry.circuit, name),
    )
    hedged = Hedged(
        breaker,
        provider=name,
        budget=RetryBudget(clock, settings.retry_share, settings.retry_per_second),
        room=room,
        clock=clock,
        attempts_max=settings.attempts_max,
        delay_s=settings.hedge_delay_s,
        patience_s=settings.attempt_timeout_s,
        tracer=tracer,
        is_reading=is_reading,
    )
    return Cached(
        Bulkhead(hedged, provider=name, room=room),
        provider=name,
        cache=cache,
        key_prefix="movieql",
        lifetimes=_lifetimes(settings),
        revision=revision,
        clock=clock,
        telemetry=telemetry,
        note=note,
        note_detail=note_detail,
        is_reading=is_reading,
        rng=rng,
        entries_max=settings.provider_entries_max,
        flights_max=settings.calls_waiting_max,
        shared=settings.cache_url is not None,
    )


def _breaker_rules(settings: Settings) -> BreakerRules:
    return BreakerRules(
        open_s=settings.breaker_open_s,
        open_s_max=settings.breaker_open_s_max,
        slow_s=settings.attempt_timeout_s,
    )


def build_app(
    settings: Settings,
    providers: Sequence[ProviderSettings],
    environ: Mapping[str, str],
    logger: Logger,
    clock: Clock | None = None,
    users: Sequence[User] | None = None,
    knobs: Knobs | None = None,
) -> Starlette:
    """Return the ASGI app; adapters are opened by its lifespan, as `app.state.services`.

    `users` may log in; None: those of `login_users_file`. `knobs` are those of simulated shops,
    which real ones have not. Raises SettingsError when a named secret is missing, a user's hash
    is weak, or what makes traces is not installed.
    """
    for each in providers:
        each.contract(environ)  # tells of a missing secret now, and not in the lifespan's log
    if users is None:
        users = () if settings.login_users_file is None else load_users(settings.login_users_file)
    check_tracing(settings)
    clock = clock or SystemClock()
    metrics = Metrics(logger)
    executor = make_executor(settings, len(providers) + 1)
    pages = Pages()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with closed_within(settings.shutdown_s, logger) as stack:
            tracer = open_tracer(settings, "server", stack)
            opening = open_services(settings, providers, environ, clock, metrics, tracer)
            services = await stack.enter_async_context(opening)
            doors = await open_doors(settings, users, clock, metrics, logger, stack)
            app.state.admission = doors.admission
            graphql = GraphQL(settings, services, executor, clock, metrics, tracer)
            app.state.services = services
            app.state.is_missing = lambda movie_id: services.browse.is_missing(
                movie_id, clock.monotonic_s() + STATUS_WAIT_S
            )
            app.state.graphql = graphql.endpoint(doors, pages)
            app.state.sockets = graphql.sockets(doors, logger)
            stack.push_async_callback(app.state.sockets.close)
            metrics.measure_sockets(lambda: app.state.sockets.open_count)
            if services.exporting is not None and services.exporting.queue is not None:
                queue = services.exporting.queue
                watch_queue(settings, queue, clock, metrics, metrics.see_queue, stack)
            if settings.background_details_per_second:
                reading = services.browse.read_ahead(settings.background_details_per_second)
                run_beside(reading, stack)
            _put_rest(app, settings, services, doors)
            app.state.readiness = _readiness(services)
            yield

    async def readyz(request: Request) -> Response:
        readiness: Readiness = request.app.state.readiness
        return await readiness.handle(request)

    # Looked for when it is none of the others, and counted whether it is found or not.
    counted: list[BaseRoute] = [
        *pages.routes,
        Route(FEATURES, features(knobs)),
        *(() if knobs is None else knobs.routes),
        Route("/metrics", metrics.handle),
        Mount("/static", pages.assets()),
    ]
    routes: list[BaseRoute] = [
        Route("/graphql", FromState("graphql")),
        WebSocketRoute("/graphql", FromState("sockets")),
        *rest_routes(partial(metrics.fault, "rest")),
        Route("/healthz", healthz),  # a probe that is refused ends a server that is well
        Route("/readyz", readyz),
    ]
    named = [route for route in (*counted, *routes) if isinstance(route, Route)]
    match_whole_paths(named)
    requests = Middleware(
        RequestMiddleware,
        clock=clock,
        logger=logger,
        metrics=metrics,
        new_id=partial(secrets.token_hex, 8),
        routes=named,
        # Routing costs as much as an answer that is kept; CORS, where it is on, has to see all.
        shortcuts={} if settings.cors_origins else {"/graphql": FromState("graphql")},
        hsts_s=settings.hsts_s,
    )
    app = Starlette(
        routes=routes,
        middleware=[requests, *_cors(settings)],
        exception_handlers={HTTPException: pages.refused},
        lifespan=lifespan,
    )
    # Its redirects are absolute, by a Host header and a scheme that a proxy may have changed.
    app.router.redirect_slashes = False
    app.router.default = Counted(Router(counted, redirect_slashes=False))
    return app


def _put_rest(app: Starlette, settings: Settings, services: Services, doors: Doors) -> None:
    """Put what the REST routes need into the app's state; None is answered as 404."""
    limits = BodyLimits(settings.request_bytes_max, settings.request_body_s)
    house, store = services.house, services.store
    app.state.movies = None if house is None else Movies(house.catalogue, doors.admission, limits)
    app.state.login = (
        None
        if doors.login is None
        else LoginDoor(
            doors.login,
            doors.limits,
            trusted_hops=settings.trusted_hops,
            body_s=settings.request_body_s,
        )
    )
    app.state.files = (
        None
        if store is None or store.folder is None or store.links is None
        else Files(store.links.opened, store.folder)
    )


def _readiness(services: Services) -> Readiness:
    checks: dict[str, Callable[[], Awaitable[None]]] = {"cache": services.cache.ping}
    if services.store is not None:
        folder = services.store.folder
        ping = partial(_ping, services.store.objects)
        checks["store"] = ping if folder is None else folder.check_writable
    return Readiness(checks)


async def _ping(store: ObjectStore) -> None:
    await store.head("ping")


def server_limits(settings: Settings) -> ServerLimits:
    """Return how the server ends, and what it takes over WebSockets."""
    return ServerLimits(
        settings.shutdown_s,
        settings.socket_message_bytes_max,
        settings.socket_ping_s,
        settings.request_head_bytes_max,
        settings.request_head_s,
        settings.keep_alive_s,
        settings.drain_s,
    )


def _cors(settings: Settings) -> list[Middleware]:
    if settings.cors_origins is None:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins.split(","),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=[
                "content-type",
                "authorization",
                "x-request-id",
                "if-match",
                "if-none-match",
            ],
            expose_headers=["etag", "x-movieql-sources", "x-request-id"],
        )
    ]


def _lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        fresh_s=settings.fresh_s,
        fresh_jitter=settings.fresh_jitter,
        stale_while_refresh_s=settings.stale_while_refresh_s,
        stale_on_error_s=settings.stale_on_error_s,
        negative_s=settings.negative_s,
        patience_s=settings.attempt_timeout_s
        + settings.hedge_delay_s * (settings.attempts_max - 1),
        late_s=settings.late_budget_s,
        storage_s=settings.cache_timeout_s,
        renew_share=settings.renew_share,
    )


async def _cache(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Cache:
    cache = (
        BoundedMemoryCache(clock, settings.cache_bytes_max)
        if settings.cache_url is None
        else SharedRedisCache(
            settings.cache_url,
            clock,
            settings.cache_timeout_s,
            settings.cache_rest_s,
            cache_credentials(settings, clock),
        )
    )
    stack.push_async_callback(cache.close)
    return cache
