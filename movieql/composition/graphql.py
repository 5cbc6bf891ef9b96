"""GraphQL: one engine, and the two ways in to it."""

import secrets
from functools import partial

from movieql.api.context import Context, DetailLoader, ExportLimits, PageLimits
from movieql.api.engine import Engine
from movieql.api.execution import DocumentLimits, Executor, KeptMovies
from movieql.api.export_watching import ExportWatch, WatchRules
from movieql.api.limits import LimitCheck, OperationLimits
from movieql.api.persisted import PersistedDocuments
from movieql.api.schema import build_schema, core_schema
from movieql.composition.doors import Doors
from movieql.composition.exporting import Exporting
from movieql.composition.services import Services
from movieql.composition.store import HouseParts
from movieql.domain.callers import Caller
from movieql.movies.browse import Browse
from movieql.ports import Clock, Tracer
from movieql.providers.house import HOUSE
from movieql.services.entries import HouseEntries
from movieql.settings import Settings
from movieql.web.admission import client_address
from movieql.web.caching import AnswerMemo
from movieql.web.graphql import AnswerCount, EndpointLimits, GraphQLEndpoint
from movieql.web.pages import Pages
from movieql.web.socket_connection import SocketLimits, SocketParts
from movieql.web.sockets import GraphQLSockets
from movieql.web.telemetry import Logger, Metrics


class GraphQL:
    """The two ways in to one engine: HTTP, and WebSockets."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        executor: Executor,
        clock: Clock,
        metrics: Metrics,
        tracer: Tracer,
    ) -> None:
        self._settings = settings
        self._tracer = tracer
        self._services = services
        self._clock = clock
        self._metrics = metrics
        self._profiles = {profile.id: profile for profile in services.browse.profiles}
        self._page_limits = PageLimits(
            min(settings.page_default, settings.page_max), settings.page_max
        )
        self._entries = (
            None if services.house is None else _entries(services.house, services.browse)
        )
        self._export_limits = ExportLimits(
            page_default=min(settings.exports_page_default, settings.exports_page_max),
            open_max=settings.exports_open_max,
        )
        self._watch = _watch(settings, services.exporting, clock)
        self._kept = KeptMovies(settings.movies_kept_bytes_max)
        self._engine = Engine(
            executor,
            PersistedDocuments(services.cache),
            partial(metrics.fault, "graphql"),
            tracer,
        )

    def context(self, request_id: str, caller: Caller | None) -> Context:
        """Return the context of a request; its budget starts now."""
        until_s = self._clock.monotonic_s() + self._settings.budget_s
        services, exporting = self._services, self._services.exporting
        return Context(
            services.browse,
            self._profiles,
            DetailLoader(services.browse, until_s),
            until_s,
            self._page_limits,
            request_id,
            self._clock.monotonic_s,
            kept=self._kept,
            caller=caller,
            catalogue=self._entries,
            additions=services.additions,
            exports=None if exporting is None else exporting.exports,
            export_watch=self._watch,
            export_limits=self._export_limits,
            history=None if exporting is None else exporting.history,
            history_points_max=self._settings.history_shown_max,
        )

    def endpoint(self, doors: Doors, pages: Pages) -> GraphQLEndpoint:
        """Return the way in by HTTP."""
        settings, metrics, house = self._settings, self._metrics, self._services.house
        return GraphQLEndpoint(
            self._engine,
            make_context=self.context,
            admission=doors.admission,
            memo=AnswerMemo(settings.answers_kept_bytes_max),
            is_current=(lambda: True) if house is None else house.provider.is_current,
            revision=self._services.revision,
            clock=self._clock,
            limits=EndpointLimits(
                settings.request_bytes_max,
                settings.request_body_s,
                settings.queries_at_once_max,
            ),
            boot_id=secrets.token_hex(4).encode(),
            ide=pages.graphiql if settings.graphiql else None,
            count=AnswerCount(
                kept=metrics.count_kept, made=metrics.count_made, shared=metrics.count_shared
            ),
            tracer=self._tracer,
        )

    def sockets(self, doors: Doors, logger: Logger) -> GraphQLSockets:
        """Return the way in by WebSockets."""
        settings = self._settings
        parts = SocketParts(
            self._engine,
            self.context,
            doors.callers,
            doors.limits.spend,
            doors.limits.charge,
            self._clock,
            SocketLimits(
                settings.sockets_max,
                settings.sockets_per_address_max,
                settings.socket_operations_max,
                settings.socket_init_s,
                settings.socket_idle_s,
                settings.socket_send_s,
            ),
            partial(self._metrics.fault, "websocket"),
        )
        return GraphQLSockets(
            parts,
            origins=frozenset((settings.cors_origins or "").split(",")) - {""},
            address_of=lambda scope: client_address(scope, settings.trusted_hops),
            logger=logger,
            count=self._metrics.count_socket,
        )


def _entries(house: HouseParts, browse: Browse) -> HouseEntries:
    return HouseEntries(house.catalogue, browse, provider=HOUSE, kept=house.provider.entry)


def _watch(settings: Settings, exporting: Exporting | None, clock: Clock) -> ExportWatch | None:
    if exporting is None or exporting.exports is None:
        return None
    rules = WatchRules(settings.export_watch_s, watches_max=settings.export_watches_max)
    return ExportWatch(exporting.exports, exporting.board, clock, rules)


def make_executor(settings: Settings, providers: int) -> Executor:
    """Return what runs documents; it is not free, so it is made once."""
    schema = core_schema(build_schema())
    limits = OperationLimits(
        depth=settings.depth_max,
        aliases=settings.aliases_max,
        root_fields=settings.root_fields_max,
        directives=settings.directives_max,
        fields=settings.fields_max,
        cost=settings.cost_max,
        providers=providers,
        mutations=settings.mutations_max,
        mutation_cost=settings.mutation_cost,
        history_points=settings.history_shown_max,
        subscription_cost=settings.subscription_cost,
    )
    documents = DocumentLimits(
        characters_max=settings.document_characters_max,
        tokens_max=settings.document_tokens_max,
        errors_max=settings.request_errors_max,
        kept_bytes_max=settings.documents_kept_bytes_max,
        suggestions=settings.env == "dev",
        introspection=settings.introspection,
    )
    page_size = min(settings.page_default, settings.page_max)
    return Executor(schema, documents, LimitCheck(schema, limits, page_size))
