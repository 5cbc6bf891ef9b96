"""READ FIRST: the one place where settings become adapters, services and routes.

settings → adapters (`_sources`, `_cache`) → services (`Services`) → routes (`build_app`).
"""

import random
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from movieql.api.context import Context, PageLimits
from movieql.api.engine import Engine
from movieql.api.execution import DocumentLimits, Executor
from movieql.api.keeping import KeptMovies
from movieql.api.limits import LimitCheck, OperationLimits
from movieql.api.loaders import DetailLoader
from movieql.api.persisted import PersistedDocuments
from movieql.api.schema import build_schema, core_schema
from movieql.cache.storage import BoundedMemoryCache, SharedRedisCache
from movieql.clock import SystemClock
from movieql.domain.identities import Identities
from movieql.domain.revisions import ContentRevision
from movieql.ports import Cache, Clock, Provider, Telemetry
from movieql.providers.breaker import Breaker, BreakerRules
from movieql.providers.bulkhead import Bulkhead, Room
from movieql.providers.cached import Cached, Lifetimes
from movieql.providers.hedged import Hedged
from movieql.providers.http import HttpProvider
from movieql.providers.retry_budget import RetryBudget
from movieql.services.browse import Browse
from movieql.services.shelves import Source
from movieql.settings import Settings
from movieql.settings.providers import ProviderSettings
from movieql.web.bodies import refused
from movieql.web.graphql import AnswerCount, EndpointLimits, GraphQLEndpoint
from movieql.web.health import Readiness, healthz
from movieql.web.logs import Logger
from movieql.web.memo import AnswerMemo
from movieql.web.metrics import Metrics
from movieql.web.pages import Pages
from movieql.web.requests import FromState, RequestMiddleware


@dataclass(frozen=True, slots=True)
class Services:
    """What is open while a process serves; closed in reverse order of opening."""

    browse: Browse
    cache: Cache
    revision: ContentRevision


@asynccontextmanager
async def open_services(
    settings: Settings,
    providers: Sequence[ProviderSettings],
    environ: Mapping[str, str],
    clock: Clock,
    telemetry: Telemetry,
) -> AsyncIterator[Services]:
    """Open adapters and services. Raises SettingsError when a named secret is missing."""
    async with AsyncExitStack() as stack:
        cache = await _cache(settings, clock, stack)
        revision = ContentRevision()
        sources = []
        for each in providers:
            session = await stack.enter_async_context(_session(each))
            shop = HttpProvider(each.id, each.contract(environ), session, clock, telemetry)
            kept = guarded(shop, each, settings, cache, revision, clock, telemetry)
            stack.push_async_callback(kept.close)
            sources.append(Source(each.profile, kept))
        browse = Browse(sources, Identities(settings.ids_remembered_max))
        yield Services(browse, cache, revision)


def guarded(
    shop: Provider,
    provider: ProviderSettings,
    settings: Settings,
    cache: Cache,
    revision: ContentRevision,
    clock: Clock,
    telemetry: Telemetry,
) -> Cached:
    """Stack the guards of a provider: cached(bulkhead(hedged(breaker(shop))))."""
    name, rng = provider.id, random.Random()  # noqa: S311  # jitter is no secret
    room = Room(provider.connections_max, clock)
    breaker = Breaker(
        shop,
        provider=name,
        rules=_breaker_rules(settings),
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
) -> Starlette:
    """Return the ASGI app; adapters are opened by its lifespan, as `app.state.services`.

    Raises SettingsError when a named secret is missing.
    """
    for each in providers:
        each.contract(environ)  # tells of a missing secret now, and not in the lifespan's log
    clock = clock or SystemClock()
    metrics = Metrics(logger)
    executor = _executor(settings, len(providers))
    pages = Pages()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_services(settings, providers, environ, clock, metrics) as services:
            app.state.services = services
            app.state.graphql = _endpoint(settings, services, executor, clock, metrics, pages)
            app.state.readiness = Readiness(needed={}, useful={"cache": services.cache.ping})
            yield

    async def readyz(request: Request) -> Response:
        readiness: Readiness = request.app.state.readiness
        return await readiness.handle(request)

    async def home(_: Request) -> Response:
        return RedirectResponse("/graphql")

    routes = [
        Route("/", home),
        Route("/graphql", FromState("graphql")),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics.handle),
        Mount("/static", pages.assets()),
    ]
    requests = Middleware(
        RequestMiddleware,
        clock=clock,
        logger=logger,
        metrics=metrics,
        new_id=lambda: secrets.token_hex(8),
        routes=frozenset(route.path for route in routes if isinstance(route, Route)),
        # Routing costs as much as an answer that is kept; CORS, where it is on, has to see all.
        shortcuts={} if settings.cors_origins else {"/graphql": FromState("graphql")},
    )
    return Starlette(
        routes=routes,
        middleware=[requests, *_cors(settings)],
        exception_handlers={HTTPException: refused},
        lifespan=lifespan,
    )


def _endpoint(
    settings: Settings,
    services: Services,
    executor: Executor,
    clock: Clock,
    metrics: Metrics,
    pages: Pages,
) -> GraphQLEndpoint:
    profiles = {profile.id: profile for profile in services.browse.profiles}
    page_limits = PageLimits(min(settings.page_default, settings.page_max), settings.page_max)

    kept = KeptMovies(settings.movies_kept_bytes_max)

    def make_context(request_id: str) -> Context:
        until_s = clock.monotonic_s() + settings.budget_s
        load = DetailLoader(services.browse, until_s)
        return Context(
            services.browse, profiles, load, until_s, page_limits, request_id, kept=kept
        )

    engine = Engine(
        executor,
        PersistedDocuments(services.cache, settings.documents_persisted_max),
        make_context,
        lambda error: metrics.fault("graphql", error),
    )
    return GraphQLEndpoint(
        engine,
        memo=AnswerMemo(settings.answers_kept_bytes_max),
        revision=services.revision,
        clock=clock,
        limits=EndpointLimits(settings.request_bytes_max, settings.request_body_s),
        boot_id=secrets.token_hex(4).encode(),
        ide=pages.graphiql if settings.graphiql else None,
        count=AnswerCount(kept=metrics.count_kept, made=metrics.count_made),
    )


def _cors(settings: Settings) -> list[Middleware]:
    if settings.cors_origins is None:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins.split(","),
            allow_methods=["GET", "POST"],
            allow_headers=["content-type", "authorization", "x-request-id"],
            expose_headers=["etag", "x-movieql-sources", "x-request-id"],
        )
    ]


def _executor(settings: Settings, providers: int) -> Executor:
    schema = core_schema(build_schema())
    limits = OperationLimits(
        depth=settings.depth_max,
        aliases=settings.aliases_max,
        root_fields=settings.root_fields_max,
        directives=settings.directives_max,
        fields=settings.fields_max,
        cost=settings.cost_max,
        providers=providers,
    )
    documents = DocumentLimits(
        characters_max=settings.document_characters_max,
        tokens_max=settings.document_tokens_max,
        errors_max=settings.request_errors_max,
        documents_kept_max=settings.documents_kept_max,
        suggestions=settings.env == "dev",
    )
    page_size = min(settings.page_default, settings.page_max)
    return Executor(schema, documents, LimitCheck(schema, limits, page_size))


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
        BoundedMemoryCache(settings.cache_entries_max)
        if settings.cache_url is None
        else SharedRedisCache(
            settings.cache_url, clock, settings.cache_timeout_s, settings.cache_rest_s
        )
    )
    stack.push_async_callback(cache.close)
    return cache


def _session(provider: ProviderSettings) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=provider.connections_max),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
