"""READ FIRST: the one place where settings become adapters, services and routes.

settings → adapters (`_sources`, `_cache`) → services (`Services`) → routes (`build_app`).
"""

import random
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from movieql.api.context import Context, PageLimits
from movieql.api.engine import Engine
from movieql.api.execution import DocumentLimits, Executor
from movieql.api.loaders import DetailLoader
from movieql.api.schema import build_schema, core_schema
from movieql.cache.storage import BoundedMemoryCache, SharedRedisCache
from movieql.clock import SystemClock
from movieql.domain.identities import Identities
from movieql.domain.revisions import ContentRevision
from movieql.ports import Cache, Clock, Telemetry
from movieql.providers.cached import Cached, Lifetimes
from movieql.providers.http import HttpProvider
from movieql.services.browse import Browse, Source
from movieql.settings import Settings
from movieql.settings.providers import ProviderSettings
from movieql.web.bodies import refused
from movieql.web.graphql import GraphQLEndpoint
from movieql.web.health import Readiness, healthz
from movieql.web.logs import Logger
from movieql.web.metrics import Metrics
from movieql.web.pages import Pages
from movieql.web.requests import RequestMiddleware


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
            contract = each.contract(environ)
            session = await stack.enter_async_context(_session(each))
            # The guards of a provider, innermost first. Attempts, budget, breaker and bulkhead
            # take their place between the two when they come.
            guarded = Cached(
                HttpProvider(each.id, contract, session, clock, telemetry),
                provider=each.id,
                cache=cache,
                key_prefix="movieql",
                lifetimes=_lifetimes(settings),
                revision=revision,
                clock=clock,
                telemetry=telemetry,
                rng=random.Random(),  # noqa: S311  # jitter is no secret
                entries_max=settings.provider_entries_max,
                flights_max=settings.calls_waiting_max,
            )
            stack.push_async_callback(guarded.close)
            sources.append(Source(each.profile, guarded))
        browse = Browse(sources, Identities(settings.ids_remembered_max))
        yield Services(browse, cache, revision)


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
    executor = Executor(core_schema(build_schema()), _document_limits(settings))
    pages = Pages()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_services(settings, providers, environ, clock, metrics) as services:
            app.state.services = services
            app.state.endpoint = _endpoint(settings, services, executor, clock, metrics, pages)
            app.state.readiness = Readiness(needed={}, useful={"cache": services.cache.ping})
            yield

    async def graphql(request: Request) -> Response:
        endpoint: GraphQLEndpoint = request.app.state.endpoint
        return await endpoint.handle(request)

    async def readyz(request: Request) -> Response:
        readiness: Readiness = request.app.state.readiness
        return await readiness.handle(request)

    async def home(_: Request) -> Response:
        return RedirectResponse("/graphql")

    routes = [
        Route("/", home),
        Route("/graphql", graphql, methods=["GET", "POST"]),
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
    )
    return Starlette(
        routes=routes,
        middleware=[requests],
        exception_handlers={HTTPException: refused},
        lifespan=lifespan,
    )


def _endpoint(  # composition
    settings: Settings,
    services: Services,
    executor: Executor,
    clock: Clock,
    metrics: Metrics,
    pages: Pages,
) -> GraphQLEndpoint:
    profiles = {profile.id: profile for profile in services.browse.profiles}
    page_limits = PageLimits(min(settings.page_default, settings.page_max), settings.page_max)

    def make_context(request_id: str) -> Context:
        until_s = clock.monotonic_s() + settings.budget_s
        load = DetailLoader(services.browse, until_s)
        return Context(services.browse, profiles, load, until_s, page_limits, request_id)

    engine = Engine(executor, make_context, lambda error: metrics.fault("graphql", error))
    return GraphQLEndpoint(
        engine,
        render_ide=pages.graphiql if settings.graphiql else None,
        body_bytes_max=settings.request_bytes_max,
    )


def _document_limits(settings: Settings) -> DocumentLimits:
    return DocumentLimits(
        characters_max=settings.document_characters_max,
        tokens_max=settings.document_tokens_max,
        errors_max=settings.request_errors_max,
        documents_kept_max=settings.documents_kept_max,
    )


def _lifetimes(settings: Settings) -> Lifetimes:
    return Lifetimes(
        fresh_s=settings.fresh_s,
        fresh_jitter=settings.fresh_jitter,
        stale_while_refresh_s=settings.stale_while_refresh_s,
        stale_on_error_s=settings.stale_on_error_s,
        negative_s=settings.negative_s,
        patience_s=settings.attempt_timeout_s,
        late_s=settings.late_budget_s,
        storage_s=settings.cache_timeout_s,
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
