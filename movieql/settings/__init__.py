"""Every setting of a process, read once from an environment that is passed in.

Each has a name (`MOVIEQL_` and the field in capitals), a default, and a unit as the name's last
word; `docs/settings.md` has a row for each. Providers are a file: `settings.providers`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from movieql.domain.errors import SettingsError
from movieql.settings.iam import IamName, check_iam
from movieql.settings.login import JwksUrl, Name, OpenidIssuer, StrongSecret, UsersFile
from movieql.settings.model import Bytes, Count, Seconds, SettingsModel, Url, told

ENVIRONMENT_PREFIX = "MOVIEQL_"


class Settings(SettingsModel):
    """All settings of a process, frozen."""

    env: Literal["production", "dev"] = "production"
    """Where this runs. `dev` is for one's own machine."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """TCP port to listen on; 0 takes a free one."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged."""
    log_form: Literal["json", "console"] = "json"
    """How a log line looks."""
    graphiql: bool = True
    """Whether browsers get GraphiQL at /graphql."""

    providers_file: Path | None = None
    """TOML file of the providers; `serve` needs it, or `providers`."""
    providers: str | None = None
    """The providers themselves, as the text of such a file; in place of the file."""

    budget_s: Seconds = 2.5
    """Seconds until a question is answered with what is there (docs/semantics.md)."""
    attempt_timeout_s: Seconds = 1.5
    """Longest wait of a question for one call to a provider, in seconds (docs/semantics.md)."""
    attempts_max: Annotated[int, Field(ge=1, le=10)] = 3
    """Attempts at a call, the first included (docs/semantics.md)."""
    hedge_delay_s: Seconds = 0.3
    """Seconds after which the next attempt starts while the last is out (docs/semantics.md)."""
    retry_share: Annotated[float, Field(ge=0, le=10)] = 0.25
    """Extra attempts that are paid, as a share of the calls of 10 s (docs/semantics.md)."""
    retry_per_second: Annotated[float, Field(ge=0, le=1_000)] = 2.0
    """Extra attempts that are paid each second besides (docs/semantics.md)."""
    breaker_open_s: Seconds = 5.0
    """Seconds that a failing endpoint is left alone; doubles each time (docs/semantics.md)."""
    breaker_open_s_max: Seconds = 60.0
    """Seconds that a failing endpoint is left alone at most (docs/semantics.md)."""
    late_budget_s: Seconds = 10.0
    """Seconds that a call may go on after its question, to fill the cache (docs/semantics.md)."""
    fresh_s: Seconds = 60.0
    """Seconds an answer of a provider is fresh (docs/semantics.md)."""
    fresh_jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Share by which fresh times differ, so that they do not end together (docs/semantics.md)."""
    renew_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the fresh time after which what is asked for is refreshed (docs/semantics.md)."""
    background_details_per_second: Annotated[int, Field(ge=0, le=1_000)] = 10
    """Details read in the background each second, per provider; 0: none (docs/semantics.md)."""
    stale_while_refresh_s: Seconds = 300.0
    """Age in seconds up to which old data is served while one refresh runs (docs/semantics.md)."""
    stale_on_error_s: Seconds = 86_400.0
    """Age in seconds up to which old data is served when a refresh fails (docs/semantics.md)."""
    negative_s: Seconds = 15.0
    """Seconds that "no such movie" is cached (docs/semantics.md)."""
    provider_entries_max: Count = 20_000
    """Answers kept in this process, per provider."""
    calls_waiting_max: Count = 5_000
    """Calls under way or waiting, per provider; more are refused."""
    ids_remembered_max: Count = 100_000
    """Movie ids remembered so that an id once printed keeps resolving."""

    cache_url: Annotated[Url, Field(pattern=r"^(rediss?|unix)://\S+$")] | None = Field(
        default=None,
        repr=False,  # it may hold a password
    )
    """Redis or Valkey that replicas share as a cache; none: each process keeps its own."""
    cache_iam_user: IamName | None = None
    """ElastiCache user whom IAM signs in to the shared cache, in `store_region`."""
    cache_iam_name: IamName | None = None
    """Replication group of the shared cache, for IAM."""
    cache_timeout_s: Seconds = 0.05
    """Longest wait for the shared cache, in seconds; then it is a miss (docs/semantics.md)."""
    cache_rest_s: Seconds = 5.0
    """Seconds that a failing shared cache is left alone at most (docs/semantics.md)."""
    cache_bytes_max: Bytes = 8_000_000
    """Bytes of persisted documents in this process, where no cache is shared."""

    page_default: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Movies in a page when `first` is not given."""
    page_max: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Most movies in a page."""
    request_bytes_max: Count = 100_000
    """Bytes of a request's body."""
    queries_at_once_max: Count = 250
    """Queries executed at once over HTTP; further ones are answered 503 at once.

    Over WebSockets `sockets_max` and `socket_operations_max` bound them.
    """
    document_characters_max: Count = 15_000
    """Characters of a GraphQL document."""
    document_tokens_max: Count = 1_000
    """Tokens of a GraphQL document."""
    request_errors_max: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Validation errors told in one response."""
    documents_kept_bytes_max: Bytes = 6_000_000
    """Bytes of documents kept parsed in this process."""
    request_head_bytes_max: Annotated[int, Field(ge=8_192, le=1_000_000)] = 65_536
    """Bytes of a request's head."""
    request_head_s: Seconds = 10.0
    """Longest time in seconds in which a request's head may arrive."""
    hsts_s: Annotated[int, Field(ge=0, le=10 * 31_536_000)] = 0
    """Seconds for which browsers shall use TLS alone (`Strict-Transport-Security`); 0: none."""
    request_body_s: Seconds = 5.0
    """Longest time in seconds in which a request's body may arrive."""
    introspection: bool = True
    """Whether the schema may be asked for."""
    depth_max: Count = 8
    """Depth of an operation; introspection does not count."""
    aliases_max: Annotated[int, Field(ge=0, le=10_000)] = 15
    """Aliases of an operation."""
    root_fields_max: Count = 10
    """Fields at the root of an operation."""
    directives_max: Annotated[int, Field(ge=0, le=10_000)] = 20
    """Directives of an operation."""
    fields_max: Count = 500
    """Fields of an operation, fragments counted as often as they are spread."""
    cost_max: Count = 5_000
    """Objects that an answer may have, by the sizes that the operation asks for."""
    mutations_max: Count = 5
    """Mutations of an operation."""
    mutation_cost: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    """Cost of a mutation besides that of its answer."""
    subscription_cost: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    """Cost of a subscription besides that of one answer."""
    answers_kept_bytes_max: Bytes = 12_000_000
    """Bytes of whole answers kept in this process."""
    movies_kept_bytes_max: Bytes = 8_000_000
    """Bytes of movies kept written out in this process."""
    cors_origins: (
        Annotated[str, Field(pattern=r"^https?://[^\s,*]+(,https?://[^\s,*]+)*$")] | None
    ) = None
    """Origins whose pages may ask, with commas between them; none: only pages of our own."""
    requests_per_minute: Count = 1_200
    """Requests that one caller may make in a minute."""
    cost_per_minute: Count = 200_000
    """Cost that one caller's operations may have in a minute, at least `cost_max`."""
    login_attempts_per_minute: Count = 10
    """Attempts to log in as one name from one address, in a minute."""
    login_attempts_per_address_per_minute: Count = 60
    """Attempts to log in from one address, whatever the names, in a minute."""
    rate_url: Annotated[Url, Field(pattern=r"^(rediss?|unix)://\S+$")] | None = Field(
        default=None,
        repr=False,  # it may hold a password
    )
    """Redis or Valkey in which replicas count together; none: each counts for itself."""
    rate_keys_max: Count = 20_000
    """Budgets remembered in this process; a caller has two."""
    sockets_max: Count = 1_000
    """WebSockets open at once."""
    sockets_per_address_max: Count = 5
    """WebSockets open at once from one address."""
    socket_operations_max: Count = 20
    """Operations under way on one WebSocket."""
    socket_init_s: Seconds = 3.0
    """Seconds in which a WebSocket's client has to introduce itself."""
    socket_idle_s: Seconds = 300.0
    """Seconds that a WebSocket may do nothing."""
    socket_send_s: Seconds = 10.0
    """Seconds in which a message has to leave for a client that reads slowly."""
    socket_message_bytes_max: Count = 65_536
    """Bytes of one message of a WebSocket's client."""
    socket_ping_s: Seconds = 20.0
    """Seconds between pings to a WebSocket's client, and for which an answer is waited for."""

    store_folder: Path | None = None
    """Folder of the object store in files; none and no bucket: there is no store."""
    store_bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None = (
        None
    )
    """S3 bucket of the object store; credentials come from where boto3 looks for them."""
    store_prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]+/)*$", max_length=200)] = ""
    """What the keys of all objects start with, in a bucket that is shared; ends with a slash."""
    store_region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "eu-west-1"
    """Region of the bucket."""
    store_endpoint_url: Annotated[Url, Field(pattern=r"^https?://[^\s/@]+$")] | None = None
    """Where an S3 other than Amazon's is."""
    store_connect_timeout_s: Seconds = 2.0
    """Longest wait for a connection to the bucket, in seconds."""
    store_read_timeout_s: Seconds = 10.0
    """Longest wait for bytes of the bucket, in seconds."""
    store_attempts_max: Annotated[int, Field(ge=1, le=10)] = 3
    """Attempts at a call to the bucket, the first included."""
    store_call_timeout_s: Seconds = 30.0
    """Longest wait for a call to the store, with all its attempts, in seconds."""
    store_probe_s: Seconds = 5.0
    """Longest wait for the probe that the store compares before it writes, in seconds."""
    store_threads_max: Annotated[int, Field(ge=1, le=200)] = 10
    """Calls to the store at once."""
    store_lock_timeout_s: Seconds = 5.0
    """Longest wait for another process's lock on a file, in seconds."""
    store_part_bytes: Annotated[int, Field(ge=5 * 1024**2, le=1024**3)] = 8 * 1024**2
    """Bytes of a part of a large object in the bucket."""
    public_url: Annotated[Url, Field(pattern=r"^https?://[^\s/@]+$")] | None = None
    """Where callers reach this server; links to files start with it. Needed with a folder."""
    link_secret: StrongSecret | None = None
    """Secret of 32 bytes or more that links to files are signed with; needed with a folder."""

    catalogue_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,200}$")] = "movies.json"
    """Key of the house catalogue's file in the store."""
    catalogue_bytes_max: Bytes = 4 * 1024**2
    """Bytes of the house catalogue's file."""
    catalogue_entries_max: Count = 10_000
    """Movies in the house catalogue."""
    catalogue_tries_max: Annotated[int, Field(ge=1, le=100)] = 24
    """Tries of a write of the house catalogue that others get in the way of."""
    catalogue_wait_s: Seconds = 30.0
    """Longest wait for a write of the house catalogue, in seconds."""
    catalogue_waiting_max: Count = 1_000
    """Writes of the house catalogue that wait at once."""
    catalogue_check_s: Seconds = 0.5
    """Seconds after which the catalogue's file is looked at again while it is asked for."""
    catalogue_patience_s: Seconds = 0.5
    """Longest wait of a question for the catalogue's file, in seconds."""
    additions_at_once_max: Count = 4
    """Movies being posted to one provider at once."""
    addition_budget_s: Seconds = 10.0
    """Longest wait for a provider to take a movie, in seconds."""

    link_lifetime_s: Annotated[int, Field(ge=1, le=900)] = 900
    """Seconds that a link to a file works (docs/semantics.md)."""

    queue_url: Annotated[Url, Field(pattern=r"^(rediss?|unix)://\S+$")] | None = Field(
        default=None,
        repr=False,  # it may hold a password
    )
    """Redis (6.2 or newer, cluster mode off) or Valkey of the queue; none: no exports."""
    queue_iam_user: IamName | None = None
    """ElastiCache user whom IAM signs in to the queue, in `store_region`."""
    queue_iam_name: IamName | None = None
    """Replication group of the queue, for IAM."""
    queue_timeout_s: Seconds = 5.0
    """Longest wait for the queue, in seconds."""
    queue_kept_s: Annotated[int, Field(ge=60, le=31 * 86_400)] = 7 * 86_400
    """Seconds that an ended job is known in the queue."""
    queue_astray_s: Seconds = 8.0
    """Seconds that a job on no list counts as live: it may be between two."""
    queue_listed_max: Count = 10_000
    """Jobs of the queue that are looked at; where there are more, the rest counts as alive."""
    queue_look_s: Annotated[float, Field(ge=1, le=300)] = 5.0
    """Seconds between two looks of a server at the queue, for its metrics."""
    queue_log_s: Annotated[float, Field(ge=1, le=3_600)] = 60.0
    """Seconds between two lines of the log in which a worker says how much is in the queue."""
    worker_processes: Annotated[int, Field(ge=1, le=64)] = 1
    """Exports that one `movieql worker` runs at once, each in a process of its own."""
    worker_stop_grace_s: Seconds = 20.0
    """Seconds that an export may go on when its worker is told to stop."""
    worker_stop_s: Seconds = 30.0
    """Seconds in which all processes of a worker have to end; more than the grace."""
    keeper_lease_s: Seconds = 5.0
    """Seconds after which another worker keeps house when the one that did is gone."""
    export_job_s: Annotated[int, Field(ge=10, le=86_400)] = 900
    """Longest run of an export's job, in seconds."""
    export_overrun_s: Annotated[int, Field(ge=1, le=600)] = 10
    """Seconds after which a job that runs on over its end is killed."""
    export_generations_max: Annotated[int, Field(ge=1, le=20)] = 5
    """Times that an export is queued before it has failed (docs/semantics.md)."""
    export_open_s_max: Seconds = 86_400.0
    """Seconds after which an export that has not ended has failed."""
    export_grace_s: Seconds = 10.0
    """Seconds that a new job may be on no list before its export is queued again."""
    export_settle_s: Seconds = 90.0
    """Seconds after it was asked for that an export reads what is written down, at most."""
    export_late_s: Seconds = 21_600.0
    """Seconds after its window that an export reads what is written down, at most."""
    export_stale_s: Seconds = 3_600.0
    """Age in seconds of a price, at the end of the window, from which it is flagged as old."""
    export_kept_s: Seconds = 604_800.0
    """Seconds that an export's file is kept."""
    export_records_kept_s: Annotated[int, Field(ge=86_400, le=366 * 86_400)] = 90 * 86_400
    """Seconds that it is known that there was an export, and its key counts as used."""
    export_upload_s_max: Seconds = 3_600.0
    """Age in seconds of an unfinished file that nobody can be writing any more."""
    export_orphan_s: Seconds = 86_400.0
    """Age in seconds of a file that no export names, from which it is removed."""
    exports_open_max: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Exports of one caller that have not ended."""
    exports_page_default: Annotated[int, Field(ge=1, le=1_000)] = 20
    """Exports in a page when `first` is not given."""
    exports_page_max: Annotated[int, Field(ge=1, le=1_000)] = 50
    """Most exports in a page."""
    export_watch_s: Seconds = 3_600.0
    """Longest subscription to an export's progress, in seconds."""
    export_watches_max: Count = 200
    """Subscriptions to progress at once."""
    export_watchers_max: Annotated[int, Field(ge=1, le=45)] = 40
    """Subscriptions that the queue tells of progress; the others look now and then."""
    reconcile_s: Seconds = 3.0
    """Seconds between two looks for exports that nobody works at."""
    janitor_s: Seconds = 3_600.0
    """Seconds between two rounds of removing what nothing refers to."""
    refresh_s: Seconds = 900.0
    """Seconds between two rounds of asking all shops for everything (docs/semantics.md)."""
    daily_export: bool = True
    """Whether workers export each day when it is over."""
    daily_export_hour: Annotated[int, Field(ge=0, le=23)] = 1
    """Hour of the day, in UTC, from which the day before is exported."""
    observation_flush_s: Seconds = 60.0
    """Seconds between two times that what was seen is written down (docs/semantics.md)."""
    observation_segment_bytes_max: Bytes = 2 * 1024**2
    """Bytes of one file of observations."""
    observation_segments_max: Count = 50_000
    """Files of observations that one export reads."""
    observed_offers_max: Count = 50_000
    """Offers that one process watches."""
    observed_days: Annotated[int, Field(ge=2, le=400)] = 32
    """Days that observations are kept; an export's window is a day less at most."""
    history_days: Annotated[int, Field(ge=1, le=31)] = 30
    """Days that price histories go back."""
    history_refresh_s: Seconds = 60.0
    """Seconds between two readings of new observations for price histories."""
    history_offers_max: Count = 20_000
    """Offers that have a price history."""
    history_shown_max: Annotated[int, Field(ge=1, le=1_000)] = 50
    """Earlier prices shown of one movie, the latest ones."""
    history_points_max: Annotated[int, Field(ge=1, le=1_000)] = 50
    """Changes of one offer's price that are remembered, the latest ones."""

    traces_url: Annotated[Url, Field(pattern=r"^https?://[^\s@]+$")] | None = None
    """Where traces are sent, by OTLP over HTTP; none: there are no traces."""
    traces_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of traces that are kept."""
    traces_timeout_s: Annotated[float, Field(gt=0, le=10)] = 2.0
    """Longest wait for the receiver of traces, in seconds, which is also that of a stop for it."""
    traces_to_providers: bool = False
    """Whether providers are told which trace a call belongs to."""

    keep_alive_s: Seconds = 75.0
    """Seconds that a connection may do nothing between requests; more than a proxy keeps one."""
    drain_s: Annotated[float, Field(ge=0, le=600)] = 0.0
    """Seconds that a server goes on serving after SIGTERM, unready, so that others leave first."""
    shutdown_s: Seconds = 10.0
    """Seconds for requests under way when the server stops, and then as long for what closes."""

    trusted_hops: Annotated[int, Field(ge=0, le=10)] = 0
    """Proxies of ours in front; the client's address is the one that the outermost saw."""
    token_bytes_max: Annotated[int, Field(ge=256, le=8_192)] = 8_192
    """Bytes of a token; longer ones are not read."""
    token_leeway_s: Annotated[float, Field(ge=0, le=30)] = 10.0
    """Seconds by which the clocks of issuers may differ from ours."""
    tokens_kept_max: Count = 5_000
    """Tokens found good that are remembered, so that they need not be checked again."""
    jwt_secret: StrongSecret | None = None
    """Secret of 32 bytes or more that the built-in login signs with; none: no login."""
    jwt_issuer: Name = "movieql"
    """Who made the tokens of the built-in login."""
    jwt_audience: Name = "movieql"
    """For whom the tokens of the built-in login are."""
    login_users_file: UsersFile | None = None
    """TOML file of the users who may log in; none: nobody may."""
    login_lifetime_s: Annotated[int, Field(ge=60, le=3_600)] = 3_600
    """Seconds that a token of the built-in login lives (docs/semantics.md)."""
    login_checks_max: Annotated[int, Field(ge=1, le=64)] = 1
    """Passwords checked at once; each takes its hash's memory: 19 MiB of those made here."""
    login_waiting_max: Annotated[int, Field(ge=0, le=1_000)] = 100
    """Passwords waiting to be checked, of one address 3 at most; more are refused."""
    openid_audience: Name | None = None
    """For whom the tokens of the OpenID provider have to be."""
    openid_issuer: OpenidIssuer | None = None
    """OpenID provider whose tokens are accepted, exactly as its tokens name it."""
    openid_jwks_url: JwksUrl | None = None
    """Where the provider's keys lie; none: where its own description says."""
    openid_lifetime_s_max: Seconds = 86_400.0
    """Longest life of a token of the OpenID provider, in seconds."""
    jwks_lifetime_s: Seconds = 600.0
    """Seconds that the provider's keys are used without asking again."""
    jwks_stale_s: Seconds = 86_400.0
    """Age in seconds up to which they are used while the provider cannot be reached."""
    jwks_pause_s: Seconds = 10.0
    """Seconds between two fetches of the keys, at least."""
    jwks_timeout_s: Seconds = 2.0
    """Longest wait for the keys, and before them for the description, in seconds."""
    jwks_bytes_max: Bytes = 1_000_000
    """Bytes of the keys, and of the description."""

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Self:
        if self.providers_file is not None and self.providers is not None:
            raise ValueError("set MOVIEQL_PROVIDERS_FILE or MOVIEQL_PROVIDERS, not both")
        check_iam("QUEUE", self.queue_url, self.queue_iam_user, self.queue_iam_name)
        check_iam("CACHE", self.cache_url, self.cache_iam_user, self.cache_iam_name)
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.store_folder is not None and self.store_bucket is not None:
            raise ValueError("set MOVIEQL_STORE_FOLDER or MOVIEQL_STORE_BUCKET, not both")
        links = self.public_url is not None and self.link_secret is not None
        if self.store_folder is not None and not links:
            raise ValueError(
                "MOVIEQL_STORE_FOLDER needs MOVIEQL_PUBLIC_URL and MOVIEQL_LINK_SECRET: links to "
                "its files lead to this server"
            )
        if self.queue_url is not None and self.store_folder is None and self.store_bucket is None:
            raise ValueError(
                "MOVIEQL_QUEUE_URL needs MOVIEQL_STORE_BUCKET or MOVIEQL_STORE_FOLDER: exports "
                "are kept there"
            )
        if self.worker_stop_s <= self.worker_stop_grace_s:
            raise ValueError("MOVIEQL_WORKER_STOP_S must be more than MOVIEQL_WORKER_STOP_GRACE_S")
        if self.export_settle_s <= self.observation_flush_s:
            raise ValueError(
                "MOVIEQL_EXPORT_SETTLE_S must be more than MOVIEQL_OBSERVATION_FLUSH_S"
            )
        if self.cost_per_minute < self.cost_max:
            raise ValueError("MOVIEQL_COST_PER_MINUTE must be at least MOVIEQL_COST_MAX")
        return self


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Return the settings of an environment. Raises SettingsError that names every wrong one."""
    given = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(ENVIRONMENT_PREFIX) and value != ""
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        # The cause would show what was given, which may be a secret.
        raise SettingsError(told(error, ENVIRONMENT_PREFIX)) from None
