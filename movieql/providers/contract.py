"""How a provider's API is called: addresses, keys, what proves who we are, and our trace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import quote

from botocore.auth import SigV4Auth as Signer
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from movieql.domain.movies import SourceError
from movieql.ports import Span


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


def auth_headers(operation: Operation, url: str, body: bytes) -> dict[str, str]:
    """Return the headers that one request needs; none when the operation needs no proof."""
    match operation.auth:
        case None:
            return {}
        case HeaderAuth(name=name, token=token):
            return {name: token}
        case SigV4Auth() as auth:
            return _signed(auth, operation.method, url, body)


def _signed(auth: SigV4Auth, method: str, url: str, body: bytes) -> dict[str, str]:
    request = AWSRequest(method, url, headers={"Content-Type": "application/json"}, data=body)
    credentials = Credentials(auth.access_key, auth.secret_key, auth.session_token)
    Signer(credentials, auth.service, auth.region).add_auth(request)
    return {str(name): str(value) for name, value in request.headers.items()}


Carried: TypeAlias = Callable[[], dict[str, str]]
"""Gives the headers with which a provider could continue our trace."""


def nothing() -> dict[str, str]:
    """Tell a provider nothing: what we trace is no third party's business."""
    return {}


def note_outcome(span: Span, error: SourceError | None) -> None:
    """Note how a call ended: `ok`, or an error code in small letters."""
    outcome = "ok" if error is None else error.code.value.lower()
    span.note(outcome=outcome)
    if error is not None:
        span.fail(outcome)
