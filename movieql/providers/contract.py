"""A provider's API as plain values: where things are and what they are called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class HeaderAuth:
    """A secret token in a header."""

    name: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SigV4Auth:
    """AWS Signature Version 4, as API Gateway wants it with AWS_IAM."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    service: str = "execute-api"
    session_token: str | None = field(default=None, repr=False)


Auth = HeaderAuth | SigV4Auth | None
"""How an operation proves who we are; None: it need not."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a provider's API can do.

    `path` is appended to the base URL; `{id}` in it takes the provider's movie id, quoted.
    `wrapper`: the key that the payload lies under, None when it is the body itself.
    """

    path: str
    wrapper: str | None = None
    auth: Auth = None
    method: Literal["GET", "POST"] = "GET"


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything `HttpProvider` has to know to talk to one provider.

    `keys`: our field name to the provider's key, compared without case; `id` must be there.
    `detail` None: the list says everything. `may_be_empty`: an empty list is an answer, not a
    fault. `body_bytes_max`: bytes of a body (unpacked) read at most; `rows_max`: rows of a list.
    `idempotency_header`: the header of a key by which the provider takes two POSTs for one, None
    where it has none, as in both known contracts.
    """

    base_url: str
    list: Operation
    keys: Mapping[str, str]
    detail: Operation | None = None
    create: Operation | None = None
    may_be_empty: bool = False
    body_bytes_max: int = 4_000_000
    rows_max: int = 10_000
    idempotency_header: str | None = None

    def url(self, operation: Operation, movie_id: str = "") -> str:
        """Return the address of an operation, with the id quoted so that it stays one segment."""
        return self.base_url.rstrip("/") + operation.path.replace("{id}", quote(movie_id, safe=""))
