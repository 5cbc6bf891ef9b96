"""Check AWS Signature Version 4, as the gateway in front of contract B's POST does."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<day>\d{8})/(?P<region>[^/,]+)"
    r"/(?P<service>[^/,]+)/aws4_request, ?SignedHeaders=(?P<signed>[a-z0-9;-]+)"
    r", ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The one key pair the simulator accepts; the defaults are for development only."""

    access_key: str = "AKIASIMULATOR"
    secret_key: str = "simulator-secret"  # noqa: S105 - made up, opens only the simulator


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it arrived: `url` is absolute and still percent-encoded."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def is_signed_by(key: SigningKey, request: Signed) -> bool:
    """Tell whether the request carries the right signature, by computing it once more.

    Region and service are taken from the credential scope of the request. The time is part of the
    signature, but how old it is does not matter here. Never raises.
    """
    found = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if not found or found["key"] != key.access_key or not _covers_enough(found, request):
        return False
    return hmac.compare_digest(_signature(key, found, request), found["signature"])


def _covers_enough(found: re.Match[str], request: Signed) -> bool:
    """Host and time have to be signed; a digest of the body, if sent, has to be the body's."""
    signed = found["signed"].split(";")
    digest = sha256(request.body).hexdigest()
    return (
        {"host", "x-amz-date"} <= set(signed)
        and all(name in request.headers for name in signed)
        and request.headers["x-amz-date"].startswith(found["day"])
        and request.headers.get("x-amz-content-sha256", digest) == digest
    )


def _signature(key: SigningKey, found: re.Match[str], request: Signed) -> str:
    headers = {name: request.headers[name] for name in found["signed"].split(";")}
    again = AWSRequest(request.method, request.url, headers, request.body)
    again.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(
        Credentials(key.access_key, key.secret_key), found["service"], found["region"]
    )
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return str(signer.signature(text, again))
