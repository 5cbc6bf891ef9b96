"""Tokens that take the place of a password in ElastiCache."""

import hmac
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import CredentialRetrievalError
from redis.exceptions import AuthenticationError

from movieql.iam import SPARE_S, TOKEN_LIFETIME_S, IamCredentials
from movieql.memory import VirtualClock

REGION, USER, NAME = "eu-west-1", "movieql-user", "movieql-queue"
KEYS = Credentials("AKIDEXAMPLE", "secret-of-the-test", "session+of/the=test")


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """Give the clock by which botocore signs, too."""
    clock = VirtualClock()
    with patch("botocore.auth.get_current_datetime", lambda: clock.now().replace(tzinfo=None)):
        yield clock


class Source:
    """AWS credentials as botocore finds and replaces them."""

    def __init__(self, keys: Any = KEYS) -> None:
        self.keys = keys
        self.found = 0

    def find(self) -> Any:
        self.found += 1
        return None if self.keys is None else self

    def get_frozen_credentials(self) -> Any:
        if isinstance(self.keys, Exception):
            raise self.keys
        return self.keys.get_frozen_credentials()


def made(clock: VirtualClock, source: Source | None = None) -> IamCredentials:
    return IamCredentials(USER, NAME, REGION, clock, (source or Source()).find)


def token(credentials: IamCredentials) -> str:
    user, text = credentials.get_credentials()
    assert user == USER
    return text


def test_a_token_is_a_presigned_request_to_connect(clock: VirtualClock) -> None:
    text = token(made(clock))
    assert text.startswith(f"{NAME}/?")
    query = {name: value for name, (value,) in parse_qs(urlsplit(f"https://{text}").query).items()}
    assert len(query.pop("X-Amz-Signature")) == 64
    assert query == {
        "Action": "connect",
        "User": USER,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"AKIDEXAMPLE/20260101/{REGION}/elasticache/aws4_request",
        "X-Amz-Date": "20260101T000000Z",
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Security-Token": "session+of/the=test",
    }


def test_its_signature_is_botocores(clock: VirtualClock) -> None:
    asked = urlencode({"Action": "connect", "User": USER})
    request = AWSRequest("GET", f"http://{NAME}/?{asked}", headers={})
    SigV4QueryAuth(KEYS, "elasticache", REGION, expires=900).add_auth(request)
    assert f"http://{token(made(clock))}" == request.url


def test_its_signature_is_that_of_the_algorithm(clock: VirtualClock) -> None:
    pairs = dict(parse_qsl(urlsplit(f"https://{token(made(clock))}").query))
    signature = pairs.pop("X-Amz-Signature")
    canonical = "\n".join(
        [
            "GET",
            "/",
            "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in sorted(pairs.items())),
            f"host:{NAME}",
            "",
            "host",
            sha256(b"").hexdigest(),
        ]
    )
    scope = f"20260101/{REGION}/elasticache/aws4_request"
    signed = "\n".join(
        ["AWS4-HMAC-SHA256", pairs["X-Amz-Date"], scope, sha256(canonical.encode()).hexdigest()]
    )
    key = b"AWS4secret-of-the-test"
    for part in [*scope.split("/"), signed]:
        key = hmac.digest(key, part.encode(), "sha256")
    assert key.hex() == signature


async def test_a_token_is_used_again_until_shortly_before_its_end(clock: VirtualClock) -> None:
    source = Source()
    credentials = made(clock, source)
    assert source.found == 0  # nothing is open before a fork
    first = token(credentials)
    await clock.advance(TOKEN_LIFETIME_S - SPARE_S - 1)
    assert await credentials.get_credentials_async() == (USER, first)
    await clock.advance(1)
    second = token(credentials)
    assert second != first
    assert "X-Amz-Date=20260101T001400Z" in second
    assert source.found == 1


async def test_a_token_does_not_outlive_the_credentials_that_signed_it(
    clock: VirtualClock,
) -> None:
    source = Source()
    credentials = made(clock, source)
    token(credentials)
    source.keys = Credentials("AKIDOTHER", "another secret", None)
    replaced = token(credentials)
    assert "AKIDOTHER" in replaced
    assert "X-Amz-Security-Token" not in replaced


@pytest.mark.parametrize(
    "keys", [None, CredentialRetrievalError(provider="ecs", error_msg="secret-of-the-test")]
)
async def test_without_credentials_nobody_is_signed_in(clock: VirtualClock, keys: Any) -> None:
    source = Source(keys)
    credentials = made(clock, source)
    with pytest.raises(AuthenticationError) as raised:
        await credentials.get_credentials_async()
    assert "secret-of-the-test" not in str(raised.value)
    source.keys = KEYS  # they may come later
    assert token(credentials)
