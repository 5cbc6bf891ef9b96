"""Providers as settings: a TOML file, so that a new shop needs no code.

Secrets are not in the file: it names the environment variables that hold them.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from movieql.domain.errors import SettingsError
from movieql.domain.movies import DESCRIPTIVE_FIELDS, Profile
from movieql.providers import contract
from movieql.providers.house import HOUSE
from movieql.settings.model import Bytes, Count, SettingsModel, Url, told

ROW_FIELDS = frozenset({*DESCRIPTIVE_FIELDS, "price", "created_at"})
"""What a provider's rows can tell, besides the id."""

_OTHER_ID = re.compile("tt[0-9]+|[0-9a-f]{24}")
"""Ids of other types that a provider's pattern admits; see docs/decisions/0020."""


class NoAuth(SettingsModel):
    """The operation needs no proof of who we are."""

    kind: Literal["none"] = "none"

    def proof(self, secret: "Secrets") -> contract.Auth:  # noqa: ARG002  # one shape for all
        """Return how the adapter proves who we are."""
        return None


class HeaderAuth(SettingsModel):
    """A token in a header; `token_env` names the environment variable that holds it."""

    kind: Literal["header"]
    name: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    token_env: str

    def proof(self, secret: "Secrets") -> contract.Auth:
        """Return how the adapter proves who we are."""
        return contract.HeaderAuth(self.name, secret(self.token_env))


class SigV4Auth(SettingsModel):
    """AWS Signature Version 4; the variables that hold the keys are named."""

    kind: Literal["sigv4"]
    access_key_env: str
    secret_key_env: str
    session_token_env: str | None = None
    region: str
    service: str = "execute-api"

    def proof(self, secret: "Secrets") -> contract.Auth:
        """Return how the adapter proves who we are."""
        return contract.SigV4Auth(
            access_key=secret(self.access_key_env),
            secret_key=secret(self.secret_key_env),
            region=self.region,
            service=self.service,
            session_token=self.session_token_env and secret(self.session_token_env),
        )


Auth = Annotated[NoAuth | HeaderAuth | SigV4Auth, Field(discriminator="kind")]

Secrets = Callable[[str], str]
"""Gives the secret in a variable. Raises SettingsError when it is not set."""


class OperationSettings(SettingsModel):
    """Where an operation is; `wrapper` is the key its payload lies under, if any."""

    path: str = Field(pattern=r"^/")
    wrapper: str | None = None
    auth: Auth | None = None


class ListSettings(OperationSettings):
    """The list; `fields` are what its rows tell, besides the id."""

    fields: frozenset[str]
    may_be_empty: bool = False


class ProviderSettings(SettingsModel):
    """One provider. `keys`: our field to its key, without case; `auth` is for all operations."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    name: str
    base_url: Url = Field(pattern=r"^https?://[^\s?#]+$")
    sells: bool = True
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    priority: int = 100
    id_scheme: Literal["imdb", "opaque"] = "opaque"
    auth: Auth = NoAuth()
    list: ListSettings
    detail: OperationSettings | None = None
    create: OperationSettings | None = None
    keys: dict[str, str]
    idempotency_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,64}$")
    body_bytes_max: Bytes = 4_000_000
    rows_max: Count = 10_000
    connections_max: Annotated[int, Field(ge=1, le=1_000)] = 20

    @field_validator("id")
    @classmethod
    def _is_no_other_id(cls, text: str) -> str:
        if text == HOUSE:
            raise ValueError(f"`{HOUSE}` is the house catalogue's own `id`; choose another")
        if _OTHER_ID.fullmatch(text):
            raise ValueError(
                "`tt` and digits is the `id` of a movie, 24 hex digits that of an export; "
                "choose another"
            )
        return text

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        unknown = (self.keys.keys() | self.list.fields) - ROW_FIELDS - {"id"}
        if unknown:
            raise ValueError(f"unknown fields {sorted(unknown)}; there are {sorted(ROW_FIELDS)}")
        if "id" not in self.keys:
            raise ValueError("`keys` needs `id`")
        if self.list.fields - self.keys.keys():
            raise ValueError("every one of `list.fields` needs a key in `keys`")
        if self.sells and (self.currency is None or "price" not in self.keys):
            raise ValueError("a provider that sells needs `currency` and a key for `price`")
        if self.sells and self.detail is None and "price" not in self.list.fields:
            raise ValueError("without `detail`, `price` must be among `list.fields`")
        if self.detail is not None and "{id}" not in self.detail.path:
            raise ValueError("`detail.path` needs `{id}`")
        return self

    @property
    def detail_fields(self) -> frozenset[str]:
        """Return the fields that only the detail tells."""
        if self.detail is None:
            return frozenset()
        return frozenset(self.keys.keys() - self.list.fields - {"id", "created_at"})

    @property
    def profile(self) -> Profile:
        """Return what merging has to know of the provider."""
        return Profile(
            id=self.id,
            name=self.name,
            sells=self.sells,
            currency=self.currency,
            priority=self.priority,
            imdb_ids=self.id_scheme == "imdb",
            detail_fields=self.detail_fields,
        )

    def contract(self, environ: Mapping[str, str]) -> contract.Contract:
        """Return what the adapter has to know, secrets included. Raises SettingsError."""

        def secret(name: str) -> str:
            if not environ.get(name):
                raise SettingsError(f"{name} is not set: provider {self.id!r} needs this secret.")
            if not environ[name].isprintable():
                raise SettingsError(
                    f"{name} has a line break or another control character, which no header can "
                    f"carry: set it without, provider {self.id!r} needs this secret."
                )
            return environ[name]

        def operation(
            settings: OperationSettings, method: Literal["GET", "POST"] = "GET"
        ) -> contract.Operation:
            auth = (settings.auth or self.auth).proof(secret)
            return contract.Operation(settings.path, settings.wrapper, auth, method)

        return contract.Contract(
            base_url=self.base_url,
            list=operation(self.list),
            keys=self.keys,
            detail=None if self.detail is None else operation(self.detail),
            create=None if self.create is None else operation(self.create, "POST"),
            may_be_empty=self.list.may_be_empty,
            idempotency_header=self.idempotency_header,
            body_bytes_max=self.body_bytes_max,
            rows_max=self.rows_max,
        )


def load_providers(path: Path) -> tuple[ProviderSettings, ...]:
    """Return the providers of a TOML file. Raises SettingsError that names what is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"MOVIEQL_PROVIDERS_FILE: {path}: {error}") from error
    return parse_providers(document)


def read_providers(text: str) -> tuple[ProviderSettings, ...]:
    """Return the providers of a TOML text. Raises SettingsError that names what is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"MOVIEQL_PROVIDERS: {error}") from error
    return parse_providers(document)


def parse_providers(document: Mapping[str, Any]) -> tuple[ProviderSettings, ...]:
    """Return the providers of a parsed document, checked against each other."""
    try:
        providers = _Providers.model_validate(document).providers
    except ValidationError as error:
        # The cause would show what was given, a token in the wrong place included.
        raise SettingsError(told(error, "")) from None
    ids = [provider.id for provider in providers]
    if len(set(ids)) < len(ids):
        raise SettingsError(f"providers: every `id` must be different; got {', '.join(ids)}.")
    currencies = sorted({each.currency for each in providers if each.sells and each.currency})
    if len(currencies) > 1:
        raise SettingsError(
            f"providers: prices in {' and '.join(currencies)} cannot be compared; "
            "let all providers that sell have one `currency`."
        )
    return providers


class _Providers(SettingsModel):
    providers: tuple[ProviderSettings, ...] = Field(min_length=1, max_length=50)
