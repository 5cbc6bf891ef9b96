"""Every setting of a process, read once from an environment that is passed in.

Each has a name (`MOVIEQL_` and the field in capitals), a default, and a unit as the name's last
word; `docs/settings.md` has a row for each. Providers are a file: `settings.providers`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from movieql.domain.errors import SettingsError
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
    """TOML file of the providers; needed by `serve`."""

    budget_s: Seconds = 2.5
    """Seconds until a question is answered with what is there (design §4)."""
    attempt_timeout_s: Seconds = 1.5
    """Longest wait of a question for one call to a provider, in seconds (design §4)."""
    attempts_max: Annotated[int, Field(ge=1, le=10)] = 3
    """Attempts at a call, the first included (design §4)."""
    hedge_delay_s: Seconds = 0.3
    """Seconds after which the next attempt starts while the last is still out (design §4)."""
    retry_share: Annotated[float, Field(ge=0, le=10)] = 0.25
    """Extra attempts that are paid, as a share of the calls of 10 s (design §4)."""
    retry_per_second: Annotated[float, Field(ge=0, le=1_000)] = 2.0
    """Extra attempts that are paid each second besides (design §4)."""
    breaker_open_s: Seconds = 5.0
    """Seconds that a failing endpoint is left alone at first; doubles each time (design §4)."""
    breaker_open_s_max: Seconds = 60.0
    """Seconds that a failing endpoint is left alone at most (design §4)."""
    late_budget_s: Seconds = 10.0
    """Seconds that a call may go on after its question, to fill the cache (design §4)."""
    fresh_s: Seconds = 60.0
    """Seconds an answer of a provider is fresh (design §4)."""
    fresh_jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Share by which fresh times differ, so that they do not end together (design §4)."""
    renew_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the fresh time after which what is asked for is refreshed ahead (design §4)."""
    stale_while_refresh_s: Seconds = 300.0
    """Age in seconds up to which old data is served while one refresh runs (design §4)."""
    stale_on_error_s: Seconds = 86_400.0
    """Age in seconds up to which old data is served when a refresh fails (design §4)."""
    negative_s: Seconds = 15.0
    """Seconds that "no such movie" is believed (design §4)."""
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
    cache_timeout_s: Seconds = 0.05
    """Longest wait for the shared cache, in seconds; then it is a miss (design §4)."""
    cache_rest_s: Seconds = 5.0
    """Seconds that a failed shared cache is left alone."""
    cache_entries_max: Count = 20_000
    """Entries of the cache in memory."""

    page_default: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Movies in a page when `first` is not given."""
    page_max: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Most movies in a page."""
    request_bytes_max: Count = 100_000
    """Bytes of a request's body."""
    document_characters_max: Count = 15_000
    """Characters of a GraphQL document."""
    document_tokens_max: Count = 1_000
    """Tokens of a GraphQL document."""
    request_errors_max: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Validation errors told in one response."""
    documents_kept_max: Count = 500
    """Parsed documents kept."""
    documents_persisted_max: Count = 1_000
    """Documents known by their hash in this process."""
    request_body_s: Seconds = 5.0
    """Seconds in which all of a request's body has to be here."""
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
    answers_kept_bytes_max: Bytes = 50_000_000
    """Bytes of whole answers kept in this process."""
    movies_kept_bytes_max: Bytes = 50_000_000
    """Bytes of movies kept written out in this process."""
    cors_origins: (
        Annotated[str, Field(pattern=r"^https?://[^\s,*]+(,https?://[^\s,*]+)*$")] | None
    ) = None
    """Origins whose pages may ask, with commas between them; none: only pages of our own."""
    shutdown_s: Seconds = 10.0
    """Seconds that requests under way may take to end when the server stops."""


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
